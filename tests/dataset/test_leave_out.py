"""Photos that a person leaves out go with all that belongs to them, stay out, and come back as they were."""

import errno
import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.base.tables import read_csv, write_csv
from npylabel.dataset.decisions import DECISIONS, left_out, read_decisions
from npylabel.dataset.labels import LabelRow, read_label_rows, write_label_rows
from npylabel.dataset.leave_out import leave_out_photos
from npylabel.dataset.training_data import SPLIT, SPLIT_COLUMNS
from npylabel.photos.manifest import OK, PhotoRow, table_values, write_rows
from npylabel.photos.sources import list_photos
from tests.dataset.class_kit import ID_OF
from tests.dataset.leave_kit import Killed, World, kill_after, kill_everywhere
from tests.photos.collect_kit import assert_agree, lay_file, photo, rows, tree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Steps 01, 02 and 04; nobody changes it."""
    root = tmp_path_factory.mktemp("made")
    return World(root / "work", root).lay().make()


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """A copy to work on, with originals of its own."""
    for name in ("phone", "classes"):
        shutil.copytree(made.originals / name, tmp_path / name)
    return World(made.copy(tmp_path / "work").root, tmp_path)


def sha256_of(world: World, name: str) -> str:
    return next(row["sha256"] for row in rows(world.dataset).values() if row["name"] == name)


def hashes_left_out(world: World) -> set[str]:
    return left_out(read_decisions(world.root / DECISIONS))


def test_the_world_is_a_fair_case(world: World) -> None:
    assert world.stems() == world.stems("bw") == world.stems("labels") == ["IMG_1", "IMG_1_2", "IMG_2", "sky"]
    assert rows(world.dataset)["phone/z/copy.jpg"]["status"] == "duplicate"
    assert {"дом/IMG_2.png", "небо/sky.png"} < set(world.copies()) and len(world.copies()) == 7
    assert world.findings() == []


@pytest.mark.parametrize("back", [False, True])
def test_without_confirm_nothing_is_changed(world: World, back: bool) -> None:
    if back:
        world.leave("IMG_2")
    before = tree(world.root)
    report = world.leave("IMG_2", back=back, confirm=False)
    assert tree(world.root) == before
    assert report.facts == {"action": "take_back" if back else "leave_out", "done": False, "photos": 1, "already": 0,
                            "files": 4, "training_photos": 1, "human_labels": 1}
    assert "confirm=True" in report.next_step
    assert any("IMG_2" in line and "phone/IMG_2.jpg" in line for line in report.messages)


def test_a_photo_goes_with_its_pair_its_label_its_copies_and_its_rows(world: World) -> None:
    before, originals = tree(world.root), tree(world.phone)
    report = world.leave("IMG_2")
    assert report.facts["done"] and report.facts["files"] == 4
    gone = {"tintora_dataset/color/IMG_2.png", "tintora_dataset/bw/IMG_2.png", "tintora_dataset/labels/IMG_2.npy",
            "train_data/дом/IMG_2.png"}
    now = tree(world.root)
    assert {name for name in before if name not in now} == gone
    assert {name: now[f"left_out/{name}"] for name in gone} == {name: before[name] for name in gone}
    assert "IMG_2" not in read_label_rows(world.dataset / "labels.csv")
    assert "дом/IMG_2.png" not in world.copies() and len(world.copies()) == 6
    found = rows(world.dataset)
    for source in ("phone/IMG_2.jpg", "phone/z/copy.jpg"):
        assert (found[source]["status"], found[source]["reason"]) == ("left_out", "by_person")
    training = {row["source"]: row["reason"] for row in read_csv(world.data / "quarantine.csv")}
    assert training == {"classes/дом/IMG_2.jpg": "by_person", "classes/дом/zcopy.jpg": "by_person"}
    assert_agree(world.dataset)
    assert world.findings() == [] and tree(world.phone) == originals


def test_the_decision_is_written_once_under_the_original(world: World) -> None:
    sha256 = sha256_of(world, "IMG_2")
    for _run in range(2):
        world.leave("IMG_2")
    [decision] = read_decisions(world.root / DECISIONS)
    assert (decision.sha256, decision.action, decision.name) == (sha256, "leave_out", "IMG_2")
    for _run in range(2):
        world.leave("IMG_2", back=True)
    assert [decision.action for decision in read_decisions(world.root / DECISIONS)] == ["leave_out", "take_back"]
    assert hashes_left_out(world) == set()


def test_back_makes_everything_as_it_was(world: World) -> None:
    before = world.files()
    world.leave("IMG_2; sky")
    assert hashes_left_out(world) and world.stems() == ["IMG_1", "IMG_1_2"]
    world.leave("IMG_2; sky", back=True)
    assert world.files() == before
    assert not (world.root / "left_out").exists()


def test_a_persons_label_comes_back_as_a_persons(world: World) -> None:
    world.leave("IMG_2")
    world.label()
    world.leave("IMG_2", back=True)
    row = read_label_rows(world.dataset / "labels.csv")["IMG_2"]
    assert (row.source, row.class_id, row.confidence) == ("human", ID_OF["дом"], "")
    assert world.findings() == []


def test_an_original_that_was_copied_meanwhile_is_known_when_it_comes_back(world: World) -> None:
    world.leave("IMG_2")
    for path in (world.phone / "IMG_2.jpg", world.phone / "z" / "copy.jpg"):
        os.utime(path, (10**9, 10**9))
    world.collect()
    world.leave("IMG_2", back=True)
    before = world.files()
    assert world.collect().measured["done_now"] == 0
    assert world.files() == before


def test_one_comes_back_and_the_other_stays_out(world: World) -> None:
    world.leave("IMG_2")
    alone = world.files()
    world.leave("sky")
    world.leave("sky", back=True)
    assert world.files() == alone


@pytest.mark.parametrize("known", [False, True])
def test_later_runs_keep_it_out(world: World, known: bool) -> None:
    world.leave("IMG_2")
    before = world.files()
    options = {"left_out": hashes_left_out(world)} if known else {}
    report = world.collect(**options)
    assert report.measured["done_now"] == 0 and report.facts["reasons"] == {"by_person": 2}
    assert world.build(**options).facts["reasons"] == {"by_person": 2}
    assert world.files() == before
    for change in ({"size_px": 48}, {"image_format": "jpg"}, {"size_px": 64}):
        world.collect(**change, **options)
        assert world.stems() == ["IMG_1", "IMG_1_2", "sky"]
    assert_agree(world.dataset)


def test_the_same_photo_under_another_name_stays_out(world: World) -> None:
    world.leave("IMG_2")
    lay_file(world.phone / "0" / "new.jpg", photo("IMG_2.jpg"))
    lay_file(world.classes / "дом" / "0.jpg", photo("IMG_2.jpg"))
    for _run in range(2):
        world.collect()
        world.build()
        assert world.stems() == ["IMG_1", "IMG_1_2", "sky"] and len(world.copies()) == 6
        assert rows(world.dataset)["phone/0/new.jpg"]["reason"] == "by_person"
    assert world.findings() == []
    world.leave("IMG_2", back=True)
    assert rows(world.dataset)["phone/0/new.jpg"]["status"] == "duplicate"
    assert rows(world.dataset)["phone/0/new.jpg"]["name"] == "IMG_2"
    assert_agree(world.dataset)
    before = world.files()
    assert world.collect().measured["done_now"] == 0 and world.build().measured["done_now"] == 0
    changed = {name for name, sum_ in world.files().items() if before.get(name) != sum_}
    assert {name for name in changed if not name.endswith(".csv")} == set()


def test_the_same_photo_in_another_portion_stays_out(world: World, tmp_path: Path) -> None:
    world.leave("IMG_2")
    portion = lay_file(tmp_path / "card" / "DCIM" / "IMG_2.jpg", photo("IMG_2.jpg")).parent
    for source in (portion, world.phone, portion):
        world.collect(source)
        assert world.stems() == ["IMG_1", "IMG_1_2", "sky"]
    world.leave("IMG_2", back=True)
    assert world.stems() == ["IMG_1", "IMG_1_2", "IMG_2", "sky"]
    assert_agree(world.dataset)


def test_its_name_waits_for_it(world: World) -> None:
    world.leave("IMG_2")
    lay_file(world.phone / "0" / "IMG_2.jpg", photo("another"))
    world.collect()
    assert rows(world.dataset)["phone/0/IMG_2.jpg"]["name"] == "IMG_2_2"
    world.leave("IMG_2", back=True)
    assert world.stems() == ["IMG_1", "IMG_1_2", "IMG_2", "IMG_2_2", "sky"]
    assert_agree(world.dataset)


def test_an_edited_copy_does_not_stand_in_for_it(tmp_path: Path) -> None:
    world = World(tmp_path / "work", tmp_path)
    for name in ("IMG.jpg", "IMG-edited.jpg", "other.jpg"):
        lay_file(world.phone / name, photo(name))
    world.collect()
    world.label()
    before = world.files()
    world.leave("IMG")
    assert world.collect().facts["photos"] == 1
    assert world.stems() == ["other"]
    world.leave("IMG", back=True)
    world.collect()
    assert world.files() == before


def test_alike_photos_stay_when_the_first_of_them_goes(world: World) -> None:
    with Image.open(world.phone / "IMG_2.jpg") as image:
        image.save(world.phone / "IMG_3.jpg", quality=60)
    world.collect()
    world.label(human=("IMG_2",))
    groups = {row["name"]: row["group"] for row in rows(world.dataset).values() if row["status"] == "ok"}
    assert groups["IMG_3"] == groups["IMG_2"] == "IMG_2"
    before = world.files()
    world.leave("IMG_2")
    assert "IMG_3" in world.stems() and rows(world.dataset)["phone/IMG_3.jpg"]["group"] == ""
    world.leave("IMG_2", back=True)
    assert world.files() == before


def test_it_comes_back_without_its_original(world: World) -> None:
    world.leave("IMG_2")
    shutil.rmtree(world.phone / "z")
    (world.phone / "IMG_2.jpg").unlink()
    world.collect()
    world.leave("IMG_2", back=True)
    assert "IMG_2" in world.stems() and world.findings() == []
    assert world.collect().facts["photos"] == 4


@pytest.mark.parametrize("tables", [False, True])
def test_without_the_files_aside_step_01_makes_it_again(world: World, tables: bool) -> None:
    before = world.files()
    world.leave("IMG_2")
    if tables:
        for path in (world.root / "left_out").rglob("*.png"):
            path.unlink()
    else:
        shutil.rmtree(world.root / "left_out")
    world.leave("IMG_2", back=True)
    world.collect()
    world.build()
    now = world.files()
    assert {name for name in before if name.endswith(".png")} == {name for name in now if name.endswith(".png")}
    assert ("tintora_dataset/labels/IMG_2.npy" in now) == tables
    assert_agree(world.dataset)
    if tables:
        assert now == before


def test_a_photo_of_which_only_the_decision_is_left_comes_back(world: World) -> None:
    world.leave("IMG_2; sky")
    shutil.rmtree(world.root / "left_out")
    shutil.rmtree(world.dataset)
    shutil.rmtree(world.data)
    report = world.leave("IMG_2", back=True)
    assert (report.facts["photos"], report.facts["already"]) == (1, 0)
    world.collect(left_out=hashes_left_out(world))
    assert world.stems() == ["IMG_1", "IMG_1_2", "IMG_2"]
    with pytest.raises(NpyLabelError):
        world.leave("nobody", back=True)


def test_what_a_person_laid_under_its_name_stays(world: World) -> None:
    world.leave("IMG_2")
    mine = lay_file(world.dataset / "color" / "IMG_2.png", b"mine")
    world.leave("IMG_2", back=True)
    assert mine.read_bytes() == b"mine"
    assert sha256_of(world, "IMG_2_2") and (world.dataset / "bw" / "IMG_2_2.png").is_file()
    row = read_label_rows(world.dataset / "labels.csv")["IMG_2_2"]
    assert row.source == "human" and (world.dataset / "labels" / "IMG_2_2.npy").is_file()


def test_the_name_of_another_one_that_is_out_is_not_taken(world: World) -> None:
    world.leave("IMG_1; IMG_1_2")
    first = [row for row in read_csv(world.root / "left_out/tintora_dataset/manifest.csv") if row["name"] == "IMG_1"]
    lay_file(world.dataset / "color" / "IMG_1.png", b"mine")
    world.leave("IMG_1", back=True)
    assert sha256_of(world, "IMG_1_3") == first[0]["sha256"]
    world.leave("IMG_1_2", back=True)
    assert world.stems("labels") == ["IMG_1_2", "IMG_1_3", "IMG_2", "sky"]


@pytest.fixture
def namesakes(world: World) -> World:
    """Two photos called IMG_2, of which the first is out and known by its decision only."""
    world.leave("IMG_2")
    for folder in (world.dataset, world.data):
        (folder / "quarantine.csv").unlink()
    for path in (world.phone / "IMG_2.jpg", world.classes / "дом" / "IMG_2.jpg"):
        lay_file(path, photo("quite another"))
    shutil.rmtree(world.phone / "z")
    (world.classes / "дом" / "zcopy.jpg").unlink()
    world.collect()
    world.build()
    world.label(human=("IMG_2",))
    return world


def color_of(world: World, name: str) -> str:
    """The checksum of a color file, which its row has, too."""
    row = next(row for row in rows(world.dataset).values() if row["name"] == name and row["status"] == "ok")
    found = tree(world.dataset)[f"color/{name}.png"]
    assert found == row["color_sha256"]
    return found


def test_photos_of_one_name_go_and_come_back_apart(namesakes: World) -> None:
    world = namesakes
    second, colors = sha256_of(world, "IMG_2"), {color_of(world, "IMG_2")}
    [first] = hashes_left_out(world)
    colors.add(tree(world.root / "left_out")["tintora_dataset/color/IMG_2.png"])
    world = kill_everywhere(world, lambda copy: copy.leave(second))
    assert hashes_left_out(world) == {first, second} and world.stems() == ["IMG_1", "IMG_1_2", "sky"]
    world.root.rename(world.root.with_name("both"))
    world = kill_everywhere(World(world.root.with_name("both"), world.originals),
                            lambda copy: copy.leave(f"{first};{second}", back=True))
    assert world.stems() == ["IMG_1", "IMG_1_2", "IMG_2", "IMG_2_2", "sky"] == world.stems("labels")
    assert colors == {color_of(world, "IMG_2"), color_of(world, "IMG_2_2")}
    assert {"дом/IMG_2.png", "дом/IMG_2_2.png"} < set(world.copies())
    training = tree(world.data)
    assert all(training[row["path"]] == row["color_sha256"] for row in read_csv(world.data / "split.csv"))
    assert {row.source for row in read_label_rows(world.dataset / "labels.csv").values()} == {"model", "human"}
    assert world.findings() == [] and not (world.root / "left_out").exists()
    before = tree(world.root)
    assert world.collect().measured["done_now"] == 0 and world.build().measured["done_now"] == 0
    assert len(world.stems()) == 5
    changed = {name for name, sum_ in tree(world.root).items() if before.get(name) != sum_}
    assert not any(name.endswith((".png", ".npy")) for name in changed)


def test_photos_of_one_name_come_back_apart_without_the_quarantine(namesakes: World) -> None:
    world, colors = namesakes, {color_of(namesakes, "IMG_2")}
    colors.add(tree(world.root / "left_out")["tintora_dataset/color/IMG_2.png"])
    both = hashes_left_out(world) | {sha256_of(world, "IMG_2")}
    world.leave("IMG_2")
    for folder in (world.dataset, world.data):
        (folder / "quarantine.csv").unlink()
    world.leave(";".join(sorted(both)), back=True)
    assert {color_of(world, "IMG_2"), color_of(world, "IMG_2_2")} == colors


def test_an_original_that_was_replaced_by_a_copy_of_another_one_that_is_out(world: World) -> None:
    world.leave("IMG_2; sky")
    lay_file(world.phone / "IMG_2.jpg", photo("b/sky.jpg"))
    world.collect()
    wanted = hashes_left_out(world)
    world.leave("IMG_2; sky", back=True)
    assert world.stems() == ["IMG_1", "IMG_1_2", "IMG_2", "sky"]
    for _run in range(2):
        assert_agree(world.dataset)
        assert wanted < {row["sha256"] for row in rows(world.dataset).values() if row["status"] == "ok"}
        world.collect()


def test_a_photo_laid_by_hand_under_the_name_of_one_that_is_out_goes_beside_it(world: World) -> None:
    before = world.files()
    world.leave("IMG_2")
    lay_file(world.data / "дом" / "IMG_2.png", photo("mine"))
    mine = tree(world.data)["дом/IMG_2.png"]
    world.leave(mine)
    world.leave("tintora_dataset/color/IMG_2.png", back=True)
    assert world.files() == before | {"left_out/train_data/дом/IMG_2_2.png": mine}
    world.leave(mine, back=True)
    assert tree(world.data)["дом/IMG_2_2.png"] == mine and not (world.root / "left_out").exists()


def test_training_photos_that_are_not_in_the_dataset_go_too(world: World) -> None:
    before = world.files()
    report = world.leave("небо/s1; train_data/дом/h2.png")
    assert (report.facts["photos"], report.facts["training_photos"], report.facts["files"]) == (2, 2, 2)
    assert not {"небо/s1.png", "дом/h2.png"} & set(world.copies())
    assert world.build().facts["photos"] == 5
    world.leave("небо/s1; h2", back=True)
    world.build()
    assert world.files() == before


def test_an_edited_picture_comes_back_edited_wherever_it_is_killed(world: World) -> None:
    with Image.open(world.dataset / "color" / "IMG_2.png") as image:
        image.rotate(90).save(world.dataset / "color" / "IMG_2.png")
    before = world.files()
    world.leave("IMG_2")
    assert kill_everywhere(world, lambda copy: copy.leave("IMG_2", back=True)).files() == before


def test_photos_laid_into_class_folders_by_hand_go_and_come_back(world: World) -> None:
    mine = lay_file(world.data / "дом" / "mine.jpg", photo("mine"))
    copy = lay_file(world.data / "небо" / "same.jpg", photo("IMG_2.jpg"))
    before = world.files()
    assert world.leave("дом/mine; IMG_2").facts["files"] == 6
    assert not mine.exists() and not copy.exists()
    world.leave("дом/mine; IMG_2", back=True)
    assert world.files() == before


def test_a_class_that_a_person_gave_comes_back(world: World) -> None:
    (world.data / "лес").mkdir()
    (world.data / "дом" / "IMG_2.png").rename(world.data / "лес" / "IMG_2.png")
    world.build()
    before = world.files()
    world.leave("IMG_2")
    world.build()
    world.leave("IMG_2", back=True)
    assert world.build().facts["per_class"] == {"дом": 3, "небо": 3, "лес": 1}
    assert world.files() == before


@pytest.mark.parametrize(("names", "stems"), [
    ("IMG_2", ["IMG_2"]), ("IMG_2.png", ["IMG_2"]), ("color/IMG_2.png", ["IMG_2"]), ("bw/IMG_2", ["IMG_2"]),
    ("labels/IMG_2.npy", ["IMG_2"]), ("tintora_dataset/color/IMG_2.png", ["IMG_2"]), (r"color\IMG_2.png", ["IMG_2"]),
    ("phone/IMG_2.jpg", ["IMG_2"]), ("copy.jpg", ["IMG_2"]), ("небо/sky", ["sky"]), ("sky.jpg", ["sky"]),
    (" sky ; IMG_2;", ["sky", "IMG_2"]), ("IMG_1*", ["IMG_1", "IMG_1_2"]), ("color/*_1.png", ["IMG_1"]),
    ("дом/I*", ["IMG_2"]), ("*", ["IMG_1", "IMG_1_2", "IMG_2", "sky"]), ("phone/a/*", ["IMG_1_2"]),
    ("IMG_2; IMG_2.png; phone/z/copy.jpg", ["IMG_2"]),
])
def test_names_are_understood(world: World, names: str, stems: list[str]) -> None:
    wanted = {sha256_of(world, stem) for stem in stems}
    world.leave(names)
    assert hashes_left_out(world) == wanted


def test_a_checksum_is_a_name(world: World) -> None:
    sha256 = sha256_of(world, "sky")
    world.leave(sha256)
    assert hashes_left_out(world) == {sha256}


@pytest.mark.parametrize(("names", "code", "word"), [
    ("IMG_3", "photo_unknown", "IMG_2"), ("skyy", "photo_unknown", "sky"), ("x*y", "photo_unknown", "x*y"),
    ("IMG_2; nope", "photo_unknown", "nope"), ("небо/IMG_2", "photo_unknown", "дом/IMG_2"),
    ("IMG_1.jpg", "photo_ambiguous", "IMG_1_2"), (" ; ", "bad_parameter", "value"), ("0" * 64, "photo_unknown", "000"),
    ("[I]MG_2", "photo_unknown", "IMG_2"),
])
def test_names_that_mean_nothing_are_named(world: World, names: str, code: str, word: str) -> None:
    before = tree(world.root)
    with pytest.raises(NpyLabelError) as caught:
        world.leave(names)
    assert caught.value.code == code and word in caught.value.what
    assert tree(world.root) == before


def test_a_photo_that_was_never_out_does_not_come_back(world: World) -> None:
    before = world.files()
    report = world.leave("*", back=True)
    assert report.facts["already"] == report.facts["photos"] == 4
    assert world.files() == before and read_decisions(world.root / DECISIONS) == []


def test_the_same_name_in_and_out_means_the_one_that_can_go(world: World) -> None:
    world.leave("IMG_2")
    (world.dataset / "quarantine.csv").unlink()
    lay_file(world.phone / "IMG_2.jpg", photo("quite another"))
    world.collect()
    world.label()
    world.leave("IMG_2", back=True)
    assert "IMG_2_2" in world.stems()


def test_a_photo_that_step_01_took_out_by_the_decision_alone_is_finished(world: World) -> None:
    """The journal came from another machine, or the run was killed right behind it."""
    sha256 = sha256_of(world, "IMG_2")
    before = world.files()
    world.collect(left_out={sha256})
    world.build(left_out={sha256})
    assert world.stems() == ["IMG_1", "IMG_1_2", "sky"] and "дом/IMG_2.png" not in world.copies()
    assert_agree(world.dataset)
    world.leave("IMG_2")
    assert world.findings() == []
    world.leave("IMG_2", back=True)
    world.collect()
    world.build()
    assert world.files() == before


def test_a_run_that_was_killed_is_told(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        kill_after(patch, 2)
        world.leave("IMG_2")
    assert any("killed: IMG_2" in line for line in world.leave("sky", confirm=False).messages)
    world.leave("IMG_2")
    assert not any("killed" in line for line in world.leave("sky", confirm=False).messages)


def test_results_that_were_taken_out_are_no_originals(world: World) -> None:
    """Who points step 01 at the folder above the work folder does not collect what is out."""
    world.leave("IMG_2; небо/s1")
    lay_file(world.originals / "one.jpg", photo("one"))
    shutil.rmtree(world.phone)
    shutil.rmtree(world.classes)
    assert {path.source for path in list_photos([world.originals]).refs} == {f"{world.originals.name}/one.jpg"}


def test_a_dataset_on_another_disk_is_moved_by_copies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace = world.files(), Path.replace

    def other_disk(path: Path, target: Path) -> Path:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, "other disk")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", other_disk)
    world.leave("IMG_2")
    assert "IMG_2" not in world.stems()
    world.leave("IMG_2", back=True)
    assert world.files() == before


def test_a_full_disk_is_named_and_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.files()
    with monkeypatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(Path, "replace", lambda *_paths: (_ for _ in ()).throw(OSError(errno.ENOSPC, "no room")))
        world.leave("IMG_2")
    assert caught.value.code == "disk_full"
    world.leave("IMG_2")
    world.leave("IMG_2", back=True)
    assert world.files() == before


def test_leaving_out_may_be_killed_anywhere(world: World) -> None:
    out = kill_everywhere(world, lambda copy: copy.leave("IMG_2; sky; небо/s1"))
    assert out.stems() == ["IMG_1", "IMG_1_2"] and len(hashes_left_out(out)) == 3


def test_taking_back_may_be_killed_anywhere(world: World) -> None:
    lay_file(world.data / "дом" / "mine.jpg", photo("mine"))
    before = world.files()
    world.leave("IMG_2; sky; небо/s1; дом/mine")
    back = kill_everywhere(world, lambda copy: copy.leave("IMG_2; sky; небо/s1; дом/mine", back=True))
    assert back.files() == before and hashes_left_out(back) == set()


def test_coming_back_under_another_name_may_be_killed_anywhere(world: World) -> None:
    world.leave("IMG_2")
    lay_file(world.dataset / "color" / "IMG_2.png", b"mine")
    lay_file(world.data / "дом" / "IMG_2.png", b"mine")
    back = kill_everywhere(world, lambda copy: copy.leave("IMG_2", back=True))
    assert "IMG_2_2" in back.stems() and "дом/IMG_2_2.png" in back.copies()


@pytest.mark.parametrize("back", [False, True])
def test_steps_between_a_kill_and_the_second_run_lose_nothing(world: World, back: bool) -> None:
    """Steps 01 and 02 run in the middle; only what a person did and what cannot be made again must stay the same."""
    before = world.files()
    if back:
        world.leave("IMG_2")

    number = 0
    while True:
        number += 1
        copy, killed = world.copy(world.root.with_name(f"between{number}")), False
        with pytest.MonkeyPatch.context() as patch:
            kill_after(patch, number)
            try:
                copy.leave("IMG_2", back=back)
            except Killed:
                killed = True
        if not killed:
            break
        known = {"left_out": hashes_left_out(copy)}
        copy.collect(**known)
        copy.build(**known)
        copy.leave("IMG_2", back=back)
        assert copy.findings() == [], number
        assert ("IMG_2" in copy.stems()) == back, number
        copy.leave("IMG_2", back=True)
        copy.collect()
        copy.build()
        assert copy.files() == before, number
        shutil.rmtree(copy.root)


def lay_tables(root: Path, photos: int) -> Places:
    """The tables of a work without any pictures."""
    sums = [sha256(str(number).encode()).hexdigest() for number in range(photos)]
    made = [PhotoRow(f"IMG_{number}", f"p/IMG_{number}.jpg", status=OK, sha256=sha) for number, sha in enumerate(sums)]
    write_rows(root / "tintora_dataset", made)
    write_label_rows(root / "tintora_dataset" / "labels.csv", {
        row.name: LabelRow(row.name, 1, "x", written_id="1", original_sha256=row.sha256) for row in made})
    write_csv(root / "train_data" / SPLIT, SPLIT_COLUMNS, [
        {**table_values(row), "path": f"дом/{row.name}.png", "class_id": "1", "split": "train"} for row in made])
    return Places(root)


def work_of(places: Places, *, back: bool) -> int:
    """How many instructions of Python it takes."""
    done = 0

    def count(frame: object, event: str, _argument: object) -> object:
        nonlocal done
        done += event == "opcode"
        frame.f_trace_opcodes = True
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        leave_out_photos(places, "IMG_*", back=back, confirm=True)
    finally:
        sys.settrace(before)
    return done


def test_four_times_the_photos_are_at_most_four_times_the_work(tmp_path: Path) -> None:
    few, many = lay_tables(tmp_path / "few", 50), lay_tables(tmp_path / "many", 200)
    for back in (False, True):
        assert work_of(many, back=back) < 4 * work_of(few, back=back)
