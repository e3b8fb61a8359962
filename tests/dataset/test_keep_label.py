"""A label that a person found right is kept in the journal, for the class that the photo has."""

import shutil
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset.decisions import DECISIONS, left_out, read_decisions, read_kept_labels
from npylabel.dataset.keep_label import keep_labels
from npylabel.dataset.training_data import TrainPhoto, load_training_data
from tests.dataset.class_kit import ID_OF, TABLE
from tests.dataset.leave_kit import World
from tests.photos.collect_kit import tree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Class folders and the training data of them; nobody changes it."""
    root = tmp_path_factory.mktemp("made")
    world = World(root / "work", root).lay()
    world.build()
    return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    shutil.copytree(made.classes, tmp_path / "classes")
    return World(made.copy(tmp_path / "work").root, tmp_path)


def photos(world: World) -> dict[str, TrainPhoto]:
    data = load_training_data(world.data, TABLE, val_fraction=0.2, random_seed=1)
    return {photo.path.relative_to(world.data).as_posix(): photo for photo in data.photos}


def keep(world: World, names: str, *, confirm: bool = True) -> dict:
    return keep_labels(world.places, names, confirm=confirm).facts


def test_without_confirm_nothing_is_written(world: World) -> None:
    before = tree(world.root)
    assert keep(world, "дом/h1.png", confirm=False) == {"action": "keep_label", "done": False, "photos": 1,
                                                        "already": 0}
    assert tree(world.root) == before


def test_the_decision_names_the_photo_and_its_class_once(world: World) -> None:
    assert keep(world, "train_data/дом/h1.png; s1")["already"] == 0
    sha256 = {path: photo.sha256 for path, photo in photos(world).items()}
    assert read_kept_labels(world.root) == {sha256["дом/h1.png"]: "дом", sha256["небо/s1.png"]: "небо"}
    assert keep(world, "h1") == {"action": "keep_label", "done": True, "photos": 1, "already": 1}
    assert len(read_decisions(world.root / DECISIONS)) == 2
    assert left_out(read_decisions(world.root / DECISIONS)) == set()


def test_a_photo_that_was_laid_by_hand_can_be_kept(world: World) -> None:
    shutil.copy(world.data / "дом/h1.png", world.data / "дом/mine.png")
    (world.data / "дом/mine.png").open("ab").write(b"other bytes")
    keep(world, "дом/mine.png")
    assert read_kept_labels(world.root) == {photos(world)["дом/mine.png"].sha256: "дом"}


def test_the_last_word_counts(world: World) -> None:
    keep(world, "h1")
    (world.data / "дом/h1.png").rename(world.data / "небо/h1.png")
    world.build()
    keep(world, "h1")
    assert list(read_kept_labels(world.root).values()) == ["небо"]


def test_what_is_no_training_photo_is_refused(world: World) -> None:
    with pytest.raises(NpyLabelError) as error:
        keep(world, "h77")
    assert error.value.code == "photo_unknown"


def test_a_photo_that_was_moved_to_another_class_was_decided_by_a_person(world: World) -> None:
    assert not any(photo.class_by_person for photo in photos(world).values())
    (world.data / "дом/h1.png").rename(world.data / "небо/h1.png")
    for _before_and_after_step_02 in range(2):
        moved = photos(world)["небо/h1.png"]
        assert (moved.class_id, moved.class_by_person, moved.source) == (ID_OF["небо"], True, "classes/дом/h1.jpg")
        assert [path for path, photo in photos(world).items() if photo.class_by_person] == ["небо/h1.png"]
        world.build()


def test_a_photo_of_a_folder_made_by_hand_was_decided_by_nobody(world: World, tmp_path: Path) -> None:
    (world.data / "split.csv").unlink()
    assert {(photo.class_by_person, photo.source) for photo in photos(world).values()} == {(False, "")}


def test_photos_that_show_nearly_the_same_have_one_group(world: World) -> None:
    shutil.copy(world.data / "дом/h1.png", world.data / "небо/again.png")
    (world.data / "небо/again.png").open("ab").write(b"other bytes")
    found = photos(world)
    groups = {path: photo.group for path, photo in found.items()}
    assert groups["небо/again.png"] == groups["дом/h1.png"] == found["дом/h1.png"].sha256
    assert len(set(groups.values())) == len(groups) - 1
