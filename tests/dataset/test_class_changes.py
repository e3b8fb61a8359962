"""Classes that get another name, are added or merged: nothing is lost or redone, whenever it is killed."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npylabel.base.classes import ClassTable, change_mark, classes_text, load_classes, read_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import sha256_file
from npylabel.base.i18n import set_language
from npylabel.base.places import Places, project_dir
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.class_changes import change_classes
from npylabel.dataset.labels import (
    LabelRow,
    labels_journal,
    read_label,
    read_label_rows,
    write_label,
    write_label_rows,
)
from npylabel.dataset.training_data import load_training_data
from npylabel.photos import prepare
from tests.dataset.class_kit import TABLE, lay_classes
from tests.photos.collect_kit import failing_write, lay_file, photo, times, tree

CHANGES = "дом > здание; море > небо; + кот"
DOM, NEBO, MORE, ZDANIE, KOT = 12, 30, 5, 12, 6
SMALL = ClassTable({12: "дом", 30: "небо", 5: "море", 7: "лес", 0: "глаза", 1: "рот", 2: "зубы", 3: "нос", 4: "шея",
                    99: "неопределённый_объект"}, 99)


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


def lay_labels(folder: Path) -> None:
    """Labels of every kind: of a model, by hand in all the ways, of unknown origin, damaged."""
    rows = {}

    def lay(name: str, row_id: int, written: int, file: int | None, source: str = "model") -> None:
        rows[name] = LabelRow(
            name, row_id, SMALL.names[row_id], "0.9000" if source == "model" else "", source, str(written),
            SMALL.names[written], "0.5", "p" * 64, "m" * 64, SMALL.sha256, str(written), "")
        if file is not None:
            write_label(folder / "labels" / f"{name}.npy", file)

    lay("model_dom", DOM, DOM, DOM)
    lay("model_more", MORE, MORE, MORE)
    lay("model_nebo", NEBO, NEBO, NEBO)
    lay("hand_more", MORE, MORE, MORE, "human")
    lay("file_says_nebo", MORE, MORE, NEBO)
    lay("file_says_more", NEBO, NEBO, MORE)
    lay("table_says_nebo", NEBO, MORE, MORE)
    lay("table_says_dom", DOM, MORE, MORE)
    lay("table_says_more", MORE, NEBO, NEBO)
    lay("away", MORE, MORE, None)
    lay("unsure", 99, 99, 99)
    write_label_rows(folder / "labels.csv", rows)
    write_label(folder / "labels" / "stranger.npy", MORE)
    (folder / "labels" / "damaged.npy").write_bytes(b"\x93NUMPYhalf")
    np.save(folder / "labels" / "gone_class.npy", np.array([55], np.int64))


@pytest.fixture
def world(tmp_path: Path) -> Places:
    """A work folder with class folders, what step 02 made of them, photos laid by hand, and labels."""
    work = tmp_path / "work"
    source = lay_classes(tmp_path / "own", дом=4, небо=4, море=4, лес=3)
    for name in ("небо", "море"):
        lay_file(source / name / "same.jpg", photo(f"same{name}"))
    lay_file(source / "море" / "again.jpg", photo("море0"))
    work.mkdir()
    (work / "classes.json").write_text(classes_text(SMALL), encoding="utf-8")
    build(work, tmp_path)
    lay_file(work / "train_data" / "море" / "hand.jpg", photo("by hand"))
    lay_file(work / "train_data" / "море" / "deep" / "небо1.jpg", photo("deep"))
    lay_file(work / "train_data" / "небо" / "hand.png", photo("by hand, too"))
    lay_labels(work / "tintora_dataset")
    return Places(work)


def build(work: Path, root: Path) -> StepReport:
    return build_training_data(root / "own", work / "train_data", load_classes(work / "classes.json"), size_px=64,
                               workers=1)


def change(world: Places, changes: str = CHANGES, confirm: bool = True) -> StepReport:
    return change_classes(world, changes, confirm=confirm)


def ids(world: Places) -> dict[str, int]:
    found = {}
    for path in (world.work_dir / "tintora_dataset" / "labels").iterdir():
        if path.stem != "damaged":
            found[path.stem] = read_label(path)
    return found


def rows(world: Places) -> dict[str, LabelRow]:
    return read_label_rows(world.work_dir / "tintora_dataset" / "labels.csv")


def test_without_confirm_nothing_is_written(world: Places) -> None:
    before = tree(world.work_dir)
    report = change(world, confirm=False)
    assert tree(world.work_dir) == before
    assert report.facts["done"] is False
    assert (report.facts["added"], report.facts["renamed"], report.facts["merged"]) == (1, 1, 1)
    assert report.facts["changes"] == [
        {"what": "renamed", "name": "дом", "becomes": "здание", "id": 12, "training_photos": 4, "labels": 2,
         "hand_labels": 1},
        {"what": "merged", "name": "море", "becomes": "небо", "id": 30, "training_photos": 7, "labels": 5,
         "hand_labels": 3},
        {"what": "added", "name": "", "becomes": "кот", "id": 6, "training_photos": 0, "labels": 0, "hand_labels": 0}]
    assert "confirm" in report.next_step
    assert any("дом is called здание" in line and "Training photos: 4" in line for line in report.messages)


def test_the_table_says_what_happened(world: Places) -> None:
    assert change(world).facts["done"] is True
    assert not list(world.work_dir.rglob("*edited*")) and not change_mark(world.path("classes.json")).exists()
    table = load_classes(world.path("classes.json"))
    assert table.names == {**{i: n for i, n in SMALL.names.items() if i != MORE}, 12: "здание", 6: "кот"}
    assert table.aliases == {"дом": 12, "море": 30} and table.retired == {5: 30} and table.unknown_id == 99
    assert [table.find(name) for name in ("дом", "Море", "5", "12", "кот")] == [12, 30, 30, 12, 6]


def test_what_becomes_of_each_model_is_said(world: Places) -> None:
    for name in ("tiny_cnn", "colorizer"):
        lay_file(world.path(f"models/{name}.run.json"), b"{}")
    report = change_classes(world, CHANGES)
    assert (report.facts["models"], report.facts["colorizer"]) == (["tiny_cnn"], True)
    labeling, coloring = report.messages[-2:]
    assert "labeling" in labeling and "tiny_cnn" in labeling and "colorizer" not in labeling
    assert coloring.startswith("The colorizer goes on") and "notebook 06" in coloring
    world.path("models/tiny_cnn.run.json").unlink()
    report = change_classes(world, CHANGES)
    assert report.facts["models"] == [] and "labeling" not in " ".join(report.messages)
    world.path("models/colorizer.run.json").unlink()
    report = change_classes(world, CHANGES)
    assert report.facts["colorizer"] is False and "colorizer" not in " ".join(report.messages)


def test_labels_get_todays_ids_and_hands_stay_hands(world: Places) -> None:
    change(world)
    assert ids(world) == {
        "model_dom": 12, "model_more": 30, "model_nebo": 30, "hand_more": 30, "file_says_nebo": 30,
        "file_says_more": 30, "table_says_nebo": 30, "table_says_dom": 12, "table_says_more": 30, "unsure": 99,
        "stranger": 30, "gone_class": 55}
    found = rows(world)
    human = {name for name, row in found.items() if row.source == "human"}
    assert human == {"hand_more", "file_says_nebo", "file_says_more", "table_says_nebo", "table_says_dom",
                     "table_says_more"}
    names = load_classes(world.path("classes.json")).names
    for name, row in found.items():
        assert row.class_id == ids(world).get(name, 30) and row.class_name == names[row.class_id]
        assert row.written_id == str(row.class_id)
        assert row.decision(row.class_id, {row.written_id}) == (row.class_id if name in human else None)
    assert found["model_more"].best_class_id == "30" and found["model_more"].best_class_name == "небо"
    assert found["model_dom"].best_class_name == "здание" and found["model_dom"].confidence == "0.9000"
    assert found["model_more"].classes_sha256 == SMALL.sha256
    assert {found[name].classes_sha256 for name in human} == {load_classes(world.path("classes.json")).sha256}
    assert (world.work_dir / "tintora_dataset" / "labels" / "damaged.npy").read_bytes() == b"\x93NUMPYhalf"


def test_training_photos_move_and_none_is_lost(world: Places) -> None:
    data = world.path("train_data")
    before = sorted(path.read_bytes() for path in data.rglob("*.*g"))
    change(world)
    assert sorted(path.read_bytes() for path in data.rglob("*.*g")) == before
    assert sorted(path.name for path in data.iterdir() if path.is_dir()) == ["здание", "лес", "небо"]
    assert {path.name for path in (data / "небо").iterdir()} >= {
        "same.png", "same_2.png", "hand.png", "hand_2.jpg", "deep", "море3.png"}
    listed = read_csv(data / "split.csv")
    assert all((data / row["path"]).is_file() for row in listed)
    assert {(row["path"].partition("/")[0], row["class_id"]) for row in listed} == {
        ("здание", "12"), ("лес", "7"), ("небо", "30")}
    # By the original's folder, which keeps its name.
    same = next(row for row in listed if row["source"] == "own/море/same.jpg")
    assert same["path"] == "небо/same_2.png"


def test_step_02_finds_everything_done(world: Places, tmp_path: Path) -> None:
    before = load_training_data(world.path("train_data"), SMALL, val_fraction=0.15, random_seed=42)
    change(world)
    data = world.path("train_data")
    after, tables = times(data), [read_csv(data / name) for name in ("split.csv", "quarantine.csv")]
    report = build(world.work_dir, tmp_path)
    assert report.measured["done_now"] == 0 and report.measured["moved_by_hand"] == 0
    assert times(data) == after
    # Two classes in one are divided anew; all the rest of the tables is as it was left.
    again = [read_csv(data / name) for name in ("split.csv", "quarantine.csv")]
    assert [[{**row, "split": ""} for row in table] for table in again] == [
        [{**row, "split": ""} for row in table] for table in tables]
    assert report.facts["per_class"] == {"здание": 4, "небо": 10, "лес": 3} and report.facts["class_ids_right"]
    table = load_classes(world.path("classes.json"))
    now = load_training_data(world.path("train_data"), table, val_fraction=0.15, random_seed=42)
    assert {photo.sha256 for photo in now.photos} == {photo.sha256 for photo in before.photos}
    assert {photo.class_id for photo in now.photos} == {12, 30, 7}


def test_after_a_new_name_alone_step_02_changes_no_byte(world: Places, tmp_path: Path) -> None:
    change(world, "дом > здание; море > океан")
    before = tree(world.path("train_data")), times(world.path("train_data"))
    assert build(world.work_dir, tmp_path).measured["done_now"] == 0
    assert (tree(world.path("train_data")), times(world.path("train_data"))) == before


def test_photos_of_both_classes_are_of_one_now(world: Places, tmp_path: Path) -> None:
    lay_file(tmp_path / "own" / "море" / "both.jpg", photo("both"))
    lay_file(tmp_path / "own" / "небо" / "both.jpg", photo("both"))
    assert build(world.work_dir, tmp_path).facts["reasons"]["two_classes"] == 2
    change(world)
    report = build(world.work_dir, tmp_path)
    assert "two_classes" not in report.facts["reasons"] and report.facts["per_class"]["небо"] == 11


def test_near_copies_stay_one_group(tmp_path: Path) -> None:
    source = lay_classes(tmp_path / "own", дом=3, море=4)
    with Image.open(source / "море" / "море0.jpg") as image:
        image.save(source / "море" / "near.jpg", quality=60)
    work = tmp_path / "work"
    work.mkdir()
    (work / "classes.json").write_text(classes_text(SMALL), encoding="utf-8")
    build(work, tmp_path)
    change(Places(work), "море > океан")
    groups = {row["path"]: row["group"] for row in read_csv(work / "train_data" / "split.csv") if row["group"]}
    assert groups == {"океан/море0.png": "океан/near", "океан/near.png": "океан/near"}
    before = tree(work / "train_data")
    build(work, tmp_path)
    assert tree(work / "train_data") == before


def test_new_photos_of_a_renamed_class_join_it(world: Places, tmp_path: Path) -> None:
    change(world)
    lay_file(tmp_path / "own" / "дом" / "new.jpg", photo("new"))
    lay_file(tmp_path / "own" / "здание" / "newer.jpg", photo("newer"))
    lay_file(tmp_path / "own" / "5" / "newest.jpg", photo("newest"))
    report = build(world.work_dir, tmp_path)
    assert report.measured["done_now"] == 3
    assert {"new.png", "newer.png"} <= {path.name for path in (world.path("train_data") / "здание").iterdir()}
    assert (world.path("train_data") / "небо" / "newest.png").is_file()


def test_a_folder_made_by_hand_stays_as_it_is(world: Places) -> None:
    for path in world.path("train_data").glob("*.csv"):
        path.unlink()
    before = tree(world.path("train_data"))
    change(world)
    assert tree(world.path("train_data")) == before
    table = load_classes(world.path("classes.json"))
    found = load_training_data(world.path("train_data"), table, val_fraction=0.15, random_seed=42)
    assert {(photo.path.relative_to(world.path("train_data")).parts[0], photo.class_id) for photo in found.photos} == {
        ("дом", 12), ("море", 30), ("небо", 30), ("лес", 7)}


def test_a_linked_class_folder_is_not_emptied(world: Places, tmp_path: Path) -> None:
    data = world.path("train_data")
    shutil.move(data / "дом", tmp_path / "elsewhere")
    (data / "дом").symlink_to(tmp_path / "elsewhere")
    before = tree(tmp_path / "elsewhere")
    change(world, "дом > здание")
    assert tree(tmp_path / "elsewhere") == before and (data / "дом").is_symlink()


def test_the_other_world_and_the_project_stay(world: Places) -> None:
    project = (project_dir() / "classes.json").read_bytes()
    (world.work_dir / "classes.json").unlink()
    demo = world.made_demo()
    shutil.copytree(world.path("train_data"), demo.path("train_data"))
    before = tree(world.path("train_data"))
    # In the project's table these are other ids.
    shutil.rmtree(world.path("tintora_dataset"))
    change(demo, "дом > хата")
    assert (project_dir() / "classes.json").read_bytes() == project
    assert not (world.work_dir / "classes.json").exists() and tree(world.path("train_data")) == before
    assert load_classes(demo.path("classes.json")).names == {**TABLE.names, 12: "хата"}
    assert (demo.path("train_data") / "хата").is_dir()


@pytest.mark.parametrize("where", ["project", "outside"])
def test_a_table_of_others_is_not_changed(world: Places, tmp_path: Path, where: str) -> None:
    shutil.copy(world.path("classes.json"), tmp_path / "shared.json")
    path = project_dir() / "classes.json" if where == "project" else tmp_path / "shared.json"
    before = path.read_bytes()
    with pytest.raises(NpyLabelError) as error:
        change_classes(world, CHANGES, confirm=True, classes_path=str(path))
    assert error.value.code == "classes_elsewhere" and path.read_bytes() == before


def test_the_projects_own_folder_is_no_work_folder() -> None:
    with pytest.raises(NpyLabelError) as error:
        change_classes(Places(project_dir()), "+ кот")
    assert error.value.code == "classes_elsewhere"


def test_fields_of_a_persons_own_are_kept(world: Places) -> None:
    path = world.path("classes.json")
    values = json.loads(path.read_text("utf-8"))
    values["12"]["color"] = "#ff0000"
    path.write_text(json.dumps(values), encoding="utf-8")
    change(world)
    values = json.loads(path.read_text("utf-8"))
    assert values["12"] == {"name": "здание", "id": 12, "aliases": ["дом"], "color": "#ff0000"}
    assert values["30"] == {"name": "небо", "id": 30, "aliases": ["море"], "replaces": [5]}


def test_the_same_text_again_changes_nothing(world: Places) -> None:
    change(world)
    before = tree(world.work_dir)
    report = change(world)
    assert report.facts["done"] is True and tree(world.work_dir) == before
    assert any("already" in line for line in report.messages)


def test_changes_in_a_row(world: Places) -> None:
    for changes in ("дом > хата", "море > океан", "хата > дом", "океан > небо", "дом > лес", "+ кот"):
        assert change(world, changes).facts["done"]
    table = load_classes(world.path("classes.json"))
    assert table.retired == {5: 30, 12: 7} and table.names[8 if 8 in table.names else 6] == "кот"
    assert {name: table.find(name) for name in ("дом", "хата", "море", "океан")} == {
        "дом": 7, "хата": 7, "море": 30, "океан": 30}
    assert ids(world)["table_says_dom"] == 7 and rows(world)["table_says_dom"].source == "human"
    assert ids(world)["model_more"] == 30


def test_an_id_that_labels_hold_is_not_given_to_a_new_class(world: Places) -> None:
    np.save(world.path("tintora_dataset") / "labels" / "gone_class.npy", np.array([6], np.int64))
    change(world, "+ кот")
    assert load_classes(world.path("classes.json")).find("кот") == 8


@pytest.mark.parametrize(("class_id", "written_id"), [(7, "7"), (1, "7")])
def test_rows_of_another_table_are_refused(world: Places, class_id: int, written_id: str) -> None:
    found = rows(world)
    found["model_nebo"].class_id, found["model_nebo"].written_id = class_id, written_id
    found["model_nebo"].classes_sha256 = "0" * 64
    write_label_rows(world.path("tintora_dataset") / "labels.csv", found)
    before = tree(world.work_dir)
    with pytest.raises(NpyLabelError) as error:
        change(world)
    assert error.value.code == "labels_other_classes" and "model_nebo" in error.value.what
    assert tree(world.work_dir) == before


@pytest.mark.parametrize("class_name", ["небо", "лес"])
def test_an_edited_row_is_taken_whether_its_name_was_edited_or_not(world: Places, class_name: str) -> None:
    found = rows(world)
    found["model_nebo"].class_id, found["model_nebo"].class_name = 7, class_name
    write_label_rows(world.path("tintora_dataset") / "labels.csv", found)
    change(world)
    assert (rows(world)["model_nebo"].source, ids(world)["model_nebo"]) == ("human", 7)
    assert rows(world)["model_nebo"].class_name == "лес"


def test_an_unfinished_labeling_run_is_understood(world: Places) -> None:
    labels = world.path("tintora_dataset") / "labels"
    journal = labels_journal(labels)
    journal.__enter__()
    for name, before in (("model_nebo", "30"), ("model_dom", "12"), ("model_more", "5"), ("hand_changed", "7")):
        row = LabelRow(name, MORE, "море", "0.7", written_id=str(MORE))
        journal.append({"row": vars(row), "before": before})
    journal._file.close()
    write_label(labels / "hand_changed.npy", 12)
    change(world)
    assert not journal.path.exists()
    found = rows(world)
    assert (found["hand_changed"].source, found["hand_changed"].class_id) == ("human", 12)
    assert ids(world)["hand_changed"] == 12
    # The run was killed before it wrote these: the files are what they were, and nobody's decision.
    for name, class_id in (("model_nebo", 30), ("model_dom", 12), ("model_more", 30)):
        assert ids(world)[name] == class_id
        assert found[name].decision(class_id, {found[name].written_id}) is None


def test_an_unfinished_step_02_goes_on(tmp_path: Path) -> None:
    lay_classes(tmp_path / "own", дом=4, небо=4, море=4)
    lay_file(tmp_path / "own" / "море" / "небо0.jpg", photo("same name"))
    work = tmp_path / "work"
    work.mkdir()
    (work / "classes.json").write_text(classes_text(SMALL), encoding="utf-8")
    build(work, tmp_path)
    lay_classes(tmp_path / "own", дом=8, небо=8, море=8)
    # Not made yet when the run stops, but its name is given away: the same as that of a photo that will move there.
    lay_file(tmp_path / "own" / "небо" / "again" / "море0.jpg", photo("again"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(7, after=True, error=KeyboardInterrupt()))
        build(work, tmp_path)
    change(Places(work), "море > небо; дом > хата")
    report = build(work, tmp_path)
    assert report.facts["per_class"] == {"хата": 8, "небо": 18} and report.facts["class_ids_right"]
    listed = read_csv(work / "train_data" / "split.csv")
    assert sorted(row["path"] for row in listed) == sorted(times(work / "train_data"))
    assert all(sha256_file(work / "train_data" / row["path"]) == row["color_sha256"] for row in listed)
    assert report.measured["done_now"] == 18, "seven of 25 were done, and none of them is done again"


# Kills


def die(action: Callable[[], object], number: int, after: bool) -> bool:
    """Whether a process that does the action was killed at its n-th file operation."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        calls = []
        for owner, name in ((Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "rmdir"), (Path, "mkdir"),
                            (Path, "write_bytes")):
            _count(owner, name, calls, number, after)
        action()
    finally:
        os._exit(0)
    return False


