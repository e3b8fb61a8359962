"""Trying again: faults that pass are waited for, others are not, and not for ever."""

import errno
import threading

import pytest

from npylabel.base import patience
from npylabel.base.patience import Patience, retry


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; time passes only in them."""
    pauses: list[float] = []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout)
            return self.is_set()

    monkeypatch.setattr(patience.threading, "Event", Event)
    monkeypatch.setattr(patience.time, "monotonic", lambda: sum(pauses))
    return pauses


def failing(times: int, code: int) -> object:
    left = iter([OSError(code, "fault")] * times)

    def action() -> str:
        error = next(left, None)
        if error:
            raise error
        return "done"

    return action


def test_pauses_grow_and_the_result_comes(clock: list[float]) -> None:
    assert retry(failing(4, errno.ENOTCONN), 60) == "done"
    assert clock == [0.1, 0.2, 0.4, 0.8]


def test_no_pause_is_longer_than_a_person_would_wait(clock: list[float]) -> None:
    with pytest.raises(OSError, match="fault"):
        retry(failing(10**6, errno.EIO), 120)
    assert max(clock) == 15
    assert sum(clock) == pytest.approx(120)


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.ENOENT, errno.EACCES])
def test_what_does_not_pass_is_not_waited_for(clock: list[float], code: int) -> None:
    with pytest.raises(OSError, match="fault"):
        retry(failing(1, code), 60)
    assert clock == []


def test_hurry_ends_all_patience(clock: list[float]) -> None:
    hurry = threading.Event()
    waiting = Patience(hurry, seconds=60)
    assert waiting.wait()
    hurry.set()
    assert not waiting.wait()
    assert clock == [0.5]
