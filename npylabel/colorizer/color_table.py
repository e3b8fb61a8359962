"""``colorized.csv``: what became of each old photo."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import printable, read_csv, write_csv

COLOR_TABLE = "colorized.csv"
# What a run has done until it writes the table.
JOURNAL = ".colorized.jsonl"
COLORED, ALREADY_COLOR, LEFT_OUT = "colored", "already_color", "left_out"
GIVEN, PERSON, LABELS, NETWORK = "given", "person", "labels", "network"
# Neither can stand in the name of a class.
_OF, _NEXT = ": ", " | "
_NUMBERS = ("confidence", "chroma")


@dataclass
class ColorRow:
    """One old photo.

    Attributes:
        name: stem of the colored file, "" where there is none; one of before stays where its original cannot be read.
        source: of the original, see ``PhotoRef``.
        sha256: of the original's bytes.
        label_id: what it was colored as, "" where nothing was known.
        label_name: of that id.
        label_source: "given" (for the whole run), "person" (decided about this photo; with no label: to be colored as
            none of the classes), "labels" (a label file), "network" or "".
        confidence: of the network in its best class, four decimals; "" where the label was known before.
        likely: the classes that the network finds likeliest, see ``likely_text``; also where it was not asked.
        status: "colored", "already_color" or "left_out".
        reason: "" or a code of ``npylabel.photos.reasons``.
        detail: the decoder's words on a fault.
        width: pixels of the upright original.
        height: pixels of the upright original.
        chroma: how colorful the original is beside its toning.
        saturation: that it was colored with.
        image_format: "png" or "jpg", the suffix of the colored file.
        model_sha256: of what colored it.
        fingerprint: by which a second run knows the original.
        picture_sha256: of the colored file.
        written_label: id and name as ``id:name`` as the table got them; where they are others now, a person changed
            them there.
    """

    name: str
    source: str
    sha256: str = ""
    label_id: str = ""
    label_name: str = ""
    label_source: str = ""
    confidence: str = ""
    likely: str = ""
    status: str = COLORED
    reason: str = ""
    detail: str = ""
    width: int = 0
    height: int = 0
    chroma: str = ""
    saturation: str = ""
    image_format: str = ""
    model_sha256: str = ""
    fingerprint: str = ""
    picture_sha256: str = ""
    written_label: str = ""

    @property
    def file_name(self) -> str:
        """Of the original."""
        return self.source.rpartition("/")[2]

    @property
    def colored_name(self) -> str:
        """Of the colored file."""
        return f"{self.name}.{self.image_format}"

    @property
    def likeliest(self) -> list[tuple[str, float]]:
        """(Name, probability) of the classes that the network finds likeliest, the best first."""
        pairs = [part.rpartition(_OF) for part in self.likely.split(_NEXT)]
        return [(name, float(_plain(number))) for name, _of, number in pairs if name and _plain(number)]


def likely_text(likeliest: Iterable[tuple[str, float]]) -> str:
    """Such as ``"трава: 0.62 | небо: 0.21"``."""
    return _NEXT.join(f"{name}{_OF}{probability:.2f}" for name, probability in likeliest)


_COLUMNS = tuple(field.name for field in fields(ColorRow))


def color_row(values: dict) -> ColorRow:
    """The row of a table's or a journal's values; unknown columns are dropped.

    A number that a spreadsheet made a date of counts as none.

    Raises:
        TypeError, ValueError: where they are no such row.
    """
    known = {name: value for name, value in values.items() if name in _COLUMNS}
    for name in ("width", "height"):
        known[name] = int(known.get(name) or 0)
    for name in _NUMBERS:
        known[name] = _plain(known.get(name) or "")
    return ColorRow(**known)


def _plain(number: str) -> str:
    """The number with a point, whatever a spreadsheet made of it; "" for what is none."""
    try:
        return number.replace(",", ".") if float(number.replace(",", ".")) >= 0 else ""
    except ValueError:
        return ""


def read_color_rows(folder: Path) -> dict[str, ColorRow]:
    """The rows of the table in a folder by source; {} where there is none.

    Raises:
        NpyLabelError: ``table_damaged``.
    """
    path = folder / COLOR_TABLE
    try:
        return {row.source: row for row in map(color_row, read_csv(path))}
    except (TypeError, ValueError) as error:
        raise NpyLabelError(
            "table_damaged", _("The table {path} cannot be read: {reason}.").format(path=path, reason=error),
            _("Save it as CSV in UTF-8, or rename it and run its step again.")) from error


def written_pictures(rows: Iterable[ColorRow], entries: Iterable[dict]) -> dict[str, set[str]]:
    """SHA-256 of all that runs wrote, by name of the colored file: a file that differs is a person's.

    Args:
        rows: of photos.
        entries: of the journal of a run that was killed.
    """
    written: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.name:
            written[row.colored_name].add(row.picture_sha256)
    for entry in entries:
        if "write" in entry:
            written[entry["write"]].add(entry["sha256"])
    return written


def write_color_rows(folder: Path, rows: Sequence[ColorRow]) -> None:
    """Write the table into the folder, ordered by source."""
    ordered = sorted(rows, key=lambda row: row.source)
    values = [{key: printable(str(value)) for key, value in asdict(row).items()}
              | {"written_label": f"{row.label_id}:{row.label_name}"} for row in ordered]
    write_csv(folder / COLOR_TABLE, _COLUMNS, values)
