"""Labels that people gave: written into the label files at once, and made again from the journal."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.files import sha256_file
from npylabel.base.parallel import run_threads
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.labels import (
    HUMAN,
    MODEL,
    LabelError,
    LabelRow,
    labels_journal,
    read_label,
    read_label_rows,
    table_path,
    write_label,
    write_label_rows,
)
from npylabel.photos.manifest import original_hashes

_SUFFIXES = frozenset({"png", "jpg", "jpeg"})


class Labels:
    """The labels of a dataset while people decide: what is decided is in the files when a call returns.

    What it needs of large tables is read once, and ``labels.csv`` again only where something else wrote it.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        labels_dir: the label files, with ``labels.csv`` beside them.
        table: the class table.
    """

    def __init__(self, dataset_dir: Path, labels_dir: Path, table: ClassTable) -> None:
        self.dataset_dir, self.labels_dir, self.table = dataset_dir, labels_dir, table
        self._photos = _photos(dataset_dir)
        self._originals = {nfc(name): sha256 for name, sha256 in original_hashes(dataset_dir).items()}
        self._names = {sha256: name for name, sha256 in self._originals.items()}
        self._rows, self._rows_of = {}, None
        # What the model gave, to put it back where a person's label is taken back.
        self._before = {name: row for name, row in self._rows_now().items() if row.source == MODEL}

    def follow(self, states: Mapping[str, PhotoState]) -> None:
        """Bring label files and ``labels.csv`` to what is decided about some photos, by SHA-256.

        Raises:
            OSError: where they cannot be written.
        """
        named = {self._names[sha256]: state for sha256, state in states.items() if sha256 in self._names}
        ids = {name: self.table.find_name(state.class_name) for name, state in named.items() if state.class_name}
        back = {name: self._before[name] for name in named if name not in ids and name in self._before}
        self._write(back | self._given({name: class_id for name, class_id in ids.items() if class_id is not None}))

    def give(self, class_ids: Mapping[str, int]) -> None:
        """Write labels that people gave, by name of the photo; one that is not in ``color/`` (any more) gets none.

        Raises:
            OSError: where a file cannot be read or written.
        """
        self._write(self._given({nfc(name): class_id for name, class_id in class_ids.items()}))

    def rebuild(self, decisions_dir: Path) -> int:
        """How many labels were not what people decided, and are so now.

        Args:
            decisions_dir: the journal.

        Raises:
            NpyLabelError: ``decisions_damaged``.
            OSError: where a file cannot be read or written.
        """
        decided = ClassDecisions(self.table, decisions_dir)
        said = {name: decided.class_id(sha256) for name, sha256 in self._originals.items()
                if not decided.is_out(sha256)}
        wrong = {name: class_id for name, class_id in said.items() if class_id is not None and self._is_there(name)
                 and not self._has(name, class_id)}
        self.give(wrong)
        return len(wrong)

    def _has(self, name: str, class_id: int) -> bool:
        """Whether file and row say that a person gave a photo this class."""
        row = self._rows_now().get(name)
        return row is not None and (row.source, row.class_id, _found(self._path(name))) == (HUMAN, class_id, class_id)

    def _given(self, class_ids: Mapping[str, int]) -> dict[str, LabelRow]:
        """The rows of labels that a person gave to photos that are there."""
        given = {name: class_id for name, class_id in class_ids.items() if self._is_there(name)}
        checksums = run_threads(sha256_file, [self._photos[name] for name in given])
        rows = {name: human_row(name, class_id, self.table, checksum, self._originals.get(name, ""))
                for (name, class_id), checksum in zip(given.items(), checksums, strict=True)}
        # What an unfinished run of step 04 knows of these labels outweighs their rows: then the label must differ from
        # what the row was written with, as where a person edits the table.
        if labels_journal(self.labels_dir).path.is_file():
            rows = {name: replace(row, written_id="") for name, row in rows.items()}
        return rows

    def _write(self, rows: Mapping[str, LabelRow]) -> None:
        """Write rows and their label files, the files first.

        A label file that is not what its row says was changed by a person: so a kill in between leaves what step 04
        understands in the same way.
        """
        there = {name: row for name, row in rows.items() if self._is_there(name)}
        if not there:
            return
        self.labels_dir.mkdir(parents=True, exist_ok=True)
        for name, row in there.items():
            if _found(self._path(name)) != row.class_id:
                write_label(self._path(name), row.class_id)
        write_label_rows(table_path(self.labels_dir), self._rows_now() | there)
        self._rows.update(there)
        self._rows_of = _stamp(table_path(self.labels_dir))

    def _path(self, name: str) -> Path:
        """The label file of a photo."""
        return self.labels_dir / f"{self._photos[name].stem}.npy"

    def _is_there(self, name: str) -> bool:
        return name in self._photos and self._photos[name].is_file()

    def _rows_now(self) -> dict[str, LabelRow]:
        """The rows of ``labels.csv`` by name."""
        path = table_path(self.labels_dir)
        if (stamp := _stamp(path)) != self._rows_of:
            self._rows, self._rows_of = read_label_rows(path), stamp
        return self._rows


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes when somebody writes a file; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def human_row(name: str, class_id: int, table: ClassTable, photo_sha256: str, original_sha256: str) -> LabelRow:
    """The row of a label that a person gave."""
    return LabelRow(name, class_id, table.names[class_id], source=HUMAN, photo_sha256=photo_sha256,
                    classes_sha256=table.sha256, written_id=str(class_id), original_sha256=original_sha256)


def _photos(dataset_dir: Path) -> dict[str, Path]:
    """The color files by name, as the tables have it."""
    folder = dataset_dir / "color"
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    split = [(name, *name.rpartition(".")) for name in names]
    return {nfc(stem): folder / name for name, stem, _dot, suffix in split if suffix.lower() in _SUFFIXES}


def _found(path: Path) -> int | None:
    """The id in a label file, None where there is no whole file."""
    try:
        return read_label(path)
    except (LabelError, OSError):
        return None
