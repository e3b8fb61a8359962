"""Two processes train as one does: the same photos, the same steps, files by the first alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from npylabel.base.errors import NpyLabelError
from npylabel.dataset.pixels import PixelStore
from npylabel.labeler import networks
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.photos.sources import list_photos
from npylabel.training import devices, planning
from npylabel.training.engine import TrainingModule
from npylabel.training.plan import Plan, Segment
from npylabel.training.states import read_state
from tests.labeler import kit
from tests.training import two_processes
from tests.training.test_engine import task_of


@pytest.fixture
def no_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks.nn, "Dropout", lambda _share: nn.Identity())
    monkeypatch.setattr(devices, "_work", two_processes.without_chance)
    monkeypatch.setattr(planning, "choose_precision", lambda _device: "32-true")


def gradients(share: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Of the loss of one process's rows of a batch of seven."""
    torch.manual_seed(0)
    task = task_of("minicnn", [3, 17, 40])
    module = TrainingModule(task, task.new_network(), task.recipe(), Plan({}, 10, (Segment(0, 10),)), 32, 7)
    module.share = share
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.integers(0, 256, (7, 32, 32, 3), dtype=np.uint8))
    torch.manual_seed(5)
    module.loss(pixels, torch.tensor([0, 1, 2, 0, 1, 2, 0])).backward()
    return {name: value.grad for name, value in module.network.named_parameters()}


@pytest.mark.usefixtures("no_dropout")
def test_the_mean_of_the_processes_is_that_of_one() -> None:
    whole, first, second = gradients((0, 1)), gradients((0, 2)), gradients((1, 2))
    for name, value in whole.items():
        torch.testing.assert_close((first[name] + second[name]) / 2, value, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(first["fc2.weight"], second["fc2.weight"])


@pytest.mark.usefixtures("no_dropout")
def test_two_processes_come_to_what_one_comes_to(data: Path, tmp_path: Path) -> None:
    one = kit.train(data, tmp_path / "one" / "m.pth", epochs=2)
    two = kit.train(data, tmp_path / "two" / "m.pth", epochs=2, devices=2)
    assert one.facts == two.facts and one.measured["epochs_now"] == two.measured["epochs_now"] == 2
    found, wanted = (read_state(tmp_path / name / "m.resume.ckpt") for name in ("two", "one"))
    for name, value in wanted["network"].items():
        torch.testing.assert_close(found["network"][name], value, rtol=1e-3, atol=1e-4)
    for row, other in zip(found["history"], wanted["history"], strict=True):
        assert {**row, "seconds": 0} == {**{k: pytest.approx(v, abs=2e-3) for k, v in other.items()}, "seconds": 0}
    assert {path.name for path in (tmp_path / "one").iterdir()} == {path.name for path in (tmp_path / "two").iterdir()}


def test_a_training_goes_on_with_more_processes(data: Path, tmp_path: Path) -> None:
    kit.train(data, tmp_path / "m.pth", network="smallresnet", epochs=1)
    report = kit.train(data, tmp_path / "m.pth", network="smallresnet", epochs=2, devices=2)
    assert report.measured["epochs_now"] == 1 and load_checkpoint(tmp_path / "m.last.pth").epoch == 2


def test_a_process_that_dies_ends_the_others(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_work", two_processes.dying)
    assert kit.train_error(data, tmp_path / "m.pth", devices=2) == "process_died"


@pytest.mark.parametrize(("changes", "code"), [
    ({"devices": 0}, "bad_parameter"), ({"devices": 3, "batch_size": 8}, "bad_parameter"),
])
def test_wrong_numbers_of_devices(data: Path, tmp_path: Path, changes: dict, code: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        kit.train(data, tmp_path / "m.pth", **changes)
    assert error.value.code == code


def test_more_devices_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(NpyLabelError, match="devices=1"):
        devices.refuse_impossible_devices(torch.device("cuda"), 2)


def test_pixels_travel_as_the_place_where_they_lie(data: Path) -> None:
    with PixelStore(list_photos([data]).refs[:3], 32, "crop") as store:
        light = devices._light(store.pixels)
        assert isinstance(light, devices._MappedPixels)
        assert np.array_equal(light.open(), store.pixels)
        # A part of a mapped file is not where the file begins.
        assert np.array_equal(devices._light(store.pixels[1:]), store.pixels[1:])
        light.path.unlink()
        assert np.array_equal(devices._light(store.pixels), store.pixels)
    assert np.array_equal(devices._light(np.ones((1, 2, 2, 3), np.uint8)), np.ones((1, 2, 2, 3)))


def test_auto_is_always_there() -> None:
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert devices.pick_device("auto").type == best
    assert devices.pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:7"])
def test_unknown_devices(name: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        devices.pick_device(name)
    assert error.value.code == "bad_parameter"
    assert repr(name) in error.value.what


def test_a_missing_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NpyLabelError) as error:
        devices.pick_device("cuda")
    assert error.value.code == "no_such_device"
