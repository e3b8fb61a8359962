"""Step 02 takes in what people sorted: each photo once, in the class of the last word, as often as it changes."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.care.start_over import start_over
from npylabel.dataset.build import build_training_data
from npylabel.dataset.decisions import ASSIGN, CLEAR, LABEL, LEAVE_OUT, SKIP, TAKE_BACK
from npylabel.dataset.step import ExportSettings, verify_step
from npylabel.dataset.training_data import load_training_data
from npylabel.photos.manifest import original_hashes
from tests.dataset.class_kit import ID_OF, TABLE
from tests.dataset.leave_kit import kill_everywhere
from tests.dataset.sorted_kit import SortedWorld
from tests.dataset.test_build import assert_agree
from tests.photos.collect_kit import lay_file, photo, times, tree

UNKNOWN = "неопределённый_объект"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> SortedWorld:
    """Photos IMG_1 (twice, under two names), IMG_2 and sky in the dataset; the last two also in class folders."""
    root = tmp_path_factory.mktemp("ready")
    world = SortedWorld(root / "work", root / "originals")
    world.lay().make()
    return world


@pytest.fixture
def world(ready: SortedWorld, tmp_path: Path) -> SortedWorld:
    return ready.copy(tmp_path / "work")


def name_of(world: SortedWorld, original: str) -> str:
    """The name in the dataset of an original below the phone's folder."""
    rows = {row["source"]: row["name"] for row in read_csv(world.dataset / "manifest.csv")}
    return rows[f"phone/{original}"]


def test_without_decisions_nothing_is_different(world: SortedWorld) -> None:
    before = tree(world.data), times(world.data)
    report = world.take()
    assert (tree(world.data), times(world.data)) == before and report.measured["done_now"] == 0
    assert not world.decisions.exists() and not any("sorted" in line for line in report.messages)


def test_sorted_photos_join_those_of_the_class_folders(world: SortedWorld) -> None:
    before = world.rows()
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    report = world.take()
    assert_agree(world.data)
    new = {path: row for path, row in world.rows().items() if path not in before}
    assert set(new) == {"луна/IMG_1.png"} and report.measured["done_now"] == 1
    row = new["луна/IMG_1.png"]
    assert row["sha256"] == original_hashes(world.dataset)["IMG_1"] and row["class_id"] == str(ID_OF["луна"])
    with Image.open(world.data / "луна/IMG_1.png") as copy, Image.open(world.dataset / "color/IMG_1.png") as color:
        assert copy.tobytes() == color.tobytes()
    assert {path: row for path, row in world.rows().items() if path in before} == before
    assert report.facts["photos"] == len(before) + 1 and "1 of these photos were sorted by hand." in report.messages
    again = tree(world.data), times(world.data)
    assert world.take().measured["done_now"] == 0 and (tree(world.data), times(world.data)) == again


def test_without_a_dataset_there_is_nothing_to_sort(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError, match="no_class_photos"):
        build_training_data(None, tmp_path / "data", TABLE, dataset_dir=tmp_path / "none")


def test_the_sorted_photos_alone_are_enough(world: SortedWorld, tmp_path: Path) -> None:
    world.data = tmp_path / "other"
    nothing = world.take(None)
    assert nothing.facts["photos"] == 0 and "board" in nothing.next_step and not world.data.exists()
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.decide(ASSIGN, "IMG_2", class_name="дом")
    world.take(None)
    assert set(world.rows()) == {"луна/IMG_1.png", "дом/IMG_2.png"}
    world.decide(CLEAR, "IMG_1", "IMG_2")
    assert world.take(None).facts["photos"] == 0 and times(world.data) == {}


