"""Results that nothing would save are refused; what cannot travel is said by name."""

import os
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.outside import export_outside, refuse_outside
from npylabel.base.places import find_places
from npylabel.base.report import StepReport
from npylabel.base.trip import Trip, bring, carried
from tests.base.test_trip import nothing, places_in, write


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@carried
def step(*, dataset_dir: str = "d", work_dir: str = "", save_dir: str = "", language: str = "en") -> StepReport:
    """A step that writes a table."""
    write(find_places(work_dir, save_dir), f"{dataset_dir}/manifest.csv", "x")
    return StepReport("step")


@pytest.mark.parametrize("name", ["dataset_dir", "data_path", "save_path", "output_dir"])
def test_results_outside_the_work_folder_are_refused(tmp_path: Path, name: str) -> None:
    places = places_in(tmp_path)
    (tmp_path / "big").mkdir()
    places.path("link").symlink_to(tmp_path / "big")
    places.path("inner").mkdir()
    places.path("inner/color").symlink_to(tmp_path / "big")
    for value in (str(tmp_path / "big"), "../big", "link", "link/deeper", "inner", str(tmp_path / "drive/ds")):
        with pytest.raises(NpyLabelError) as caught:
            refuse_outside({name: value}, places)
        assert caught.value.code == "outside_work_folder" and name in caught.value.what
    refuse_outside({name: "tintora_dataset"}, places)
    refuse_outside({name: str(places.path("deep/er"))}, places)
    refuse_outside({name: str(tmp_path / "big")}, find_places(str(tmp_path / "one")))


def test_training_may_read_from_anywhere(tmp_path: Path) -> None:
    places, away = places_in(tmp_path), str(tmp_path / "photos")
    refuse_outside({"data_path": away, "save_path": "models/m.pth", "photos_dir": away, "export_dir": away}, places)
    refuse_outside({"dataset_dir": away, "save_path": "models/c.pth"}, places)
    refuse_outside({"input_dir": away, "labels_dir": away, "model_path": f"{away}/c.pth", "output_dir": "c"}, places)
    for name in ("data_path", "dataset_dir"):
        with pytest.raises(NpyLabelError):
            refuse_outside({name: away, "save_path": "models/m.pth", "action": "reset"}, places)


@pytest.mark.parametrize(("parameters", "name", "example"), [
    ({"dataset_dir": "d"}, "save_path", "models/colorizer.pth"),
    ({"data_path": "t"}, "save_path", "models/tiny_cnn.pth"),
    ({"dataset_dir": "d", "data_path": "t", "action": "reset"}, "save_path", "models/tiny_cnn.pth"),
    ({"labels_dir": "", "input_dir": "old"}, "output_dir", "such as colorized;"),
    ({"input_dir": "d/color"}, "output_dir", "tintora_dataset/labels")])
def test_the_cure_is_an_example_for_the_step(tmp_path: Path, parameters: dict, name: str, example: str) -> None:
    with pytest.raises(NpyLabelError) as caught:
        refuse_outside({**parameters, name: str(tmp_path / "big")}, places_in(tmp_path))
    assert caught.value.code == "outside_work_folder" and example in caught.value.fix


def test_a_step_is_refused_before_it_does_anything(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    for act in (lambda: step(dataset_dir=str(tmp_path / "x"), work_dir=str(places.work_dir),
                             save_dir=str(places.save_dir)),
                lambda: bring(places, {"dataset_dir": str(tmp_path / "x")})):
        with pytest.raises(NpyLabelError) as caught:
            act()
        assert caught.value.code == "outside_work_folder"
    assert not (tmp_path / "x").exists() and list((tmp_path / "drive").iterdir()) == []


def test_links_that_lead_out_are_named_and_not_called_saved(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    with Trip(places, nothing) as trip:
        write(places, "a.csv", "a")
        places.path("d").mkdir()
        (tmp_path / "big").mkdir()
        places.path("d/runs").symlink_to(tmp_path / "big")
        places.path("inside.csv").symlink_to(places.path("a.csv"))
    report = StepReport("x")
    trip.describe(report)
    assert "d/runs" in report.messages[-1] and "NOT saved" in report.messages[-1]
    assert "Everything" not in report.messages[-1] and "inside.csv" not in report.messages[-1]


def test_the_export_is_said_to_be_here_only(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    with Trip(places, nothing) as trip:
        write(places, "export/export.csv", "a")
        write(places, "export/train/color/x.png", "x")
        write(places, "a.csv", "a")
    report = StepReport("x")
    trip.describe(report, export_outside({"export_dir": str(tmp_path / "TintoraAI/data")}, places))
    assert f"The export export, {tmp_path / 'TintoraAI/data'} is only on this machine" in report.messages[-1]
    assert "Everything is saved" in report.messages[-1]
    assert export_outside({"export_dir": "export"}, places) == export_outside({}, places) == []
