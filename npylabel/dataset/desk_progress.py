"""How far the sorting is: photos of each class, here and in the training data, and what is still missing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import _
from npylabel.base.tables import iterate_columns
from npylabel.dataset.build import GUIDE_PER_CLASS
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.folders import count_class_files
from npylabel.dataset.training_data import SPLIT


@dataclass(frozen=True)
class Goal:
    """How many examples a class has, and how many are recommended.

    Attributes:
        class_name: of the class.
        count: photos to train on.
        goal: how many there should be.
    """

    class_name: str
    count: int
    goal: int

    @property
    def missing(self) -> int:
        """How many more are recommended, 0 where there are enough."""
        return max(0, self.goal - self.count)

    @property
    def text(self) -> str:
        """Such as "дом 38/50"."""
        return f"{self.class_name} {self.count}/{self.goal}"

    @property
    def more(self) -> str:
        """Such as "12 more дом"; "" where there are enough."""
        return _("{count} more {name}").format(count=self.missing, name=self.class_name) if self.missing else ""


@dataclass(frozen=True)
class Progress:
    """How far the sorting of the photos on a desk is.

    Attributes:
        decided: photos with a class.
        skipped: photos that somebody left for later.
        out: photos that are out of the dataset.
        open: photos that nothing is decided about.
        total: all photos.
        goals: of the classes that have examples, by class name in the order of the table.
    """

    decided: int
    skipped: int
    out: int
    open: int
    total: int
    goals: Mapping[str, Goal]

    @property
    def lines(self) -> list[str]:
        """What the classes that were begun have, such as "дом 38/50"; those that lack least stand first."""
        lacking = sorted(self.goals.values(), key=lambda goal: (goal.missing == 0, goal.missing))
        return [goal.text for goal in lacking]


class TrainedPhotos:
    """The classes of the photos that the training data holds, read again when its table changes.

    Args:
        data_path: the training data, None for none.
        table: of the classes.
    """

    def __init__(self, data_path: Path | None, table: ClassTable) -> None:
        self.data_path, self.table = data_path, table
        self._stamp: tuple[int, int] | None = None
        self._class_of: dict[str, tuple[int, bool]] = {}

    def class_of(self) -> Mapping[str, tuple[int, bool]]:
        """(Class id, whether its original lies in a folder of that class) by SHA-256 of the original.

        Photos of a folder that was filled by hand, without a table, have the number of the photo as their key: nobody
        knows their originals.
        """
        if self.data_path is None:
            return {}
        split = self.data_path / SPLIT
        if not split.is_file():
            found = count_class_files(self.data_path, self.table).elements()
            return {str(number): (class_id, True) for number, class_id in enumerate(found)}
        status = split.stat()
        if self._stamp != (status.st_mtime_ns, status.st_size):
            self._stamp = (status.st_mtime_ns, status.st_size)
            self._class_of = dict(self._read(split))
        return self._class_of

    def _read(self, split: Path) -> list[tuple[str, tuple[int, bool]]]:
        found = []
        for path, sha256, source in iterate_columns(split, ("path", "sha256", "source")):
            class_id = self.table.find(path.partition("/")[0])
            if class_id is not None and sha256:
                folders = source.split("/")[:-1]
                found.append((sha256, (class_id, class_id in map(self.table.find, folders))))
        return found


def count_classes(
    table: ClassTable, states: Mapping[str, PhotoState], trained: TrainedPhotos, *, examples: bool = False
) -> dict[str, int]:
    """How many photos each class of the table has, by name.

    Args:
        table: of the classes.
        states: what is decided, by SHA-256: more than the training data knows of it.
        trained: what the training data holds.
        examples: count only what is trained on.
    """
    counts: Counter[str] = Counter()
    for state in states.values():
        counts[state.class_name] += not state.out and (state.trains or not examples)
    for sha256, (class_id, has_folder) in trained.class_of().items():
        state = states.get(sha256)
        # What was decided here and taken back is not in the training data any more, or not for long.
        if state is None or (has_folder and not state.class_name and not state.out):
            counts[table.names[class_id]] += 1
    return {name: counts[name] for name in table.names.values()}


def make_progress(kinds: Sequence[str], examples: Mapping[str, int], table: ClassTable) -> Progress:
    """The progress by the kind of each photo, and the number of examples of each class."""
    of_kind, unknown = Counter(kinds), table.names.get(table.unknown_id)
    goals = {name: Goal(name, count, GUIDE_PER_CLASS) for name, count in examples.items() if count and name != unknown}
    return Progress(of_kind["decided"], of_kind["skipped"], of_kind["out"], of_kind["open"], len(kinds), goals)
