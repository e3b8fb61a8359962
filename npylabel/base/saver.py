"""Saving while nothing runs: what a person decides between two steps goes to Drive by itself, a moment later."""

import threading
from collections.abc import Callable
from enum import Enum

from npylabel.base.courier import Courier
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.trip import AT_WORK

# A save takes a second or two and writes an index of everything: the clicks of so long share one.
GATHER_S = 5.0
# Between two saves, two looks at what Drive has sent, or two tries.
AGAIN_S = 20.0


class Saving(Enum):
    """How far what was decided has come."""

    NOTHING_NEW = "nothing new"
    WAITING = "waiting"
    SENDING = "sending"
    SAVED = "saved"
    FAILING = "failing"


class BackgroundSaver:
    """Saves the work folder on Drive a few seconds after each change, in a thread of its own.

    Steps save for themselves: while one works, the saver waits for its end.

    Args:
        places: of the work folder, with the folder that keeps it.
        gather_s: seconds from a change to its save.
        again_s: seconds between two saves.

    Attributes:
        state: of all changes so far.
        fault: why the last try failed, "" where it did not.
    """

    def __init__(self, places: Places, *, gather_s: float = GATHER_S, again_s: float = AGAIN_S) -> None:
        self.places, self.gather_s, self.again_s = places, gather_s, again_s
        self.state, self.fault = Saving.NOTHING_NEW, ""
        self._callbacks: list[Callable[[str, bool], None]] = []
        self._asked = self._saved = 0
        self._lock = threading.Lock()
        self._wake, self._done = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def on_change(self, callback: Callable[[str, bool], None]) -> None:
        """Call back with (how far it is in words, whether all is saved), now and later, also from another thread."""
        self._callbacks.append(callback)
        callback(self.text, self.is_all)

    @property
    def text(self) -> str:
        """The state in words."""
        return {
            Saving.NOTHING_NEW: _("Drive: nothing new"), Saving.WAITING: _("Drive: in a moment"),
            Saving.SENDING: _("Drive is sending: leave this tab open"), Saving.SAVED: _("saved on Drive"),
            Saving.FAILING: _("not on Drive yet: {reason}").format(reason=self.fault),
        }[self.state]

    @property
    def is_all(self) -> bool:
        """Whether everything is saved."""
        return self.state in (Saving.NOTHING_NEW, Saving.SAVED)

    def note(self) -> None:
        """Something was changed: it is saved in a moment; returns at once."""
        with self._lock:
            self._asked += 1
            self._set(Saving.WAITING)
            self._wake.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = 60.0) -> None:
        """Save what is not saved yet, and end the thread; waits for it no longer than so many seconds."""
        self._done.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        while not self._done.is_set():
            self._wake.wait()
            self._done.wait(self.gather_s)
            self._wake.clear()
            if self._saved < self._asked and not self._save():
                self._wake.set()
            self._done.wait(self.again_s)
        if self._saved < self._asked:
            self._save()

    def _save(self) -> bool:
        """Whether all that was changed before is with Drive now."""
        asked = self._asked
        with AT_WORK:
            try:
                courier = Courier(self.places.root, self.places.save_dir)
                courier.push()
            except (NpyLabelError, OSError) as error:
                self._set(Saving.FAILING, str(error))
                return False
        self._saved = asked
        self._wait_for_drive(courier)
        with self._lock:
            if asked == self._asked and self.state is not Saving.SENDING:
                self._set(Saving.SAVED)
        return True

    def _wait_for_drive(self, courier: Courier) -> None:
        """Look now and then how far Drive is with what was written, until something new is to be saved."""
        while courier.remote.uploading([courier.parent.name, *courier.parent.needed()]):
            self._set(Saving.SENDING)
            if self._done.is_set() or self._wake.wait(self.again_s / 4):
                return
        self._set(Saving.WAITING)

    def _set(self, state: Saving, fault: str = "") -> None:
        if (state, fault) != (self.state, self.fault):
            self.state, self.fault = state, fault
            for callback in self._callbacks:
                callback(self.text, self.is_all)
