"""Labels that people gave: written into the label files at once, and made again from the journal."""

import os
from collections.abc import Mapping
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.files import sha256_file
from npylabel.base.parallel import run_threads
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.labels import (
    HUMAN,
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


def give_labels(dataset_dir: Path, labels_dir: Path, table: ClassTable, class_ids: Mapping[str, int]) -> None:
    """Write what a person decided: the label files first, then their rows in ``labels.csv``.

    A label file that is not what its row says was changed by a person: so a kill in between leaves what step 04
    understands in the same way. A photo that is not in ``color/`` (any more) gets nothing.

    Args:
        dataset_dir: holds ``color/``.
        labels_dir: where the label files are.
        table: the class table.
        class_ids: class id by stem of the photo.

    Raises:
        OSError: where a file cannot be read or written.
    """
    given = {nfc(name): class_id for name, class_id in class_ids.items()}
    photos = {name: path for name, path in _photos(dataset_dir).items() if name in given}
    if not photos:
        return
    labels_dir.mkdir(parents=True, exist_ok=True)
    checksums = dict(zip(photos, run_threads(sha256_file, photos.values()), strict=True))
    originals = original_hashes(dataset_dir)
    for name, photo in photos.items():
        path = labels_dir / f"{photo.stem}.npy"
        if _found(path) != given[name]:
            write_label(path, given[name])
    # What an unfinished run of step 04 knows of these labels outweighs their rows: then the label must differ from
    # what the row was written with, as where a person edits the table.
    is_unfinished = labels_journal(labels_dir).path.is_file()
    rows = read_label_rows(table_path(labels_dir))
    for name in photos:
        rows[name] = human_row(name, given[name], table, checksums[name], originals.get(name, ""))
        rows[name].written_id = "" if is_unfinished else rows[name].written_id
    write_label_rows(table_path(labels_dir), rows)


def human_row(name: str, class_id: int, table: ClassTable, photo_sha256: str, original_sha256: str) -> LabelRow:
    """The row of a label that a person gave."""
    return LabelRow(name, class_id, table.names[class_id], source=HUMAN, photo_sha256=photo_sha256,
                    classes_sha256=table.sha256, written_id=str(class_id), original_sha256=original_sha256)


def rebuild_labels(dataset_dir: Path, labels_dir: Path, table: ClassTable, decisions_dir: Path) -> int:
    """How many labels were not what people decided, and are so now.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        labels_dir: where the label files are.
        table: the class table.
        decisions_dir: the journal.

    Raises:
        NpyLabelError: ``decisions_damaged``, ``manifest_damaged``.
        OSError: where a file cannot be read or written.
    """
    decided, rows = ClassDecisions(table, decisions_dir), read_label_rows(table_path(labels_dir))
    photos, wrong = _photos(dataset_dir), {}
    for name, sha256 in original_hashes(dataset_dir).items():
        class_id = None if decided.is_out(sha256) else decided.class_id(sha256)
        if class_id is None or nfc(name) not in photos:
            continue
        row, found = rows.get(nfc(name)), _found(labels_dir / f"{photos[nfc(name)].stem}.npy")
        if row is None or (row.source, row.class_id, found) != (HUMAN, class_id, class_id):
            wrong[name] = class_id
    give_labels(dataset_dir, labels_dir, table, wrong)
    return len(wrong)


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
