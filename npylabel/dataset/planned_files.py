"""Files of text that a plan changes: each is written only where it still is what it was when the plan was made."""

import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from npylabel.base.files import sha256_file, write_bytes
from npylabel.base.tables import write_csv


def table_change(path: Path, columns: Sequence[str], rows: Sequence[dict]) -> list[str]:
    """What ``change_file`` takes to write a table of these rows."""
    with tempfile.TemporaryDirectory(prefix="npylabel-plan-") as folder:
        # Written here first, so that the text is what the steps write, to the last byte.
        write_csv(Path(folder) / path.name, columns, [{name: row.get(name) or "" for name in columns} for row in rows])
        return file_change(path, (Path(folder) / path.name).read_bytes().decode("utf-8"))


def file_change(path: Path, text: str) -> list[str]:
    """What ``change_file`` takes."""
    return [sha256_file(path) if path.is_file() else "", text]


def change_file(path: Path, before: str, text: str) -> list[Path]:
    """Write the text; where the file has another content than before, that is kept under these paths.

    Args:
        path: the file.
        before: its checksum when the plan was made, "" where there was none.
        text: what it holds from now on.
    """
    data = text.encode("utf-8")
    found = sha256_file(path) if path.is_file() else ""
    if found == sha256(data).hexdigest():
        return []
    kept = [_keep_edited(path)] if found not in ("", before) else []
    write_bytes(path, data, durable=True)
    return kept


def _keep_edited(path: Path) -> Path:
    data, number = path.read_bytes(), 1
    while (copy := path.with_name(f"{path.stem}.edited_{number}{path.suffix}")).exists() and copy.read_bytes() != data:
        number += 1
    write_bytes(copy, data, durable=True)
    return copy
