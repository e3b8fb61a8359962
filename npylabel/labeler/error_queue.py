"""The labels of the training data that are probably wrong, as questions to a person."""

from collections.abc import Mapping
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import read_csv
from npylabel.dataset.desk_photos import DeskPhoto, Guess
from npylabel.dataset.training_data import TrainPhoto, load_training_data
from npylabel.labeler.doubts import LABEL_ERRORS
from npylabel.labeler.review_queue import LABEL_ERROR, Neighbor, Question, Sight
from npylabel.training.run_files import RunFiles


def error_questions(save_path: Path, data_path: Path, table: ClassTable, sight: Sight | None = None) -> list[Question]:
    """What to ask about the labels that step 03 found probably wrong, the most doubtful first.

    Photos that were moved to another class since are not asked about.

    Args:
        save_path: the model beside which ``<stem>.label_errors.csv`` lies.
        data_path: the training folder.
        table: the class table.
        sight: of the labeler, to find training photos that look alike; None finds none.

    Raises:
        NpyLabelError: ``label_errors_missing``, ``table_damaged``, ``no_train_data``, ``split_damaged``.
    """
    path = RunFiles(save_path).beside(LABEL_ERRORS)
    if not path.is_file():
        raise NpyLabelError(
            "label_errors_missing", _("Nobody looked for wrong labels yet: {path} does not exist.").format(path=path),
            _("Run notebook 03 (train) with folds=3: it looks for them when the labeler is trained."))
    photos = load_training_data(data_path, table, val_fraction=0, random_seed=0).photos
    by_path = {photo.ref.source.partition("/")[2]: photo for photo in photos}
    pairs = [(row, by_path[row["path"]]) for row in read_csv(path)
             if row["probably_wrong"] == "1" and row["path"] in by_path
             and table.find_name(row["class_name"]) == by_path[row["path"]].class_id]
    neighbors = _neighbors([photo for _row, photo in pairs], sight) if sight else [()] * len(pairs)
    return [_question(row, photo, near, table) for (row, photo), near in zip(pairs, neighbors, strict=True)]


def _neighbors(photos: list[TrainPhoto], sight: Sight) -> list[tuple[Neighbor, ...]]:
    looks = sight.look([photo.path for photo in photos])
    return sight.neighbors(looks.features, [{photo.sha256, photo.group or photo.sha256} for photo in photos])


def _question(
    row: Mapping[str, str], photo: TrainPhoto, neighbors: tuple[Neighbor, ...], table: ClassTable
) -> Question:
    given = table.names[photo.class_id]
    suggested = Guess(row["suggested_name"], float(row["suggested_confidence"]))
    top = sorted((suggested, Guess(given, float(row["confidence"]))), key=lambda guess: -guess.confidence)
    shown = DeskPhoto(photo.path.stem, photo.path, photo.sha256, guess=suggested.class_name,
                      confidence=suggested.confidence)
    return Question(shown, given, tuple(top), neighbors, LABEL_ERROR, float(row["score"]))
