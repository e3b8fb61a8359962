"""The last layer fitted once more: what it is made of, when it is left alone, and that a run knows it again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from npylabel.labeler import refit
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.networks import create_network
from npylabel.labeler.predict import Predictor
from npylabel.labeler.refit import discriminants, refitted
from npylabel.labeler.task import LabelerTask
from npylabel.training.job import FitJob
from npylabel.training.model_files import weights_sha256
from npylabel.training.run_files import RunFiles
from npylabel.training.states import read_state
from tests.labeler import kit
from tests.labeler.label_kit import Killed, kill_at_call

CPU = torch.device("cpu")
PX = 32


def clouds(count: int, random_seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(features ``(3 * count, 4)``, targets): three classes along the first axis, wide along the second."""
    random = np.random.default_rng(random_seed)
    targets = np.repeat(np.arange(3), count)
    noise = random.normal(size=(3 * count, 4)) * (0.3, 8.0, 1.0, 1.0)
    return (np.outer(targets - 1.0, (1.0, 3.0, 0.0, 0.0)) + noise).astype(np.float32), targets


def test_discriminants_look_where_the_classes_differ() -> None:
    features, targets = clouds(400)
    weight, bias = discriminants(features, targets, 3)
    assert weight.shape == (3, 4) and bias.shape == (3,) and weight.dtype == torch.float64
    new, truth = clouds(200, 1)
    found = (torch.from_numpy(new.astype(np.float64)) @ weight.T + bias).argmax(1).numpy()
    # The nearest mean, without the spread, is right for about four of ten.
    means = np.stack([features[targets == place].mean(0) for place in range(3)])
    nearest = np.linalg.norm(new[:, None] - means, axis=2).argmin(1)
    assert (found == truth).mean() > 0.8 > 0.5 > (nearest == truth).mean()


def test_equally_likely_classes_whatever_their_numbers() -> None:
    features, targets = clouds(300)
    few = np.concatenate([np.flatnonzero(targets == 0)[:30], np.flatnonzero(targets != 0)])
    weight, bias = discriminants(features[few], targets[few], 3)
    means = torch.stack([torch.from_numpy(features[few][targets[few] == place]).double().mean(0) for place in (0, 1)])
    at_the_middle = means.mean(0) @ weight.T + bias
    assert float(at_the_middle[0]) == pytest.approx(float(at_the_middle[1]), abs=1e-6)


def test_a_checksum_tells_weights_apart() -> None:
    weights = create_network("resnet10", 4).state_dict()
    name = next(name for name in weights if name.endswith("weight"))
    other = {**weights, name: weights[name] * 1.0001}
    assert weights_sha256(weights) == weights_sha256(dict(reversed(weights.items())))
    assert weights_sha256(other) != weights_sha256(weights)


class Setting:
    """A network that was not trained, and pictures of three classes that differ in color."""

    def __init__(self, folder: Path, network: str = "resnet10", per_class: int = 20, judged: int = 5) -> None:
        random = np.random.default_rng(0)
        colors = np.array([(200, 60, 60), (60, 200, 60), (60, 60, 200)])
        classes = np.repeat(np.arange(3), per_class)
        noise = random.integers(-60, 55, (len(classes), PX, PX, 3))
        self.pixels = np.clip(colors[classes][:, None, None] + noise, 0, 255).astype(np.uint8)
        torch.manual_seed(0)
        table = kit.TABLE
        self.best = Checkpoint(
            create_network(network, len(table.ids)).state_dict(), network, 0, PX, "crop", [0.4] * 3, [0.25] * 3,
            table.to_json(), table.sha256, list(kit.SHOWN), "own", "", metrics={"epoch": 3, "val_accuracy": 0.0})
        rows = np.arange(len(classes)).reshape(3, per_class)
        self.job = FitJob(
            LabelerTask(table, self.best), self.pixels, classes, rows[:, judged:].ravel(), rows[:, :judged].ravel(),
            kit.settings(), RunFiles(folder / "m.pth"), {})

    def accuracy(self, labeler: Checkpoint) -> float:
        logits = Predictor(labeler, CPU).logits(self.pixels, self.job.val_rows)
        return float((logits.argmax(1).numpy() == self.job.targets[self.job.val_rows]).mean())


