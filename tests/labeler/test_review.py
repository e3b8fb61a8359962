"""An answer is a line of the journal, then a label file and a row; what is decided stays so and is asked no more."""

from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset import human_labels
from npylabel.dataset.decisions import ASSIGN, LABEL, LEAVE_OUT, SKIP, DecisionJournal
from npylabel.labeler.review import Review
from npylabel.labeler.review_queue import Question
from tests.labeler import kit
from tests.labeler.label_kit import Killed, kill_at_call
from tests.labeler.review_kit import World

SKY, HOUSE, MELON, FOREST, UNKNOWN = (kit.TABLE.names[class_id] for class_id in (3, 17, 40, 50, 99))


@pytest.fixture
def world(tmp_path: Path, modest: Path, trained: kit.Trained) -> World:
    """Nine photos of three shapes, some of them below the threshold."""
    found = World(tmp_path, modest, trained.data_path)
    found.label(threshold=0.999)
    return found


@pytest.fixture
def review(world: World) -> Review:
    return world.review()


def names(review: Review, which: str = "open") -> set[str]:
    return {photo.name for photo in review.shown(which)}


def test_all_photos_below_the_threshold_are_asked_about(world: World, review: Review) -> None:
    assert names(review) == set(world.rows()) and len(review.photos) == 9
    assert {review.question(photo).class_name for photo in review.photos} == {UNKNOWN}


def test_an_accepted_photo_has_its_best_class_everywhere(world: World, review: Review) -> None:
    photo = review.shown()[0]
    before = world.files()
    assert review.accept([photo]) == 1
    true = kit.true_id(photo.name)
    assert world.words() == [(photo.name, ASSIGN, kit.TABLE.names[true])]
    assert world.decisions()[0].sha256 == world.sha256[photo.name] and world.decisions()[0].source == "review"
    assert world.files() == {**before, photo.name: true}
    assert (world.rows()[photo.name].source, world.rows()[photo.name].class_name) == ("human", kit.TABLE.names[true])
    assert world.agree() and photo.name not in names(review)


def test_a_correction_of_several_is_one_batch(world: World, review: Review) -> None:
    photos = review.shown()[:3]
    assert review.correct(photos, FOREST, train=False) == 3
    assert {word[1:] for word in world.words()} == {(LABEL, FOREST)}
    assert len({decision.time for decision in world.decisions()}) == 1
    assert [world.files()[photo.name] for photo in photos] == [50, 50, 50] and world.agree()
    assert not any(review.state_of(photo).trains for photo in photos)


def test_labeling_again_never_overwrites_an_answer_and_does_not_ask_again(world: World, review: Review) -> None:
    photo = review.shown()[0]
    review.correct([photo], FOREST)
    world.label(overwrite=True)
    world.label(threshold=0.1)
    assert world.files()[photo.name] == 50 and world.agree()
    assert photo.name not in {question.photo.name for question in world.questions()}


@pytest.mark.parametrize("lost", ["file", "row"])
def test_a_lost_label_comes_back_with_the_next_review(world: World, review: Review, lost: str) -> None:
    photo = review.shown()[0]
    review.correct([photo], FOREST)
    review.close()
    if lost == "file":
        (world.labels_dir / f"{photo.name}.npy").unlink()
    else:
        (world.dataset / "labels.csv").unlink()
        world.label()
    world.review()
    assert world.files()[photo.name] == 50 and world.agree()


@pytest.mark.parametrize("owner_name", ["write_label", "write_label_rows"])
def test_a_kill_behind_the_journal_loses_nothing(
    world: World, review: Review, monkeypatch: pytest.MonkeyPatch, owner_name: str
) -> None:
    photos = review.shown()[:2]
    with monkeypatch.context() as patch:
        kill_at_call(patch, human_labels, owner_name, 1)
        with pytest.raises(Killed):
            review.correct(photos, FOREST)
    assert len(world.words()) == 2, "the journal comes first"
    again = world.review(world.questions())
    assert [world.files()[photo.name] for photo in photos] == [50, 50] and world.agree()
    assert not names(again) & {photo.name for photo in photos}


