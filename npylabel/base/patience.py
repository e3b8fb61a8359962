"""How long, and how often, a failing operation is tried again."""

import errno
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
# What a disk behind a network says while it reconnects.
PASSING = frozenset({errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR,
                     errno.ECONNRESET, errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN})
_LONGEST_WAIT_S = 15.0


def patience_s() -> float:
    """Seconds for which a failing operation is tried again; ``NPYLABEL_DRIVE_PATIENCE_S`` changes them."""
    return float(os.environ.get("NPYLABEL_DRIVE_PATIENCE_S", "60"))


class Patience:
    """Growing pauses until the patience is over.

    Args:
        hurry: ends the patience at once when set.
        seconds: how long it lasts, None for ``patience_s()``.
        first_s: the first pause.
    """

    def __init__(
        self, hurry: threading.Event | None = None, *, seconds: float | None = None, first_s: float = 0.5
    ) -> None:
        self._hurry = hurry or threading.Event()
        self._deadline = time.monotonic() + (patience_s() if seconds is None else seconds)
        self._pause = first_s

    def wait(self) -> bool:
        """Pause; False, without a pause, where the patience is over."""
        left = self._deadline - time.monotonic()
        if left <= 0 or self._hurry.is_set():
            return False
        self._hurry.wait(min(self._pause, left))
        self._pause = min(2 * self._pause, _LONGEST_WAIT_S)
        return True


def retry(action: Callable[[], Result], seconds: float) -> Result:
    """What the action returns, tried again for so long; the first try is always made.

    Raises:
        OSError: of the last try, or one that does not pass.
    """
    patience = Patience(seconds=seconds, first_s=0.1)
    while True:
        try:
            return action()
        except OSError as error:
            if error.errno not in PASSING or not patience.wait():
                raise
