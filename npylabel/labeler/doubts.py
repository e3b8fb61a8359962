"""The table of the training photos whose label is probably wrong, for a person to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.base.tables import printable, write_csv
from npylabel.dataset.training_data import TrainPhoto
from npylabel.labeler.folds import FitFold, assign_folds, held_out_probabilities
from npylabel.labeler.label_errors import Doubt, rank_doubts
from npylabel.training.run_files import RunFiles

LABEL_ERRORS = ".label_errors.csv"
COLUMNS = ("path", "class_name", "suggested_name", "confidence", "suggested_confidence", "score", "probably_wrong",
           "kept", "source")
MOST_FOLDS = 10


@dataclass(frozen=True)
class LabelCheck:
    """How wrong labels are looked for.

    Attributes:
        folds: how many networks, each of which judges the photos that it was not trained on; 0 looks for none.
        kept: class name by SHA-256 of the photos whose class a person found right.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """

    folds: int = 0
    kept: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.folds and not 2 <= self.folds <= MOST_FOLDS:
            raise NpyLabelError(
                "bad_parameter", _("{name} is {value!r}.").format(name="folds", value=self.folds),
                _("Use 0 to look for no wrong labels, or a number from 2 to {high}; 3 is right for most.").format(
                    high=MOST_FOLDS))

    def is_kept(self, photo: TrainPhoto, table: ClassTable) -> bool:
        """Whether a person decided that the photo is of the class in whose folder it lies."""
        return photo.class_by_person or table.find_name(self.kept.get(photo.sha256, "")) == photo.class_id


NO_CHECK = LabelCheck()


def find_wrong_labels(
    check: LabelCheck, photos: Sequence[TrainPhoto], table: ClassTable, files: RunFiles, identity: dict,
    random_seed: int, fit: FitFold, report: StepReport,
) -> None:
    """Write ``<stem>.label_errors.csv``: all photos that can be judged, those with the most doubtful labels first.

    Args:
        check: how.
        photos: to train and to validate on, all of them readable.
        table: the class table.
        files: of the model.
        identity: what the folds' networks depend on besides the photos, as JSON values.
        random_seed: of the folds.
        fit: trains the network of one fold.
        report: gets what was found.
    """
    ids = sorted({photo.class_id for photo in photos})
    targets = np.array([ids.index(photo.class_id) for photo in photos], np.int64)
    hashes = [photo.sha256 for photo in photos]
    fold_of = assign_folds(targets.tolist(), hashes, [photo.group or photo.sha256 for photo in photos], check.folds,
                           random_seed)
    path = files.beside(LABEL_ERRORS)
    if not _can_be_trained(targets, fold_of):
        path.unlink(missing_ok=True)
        report.messages.append(_("There are too few photos to look for wrong labels."))
        return
    identity = {**identity, "photos": hashes, "class_ids": ids, "random_seed": random_seed}
    with report.timed("label_errors"):
        doubts = rank_doubts(held_out_probabilities(files, identity, fold_of, targets, fit), targets)
    rows = [_row(doubt, photos[doubt.index], ids, check, table) for doubt in doubts]
    write_csv(path, COLUMNS, rows)
    _describe(report, rows, path, len(photos) - len(doubts))


def _can_be_trained(targets: np.ndarray, fold_of: np.ndarray) -> bool:
    """Whether each network has two classes to tell apart, and photos to judge."""
    folds = sorted(set(fold_of.tolist()))
    return len(folds) > 1 and all(len(set(targets[fold_of != fold].tolist())) > 1 for fold in folds)


def _row(doubt: Doubt, photo: TrainPhoto, ids: list[int], check: LabelCheck, table: ClassTable) -> dict[str, object]:
    kept = check.is_kept(photo, table)
    return {
        # Without the name of the training folder itself; not normalized, so that the file is found by it.
        "path": printable(photo.ref.source.partition("/")[2]),
        "class_name": table.names[photo.class_id], "suggested_name": table.names[ids[doubt.suggested]],
        "confidence": f"{doubt.confidence:.4f}", "suggested_confidence": f"{doubt.suggested_confidence:.4f}",
        "score": f"{doubt.score:.4f}", "probably_wrong": int(doubt.probably_wrong and not kept), "kept": int(kept),
        "source": printable(photo.source),
    }


def _describe(report: StepReport, rows: Sequence[Mapping[str, object]], path: Path, not_judged: int) -> None:
    wrong = sum(row["probably_wrong"] for row in rows)
    report.facts["labels_judged"] = len(rows)
    report.measured["labels_probably_wrong"] = wrong
    report.files[LABEL_ERRORS[1:]] = path
    report.messages.append(_("{wrong} of {count} labels are probably wrong; the most doubtful come first in {path}."
                             ).format(wrong=wrong, count=len(rows), path=path))
    if wrong:
        report.messages.append(_(
            "Look at them. Wrong class: move the original to the folder of the right class, and run notebooks 02 and "
            "03 again. No class at all: notebook 00_manage, leave_out. Right as it is: notebook 00_manage, keep_label. "
            "Both take the names in the column path, separated by semicolons."))
    if not_judged:
        report.messages.append(_(
            "{count} photos could not be judged: no other scene of their class is there to learn from.").format(
                count=not_judged))
