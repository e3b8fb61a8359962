"""CSV tables: UTF-8, a header, one row per thing."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from npylabel.base.files import write_text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write the rows, whole or not at all; a missing value is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, or an empty list where the file does not exist.

    A table that someone saved from Excel (with a UTF-8 signature) is read too.
    """
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def printable(text: str) -> str:
    """The text with what UTF-8 cannot hold (a file name of broken bytes) written as ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
