"""Label files: one int64 class id per photo, and the table that says where each came from."""

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from sys import intern

import numpy as np

from npylabel.base.files import write_bytes
from npylabel.base.journal import RunJournal
from npylabel.base.tables import iterate_csv, write_csv

LABELS_TABLE = "labels.csv"
# Holds label files of unknown origin that step 04 replaced.
REPLACED = "labels_replaced"
LABEL_COLUMNS = ("name", "class_id", "class_name", "confidence", "source", "best_class_id", "best_class_name",
                 "threshold", "photo_sha256", "model_sha256", "classes_sha256", "written_id", "original_sha256")
_SHARED = ("class_name", "confidence", "source", "best_class_id", "best_class_name", "threshold", "model_sha256",
           "classes_sha256", "written_id")
# Tables that went through a spreadsheet write 5 as 5.0.
WHOLE_NUMBER = re.compile(r"(-?[0-9]{1,18})(\.0+)?")
MODEL, HUMAN = "model", "human"


class LabelError(Exception):
    """A label file that is wrong.

    Args:
        code: a fault code of ``npylabel.dataset.faults``.
        detail: what was found.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


@dataclass
class LabelRow:
    """One row of ``labels.csv``.

    Attributes:
        name: stem of the photo.
        class_id: what the label file holds.
        class_name: of that id.
        confidence: of the best class, four decimals, "" where a person decided.
        source: "model" or "human".
        best_class_id: what the network thought, whatever the threshold.
        best_class_name: of that id.
        threshold: below which the unknown class was given.
        photo_sha256: of the photo file.
        model_sha256: of the model file.
        classes_sha256: of the class table.
        written_id: what the label file got with this row; where row or file differ from it, a person changed them.
        original_sha256: of the original's bytes, where step 01 knows them: a decision is about that photo.
    """

    name: str
    class_id: int
    class_name: str
    confidence: str = ""
    source: str = MODEL
    best_class_id: str = ""
    best_class_name: str = ""
    threshold: str = ""
    photo_sha256: str = ""
    model_sha256: str = ""
    classes_sha256: str = ""
    written_id: str = ""
    original_sha256: str = ""

    def decision(self, found: int | None, ours: AbstractSet[str]) -> int | None:
        """The id that a person decided on, in the table or in the label file; None where nobody did.

        Each row says what the label file got with it: where one of the two has another id now, a person changed it.

        Args:
            found: what the label file holds, None where it is not whole.
            ours: all that label files may hold without a person: what runs wrote, and what lay there before them.
        """
        if str(self.class_id) != self.written_id:
            return self.class_id
        if found is not None and str(found) not in ours:
            return found
        return self.class_id if self.source == HUMAN else None


def label_bytes(class_id: int) -> bytes:
    """The content of a label file: NumPy format, int64, shape ``(1,)``."""
    file = io.BytesIO()
    np.save(file, np.array([class_id], dtype=np.int64), allow_pickle=False)
    return file.getvalue()


def write_label(path: Path, class_id: int) -> None:
    """Write a label file, whole or not at all."""
    write_bytes(path, label_bytes(class_id))


def read_label(path: Path) -> int:
    """The class id in a label file.

    Raises:
        LabelError: ``label_empty``, ``label_truncated``, ``label_pickle``, ``label_not_npy``, ``label_dtype``,
            ``label_shape`` or ``label_trailing``.
        OSError: where the file cannot be read.
    """
    data = path.read_bytes()
    if not data:
        raise LabelError("label_empty")
    if not data.startswith(b"\x93NUMPY"):
        raise LabelError("label_pickle" if data.startswith(b"\x80") else "label_not_npy")
    file = io.BytesIO(data)
    try:
        value = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, OverflowError, MemoryError, RecursionError, tokenize.TokenError,
            TypeError, KeyError) as error:
        raise LabelError("label_pickle" if "pickle" in str(error) else "label_truncated", str(error)) from error
    if value.dtype != np.dtype("<i8"):
        raise LabelError("label_dtype", str(value.dtype))
    if value.shape != (1,):
        raise LabelError("label_shape", str(value.shape))
    if file.read(1):
        raise LabelError("label_trailing")
    return int(value[0])


def table_path(labels_dir: Path) -> Path:
    """Where ``labels.csv`` is: beside the folder of labels, which holds label files only."""
    return labels_dir.parent / LABELS_TABLE


def labels_journal(labels_dir: Path) -> RunJournal:
    """What an unfinished labeling run has done."""
    return RunJournal(labels_dir.parent / ".labels.jsonl", {"output": labels_dir.name})


def read_labels_now(labels_dir: Path) -> tuple[dict[str, LabelRow], dict[str, frozenset[str]]]:
    """(rows by name, of ``labels.csv`` and of an unfinished run; what its file may hold without a person, by name)."""
    rows = read_label_rows(table_path(labels_dir))
    # Nearly all labels have one of a few sets of ids: equal ones are one in memory.
    shared: dict[frozenset[str], frozenset[str]] = {}
    ours: dict[str, frozenset[str]] = defaultdict(frozenset)

    def add(name: str, *ids: str) -> None:
        known = ours[name].union(map(intern, ids))
        ours[name] = shared.setdefault(known, known)

    for row in rows.values():
        add(row.name, row.written_id)
    for entry in labels_journal(labels_dir).read():
        row = compact(LabelRow(**entry["row"]))
        rows[row.name] = row
        add(row.name, row.written_id, entry["before"])
    return rows, ours


def read_label_rows(path: Path) -> dict[str, LabelRow]:
    """The rows of ``labels.csv`` by name; rows that cannot be understood are left out."""
    rows = {}
    for values in iterate_csv(path):
        known = {name: values.get(name) or "" for name in LABEL_COLUMNS}
        numbers = {name: WHOLE_NUMBER.fullmatch(known[name]) for name in ("class_id", "best_class_id", "written_id")}
        ids = {name: str(int(number[1])) for name, number in numbers.items() if number}
        if known["name"] and "class_id" in ids:
            rows[known["name"]] = compact(LabelRow(**{**known, **ids, "class_id": int(ids["class_id"])}))
    return rows


def compact(row: LabelRow) -> LabelRow:
    """The row, with what many rows share in memory once."""
    for name in _SHARED:
        setattr(row, name, intern(getattr(row, name)))
    return row


def write_label_rows(path: Path, rows: dict[str, LabelRow]) -> None:
    """Write ``labels.csv``, sorted by name."""
    write_csv(path, LABEL_COLUMNS, (vars(rows[name]) for name in sorted(rows)))
