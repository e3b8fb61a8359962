"""Who is asked about, why, and in which order; and what the network thinks of the photos on the board."""

from dataclasses import replace
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset.desk_photos import DeskPhoto, Guess
from npylabel.dataset.human_labels import Labels
from npylabel.labeler import feature_cache, review_queue
from npylabel.labeler.guesses import guesses
from npylabel.labeler.review_queue import (
    BORDER,
    NEIGHBORS,
    STRANGE,
    UNSURE,
    Neighbor,
    Question,
    agreement,
    most_useful_first,
)
from tests.labeler import kit
from tests.labeler.label_kit import save_changed
from tests.labeler.review_kit import World

SKY, HOUSE, MELON = (kit.TABLE.names[class_id] for class_id in kit.SHOWN)


@pytest.fixture
def world(tmp_path: Path, modest: Path, trained: kit.Trained) -> World:
    found = World(tmp_path, modest, trained.data_path)
    found.label(threshold=0)
    return found


def question(name: str, doubt: float, guess: str = SKY, group: str = "") -> Question:
    photo = DeskPhoto(name, Path(name), name, group, guess=guess, confidence=0.5)
    return Question(photo, guess, (Guess(guess, 0.5),), (), UNSURE, doubt)


def test_sure_labels_that_their_neighbors_confirm_are_not_asked_about(world: World, trained: kit.Trained) -> None:
    world.model_path = trained.model_path
    world.label(threshold=0)
    sight = world.sight()
    assert all(len(near) == 5 for near in [each.neighbors for each in world.questions(sight)])
    asked = {each.photo.name: each.reason for each in world.questions(sight)}
    assert UNSURE not in asked.values() and len(asked) < 9


def test_two_nearly_equal_classes(world: World) -> None:
    asked = world.questions(world.sight(with_training=False))
    assert asked, "the modest labeler has small margins"
    for each in asked:
        assert each.reason == BORDER and each.neighbors == ()
        assert each.top[0].confidence - each.top[1].confidence < 0.2
        assert each.doubt == pytest.approx(1 - each.top[0].confidence)


def test_neighbors_are_the_training_photos_of_the_shape(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queue, "_MARGIN", 2)
    found = world.questions()
    assert len(found) == 9
    for each in found:
        true = kit.TABLE.names[kit.true_id(each.photo.name)]
        assert [near.class_name for near in each.neighbors][:2] == [true, true]
        assert all(near.path.parent == world.data_path / near.class_name for near in each.neighbors)
        cosines = [near.cosine for near in each.neighbors]
        assert cosines == sorted(cosines, reverse=True) and -1 <= cosines[-1] <= cosines[0] <= 1.0001


def test_a_label_that_no_neighbor_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queue.Sight, "familiarity", lambda self, neighbors: 1.0)
    sight = world.sight()
    # Their folders say otherwise now.
    wrong = replace(sight, photos=[replace(photo, class_id=50) for photo in sight.photos])
    found = world.questions(wrong)
    assert {each.reason for each in found} == {NEIGHBORS} and len(found) == 9
    assert all(each.doubt == pytest.approx(1 - each.top[0].confidence / 2) for each in found)


def test_a_photo_that_looks_like_none_is_strange(tmp_path: Path, trained: kit.Trained) -> None:
    world = World(tmp_path, trained.model_path, trained.data_path, per_class=2)
    world.label(threshold=0)
    sight = world.sight()
    near = Neighbor(Path(), SKY, 1.0)
    assert sight.familiarity([near]) == 1.0 and sight.familiarity([]) == 1.0
    assert sight.familiarity([replace(near, cosine=-1.0)]) == 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(review_queue.Sight, "familiarity", lambda self, neighbors: 0.0)
        found = world.questions(sight)
    assert {each.reason for each in found} == {STRANGE} and {each.doubt for each in found} == {1.0}


def test_a_photo_of_the_training_data_is_not_its_own_neighbor(world: World) -> None:
    sight = world.sight()
    photo = sight.photos[0]
    features = sight.looks.features[:1]
    assert sight.neighbors(features, [set()])[0][0].path == photo.path
    assert photo.path not in [near.path for near in sight.neighbors(features, [{photo.sha256}])[0]]