def _count(owner: type, name: str, calls: list, number: int, after: bool) -> None:
    function = getattr(owner, name)

    def call(*arguments: object, **keywords: object) -> object:
        calls.append(name)
        at = len(calls) == number
        if at and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return function(*arguments, **keywords)
        finally:
            if at:
                os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, call)


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_every_operation_ends_the_same(world: Places, tmp_path: Path, after: bool) -> None:
    shutil.copytree(world.work_dir, tmp_path / "unbroken")
    change(Places(tmp_path / "unbroken"))
    wanted, folders = tree(tmp_path / "unbroken"), sorted(path.name for path in (tmp_path / "unbroken").rglob("*"))
    number, refused = 0, 0
    while True:
        number += 1
        broken = Places(tmp_path / "broken")
        shutil.copytree(world.work_dir, broken.work_dir)
        if not die(lambda places=broken: change(places), number, after):
            break
        if change_mark(broken.path("classes.json")).is_file():
            refused += 1
            with pytest.raises(NpyLabelError, match="classes_changing"):
                load_classes(broken.path("classes.json"))
            assert change(broken, "", confirm=False).facts["interrupted"] == CHANGES
        assert change(broken).facts["done"] is True
        assert tree(broken.work_dir) == wanted, number
        assert sorted(path.name for path in broken.work_dir.rglob("*")) == folders, number
        shutil.rmtree(broken.work_dir)
    assert number > 40 and refused > 35


