"""How long, and how often, a failing operation is tried again."""

import os
import threading
import time

_LONGEST_WAIT_S = 15.0


def patience_s() -> float:
    """Seconds for which a failing operation is tried again; ``NPYLABEL_DRIVE_PATIENCE_S`` changes them."""
    return float(os.environ.get("NPYLABEL_DRIVE_PATIENCE_S", "60"))


class Patience:
    """Growing pauses until the patience is over.

    Args:
        hurry: ends the patience at once when set.
    """

    def __init__(self, hurry: threading.Event | None = None) -> None:
        self._hurry = hurry or threading.Event()
        self._deadline, self._pause = time.monotonic() + patience_s(), 0.5

    def wait(self) -> bool:
        """Pause; False, without a pause, where the patience is over."""
        left = self._deadline - time.monotonic()
        if left <= 0 or self._hurry.is_set():
            return False
        self._hurry.wait(min(self._pause, left))
        self._pause = min(2 * self._pause, _LONGEST_WAIT_S)
        return True
