"""The table of photos to sort that goes to a phone or to Excel, and comes back from there."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _, language_in_use
from npylabel.dataset.decisions import PhotoState

COLUMNS = ("name", "class", "guess", "confidence", "sha256", "state_sha")
# Excel takes a CSV for UTF-8 by this signature only.
SIGNATURE = "\ufeff"
_READ = ("name", "class", "sha256", "state_sha")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def state_sha(state: PhotoState) -> str:
    """A checksum of what is decided about a photo, 16 letters; one that Excel does not take for a number."""
    text = json.dumps([state.class_name, state.trains, state.skipped, state.out])
    return "s" + hashlib.sha256(text.encode()).hexdigest()[:15]


def delimiter() -> str:
    """What stands between cells, as Excel expects it: where the decimal sign is a comma, a semicolon."""
    return ";" if language_in_use() == "ru" else ","


def table_text(rows: Iterable[Mapping[str, str]]) -> str:
    """The table with its signature and header."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter(), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return SIGNATURE + file.getvalue()


def read_table(table: Path | bytes) -> list[tuple[int, dict[str, str]]]:
    """(Line, values by column) of each row; columns that the table does not have are empty.

    Args:
        table: a file, or its content: UTF-8, UTF-16 or Windows-1251, with commas, semicolons or tabs.

    Raises:
        NpyLabelError: ``page_missing``, ``page_unusable``.
    """
    text = _decoded(table if isinstance(table, bytes) else _bytes_of(table))
    header = next((line for line in text.splitlines() if "class" in line.casefold()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=header.count))
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader
            if any(row) and not row[0].startswith("sep=")]
    columns = [cell.casefold() for cell in rows[0][1]] if rows else []
    if "class" not in columns or not {"sha256", "name"} & {*columns}:
        name = _("The file") if isinstance(table, bytes) else table
        raise NpyLabelError(
            "page_unusable", _("{path} is no table of classes: its columns are {columns}.").format(
                path=name, columns=", ".join(columns[:8]) or "-"),
            _("It needs the column class, and sha256 or name. Take the CSV file that the page saved, or the exported "
              "one as Excel saved it."))
    return [(line, {**dict.fromkeys(_READ, ""), **dict(zip(columns, row, strict=False))}) for line, row in rows[1:]]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NpyLabelError(
            "page_missing", _("The table {path} cannot be read: {reason}.").format(
                path=path, reason=error.strerror or error),
            _("Give the CSV file that the page saved.")) from error


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF16):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel's plain "CSV" is in Russian; in any other code page the names would be no classes.
        return data.decode("cp1251", "replace")
