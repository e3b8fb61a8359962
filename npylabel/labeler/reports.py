"""What a finished training says of its validation photos, as tables: each photo, each threshold, each confidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import _
from npylabel.base.tables import printable, write_csv
from npylabel.dataset.training_data import TrainPhoto
from npylabel.labeler.calibration import (
    BINS,
    THRESHOLDS,
    Judged,
    advice,
    advised_threshold,
    at_threshold,
    bins_of,
    calibration_error,
    cross_fitted,
    error_by_chance,
    judge,
    to_saved,
)
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.training.run_files import RunFiles

PREDICTIONS, THRESHOLD_TABLE, RELIABILITY = ".predictions.csv", ".thresholds.csv", ".reliability.csv"
BEFORE, AFTER = "before", "after"
USUAL_THRESHOLD = 0.5
_PREDICTION_COLUMNS = ("path", "true_id", "true", "predicted_id", "predicted", "confidence", "loss")
_THRESHOLD_COLUMNS = ("threshold", "class_id", "class_name", "photos", "unknown_share", "right_share")
_RELIABILITY_COLUMNS = ("temperature", "low", "high", "photos", "confidence", "accuracy")


@dataclass(frozen=True)
class Findings:
    """What was found besides the tables.

    Attributes:
        metrics: for ``<stem>.metrics.json``.
        messages: for the person.
        judged: for the model file.
    """

    metrics: dict[str, object] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    judged: dict[str, list] = field(default_factory=dict)


def write_reports(
    files: RunFiles, best: Checkpoint, photos: Sequence[TrainPhoto], data_path: Path, logits: torch.Tensor,
    targets: torch.Tensor, table: ClassTable,
) -> Findings:
    """The findings on validation photos; ``<stem>.predictions.csv``, ``.thresholds.csv`` and ``.reliability.csv``.

    Without validation photos nothing is written.

    Args:
        files: of the run.
        best: the labeler that is judged.
        photos: n validation photos.
        data_path: the folder that their paths start from in the tables.
        logits: ``(n, k)`` of ``best``, before the temperature.
        targets: ``(n,)`` columns of their classes.
        table: names of the classes.
    """
    if not len(photos):
        return Findings()
    write_csv(files.beside(PREDICTIONS), _PREDICTION_COLUMNS,
              _predictions(best, photos, data_path, logits, targets, table))
    # What the temperature was fitted on says too much good of it.
    before, after = judge(logits, targets), cross_fitted(logits, targets)
    write_csv(files.beside(THRESHOLD_TABLE), _THRESHOLD_COLUMNS, _thresholds(after, photos, table))
    write_csv(files.beside(RELIABILITY), _RELIABILITY_COLUMNS, [
        {"temperature": when, **row} for when, judged in ((BEFORE, before), (AFTER, after))
        for row in _reliability(judged)])
    return _findings(best, before, after)


def _predictions(
    best: Checkpoint, photos: Sequence[TrainPhoto], data_path: Path, logits: torch.Tensor, targets: torch.Tensor,
    table: ClassTable,
) -> list[dict[str, object]]:
    """One row by photo, the hardest first; the confidence is the one that step 04 would give."""
    logits = logits / best.temperature
    losses = functional.cross_entropy(logits, targets, reduction="none").tolist()
    confidences, columns = (values.tolist() for values in torch.softmax(logits, 1).max(1))
    rows = []
    for photo, loss, confidence, column in zip(photos, losses, confidences, columns, strict=True):
        predicted = best.trained_ids[column]
        rows.append({
            "path": printable(photo.path.relative_to(data_path).as_posix()), "true_id": photo.class_id,
            "true": table.names[photo.class_id], "predicted_id": predicted, "predicted": table.names[predicted],
            "confidence": f"{confidence:.4f}", "loss": f"{loss:.4f}"})
    return sorted(rows, key=lambda row: (-float(row["loss"]), row["path"]))


def _thresholds(judged: Judged, photos: Sequence[TrainPhoto], table: ClassTable) -> Iterator[dict[str, object]]:
    """What each threshold does to all photos, and then to those of each class."""
    class_ids = np.array([photo.class_id for photo in photos])
    groups = [("", "", judged)] + [
        (int(class_id), table.names[int(class_id)], judged[class_ids == class_id]) for class_id in np.unique(class_ids)]
    for class_id, name, group in groups:
        for threshold in THRESHOLDS:
            at = at_threshold(group, threshold)
            yield {"threshold": f"{threshold:g}", "class_id": class_id, "class_name": name, "photos": at.photos,
                   "unknown_share": round(at.unknown, 4), "right_share": "" if at.right is None else round(at.right, 4)}


def _reliability(judged: Judged) -> Iterator[dict[str, object]]:
    """Mean confidence and accuracy by bin of equal width."""
    for chosen in bins_of(judged.confidence):
        part = judged[chosen]
        place = min(int(part.confidence[0] * BINS), BINS - 1)
        yield {"low": round(place / BINS, 4), "high": round((place + 1) / BINS, 4), "photos": len(part),
               "confidence": round(float(part.confidence.mean()), 4), "accuracy": round(float(part.right.mean()), 4)}


def _findings(best: Checkpoint, before: Judged, after: Judged) -> Findings:
    errors = {f"{name}_{when}": round(calibration_error(judged, adaptive=name == "adaptive_error"), 4)
              for name in ("error", "adaptive_error") for when, judged in ((BEFORE, before), (AFTER, after))}
    errors["error_by_chance"] = round(error_by_chance(after.confidence), 4)
    advised = advised_threshold(after)
    text = _("Calibration error on validation photos: {before} before the temperature, {after} after it; perfect "
             "honesty would show {chance} on so many photos.")
    return Findings(
        {"calibration": {"photos": len(after), "temperature": best.temperature, **errors},
         "advised_threshold": advised.threshold if advised else None},
        [at_threshold(after, USUAL_THRESHOLD).sentence(), advice(after), text.format(
            before=errors["error_before"], after=errors["error_after"], chance=errors["error_by_chance"])],
        to_saved(after))
