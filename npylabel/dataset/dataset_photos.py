"""The photos of a finished dataset, to train on: the color files of step 01 with the labels of step 04."""

from collections.abc import Mapping
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import printable
from npylabel.dataset.folders import TEST, VAL
from npylabel.dataset.labels import LabelError, read_label
from npylabel.dataset.layout import list_dataset
from npylabel.dataset.split import SplitItem, assign_splits
from npylabel.dataset.training_data import TrainingData, TrainPhoto
from npylabel.photos.manifest import OK, OWN, PhotoRow, dataset_origin, read_rows
from npylabel.photos.sources import PhotoRef

# What a photo has whose class nobody knows: without a label file, with a damaged one, or with the unknown class.
NO_CLASS = -1


def load_dataset_photos(
    dataset_dir: Path, table: ClassTable, *, val_fraction: float, test_fraction: float, random_seed: int
) -> TrainingData:
    """The photos of ``color/`` with class and side; the class is ``NO_CLASS`` where it is not known.

    Photos that show nearly the same are on one side, as in the export of step 05 with the same fractions and seed.

    Args:
        dataset_dir: holds ``color/``, ``labels/`` and ``manifest.csv``.
        table: the only source of ids.
        val_fraction: share of each class for validation.
        test_fraction: share of each class for the test.
        random_seed: of the split.

    Raises:
        NpyLabelError: ``dataset_missing``, ``manifest_damaged``, ``bad_parameter``.
    """
    if not (val_fraction >= 0 and test_fraction >= 0 and val_fraction + test_fraction < 1):
        raise NpyLabelError(
            "bad_parameter",
            _("val_fraction and test_fraction are {val} and {test}.").format(val=val_fraction, test=test_fraction),
            _("Neither may be negative, and together they must stay below 1."))
    files = list_dataset(dataset_dir)
    if not files.color:
        raise NpyLabelError(
            "dataset_missing", _("There is no dataset in {path}.").format(path=dataset_dir),
            _("Run notebook 01 first, or set dataset_dir."))
    rows = {nfc(row.name): row for row in read_rows(dataset_dir) if row.status == OK}
    labels = {stem: _label(files.labels.get(stem)) for stem in files.color}
    items = [_item(stem, labels[stem], rows) for stem in files.color]
    sides = assign_splits(items, {VAL: val_fraction, TEST: test_fraction}, random_seed)
    known = set(table.names) - {table.unknown_id}
    photos = [TrainPhoto(_ref(path), labels[stem] if labels[stem] in known else NO_CLASS, side, item.sha256, item.group)
              for (stem, path), item, side in zip(files.color.items(), items, sides, strict=True)]
    return TrainingData(photos, dataset_origin(dataset_dir) or OWN, "crop", len(set(files.color) - set(rows)), [])


def _label(path: Path | None) -> int:
    """The class id in a label file, ``NO_CLASS`` where there is none that can be read."""
    try:
        return read_label(path) if path else NO_CLASS
    except (LabelError, OSError):
        return NO_CLASS


def _item(stem: str, class_id: int, rows: Mapping[str, PhotoRow]) -> SplitItem:
    row = rows.get(stem)
    return SplitItem(class_id, row.sha256 if row else stem, (row and row.group) or stem)


def _ref(path: Path) -> PhotoRef:
    status = path.stat()
    return PhotoRef(printable(path.name), path, fingerprint=f"{status.st_size}-{status.st_mtime_ns}",
                    size_bytes=status.st_size)