def stop(world: Places) -> None:
    """Kill the change as soon as it is written down what will be done."""
    number = 0
    while not change_mark(world.path("classes.json")).is_file():
        number += 1
        assert die(lambda: change(world), number, after=True)


def test_another_change_waits_for_the_interrupted_one(world: Places) -> None:
    stop(world)
    report = change(world, "лес > чаща")
    assert report.facts["done"] is False and "лес > чаща" in report.next_step
    table = load_classes(world.path("classes.json"))
    assert table.find("здание") == 12 and table.names[7] == "лес"
    assert change(world, "лес > чаща").facts["done"] is True


def test_what_a_person_changes_in_between_stays(world: Places) -> None:
    stop(world)
    labels = world.path("tintora_dataset") / "labels"
    write_label(labels / "model_more.npy", 7)
    table = labels.parent / "labels.csv"
    table.write_text(table.read_text("utf-8").replace("unsure,99", "unsure,7"), encoding="utf-8")
    edited = table.read_bytes()
    lay_file(world.path("train_data") / "море" / "late.jpg", photo("late"))
    report = change(world)
    assert ids(world)["model_more"] == 7
    assert (labels.parent / "labels.edited_1.csv").read_bytes() == edited
    assert any("labels.edited_1.csv" in line for line in report.messages)
    assert (world.path("train_data") / "море" / "late.jpg").read_bytes() == photo("late")


