"""Training learns the right ids, leaves files that label at once, and names what it left out."""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset.build import build_training_data
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.label import label_photos
from tests.labeler import kit

MODEL_FILES = {"tiny_cnn.pth", "tiny_cnn.last.pth", "checkpoint_epoch_5.pth"}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_shapes_are_learned(trained: kit.Trained) -> None:
    assert trained.report.measured["val_macro_f1"] >= 0.9
    assert trained.report.facts["train"] + trained.report.facts["val"] == 42
    assert trained.report.facts["val"] == 6
    assert (trained.report.facts["classes"], trained.report.facts["made_from"]) == (3, "own")


def test_all_files_are_there(trained: kit.Trained) -> None:
    assert {path.name for path in trained.model_path.parent.iterdir()} == MODEL_FILES | {
        f"tiny_cnn.{end}" for end in ("run.json", "resume.ckpt", "resume.before.ckpt", "metrics.json", "history.csv",
                                      "per_class.csv", "confusion.csv", "predictions.csv", "thresholds.csv",
                                      "reliability.csv")}
    assert trained.report.facts["checkpoints"] == ["checkpoint_epoch_5.pth"]
    assert all(path.is_file() for path in trained.report.files.values())


@pytest.mark.parametrize("name", sorted(MODEL_FILES))
def test_each_model_file_labels_with_ids_of_the_table(trained: kit.Trained, tmp_path: Path, name: str) -> None:
    photos = kit.photo_folder(tmp_path / "color", 4)
    label_photos(photos, tmp_path / "labels", trained.model_path.parent / name, kit.TABLE, threshold=0, device="cpu")
    found = {path.stem: int(np.load(path)[0]) for path in (tmp_path / "labels").iterdir()}
    right = sum(class_id == kit.true_id(stem) for stem, class_id in found.items())
    assert len(found) == 12
    assert right >= 11


def test_tables_agree_with_the_metrics(trained: kit.Trained) -> None:
    base = trained.model_path
    metrics = json.loads(base.with_suffix(".metrics.json").read_text())
    history = rows_of(base.with_suffix(".history.csv"))
    assert metrics["epochs"] == 5 and [row["epoch"] for row in history] == list("12345")
    best = max(metrics["history"], key=lambda row: (row["val_macro_f1"], -row["val_loss"], row["epoch"]))
    assert metrics["best_epoch"] == best["epoch"] == load_checkpoint(base).epoch
    assert float(history[best["epoch"] - 1]["val_macro_f1"]) == metrics["best"]["val_macro_f1"]
    confusion = rows_of(base.with_suffix(".confusion.csv"))
    assert [row["true"] for row in confusion] == ["3", "17", "40"] and list(confusion[0]) == ["true", "3", "17", "40"]
    counts = np.array([[int(row[name]) for name in ("3", "17", "40")] for row in confusion])
    assert counts.sum() == 6
    assert counts.trace() / 6 == pytest.approx(metrics["best"]["val_accuracy"], abs=1e-4)
    per_class = {row["class_name"]: row for row in rows_of(base.with_suffix(".per_class.csv"))}
    assert {name: row["class_id"] for name, row in per_class.items()} == {"небо": "3", "дом": "17", "арбуз": "40"}


def test_an_honest_score(trained: kit.Trained) -> None:
    measured = trained.report.measured
    assert measured["test_photos"] == 12
    assert measured["test_accuracy"] >= 0.9 and measured["test_macro_f1"] >= 0.9
    assert json.loads(trained.model_path.with_suffix(".metrics.json").read_text())["test"]["photos"] == 12


def test_a_test_class_that_was_not_trained_counts_as_wrong(trained: kit.Trained, tmp_path: Path) -> None:
    models = shutil.copytree(trained.model_path.parent, tmp_path / "models")
    test_dir = kit.class_folders(tmp_path / "test", 4, ids=[3, 50], first=300)
    report = kit.train(trained.data_path, models / "tiny_cnn.pth", epochs=5, test_dir=test_dir)
    assert report.measured["epochs_now"] == 0
    assert report.measured["test_photos"] == 8
    assert report.measured["test_accuracy"] <= 0.5


def test_built_training_data_is_trained_as_it_was_split(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 8)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, fit="pad", workers=1, val_fraction=0.25)
    report = kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    sides = [row["split"] for row in rows_of(tmp_path / "data" / "split.csv")]
    assert (report.facts["train"], report.facts["val"]) == (sides.count("train"), sides.count("val")) == (18, 6)
    assert load_checkpoint(tmp_path / "m.pth").fit == "pad"
    assert not any("by hand" in line for line in report.messages)


def test_demo_data_makes_a_demo_model(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 6)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, workers=1, made_from="demo")
    kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    assert load_checkpoint(tmp_path / "m.pth").made_from == "demo"


def test_smallresnet_trains_and_labels(data: Path, tmp_path: Path) -> None:
    report = kit.train(data, tmp_path / "m.pth", network="smallresnet", epochs=2, input_px=48)
    losses = [row["train_loss"] for row in rows_of(tmp_path / "m.history.csv")]
    assert float(losses[1]) < float(losses[0])
    photos = kit.photo_folder(tmp_path / "color", 2)
    labels = label_photos(photos, tmp_path / "labels", tmp_path / "m.pth", kit.TABLE, device="cpu")
    assert labels.facts["labels"] == 6
    assert report.facts["network"] == "smallresnet"


