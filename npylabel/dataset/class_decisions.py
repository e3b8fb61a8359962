"""What people decided about the classes of photos, read with the class table of today."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.dataset.decisions import (
    ASSIGN,
    CLEAR,
    LABEL,
    SKIP,
    UNDECIDED,
    Decision,
    DecisionJournal,
    PhotoState,
    photo_states,
    read_decisions,
    state_after,
)

# How a decision is marked that a person took by moving a file.
BY_FOLDER = "folder"


class ClassDecisions:
    """The last words on the classes of photos, by SHA-256 of the originals.

    Args:
        table: names of before that stand for a class of today are understood.
        folder: of the journals; None where there are none.

    Raises:
        NpyLabelError: ``decisions_damaged``.
    """

    def __init__(self, table: ClassTable, folder: Path | None = None) -> None:
        self.table, self.folder = table, folder
        decisions = read_decisions(folder) if folder else []
        self.states: dict[str, PhotoState] = photo_states(decisions)
        self._given: dict[str, set[int | None]] = defaultdict(set)
        self._times: dict[str, str] = {}
        for decision in decisions:
            self._note(decision)

    def _note(self, decision: Decision) -> None:
        if decision.action in (ASSIGN, LABEL, SKIP, CLEAR):
            self._times[decision.sha256] = decision.time
        if decision.action in (ASSIGN, LABEL):
            self._given[decision.sha256].add(self.table.find_name(decision.class_name))

    def state(self, sha256: str) -> PhotoState:
        """What is decided about a photo."""
        return self.states.get(sha256, UNDECIDED)

    def class_id(self, sha256: str) -> int | None:
        """The class that a person gave a photo; None where nobody did, or where the class left the table."""
        name = self.state(sha256).class_name
        return self.table.find_name(name) if name else None

    def is_out(self, sha256: str) -> bool:
        """Whether a photo is left out."""
        return self.state(sha256).out

    def is_example(self, sha256: str) -> bool:
        """Whether a photo is one to train on: the unknown class is no class to learn."""
        state = self.state(sha256)
        return state.trains and not state.out and self.class_id(sha256) not in (None, self.table.unknown_id)

    def is_withdrawn(self, sha256: str, class_id: int) -> bool:
        """Whether a person once gave the photo this class, and now it has none."""
        return not self.state(sha256).class_name and class_id in self._given.get(sha256, ())

    def is_older(self, sha256: str, time_s: float) -> bool:
        """Whether the last word on the class of a photo, if any, was said before a time (seconds since 1970)."""
        said = self._times.get(sha256)
        return said is None or datetime.fromisoformat(said) < datetime.fromtimestamp(time_s, UTC)

    def lost_classes(self) -> Counter[str]:
        """How many photos have a class that is not in the table, by its name."""
        return Counter(state.class_name for state in self.states.values()
                       if state.class_name and self.table.find_name(state.class_name) is None)

    def add(self, decisions: Sequence[Decision]) -> None:
        """Write decisions into the journal, as one batch; they count from now on.

        Raises:
            OSError: where they cannot be written.
        """
        if not decisions or not self.folder:
            return
        with DecisionJournal(self.folder) as journal:
            self.hear(journal.append(decisions))

    def hear(self, decisions: Sequence[Decision]) -> None:
        """Let decisions count that are in a journal already, or that hold for this run alone."""
        for decision in decisions:
            self._note(decision)
            self.states[decision.sha256] = state_after(self.state(decision.sha256), decision)
