"""The doctor's report: what a helper needs, and nothing private."""

import errno
import os
from pathlib import Path

import numpy
import pytest

from npylabel.base import places, runtime
from npylabel.base.courier import Courier
from npylabel.base.places import Places
from npylabel.base.shelf import Shelf
from npylabel.care.doctor import doctor_report


def line(report: object, name: str) -> str:
    return next(text for text in report.messages if text.startswith(f"{name}: ")).partition(": ")[2]


def test_versions_and_counts_are_told(tmp_path: Path) -> None:
    report = doctor_report(Places(tmp_path))
    assert line(report, "numpy") == numpy.__version__
    assert line(report, "missing") == "-"
    assert line(report, "own photos") == line(report, "own color_epochs") == line(report, "own colored") == "0"
    assert line(report, "kept elsewhere") == "-"


def test_nothing_private_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "Maria Ivanova"
    kept = tmp_path / "Maria kept"
    kept.mkdir()
    (secret / "tintora_dataset").mkdir(parents=True)
    (secret / "tintora_dataset/wedding.csv").write_text("x")
    Courier(secret, kept).push()
    report = doctor_report(Places(secret, save_dir=kept))
    assert line(report, "saved").startswith("1 files, 1 archives")
    text = str(report)
    assert "Maria" not in text and "wedding" not in text and str(tmp_path) not in text


def test_a_crowded_drive_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "DRIVE", tmp_path)
    monkeypatch.setattr(runtime, "CROWDED_ROOT", 3)
    (tmp_path / "MyDrive").mkdir()
    for number in range(4):
        (tmp_path / "MyDrive" / f"{number}.txt").touch()
    assert "4 files" in runtime.drive_hint()
    (tmp_path / "MyDrive/0.txt").unlink()
    assert runtime.drive_hint() == ""
    here = Places(tmp_path / "work", save_dir=tmp_path / "MyDrive")
    here.work_dir.mkdir()
    assert line(doctor_report(here), "drive root").startswith("3,")


def test_a_dying_drive_is_told_and_no_reason_to_give_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")

    def gone(*_path: object) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    for name in ("listdir", "statvfs"):
        monkeypatch.setattr(os, name, gone)
    monkeypatch.setattr(Shelf, "head", lambda shelf: shelf.remote._patiently(gone))
    report = doctor_report(Places(tmp_path, save_dir=tmp_path / "kept"))
    assert line(report, "drive root") == "Transport endpoint is not connected"
    assert (line(report, "room there"), line(report, "saved")) == ("-", "drive_gone")
    assert line(report, "numpy") == numpy.__version__