def test_nothing_is_moved_onto_another_file(world: Places) -> None:
    stop(world)
    there = lay_file(world.path("train_data") / "здание" / "дом0.png", photo("laid there in between"))
    report = change(world)
    assert report.facts["done"] and there.read_bytes() == photo("laid there in between")
    assert (world.path("train_data") / "дом" / "дом0.png").is_file()


@pytest.mark.parametrize("number", range(1, 13))
def test_a_kill_where_the_work_folder_has_no_table_yet(world: Places, tmp_path: Path, number: int) -> None:
    world.path("classes.json").unlink()
    shutil.rmtree(world.path("tintora_dataset"))
    for name in ("split.csv", "quarantine.csv"):
        path = world.path("train_data") / name
        path.write_text(path.read_text("utf-8").replace(",30,", ",19,"), encoding="utf-8")
    shutil.copytree(world.work_dir, tmp_path / "unbroken")
    change_classes(Places(tmp_path / "unbroken"), "дом > хата; + кот", confirm=True)
    assert die(lambda: change_classes(world, "дом > хата; + кот", confirm=True), number, after=True)
    project = load_classes(project_dir() / "classes.json")
    # Either the old table for all that reads it, or none at all.
    if change_mark(world.path("classes.json")).is_file():
        with pytest.raises(NpyLabelError, match="classes_changing"):
            load_classes(world.classes_path("classes.json"))
    else:
        assert load_classes(world.classes_path("classes.json")) == project
    change_classes(world, "дом > хата; + кот", confirm=True)
    assert tree(world.work_dir) == tree(tmp_path / "unbroken")


def test_damaged_notes_are_a_clear_error(world: Places) -> None:
    change_mark(world.path("classes.json")).write_text("{half", encoding="utf-8")
    with pytest.raises(NpyLabelError) as error:
        change(world)
    assert error.value.code == "class_change_damaged"
    assert read_classes(world.path("classes.json")) == SMALL
