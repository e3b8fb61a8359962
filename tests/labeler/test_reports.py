"""The tables of a training tell what the model says of each validation photo, at each threshold and confidence."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from npylabel.base.tables import read_csv
from npylabel.dataset.training_data import TrainPhoto
from npylabel.labeler.calibration import calibration_error, cross_fitted, judge
from npylabel.labeler.checkpoint import load_checkpoint, save_checkpoint
from npylabel.labeler.label import label_photos
from npylabel.labeler.reports import Findings, write_reports
from npylabel.photos.sources import PhotoRef
from npylabel.training.run_files import RunFiles
from tests.labeler import kit
from tests.labeler.test_checkpoint import small

IDS = [3, 17, 40]


def photo(class_id: int, number: int) -> TrainPhoto:
    """A validation photo that need not exist."""
    path = Path("/data") / kit.TABLE.names[class_id] / f"{number}.png"
    return TrainPhoto(PhotoRef(path.name, path), class_id, "val", "")


def report(tmp_path: Path, logits: list[list[float]], columns: list[int], temperature: float = 1.0) -> Findings:
    """The findings on photos with these logits and classes."""
    photos = [photo(IDS[column], number) for number, column in enumerate(columns)]
    best = small(trained_ids=IDS, temperature=temperature)
    return write_reports(RunFiles(tmp_path / "m.pth"), best, photos, Path("/data"), torch.tensor(logits),
                         torch.tensor(columns), kit.TABLE)


def test_predictions_are_the_hardest_first(tmp_path: Path) -> None:
    # Softmax of log-probabilities gives them back; temperature 2 takes square roots.
    shares = np.array([[0.81, 0.09, 0.10], [0.5, 0.25, 0.25], [0.01, 0.01, 0.98]])
    report(tmp_path, np.log(shares).tolist(), [0, 1, 2], temperature=2.0)
    rows = read_csv(tmp_path / "m.predictions.csv")
    assert [row["path"] for row in rows] == ["дом/1.png", "небо/0.png", "арбуз/2.png"]
    assert [(row["true_id"], row["true"], row["predicted_id"], row["predicted"]) for row in rows] == [
        ("17", "дом", "3", "небо"), ("3", "небо", "3", "небо"), ("40", "арбуз", "40", "арбуз")]
    roots = np.sqrt(shares) / np.sqrt(shares).sum(1, keepdims=True)
    assert [float(row["confidence"]) for row in rows] == pytest.approx(roots.max(1)[[1, 0, 2]], abs=1e-4)
    losses = -np.log([roots[1, 1], roots[0, 0], roots[2, 2]])
    assert [float(row["loss"]) for row in rows] == pytest.approx(losses, abs=1e-4)


def test_thresholds_for_all_and_for_each_class(tmp_path: Path) -> None:
    sure, wrong = [6.0, 0, 0], [0, 6.0, 0]
    findings = report(tmp_path, [sure] * 30 + [wrong] * 10 + [[0.2, 0.1, 0.0]] * 10, [0] * 40 + [1] * 10)
    rows = read_csv(tmp_path / "m.thresholds.csv")
    assert len(rows) == 3 * 19 and [row["class_name"] for row in rows[::19]] == ["", "небо", "дом"]
    at = {(row["class_id"], row["threshold"]): (row["photos"], row["unknown_share"], row["right_share"])
          for row in rows}
    assert at["", "0.5"] == ("50", "0.2", "0.75")
    assert at["3", "0.5"] == ("40", "0.0", "0.75") and at["17", "0.5"] == ("10", "1.0", "")
    assert at["", "0.05"] == ("50", "0.0", "0.6")
    assert findings.messages[0].startswith("At 0.5, 20 % become unknown and 75 % of the rest are right")
    assert findings.metrics["advised_threshold"] is None


def test_the_error_of_before_and_of_after(tmp_path: Path) -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(400, 3, generator=random)
    targets = torch.multinomial(torch.softmax(logits, 1), 1, generator=random)[:, 0]
    findings = report(tmp_path, (logits * 3).tolist(), targets.tolist(), temperature=3.0)
    found = findings.metrics["calibration"]
    before = judge(logits * 3, targets)
    assert found["error_before"] == pytest.approx(calibration_error(before), abs=1e-4)
    assert found["adaptive_error_before"] == pytest.approx(calibration_error(before, adaptive=True), abs=1e-4)
    assert found["error_after"] < 0.07 < 0.2 < found["error_before"]
    assert (found["photos"], found["temperature"]) == (400, 3.0)
    assert f"{found['error_before']} before the temperature, {found['error_after']} after it" in findings.messages[2]
    # The thresholds are told of the calibrated confidence: at 0.9 the boasting logits would keep far more.
    shares = {row["threshold"]: float(row["unknown_share"]) for row in read_csv(tmp_path / "m.thresholds.csv")[:19]}
    after = cross_fitted(logits * 3, targets)
    boasting, calibrated = (float((part.confidence < 0.9).mean()) for part in (before, after))
    assert shares["0.9"] == pytest.approx(calibrated, abs=1e-4) and calibrated > boasting + 0.2
    rows = read_csv(tmp_path / "m.reliability.csv")
    for when, count in (("before", 400), ("after", 400)):
        part = [row for row in rows if row["temperature"] == when]
        assert sum(int(row["photos"]) for row in part) == count
        assert all(float(row["low"]) - 1e-4 <= float(row["confidence"]) <= float(row["high"]) + 1e-4 for row in part)
        error = sum(int(row["photos"]) * abs(float(row["confidence"]) - float(row["accuracy"])) for row in part) / count
        assert error == pytest.approx(found[f"error_{when}"], abs=2e-4)


def test_no_validation_photos_write_nothing(tmp_path: Path) -> None:
    empty = torch.zeros(0, 3)
    found = write_reports(RunFiles(tmp_path / "m.pth"), small(trained_ids=IDS), [], Path("/data"), empty,
                          torch.zeros(0, dtype=torch.long), kit.TABLE)
    assert found == Findings() and not list(tmp_path.iterdir())


# --- in a training ---------------------------------------------------------------------------------------------------


def test_a_training_tells_of_the_photos_that_it_held_out(trained: kit.Trained) -> None:
    rows = read_csv(trained.model_path.with_suffix(".predictions.csv"))
    assert len(rows) == trained.report.facts["val"]
    for row in rows:
        assert (trained.data_path / row["path"]).is_file()
        assert row["path"].split("/")[0] == row["true"] and kit.true_id(Path(row["path"]).stem) == int(row["true_id"])
    right = sum(row["true_id"] == row["predicted_id"] for row in rows)
    assert right / len(rows) == pytest.approx(trained.report.measured["val_accuracy"], abs=1e-4)
    metrics = json.loads(trained.model_path.with_suffix(".metrics.json").read_text())
    assert metrics["calibration"]["photos"] == len(rows)
    assert metrics["calibration"]["temperature"] == load_checkpoint(trained.model_path).temperature
    assert any(line.startswith("At 0.5, ") for line in trained.report.messages)


def test_what_a_threshold_does_is_recalled_when_labeling(trained: kit.Trained, tmp_path: Path) -> None:
    photos = kit.photo_folder(tmp_path / "color", 1)
    judged = load_checkpoint(trained.model_path).judged
    share = sum(value < 0.99 for value in judged["confidence"]) / len(judged["confidence"])
    found = label_photos(photos, tmp_path / "labels", trained.model_path, kit.TABLE, threshold=0.99, device="cpu")
    sentences = [line for line in found.messages if line.startswith("At 0.99, ")]
    assert sentences and (f"{round(100 * share)} %" in sentences[0] or "all validation photos" in sentences[0])


def test_a_model_of_before_labels_without_that_sentence(trained: kit.Trained, tmp_path: Path) -> None:
    content = torch.load(trained.model_path, weights_only=True)
    del content["judged"]
    torch.save(content, tmp_path / "old.pth")
    photos = kit.photo_folder(tmp_path / "color", 1)
    found = label_photos(photos, tmp_path / "labels", tmp_path / "old.pth", kit.TABLE, device="cpu")
    assert found.facts["labels"] == 3 and not any("validation" in line for line in found.messages)


def test_a_training_killed_before_its_report_ends_in_the_same_files(trained: kit.Trained, tmp_path: Path) -> None:
    models = shutil.copytree(trained.model_path.parent, tmp_path / "models")
    names = ["tiny_cnn.pth", "tiny_cnn.predictions.csv", "tiny_cnn.thresholds.csv", "tiny_cnn.reliability.csv"]
    before = {name: (models / name).read_bytes() for name in names}
    save_checkpoint(models / names[0], dataclasses.replace(load_checkpoint(models / names[0]), judged={}))
    for name in names[1:]:
        (models / name).unlink()
    found = kit.train(trained.data_path, models / names[0], epochs=5)
    assert found.measured["epochs_now"] == 0
    assert {name: (models / name).read_bytes() for name in names} == before
