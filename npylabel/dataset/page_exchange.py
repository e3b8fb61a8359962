"""Photos that leave the notebook to be sorted: a page for a phone or a second person, a table for Excel; and back."""

import base64
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_bytes
from npylabel.base.i18n import _, language_in_use
from npylabel.base.parallel import run_threads
from npylabel.base.progress import track
from npylabel.dataset.decisions import ASSIGN, PhotoState
from npylabel.dataset.desk import DECIDED, OUT, Desk, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.page_table import COLUMNS, delimiter, read_table, state_sha, table_text
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import fit_square

# At 7 to 20 KB a photo in the page, this many are what a phone's browser still opens at once.
MOST_PHOTOS = 1000
_PICTURE_PX, _QUALITY = 256, 68
IMPORT = "import"
DECIDED_HERE, UNKNOWN_CLASS, UNKNOWN_PHOTO, TWICE = "decided_here", "unknown_class", "unknown_photo", "twice"
_TEMPLATE = Path(__file__).with_name("page.html")


def export_page(desk: Desk, photos: Sequence[DeskPhoto], folder: Path) -> tuple[Path, Path]:
    """(A page that works without a network and saves a filled table, that table still to be filled).

    Args:
        desk: tells what is decided, and the classes.
        photos: at most a thousand.
        folder: where both files go.

    Raises:
        NpyLabelError: ``page_empty``, ``page_too_large``.
    """
    _refuse_count(len(photos))
    desk.refresh()
    now = datetime.now(UTC)
    stem = f"sort_{now:%Y%m%d_%H%M%S}_{len(photos)}"
    rows = [_row(desk, photo) for photo in photos]
    html, table = folder / f"{stem}.html", folder / f"{stem}.csv"
    write_bytes(table, table_text(rows).encode("utf-8"), durable=True)
    write_bytes(html, _page(desk, photos, rows, f"{stem}_{now:%f}").encode("utf-8"), durable=True)
    return html, table


def _refuse_count(count: int) -> None:
    if not count:
        raise NpyLabelError("page_empty", _("There are no photos to put on the page."),
                            _("Choose other photos, such as those that nothing is decided about."))
    if count > MOST_PHOTOS:
        raise NpyLabelError(
            "page_too_large", _("{count} photos are too many for one page.").format(count=count),
            _("Choose at most {most} photos for a page and make several pages.").format(most=MOST_PHOTOS))


def _row(desk: Desk, photo: DeskPhoto) -> dict[str, str]:
    state = desk.state_of(photo)
    return {"name": photo.name, "class": state.class_name, "guess": photo.guess,
            "confidence": f"{photo.confidence:.2f}" if photo.guess else "", "sha256": photo.sha256,
            "state_sha": state_sha(state)}


def _page(desk: Desk, photos: Sequence[DeskPhoto], rows: Sequence[dict[str, str]], page_id: str) -> str:
    pictures = track(run_threads(_picture, photos), total=len(photos), label=_("Photos for the page"))
    table = desk.table
    data = {
        "id": page_id, "delimiter": delimiter(), "columns": COLUMNS, "recents": desk.recents,
        "classes": [[class_id, name, [alias for alias, owner in table.aliases.items() if owner == class_id]]
                    for class_id, name in table.names.items()],
        "photos": [{**row, "picture": picture} for row, picture in zip(rows, pictures, strict=True)],
        "texts": _texts(),
    }
    # Nothing in the data may end the element that holds it.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return _TEMPLATE.read_text(encoding="utf-8").replace("__LANGUAGE__", language_in_use()).replace("__DATA__", text)


def _picture(photo: DeskPhoto) -> str:
    """A small JPEG as base64, "" where the file is gone or damaged."""
    try:
        image = decode_photo(photo.path.read_bytes(), _PICTURE_PX).image
    except (OSError, PhotoError):
        return ""
    file = io.BytesIO()
    fit_square(image, _PICTURE_PX, "crop").save(file, "JPEG", quality=_QUALITY)
    return base64.b64encode(file.getvalue()).decode()


def _texts() -> dict[str, str]:
    return {
        "title": _("Sort photos into classes"),
        "help": _("Type the first letters of a class, or tap one. What you choose stays on this phone until you save "
                  "the table."),
        "class": _("class"),
        "no_class": _("no such class"),
        "open_only": _("only those without a class"),
        "save": _("Save the table"),
        "copy": _("Copy as text"),
        "copied": _("Copied."),
        "saved": _("Saved as {name}. Send this file back: it is imported in the notebook."),
        "wrong": _("Red fields, whose text is no class and is not saved: {count}"),
        "no_picture": _("no picture"),
        "clear": _("clear"),
    }


