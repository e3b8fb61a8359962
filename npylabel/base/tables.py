"""CSV tables: UTF-8, a header, one row per thing."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TextIO

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
    if path.is_file():
        with _opened(path) as (file, delimiter):
            yield from map(dict, csv.DictReader(file, delimiter=delimiter))


def iterate_columns(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The values of two or more columns row by row, several times as fast as whole rows; "" where there is none.

    Raises:
        NpyLabelError: ``table_damaged``, when the damage is reached.
    """
    if not path.is_file():
        return
    with _opened(path) as (file, delimiter):
        rows = csv.reader(file, delimiter=delimiter)
        header = next(rows, [])
        # What is missing is found in an empty cell that each row gets at its end.
        pick = itemgetter(*(header.index(column) if column in header else -1 for column in columns))
        for row in filter(None, rows):
            yield pick(row[:len(header)] + [""] * max(1, len(header) + 1 - len(row)))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[TextIO, str]]:
    """(The file of a table at its first row, its delimiter)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            yield file, ";" if header.count(";") > header.count(",") else ","
    except (UnicodeDecodeError, csv.Error) as error:
        raise NpyLabelError(
            "table_damaged", _("The table {path} cannot be read: {reason}.").format(path=path, reason=error),
            _("Save it as CSV in UTF-8, or rename it and run its step again.")) from error


def printable(text: str) -> str:
    """The text with what UTF-8 cannot hold (a file name of broken bytes) written as ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
