"""CSV tables: UTF-8, a header, one row per thing."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import atomic_path
from npylabel.base.i18n import _


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write the rows, whole or not at all; a missing value is an empty cell."""
    with atomic_path(path, durable=True) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, or an empty list where the file does not exist.

    A table that someone saved from Excel (a UTF-8 signature, semicolons) is read too.

    Raises:
        NpyLabelError: ``table_damaged`` where it is no CSV in UTF-8.
    """
    return list(iterate_csv(path))


def iterate_csv(path: Path) -> Iterator[dict[str, str]]:
    """The rows of ``read_csv`` one by one, for tables of a hundred thousand photos.

    Raises:
        NpyLabelError: ``table_damaged``, when the damage is reached.
    """
    if not path.is_file():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = ";" if header.count(";") > header.count(",") else ","
            yield from map(dict, csv.DictReader(file, delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error) as error:
        raise NpyLabelError(
            "table_damaged", _("The table {path} cannot be read: {reason}.").format(path=path, reason=error),
            _("Save it as CSV in UTF-8, or rename it and run its step again.")) from error


def printable(text: str) -> str:
    """The text with what UTF-8 cannot hold (a file name of broken bytes) written as ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
