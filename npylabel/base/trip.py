"""One step on a machine that may die: what it needs is brought, what it makes is saved while it works."""

import functools
import inspect
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from npylabel.base.actions import LOOKING, acts
from npylabel.base.courier import Courier
from npylabel.base.earlier import bring_earlier_work, earlier_work
from npylabel.base.errors import NpyLabelError
from npylabel.base.groups import is_bulk
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.outside import export_outside, not_saved_text, refuse_outside
from npylabel.base.places import Places, find_places, found
from npylabel.base.report import StepReport
from npylabel.base.results import Results
from npylabel.base.wanted import wanted_by

# Held by a step, and by whoever saves between the steps: only one of them carries at a time.
AT_WORK = threading.RLock()


def save_every_s() -> float:
    """Seconds between two saves while a step works; ``NPYLABEL_SAVE_EVERY_S`` changes them."""
    return float(os.environ.get("NPYLABEL_SAVE_EVERY_S", "180"))


class Trip:
    """The time of one step in a work folder that is saved elsewhere; does nothing where it is not.

    Args:
        places: of the step.
        wanted: which saved files the step needs here; tables and other small files always come.
        looks: the step changes nothing: nothing is saved, and it works without what cannot be brought.
        makes: the step makes something that has to be saved, so that a disk that may only be read stops it.
        fault: why what is saved cannot be reached, where that is known.
        asks_twice: what is wanted depends on tables that are brought first.

    Raises:
        NpyLabelError: ``drive_readonly``, and of ``Courier.pull``, on entry and of ``Courier.push`` at a good end.
    """

    def __init__(
        self, places: Places, wanted: Callable[[str], bool], *, looks: bool = False, makes: bool = True,
        fault: NpyLabelError | None = None, asks_twice: bool = False,
    ) -> None:
        self.asks_twice = asks_twice
        self.looks, self.makes, self.fault = looks, makes, fault
        self.courier = Courier(places.root, places.save_dir) if places.save_dir else None
        self.wanted, self.save_dir, self.root = wanted, places.save_dir, places.root
        self.brought = self.saved = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._save_now_and_then, daemon=True)

    def __enter__(self) -> "Trip":
        if self.looks:
            self._look()
        elif self.courier:
            if self.makes:
                self.courier.remote.refuse_readonly()
            self.brought = self._pull()
            self.brought += _bring_earlier(self.courier, self.save_dir, self.root)
            self.courier.work(begun=True)
            self._thread.start()
        return self

    def _pull(self) -> int:
        return _pull(self.courier, self.wanted, asks_twice=self.asks_twice)

    def _look(self) -> None:
        """Bring what can be brought: who wants to know what is wrong needs an answer, whatever is wrong."""
        if self.courier and not self.fault:
            try:
                self.brought = self._pull()
                if not self.courier.parent.name and earlier_work(self.save_dir):
                    self.courier.shelf.note(_(
                        "Work of an earlier version lies in {path} as loose files: the next step brings it here."
                    ).format(path=self.save_dir))
            except NpyLabelError as fault:
                self.fault = fault

    def _save_now_and_then(self) -> None:
        failing = False
        while not self._done.wait(save_every_s()):
            try:
                self.saved += self.courier.push()
                failing = False
            except (NpyLabelError, OSError) as fault:
                # No reason to stop the work: the next save, or the last one, tries again.
                if not failing and not self._done.is_set():
                    print(_("Not saved on Drive yet, will be tried again while the step works: {reason}").format(
                        reason=fault), flush=True)
                failing = True

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.courier or self.looks:
            return
        self._stop_thread()
        try:
            self.saved += self.courier.push(at_rest=True)
            self.courier.work(begun=False)
        except (NpyLabelError, OSError) as fault:
            if kind is None:
                raise
            print(_("Not saved on Drive: {reason}").format(reason=fault), flush=True)
            return
        if kind is not None and self.saved:
            print(_("What was done so far is saved on Drive."), flush=True)

    def _stop_thread(self) -> None:
        """Wait for a save that is under way, but not for its patience: the last save has its own."""
        self._done.set()
        self.courier.remote.hurry.set()
        try:
            self._thread.join()
        finally:
            self.courier.remote.hurry.clear()

    def describe(self, report: StepReport, exports: list[str] | None = None) -> None:
        """Say in the report what was brought, what is saved, and whether the tab may be closed.

        Args:
            report: of the step.
            exports: folders outside the work folder that the step exported to.
        """
        if not self.courier:
            return
        report.messages += self.courier.shelf.notes
        if self.fault:
            report.facts["saved"] = self.fault.code
            report.messages.append(_("What is saved could not be brought, so this is about this machine only. {reason}"
                                     ).format(reason=self.fault))
            return
        if self.courier.removed:
            report.messages.append(_("{count} files that were removed here are removed from what is saved too.").format(
                count=self.courier.removed))
        report.measured |= {"brought": self.brought, "saved": self.saved}
        report.files["saved"] = self.courier.remote.folder
        unsaved = self._unsaved() if self.looks else []
        report.messages += unsaved
        index = self.courier.parent
        if unsaved or not index.files:
            return
        aside = not_saved_text(self.courier.mirror.links, [*self.courier.mirror.exports, *(exports or [])])
        if not self.looks:
            report.messages += Results(self.save_dir, self.root, self.courier.mirror.own).show(index.files)
        report.messages.append(" ".join(filter(None, [self._saved_text(), aside])))

    def _unsaved(self) -> list[str]:
        """What the next step will change in what is saved."""
        changed, gone = map(len, self.courier.mirror.changes(self.courier.parent.files))
        texts = []
        if changed:
            texts.append(_("{count} new or changed files are not saved yet: the next step saves them.").format(
                count=changed))
        if gone:
            texts.append(_("{count} files were deleted on this machine: the next step removes them from what is saved, "
                           "too. To get them back, delete the folder {path} first.").format(
                               count=gone, path=self.courier.mirror.own))
        return texts

    def _saved_text(self) -> str:
        unsent = self.courier.unsent()
        index = self.courier.parent
        if unsent:
            return _("Drive is still sending {count} files: leave this tab open for a few more minutes.").format(
                count=len(unsent))
        # Where a file was made again, only an older version of it is missing.
        missing = [path for path, file in index.missing.items() if (file.member or path) not in index.files]
        if missing:
            return _("All that is here is saved on Drive, but {count} files saved earlier are missing there.").format(
                count=len(missing))
        if self.courier.mirror.links:
            return _("Saved on Drive: {files} files in {archives} archives.").format(
                files=len(index.files), archives=len(index.archives))
        return _("Everything is saved on Drive ({files} files in {archives} archives): you can close this tab.").format(
            files=len(index.files), archives=len(index.archives))


