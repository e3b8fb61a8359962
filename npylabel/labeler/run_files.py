"""The files of a training run: what they are called, whether a run can go on, and where an older one is kept."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.labeler.checkpoint import load_checkpoint, load_weights_file

# What a run writes beside the model; another model's files in the same folder are not touched.
SUFFIXES = (".resume.ckpt", ".last.pth", ".run.json", ".metrics.json", ".history.csv", ".per_class.csv",
            ".confusion.csv", ".curves.png", ".confusion.png")


@dataclass(frozen=True)
class RunFiles:
    """The files of a run, all beside ``save_path``."""

    save_path: Path

    def beside(self, suffix: str) -> Path:
        """``<stem><suffix>`` beside the model."""
        return self.save_path.with_name(self.save_path.stem + suffix)

    @property
    def resume(self) -> Path:
        """The full training state."""
        return self.beside(".resume.ckpt")

    @property
    def last(self) -> Path:
        """The labeler after the last epoch (``save_path`` is the best one)."""
        return self.beside(".last.pth")

    def epoch(self, number: int) -> Path:
        """The checkpoint of one epoch."""
        return self.save_path.with_name(f"checkpoint_epoch_{number}.pth")

    def existing(self) -> list[Path]:
        """What an earlier run wrote."""
        own = [path for path in (self.save_path, *(self.beside(suffix) for suffix in SUFFIXES)) if path.is_file()]
        # Without a model of this name the epochs beside it are another model's.
        return sorted([*own, *(self.epochs() if own else [])])

    def epochs(self) -> list[Path]:
        """The kept checkpoints by epoch; copies with other names are the user's."""
        matches = [(path, re.fullmatch(r"checkpoint_epoch_(\d+)\.pth", path.name))
                   for path in self.save_path.parent.iterdir()]
        return [path for _number, path in sorted((int(match[1]), path) for path, match in matches if match)]


def resume_point(
    files: RunFiles, identity: dict, resume: bool, report: StepReport, table: ClassTable
) -> Path | None:
    """The state to go on from; files of another run are moved aside, and that is said."""
    known = _read_identity(files)
    if resume and known and known != identity and _only_renamed(files, known, identity, table):
        write_text(files.beside(".run.json"), json.dumps(identity, indent=1))
        report.messages.append(_("Some classes have other names now; the training is the same and goes on."))
        known = identity
    if resume and known == identity and _can_go_on(files):
        return files.resume
    if resume and known == identity and _died_in_first_epoch(files):
        return None
    if set(files.existing()) - {files.beside(".run.json")}:
        differing = sorted(name for name in identity if known and known.get(name) != identity[name])
        archive = _archive(files)
        report.messages.append(_("The earlier model was moved to {path} ({reason}).").format(
            path=archive, reason=", ".join(differing) or _("it cannot be continued")))
    write_text(files.beside(".run.json"), json.dumps(identity, indent=1))
    return None


def _read_identity(files: RunFiles) -> dict | None:
    try:
        return json.loads(files.beside(".run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _only_renamed(files: RunFiles, known: dict, identity: dict, table: ClassTable) -> bool:
    """Whether the run differs in the names of classes alone: each id still stands for the class it stood for."""
    if {**known, "classes_sha256": identity["classes_sha256"]} != identity:
        return False
    try:
        before = load_checkpoint(files.save_path).table
    except NpyLabelError:
        return False
    return before.ids == table.ids and all(table.find_name(name) == i for i, name in before.names.items())


def _can_go_on(files: RunFiles) -> bool:
    """Whether the training state and the best model so far are both whole."""
    try:
        load_checkpoint(files.save_path)
        return "npylabel" in load_weights_file(files.resume)
    except NpyLabelError:
        return False


def _died_in_first_epoch(files: RunFiles) -> bool:
    """Whether a kill left the models of a first epoch and no state to go on from: the run begins again over them."""
    if files.resume.exists() or files.beside(".metrics.json").exists():
        return False
    try:
        return load_checkpoint(files.save_path).epoch == 1
    except NpyLabelError:
        return False


def _archive(files: RunFiles) -> Path:
    parent = files.save_path.parent / "archive"
    number = 1
    while (folder := parent / f"{files.save_path.stem}_{number}").exists():
        number += 1
    folder.mkdir(parents=True)
    for path in files.existing():
        shutil.move(path, folder / path.name)
    return folder


def history_of(resume_from: Path | None) -> list[dict]:
    """The epochs that a training state holds; none without one."""
    return load_weights_file(resume_from)["npylabel"]["history"] if resume_from else []
