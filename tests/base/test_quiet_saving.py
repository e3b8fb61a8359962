"""What is decided between the steps reaches the folder that keeps the work."""

import threading
import time
from pathlib import Path

import pytest

from npylabel.base import quiet_saving
from npylabel.base.courier import Courier
from npylabel.base.places import Places
from npylabel.base.quiet_saving import QuietSaver
from npylabel.base.trip import AT_WORK


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setattr(quiet_saving, "_GATHER_S", 0.05)
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    for name in ("work/decisions", "drive"):
        (tmp_path / name).mkdir(parents=True)
    return Places(tmp_path / "work", save_dir=tmp_path / "drive")


def saved(places: Places, root: Path) -> dict[str, str]:
    """What another machine would get."""
    Courier(root, places.save_dir).pull(lambda _path: True)
    return {path.name: path.read_text() for path in (root / "decisions").glob("*")} if root.exists() else {}


def wait_until(condition: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_noted_is_saved_and_said(places: Places, tmp_path: Path) -> None:
    said = []
    saver = QuietSaver(places)
    saver.on_change(lambda text, is_all: said.append((text, is_all)))
    (places.work_dir / "decisions/a.jsonl").write_text("1\n")
    saver.note()
    wait_until(lambda: len(said) > 2)
    assert [is_all for _text, is_all in said] == [True, False, True]
    assert saved(places, tmp_path / "other") == {"a.jsonl": "1\n"}


def test_nothing_is_saved_while_a_step_works(places: Places, tmp_path: Path) -> None:
    saver = QuietSaver(places)
    (places.work_dir / "decisions/a.jsonl").write_text("1\n")
    with AT_WORK:
        saver.note()
        time.sleep(0.3)
        assert not (tmp_path / "drive/saved").exists()
    saver.close()
    assert saved(places, tmp_path / "other") == {"a.jsonl": "1\n"}


def test_a_drive_that_is_gone_is_said_and_tried_again(places: Places, tmp_path: Path) -> None:
    said = []
    saver = QuietSaver(places)
    saver.on_change(lambda text, is_all: said.append(is_all))
    (places.work_dir / "decisions/a.jsonl").write_text("1\n")
    (tmp_path / "drive").rename(tmp_path / "away")
    (tmp_path / "drive").write_text("in the way")
    saver.note()
    wait_until(lambda: said.count(False) > 2)
    (tmp_path / "drive").unlink()
    (tmp_path / "away").rename(tmp_path / "drive")
    wait_until(lambda: said[-1])
    assert saved(places, tmp_path / "other") == {"a.jsonl": "1\n"}


def test_it_ends_with_everything_saved(places: Places, tmp_path: Path) -> None:
    before = threading.active_count()
    saver = QuietSaver(places)
    (places.work_dir / "decisions/a.jsonl").write_text("1\n")
    saver.note()
    saver.close()
    assert threading.active_count() == before
    assert saved(places, tmp_path / "other") == {"a.jsonl": "1\n"}
