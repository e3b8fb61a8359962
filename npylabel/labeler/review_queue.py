"""The photos that a person should look at, the most useful first, each with what helps to decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import sha256_file
from npylabel.base.i18n import _
from npylabel.dataset.desk_photos import DeskPhoto, Guess, read_desk_photos
from npylabel.dataset.folders import TEST
from npylabel.dataset.labels import MODEL, LabelRow, read_label_rows, table_path
from npylabel.dataset.training_data import TrainPhoto, load_training_data
from npylabel.labeler.class_mapping import map_classes
from npylabel.labeler.feature_cache import Looks, file_ref, look_at
from npylabel.labeler.legacy import load_labeler
from npylabel.labeler.neighbors import nearest
from npylabel.labeler.predict import Predictor
from npylabel.training.devices import pick_device

# Why a photo is asked about: below the threshold; two classes are nearly as probable; it looks like training photos of
# another class; it looks like none; a label of the training data is probably wrong.
UNSURE, BORDER, NEIGHBORS, STRANGE, LABEL_ERROR = "unsure", "border", "neighbors", "strange", "label_error"
TOP, NEIGHBORS_SHOWN = 3, 5
# Two classes whose probabilities differ by less are nearly as probable.
_MARGIN = 0.2
# Of the nearest training photos so many show the labeler's class where they agree with it.
_AGREE = 0.3
# A photo is strange where fewer of the training photos are so far from their nearest one.
_STRANGE = 0.05


@dataclass(frozen=True)
class Neighbor:
    """A training photo that looks like the one in question.

    Attributes:
        path: its file.
        class_name: its class.
        cosine: how alike they are to the network, 1 for the same.
    """

    path: Path
    class_name: str
    cosine: float


@dataclass(frozen=True)
class Question:
    """A photo that a person should look at.

    Attributes:
        photo: with the network's best class as its guess.
        class_name: the label that it has now.
        top: the most probable classes, the best first.
        neighbors: the training photos that look most like it, the nearest first.
        reason: a code of this module.
        doubt: how probably the label that it has now is wrong, 0-1.
    """

    photo: DeskPhoto
    class_name: str
    top: tuple[Guess, ...]
    neighbors: tuple[Neighbor, ...]
    reason: str
    doubt: float


@dataclass(frozen=True)
class Sight:
    """A labeler that looks at photos, and the training photos that it can compare them with.

    Attributes:
        predictor: the labeler.
        model_sha256: of its file.
        table: the class table.
        photos: m training photos.
        looks: what it sees in them.
    """

    predictor: Predictor
    model_sha256: str
    table: ClassTable
    photos: Sequence[TrainPhoto]
    looks: Looks

    @cached_property
    def _typical(self) -> np.ndarray:
        """How near each training photo is to the nearest other one, ascending; duplicates say nothing."""
        features = self.looks.features[self.looks.readable]
        if features.shape[1] == 0 or len(features) < 2:
            return np.zeros(0, np.float32)
        return np.sort(nearest(features, features, 2)[1][:, 1])

    def familiarity(self, neighbors: Sequence[Neighbor]) -> float:
        """Share of the training photos that are no nearer to another one than a photo is to its nearest, 0-1.

        Args:
            neighbors: of the photo; for none the share is 1.
        """
        if not neighbors or not len(self._typical):
            return 1.0
        return float(np.searchsorted(self._typical, neighbors[0].cosine, side="right") / len(self._typical))

    def look(self, paths: Sequence[Path]) -> Looks:
        """What it sees in photos."""
        return look_at(self.predictor, self.model_sha256, [file_ref(path) for path in paths])

    def neighbors(self, features: np.ndarray, without: Sequence[set[str]]) -> list[tuple[Neighbor, ...]]:
        """The training photos that look most like each photo.

        Args:
            features: ``(n, d)`` float32 of the photos.
            without: SHA-256 of training photos, or of their groups, that are not to be named, by photo.
        """
        usable = np.flatnonzero(self.looks.readable) if features.shape[1] and self.looks.features.shape[1] else []
        found, cosines = nearest(features, self.looks.features[usable], 4 * NEIGHBORS_SHOWN)
        return [self._named([(self.photos[usable[i]], float(cosine)) for i, cosine in zip(row, near, strict=True)], out)
                for row, near, out in zip(found, cosines, without, strict=True)]

    def _named(self, pairs: Sequence[tuple[TrainPhoto, float]], out: set[str]) -> tuple[Neighbor, ...]:
        kept = [pair for pair in pairs if not {pair[0].sha256, pair[0].group} & out]
        return tuple(Neighbor(photo.path, self.table.names[photo.class_id], cosine)
                     for photo, cosine in kept[:NEIGHBORS_SHOWN])


def open_sight(
    model_path: Path, table: ClassTable, data_path: Path, *, legacy_order: str = "", device: str = "auto",
    with_training: bool = True,
) -> Sight:
    """The labeler of a file with the training photos beside it; without these where there is no training data.

    Args:
        model_path: the labeler.
        table: the class table.
        data_path: the training folder.
        legacy_order: for weights of the original, see ``legacy_checkpoint``.
        device: "auto", "cpu", "cuda" or "mps".
        with_training: whether the training photos are wanted.

    Raises:
        NpyLabelError: ``model_missing``, ``model_damaged``, ``model_foreign``, ``model_other_classes``,
            ``split_damaged``, ``unknown_folder``, and those of ``legacy_checkpoint``.
    """
    checkpoint = load_labeler(model_path, legacy_order, table)
    predictor = Predictor(checkpoint, pick_device(device), map_classes(checkpoint, table))
    model_sha256 = sha256_file(model_path)
    photos = _training_photos(data_path, table) if with_training and predictor.has_features else []
    looks = look_at(predictor, model_sha256, [photo.ref for photo in photos], _("Looking at the training photos"))
    return Sight(predictor, model_sha256, table, photos, looks)


def _training_photos(data_path: Path, table: ClassTable) -> list[TrainPhoto]:
    try:
        data = load_training_data(data_path, table, val_fraction=0, random_seed=0)
    except NpyLabelError as error:
        if error.code == "no_train_data":
            return []
        raise
    return [photo for photo in data.photos if photo.split != TEST]


def label_questions(dataset_dir: Path, labels_dir: Path, sight: Sight) -> list[Question]:
    """What to ask about the labels of step 04, the most useful questions first; photos that a person labeled are none.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        labels_dir: the label files, with ``labels.csv`` beside them.
        sight: of the labeler.

    Raises:
        NpyLabelError: ``no_dataset``, ``labels_missing``, ``table_damaged``.
    """
    rows = read_label_rows(table_path(labels_dir))
    if not rows:
        raise NpyLabelError("labels_missing", _("There are no labels to review: {path} does not exist.").format(
            path=table_path(labels_dir)), _("Run notebook 04 (auto_label) first."))
    photos = [photo for photo in read_desk_photos(dataset_dir, sight.table, {})
              if nfc(photo.name) in rows and rows[nfc(photo.name)].source == MODEL and photo.path.is_file()]
    looks = sight.look([photo.path for photo in photos])
    seen = np.flatnonzero(looks.readable)
    photos, probabilities = [photos[i] for i in seen], looks.probabilities[seen]
    neighbors = sight.neighbors(looks.features[seen], [{photo.sha256} for photo in photos])
    questions = [_question(photo, rows[nfc(photo.name)], values, near, sight)
                 for photo, values, near in zip(photos, probabilities, neighbors, strict=True)]
    return most_useful_first([question for question in questions if question.reason])


def _question(
    photo: DeskPhoto, row: LabelRow, probabilities: np.ndarray, neighbors: tuple[Neighbor, ...], sight: Sight
) -> Question:
    """The question about a photo; its reason is "" where there is nothing to ask."""
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    names, ids = sight.table.names, sight.predictor.class_ids
    top = tuple(Guess(names[int(ids[column])], float(probabilities[column])) for column in order)
    best = top[0]
    agree = agreement(best.class_name, neighbors)
    sure = best.confidence if agree is None else (best.confidence + agree) / 2
    familiar = sight.familiarity(neighbors)
    sure *= min(1, familiar / _STRANGE)
    reason = ""
    if row.class_id == sight.table.unknown_id:
        # The unknown class is wrong for most photos; most surely where the network and its neighbors agree.
        reason, sure = UNSURE, (1 - sure) / 2
    elif familiar < _STRANGE:
        reason = STRANGE
    elif agree is not None and agree < _AGREE:
        reason = NEIGHBORS
    elif len(top) > 1 and best.confidence - top[1].confidence < _MARGIN:
        reason = BORDER
    photo = replace(photo, guess=best.class_name, confidence=best.confidence)
    return Question(photo, row.class_name, top, neighbors, reason, 1 - sure)


def agreement(class_name: str, neighbors: Sequence[Neighbor]) -> float | None:
    """Share of the nearest training photos that have a class; None where there are none to ask."""
    return sum(near.class_name == class_name for near in neighbors) / len(neighbors) if neighbors else None


def most_useful_first(questions: Sequence[Question]) -> list[Question]:
    """The questions by falling doubt.

    Within a tenth of doubt, which says no more than that, photos of one guess stand side by side, so that they can be
    answered together; so do photos that show nearly the same.
    """
    lead: dict[str, Question] = {}
    for question in questions:
        group = question.photo.group or question.photo.sha256
        if group not in lead or question.doubt > lead[group].doubt:
            lead[group] = question

    def place(question: Question) -> tuple:
        group = question.photo.group or question.photo.sha256
        first = lead[group]
        return (-int(10 * first.doubt), first.photo.guess, -first.doubt, group, -question.doubt, question.photo.name)

    return sorted(questions, key=place)
