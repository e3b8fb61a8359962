"""What each threshold would do: how many photos become unknown, how many of the rest are right, which are near it."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.tables import read_csv
from npylabel.dataset.labels import MODEL, LabelRow, read_label_rows, table_path
from npylabel.labeler.calibration import AtThreshold, Judged, advised_threshold, at_threshold, from_saved
from npylabel.labeler.label_input import PICTURE_SUFFIXES
from npylabel.labeler.legacy import load_labeler
from npylabel.labeler.reports import PREDICTIONS
from npylabel.training.run_files import RunFiles


@dataclass(frozen=True)
class NearPhoto:
    """A photo by the line that a threshold draws.

    Attributes:
        path: its file.
        class_name: of its best class.
        confidence: of that class.
        true_name: of its true class where that is known (validation photos), else "".
    """

    path: Path
    class_name: str
    confidence: float
    true_name: str = ""


@dataclass(frozen=True)
class ClassAt:
    """What a threshold does to the photos of one class.

    Attributes:
        class_name: of the class.
        judged: what it does to the validation photos that the labeler takes for this class; None where there are none.
        photos: how many of the photos to label it takes for this class.
        kept: how many of these reach the threshold.
    """

    class_name: str
    judged: AtThreshold | None
    photos: int
    kept: int


@dataclass(frozen=True)
class ThresholdExplorer:
    """All that is known about a labeler's confidence.

    Attributes:
        judged: what it said of its validation photos; None where there were none.
        validation: those photos, by rising confidence, as far as their table is there.
        labeled: the photos that it labeled, by rising confidence; photos that a person labeled are none.
        threshold: the one that they were labeled with.
    """

    judged: Judged | None
    validation: Sequence[NearPhoto] = ()
    labeled: Sequence[NearPhoto] = ()
    threshold: float = 0.5
    _groups: dict[str, tuple[Judged | None, np.ndarray]] = field(default_factory=dict)

    def at(self, threshold: float) -> AtThreshold | None:
        """What a threshold does to the validation photos; None where there are none."""
        return at_threshold(self.judged, threshold) if self.judged else None

    @property
    def advised(self) -> AtThreshold | None:
        """The lowest threshold at which 95 % of the rest are right; None where no threshold gives that."""
        return advised_threshold(self.judged) if self.judged else None

    def kept(self, threshold: float) -> int:
        """How many of the labeled photos reach a threshold."""
        return len(self.labeled) - bisect_left(self.labeled, threshold, key=lambda photo: photo.confidence)

    def by_class(self, threshold: float) -> list[ClassAt]:
        """What a threshold does in each class that the labeler names, those that lose most photos first."""
        found = []
        for name, (judged, confidence) in self._by_class().items():
            at = at_threshold(judged, threshold) if judged else None
            found.append(ClassAt(name, at, len(confidence), int((confidence >= threshold).sum())))
        return sorted(found, key=lambda each: (each.kept - each.photos, each.class_name))

    def _by_class(self) -> dict[str, tuple[Judged | None, np.ndarray]]:
        if not self._groups:
            names = sorted({photo.class_name for photo in (*self.validation, *self.labeled)})
            for name in names:
                judged = [photo for photo in self.validation if photo.class_name == name]
                own = [photo.confidence for photo in self.labeled if photo.class_name == name]
                self._groups[name] = (_judged(judged), np.array(own, np.float32))
        return self._groups

    def around(self, threshold: float, count: int) -> tuple[list[NearPhoto], list[NearPhoto]]:
        """The photos just below a threshold and those just above it, the nearest to it in the middle.

        Args:
            threshold: the line.
            count: of each at most; of the labeled photos, or of the validation photos where none are labeled.
        """
        photos = self.labeled or self.validation
        place = bisect_left(photos, threshold, key=lambda photo: photo.confidence)
        return [*photos[max(place - count, 0):place]], [*photos[place:place + count]]


def _judged(photos: Sequence[NearPhoto]) -> Judged | None:
    if not photos:
        return None
    return Judged(np.array([photo.confidence for photo in photos], np.float32),
                  np.array([photo.class_name == photo.true_name for photo in photos], bool))


def open_explorer(
    model_path: Path, labels_dir: Path, input_dir: Path, data_path: Path, table: ClassTable, legacy_order: str = ""
) -> ThresholdExplorer:
    """The explorer for a labeler and what it labeled; each part is empty where its files are not there.

    Args:
        model_path: the labeler, with ``<stem>.predictions.csv`` beside it.
        labels_dir: the label files, with ``labels.csv`` beside them.
        input_dir: the photos that were labeled.
        data_path: the training folder, for the validation photos.
        table: the class table.
        legacy_order: for weights of the original, see ``legacy_checkpoint``.

    Raises:
        NpyLabelError: ``table_damaged``, and those of ``load_labeler``.
    """
    judged = from_saved(load_labeler(model_path, legacy_order, table).judged)
    rows = [row for row in read_label_rows(table_path(labels_dir)).values() if row.source == MODEL and row.confidence]
    thresholds = {row.threshold for row in rows if row.threshold}
    validation = [NearPhoto(data_path / row["path"], row["predicted"], float(row["confidence"]), row["true"])
                  for row in read_csv(RunFiles(model_path).beside(PREDICTIONS))]
    return ThresholdExplorer(judged, _rising(validation), _rising(_labeled(rows, input_dir, table)),
                             float(thresholds.pop()) if len(thresholds) == 1 else 0.5)


def _labeled(rows: Sequence[LabelRow], input_dir: Path, table: ClassTable) -> list[NearPhoto]:
    paths: Mapping[str, Path] = {nfc(path.stem): path for path in input_dir.iterdir()
                                 if path.suffix.lower() in PICTURE_SUFFIXES} if input_dir.is_dir() else {}
    return [NearPhoto(paths[row.name], table.names.get(table.find_name(row.best_class_name), row.best_class_name),
                      float(row.confidence)) for row in rows if row.name in paths]


def _rising(photos: Sequence[NearPhoto]) -> list[NearPhoto]:
    return sorted(photos, key=lambda photo: (photo.confidence, photo.path))