def _pull(courier: Courier, wanted: Callable[[str], bool], *, asks_twice: bool) -> int:
    return sum(courier.pull(lambda path: not is_bulk(path) or wanted(path)) for _time in range(1 + asks_twice))


def _bring_earlier(courier: Courier, save_dir: Path, root: Path) -> int:
    """How many loose files of an earlier version were brought; only where nothing is saved yet."""
    count = 0 if courier.parent.name else bring_earlier_work(save_dir, root)
    if count:
        courier.shelf.note(_(
            "Work of an earlier version lay in {path} as loose files: {count} of them were brought to this machine. "
            "When a step says that everything is saved, you can delete these folders there: {names}.").format(
                path=save_dir, count=count, names=", ".join(earlier_work(save_dir))))
    return count


def bring(places: Places, parameters: Mapping[str, object]) -> None:
    """Bring what a step with these parameters needs.

    Raises:
        NpyLabelError: ``outside_work_folder``; of ``Courier.pull``.
    """
    refuse_outside(parameters, places)
    if places.save_dir:
        wanted = wanted_by(parameters, places)
        with AT_WORK:
            courier = Courier(places.root, places.save_dir)
            _pull(courier, wanted, asks_twice="source_dir" in parameters)
            _bring_earlier(courier, places.save_dir, places.root)
        # They are said once only, and the step that follows need not hear them again.
        print(*courier.shelf.notes, sep="\n", end="\n" if courier.shelf.notes else "", flush=True)


def carried(step: Callable[..., StepReport]) -> Callable[..., StepReport]:
    """The step, a function of keywords, with what it needs brought before it and what it makes saved with it."""

    @functools.wraps(step)
    def run(**parameters: object) -> StepReport:
        bound = inspect.signature(step).bind(**parameters)
        bound.apply_defaults()
        given = bound.arguments
        choose_language(given["language"])
        folders = given["work_dir"], given["save_dir"]
        looks = step.__name__ == "status" or given.get("action") in LOOKING
        places, fault = _places(*folders, looks=looks)
        if not looks:
            refuse_outside(given, places)
        # To list, and to bring everything here, a disk that may only be read is enough.
        with AT_WORK, found(*folders, places), Trip(
                places, wanted_by(given, places), looks=looks, makes=acts(given), fault=fault,
                asks_twice="source_dir" in given) as trip:
            report = step(**parameters)
        trip.describe(report, export_outside(given, places))
        return report

    return run


def _places(work_dir: str, save_dir: str, *, looks: bool) -> tuple[Places, NpyLabelError | None]:
    """(the places, why the folder that keeps them cannot be reached); who only looks does without it."""
    try:
        return find_places(work_dir, save_dir), None
    except NpyLabelError as fault:
        if not looks:
            raise
        return find_places(work_dir, save_dir, must_keep=False), fault
