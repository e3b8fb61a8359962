"""The tables of a dataset: which original became which pair, and what was left out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import iterate_csv, printable, write_csv
from npylabel.photos.reasons import BY_PERSON

MANIFEST = "manifest.csv"
QUARANTINE = "quarantine.csv"
# What an unfinished run of step 01 or 02 has done, in the folder of its results.
PHOTOS_JOURNAL = ".photos.jsonl"
OK, DUPLICATE, LEFT_OUT = "ok", "duplicate", "left_out"
DEMO, OWN = "demo", "own"


@dataclass
class PhotoRow:
    """One original, as ``manifest.csv`` (or, left out, ``quarantine.csv``) describes it.

    Attributes:
        name: stem of its files in ``color/`` and ``bw/``; of a duplicate that of the photo that stands for it; of a
            photo that a person left out that which waits for it.
        source: of the original, see ``PhotoRef``.
        sha256: of the original's bytes.
        status: "ok", "duplicate" (has a row and no files) or "left_out".
        reason: "" or a code of ``npylabel.photos.reasons``.
        group: name of the first photo that shows nearly the same, or "" where it is alone.
        taken: ISO time or "".
        width: pixels of the upright original.
        height: pixels of the upright original.
        detail: the decoder's words on a fault.
        phash: perceptual hash, 64 hexadecimal digits.
        fingerprint: size and time (or CRC) of the original, by which a second run knows it.
        color_sha256: of the color file.
        bw_sha256: of the grayscale file.
        settings: size, fit and format it was made with.
        made_from: "demo" for the drawn photos, "own" for the user's.
    """

    name: str
    source: str
    sha256: str = ""
    status: str = OK
    reason: str = ""
    group: str = ""
    taken: str = ""
    width: int = 0
    height: int = 0
    detail: str = ""
    phash: str = ""
    fingerprint: str = ""
    color_sha256: str = ""
    bw_sha256: str = ""
    settings: str = ""
    made_from: str = OWN

    @property
    def suffix(self) -> str:
        """Suffix of its files, ".png" or ".jpg"."""
        return "." + self.settings.rpartition(" ")[2]


def kept_out(row: PhotoRow) -> PhotoRow:
    """The row of a photo that a person left out; all that it needs to come back stays in it."""
    return replace(row, status=LEFT_OUT, reason=BY_PERSON, group="")


def without_files(row: PhotoRow, name: str, status: str, reason: str) -> PhotoRow:
    """The row of a photo that has no files, as far as it is not kept out."""
    return replace(row, name=name, status=status, reason=reason, group="", phash="", color_sha256="", bw_sha256="")


COLUMNS = tuple(field.name for field in fields(PhotoRow))
_QUARANTINE_COLUMNS = ("source", "reason", "detail", *(c for c in COLUMNS if c not in ("source", "reason", "detail")))


def row_from(values: dict) -> PhotoRow:
    """The row of a table's or a journal's values; unknown columns are dropped."""
    known = {name: value for name, value in values.items() if name in COLUMNS}
    for name in ("width", "height"):
        known[name] = int(known.get(name) or 0)
    return PhotoRow(**known)


def read_rows(dataset_dir: Path) -> list[PhotoRow]:
    """All rows of a dataset's two tables, or none where there is no dataset yet.

    Raises:
        NpyLabelError: ``manifest_damaged``.
    """
    return _read(dataset_dir / MANIFEST) + read_aside(dataset_dir)


def read_aside(folder: Path) -> list[PhotoRow]:
    """The rows of the photos that have no files in the folder.

    Raises:
        NpyLabelError: ``manifest_damaged``.
    """
    return _read(folder / QUARANTINE)


def _read(path: Path) -> list[PhotoRow]:
    return list(_iterate(path))


def _iterate(path: Path) -> Iterator[PhotoRow]:
    for values in iterate_csv(path):
        try:
            yield row_from(values)
        except (TypeError, ValueError) as error:
            raise NpyLabelError(
                "manifest_damaged",
                _("The table {path} cannot be read: {reason}.").format(path=path, reason=error),
                _("Rename it and run the step again: it makes a new one from the photos."),
            ) from error


def write_rows(dataset_dir: Path, rows: Sequence[PhotoRow], *, aside_first: bool = True) -> None:
    """Write both tables of a dataset.

    Args:
        dataset_dir: their folder.
        rows: all rows.
        aside_first: the order; a row that goes from one table to the other is then in both of them between the two
            writes, never in neither. False is for photos that come back.
    """
    aside = [row for row in rows if row.status == LEFT_OUT]
    if aside_first:
        write_aside_before(dataset_dir, aside)
    _write(dataset_dir / MANIFEST, COLUMNS, [row for row in rows if row.status != LEFT_OUT])
    write_aside(dataset_dir, aside)


def write_aside_before(folder: Path, rows: Sequence[PhotoRow]) -> None:
    """Write the rows that are aside now, with those that were: these may be on the way to the other table."""
    now = {row.source for row in rows}
    write_aside(folder, [*rows, *(row for row in read_aside(folder) if row.source not in now)])


def write_aside(folder: Path, rows: Sequence[PhotoRow]) -> None:
    """Write the table of the photos that have no files in the folder."""
    _write(folder / QUARANTINE, _QUARANTINE_COLUMNS, rows)


def _write(path: Path, columns: Sequence[str], rows: Sequence[PhotoRow]) -> None:
    ordered = sorted(rows, key=lambda row: row.source)
    write_csv(path, columns, [table_values(row) for row in ordered])


def table_values(row: PhotoRow) -> dict[str, str]:
    """The row as a table holds it, by column."""
    return {key: printable(str(value)) for key, value in asdict(row).items()}


def original_hashes(dataset_dir: Path) -> dict[str, str]:
    """SHA-256 of the original by name of its files; {} where there is no manifest."""
    return {row.name: row.sha256 for row in _iterate_rows(dataset_dir) if row.status == OK}


def dataset_origin(dataset_dir: Path) -> str:
    """What the dataset is made of: "demo", "own", or "" where there is no manifest."""
    origins = {row.made_from for row in _iterate_rows(dataset_dir)}
    return DEMO if DEMO in origins else OWN if origins else ""


def _iterate_rows(dataset_dir: Path) -> Iterator[PhotoRow]:
    """The rows of ``read_rows`` one by one."""
    yield from _iterate(dataset_dir / MANIFEST)
    yield from _iterate(dataset_dir / QUARANTINE)
