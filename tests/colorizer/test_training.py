"""A colorizer learns: colors that the label alone tells, from the user's photos alone, and goes on after a kill."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import find_places
from npylabel.base.report import StepReport
from npylabel.base.trip import carried
from npylabel.colorizer.model import load_colorizer
from npylabel.colorizer.network_painter import NetworkPainter
from npylabel.colorizer.painter import paint_one
from npylabel.colorizer.photo_labels import Known
from npylabel.colorizer.recipe import ColorRecipe, color_recipe
from npylabel.colorizer.task import ColorizerTask
from npylabel.colorizer.train import chroma, train_on_dataset
from npylabel.dataset.dataset_photos import load_dataset_photos
from npylabel.dataset.labels import write_label
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.training.settings import TrainSettings
from tests.colorizer.color_kit import GRASS, SKY, TABLE, UNKNOWN, gray_photo
from tests.photos.collect_kit import lay_file

CPU = torch.device("cpu")
# RGB factors: what looks the same in gray is blue as sky and green as grass.
TINTS = {SKY: (0.75, 0.95, 1.25), GRASS: (0.8, 1.15, 0.6)}


def tinted(class_id: int, seed: int) -> Image.Image:
    gray = np.asarray(gray_photo(seed, 40, 40, 60, 190), np.float32)[..., None]
    return Image.fromarray((gray * TINTS[class_id]).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 photos of sky and grass with labels, and one without colors."""
    root = tmp_path_factory.mktemp("data")
    for folder in ("color", "labels"):
        (root / folder).mkdir()
    for number in range(60):
        class_id = (SKY, GRASS)[number % 2]
        tinted(class_id, number).save(root / f"color/p{number:02}.png")
        write_label(root / f"labels/p{number:02}.npy", class_id)
    gray_photo(99, 40, 40).convert("RGB").save(root / "color/old.png")
    return root


def train(
    dataset: Path, save_path: Path, recipe: ColorRecipe | None = None, *, table: ClassTable = TABLE,
    watch: Callable | None = None, namer: Callable | None = None, **changes: object,
) -> StepReport:
    settings = TrainSettings("joint_light", 0, 32, 12, 8, 0, "cpu", 1)
    data = load_dataset_photos(dataset, table, val_fraction=0.15, test_fraction=0.15, random_seed=1)
    recipe = recipe or ColorRecipe(sizes=((1.0, 1.0),), learning_rate=3e-3)
    return train_on_dataset(data, save_path, table, replace(settings, **changes), recipe, watch=watch, namer=namer)


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StepReport]:
    save_path = tmp_path_factory.mktemp("model") / "colorizer.pth"
    return save_path, train(dataset, save_path)


def test_told_what_it_is_the_network_colors_better(trained: tuple[Path, StepReport]) -> None:
    test, facts = {way: trained[1].measured[f"test_{way}"] for way in ("gray", "free", "label")}, trained[1].facts
    assert (facts["without_colors"], facts["photos"], facts["epochs"]) == (1, 60, 12)
    assert trained[1].measured["classes"] == 2
    # Two colors look alike in gray: without the label the best answer lies between them.
    assert test["label"]["mse_ab"] < 0.3 * test["free"]["mse_ab"] < 0.6 * test["gray"]["mse_ab"]
    assert test["label"]["ciede2000"] < test["free"]["ciede2000"] < test["gray"]["ciede2000"]
    assert test["gray"]["colorfulness"] < 1 < test["label"]["colorfulness"]
    rows = json.loads(trained[0].with_suffix(".metrics.json").read_text())["history"]
    assert rows[-1]["val_mse_label"] < 0.3 * rows[0]["val_mse_label"]


def test_the_label_decides_the_color(trained: tuple[Path, StepReport]) -> None:
    painter = NetworkPainter(load_colorizer(trained[0]), CPU)
    gray = np.asarray(gray_photo(500, 64, 64, 60, 190), np.float32) / 255
    light = torch.from_numpy(gray)[None, None]
    sight = painter.see(light)
    sky, grass = (sight.paint(torch.tensor([class_id])).mean((0, 2, 3)) for class_id in (SKY, GRASS))
    assert sky[1] < -0.03 and grass[1] > 0.1, "b*: blue below, yellow above"
    assert grass[0] < -0.05, "a*: green below"
    other, untaught = (sight.paint(torch.tensor([class_id])) for class_id in (-1, 8))
    assert torch.equal(other, untaught), "a class that was not taught tells nothing"
    assert sight.probabilities.shape == (1, 2)


