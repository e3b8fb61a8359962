"""CSV tables: UTF-8, a header, one row per thing."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write the rows, whole or not at all; a missing value is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, or an empty list where the file does not exist.

    A table that someone saved from Excel (a UTF-8 signature, semicolons) is read too.

    Raises:
        NpyLabelError: ``table_damaged`` where it is no CSV in UTF-8.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = ";" if header.count(";") > header.count(",") else ","
            return [dict(row) for row in csv.DictReader(file, delimiter=delimiter)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise NpyLabelError(
            "table_damaged", _("The table {path} cannot be read: {reason}.").format(path=path, reason=error),
            _("Save it as CSV in UTF-8, or rename it and run its step again.")) from error


def printable(text: str) -> str:
    """The text with what UTF-8 cannot hold (a file name of broken bytes) written as ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
