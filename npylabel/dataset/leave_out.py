"""Leave photos out of the dataset and the training data, and take them back: never by deleting anything."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from npylabel.base.files import remove_leftovers
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.dataset.aside import LEFT_OUT_DIR
from npylabel.dataset.aside_dataset import DatasetAside, Move
from npylabel.dataset.aside_training import TrainingAside
from npylabel.dataset.decisions import (
    DECISIONS,
    LEAVE_OUT,
    TAKE_BACK,
    Decision,
    DecisionJournal,
    left_out,
    read_decisions,
)
from npylabel.dataset.labels import HUMAN
from npylabel.dataset.layout import DATASET, TRAIN_DATA
from npylabel.dataset.photo_names import NameBook
from npylabel.photos.book import disk_faults
from npylabel.photos.manifest import OK
from npylabel.photos.preflight import size_text
from npylabel.photos.reasons import BY_PERSON

_SHOWN = 20


def leave_out_photos(
    places: Places, names: str, *, back: bool = False, confirm: bool = False, dataset_dir: str = DATASET,
    data_path: str = TRAIN_DATA,
) -> StepReport:
    """The report on the photos that leave the dataset and the training data, or come back.

    A photo is what its original's bytes are: all its copies go with it, and it stays out whatever name it has when
    it comes again. Its files move to ``left_out/`` in the work folder, under the same relative paths, with their rows;
    the decision is kept in ``decisions/``. A run that was killed is finished by running it again.

    Args:
        places: the work folder.
        names: of photos, separated by semicolons; see ``NameBook``.
        back: take them back instead.
        confirm: do it; without it the report says what would be done and nothing is changed.
        dataset_dir: holds ``color/``, ``bw/`` and ``labels/``.
        data_path: the training data.

    Raises:
        NpyLabelError: ``photo_unknown``, ``photo_ambiguous``, ``bad_parameter``, ``manifest_damaged``,
            ``split_damaged``, ``decisions_damaged``, ``disk_full``, ``disk_fault``.
    """
    report = StepReport("manage")
    change = _Change(places, dataset_dir, data_path, names, back)
    change.describe(report, confirm)
    if confirm:
        with disk_faults(places.work_dir):
            change.decide()
            change.carry_out()
    return report


def settle_left_out(
    decisions_dir: Path, *, dataset_dir: Path | None = None, data_path: Path | None = None
) -> tuple[set[str], list[str]]:
    """(SHA-256 of the photos that are out by the journal, sentences on those that went out or came back just now).

    Who rejects photos on the board only writes it down; the steps carry it out before they work, in the same way as
    ``leave_out_photos`` does.

    Args:
        decisions_dir: the journal, in the work folder.
        dataset_dir: the dataset, where the step works on it.
        data_path: the training data, likewise.

    Raises:
        NpyLabelError: ``decisions_damaged``, ``manifest_damaged``, ``split_damaged``, ``disk_full``, ``disk_fault``.
    """
    decisions, work_dir = read_decisions(decisions_dir), decisions_dir.parent
    out = left_out(decisions)
    back = {decision.sha256 for decision in decisions if decision.action == TAKE_BACK} - out
    went, came = set(), set()
    if out or back:
        sides = [DatasetAside(work_dir, dataset_dir)] if dataset_dir else []
        sides += [TrainingAside(work_dir, data_path)] if data_path else []
        with disk_faults(work_dir):
            for side in sides:
                went |= _Side(side, back=False).settle(out)
                came |= _Side(side, back=True).settle(back)
    lines = [_("{count} rejected photos went out; they are kept in {path}.").format(
        count=len(went), path=work_dir / LEFT_OUT_DIR)] if went else []
    return out, lines + ([_("{count} photos came back.").format(count=len(came))] if came else [])


@dataclass(frozen=True)
class _Side:
    """The dataset or the training data, one of the two ways."""

    side: DatasetAside | TrainingAside
    back: bool

    def moves(self, hashes: set[str]) -> list[Move]:
        """(from, to) of the files of the photos."""
        return (self.side.moves_back if self.back else self.side.moves_out)(hashes)

    def carry_out(self, hashes: set[str]) -> None:
        """Move files and rows."""
        moves, mirror = self.moves(hashes), self.side.mirror
        remove_leftovers(mirror.inside, mirror.aside, *{target.parent for _source, target in moves})
        (self.side.back if self.back else self.side.leave)(hashes, moves)

    def settle(self, hashes: set[str]) -> set[str]:
        """Those of the photos that were on the wrong side; they are moved."""
        rows = self.side.out(hashes) if self.back else self.side.inside(hashes)
        wrong = {row["sha256"] if isinstance(row, dict) else row.sha256 for row in rows}
        wrong |= self.side.marked(hashes) if self.back else set()
        if wrong or self.moves(hashes):
            self.carry_out(hashes)
        return wrong


def names_of(dataset: DatasetAside, training: TrainingAside) -> NameBook:
    """The names by which photos can be found in a dataset and in training data."""
    tops = [f"{dataset.mirror.inside.name}/", ""]
    book = NameBook([*(top + folder for top in tops for folder in ("color/", "bw/", "labels/")),
                     f"{training.mirror.inside.name}/"])
    for side in (dataset, training):
        side.add_names(book)
    return book


class _Change:
    """Some photos that go out, or come back."""

    def __init__(self, places: Places, dataset_dir: str, data_path: str, names: str, back: bool) -> None:
        self.work_dir, self.back = places.work_dir, back
        self.dataset = DatasetAside(places.work_dir, places.path(dataset_dir))
        self.training = TrainingAside(places.work_dir, places.path(data_path))
        self.book = names_of(self.dataset, self.training)
        self.decisions = read_decisions(self.work_dir / DECISIONS)
        out = left_out(self.decisions)
        for decision in self.decisions if back else ():
            # Where the tables are lost the decision still keeps the photo out, and has its name.
            self.book.add_source(decision.name, decision.sha256 if decision.sha256 in out else "")
        self.concerned = self._concerned() | (out if back else set())
        self.hashes = self.book.find(names, preferred=self.concerned)
        self.sides = [_Side(side, back) for side in (self.dataset, self.training)]

    def _concerned(self) -> set[str]:
        """SHA-256 of all photos that are in, when they go out, or are out, when they come back."""
        data, training = self.dataset, self.training
        hashes = {row.sha256 for row in (*data.listed, *data.aside)}
        hashes |= {row.get("sha256") or "" for row in (*training.rows, *training.aside)}
        rows = (data.out if self.back else data.inside)(hashes)
        copies = (training.out if self.back else training.inside)(hashes)
        files = training.aside_by_hand if self.back else training.by_hand
        marks = {row.sha256 for row in (*data.rows.values(), *training.marks) if row.reason == BY_PERSON}
        found = {row.sha256 for row in rows} | {row["sha256"] for row in copies} | set(files.values())
        return (found | marks if self.back else found) - {""}

    def decide(self) -> None:
        """Write down what was decided, before anything follows from it."""
        action = TAKE_BACK if self.back else LEAVE_OUT
        last = {decision.sha256: decision.action for decision in self.decisions
                if decision.action in (LEAVE_OUT, TAKE_BACK)}
        # A photo that was never left out cannot come back: nothing is decided about it.
        known = self.concerned if self.back else set(self.hashes)
        with DecisionJournal(self.work_dir / DECISIONS) as journal:
            journal.append([Decision(sha256, action, self.name_of(sha256), source="manage")
                            for sha256 in self.hashes if sha256 in known and last.get(sha256) != action])

    def carry_out(self) -> None:
        """Move files and rows."""
        for side in self.sides:
            side.carry_out(set(self.hashes))
        with suppress(OSError):  # Not empty, or not there.
            (self.work_dir / LEFT_OUT_DIR).rmdir()

    def name_of(self, sha256: str) -> str:
        """What a photo is called: its name in the dataset, else that of a training copy."""
        return self._names.get(sha256, sha256)

    @cached_property
    def _names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for level in (self.book.dataset, self.book.training, self.book.sources):
            for name, hashes in sorted(level.items(), key=lambda entry: len(entry[0])):
                for sha256 in hashes:
                    names.setdefault(sha256, name)
        return names

    def describe(self, report: StepReport, confirm: bool) -> None:
        """Say what is, or would be, done."""
        hashes = set(self.hashes)
        files = [source for side in self.sides for source, _target in side.moves(hashes)]
        rows = (self.dataset.out if self.back else self.dataset.inside)(hashes)
        copies = (self.training.out if self.back else self.training.inside)(hashes)
        sources = self.dataset.label_sources()
        labels = [sources.get(row.name) for row in rows if row.status == OK]
        report.facts |= {
            "action": "take_back" if self.back else "leave_out", "done": confirm, "photos": len(self.hashes),
            "already": len(hashes - self.concerned), "files": len(files), "training_photos": len(copies),
            "human_labels": labels.count(HUMAN),
        }
        size = sum(path.stat().st_size for path in files if path.is_file())
        report.measured["size"] = size_text(size)
        report.messages += [self._line(sha256) for sha256 in self.hashes[:_SHOWN]]
        if len(self.hashes) > _SHOWN:
            report.messages.append(_("... and {count} more").format(count=len(self.hashes) - _SHOWN))
        unfinished = left_out(self.decisions) & self.concerned - hashes
        if unfinished and not self.back:
            report.messages.append(_(
                "Left out before, but still there; name them again, because that run was killed: {names}"
            ).format(names="; ".join(sorted(map(self.name_of, unfinished))[:_SHOWN])))
        report.files[LEFT_OUT_DIR] = self.work_dir / LEFT_OUT_DIR
        report.next_step = self._next(confirm)

    def _line(self, sha256: str) -> str:
        sources = sorted(name for name, hashes in self.book.sources.items() if sha256 in hashes and "/" in name)
        return _("{name} (originals: {sources})").format(
            name=self.name_of(sha256), sources=", ".join(sources[:3]) or "-")

    def _next(self, confirm: bool) -> str:
        if not confirm:
            return _("Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")
        if self.back:
            return _("They are back. Run the notebooks again: 01 and 02 make what is missing, 03 to 05 take them in.")
        return _("They are out. Run notebooks 03, 04 and 05 again: the model and the export still know them.")
