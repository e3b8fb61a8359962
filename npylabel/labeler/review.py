"""Reviewing labels: the questions, and what a person answers; each answer is on the disk before it counts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.dataset.decisions import (
    ASSIGN,
    DECISIONS,
    KEEP_LABEL,
    LABEL,
    Decision,
    DecisionJournal,
    PhotoState,
    kept_labels,
    read_decisions,
)
from npylabel.dataset.desk import ALL, OPEN, Desk, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.human_labels import Labels
from npylabel.dataset.own_desk import OwnDesk
from npylabel.labeler.review_queue import Question
from npylabel.photos.book import disk_faults

SOURCE = "review"


class Review(OwnDesk):
    """Questions, and the answers of one person in one process.

    It lays its photos out as a ``Desk`` does: each answer is a line of the journal first, then the label file and
    ``labels.csv`` follow. Answers of other notebooks are taken over with each click; what is decided is not asked
    again.

    Args:
        questions: the most useful first.
        work_dir: holds the journal.
        table: the class table.
        labels: of the dataset; None where there is none.
        data_path: the training data.
    """

    def __init__(
        self, questions: Sequence[Question], work_dir: Path, table: ClassTable, labels: Labels | None = None,
        data_path: Path | None = None,
    ) -> None:
        self._labels, self._decisions_dir = labels, work_dir / DECISIONS
        if labels:
            # What was decided and not written any more before a kill.
            labels.rebuild(self._decisions_dir)
        super().__init__(Desk(work_dir, self._decisions_dir, table, source=SOURCE, data_path=data_path,
                              photos=[question.photo for question in questions]))
        self._questions = {question.photo.sha256: question for question in questions}

    def question(self, photo: DeskPhoto) -> Question:
        """What is asked about a photo."""
        return self._questions[photo.sha256]

    def shown(self, which: str = OPEN, class_name: str = "") -> list[DeskPhoto]:
        """The photos of one kind, see ``Desk.shown``."""
        return [photo for photo in self.photos if which in (ALL, kind_of(self.state_of(photo)))
                and (not class_name or class_name == (self.state_of(photo).class_name or photo.guess))]

    def accept(self, photos: Sequence[DeskPhoto], *, train: bool = True) -> int:
        """How many photos got the class that the network thinks is best.

        Args:
            photos: those about which nothing is decided.
            train: they are examples to train on, too; False gives the label alone.

        Raises:
            NpyLabelError: ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        self.refresh()
        return self._answer([(photo, photo.guess) for photo in photos if not self.state_of(photo).class_name], train)

    def correct(self, photos: Sequence[DeskPhoto], class_name: str, *, train: bool = True) -> int:
        """How many photos got a class; see ``accept``.

        Raises:
            NpyLabelError: ``class_unknown``, ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        return self._answer([(photo, class_name) for photo in photos], train)

    def _answer(self, pairs: Sequence[tuple[DeskPhoto, str]], train: bool) -> int:
        action = ASSIGN if train else LABEL
        return self._new(self.desk.decide_each([(photo, action, name) for photo, name in pairs]))

    def _settle(self, changed: Sequence[DeskPhoto]) -> None:
        """The labels follow what the journal has now."""
        super()._settle(changed)
        if self._labels:
            with disk_faults(self._labels.labels_dir):
                self._labels.follow({photo.sha256: self.desk.state_of(photo) for photo in changed})


class ErrorReview(Review):
    """The same for labels of the training data that are probably wrong: to accept one is to say that it is right."""

    def __init__(
        self, questions: Sequence[Question], work_dir: Path, table: ClassTable, labels: Labels | None = None,
        data_path: Path | None = None,
    ) -> None:
        super().__init__(questions, work_dir, table, labels, data_path)
        self._kept = kept_labels(read_decisions(self._decisions_dir))
        self._journal = DecisionJournal(self._decisions_dir)
        # For each click the photos that it kept, with what was kept before; none for one that the desk knows.
        self._steps: list[dict[str, str]] = []

    def state_of(self, photo: DeskPhoto) -> PhotoState:
        """What is decided about a photo; a label that was found right is its class."""
        state, given = self.desk.state_of(photo), self.question(photo).class_name
        is_kept = self.table.find_name(self._kept.get(photo.sha256, "")) == self.table.find_name(given)
        return PhotoState(given, trains=True) if is_kept and state == PhotoState() else state

    def accept(self, photos: Sequence[DeskPhoto], *, train: bool = True) -> int:
        """How many labels are right as they are: they are never doubted again.

        Args:
            photos: those about which nothing is decided.
            train: False makes the label one that is not trained on.

        Raises:
            NpyLabelError: ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        self.refresh()
        chosen = [photo for photo in photos if not self.state_of(photo).class_name]
        if not train:
            return self._answer([(photo, self.question(photo).class_name) for photo in chosen], train)
        return self._keep({photo.sha256: self.question(photo).class_name for photo in chosen})

    def correct(self, photos: Sequence[DeskPhoto], class_name: str, *, train: bool = True) -> int:
        """How many photos got a class; where all of them have it already, their labels are accepted.

        Raises:
            NpyLabelError: ``class_unknown``, ``disk_full``, ``disk_fault``, ``decisions_damaged``.
        """
        class_id = self.table.find(class_name)
        is_given = class_id is not None and all(
            self.table.find_name(self.question(photo).class_name) == class_id for photo in photos)
        return self.accept(photos) if train and is_given else super().correct(photos, class_name, train=train)

    def _keep(self, words: Mapping[str, str]) -> int:
        if not words:
            return 0
        before = {sha256: self._kept.get(sha256, "") for sha256 in words}
        self._write(words)
        self._done, self._undone, self._steps = self._done + 1, 0, [*self._steps[:self._done], before]
        return len(words)

    def _write(self, words: Mapping[str, str]) -> None:
        named = {sha256: self._questions[sha256].photo.name for sha256 in words}
        with disk_faults(self._decisions_dir):
            self._journal.append([Decision(sha256, KEEP_LABEL, named[sha256], name, SOURCE)
                                  for sha256, name in words.items()])
        self._kept |= words
        self.changed = [self._questions[sha256].photo for sha256 in words]

    def _new(self, count: int) -> int:
        if count:
            self._steps = [*self._steps[:self._done], {}]
        return super()._new(count)

    def _move(self, step: int) -> int:
        words = self._steps[self._done - (step < 0)]
        if not words:
            return super()._move(step)
        place, now = self._done - (step < 0), {sha256: self._kept.get(sha256, "") for sha256 in words}
        self._write(words)
        self._steps[place] = now
        self._done, self._undone = self._done + step, self._undone - step
        return len(words)

    def refresh(self) -> int:
        """How many photos other notebooks decided about meanwhile."""
        before = [self.state_of(photo) for photo in self.photos]
        self.desk.refresh()
        self._kept = kept_labels(read_decisions(self._decisions_dir))
        return sum(old != self.state_of(photo) for old, photo in zip(before, self.photos, strict=True))

    def close(self) -> None:
        """Close the journals."""
        self._journal.close()
        super().close()
