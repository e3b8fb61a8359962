"""The desk: photos, what is decided about them, and every click on disk before it counts."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from npylabel.base.classes import ClassTable, nfc
from npylabel.dataset.class_search import class_unknown
from npylabel.dataset.decision_history import DecisionHistory, Step, class_uses, words_between
from npylabel.dataset.decisions import (
    ASSIGN,
    CLEAR,
    LABEL,
    LEAVE_OUT,
    SKIP,
    TAKE_BACK,
    UNDECIDED,
    Batch,
    Decision,
    DecisionJournal,
    JournalReader,
    PhotoState,
    state_after,
)
from npylabel.dataset.desk_photos import DeskPhoto, Guess, read_desk_photos
from npylabel.dataset.desk_progress import Progress, TrainedPhotos, count_classes, make_progress
from npylabel.photos.book import disk_faults

OPEN, SKIPPED, DECIDED, OUT, ALL = "open", "skipped", "decided", "out", "all"
FILTERS = (OPEN, SKIPPED, DECIDED, ALL, OUT)
_WITH_CLASS = (ASSIGN, LABEL)
_WITHOUT_CLASS = (SKIP, CLEAR, LEAVE_OUT, TAKE_BACK)


class Desk:
    """The photos of a dataset on the desk of one person, in one process.

    Other desks may be open on the same folders, here and on other machines: each writes a journal of its own, and what
    the others decide is taken over with every click. The last word on a photo counts.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        decisions_dir: of the journals.
        table: of the classes.
        guesses: what the network thinks, by stem.
        source: what this desk is, for the journal.
        data_path: the training data, which ``counts`` takes in; None where there is none.
        photos: to lay out instead of those of the dataset, in this order.

    Attributes:
        photos: those with files, in the order in which they are shown.
        changed: the photos that the last call of ``decide``, ``undo`` and their like changed.

    Raises:
        NpyLabelError: ``no_dataset``, ``table_damaged``, ``decisions_damaged``.
    """

    def __init__(
        self, dataset_dir: Path, decisions_dir: Path, table: ClassTable, *,
        guesses: Mapping[str, Guess] = MappingProxyType({}), source: str = "board", data_path: Path | None = None,
        photos: Sequence[DeskPhoto] | None = None,
    ) -> None:
        self.table, self.source = table, source
        self.changed: list[DeskPhoto] = []
        self._trained = TrainedPhotos(data_path, table)
        self._decisions_dir = decisions_dir
        self._names: dict[str, str] = {}
        self._reader = JournalReader(decisions_dir)
        with _no_collection():
            self.photos = read_desk_photos(dataset_dir, table, guesses) if photos is None else [*photos]
            self._by_sha256 = {photo.sha256: photo for photo in self.photos}
            self._by_name = {photo.name: photo for photo in self.photos}
            self._batches = [(batch, self._concerns(batch)) for batch in self._reader.new()]
            self._history = self._replayed()
        self._journal = DecisionJournal(decisions_dir, self._last_time())

    @property
    def states(self) -> Mapping[str, PhotoState]:
        """What is decided, by SHA-256; photos that nobody spoke of are not in it."""
        return self._history.states

    def state_of(self, photo: DeskPhoto) -> PhotoState:
        """What is decided about a photo."""
        return self._history.states.get(photo.sha256, UNDECIDED)

    def find(self, sha256: str, name: str = "") -> DeskPhoto | None:
        """The photo of an original, or, where its checksum is "", the one of this name; None where it is not here."""
        if sha256:
            return self._by_sha256.get(sha256)
        return self._by_name.get(nfc(name))

    def shown(self, which: str = OPEN, class_name: str = "") -> list[DeskPhoto]:
        """The photos of one kind in the order of the desk.

        Args:
            which: "open" (nothing is decided), "skipped", "decided" (they have a class), "out", or "all".
            class_name: those of this class only, "" for any: the decided one, or the guess where none is decided.
        """
        if which not in FILTERS:
            raise ValueError(f"which must be one of {FILTERS}, not {which!r}")
        wanted = self.current_name(class_name)
        pairs = ((photo, self.state_of(photo)) for photo in self.photos)
        return [photo for photo, state in pairs if which in (ALL, kind_of(state))
                and (not wanted or wanted == (state.class_name or photo.guess))]

    def decide(self, photos: Sequence[DeskPhoto], action: str, class_name: str = "") -> int:
        """How many photos a decision changed; it is on the disk when this returns.

        A class for a photo that is out brings it back. The unknown class is a label only, whatever the action.

        Args:
            photos: to decide about, all at one click.
            action: "assign", "label", "skip", "clear", "leave_out" or "take_back".
            class_name: name, alias or id of the class, for the first two.

        Raises:
            NpyLabelError: ``class_unknown``, ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        return self.decide_each([(photo, action, class_name) for photo in photos])

    def decide_each(self, choices: Iterable[tuple[DeskPhoto, str, str]], source: str = "") -> int:
        """The same for a choice of its own for each photo (photo, action, class name), as one batch.

        Args:
            choices: of the last one for a photo counts.
            source: for the journal, "" for the source of the desk.

        Raises:
            NpyLabelError: as of ``decide``.
        """
        self.refresh()
        return self._write(self._batch(choices, source or self.source))

    def would_change(self, photos: Sequence[DeskPhoto], action: str, class_name: str = "") -> list[DeskPhoto]:
        """Those of the photos that ``decide`` would change.

        Raises:
            NpyLabelError: ``class_unknown``.
        """
        new = {word.sha256 for word in self._batch([(photo, action, class_name) for photo in photos], self.source)}
        return [photo for photo in photos if photo.sha256 in new]

    def _batch(self, choices: Iterable[tuple[DeskPhoto, str, str]], source: str) -> list[Decision]:
        """The lines that bring photos from what is decided about them to what was chosen."""
        words = {photo.sha256: (photo, self._word(photo, action, name)) for photo, action, name in choices}
        batch: list[Decision] = []
        for photo, word in words.values():
            old = self.state_of(photo)
            new = state_after(old, word)
            new = replace(new, out=False) if word.action in _WITH_CLASS else new
            batch += words_between(old, new, photo.sha256, photo.name, source)
        return batch

    def _word(self, photo: DeskPhoto, action: str, class_name: str) -> Decision:
        if action in _WITHOUT_CLASS:
            return Decision(photo.sha256, action)
        if action not in _WITH_CLASS:
            raise ValueError(f"action must be one of {_WITH_CLASS + _WITHOUT_CLASS}, not {action!r}")
        name = self.checked_name(class_name)
        label_only = name == self.table.names.get(self.table.unknown_id)
        return Decision(photo.sha256, LABEL if label_only else action, class_name=name)

    def checked_name(self, class_name: str) -> str:
        """The name of a class by name, alias or id.

        Raises:
            NpyLabelError: ``class_unknown``.
        """
        class_id = self.table.find(class_name)
        if class_id is None:
            raise class_unknown(self.table, class_name)
        return self.table.names[class_id]

    def accept_guesses(self, photos: Sequence[DeskPhoto]) -> int:
        """How many photos got the class that the network guessed; never one that a person has decided about."""
        self.refresh()
        return self.decide_each([(photo, ASSIGN, photo.guess) for photo in photos
                                 if photo.guess and kind_of(self.state_of(photo)) in (OPEN, SKIPPED)])

    @property
    def can_undo(self) -> bool:
        """Whether there is a click to undo, of today or of any day before."""
        return bool(self._history.done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone click to do again."""
        return bool(self._history.undone)

    def undo(self) -> int:
        """How many photos are as they were before the last click; 0 where there is none to undo.

        Raises:
            NpyLabelError: as of ``decide``.
        """
        self.refresh()
        return self._write(self._history.words_back())

    def redo(self) -> int:
        """How many photos are again as the last undone click left them; 0 where there is none.

        Raises:
            NpyLabelError: as of ``decide``.
        """
        self.refresh()
        return self._write(self._history.words_again())

    def refresh(self) -> int:
        """How many photos of the desk other desks changed meanwhile.

        Raises:
            NpyLabelError: ``decisions_damaged``.
        """
        new = self._reader.new()
        if not new:
            return 0
        before, last = dict(self.states), self._last_time()
        self._batches += [(batch, False) for batch in new]
        if new[0].time > last:
            for batch in new:
                self._history.add(batch, mine=False)
        else:  # It came late, or in the same moment: the order counts, not the arrival.
            self._batches.sort(key=lambda entry: entry[0][:2])
            self._history = self._replayed()
        self._journal.follow(self._last_time())
        return sum(before.get(photo.sha256, UNDECIDED) != self.state_of(photo) for photo in self.photos)

    def _write(self, decisions: list[Decision]) -> int:
        self.changed = []
        if not decisions:
            return 0
        with disk_faults(self._decisions_dir):
            stamped = self._journal.append(decisions)
        path = self._journal.path
        self._reader.pass_over(path)
        self._batches.append((Batch(stamped[0].time, path.name, stamped), True))
        step: Step = self._history.add(self._batches[-1][0])
        self.changed = [self._by_sha256[sha256] for sha256 in step if sha256 in self._by_sha256]
        return len(step)

    def _concerns(self, batch: Batch) -> bool:
        """Whether it is for this desk to undo: not what was decided about photos that only other desks show.

        One that is out is on no desk any more.
        """
        return any(decision.sha256 in self._by_sha256 or decision.action in (LEAVE_OUT, TAKE_BACK)
                   for decision in batch.decisions)

    def _replayed(self) -> DecisionHistory:
        history = DecisionHistory(self.current_name)
        for batch, mine in self._batches:
            history.add(batch, mine=mine)
        return history

    def _last_time(self) -> str:
        return self._batches[-1][0].time if self._batches else ""

    def counts(self) -> dict[str, int]:
        """How many photos each class of the table has: decided here, or in the training data; each photo once."""
        return count_classes(self.table, self.states, self._trained)

    def progress(self) -> Progress:
        """How far the sorting is."""
        kinds = [kind_of(self.state_of(photo)) for photo in self.photos]
        examples = count_classes(self.table, self.states, self._trained, examples=True)
        return make_progress(kinds, examples, self.table)

    @property
    def recents(self) -> list[str]:
        """The names of the classes that people chose, by their last use, the newest first."""
        names = dict.fromkeys(map(self.current_name, class_uses(batch for batch, _mine in self._batches)))
        return [name for name in names if self.table.find_name(name) is not None]

    def current_name(self, class_name: str) -> str:
        """The name that a class has now, by any of its names; the same text where no class has it."""
        if class_name not in self._names:
            class_id = self.table.find_name(class_name)
            self._names[class_name] = class_name if class_id is None else self.table.names[class_id]
        return self._names[class_name]

    def close(self) -> None:
        """Close the journal; a later decision would begin another file."""
        self._journal.close()


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for unreachable objects in the block: it makes very many that stay, and would be searched each time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def kind_of(state: PhotoState) -> str:
    """Which filter shows a photo: "out", "decided", "skipped" or "open"."""
    return OUT if state.out else DECIDED if state.class_name else SKIPPED if state.skipped else OPEN
