"""Step 06 as a person uses it: drawn photos teach that the sky is blue, and what is wrong is said with its cure."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import npylabel_core as core
from npylabel.base.classes import load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.dataset.labels import write_label
from npylabel.photos.demo import write_demo_old_photos
from npylabel.photos.drawing import draw_photo
from tests.photos.pictures import texture

TRAINING = {"input_px": 32, "batch_size": 16, "device": "cpu", "language": "en"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, core.StepReport, core.StepReport]:
    """(the work folder, the report of the training, that of coloring) of drawn photos with their true labels."""
    work = tmp_path_factory.mktemp("work")
    common = {"work_dir": str(work), "language": "en"}
    core.collect_and_grayscale(demo_per_class=6, size_px=64, workers=1, **common)
    dataset = work / "demo" / "tintora_dataset"
    (dataset / "labels").mkdir()
    truth = {row["file"]: row["class_name"] for row in read_csv(work / "demo" / "photos_truth.csv")}
    table = load_classes(Path(core.__file__).with_name("classes.json"))
    for row in read_csv(dataset / "manifest.csv"):
        if row["status"] == "ok" and (name := truth.get(Path(row["source"]).name)):
            write_label(dataset / "labels" / f"{row['name']}.npy", table.find(name))
    trained = core.train_colorizer(epochs=60, work_dir=str(work), **TRAINING)
    return work, trained, core.colorize(**common, device="cpu")


def mean_ab(path: Path, box: tuple[float, float, float, float] = (0, 0, 1, 1)) -> np.ndarray:
    """Mean a* and b* of a part of a picture; the box in shares of its sides."""
    from skimage.color import rgb2lab

    lab = rgb2lab(np.asarray(Image.open(path).convert("RGB")))
    height, width = lab.shape[:2]
    left, top, right, bottom = box
    return lab[int(top * height):int(bottom * height), int(left * width):int(right * width), 1:].mean((0, 1))


def test_the_demo_learns_that_the_sky_is_blue_and_the_grass_green(demo: tuple) -> None:
    work, trained, colored = demo
    assert (trained.facts["made_from"], trained.facts["epochs"], trained.measured["classes"]) == ("demo", 60, 10)
    assert colored.facts["colored"] == 18 and colored.facts["already_color"] == 2
    folder = work / "demo" / "colorized"
    sky, grass = (mean_ab(folder / f"{name}.jpg") for name in ("scan_01", "scan_02"))
    assert sky[1] < -8, "b*: blue below"
    assert grass[0] < -5 < 5 < grass[1], "a* and b*: green"
    test = {way: trained.measured[f"test_{way}"]["mse_ab"] for way in ("gray", "label")}
    assert test["label"] < 0.6 * test["gray"]


def test_the_pages_and_pictures_are_there(demo: tuple) -> None:
    work, trained, colored = demo
    page = colored.files["before_after.html"].read_text(encoding="utf-8")
    assert "scan_01.jpg" in page and "небо" in page
    assert [path.name for path in trained.pictures.values()] == ["colorizer.samples_sheet.jpg", "colorizer.curves.png"]
    with Image.open(work / "demo/models/colorizer.samples_sheet.jpg") as sheet:
        # Gray, five of the epochs, true.
        assert sheet.height == 7 * 134 + 6
    assert all(path.is_file() for path in colored.pictures.values())


def test_a_second_run_does_nothing_again_and_a_label_for_all_does(demo: tuple) -> None:
    work = demo[0]
    common = {"work_dir": str(work), "language": "en", "device": "cpu"}
    assert core.colorize(**common).measured["done_now"] == 0
    forced = core.colorize(**common, label="трава", output_dir="as_grass")
    assert forced.measured["labels_from"] == {"given": 18}
    blue, green = (mean_ab(work / "demo" / folder / "scan_01.jpg")[1] for folder in ("colorized", "as_grass"))
    assert green > blue + 8


def test_what_is_wrong_is_said_before_anything_is_done(demo: tuple, tmp_path: Path) -> None:
    work, common = demo[0], {"language": "en", "device": "cpu"}
    photos = tmp_path / "own"
    photos.mkdir()
    texture(1, 64, 64).convert("L").save(photos / "a.png")
    given = {"input_dir": str(photos), "output_dir": "colorized", "work_dir": str(tmp_path / "empty"), **common}
    with pytest.raises(NpyLabelError) as missing:
        core.colorize(**given)
    assert missing.value.code == "model_missing" and "06" in missing.value.fix
    # Drawn photos teach nothing about a person's own.
    model = str(work / "demo/models/colorizer.pth")
    with pytest.raises(NpyLabelError) as mixed:
        core.colorize(**given, model_path=model)
    assert mixed.value.code == "mixed_worlds"
    with pytest.raises(NpyLabelError) as mixed:
        core.colorize(work_dir=str(work), input_dir=str(photos), **common)
    assert mixed.value.code == "mixed_worlds" and str(photos) in mixed.value.what
    with pytest.raises(NpyLabelError) as labels:
        core.colorize(work_dir=str(work), labels_dir="lables", **common)
    assert labels.value.code == "labels_missing" and "lables" in labels.value.what
    with pytest.raises(NpyLabelError) as unknown:
        core.colorize(work_dir=str(work), label="травва", **common)
    assert unknown.value.code == "class_unknown" and "трава" in unknown.value.what
    assert not (tmp_path / "empty" / "colorized").exists()


def test_who_only_trains_gives_no_old_photos(tmp_path: Path) -> None:
    report = core.colorize(input_dir="", work_dir=str(tmp_path), language="en")
    assert report.facts == {"photos": 0, "colored": 0} and not [*tmp_path.iterdir()]


def test_missing_old_photos_are_said_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "tintora_dataset" / "color").mkdir(parents=True)
    draw_photo("небо", random_seed=1, size=(64, 64)).save(tmp_path / "tintora_dataset/color/a.png")
    given = {"dataset_dir": "tintora_dataset", "classes_path": "classes.json", "val_fraction": 0.15,
             "test_fraction": 0.1, "random_seed": 1, "output_dir": "colorized", "work_dir": str(tmp_path),
             "language": "en"}
    with pytest.raises(NpyLabelError) as error:
        core.check_inputs("train_colorizer", input_dir="old_photos", **given)
    assert error.value.code == "photos_missing" and "old_photos" in error.value.what
    assert "input_dir" in error.value.fix
    kept = tmp_path.with_name(f"{tmp_path.name} kept")
    kept.mkdir()
    with pytest.raises(NpyLabelError, match=str(kept / "old_photos")):
        core.check_inputs("train_colorizer", input_dir="old_photos", save_dir=str(kept), **given)
    with pytest.raises(NpyLabelError, match=str(Path.home() / "no_such_photos")):
        core.check_inputs("train_colorizer", input_dir="~/no_such_photos", save_dir=str(kept), **given)
    assert core.check_inputs("train_colorizer", input_dir="", **given).messages == [
        f"1 photos in {tmp_path / 'tintora_dataset'}, 0 of them with a label."]
    (tmp_path / "old_photos").mkdir()
    texture(1, 64, 64).save(tmp_path / "old_photos" / "a.png")
    assert core.check_inputs("train_colorizer", input_dir="old_photos", **given).messages[1].startswith("1 old photos")
    for label in ("травва", "трава: a | травва: b"):
        with pytest.raises(NpyLabelError, match="Did you mean 'трава'"):
            core.check_inputs("train_colorizer", input_dir="old_photos", label=label, **given)
    with pytest.raises(NpyLabelError, match="lables"):
        core.check_inputs("train_colorizer", input_dir="old_photos", labels_dir="lables", **given)


def test_old_prints_are_drawn_once_and_one_after_another(tmp_path: Path) -> None:
    assert write_demo_old_photos(tmp_path, photos_per_class=1) == 10
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()}
    (tmp_path / "scan_03.jpg").write_bytes(before["scan_03.jpg"][1][:500])
    write_demo_old_photos(tmp_path, photos_per_class=1)
    after = {path.name: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()}
    assert {name for name in before if before[name][0] != after[name][0]} == {"scan_03.jpg"}
    assert {name: data for name, (_inode, data) in before.items()} == {name: data for name, (_i, data) in after.items()}
    modes = {name: Image.open(tmp_path / name).mode for name in before}
    assert modes["scan_01.jpg"] == "L" and modes["scan_04.jpg"] == modes["scan_09.jpg"] == "RGB"
    bordered = np.asarray(Image.open(tmp_path / "scan_03.jpg"))
    assert bordered[:8].min() > 235 > bordered[40:-40, 40:-40].mean()
