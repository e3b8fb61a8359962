"""Labels that follow what is decided, as soon as it is decided."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.human_labels import give_labels
from npylabel.dataset.labels import MODEL, LabelRow, read_label_rows, table_path, write_label, write_label_rows
from npylabel.photos.manifest import original_hashes


class Labels:
    """The labels of a dataset, which follow what is decided.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        labels_dir: the label files, with ``labels.csv`` beside them.
        table: the class table.
    """

    def __init__(self, dataset_dir: Path, labels_dir: Path, table: ClassTable) -> None:
        self.dataset_dir, self.labels_dir, self.table = dataset_dir, labels_dir, table
        self._names = {sha256: nfc(name) for name, sha256 in original_hashes(dataset_dir).items()}
        # What the model gave, to put it back where a person's label is taken back; read once, the table may be large.
        self._before = {name: row for name, row in read_label_rows(table_path(labels_dir)).items()
                        if row.source == MODEL}

    def follow(self, states: Mapping[str, PhotoState]) -> None:
        """Bring label files and ``labels.csv`` to what is decided about some photos, by SHA-256.

        Raises:
            OSError: where they cannot be written.
        """
        named = {self._names[sha256]: state for sha256, state in states.items() if sha256 in self._names}
        ids = {name: self.table.find_name(state.class_name) for name, state in named.items() if state.class_name}
        given = {name: class_id for name, class_id in ids.items() if class_id is not None}
        back = [name for name, state in named.items() if not state.class_name]
        self._put_back([self._before[name] for name in back if name in self._before])
        give_labels(self.dataset_dir, self.labels_dir, self.table, given)

    def _put_back(self, before: Sequence[LabelRow]) -> None:
        if not before:
            return
        files = {nfc(path.stem): path for path in self.labels_dir.glob("*.npy")}
        rows = read_label_rows(table_path(self.labels_dir))
        for row in before:
            write_label(files.get(row.name, self.labels_dir / f"{row.name}.npy"), row.class_id)
            rows[row.name] = row
        write_label_rows(table_path(self.labels_dir), rows)
