"""Starting over removes exactly the results of a step, and nothing that a person decided."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.care.start_over import start_over, step_number
from npylabel.dataset.class_changes import change_classes
from npylabel.dataset.decisions import DECISIONS, left_out, read_decisions
from npylabel.dataset.export import export_dataset, zip_folder
from npylabel.dataset.labels import labels_journal, read_label_rows, write_label
from npylabel.dataset.verify import verify_dataset, write_findings
from npylabel.photos import prepare
from npylabel.photos.sources import list_photos
from npylabel.training import run_files
from tests.care.color_files import lay_colorizer
from tests.dataset.class_kit import ID_OF, TABLE, TABLE_PATH
from tests.dataset.leave_kit import World, kill_everywhere
from tests.photos.collect_kit import assert_agree, failing_write, lay_file, photo, rows, tree
from tests.photos.zip_kit import write_zip

MODEL_FILES = ["tiny_cnn.pth", *(f"tiny_cnn{suffix}" for suffix in run_files.SUFFIXES),
               "tiny_cnn.logs/wandb/offline/x.wandb", "checkpoint_epoch_5.pth", "checkpoint_epoch_10.pth"]
STEPS = ("01", "02", "03", "04", "05", "06")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """All six steps, as far as their files go; nobody changes it."""
    root = tmp_path_factory.mktemp("made")
    world = World(root / "work", root).lay().make()
    for name in (*MODEL_FILES, "archive/tiny_cnn_1/tiny_cnn.pth", "other.pth"):
        lay_file(world.root / "models" / name, name.encode())
    found = verify_dataset(world.dataset, TABLE, size_px=64, workers=1)
    write_findings(world.dataset / "verify.csv", found)
    lay_file(world.dataset / "verify.html", b"page")
    export_dataset(found, world.root / "export", val_fraction=0.2, test_fraction=0.2, random_seed=1)
    zip_folder(world.root / "export", world.root / "export.zip")
    for name in ("tintora_dataset/contact_sheet", "train_data/contact_sheet", "tintora_dataset/labels_sheet"):
        lay_file(world.root / f"{name}.jpg", b"sheet")
    lay_colorizer(world.root)
    return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    for name in ("phone", "classes"):
        shutil.copytree(made.originals / name, tmp_path / name)
    return World(made.copy(tmp_path / "work").root, tmp_path)


def over(world: World, step: str, *, confirm: bool = True, **options: str) -> StepReport:
    return start_over(world.places, step, confirm=confirm, **options)


def gone(world: World, step: str, **options: str) -> set[str]:
    """The files that are there no more, after asserting that all others are unchanged."""
    before = world.files()
    over(world, step, **options)
    after = world.files()
    assert all(after[name] == sum_ for name, sum_ in before.items() if name in after and not name.endswith(".csv"))
    return set(before) - set(after)


def test_the_numbers_of_the_steps() -> None:
    names = ("01", "2", " Train ", "04_auto_label", "verify_tintora", "train_colorizer")
    assert tuple(map(step_number, names)) == STEPS
    for text in ("", "07", "0", "trai", "01;02", "colorize"):
        with pytest.raises(NpyLabelError) as caught:
            step_number(text)
        assert caught.value.code == "bad_parameter"


@pytest.mark.parametrize("step", STEPS)
def test_without_confirm_nothing_is_changed(world: World, step: str) -> None:
    before = tree(world.root)
    report = over(world, step, confirm=False)
    assert tree(world.root) == before
    assert report.facts["done"] is False and report.facts["removed"] > 1 and "confirm=True" in report.next_step
    assert over(world, step).facts == {**report.facts, "done": True}


@pytest.mark.parametrize("step", STEPS)
def test_a_second_time_there_is_nothing_to_do(world: World, step: str) -> None:
    over(world, step)
    before = tree(world.root)
    assert over(world, step).facts["removed"] == 0
    assert tree(world.root) == before


@pytest.mark.parametrize("step", STEPS)
def test_it_may_be_killed_anywhere(world: World, step: str) -> None:
    (world.phone / "IMG_1.jpg").unlink()
    (world.classes / "дом" / "h1.jpg").unlink()
    (world.data / "лес").mkdir()
    (world.data / "дом" / "h2.png").rename(world.data / "лес" / "h2.png")
    world.leave("sky")
    lay_file(world.root / "colorized/1.jpg", b"painted over")
    kill_everywhere(world, lambda copy: over(copy, step))


def test_the_photos_go_and_are_made_again_just_so(world: World) -> None:
    before = world.files()
    wanted = {f"tintora_dataset/{folder}/{stem}.png" for folder in ("color", "bw") for stem in world.stems()}
    assert gone(world, "01") == wanted | {"tintora_dataset/contact_sheet.jpg"}
    assert {row["name"] for row in rows(world.dataset).values()} == {"IMG_2"}, "the name that has a person's label"
    world.collect()
    after = world.files()
    assert {name for name in before if after.get(name) != before[name]} == {"tintora_dataset/contact_sheet.jpg"}


def test_a_persons_label_stays_with_its_photo_under_new_names(world: World) -> None:
    lay_file(world.phone / "0" / "IMG_2.jpg", photo("came later"))
    world.collect()
    assert rows(world.dataset)["phone/0/IMG_2.jpg"]["name"] == "IMG_2_2"
    over(world, "01")
    world.collect(size_px=48)
    assert rows(world.dataset)["phone/IMG_2.jpg"]["name"] == "IMG_2"


def test_without_a_persons_labels_the_manifest_goes(world: World) -> None:
    world.label()
    assert {"tintora_dataset/manifest.csv", "tintora_dataset/quarantine.csv"} <= gone(world, "01")


def test_photos_that_were_left_out_stay_out(world: World) -> None:
    world.leave("IMG_2; небо/s1")
    aside, decisions = tree(world.root / "left_out"), left_out(read_decisions(world.root / DECISIONS))
    for step in STEPS:
        over(world, step)
    assert tree(world.root / "left_out") == aside
    assert left_out(read_decisions(world.root / DECISIONS)) == decisions
    world.collect()
    world.build()
    assert world.stems() == ["IMG_1", "IMG_1_2", "sky"]
    assert "дом/IMG_2.png" not in world.copies() and "небо/s1.png" not in world.copies()


def test_what_cannot_be_made_again_is_set_aside(world: World) -> None:
    (world.phone / "b" / "sky.jpg").unlink()
    lay_file(world.phone / "IMG_1.jpg", photo("quite another photo, of another size" * 3) + b"...")
    with Image.open(world.dataset / "color" / "IMG_2.png") as image:
        image.rotate(90).save(world.dataset / "color" / "IMG_2.png")
    before = tree(world.dataset)
    report = over(world, "01")
    assert (report.facts["set_aside"], report.facts["originals_not_found"]) == (6, 2)
    assert any("phone/b/sky.jpg" in line and "phone/IMG_1.jpg" in line for line in report.messages)
    after = tree(world.root / "set_aside" / "tintora_dataset")
    pictures = {f"{folder}/{stem}.png" for folder in ("color", "bw") for stem in ("IMG_1", "IMG_2", "sky")}
    assert {name: after[name] for name in pictures} == {name: before[name] for name in pictures}
    assert [row["source"] for row in read_csv(world.root / "set_aside/tintora_dataset/manifest.csv")] == [
        "phone/IMG_1.jpg", "phone/IMG_2.jpg", "phone/b/sky.jpg"]


def test_what_is_set_aside_is_no_original(world: World) -> None:
    shutil.rmtree(world.phone)
    shutil.rmtree(world.classes)
    over(world, "01")
    over(world, "02")
    assert len(list((world.root / "set_aside").rglob("*.png"))) == 15
    assert [ref.source for ref in list_photos([world.originals]).refs if "/set_aside/" in ref.source] == []


def test_originals_are_found_where_they_are_said_to_be(world: World, tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    moved = world.phone.rename(tmp_path / "far" / "away" / "phone")
    assert over(world, "01", confirm=False).facts["originals_not_found"] == 4
    for photos_dir in (str(moved), f"{tmp_path / 'nowhere'}; {moved}"):
        assert over(world, f"01; {photos_dir}", confirm=False).facts["originals_not_found"] == 0
    (moved / "a" / "IMG_1.jpg").unlink()
    assert over(world, f"1;{moved}", confirm=False).facts["originals_not_found"] == 1


@pytest.mark.parametrize("place", ["drive/npylabel", "drive"])
def test_originals_in_or_beside_the_folder_that_keeps_the_work_are_found(
    world: World, tmp_path: Path, place: str
) -> None:
    kept = tmp_path / "drive" / "npylabel"
    kept.mkdir(parents=True)
    world.phone.rename(tmp_path / place / "phone")
    report = start_over(Places(world.root, save_dir=kept), "01")
    assert report.facts["originals_not_found"] == 0 and report.facts["set_aside"] == 0


def test_originals_on_a_disk_that_does_not_answer_are_not_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, stat = tmp_path / "drive", Path.stat

    def gone(path: Path, **options: object) -> object:
        if path.is_relative_to(kept):
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return stat(path, **options)

    kept.mkdir()
    world.phone.rename(kept / "phone")
    monkeypatch.setattr(Path, "stat", gone)
    report = start_over(Places(world.root, save_dir=kept), "01")
    assert report.facts["originals_not_found"] == 4 and report.facts["done"] is False


def test_what_is_set_aside_is_told_to_travel(world: World, tmp_path: Path) -> None:
    shutil.rmtree(world.phone)
    texts = ["\n".join(start_over(places, "01").messages) for places in (
        Places(world.root), Places(world.root, save_dir=tmp_path / "kept"))]
    assert ["saved again as new files" in text for text in texts] == [False, True]
    assert all('value="01; ' in text for text in texts)


def test_originals_in_a_zip_are_found(tmp_path: Path) -> None:
    write_zip(tmp_path / "take.ZIP", {"a/x.jpg": photo("x"), "y.jpg": photo("y")})
    (tmp_path / "phone").mkdir()
    shutil.copy(tmp_path / "take.ZIP", tmp_path / "phone" / "more.zip")
    world = World(tmp_path / "work", tmp_path)
    world.collect([tmp_path / "take.ZIP"])
    assert over(world, "01", confirm=False).facts["originals_not_found"] == 0
    world.collect(tmp_path / "phone")
    assert over(world, "01", confirm=False).facts["originals_not_found"] == 0
    write_zip(tmp_path / "phone" / "more.zip", {"a/x.jpg": photo("x"), "y.jpg": photo("another")})
    write_zip(tmp_path / "take.ZIP", {"a/x.jpg": photo("x"), "y.jpg": photo("another")})
    assert over(world, "01", confirm=False).facts["originals_not_found"] == 1
    (tmp_path / "take.ZIP").write_bytes(b"no zip any more")
    (tmp_path / "phone" / "more.zip").unlink()
    assert over(world, "01", confirm=False).facts["originals_not_found"] == 2


def test_foreign_files_stay_and_are_named(world: World) -> None:
    for name in ("tintora_dataset/color/mine.png", "tintora_dataset/notes.txt", "train_data/дом/mine.jpg",
                 "models/notes.txt", "tintora_dataset/labels/mine.npy", "export/train/color/mine.txt"):
        lay_file(world.root / name, b"mine")
    for step, name in (("01", "color/mine.png"), ("02", "train_data/дом/mine.jpg"), ("04", "labels/mine.npy"),
                       ("05", "export/train/color/mine.txt")):
        report = over(world, step)
        assert any(name in line for line in report.messages) and report.facts["others"] == 1, step
    over(world, "03")
    mine = [path for path in world.root.rglob("*") if path.stem in ("mine", "notes")]
    assert [path.read_bytes() for path in mine] == [b"mine"] * 6


def test_the_training_photos_go_and_are_made_again_just_so(world: World) -> None:
    before = world.files()
    assert gone(world, "02") == {name for name in before if name.startswith("train_data/")}
    world.build()
    assert {name for name, sum_ in world.files().items() if before.get(name) != sum_} == set()


@pytest.mark.parametrize("built", [True, False])
def test_a_class_that_a_person_gave_by_moving_stays(world: World, built: bool) -> None:
    (world.data / "лес").mkdir()
    (world.data / "дом" / "h2.png").rename(world.data / "лес" / "h2.png")
    if built:
        world.build()
    report = over(world, "02")
    assert report.facts["kept_by_person"] == 1 and any("лес/h2.png" in line for line in report.messages)
    assert [path.name for path in world.data.rglob("*.png")] == ["h2.png"]
    assert world.build().facts["per_class"] == {"дом": 3, "небо": 3, "лес": 1}
    assert "лес/h2.png" in world.copies()


def test_a_class_of_another_name_since_is_nobodys_decision(world: World) -> None:
    change_classes(world.places, "дом > изба", confirm=True)
    assert (world.data / "изба").is_dir()
    report = over(world, "02", confirm=False)
    assert report.facts["kept_by_person"] == 0 and report.facts["removed"] > 6


def test_a_folder_that_stands_for_no_class_any_more_stays(world: World) -> None:
    classes = json.loads(TABLE_PATH.read_text(encoding="utf-8"))
    left = {key: value for key, value in classes.items() if value["name"] != "дом"}
    (world.root / "classes.json").write_text(json.dumps(left), encoding="utf-8")
    report = over(world, "02")
    assert len(read_csv(world.data / "split.csv")) == report.facts["kept_by_person"] == 4
    assert len(list((world.data / "дом").iterdir())) == 4


def test_the_model_goes_and_the_archive_stays(world: World) -> None:
    assert gone(world, "03") == {f"models/{name}" for name in MODEL_FILES}
    assert (world.root / "models/archive/tiny_cnn_1/tiny_cnn.pth").is_file()
    assert (world.root / "models/other.pth").is_file()


def test_what_the_networks_that_look_for_wrong_labels_said_goes_with_the_model(world: World) -> None:
    folds = world.root / "models/tiny_cnn.folds"
    for name in ("fold_1.npz", "fold_2_0123456789abcdef/fold.resume.ckpt"):
        lay_file(folds / name, b"x")
    assert {name for name in gone(world, "03") if ".folds/" in name} == {
        "models/tiny_cnn.folds/fold_1.npz", "models/tiny_cnn.folds/fold_2_0123456789abcdef/fold.resume.ckpt"}
    assert not folds.exists()


def test_a_persons_file_beside_them_stays(world: World) -> None:
    mine = lay_file(world.root / "models/tiny_cnn.folds/notes.txt", b"mine")
    gone(world, "03")
    assert mine.read_bytes() == b"mine"


def test_the_epochs_of_another_model_stay(world: World) -> None:
    for name in MODEL_FILES[:-2]:
        (world.root / "models" / name).unlink()
    assert gone(world, "03") == set()


def test_labels_of_models_go_and_those_of_people_stay(world: World) -> None:
    write_label(world.dataset / "labels" / "sky.npy", ID_OF["дом"])
    human = {stem: (world.dataset / "labels" / f"{stem}.npy").read_bytes() for stem in ("IMG_2", "sky")}
    assert gone(world, "04") == {"tintora_dataset/labels/IMG_1.npy", "tintora_dataset/labels/IMG_1_2.npy",
                                 "tintora_dataset/labels_sheet.jpg"}
    assert {path.stem: path.read_bytes() for path in (world.dataset / "labels").iterdir()} == human
    assert set(read_label_rows(world.dataset / "labels.csv")) == {"IMG_2", "sky"}


def test_labels_of_an_unfinished_run_go_and_what_a_person_changed_meanwhile_stays(world: World) -> None:
    labels, journal = world.dataset / "labels", labels_journal(world.dataset / "labels")
    row = replace(read_label_rows(world.dataset / "labels.csv")["IMG_1"], class_id=7, written_id="7")
    with pytest.raises(KeyboardInterrupt), journal:
        journal.append({"row": vars(row), "before": "5"}, {"row": {**vars(row), "name": "sky"}, "before": "5"})
        raise KeyboardInterrupt
    write_label(labels / "IMG_1.npy", 7)
    write_label(labels / "sky.npy", 9)
    over(world, "04")
    assert {path.stem for path in labels.iterdir()} == {"IMG_2", "sky"}
    assert not journal.path.exists()


def test_without_a_persons_labels_the_table_goes(world: World) -> None:
    world.label()
    assert "tintora_dataset/labels.csv" in gone(world, "04")
    assert world.stems() and not any((world.dataset / "labels").iterdir())


def test_the_verification_and_the_export_go_and_the_dataset_stays(world: World) -> None:
    found = gone(world, "05")
    assert {"export.zip", "export/export.csv", "tintora_dataset/verify.csv", "tintora_dataset/verify.html"} <= found
    assert sum(name.endswith((".png", ".npy")) for name in found) == 12 and len(found) == 16
    assert not (world.root / "export").exists()
    assert_agree(world.dataset)


def test_an_export_elsewhere_and_a_foreign_zip_stay(world: World, tmp_path: Path) -> None:
    (world.root / "export.zip").unlink()
    lay_file(world.root / "export.zip", b"somebody else's")
    moved = (world.root / "export").rename(tmp_path / "export")
    over(world, "05")
    assert moved.is_dir() and (world.root / "export.zip").is_file()


def test_a_killed_run_is_started_over(world: World) -> None:
    shutil.rmtree(world.dataset)
    shutil.rmtree(world.data)
    for run in (world.collect, world.build):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(prepare, "write_bytes", failing_write(5, after=True, error=KeyboardInterrupt()))
            run()
    lay_file(world.dataset / "color" / ".tmp-npylabel-x.png", b"half")
    for step in ("01", "02"):
        report = over(world, step)
        assert (report.facts["set_aside"], report.facts["others"]) == (0, 0)
    assert not [path for folder in (world.dataset, world.data) for path in folder.rglob("*") if path.is_file()]


def test_a_step_that_was_never_done_has_nothing_to_remove(tmp_path: Path) -> None:
    world = World(tmp_path / "work", tmp_path)
    world.root.mkdir()
    for step in STEPS:
        assert over(world, step).facts["removed"] == 0
    assert [path for path in world.root.rglob("*") if path.is_file()] == []


def test_links_in_the_place_of_results_are_not_followed(world: World, tmp_path: Path) -> None:
    target = lay_file(tmp_path / "elsewhere.png", b"mine")
    (world.dataset / "color" / "IMG_1.png").unlink()
    (world.dataset / "color" / "IMG_1.png").symlink_to(target)
    over(world, "01")
    assert target.read_bytes() == b"mine"
