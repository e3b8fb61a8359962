"""Work of an earlier version: brought once, packed from then on, and said."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from npylabel.base.earlier import bring_earlier_work
from npylabel.base.errors import NpyLabelError
from npylabel.base.trip import bring
from tests.base.test_trip import copy_of, folders_of, places_in, status, trip_with

WORK = {"tintora_dataset/color/a.png": "a", "tintora_dataset/manifest.csv": "m", "train_data/split.csv": "s",
        "models/tiny_cnn.pth": "w", "decisions/1.jsonl": "d", "demo/.npylabel-demo": "", "demo/models/x.pth": "x"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


def lay(folder: Path) -> None:
    for path, text in {**WORK, "photos/a.jpg": "photo", "models/.tmp-npylabel-x": "t"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        os.utime(folder / path, ns=(10**18 + 7, 10**18 + 7))


def test_loose_work_is_brought_once_and_packed(tmp_path: Path) -> None:
    lay(tmp_path / "drive")
    assert "7 of them were brought" in trip_with(tmp_path, {"new.csv": "n"}).messages[0]
    assert copy_of(tmp_path) == {**WORK, "new.csv": "n"}
    assert (tmp_path / "one/models/tiny_cnn.pth").stat().st_mtime_ns == 10**18 + 7
    report = trip_with(tmp_path, {}, remove="models/tiny_cnn.pth")
    assert "models/tiny_cnn.pth" not in copy_of(tmp_path) and "earlier version" not in str(report)


def test_folders_that_only_have_such_names_stay_where_they_are(tmp_path: Path) -> None:
    for path in ("models/large.pth", "train_data/x.txt", "demo/talk.pdf", "tintora_dataset/x.png", "decisions/a.txt"):
        (tmp_path / "drive" / path).parent.mkdir(parents=True)
        (tmp_path / "drive" / path).write_text("x")
    trip_with(tmp_path, {"a.csv": "a"})
    assert copy_of(tmp_path) == {"a.csv": "a"}


def test_what_is_here_already_stays(tmp_path: Path) -> None:
    lay(tmp_path / "drive")
    places = places_in(tmp_path)
    places.path("models").mkdir()
    places.path("models/tiny_cnn.pth").write_text("mine")
    assert "6 of them" in trip_with(tmp_path, {}).messages[0]
    assert copy_of(tmp_path)["models/tiny_cnn.pth"] == "mine"


def test_inputs_are_checked_with_it_and_status_only_tells_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "drive").mkdir()
    lay(tmp_path / "drive")
    assert "earlier version" in str(status(**folders_of(places_in(tmp_path))))
    assert not (tmp_path / "one/models").exists()
    bring(places_in(tmp_path), {})
    assert (tmp_path / "one/models/tiny_cnn.pth").is_file() and "earlier version" in capsys.readouterr().out
    trip_with(tmp_path, {})
    assert copy_of(tmp_path) == WORK


def test_a_stop_leaves_whole_files_and_the_rest_is_brought_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path / "drive")
    copyfile = shutil.copyfile

    def failing(source: Path, target: Path) -> None:
        if source.name == "split.csv":
            target.write_text("half")
            raise OSError(errno.EIO, "Input/output error")
        copyfile(source, target)

    with monkeypatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(shutil, "copyfile", failing)
        bring_earlier_work(tmp_path / "drive", tmp_path / "one")
    assert caught.value.code == "drive_fault"
    assert not (tmp_path / "one/train_data/split.csv").exists()
    assert trip_with(tmp_path, {}).measured["brought"] >= 1
    assert copy_of(tmp_path) == WORK
