"""A time limit for code that must not wait for ever: on a pipe, in an endless loop, in a decoder."""

import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_hang(seconds: int) -> Iterator[None]:
    """Fails the test after so many seconds.

    A signal handler waits until C code returns: after three times as long the whole run ends, with all stacks shown.
    Without SIGALRM (Windows) there is only this second limit.
    """

    def stop(*_: object) -> None:
        # Not TimeoutError, an OSError, which honest code may catch.
        pytest.fail(f"no answer in {seconds} s")

    alarm = getattr(signal, "SIGALRM", None)
    before = signal.signal(alarm, stop) if alarm else None
    if alarm:
        signal.alarm(seconds)
    faulthandler.dump_traceback_later(3 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if alarm:
            signal.alarm(0)
            signal.signal(alarm, before)
