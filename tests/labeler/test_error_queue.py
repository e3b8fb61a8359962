"""Labels of the training data that are probably wrong are asked about once, and kept or corrected."""

from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import write_csv
from npylabel.dataset.decisions import ASSIGN, CLEAR, DECISIONS, KEEP_LABEL, kept_labels, read_decisions
from npylabel.labeler.doubts import COLUMNS
from npylabel.labeler.error_queue import error_questions
from npylabel.labeler.review import ErrorReview
from npylabel.labeler.review_queue import LABEL_ERROR, open_sight
from tests.labeler import kit

SKY, HOUSE, MELON = (kit.TABLE.names[class_id] for class_id in kit.SHOWN)


@pytest.fixture
def data_path(tmp_path: Path) -> Path:
    return kit.class_folders(tmp_path / "data", 4)


@pytest.fixture
def save_path(tmp_path: Path, data_path: Path) -> Path:
    """A model's place with a table of wrong labels: two photos of the sky, a sure one and one that is gone."""
    path = tmp_path / "models" / "m.pth"
    row = {"confidence": "0.1", "suggested_confidence": "0.8", "probably_wrong": 1, "kept": 0, "source": ""}
    write_csv(path.with_name("m.label_errors.csv"), COLUMNS, [
        {**row, "path": f"{SKY}/3_001.png", "class_name": SKY, "suggested_name": HOUSE, "score": "0.9"},
        {**row, "path": f"{SKY}/3_002.png", "class_name": SKY, "suggested_name": MELON, "score": "0.7",
         "confidence": "0.85"},
        {**row, "path": f"{HOUSE}/gone.png", "class_name": HOUSE, "suggested_name": SKY, "score": "0.6"},
        {**row, "path": f"{HOUSE}/3_001.png", "class_name": HOUSE, "suggested_name": SKY, "score": "0.5"},
        {**row, "path": f"{MELON}/40_001.png", "class_name": MELON, "suggested_name": SKY, "score": "0.1",
         "probably_wrong": 0}])
    return path


@pytest.fixture
def review(tmp_path: Path, save_path: Path, data_path: Path) -> ErrorReview:
    return reviewed(tmp_path, save_path, data_path)


def reviewed(root: Path, save_path: Path, data_path: Path) -> ErrorReview:
    return ErrorReview(error_questions(save_path, data_path, kit.TABLE), root, kit.TABLE, None, data_path)


def words(root: Path) -> list[tuple[str, str, str, str]]:
    return [(d.name, d.action, d.class_name, d.source) for d in read_decisions(root / DECISIONS)]


def test_the_probably_wrong_ones_that_are_there(save_path: Path, data_path: Path) -> None:
    first, second = error_questions(save_path, data_path, kit.TABLE)
    assert (first.photo.name, first.class_name, first.photo.guess, first.doubt) == ("3_001", SKY, HOUSE, 0.9)
    assert first.reason == LABEL_ERROR and first.photo.path == data_path / SKY / "3_001.png"
    assert [tuple(guess) for guess in first.top] == [(HOUSE, 0.8), (SKY, 0.1)]
    assert [guess.class_name for guess in second.top] == [SKY, MELON], "the most probable first"


def test_a_photo_that_was_moved_since_is_not_asked_about(save_path: Path, data_path: Path) -> None:
    (data_path / SKY / "3_001.png").rename(data_path / HOUSE / "3_001.png")
    # It lies where another row of the table doubts it: that one is about the class that it has now.
    found = error_questions(save_path, data_path, kit.TABLE)
    assert [(each.photo.name, each.class_name) for each in found] == [("3_002", SKY), ("3_001", HOUSE)]


def test_neighbors_are_other_scenes(trained: kit.Trained, save_path: Path, data_path: Path) -> None:
    sight = open_sight(trained.model_path, kit.TABLE, data_path, device="cpu")
    for question in error_questions(save_path, data_path, kit.TABLE, sight):
        assert len(question.neighbors) == 5 and question.photo.path not in [near.path for near in question.neighbors]
        assert question.neighbors[0].class_name == SKY


def test_nobody_looked_for_wrong_labels(tmp_path: Path, data_path: Path) -> None:
    with pytest.raises(NpyLabelError) as error:
        error_questions(tmp_path / "other.pth", data_path, kit.TABLE)
    assert error.value.code == "label_errors_missing" and "folds=3" in error.value.fix


def test_to_accept_is_to_keep_the_label_for_good(
    tmp_path: Path, review: ErrorReview, save_path: Path, data_path: Path
) -> None:
    photo, other = review.shown()
    assert review.accept([photo]) == 1 and review.changed == [photo]
    assert words(tmp_path) == [("3_001", KEEP_LABEL, SKY, "review")]
    assert review.shown() == [other] and review.shown("decided") == [photo]
    assert reviewed(tmp_path, save_path, data_path).shown() == [other]
    assert kept_labels(read_decisions(tmp_path / DECISIONS)) == {photo.sha256: SKY}


def test_to_correct_is_to_assign(tmp_path: Path, review: ErrorReview, save_path: Path, data_path: Path) -> None:
    photo = review.shown()[0]
    assert review.correct([photo], photo.guess) == 1
    assert words(tmp_path) == [("3_001", ASSIGN, HOUSE, "review")]
    assert review.state_of(photo).class_name == HOUSE
    # A corrected label is not doubted again by the next training.
    assert kept_labels(read_decisions(tmp_path / DECISIONS)) == {photo.sha256: HOUSE}
    assert photo not in reviewed(tmp_path, save_path, data_path).shown()


def test_the_class_that_it_has_is_kept_not_assigned(tmp_path: Path, review: ErrorReview) -> None:
    review.correct(review.shown()[:1], SKY)
    assert [word[1] for word in words(tmp_path)] == [KEEP_LABEL]


def test_undo_and_redo_of_both_kinds(tmp_path: Path, review: ErrorReview, save_path: Path, data_path: Path) -> None:
    first, second = review.shown()
    review.accept([first])
    review.correct([second], HOUSE)
    assert review.undo() == 1 and review.shown() == [second]
    assert review.undo() == 1 and review.shown() == [first, second] and not review.can_undo and review.undo() == 0
    assert kept_labels(read_decisions(tmp_path / DECISIONS)) == {first.sha256: "", second.sha256: ""}
    assert reviewed(tmp_path, save_path, data_path).shown() == [first, second]
    assert review.redo() == 1 and review.shown() == [second] and review.state_of(first).class_name == SKY
    assert review.redo() == 1 and review.state_of(second).class_name == HOUSE and not review.can_redo
    assert [word[1] for word in words(tmp_path)] == [KEEP_LABEL, ASSIGN, CLEAR, KEEP_LABEL, KEEP_LABEL, ASSIGN]
    review.undo()
    review.accept([second])
    assert not review.can_redo and review.state_of(second).class_name == SKY


def test_two_notebooks(tmp_path: Path, save_path: Path, data_path: Path) -> None:
    one, other = (reviewed(tmp_path, save_path, data_path) for _notebook in range(2))
    one.accept(one.shown()[:1])
    assert other.accept(other.photos[:1]) == 0 and other.refresh() == 0
    other.correct(other.photos[1:], HOUSE)
    assert one.refresh() == 1 and one.shown() == []