@pytest.mark.parametrize("has_labels", [False, True])
def test_where_no_label_was_told_none_is_named_or_changes_colors(
    dataset: Path, tmp_path: Path, has_labels: bool
) -> None:
    source = tmp_path / "data"
    shutil.copytree(dataset, source)
    if not has_labels:
        shutil.rmtree(source / "labels")
    train(source, tmp_path / "c.pth", ColorRecipe(label_dropout=1.0 if has_labels else 0.5, sizes=((1.0, 1.0),)),
          epochs=1)
    model = load_colorizer(tmp_path / "c.pth")
    assert model.class_ids == ([SKY, GRASS] if has_labels else [UNKNOWN])
    sight = NetworkPainter(model, CPU).see(torch.rand(1, 1, 64, 64))
    assert torch.equal(sight.paint(torch.tensor([model.class_ids[0]])), sight.paint(torch.tensor([-1])))
    if not has_labels:
        guessed = paint_one(NetworkPainter(model, CPU), torch.rand(1, 1, 64, 64), Known(), 0.5, TABLE.unknown_id)
        assert (guessed.class_id, guessed.source, guessed.likeliest) == (None, "", [])


def test_a_training_of_few_photos_is_told_what_to_expect(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    train(dataset, tmp_path / "c.pth", epochs=1)
    assert "sees 44 photos in all" in capsys.readouterr().out
    few = ColorizerTask(load_colorizer(tmp_path / "c.pth"), ColorRecipe())
    assert few.expectation(250, 40) == "" != few.expectation(249, 40)


def test_a_finished_training_goes_on(dataset: Path, tmp_path: Path) -> None:
    first = train(dataset, tmp_path / "c.pth", epochs=1)
    again = train(dataset, tmp_path / "c.pth", epochs=1)
    more = train(dataset, tmp_path / "c.pth", epochs=2)
    assert [report.measured["epochs_now"] for report in (first, again, more)] == [1, 0, 1]
    other = train(dataset, tmp_path / "c.pth", ColorRecipe(color_loss="l1"), epochs=1)
    assert other.measured["epochs_now"] == 1 and any("archive" in text for text in other.messages)


def test_a_class_with_another_name_is_still_the_same(dataset: Path, tmp_path: Path) -> None:
    train(dataset, tmp_path / "c.pth", epochs=1)
    renamed = ClassTable({**TABLE.names, SKY: "облака"}, TABLE.unknown_id)
    again = train(dataset, tmp_path / "c.pth", epochs=2, table=renamed)
    assert again.measured["epochs_now"] == 1 and again.facts["epochs"] == 2


def test_colors_can_be_chosen_instead_of_said(dataset: Path, tmp_path: Path) -> None:
    report = train(dataset, tmp_path / "c.pth", replace(color_recipe("bins"), sizes=((1.0, 1.0),), learning_rate=3e-3))
    test = {way: report.measured[f"test_{way}"] for way in ("gray", "label")}
    assert test["label"]["mse_ab"] < 0.3 * test["gray"]["mse_ab"]
    model = load_colorizer(tmp_path / "c.pth")
    assert model.options["bins"] == len(model.state_dict["bin_centers"]) > 200
    # Blue and green pixels are all there is: a bin of red counts more.
    weights, centers = model.state_dict["bin_weights"], model.state_dict["bin_centers"]
    red, sky = (int((centers - torch.tensor(ab)).square().sum(1).argmin()) for ab in ((0.5, 0.3), (0.0, -0.15)))
    assert weights[red] > 2 * weights[sky]
    ab = NetworkPainter(model, CPU).see(torch.rand(1, 1, 64, 96)).paint(torch.tensor([SKY]))
    assert ab.shape == (1, 2, 16, 24) and ab.mean((0, 2, 3))[1] < -0.03


def test_each_epoch_leaves_a_strip_of_the_same_photos(dataset: Path, tmp_path: Path) -> None:
    seen = []
    train(dataset, tmp_path / "c.pth", epochs=2, watch=seen.append)
    folder = tmp_path / "c.samples"
    names = ["epoch_0001.jpg", "epoch_0002.jpg", "gray.jpg", "true.jpg"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert seen == [folder / "epoch_0001.jpg", folder / "epoch_0002.jpg"]
    gray, true, last = (np.asarray(Image.open(folder / name), np.float32)
                        for name in ("gray.jpg", "true.jpg", "epoch_0002.jpg"))
    assert gray.shape == true.shape == last.shape == (128, 8 * 128, 3)
    assert np.ptp(gray, axis=2).max() < 8 and np.ptp(true, axis=2).mean() > 30
    # The same photos in the same order: only their colors differ.
    assert np.abs(gray.mean(2) - true.mean(2)).mean() < 25 and np.abs(last - gray).mean() > 1


def test_a_namer_is_asked_about_each_way(dataset: Path, tmp_path: Path) -> None:
    def namer(photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Names a photo by its bluest channel, and sees its mean color."""
        means = photos.mean((1, 2))
        return (means[:, 2] > means[:, 1]).astype(np.int64), means

    measured = train(dataset, tmp_path / "c.pth", namer=namer).measured
    ways = {way: measured[f"test_{way}"] for way in ("gray", "free", "label")}
    assert ways["label"]["named_alike"] == 1.0 and ways["gray"]["named_alike"] < 0.8
    assert ways["label"]["frechet"] < 0.2 * ways["gray"]["frechet"]


@pytest.mark.parametrize(("given", "name"), [
    (("msse",), "color_loss"), (("mse", -1), "class_weight"), (("mse", 0, -0.1), "colorfulness_weight"),
    (("mse", 0, 0, 1.5), "label_dropout")])
def test_a_recipe_that_cannot_be_is_refused(given: tuple, name: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        color_recipe(*given)
    assert error.value.code == "bad_parameter" and error.value.what.startswith(name)


def test_the_weight_of_classes_suits_the_loss() -> None:
    assert color_recipe("bins").class_weight > 10 * color_recipe("mse").class_weight
    assert color_recipe("l1", 0.25).class_weight == 0.25


def test_a_labeler_cannot_be_taken_for_a_colorizer(trained: tuple[Path, StepReport]) -> None:
    with pytest.raises(NpyLabelError) as error:
        load_checkpoint(trained[0])
    assert error.value.code == "model_kind" and "03" in error.value.fix


@pytest.mark.parametrize(("changes", "code"), [
    ({"input_px": 100}, "bad_parameter"), ({"network": "resnet10"}, "network_unknown"),
])
def test_what_cannot_be_is_refused_before_anything_is_written(
    dataset: Path, tmp_path: Path, changes: dict, code: str
) -> None:
    with pytest.raises(NpyLabelError) as error:
        train(dataset, tmp_path / "models" / "c.pth", **changes)
    assert error.value.code == code and not (tmp_path / "models").exists()


def test_photos_without_colors_teach_none(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "color").mkdir()
    for number in range(4):
        gray_photo(number, 40, 40).convert("RGB").save(tmp_path / f"color/{number}.jpg", quality=60)
    with pytest.raises(NpyLabelError) as error:
        train(tmp_path, tmp_path / "c.pth")
    assert error.value.code == "no_color" and "4" in error.value.what


def test_chroma_is_in_units_of_lab() -> None:
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    pixels[1] = (255, 0, 0)
    # sRGB red: a* 80.1, b* 67.2.
    assert chroma(pixels).tolist() == pytest.approx([0, 104.6], abs=0.2)


def test_the_checkpoints_of_a_labeler_in_the_same_folder_stay(dataset: Path, tmp_path: Path) -> None:
    labeler = [tmp_path / name for name in ("tiny_cnn.pth", "tiny_cnn.run.json", "checkpoint_epoch_5.pth")]
    for path in labeler:
        path.write_bytes(b"labeler's")
    train(dataset, tmp_path / "colorizer.pth", epochs=5)
    own = tmp_path / "colorizer_checkpoint_epoch_5.pth"
    assert load_colorizer(own).epoch == 5
    train(dataset, tmp_path / "colorizer.pth", ColorRecipe(color_loss="l1"), epochs=1)
    assert not own.exists() and load_colorizer(tmp_path / "archive/colorizer_1" / own.name).epoch == 5
    assert [path.read_bytes() for path in labeler] == [b"labeler's"] * 3


@carried
def train_colorizer(
    *, dataset_dir: str = "dataset", save_path: str = "models/colorizer.pth", epochs: int = 1, work_dir: str = "",
    save_dir: str = "", language: str = "en",
) -> StepReport:
    """Train as step 06 does."""
    places = find_places(work_dir, save_dir)
    return train(places.path(dataset_dir), places.path(save_path), epochs=epochs)


def test_a_fresh_machine_goes_on_with_the_training(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    shutil.copytree(dataset, tmp_path / "a/dataset")
    for name in ("dataset/bw/p00.png", "models/tiny_cnn.pth", "models/checkpoint_epoch_5.pth", "train_data/дом/x.png"):
        lay_file(tmp_path / "a" / name, b"not needed")
    (tmp_path / "drive").mkdir()
    done = [train_colorizer(epochs=epochs, work_dir=str(tmp_path / machine), save_dir=str(tmp_path / "drive"))
            .measured["epochs_now"] for machine, epochs in (("a", 1), ("b", 1), ("c", 2))]
    assert done == [1, 0, 1]
    assert {path.name for path in (tmp_path / "c").iterdir()} - {".courier"} == {"dataset", "models"}
    assert {path.name for path in (tmp_path / "c/dataset").iterdir()} == {"color", "labels"}
    assert not list((tmp_path / "c/models").glob("tiny*")) and not list((tmp_path / "c/models").glob("check*"))
