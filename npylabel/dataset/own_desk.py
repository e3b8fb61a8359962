"""A desk on which a person takes back what was decided on it, and nothing else."""

from collections.abc import Sequence

from npylabel.base.classes import ClassTable
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto


class OwnDesk:
    """The desk of one person in one process; only what was decided here can be taken back here.

    Something else may have to follow each decision: see ``_settle``.

    Args:
        desk: its photos, and where decisions go.

    Attributes:
        changed: the photos that the last call of ``decide``, ``undo`` and their like changed.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.changed: list[DeskPhoto] = []
        # How many clicks, and how many of them were undone.
        self._done = self._undone = 0

    @property
    def table(self) -> ClassTable:
        """Of the classes."""
        return self.desk.table

    @property
    def photos(self) -> list[DeskPhoto]:
        """All of them, in their order."""
        return self.desk.photos

    @property
    def recents(self) -> list[str]:
        """The names of the classes by their last use, the newest first."""
        return self.desk.recents

    def state_of(self, photo: DeskPhoto) -> PhotoState:
        """What is decided about a photo."""
        return self.desk.state_of(photo)

    def decide(self, photos: Sequence[DeskPhoto], action: str) -> int:
        """How many photos a decision without a class changed: "skip", "leave_out", "take_back" or "clear".

        Raises:
            NpyLabelError: ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        return self._new(self.desk.decide(photos, action))

    def _new(self, count: int) -> int:
        if count:
            self._done, self._undone = self._done + 1, 0
            self._settle(self.desk.changed)
        return count

    def _settle(self, changed: Sequence[DeskPhoto]) -> None:
        """What else changes with what the journal has now."""
        self.changed = [*changed]

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision of this desk to take back."""
        return self._done > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a decision of this desk that was taken back."""
        return self._undone > 0

    def undo(self) -> int:
        """How many photos are as they were before the last decision; 0 where there is none."""
        return self._move(-1) if self.can_undo else 0

    def redo(self) -> int:
        """How many photos are again as the last undone decision left them."""
        return self._move(1) if self.can_redo else 0

    def _move(self, step: int) -> int:
        count = self.desk.undo() if step < 0 else self.desk.redo()
        self._done, self._undone = self._done + step, self._undone - step
        self._settle(self.desk.changed if count else [])
        return count

    def refresh(self) -> int:
        """How many photos other desks decided about meanwhile."""
        return self.desk.refresh()

    def close(self) -> None:
        """Close the journal."""
        self.desk.close()
