"""Two notebooks at once, each on a machine of its own: what both save is there in the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from npylabel.base.courier import Courier
from npylabel.base.mirror import Mirror
from tests.labeler import kit

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def save_dir(tmp_path: Path) -> Path:
    """A shared folder with the photos of a person, and their class folders."""
    folder = tmp_path / "network disk"
    kit.photo_folder(folder / "photos", 4)
    kit.photo_folder(folder / "more", 3, first=700)
    kit.class_folders(folder / "classes", 6)
    names = {name: class_id for class_id, name in kit.TABLE.names.items()}
    (folder / "classes.json").write_text(json.dumps(names), encoding="utf-8")
    return folder


def start(step: str, save_dir: Path, machine: Path, *options: str) -> subprocess.Popen:
    """A step in a process of its own; its saves come often."""
    command = [step, "--save_dir", str(save_dir), "--work_dir", str(machine), "--size_px", "64", "--workers", "1"]
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "npylabel_core.py"), *command, *options], cwd=machine.parent,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "NPYLABEL_SAVE_EVERY_S": "0.2", "NPYLABEL_DRIVE_PATIENCE_S": "2", "OMP_NUM_THREADS": "1"})


def saved(save_dir: Path, folder: Path) -> dict[str, bytes]:
    """What a third machine finds."""
    Courier(folder, save_dir).pull(lambda path: True)
    return {path: (folder / path).read_bytes() for path in Mirror(folder).scan()}


def of_machine(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in Mirror(folder).scan()}


def test_01_and_02_at_the_same_time(save_dir: Path, tmp_path: Path) -> None:
    steps = [start("collect_and_grayscale", save_dir, tmp_path / "one", "--photos_dir", "photos"),
             start("build_train_data", save_dir, tmp_path / "two", "--source_dir", "classes")]
    ended = [(step.communicate(timeout=120)[0], step.returncode) for step in steps]
    assert [code for _text, code in ended] == [0, 0], ended
    found = saved(save_dir, tmp_path / "three")
    assert found == of_machine(tmp_path / "one") | of_machine(tmp_path / "two")
    assert sum(path.startswith("tintora_dataset/color/") for path in found) == 12
    assert sum(path.startswith("train_data/") and path.endswith(".png") for path in found) == 18


def test_one_step_twice_at_the_same_time(save_dir: Path, tmp_path: Path) -> None:
    """01 on two folders of photos: the later machine is told so, does its work again, and all photos are there."""
    folders = {"one": "photos", "two": "more"}
    steps = {name: start("collect_and_grayscale", save_dir, tmp_path / name, "--photos_dir", photos)
             for name, photos in folders.items()}
    ended = {name: (step.communicate(timeout=120)[0], step.returncode) for name, step in steps.items()}
    late = [name for name, (_text, code) in ended.items() if code]
    # At most one was late; where one was done before the other began, none was.
    assert len(late) <= 1, ended
    for name in late:
        assert ended[name][1] == 2 and "newer_work" in ended[name][0]
        again = start("collect_and_grayscale", save_dir, tmp_path / name, "--photos_dir", folders[name])
        assert (again.communicate(timeout=120)[0], again.returncode)[1] == 0
    found = saved(save_dir, tmp_path / "three")
    rows = (tmp_path / "three/tintora_dataset/manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    for folder in ("color", "bw"):
        assert sum(path.startswith(f"tintora_dataset/{folder}/") for path in found) == 12 + 9
    assert sum(row.split(",")[3] == "ok" for row in rows) == 12 + 9
