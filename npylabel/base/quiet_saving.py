"""Saving between the steps: what a person decides on a board goes to the folder that keeps the work, by itself."""

import threading
from collections.abc import Callable

from npylabel.base.courier import Courier
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.trip import AT_WORK, save_every_s

# Many clicks are one save: each one makes an archive and an index.
_GATHER_S = 20.0


class QuietSaver:
    """Saves the work folder soon after something was decided, never while a step works here.

    Args:
        places: with the folder that keeps the work.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._callbacks: list[Callable[[str, bool], None]] = []
        self._noted, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def note(self) -> None:
        """Something was decided: it is saved in a moment."""
        self._noted.set()
        self._say(_("Drive: in a moment"), False)

    def on_change(self, callback: Callable[[str, bool], None]) -> None:
        """Call back with (what is saved there, whether that is all), also from another thread."""
        self._callbacks.append(callback)
        self._say(_("Drive: nothing new"), True)

    def close(self) -> None:
        """Save what is noted, and end."""
        self._closed.set()
        self._noted.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._closed.is_set():
            self._noted.wait()
            self._closed.wait(min(_GATHER_S, save_every_s()))
            self._noted.clear()
            self._save()

    def _save(self) -> None:
        """Save now; what fails is said, and tried again a while later."""
        try:
            with AT_WORK:
                courier = Courier(self._places.root, self._places.save_dir)
                courier.push()
                is_sent = not courier.remote.uploading([courier.parent.name]) if courier.parent.name else True
        except (NpyLabelError, OSError) as fault:
            self._say(_("not on Drive yet: {reason}").format(reason=fault), False)
            if not self._closed.is_set():
                self._noted.set()
            return
        if not self._noted.is_set():
            self._say(_("saved on Drive") if is_sent else _("Drive is sending: leave this tab open"), is_sent)
            if not is_sent:
                self._noted.set()

    def _say(self, text: str, is_all: bool) -> None:
        for callback in self._callbacks:
            callback(text, is_all)
