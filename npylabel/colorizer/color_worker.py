"""Photos are colored again behind a person's back, one at a time, while the person goes on."""

import threading
from collections.abc import Callable, Iterable

from npylabel.base.errors import NpyLabelError
from npylabel.base.trip import AT_WORK

Callback = Callable[[str, str], None]


class ColorWorker:
    """A thread that colors photos in the order in which they were asked for.

    What waits when the process ends is not lost: it is decided, and the next run over the folder does it.

    Args:
        color: colors the photo with a source.
    """

    def __init__(self, color: Callable[[str], None]) -> None:
        self._color = color
        self._callbacks: list[Callback] = []
        self._queue: list[str] = []
        self._now, self._is_closed, self._is_busy = "", False, False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> list[str]:
        """Sources of the photos that are not done yet, the one that is being colored first."""
        with self._changed:
            return list(dict.fromkeys([*([self._now] if self._now else []), *self._queue]))

    def on_change(self, callback: Callback) -> None:
        """Call back from the thread with (source, what went wrong or "") when a photo is done."""
        self._callbacks.append(callback)

    def add(self, sources: Iterable[str]) -> None:
        """Color these photos, too; returns at once. One that is being colored just now is colored once more."""
        with self._changed:
            self._queue += [source for source in sources if source not in self._queue]
            if self._queue and not self._is_closed and not (self._thread and self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Whether all is done and said, after so many seconds at the latest."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._queue or self._is_busy), timeout_s)

    def close(self, timeout_s: float = 60.0) -> None:
        """Begin with no other photo; waits for the one that is being colored no longer than so many seconds."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        while source := self._next():
            fault = self._do(source)
            with self._changed:
                self._now = ""
            for callback in self._callbacks:
                callback(source, fault)
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> str:
        """The photo that is next, waited for; "" where there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed)
            self._now = "" if self._is_closed else self._queue.pop(0)
            self._is_busy = bool(self._now)
            return self._now

    def _do(self, source: str) -> str:
        """What went wrong, or ""."""
        try:
            # A step that runs in the same notebook may be coloring this very folder.
            with AT_WORK:
                self._color(source)
        # Torch tells with the last of these that a device has no room.
        except (NpyLabelError, OSError, RuntimeError) as error:
            return str(error)
        return ""
