"""Old photos before and after they were colored: a page with a slider for each, and a contact sheet."""

import base64
import html
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageChops

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _, language_in_use
from npylabel.base.parallel import run_threads
from npylabel.base.progress import track
from npylabel.base.report import StepReport
from npylabel.base.scratch import scratch_folder
from npylabel.colorizer.color_table import (
    ALREADY_COLOR,
    COLORED,
    GIVEN,
    LABELS,
    LEFT_OUT,
    NETWORK,
    PERSON,
    ColorRow,
    read_color_rows,
)
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import fit_square
from npylabel.photos.reasons import describe
from npylabel.photos.sources import PhotoRef, list_photos
from npylabel.ui.sheets import TILE_PX, contact_sheet, pick

PREVIEW_PX = 1000
# At 150 to 400 KB a photo, before and after together, a page of so many opens on a phone.
MOST_PHOTOS = 24
# Beyond so many nobody looks at a page, and making it takes as long as coloring.
MOST_SHOWN = 480
_QUALITY = 80
_SHEET_PAIRS, _SHEET_COLUMNS = 32, 8
_TEMPLATE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class BeforeAfter:
    """One old photo.

    Attributes:
        row: what became of it.
        before: the original, or None where it is not here.
        after: the colored file, or None where there is none.
    """

    row: ColorRow
    before: PhotoRef | None
    after: Path | None


def before_and_after(output_dir: Path, sources: Sequence[Path], exclude: Sequence[Path] = ()) -> list[BeforeAfter]:
    """All photos of ``output_dir/colorized.csv``, ordered by source, with their originals where these are here.

    Args:
        output_dir: of the colored photos.
        sources: the folders and zips that they were colored from.
        exclude: folders inside the sources that are not read.

    Raises:
        NpyLabelError: ``photos_missing``, ``table_damaged``.
    """
    rows = read_color_rows(output_dir)
    known = {row.source: row.fingerprint for row in rows.values()}
    refs = {ref.source: ref for ref in list_photos(sources, [output_dir, *exclude], known).refs}
    return [BeforeAfter(row, refs.get(source), output_dir / row.colored_name if row.name else None)
            for source, row in sorted(rows.items())]


def show_before_after(report: StepReport, output_dir: Path, sources: Sequence[Path], exclude: Sequence[Path]) -> None:
    """Write the page and the sheet into ``output_dir`` where they would not be the same, and name them in the report.

    Args:
        report: of the step that colored the photos.
        output_dir, sources, exclude: see ``before_and_after``.
    """
    page, sheet = output_dir / "before_after.html", output_dir / "colorized_sheet.jpg"
    rows = read_color_rows(output_dir).values()
    made_of = _made_of(rows, output_dir, sources)
    count = sum(row.status != LEFT_OUT for row in rows)
    if count > MOST_SHOWN:
        report.messages.append(_("The page before and after shows the first {count} photos; all of them are in "
                                 "{path}.").format(count=MOST_SHOWN, path=output_dir))
    if not (sheet.is_file() and _are_made_of(_pages(page, min(count, MOST_SHOWN), MOST_PHOTOS), made_of)):
        photos = before_and_after(output_dir, sources, exclude)
        left_out = [photo for photo in photos if photo.row.status == LEFT_OUT]
        shown = [photo for photo in photos if photo.row.status != LEFT_OUT]
        # The pages tell what all of it was made of, so they are written last.
        before_after_sheet(sheet, shown)
        write_before_after(page, [*shown[:MOST_SHOWN], *left_out], most=MOST_PHOTOS, made_of=made_of,
                           about=summary(rows))
    report.files[page.name] = page
    report.pictures[_("Before and after")] = sheet
    report.next_step = _("Open {path} in a browser: a slider on each photo.").format(path=page)


def _made_of(rows: Iterable[ColorRow], output_dir: Path, sources: Sequence[Path]) -> str:
    """A checksum of what is on the pages: a long folder is not read again to show the same."""
    # A person may have painted over a colored file.
    sizes = {entry.name: entry.stat().st_size for entry in os.scandir(output_dir) if entry.is_file()}
    parts = [*map(str, sources), language_in_use(), _TEMPLATE.read_text(encoding="utf-8"), MOST_SHOWN, MOST_PHOTOS]
    parts += [[*astuple(row), sizes.get(row.colored_name, 0)] for row in sorted(rows, key=lambda row: row.source)]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _are_made_of(pages: Sequence[Path], made_of: str) -> bool:
    """Whether all of the pages are there and the last one, which is written last, is made of this."""
    return all(page.is_file() for page in pages) and f'"made_of": "{made_of}"'.encode() in pages[-1].read_bytes()


