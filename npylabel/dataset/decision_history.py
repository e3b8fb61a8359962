"""What the decisions of a folder come to: the state of each photo, and the clicks that can be undone or done again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

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
    PhotoState,
    state_after,
)

UNDO, REDO = "undo", "redo"
# What was done with other tools is not a click of a desk: files were moved there, or colored, too.
_ELSEWHERE = frozenset({"manage", "folder", "colorize", "table"})


@dataclass
class Change:
    """What one batch did to a photo.

    Attributes:
        name: of the photo when it was decided.
        before: its state before the batch.
        after: its state behind it.
    """

    name: str
    before: PhotoState
    after: PhotoState


Step = dict[str, Change]


@dataclass
class DecisionHistory:
    """The states that batches lead to, and the steps that can be taken back, the last one at the end.

    Attributes:
        current_name: the name that a class has now, by any of its names.
        states: of each photo by SHA-256, with the names that the classes have now.
        done: steps that can be undone.
        undone: steps that can be done again.
    """

    current_name: Callable[[str], str] = str
    states: dict[str, PhotoState] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def add(self, batch: Batch, *, mine: bool = True) -> Step:
        """What a batch that is newer than all before it changed, by SHA-256.

        Args:
            batch: the decisions.
            mine: False for what somebody else decides while this desk is open: it is not for this desk to undo.
        """
        step = self._apply(batch)
        source = batch.decisions[0].source
        if not mine or not step or source in _ELSEWHERE:
            return step
        if source == UNDO and _move(self.done, self.undone, step, lambda change: change.before):
            return step
        if source == REDO and _move(self.undone, self.done, step, lambda change: change.after):
            return step
        self.done.append(step)
        self.undone.clear()
        return step

    def _apply(self, batch: Batch) -> Step:
        step: Step = {}
        for decision in batch.decisions:
            old = self.states.get(decision.sha256, UNDECIDED)
            new = state_after(old, decision)
            if new is old:
                continue
            if new.class_name and (name := self.current_name(new.class_name)) != new.class_name:
                new = replace(new, class_name=name)
            self.states[decision.sha256] = new
            change = step.setdefault(decision.sha256, Change(decision.name, old, new))
            change.after = new
        return {sha256: change for sha256, change in step.items() if change.before != change.after}

    def words_back(self) -> list[Decision]:
        """The decisions that undo the last step; none where there is none.

        Photos that were decided otherwise since, by somebody else, stay as they are; steps that this leaves nothing of
        are forgotten.
        """
        return self._words(self.done, lambda change: (change.after, change.before), UNDO)

    def words_again(self) -> list[Decision]:
        """The decisions that do the last undone step again."""
        return self._words(self.undone, lambda change: (change.before, change.after), REDO)

    def _words(
        self, steps: list[Step], ends: Callable[[Change], tuple[PhotoState, PhotoState]], source: str
    ) -> list[Decision]:
        while steps:
            words = []
            for sha256, change in steps[-1].items():
                now, then = ends(change)
                if self.states.get(sha256, UNDECIDED) == now:
                    words += words_between(now, then, sha256, change.name, source)
            if words:
                return words
            steps.pop()
        return []


def words_between(old: PhotoState, new: PhotoState, sha256: str, name: str, source: str) -> list[Decision]:
    """The decisions that bring a photo from one state to another one."""
    words = []
    if replace(old, out=new.out) != new:
        action = (ASSIGN if new.trains else LABEL) if new.class_name else SKIP if new.skipped else CLEAR
        words.append(Decision(sha256, action, name, new.class_name, source))
    if old.out != new.out:
        words.append(Decision(sha256, LEAVE_OUT if new.out else TAKE_BACK, name, source=source))
    return words


def _move(here: list[Step], there: list[Step], step: Step, state_of: Callable[[Change], PhotoState]) -> bool:
    """Whether a step was found that the newest one takes back (or does again); it goes to the other stack."""
    for index in reversed(range(len(here))):
        known = here[index]
        if all(sha256 in known and state_of(known[sha256]) == change.after for sha256, change in step.items()):
            there.append(here.pop(index))
            return True
    return False


def class_uses(batches: Iterable[Batch]) -> list[str]:
    """The names of the classes that were chosen, by their last use, the newest first."""
    last: dict[str, None] = {}
    for batch in batches:
        for decision in batch.decisions:
            if decision.action in (ASSIGN, LABEL) and decision.source not in (UNDO, REDO, *_ELSEWHERE):
                last.pop(decision.class_name, None)
                last[decision.class_name] = None
    return list(reversed(last))
