"""What the network thinks of the photos of a dataset, for the board on which a person sorts them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.files import sha256_file
from npylabel.dataset.desk_photos import DeskPhoto, Guess, read_desk_photos
from npylabel.dataset.labels import MODEL, LabelRow, read_label_rows, table_path
from npylabel.labeler.class_mapping import map_classes
from npylabel.labeler.feature_cache import file_ref, look_at
from npylabel.labeler.legacy import load_labeler
from npylabel.labeler.predict import Predictor
from npylabel.training.devices import pick_device


def guesses(
    model_path: Path, dataset_dir: Path, table: ClassTable, *, legacy_order: str = "", device: str = "auto",
    most: int = 0,
) -> dict[str, Guess]:
    """The best class of each photo by its stem: of ``labels.csv`` where that is of this model, else by the model.

    Nothing where there is no model yet.

    Args:
        model_path: the labeler.
        dataset_dir: holds ``color/``, ``manifest.csv`` and ``labels.csv``.
        table: the class table.
        legacy_order: for weights of the original, see ``legacy_checkpoint``.
        device: "auto", "cpu", "cuda" or "mps".
        most: so many photos at most are looked at by the model; where more wait, none is. 0 is no limit.

    Raises:
        NpyLabelError: ``model_damaged``, ``model_foreign``, ``model_other_classes``, ``no_dataset``,
            ``table_damaged``, and those of ``legacy_checkpoint``.
    """
    if not model_path.is_file():
        return {}
    checkpoint = load_labeler(model_path, legacy_order, table)
    mapping, model_sha256 = map_classes(checkpoint, table), sha256_file(model_path)
    photos = read_desk_photos(dataset_dir, table, {})
    found = _labeled(photos, read_label_rows(table_path(dataset_dir / "labels")), mapping.checksum(model_sha256), table)
    rest = [photo for photo in photos if photo.name not in found and photo.path.is_file()]
    if not rest or (most and len(rest) > most):
        return found
    predictor = Predictor(checkpoint, pick_device(device), mapping)
    looks = look_at(predictor, model_sha256, [file_ref(photo.path) for photo in rest])
    for index in np.flatnonzero(looks.readable):
        values = looks.probabilities[index]
        name = table.names[int(predictor.class_ids[values.argmax()])]
        found[rest[index].name] = Guess(name, float(values.max()))
    return found


def _labeled(
    photos: list[DeskPhoto], rows: Mapping[str, LabelRow], model_sha256: str, table: ClassTable
) -> dict[str, Guess]:
    """The guesses that ``labels.csv`` holds; photos that a person labeled need none."""
    found = {}
    for photo in photos:
        row = rows.get(nfc(photo.name))
        if row is None or (row.original_sha256 and row.original_sha256 != photo.sha256):
            continue
        if row.source != MODEL:
            found[photo.name] = Guess(row.class_name, 1.0)
        elif row.model_sha256 == model_sha256 and row.classes_sha256 == table.sha256:
            found[photo.name] = Guess(row.best_class_name, float(row.confidence))
    return found