@pytest.mark.parametrize("network", ["resnet10", "minicnn"])
def test_an_untrained_network_learns_colors_by_its_last_layer(tmp_path: Path, network: str) -> None:
    setting = Setting(tmp_path, network)
    labeler, logits = refitted(setting.best, setting.job, CPU)
    assert torch.equal(logits, Predictor(labeler, CPU).logits(setting.pixels, setting.job.val_rows))
    assert setting.accuracy(setting.best) < 0.7 and setting.accuracy(labeler) == 1.0
    assert labeler.refit_of == weights_sha256(setting.best.state_dict)
    assert labeler.metrics["val_accuracy"] == 1.0 and labeler.metrics["epoch"] == 3
    before = setting.best.state_dict
    changed = [name for name, value in labeler.state_dict.items() if not torch.equal(value, before[name])]
    assert len(changed) == 2
    # The classes without photos keep what they had.
    weight = next(name for name in changed if name.endswith("weight"))
    rows = (labeler.state_dict[weight] != before[weight]).any(1)
    assert [class_id for class_id, row in zip(kit.TABLE.ids, rows, strict=True) if row] == list(kit.SHOWN)


def test_it_is_left_alone_without_photos_to_judge_by(tmp_path: Path) -> None:
    setting = Setting(tmp_path, judged=0)
    assert refitted(setting.best, setting.job, CPU)[0] is setting.best


def test_it_is_left_alone_where_nothing_gets_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(tmp_path)
    wrong = replace(setting.job, targets=np.where(
        np.isin(np.arange(len(setting.pixels)), setting.job.val_rows), (setting.job.targets + 1) % 3,
        setting.job.targets))
    monkeypatch.setattr(refit, "fit_temperature", lambda logits, targets: 1.0)
    assert refitted(setting.best, wrong, CPU)[0] is setting.best


def test_it_is_left_alone_with_one_photo_of_each_class(tmp_path: Path) -> None:
    setting = Setting(tmp_path, per_class=6)
    job = replace(setting.job, train_rows=setting.job.train_rows[:3], targets=np.arange(18) % 3)
    assert refitted(setting.best, job, CPU)[0] is setting.best


def test_a_finished_run_knows_its_refit_and_a_killed_one_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = kit.class_folders(tmp_path / "data", 12)
    with monkeypatch.context() as patch:
        kill_at_call(patch, refit, "refitted", 1)
        with pytest.raises(Killed):
            kit.train(data, tmp_path / "killed.pth", epochs=2)
    assert load_checkpoint(tmp_path / "killed.pth").refit_of == ""
    for name in ("killed", "unbroken"):
        kit.train(data, tmp_path / f"{name}.pth", epochs=2)
    first = (tmp_path / "unbroken.pth").read_bytes()
    labeler = load_checkpoint(tmp_path / "unbroken.pth")
    assert (tmp_path / "killed.pth").read_bytes() == first
    assert labeler.refit_of == weights_sha256(read_state(tmp_path / "unbroken.resume.ckpt")["best"]["weights"])
    calls: list[object] = []
    monkeypatch.setattr(refit, "refitted", lambda *given: calls.append(given))
    kit.train(data, tmp_path / "unbroken.pth", epochs=2)
    assert (tmp_path / "unbroken.pth").read_bytes() == first and not calls


def test_a_refit_of_other_weights_is_made_again(tmp_path: Path) -> None:
    data = kit.class_folders(tmp_path / "data", 12)
    kit.train(data, tmp_path / "m.pth", epochs=2)
    first = load_checkpoint(tmp_path / "m.pth")
    save_checkpoint(tmp_path / "m.pth", replace(first, refit_of="0" * 64))
    kit.train(data, tmp_path / "m.pth", epochs=2)
    again = load_checkpoint(tmp_path / "m.pth")
    assert again.refit_of == first.refit_of
    assert all(torch.equal(value, again.state_dict[name]) for name, value in first.state_dict.items())
