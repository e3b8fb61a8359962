"""One step on a machine that may die: what it needs is brought, what it makes is saved while it works."""

import functools
import inspect
import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from npylabel.base.courier import Courier
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.mirror import hash_of
from npylabel.base.places import DEMO, Places, find_places
from npylabel.base.remote import RemoteFolder
from npylabel.base.report import StepReport
from npylabel.base.store import is_bulk

RESULTS = "results"
# Parameters that name a folder, or a file in one, that a step reads or writes.
_FOLDERS = ("dataset_dir", "data_path", "input_dir", "output_dir")
_FILES = ("save_path", "model_path")
_DEMO_PHOTOS = ["photos", "class_photos"]
# What people open on Drive, without unpacking anything.
_SHOWN = (".html", ".csv", "_sheet.jpg", ".pth", ".curves.png", ".confusion.png", ".metrics.json")
_HIDDEN = re.compile(r"^(demo/)?(runs|conflicts|left_out)/|\.last\.pth$|checkpoint_epoch_|/archive/|_truth\.csv$")


def save_every_s() -> float:
    """Seconds between two saves while a step works; ``NPYLABEL_SAVE_EVERY_S`` changes them."""
    return float(os.environ.get("NPYLABEL_SAVE_EVERY_S", "180"))


class Trip:
    """The time of one step in a work folder that is saved elsewhere; does nothing where it is not.

    Args:
        places: of the step.
        wanted: which saved files the step needs here; tables and other small files always come.

    Raises:
        NpyLabelError: of ``Courier.pull`` on entry and of ``Courier.push`` at a good end.
    """

    def __init__(self, places: Places, wanted: Callable[[str], bool]) -> None:
        self.courier = Courier(places.root, places.save_dir) if places.save_dir else None
        self.wanted, self.save_dir, self.root = wanted, places.save_dir, places.root
        self.brought = self.saved = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._save_now_and_then, daemon=True)

    def __enter__(self) -> "Trip":
        if self.courier:
            self.brought = self.courier.pull(lambda path: not is_bulk(path) or self.wanted(path))
            self._thread.start()
        return self

    def _save_now_and_then(self) -> None:
        while not self._done.wait(save_every_s()):
            # A fault now is no reason to stop the work: the next save, or the last one, tries again.
            with suppress(NpyLabelError, OSError):
                self.saved += self.courier.push()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.courier:
            return
        self._done.set()
        self._thread.join()
        try:
            self.saved += self.courier.push()
        except (NpyLabelError, OSError) as fault:
            if kind is None:
                raise
            print(_("Not saved on Drive: {reason}").format(reason=fault), flush=True)

    def describe(self, report: StepReport) -> None:
        """Say in the report what was brought, what is saved, and whether the tab may be closed."""
        if not self.courier:
            return
        report.messages += self.courier.shelf.notes
        report.measured |= {"brought": self.brought, "saved": self.saved}
        report.messages += [self._show_results(), self._saved_text()]
        report.files["saved"] = self.courier.remote.folder

    def _saved_text(self) -> str:
        unsent = self.courier.unsent()
        index = self.courier.parent
        if unsent:
            return _("Drive is still sending {count} files: leave this tab open for some minutes more.").format(
                count=len(unsent))
        return _("Everything is saved on Drive ({files} files in {archives} archives): you can close this tab.").format(
            files=len(index.files), archives=len(index.archives))

    def _show_results(self) -> str:
        """Copy what people open by hand to ``results/``; the copies are for looking only."""
        try:
            for path, file in self.courier.parent.files.items():
                if path.endswith(_SHOWN) and not _HIDDEN.search(path):
                    self._show(path, file.sha256)
        except (NpyLabelError, OSError) as error:
            return _("The copies in {path} are not up to date: {reason}").format(
                path=self.save_dir / RESULTS, reason=error)
        return _("Tables, pictures and models to open: {path}").format(path=self.save_dir / RESULTS)

    def _show(self, path: str, sha256: str) -> None:
        shown = self.courier.mirror.shown
        if shown.get(path) == sha256 or hash_of(self.root / path) != sha256:
            return
        RemoteFolder(self.save_dir / RESULTS).store(path.replace("/", " - "), self.root / path)
        shown[path] = sha256
        self.courier.mirror.write()


def wanted_by(parameters: Mapping[str, object], places: Places) -> Callable[[str], bool]:
    """Which saved files a step with these parameters needs: those in the folders that it names.

    Both worlds are meant where the parameters do not tell; drawn photos are few.
    """
    named = [str(parameters[name]) for name in _FOLDERS if parameters.get(name)]
    named += [str(Path(str(parameters[name])).parent) for name in _FILES if parameters.get(name)]
    source = parameters.get("photos_dir", parameters.get("source_dir", ""))
    named += _DEMO_PHOTOS if source == DEMO else []
    worlds = [places.demo()] if source == DEMO else [places] if source else [places, places.demo()]
    folders = [world.path(name).resolve() for world in worlds for name in named]
    prefixes = tuple(f"{folder.relative_to(places.root).as_posix()}/" for folder in folders
                     if folder.is_relative_to(places.root))
    return lambda path: path.startswith(prefixes)


def bring(places: Places, parameters: Mapping[str, object]) -> None:
    """Bring what a step with these parameters needs.

    Raises:
        NpyLabelError: of ``Courier.pull``.
    """
    if places.save_dir:
        wanted = wanted_by(parameters, places)
        Courier(places.root, places.save_dir).pull(lambda path: not is_bulk(path) or wanted(path))


def carried(step: Callable[..., StepReport]) -> Callable[..., StepReport]:
    """The step, a function of keywords, with what it needs brought before it and what it makes saved with it."""

    @functools.wraps(step)
    def run(**parameters: object) -> StepReport:
        bound = inspect.signature(step).bind(**parameters)
        bound.apply_defaults()
        given = bound.arguments
        choose_language(given["language"])
        places = find_places(given["work_dir"], given["save_dir"])
        with Trip(places, wanted_by(given, places)) as trip:
            report = step(**parameters)
        trip.describe(report)
        return report

    return run
