"""What is changed between two steps is on Drive a moment later, whatever steps and Drive do meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places, find_places
from npylabel.base.remote import RemoteFolder
from npylabel.base.saver import BackgroundSaver, Saving
from npylabel.base.trip import Trip
from tests.base.courier_kit import Machine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "drive").mkdir()
    return find_places(str(tmp_path / "one"), str(tmp_path / "drive"))


def quick(places: Places, told: list[Saving] | None = None) -> BackgroundSaver:
    return BackgroundSaver(places, lambda saver: told.append(saver.state) if told is not None else None,
                           gather_s=0.01, again_s=0.01)


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
    told: list[Saving] = []
    saver = quick(places, told)
    for text in ("first", "second"):
        decide(places, text)
        saver.touch()
        assert saver.state is not Saving.SAVED
        wait_for(lambda: saver.state is Saving.SAVED)
        assert on_drive(tmp_path) == {"decisions/a.jsonl": text}
    assert told[0] is Saving.WAITING and told[-1] is Saving.SAVED
    saver.close()


def test_the_end_saves_what_waits_and_leaves_no_thread(places: Places, tmp_path: Path) -> None:
    before = threading.active_count()
    saver = BackgroundSaver(places, gather_s=1000, again_s=1000)
    decide(places, "late")
    saver.touch()
    saver.close()
    assert on_drive(tmp_path) == {"decisions/a.jsonl": "late"}
    assert threading.active_count() == before


def test_without_drive_nothing_is_done(tmp_path: Path) -> None:
    saver = quick(find_places(str(tmp_path / "one"), ""))
    before = threading.active_count()
    saver.touch()
    assert saver.state is Saving.NOWHERE and threading.active_count() == before
    saver.close()


def test_while_a_step_works_it_waits(places: Places, tmp_path: Path) -> None:
    saver = quick(places)
    with Trip(places, lambda _path: False):
        decide(places, "during")
        saver.touch()
        time.sleep(0.2)
        assert saver.state is Saving.WAITING
        assert on_drive(tmp_path) == {}
    wait_for(lambda: saver.state is Saving.SAVED)
    assert on_drive(tmp_path)["decisions/a.jsonl"] == "during"
    saver.close()


def test_a_step_that_cannot_begin_keeps_nobody_waiting(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_remote: RemoteFolder) -> None:
        raise NpyLabelError("drive_readonly", "what", "fix")

    with monkeypatch.context() as patch:
        patch.setattr(RemoteFolder, "refuse_readonly", refuse)
        with pytest.raises(NpyLabelError), Trip(places, lambda _path: False):
            pass
    saver = quick(places)
    decide(places, "after")
    saver.touch()
    wait_for(lambda: saver.state is Saving.SAVED)
    saver.close()
    assert on_drive(tmp_path) == {"decisions/a.jsonl": "after"}


def test_a_failure_is_told_and_tried_again(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = RemoteFolder.store, [2]

    def store(self: RemoteFolder, name: str, source: Path) -> str:
        if left[0]:
            left[0] -= 1
            raise NpyLabelError("drive_full", "Drive is full", "make room")
        return real(self, name, source)

    monkeypatch.setattr(RemoteFolder, "store", store)
    faults = []
    saver = BackgroundSaver(places, lambda saver: faults.append(saver.fault), gather_s=0.01, again_s=0.01)
    decide(places, "kept")
    saver.touch()
    wait_for(lambda: saver.state is Saving.SAVED)
    saver.close()
    assert any("Drive is full" in fault for fault in faults) and saver.fault == ""
    assert on_drive(tmp_path) == {"decisions/a.jsonl": "kept"}


def test_it_says_when_drive_is_still_sending(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = [True]
    monkeypatch.setattr(RemoteFolder, "uploading", lambda _self, names: [*names] if sending[0] else [])
    saver = quick(places)
    decide(places, "slow")
    saver.touch()
    wait_for(lambda: saver.state is Saving.SENDING)
    sending[0] = False
    wait_for(lambda: saver.state is Saving.SAVED)
    saver.close()
