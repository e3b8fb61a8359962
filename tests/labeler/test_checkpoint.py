"""A model file says all about itself, runs no code, and is refused in words where it does not fit."""

import dataclasses
import os
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base.classes import UNKNOWN_NAME
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import sha256_file
from npylabel.dataset.training_data import load_training_data
from npylabel.labeler.checkpoint import (
    LABELER,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from npylabel.labeler.networks import create_network
from npylabel.training.model_files import refuse_other_world
from tests.labeler import kit


def small(**changes: object) -> Checkpoint:
    """A checkpoint of two small tensors."""
    values = {
        "state_dict": {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(3)}, "network": "minicnn", "depth": 0,
        "input_px": 32, "fit": "pad", "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "classes": kit.TABLE.to_json(),
        "classes_sha256": kit.TABLE.sha256, "trained_ids": [3, 40], "made_from": "own", "split_sha256": "f" * 64,
        "temperature": 1.25, "epoch": 7, "metrics": {"val_loss": 0.5}}
    return Checkpoint(**{**values, **changes})


def code_of(path: Path) -> str:
    """The code of the error that the file gives."""
    with pytest.raises(NpyLabelError) as error:
        load_checkpoint(path)
    assert str(path) in error.value.what
    return error.value.code


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "m.pth"
    save_checkpoint(path, small())
    return path


def test_what_is_saved_comes_back(saved: Path) -> None:
    found, wanted = (dataclasses.asdict(value) for value in (load_checkpoint(saved), small()))
    tensors = found.pop("state_dict"), wanted.pop("state_dict")
    assert found == wanted
    assert list(tensors[0]) == ["a", "b"]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in "ab")
    assert [path.name for path in saved.parent.iterdir()] == ["m.pth"]


def test_a_trained_model_explains_itself(trained: kit.Trained) -> None:
    content = torch.load(trained.model_path, map_location="cpu", weights_only=True)
    assert content["format"] == LABELER.format
    assert content["classes"] == {
        "names": {"3": "небо", "17": "дом", "40": "арбуз", "50": "лес", "99": UNKNOWN_NAME}, "unknown_id": 99}
    assert content["classes_sha256"] == kit.TABLE.sha256
    assert content["trained_ids"] == [3, 17, 40]
    assert (content["network"], content["depth"], content["input_px"], content["fit"]) == ("minicnn", 0, 32, "crop")
    assert content["made_from"] == "own"
    assert all(0 < value < 1 for value in (*content["mean"], *content["std"]))
    assert content["temperature"] >= 1
    assert content["metrics"]["val_macro_f1"] >= 0.9 and content["metrics"]["epoch"] == content["epoch"]
    assert content["parameters"]["batch_size"] == 8 and content["parameters"]["random_seed"] == 7
    assert set(content["versions"]) == {"npylabel", "torch", "python"}
    assert all(type(text) is str for text in content["versions"].values())
    create_network("minicnn", 5).load_state_dict(content["state_dict"])


def test_mean_and_deviation_are_those_of_the_training_photos(trained: kit.Trained) -> None:
    files = {sha256_file(path): path for path in trained.data_path.rglob("*.png")}
    data = load_training_data(trained.data_path, kit.TABLE, val_fraction=0.15, random_seed=7)
    images = [Image.open(files[photo.sha256]).resize((32, 32), Image.Resampling.LANCZOS) for photo in data.of("train")]
    values = torch.tensor(np.stack([np.asarray(image) for image in images])).view(-1, 3).double() / 255
    model = load_checkpoint(trained.model_path)
    torch.testing.assert_close(torch.tensor(model.mean).double(), values.mean(0), rtol=0, atol=1e-3)
    torch.testing.assert_close(torch.tensor(model.std).double(), values.std(0), rtol=0, atol=1e-3)


def test_a_missing_file(tmp_path: Path) -> None:
    assert code_of(tmp_path / "no.pth") == "model_missing"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_cut_file_is_damaged(saved: Path, share: float) -> None:
    data = saved.read_bytes()
    saved.write_bytes(data[:int(len(data) * share)])
    assert code_of(saved) == "model_damaged"


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_garbage_is_a_clear_error(tmp_path: Path) -> None:
    draw, codes = random.Random(1), set()
    for head in (b"", b"\x80\x02", b"\x80\x04", b"PK\x03\x04"):
        for _attempt in range(40):
            path = tmp_path / "garbage.pth"
            path.write_bytes(head + draw.randbytes(draw.randrange(1, 60)))
            codes.add(code_of(path))
    assert codes == {"model_damaged"}


@pytest.mark.parametrize("content", [
    [1, 2], torch.zeros(3), {}, {"weights": torch.zeros(2)}, {"format": "npylabel-labeler/9"}, {"format": "x"},
])
def test_other_files_of_torch_are_foreign(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "other.pth")
    assert code_of(tmp_path / "other.pth") == "model_foreign"


@pytest.mark.parametrize(("found", "said"), [
    ("npylabel-colorizer/1", "a colorizer"), ("npylabel-training/2", "state of a training"),
])
def test_another_file_of_the_workbook_is_called_by_its_name(tmp_path: Path, found: str, said: str) -> None:
    torch.save({"format": found, "state_dict": {}}, tmp_path / "other.pth")
    with pytest.raises(NpyLabelError) as error:
        load_checkpoint(tmp_path / "other.pth")
    assert error.value.code == "model_kind"
    assert said in error.value.what and "a labeler" in error.value.what and "notebook 03" in error.value.fix


@pytest.mark.parametrize("change", [{"network": None}, {"future": 1}])
def test_missing_fields_are_a_clear_error(saved: Path, change: dict) -> None:
    content = torch.load(saved, weights_only=True)
    content = {name: value for name, value in {**content, **change}.items() if value is not None}
    torch.save(content, saved)
    assert code_of(saved) in ("model_damaged", "model_foreign")


class Evil:
    """Leaves a mark in the file system when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_pickle_is_not_executed(tmp_path: Path, writer: str) -> None:
    path, mark = tmp_path / "evil.pth", tmp_path / "mark"
    content = {"format": LABELER.format, "state_dict": Evil(mark)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(NpyLabelError) as error:
        load_checkpoint(path)
    assert error.value.code == "model_damaged"
    assert not mark.exists()
    # torch's own words recommend to load it all the same.
    assert "`weights_only` set to `False`" not in str(error.value)


def test_what_safe_loading_refuses_is_not_saved(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(pickle.UnpicklingError):
        save_checkpoint(saved, small(metrics={"path": Path("x")}))
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["m.pth"]


def test_saving_does_not_change_what_is_trained() -> None:
    weights = create_network("minicnn", 3).state_dict()
    checkpoint = small(state_dict=weights)
    assert checkpoint.state_dict["fc1.weight"].data_ptr() == weights["fc1.weight"].data_ptr()


def test_photos_without_a_manifest_count_as_own() -> None:
    with pytest.raises(NpyLabelError, match="mixed_worlds"):
        refuse_other_world(small(made_from="demo"), "")


@pytest.mark.parametrize(("trained_on", "photos", "refused"), [
    ("demo", "own", True), ("own", "demo", True), ("own", "own", False), ("demo", "demo", False),
    ("own", "", False),
])
def test_worlds_do_not_mix(trained_on: str, photos: str, refused: bool) -> None:
    if not refused:
        refuse_other_world(small(made_from=trained_on), photos)
        return
    with pytest.raises(NpyLabelError, match=rf"(?s)trained on {trained_on} photos.* {photos} photos.*mixed_worlds"):
        refuse_other_world(small(made_from=trained_on), photos)