@dataclass(frozen=True)
class Conflict:
    """A row that was not taken.

    Attributes:
        code: "decided_here", "unknown_class", "unknown_photo" or "twice".
        line: of the file, from 1.
        name: of the photo.
        class_name: what the row says.
        other: the class that was decided here, the nearest class, or the other classes of the file; "" for none.
    """

    code: str
    line: int
    name: str
    class_name: str
    other: str = ""

    @property
    def text(self) -> str:
        """What is not right, in a sentence."""
        texts = {
            DECIDED_HERE: _("{name}: the file says {class_name}, but it was decided here meanwhile: {other}")
            if self.other else _("{name}: the file says {class_name}, but it was left out here meanwhile"),
            UNKNOWN_CLASS: _("{name}: there is no class {class_name!r}; did you mean {other!r}?")
            if self.other else _("{name}: there is no class {class_name!r}"),
            UNKNOWN_PHOTO: _("{name}: this photo is not in the dataset"),
            TWICE: _("{name}: the file gives it several classes: {other}"),
        }
        text = texts[self.code].format(name=self.name, class_name=self.class_name, other=self.other)
        return _("line {line}: {text}").format(line=self.line, text=text)


@dataclass(frozen=True)
class ImportReport:
    """What came of a table.

    Attributes:
        taken: photos that have the class of the table now.
        same: photos that had it already, or were not touched by who filled the table.
        empty: rows without a class.
        conflicts: rows that were left as they are, by line.
    """

    taken: int
    same: int
    empty: int
    conflicts: Sequence[Conflict]

    @property
    def lines(self) -> list[str]:
        """The report for people."""
        summary = _("{taken} photos taken, {same} were so already, {empty} rows have no class, {conflicts} were not "
                    "taken.").format(taken=self.taken, same=self.same, empty=self.empty, conflicts=len(self.conflicts))
        return [summary, *(conflict.text for conflict in self.conflicts)]


@dataclass(frozen=True)
class _Row:
    """A row with a class, of a photo on the desk."""

    line: int
    photo: DeskPhoto
    class_name: str
    exported: str


def import_page(desk: Desk, table: Path | bytes) -> ImportReport:
    """What was taken of a filled table, as one batch that one undo takes back, and what was not.

    Args:
        desk: decides; its photos are known by the checksum of the original, or by name where the table has none.
        table: the file that the page or Excel saved, or its content; see ``read_table``.

    Raises:
        NpyLabelError: ``page_missing``, ``page_unusable``, and those of ``Desk.decide``.
    """
    rows = read_table(table)
    desk.refresh()
    conflicts: list[Conflict] = []
    known = [row for line, values in rows if (row := _known(desk, line, values, conflicts))]
    once = _once(known, conflicts)
    wanted = {row.photo.sha256: row for row in once if not _is_settled(desk, row)}
    free = [row for row in wanted.values() if not _decided_here(desk, row, conflicts)]
    taken = desk.decide_each([(row.photo, ASSIGN, row.class_name) for row in free], IMPORT)
    return ImportReport(taken, len(once) - len(wanted), sum(not values["class"] for _line, values in rows),
                        sorted(conflicts, key=lambda conflict: conflict.line))


def _known(desk: Desk, line: int, values: Mapping[str, str], conflicts: list[Conflict]) -> _Row | None:
    """The row where its photo and class are known; None where it has no class, or a conflict, which is noted."""
    name, class_name = values["name"] or values["sha256"][:12], values["class"]
    if not class_name:
        return None
    photo = desk.find(values["sha256"], values["name"])
    if photo is None:
        conflicts.append(Conflict(UNKNOWN_PHOTO, line, name, class_name))
        return None
    class_id = desk.table.find(class_name)
    if class_id is None:
        conflicts.append(Conflict(UNKNOWN_CLASS, line, photo.name, class_name, desk.table.suggestion(class_name)))
        return None
    return _Row(line, photo, desk.table.names[class_id], values["state_sha"])


def _once(rows: Sequence[_Row], conflicts: list[Conflict]) -> list[_Row]:
    """One row for each photo; none where the file gives it several classes, which is noted."""
    by_photo: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_photo[row.photo.sha256].append(row)
    once = []
    for same in by_photo.values():
        classes = list(dict.fromkeys(row.class_name for row in same))
        if len(classes) == 1:
            once.append(same[0])
        else:
            conflicts += [Conflict(TWICE, row.line, row.photo.name, row.class_name, ", ".join(classes)) for row in same]
    return once


def _is_settled(desk: Desk, row: _Row) -> bool:
    """Whether there is nothing to take: it is so here, or was so when the table was made and nobody touched it."""
    state = desk.state_of(row.photo)
    untouched = {state_sha(PhotoState(row.class_name, trains, out=out)) for trains in (True, False)
                 for out in (True, False)}
    return (state.class_name == row.class_name and not state.out) or row.exported in untouched


def _decided_here(desk: Desk, row: _Row, conflicts: list[Conflict]) -> bool:
    """Whether the photo was decided otherwise since the table was made; that is noted."""
    state = desk.state_of(row.photo)
    if kind_of(state) not in (DECIDED, OUT) or state_sha(state) == row.exported:
        return False
    other = "" if state.out else state.class_name
    conflicts.append(Conflict(DECIDED_HERE, row.line, row.photo.name, row.class_name, other))
    return True