def test_a_kill_before_the_journal_changes_nothing(
    world: World, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.files()
    kill_at_call(monkeypatch, DecisionJournal, "append", 1)
    with pytest.raises(Killed):
        review.correct(review.shown()[:2], FOREST)
    assert world.files() == before and world.words() == []


def test_undo_brings_the_label_of_the_model_back_and_redo_the_answer(world: World, review: Review) -> None:
    photos, files, rows = review.shown()[:2], world.files(), world.rows()
    review.correct(photos, FOREST)
    review.correct(photos[:1], HOUSE)
    assert (review.can_undo, review.can_redo) == (True, False)
    assert review.undo() == 1 and world.files()[photos[0].name] == 50
    assert review.undo() == 2 and not review.can_undo and review.undo() == 0
    assert (world.files(), world.rows()) == (files, rows) and world.agree()
    assert set(names(review)) == set(files)
    assert review.redo() == 2 and world.files()[photos[0].name] == 50
    assert review.redo() == 1 and world.files()[photos[0].name] == 17 and world.agree()
    assert not review.can_redo and review.redo() == 0


def test_what_was_undone_is_for_the_model_to_label_again(world: World, review: Review) -> None:
    photo, files = review.shown()[0], world.files()
    review.correct([photo], FOREST)
    review.undo()
    world.label(threshold=0.999)
    assert world.files() == files and world.rows()[photo.name].source == "model"


def test_only_the_own_answers_can_be_undone(world: World, review: Review) -> None:
    review.correct(review.shown()[:1], FOREST)
    review.close()
    later = world.review()
    assert not later.can_undo and later.undo() == 0 and later.photos
    later.correct(later.shown()[:1], HOUSE)
    assert later.undo() == 1 and later.undo() == 0 and len(world.words()) == 3


def test_two_notebooks_at_once_lose_nothing(world: World) -> None:
    questions = world.questions()
    one, other = (world.review(questions) for _notebook in range(2))
    first, second = one.photos[:2]
    one.correct([first], FOREST)
    other.correct([second], HOUSE)
    assert (world.files()[first.name], world.files()[second.name]) == (50, 17) and world.agree()
    assert first.name not in names(other), "taken over with the click"
    assert one.refresh() == 1 and second.name not in names(one)
    # The last word counts, in both.
    other.correct([first], SKY)
    one.refresh()
    assert one.state_of(first).class_name == SKY and world.files()[first.name] == 3
    # What the other one decided since is not for this one to undo.
    assert one.undo() == 0 and world.files()[first.name] == 3 and world.agree()


def test_accepting_never_overrules_what_another_notebook_decided(world: World) -> None:
    questions = world.questions()
    one, other = (world.review(questions) for _notebook in range(2))
    photo = one.photos[0]
    other.correct([photo], FOREST)
    assert one.accept([photo]) == 0 and world.files()[photo.name] == 50


def test_photos_for_later_and_photos_out_keep_the_label(world: World, review: Review) -> None:
    files, (later, out) = world.files(), review.shown()[:2]
    assert review.decide([later], SKIP) == 1 and review.decide([out], LEAVE_OUT) == 1
    assert names(review, "skipped") == {later.name} and names(review, "out") == {out.name}
    assert world.files() == files and len(names(review)) == 7
    assert review.accept([later]) == 1 and names(review, "decided") == {later.name}


def test_none_of_the_classes_is_a_label_and_no_example(world: World, review: Review) -> None:
    photo = review.shown()[0]
    review.correct([photo], UNKNOWN)
    assert world.words() == [(photo.name, LABEL, UNKNOWN)]
    assert world.rows()[photo.name].source == "human" and world.files()[photo.name] == 99


def test_an_unknown_class_is_refused_before_anything_is_written(world: World, review: Review) -> None:
    with pytest.raises(NpyLabelError) as error:
        review.correct(review.shown()[:1], "небко")
    assert error.value.code == "class_unknown" and SKY in error.value.what
    assert world.words() == [] and not review.can_undo


def test_the_shown_photos_of_a_class(review: Review) -> None:
    by_guess: dict[str, int] = {}
    for photo in review.photos:
        by_guess[photo.guess] = by_guess.get(photo.guess, 0) + 1
    assert {name: len(review.shown("open", name)) for name in by_guess} == by_guess and sum(by_guess.values()) == 9


def test_a_question_about_a_photo(world: World, review: Review) -> None:
    for photo in review.photos:
        question: Question = review.question(photo)
        confidences = [guess.confidence for guess in question.top]
        assert confidences == sorted(confidences, reverse=True) and len(question.top) == 3
        assert question.top[0] == (photo.guess, photo.confidence)
        assert photo.path == world.dataset / "color" / f"{photo.name}.png"