def write_before_after(
    path: Path, photos: Sequence[BeforeAfter], *, most: int = MOST_PHOTOS, made_of: str = "", about: str = ""
) -> list[Path]:
    """The pages that were written: ``path``, and with more photos ``<stem>_2.html`` and so on beside it.

    A page holds its pictures and needs no network. Photos that were left out are listed on the last page.

    Args:
        path: of the first page.
        photos: see ``before_and_after``.
        most: photos on one page.
        made_of: a text that the pages hold, by which one knows them again.
        about: what the pages say of all photos; "" counts those that are shown.
    """
    shown = [photo for photo in photos if photo.row.status != LEFT_OUT]
    pages = _pages(path, len(shown), most)
    parts = [shown[number * most:(number + 1) * most] for number in range(len(pages))]
    cards = track(run_threads(_card, shown, ahead=4), total=len(shown), label=_("Photos for the page"))
    for number, (page, part) in enumerate(zip(pages, parts, strict=True)):
        rest = [photo for photo in photos if photo.row.status == LEFT_OUT] if page == pages[-1] else []
        data = {
            "made_of": made_of, "page": number, "pages": [page.name for page in pages],
            "summary": about or summary(photo.row for photo in photos),
            "photos": [next(cards) for _photo in part], "texts": _texts(),
            "rest": [[photo.row.file_name, describe(photo.row.reason)] for photo in rest],
        }
        write_text(page, _page(data))
    _remove_older(path, len(pages))
    return pages


def _pages(path: Path, count: int, most: int) -> list[Path]:
    """The pages of so many photos."""
    return [path, *(path.with_name(f"{path.stem}_{number}.html") for number in range(2, -(-count // most) + 1))]


def before_after_sheet(path: Path, photos: Sequence[BeforeAfter]) -> Path:
    """A JPEG of some of the colored photos, each beside its original, written to ``path``."""
    both = {photo.row.source: photo for photo in photos if photo.before and photo.after}
    tiles = []
    with scratch_folder() as folder:
        for photo in map(both.get, pick(list(both), _SHEET_PAIRS)):
            for picture, caption in ((photo.before, photo.row.file_name), (photo.after, photo.row.label_name)):
                tiles.append((folder / f"{len(tiles)}.png", caption))
                # A sheet stretches what is no square.
                if image := _read(picture, TILE_PX):
                    fit_square(image, TILE_PX, "crop").save(tiles[-1][0])
        return contact_sheet(tiles, path, columns=_SHEET_COLUMNS)


def _remove_older(path: Path, pages: int) -> None:
    """Remove the pages of an earlier run that had more photos."""
    number = pages + 1
    while (older := path.with_name(f"{path.stem}_{number}.html")).is_file():
        older.unlink()
        number += 1


def _page(data: dict) -> str:
    # Nothing in the data may end the element that holds it.
    text = json.dumps(data, ensure_ascii=False).encode("utf-8", "backslashreplace").decode().replace("<", "\\u003c")
    filled = _TEMPLATE.read_text(encoding="utf-8").replace("__LANGUAGE__", language_in_use())
    return filled.replace("__TITLE__", html.escape(data["texts"]["title"])).replace("__DATA__", text)


def _card(photo: BeforeAfter) -> dict[str, object]:
    row = photo.row
    # One that has colors already shows itself.
    pictures = {"before": preview(photo.before, PREVIEW_PX), "after": preview(photo.after, PREVIEW_PX)}
    _root, _slash, inner = row.source.partition("/")
    return {
        **pictures, "ratio": round(row.width / max(row.height, 1), 4) or 1, "name": row.file_name,
        "folder": inner.rpartition("/")[0], "label": row.label_name, "status": _status(row),
        "notes": [said_by(row)] if row.status == COLORED else [],
    }


def preview(source: PhotoRef | Path | None, side_px: int) -> str:
    """A JPEG of a picture in base64, at most so many pixels long; "" where it cannot be read."""
    image = _read(source, side_px)
    if image is None:
        return ""
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return _jpeg(image)


def _read(source: PhotoRef | Path | None, side_px: int) -> Image.Image | None:
    """The picture, perhaps smaller but no smaller than asked, or None where it cannot be read."""
    try:
        data = source.read() if isinstance(source, PhotoRef) else source.read_bytes() if source else b""
        return decode_photo(data, side_px).image
    except (OSError, PhotoError, *ZIP_ERRORS, NpyLabelError):  # The last one where Drive is gone.
        return None


def _jpeg(image: Image.Image) -> str:
    red, green, blue = image.split()
    is_gray = not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(red, blue).getbbox()
    file = io.BytesIO()
    (red if is_gray else image).save(file, "JPEG", quality=_QUALITY, optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def said_by(row: ColorRow) -> str:
    """How it is known what a colored photo shows."""
    percent = f" {100 * float(row.confidence):.0f} %" if row.confidence else ""
    said = {GIVEN: _("you chose it"), PERSON: _("you chose it"), LABELS: _("from its label"),
            NETWORK: _("the network sees it")}
    return said.get(row.label_source, _("the network is unsure")) + percent


def _status(row: ColorRow) -> str:
    return _("has colors already") if row.status == ALREADY_COLOR else ""


def summary(rows: Iterable[ColorRow]) -> str:
    """How many photos are in color, had colors already, and could not be read."""
    counts = Counter(row.status for row in rows)
    parts = [_("{count} photos in color").format(count=counts[COLORED])]
    if counts[ALREADY_COLOR]:
        parts.append(_("{count} had colors already").format(count=counts[ALREADY_COLOR]))
    if counts[LEFT_OUT]:
        parts.append(_("{count} could not be read").format(count=counts[LEFT_OUT]))
    return " · ".join(parts)


def _texts() -> dict[str, str]:
    return {
        "title": _("Before and after"), "before": _("before"), "half": _("half"), "after": _("after"),
        "all": _("All photos"), "pages": _("Pages"), "rest": _("Not colored"), "no_picture": _("no picture"),
        "slider": _("{name}: how much of the original is seen"),
    }