def test_photos_that_a_person_labeled_are_never_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_queue, "_MARGIN", 2)
    name = next(iter(world.rows()))
    Labels(world.dataset, world.labels_dir, kit.TABLE).give({name: 50})
    assert {each.photo.name for each in world.questions()} == {*world.rows()} - {name}


def test_a_network_without_features_asks_without_neighbors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache.Predictor, "has_features", False)
    monkeypatch.setattr(feature_cache, "pixel_folder", lambda: None)
    assert all(each.neighbors == () for each in world.questions())
    assert world.questions()


def test_a_training_folder_that_is_not_here(world: World) -> None:
    world.data_path = world.root / "nowhere"
    assert world.sight().photos == [] and all(each.neighbors == () for each in world.questions())


def test_nothing_is_labeled_yet(tmp_path: Path, trained: kit.Trained) -> None:
    with pytest.raises(NpyLabelError) as error:
        World(tmp_path, trained.model_path, trained.data_path).questions()
    assert error.value.code == "labels_missing"


def test_the_most_doubtful_come_first_and_look_alikes_stay_together() -> None:
    found = most_useful_first([
        question("a", 0.55), question("b", 0.95), question("c", 0.31, group="g"), question("b2", 0.35, group="g"),
        question("d", 0.52, HOUSE), question("e", 0.58), question("f", 0.59, HOUSE)])
    # Within a tenth by class; "c" and "b2" form a group of 0.3.
    assert [each.photo.name for each in found] == ["b", "f", "d", "e", "a", "b2", "c"]


def test_agreement_is_the_share_of_the_neighbors() -> None:
    near = [Neighbor(Path(), name, 0.9) for name in (SKY, SKY, HOUSE, MELON)]
    assert agreement(SKY, near) == 0.5 and agreement("лес", near) == 0 and agreement(SKY, []) is None


def test_guesses_are_those_of_the_labels(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("npylabel.labeler.guesses.look_at", fail)
    found = guesses(world.model_path, world.dataset, kit.TABLE, device="cpu")
    assert found == {name: Guess(row.best_class_name, float(row.confidence)) for name, row in world.rows().items()}


def test_guesses_for_photos_that_nobody_labeled(world: World, tmp_path: Path) -> None:
    labeled = guesses(world.model_path, world.dataset, kit.TABLE, device="cpu")
    (world.dataset / "labels.csv").unlink()
    found = guesses(world.model_path, world.dataset, kit.TABLE, device="cpu")
    assert {name: guess.class_name for name, guess in found.items()} == {
        name: guess.class_name for name, guess in labeled.items()}
    assert all(abs(found[name].confidence - labeled[name].confidence) < 1e-3 for name in found)
    assert guesses(tmp_path / "none.pth", world.dataset, kit.TABLE) == {}
    assert guesses(world.model_path, world.dataset, kit.TABLE, most=8) == {}
    assert guesses(world.model_path, world.dataset, kit.TABLE, most=9) == found


def test_labels_of_another_model_are_no_guesses(world: World, trained: kit.Trained) -> None:
    sure = guesses(trained.model_path, world.dataset, kit.TABLE, device="cpu")
    modest = guesses(world.model_path, world.dataset, kit.TABLE, device="cpu")
    assert {*sure} == {*modest} and all(sure[name].confidence > modest[name].confidence for name in sure)


def test_a_person_s_label_is_a_sure_guess(world: World) -> None:
    name = next(iter(world.rows()))
    Labels(world.dataset, world.labels_dir, kit.TABLE).give({name: 50})
    assert guesses(world.model_path, world.dataset, kit.TABLE)[name] == Guess("лес", 1.0)


def test_the_classes_of_today_s_table(world: World, tmp_path: Path) -> None:
    # The labeler knew one of the classes under another id.
    table = kit.ClassTable({3: "небо", 18: "дом", 40: "арбуз", 50: "лес", 99: kit.UNKNOWN_NAME}, 99)
    found = guesses(save_changed(world.model_path, tmp_path / "other.pth"), world.dataset, table, device="cpu")
    assert {guess.class_name for guess in found.values()} == {SKY, HOUSE, MELON}
