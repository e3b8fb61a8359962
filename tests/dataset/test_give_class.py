"""A class by name: the journal, the labels and the training data say the same, and nothing happens without confirm."""

import shutil
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.care.manage import manage_work
from npylabel.dataset.decisions import ASSIGN, CLEAR, DECISIONS, LABEL, read_decisions
from npylabel.dataset.give_class import split_value
from npylabel.dataset.labels import read_label, read_label_rows
from tests.dataset.class_kit import ID_OF, TABLE
from tests.dataset.leave_kit import World
from tests.photos.collect_kit import tree

UNKNOWN = TABLE.names[TABLE.unknown_id]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A dataset with labels and the training data of some class folders; nobody changes it."""
    root = tmp_path_factory.mktemp("made")
    world = World(root / "work", root).lay()
    return world.make()


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    shutil.copytree(made.classes, tmp_path / "classes")
    return World(made.copy(tmp_path / "work").root, tmp_path)


def manage(world: World, action: str, value: str, *, confirm: bool = True) -> dict:
    return manage_work(world.places, action, value, confirm=confirm, dataset_dir="tintora_dataset",
                       data_path="train_data", save_path="models/m.pth", classes_path="classes.json").facts


def words(world: World) -> list[tuple[str, str, str, str]]:
    return [(d.name, d.action, d.class_name, d.source) for d in read_decisions(world.root / DECISIONS)]


def labels(world: World) -> dict[str, int]:
    return {path.stem: read_label(path) for path in (world.dataset / "labels").glob("*.npy")}


def test_without_confirm_nothing_is_written(world: World) -> None:
    before = tree(world.root)
    facts = manage(world, "assign", "дерево: IMG_1; IMG_2", confirm=False)
    assert (facts["photos"], facts["changed"], facts["done"], facts["class_name"]) == (2, 2, False, "дерево")
    assert tree(world.root) == before


def test_the_label_follows_at_once(world: World) -> None:
    before = labels(world)
    assert manage(world, "assign", "дерево: IMG_1")["changed"] == 1
    assert words(world) == [("IMG_1", ASSIGN, "дерево", "manage")]
    assert labels(world) == {**before, "IMG_1": ID_OF["дерево"]}
    row = read_label_rows(world.dataset / "labels.csv")["IMG_1"]
    assert (row.source, row.class_name) == ("human", "дерево")
    # A second time there is nothing to write.
    assert manage(world, "assign", "дерево: IMG_1")["changed"] == 0 and len(words(world)) == 1


def test_training_photos_by_their_paths_and_stars(world: World) -> None:
    assert manage(world, "assign", f"{ID_OF['небо']}: train_data/дом/h1.png; h2*")["changed"] == 2
    assert {word[1:] for word in words(world)} == {(ASSIGN, "небо", "manage")}
    assert {word[0] for word in words(world)} == {"дом/h1.png", "дом/h2.png"}
    world.build(decisions_dir=world.root / DECISIONS)
    assert (world.data / "небо/h1.png").is_file() and not (world.data / "дом/h1.png").exists()


def test_the_unknown_class_is_no_example_and_clear_takes_back(world: World) -> None:
    manage(world, "assign", f"{UNKNOWN}: sky")
    assert words(world)[-1][1:3] == (LABEL, UNKNOWN)
    assert manage(world, "clear", "sky")["changed"] == 1 and words(world)[-1][1:3] == (CLEAR, "")
    assert manage(world, "clear", "sky")["changed"] == 0


def test_a_label_only_is_no_example(world: World) -> None:
    assert manage(world, "assign", "дерево: IMG_1; IMG_2")["changed"] == 2
    assert manage(world, "label", "дерево: IMG_1; IMG_2", confirm=False)["changed"] == 2, "of another kind"
    assert manage(world, "label", "дерево: IMG_1")["changed"] == 1
    assert manage(world, "label", "дерево: IMG_1; IMG_2", confirm=False)["changed"] == 1
    assert words(world)[-1] == ("IMG_1", LABEL, "дерево", "manage")
    assert labels(world)["IMG_1"] == ID_OF["дерево"]
    world.build(decisions_dir=world.root / DECISIONS)
    assert [path.name for path in (world.data / "дерево").glob("IMG_*")] == ["IMG_2.png"]


@pytest.mark.parametrize(("action", "value", "code"), [
    ("assign", "IMG_1", "bad_parameter"), ("assign", ": IMG_1", "bad_parameter"), ("assign", "дом:", "bad_parameter"),
    ("clear", " ", "bad_parameter"), ("assign", "дымм: IMG_1", "class_unknown"),
    ("assign", "дом: IMG_77", "photo_unknown"),
])
def test_what_cannot_be_understood_changes_nothing(world: World, action: str, value: str, code: str) -> None:
    before = tree(world.root)
    with pytest.raises(NpyLabelError) as error:
        manage(world, action, value)
    assert error.value.code == code and tree(world.root) == before


def test_the_value_is_a_class_and_names() -> None:
    assert split_value("assign", " дом :a; b") == ("дом", "a; b")
    assert split_value("clear", "дом: a") == ("", "дом: a")