def test_a_last_batch_of_one_photo_trains(data: Path, tmp_path: Path) -> None:
    # 8 photos of 3 classes, one of each held out: 21 photos are 5 batches of 4 and one alone.
    report = kit.train(data, tmp_path / "m.pth", network="smallresnet", epochs=1, batch_size=4)
    assert report.facts["train"] == 21
    assert report.facts["epochs"] == 1


def test_one_class_is_too_few(tmp_path: Path) -> None:
    assert kit.train_error(kit.class_folders(tmp_path / "data", 5, ids=[17]), tmp_path / "m.pth") == "one_class"
    (tmp_path / "empty").mkdir()
    assert kit.train_error(tmp_path / "empty", tmp_path / "m.pth") == "no_train_data"
    assert kit.train_error(tmp_path / "missing", tmp_path / "m.pth") == "no_train_data"


def test_a_folder_of_another_name_is_told(tmp_path: Path) -> None:
    data_path = kit.class_folders(tmp_path / "data", 3)
    (data_path / "дом").rename(data_path / "дома")
    with pytest.raises(NpyLabelError, match=r"(?s)'дома'.*'дом'"):
        kit.train(data_path, tmp_path / "m.pth")


def test_an_unreadable_photo_is_left_out_and_named(tmp_path: Path) -> None:
    data_path = kit.class_folders(tmp_path / "data", 6)
    (data_path / "дом" / "bad.png").write_bytes(b"no picture at all")
    report = kit.train(data_path, tmp_path / "m.pth", epochs=1)
    assert report.facts["train"] + report.facts["val"] == 18
    assert any("bad.png" in line and "not_an_image" in line for line in report.messages)


def test_a_listed_photo_that_is_damaged_now_is_left_out_and_named(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 6)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, workers=1)
    path = tmp_path / "data" / next(row["path"] for row in rows_of(tmp_path / "data" / "split.csv")
                                    if row["split"] == "train")
    path.write_bytes(path.read_bytes()[:300])
    report = kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    assert any(path.name in line and "truncated" in line for line in report.messages)
    assert report.facts["train"] + report.facts["val"] == 17


def test_an_unreadable_test_photo_is_left_out_and_named(data: Path, tmp_path: Path) -> None:
    test_dir = kit.class_folders(tmp_path / "test", 2, first=300)
    (test_dir / "дом" / "bad.png").write_bytes(b"no picture at all")
    report = kit.train(data, tmp_path / "m.pth", epochs=1, test_dir=test_dir)
    assert report.measured["test_photos"] == 6
    assert any("bad.png" in line for line in report.messages)


def test_the_test_photos_may_be_in_a_zip(data: Path, tmp_path: Path) -> None:
    test_dir = kit.class_folders(tmp_path / "test", 2, first=300)
    with zipfile.ZipFile(tmp_path / "test.zip", "w") as file:
        for path in test_dir.rglob("*.png"):
            file.write(path, path.relative_to(test_dir).as_posix())
    report = kit.train(data, tmp_path / "m.pth", epochs=1, test_dir=tmp_path / "test.zip")
    assert report.measured["test_photos"] == 6


def test_a_wrong_test_dir_is_told_before_training(data: Path, tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    assert kit.train_error(data, tmp_path / "models" / "m.pth", test_dir=tmp_path / "test") == "no_class_photos"
    assert not list(tmp_path.rglob("*.pth"))


@pytest.mark.parametrize(("depth", "input_px"), [(8, 128), (6, 32)])
def test_pictures_too_small_for_the_depth_are_refused(data: Path, tmp_path: Path, depth: int, input_px: int) -> None:
    assert kit.train_error(data, tmp_path / "m.pth", depth=depth, input_px=input_px) == "bad_parameter"


@pytest.mark.parametrize("changes", [
    {"epochs": 0}, {"batch_size": 1}, {"input_px": 16}, {"input_px": 1024}, {"minutes": -1}, {"epochs": 10**6},
])
def test_settings_have_limits(changes: dict) -> None:
    with pytest.raises(NpyLabelError) as error:
        kit.settings(**changes)
    assert error.value.code == "bad_parameter"
    name, value = next(iter(changes.items()))
    assert name in error.value.what and str(value) in error.value.what


def test_minutes_end_the_training(data: Path, tmp_path: Path) -> None:
    # A millisecond is less than a step: the first one is the last, whatever epochs says.
    report = kit.train(data, tmp_path / "m.pth", minutes=0.001 / 60, epochs=50)
    assert report.facts["epochs"] == pytest.approx(1 / 3, abs=1e-4)
    assert load_checkpoint(tmp_path / "m.pth").epoch == report.facts["epochs"]


def test_without_validation_photos(data: Path, tmp_path: Path) -> None:
    few = kit.class_folders(tmp_path / "data", 1)
    report = kit.train(few, tmp_path / "m.pth", epochs=2)
    assert (report.facts["train"], report.facts["val"]) == (3, 0)
    assert "val_macro_f1" not in report.measured and report.measured["temperature"] == 1.0
    assert not (tmp_path / "m.confusion.csv").exists()


def test_a_class_whose_photos_are_all_unreadable_was_not_trained(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 5)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, workers=1)
    for path in (tmp_path / "data" / "дом").iterdir():
        path.write_bytes(b"")
    kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    assert load_checkpoint(tmp_path / "m.pth").trained_ids == [3, 40]


def test_all_listed_photos_damaged(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 4)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, workers=1)
    for path in (tmp_path / "data").rglob("*.png"):
        path.write_bytes(b"")
    assert kit.train_error(tmp_path / "data", tmp_path / "m.pth", epochs=1) in ("no_train_data", "one_class")
