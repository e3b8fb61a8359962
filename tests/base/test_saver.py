"""What is changed between two steps is on Drive a moment later, whatever steps and Drive do meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places, find_places
from npylabel.base.remote import RemoteFolder
from npylabel.base.report import StepReport
from npylabel.base.saver import BackgroundSaver, Saving
from npylabel.base.trip import carried
from tests.base.courier_kit import Machine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "drive").mkdir()
    return find_places(str(tmp_path / "one"), str(tmp_path / "drive"))


def quick(places: Places, told: list[tuple[str, bool]] | None = None) -> BackgroundSaver:
    saver = BackgroundSaver(places, gather_s=0.01, again_s=0.01)
    if told is not None:
        saver.on_change(lambda text, is_all: told.append((text, is_all)))
    return saver


def decide(places: Places, text: str) -> None:
    path = places.path("decisions/a.jsonl")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def on_drive(tmp_path: Path) -> dict[str, str]:
    fresh = Machine(tmp_path / f"fresh{len(list(tmp_path.glob('fresh*')))}", tmp_path / "drive")
    fresh.pull()
    return fresh.read()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_change_is_on_drive_when_it_says_so(places: Places, tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    saver = quick(places, told)
    for text in ("first", "second"):
        decide(places, text)
        saver.note()
        assert saver.state is not Saving.SAVED
        wait_for(lambda: saver.state is Saving.SAVED)
        assert on_drive(tmp_path) == {"decisions/a.jsonl": text}
    assert told[:2] == [("Drive: nothing new", True), ("Drive: in a moment", False)]
    assert told[-1] == ("saved on Drive", True)
    saver.close()


def test_the_end_saves_what_waits_and_leaves_no_thread(places: Places, tmp_path: Path) -> None:
    before = threading.active_count()
    saver = BackgroundSaver(places, gather_s=1000, again_s=1000)
    decide(places, "late")
    saver.note()
    saver.close()
    assert on_drive(tmp_path) == {"decisions/a.jsonl": "late"}
    assert threading.active_count() == before


def test_while_a_step_works_it_waits(places: Places, tmp_path: Path) -> None:
    saver = quick(places)

    @carried
    def step(*, work_dir: str, save_dir: str, language: str = "en") -> StepReport:
        decide(places, "during")
        saver.note()
        time.sleep(0.2)
        assert saver.state is Saving.WAITING
        assert on_drive(tmp_path) == {}
        return StepReport("x")

    step(work_dir=str(places.work_dir), save_dir=str(places.save_dir))
    wait_for(lambda: saver.state is Saving.SAVED)
    assert on_drive(tmp_path)["decisions/a.jsonl"] == "during"
    saver.close()


def test_a_failure_is_told_and_tried_again(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = RemoteFolder.store, [2]

    def store(self: RemoteFolder, name: str, source: Path) -> str:
        if left[0]:
            left[0] -= 1
            raise NpyLabelError("drive_full", "Drive is full", "make room")
        return real(self, name, source)

    monkeypatch.setattr(RemoteFolder, "store", store)
    told: list[tuple[str, bool]] = []
    saver = quick(places, told)
    decide(places, "kept")
    saver.note()
    wait_for(lambda: saver.state is Saving.SAVED)
    saver.close()
    assert any("Drive is full" in text and not is_all for text, is_all in told) and told[-1] == ("saved on Drive", True)
    assert on_drive(tmp_path) == {"decisions/a.jsonl": "kept"}


def test_it_says_when_drive_is_still_sending(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = [True]
    monkeypatch.setattr(RemoteFolder, "uploading", lambda _self, names: [*names] if sending[0] else [])
    saver = quick(places)
    decide(places, "slow")
    saver.note()
    wait_for(lambda: saver.state is Saving.SENDING)
    assert not saver.is_all
    sending[0] = False
    wait_for(lambda: saver.state is Saving.SAVED)
    saver.close()