@pytest.mark.parametrize(("action", "class_name"), [(LABEL, "луна"), (SKIP, ""), (ASSIGN, UNKNOWN), (LEAVE_OUT, "")])
def test_what_is_no_example_does_not_come(world: SortedWorld, action: str, class_name: str) -> None:
    before = world.rows()
    world.decide(action, "IMG_1", class_name=class_name)
    world.take()
    assert world.rows() == before
    world.decide(TAKE_BACK, "IMG_1")
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    assert "луна/IMG_1.png" in world.rows()
    world.decide(action, "IMG_1", class_name=class_name)
    world.take()
    assert world.rows() == before and not (world.data / "луна/IMG_1.png").exists()


def test_another_class_moves_the_copy_and_makes_nothing_again(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    lay_file(world.data / "небо" / "IMG_1.png", b"a person's own file")
    world.decide(ASSIGN, "IMG_1", class_name="небо")
    report = world.take()
    assert report.measured["done_now"] == 0 and report.measured["moved_by_hand"] == 0
    assert world.rows()["небо/IMG_1_2.png"]["class_id"] == str(ID_OF["небо"])
    assert (world.data / "небо/IMG_1.png").read_bytes() == b"a person's own file"
    assert not (world.data / "луна/IMG_1.png").exists()
    assert [entry[0] for entry in world.said()] == [ASSIGN, ASSIGN], "the step's own move is nobody's decision"


def test_a_class_of_the_journal_outweighs_the_folder_and_lets_go_again(world: SortedWorld) -> None:
    """IMG_2 lies in the class folder of houses, too, twice."""
    assert "дом/IMG_2.png" in world.rows()
    before = set(world.rows())
    world.decide(ASSIGN, "IMG_2", class_name="луна")
    world.take()
    assert_agree(world.data)
    moved = {path: row for path, row in world.rows().items() if row["sha256"] == world.sha("IMG_2")}
    assert list(moved) == ["луна/IMG_2.png"]
    assert set(world.rows()) == before - {"дом/IMG_2.png"} | set(moved)
    world.decide(CLEAR, "IMG_2")
    world.take()
    assert set(world.rows()) == before


def test_a_label_that_differs_from_the_folder_takes_the_photo_out(world: SortedWorld) -> None:
    world.decide(LABEL, "IMG_2", class_name="луна")
    assert world.take().facts["reasons"]["two_classes"] >= 1
    assert world.sha("IMG_2") not in {row["sha256"] for row in world.rows().values()}
    world.decide(LABEL, "IMG_2", class_name="дом")
    world.take()
    assert world.rows()["дом/IMG_2.png"]["sha256"] == world.sha("IMG_2")


def test_a_photo_in_two_class_folders_is_settled_by_a_decision(world: SortedWorld) -> None:
    lay_file(world.classes / "небо" / "two.jpg", photo("IMG_2.jpg"))
    try:
        assert world.take().facts["reasons"]["two_classes"] == 2
        world.decide(ASSIGN, "IMG_2", class_name="небо")
        report = world.take()
        assert "two_classes" not in report.facts["reasons"]
        assert [path.partition("/")[0] for path, row in world.rows().items()
                if row["sha256"] == world.sha("IMG_2")] == ["небо"]
    finally:
        (world.classes / "небо" / "two.jpg").unlink()


def test_alike_photos_are_on_one_side(world: SortedWorld) -> None:
    """A dataset photo that is a smaller copy of one in a class folder."""
    with Image.open(world.classes / "дом" / "h1.jpg") as image:
        image.save(world.phone / "again.jpg", quality=60)
    try:
        world.collect()
        world.decide(ASSIGN, "again", class_name="дом")
        assert world.take().facts["groups_of_alike"] >= 1
        rows = world.rows()
        assert rows["дом/again.png"]["group"] == rows["дом/h1.png"]["group"] != ""
        assert_agree(world.data)
    finally:
        (world.phone / "again.jpg").unlink()


# Moved by hand


def move(world: SortedWorld, path: str, class_name: str) -> Path:
    target = world.data / class_name / Path(path).name
    target.parent.mkdir(exist_ok=True)
    return shutil.move(world.data / path, target)


def test_a_photo_that_was_moved_by_hand_is_a_decision_once(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    move(world, "луна/IMG_1.png", "небо")
    move(world, "дом/h1.png", "небо")
    report = world.take()
    assert report.measured["moved_by_hand"] == 2 and report.measured["done_now"] == 0
    read_back = [entry for entry in world.said() if entry[3] == "folder"]
    assert sorted(entry[:3] for entry in read_back) == [
        (ASSIGN, "небо/IMG_1", "небо"), (ASSIGN, "небо/h1", "небо")]
    assert {"небо/IMG_1.png", "небо/h1.png"} <= set(world.rows())
    world.take()
    assert len(world.said()) == 3
    photos = load_training_data(world.data, TABLE, val_fraction=0.15, random_seed=42).photos
    assert {each.path.name for each in photos if each.class_by_person} == {"h1.png"}, "of the other the journal tells"


def test_the_newest_of_move_and_decision_counts(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    target = move(world, "луна/IMG_1.png", "небо")
    hour_ago = time.time() - 3600
    os.utime(target.parent, (hour_ago, hour_ago))
    world.decide(ASSIGN, "IMG_1", class_name="дом")
    world.take()
    assert "дом/IMG_1.png" in world.rows() and len(world.said()) == 2
    world.decide(CLEAR, "IMG_1")
    target = move(world, "дом/IMG_1.png", "луна")
    os.utime(target.parent, (time.time() + 5, time.time() + 5))
    world.take()
    assert "луна/IMG_1.png" in world.rows() and world.said()[-1] == (ASSIGN, "луна/IMG_1", "луна", "folder")


def test_a_move_back_to_the_folder_of_the_original_is_no_decision_where_none_was(world: SortedWorld) -> None:
    world.take(decisions_dir=None)
    move(world, "дом/h1.png", "небо")
    world.take(decisions_dir=None)
    move(world, "небо/h1.png", "дом")
    world.take()
    assert "дом/h1.png" in world.rows() and world.said() == []


# Photos that are out


def test_a_rejected_photo_takes_its_copy_with_it_and_brings_it_back(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    before = tree(world.data)
    world.decide(LEAVE_OUT, "IMG_1")
    assert any("1 rejected photos went out" in line for line in world.take().messages)
    assert not (world.data / "луна/IMG_1.png").exists() and "луна/IMG_1.png" not in world.rows()
    assert (world.root / "left_out/train_data/луна/IMG_1.png").is_file()
    world.decide(TAKE_BACK, "IMG_1")
    assert any("1 photos came back" in line for line in world.take().messages)
    assert tree(world.data) == before and not (world.root / "left_out").exists()


def test_a_rejected_photo_whose_files_are_gone_is_made_again(world: SortedWorld) -> None:
    """Who freed the room that rejected photos took has their originals still."""
    before = set(world.rows())
    world.decide(LEAVE_OUT, "IMG_2")
    world.take()
    sha256 = world.sha("IMG_2")
    assert sha256 not in {row["sha256"] for row in world.rows().values()}
    shutil.rmtree(world.root / "left_out")
    world.decide(TAKE_BACK, "IMG_2")
    world.take()
    assert set(world.rows()) == before and sha256 in {row["sha256"] for row in world.rows().values()}


def test_leaving_out_by_name_takes_the_copy_too(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    before = tree(world.data)
    assert world.leave("IMG_1").facts["training_photos"] == 1
    assert not (world.data / "луна/IMG_1.png").exists()
    assert world.take().measured["done_now"] == 0 and "луна/IMG_1.png" not in world.rows()
    world.leave("IMG_1", back=True)
    assert world.take().measured["done_now"] == 0 and tree(world.data) == before


def test_step_05_takes_rejected_photos_out_of_the_dataset_and_back(world: SortedWorld) -> None:
    def verify() -> list[str]:
        export = ExportSettings(None, False, 0.15, 0.1, 42)
        report, found, _advice = verify_step(world.dataset, TABLE, size_px=64, repair=False, workers=1, export=export,
                                             decisions_dir=world.decisions)
        assert report.facts["faults"] == 0
        return found.files.stems

    before = verify()
    world.decide(LEAVE_OUT, "IMG_1", "IMG_2")
    assert verify() == [stem for stem in before if stem not in ("IMG_1", "IMG_2")]
    world.decide(TAKE_BACK, "IMG_1", "IMG_2")
    assert verify() == before


def test_a_reset_of_step_02_removes_what_can_be_made_again(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    before = tree(world.data)
    start_over(world.places, f"02; {world.classes}", confirm=True)
    assert not (world.data / "луна").exists() and not (world.root / "set_aside").exists()
    world.take()
    assert tree(world.data) == before


# What may happen to tables, datasets and settings


def test_a_class_that_was_renamed_is_understood(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="месяц")
    lost = world.take()
    assert any("месяц 1" in line for line in lost.messages) and world.sha("IMG_1") not in {
        row["sha256"] for row in world.rows().values()}
    world.take(table=replace(TABLE, aliases={"месяц": ID_OF["луна"]}))
    assert "луна/IMG_1.png" in world.rows()


def test_without_the_dataset_what_was_made_stays(world: SortedWorld, tmp_path: Path) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.decide(ASSIGN, "IMG_2", class_name="луна")
    world.take()
    before = tree(world.data)
    report = world.take(dataset_dir=tmp_path / "nowhere")
    assert tree(world.data) == before and not any("not in the dataset" in line for line in report.messages)
    shutil.rmtree(world.data)
    report = world.take(dataset_dir=tmp_path / "nowhere")
    assert "1 sorted photos are not in the dataset, so not used." in report.messages, "the other has its original"


def test_a_dataset_that_was_renamed_or_made_again_is_followed(world: SortedWorld) -> None:
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.take()
    world.dataset = world.dataset.rename(world.root / "renamed")
    world.take()
    assert [path for path in world.rows() if path.startswith("луна/")] == ["луна/IMG_1.png"]
    os.utime(world.dataset / "color" / "IMG_1.png", (1, 1))
    assert world.take().measured["done_now"] == 0, "as on another machine, which got a copy"
    world.collect(fit="stretch")
    assert world.take().measured["done_now"] == 1, "the photo looks different now"
    world.take(size_px=32)
    with Image.open(world.data / "луна/IMG_1.png") as image:
        assert image.size == (32, 32)


def test_drawn_photos_never_mix_with_ones_own(world: SortedWorld) -> None:
    world.collect(world.phone, made_from="own")
    world.decide(ASSIGN, "IMG_1", class_name="луна")
    world.data = world.root / "other"
    with pytest.raises(NpyLabelError, match="mixed_worlds"):
        world.take(None, made_from="demo")


def test_a_run_that_is_killed_anywhere_ends_the_same(world: SortedWorld) -> None:
    """A photo comes, one goes, two change their class, one is rejected, and one was moved by hand."""
    other = name_of(world, "a/IMG_1.jpg")
    for name, class_name in (("IMG_1", "луна"), (other, "луна")):
        world.decide(ASSIGN, name, class_name=class_name)
    world.take()
    move(world, "дом/h1.png", "небо")
    world.decide(CLEAR, "IMG_1")
    world.decide(ASSIGN, other, class_name="дом")
    world.decide(ASSIGN, "IMG_2", class_name="небо")
    sky = name_of(world, "b/sky.jpg")
    world.decide(ASSIGN, sky, class_name="небо")
    world.decide(LEAVE_OUT, sky)
    end = kill_everywhere(world, lambda copy: copy.take())
    assert_agree(end.data)
    # By hash: which names there are is told by the sums of the first run.
    assert {path for path in end.rows() if "IMG_1" in path} == {f"дом/{other}.png"}
    assert "небо/IMG_2.png" in end.rows() and "небо/h1.png" in end.rows()
    assert [entry for entry in end.said() if entry[3] == "folder"] == [(ASSIGN, "небо/h1", "небо", "folder")]
