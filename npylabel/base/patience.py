"""Trying again: what a disk behind a network says while it reconnects passes."""

import errno
import os
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
PASSING = frozenset({errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR,
                     errno.ECONNRESET, errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN})
_LONGEST_PAUSE_S = 15.0


def patience_s() -> float:
    """Seconds for which a failing operation is tried again; ``NPYLABEL_DRIVE_PATIENCE_S`` changes them."""
    return float(os.environ.get("NPYLABEL_DRIVE_PATIENCE_S", "60"))


def retry(action: Callable[[], Result], seconds: float, *, passing: frozenset[int] = PASSING) -> Result:
    """What the action returns, tried again with growing pauses for so long.

    Args:
        action: what may fail.
        seconds: how long to try; the first try is always made.
        passing: errno of the faults that are waited for.

    Raises:
        OSError: of the last try.
    """
    deadline, pause = time.monotonic() + seconds, 0.1
    while True:
        try:
            return action()
        except OSError as error:
            if error.errno not in passing or time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
