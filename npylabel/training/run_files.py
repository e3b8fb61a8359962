"""The files of a training run: what they are called, and where those of an older one are kept."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.files import files_below

# What a run writes beside the model; another model's files in the same folder are not touched.
SUFFIXES = (".resume.ckpt", ".resume.before.ckpt", ".last.pth", ".run.json", ".metrics.json", ".history.csv",
            ".per_class.csv", ".confusion.csv", ".curves.png", ".confusion.png", ".predictions.csv", ".thresholds.csv",
            ".reliability.csv", ".confidence.png", ".per_class.png", ".pairs_sheet.jpg", ".hardest_sheet.jpg",
            ".activation_sheet.jpg", ".label_errors.csv", ".label_errors_sheet.jpg", ".samples_sheet.jpg")

# A strip of each epoch, and those of the same photos in gray and as they are.
_SAMPLE = re.compile(r"(epoch_\d+|gray|true)\.jpg")


@dataclass(frozen=True)
class RunFiles:
    """The files of a run, all beside ``save_path``.

    Attributes:
        save_path: the model file.
        own_epochs: whether the checkpoints of epochs have the model's name in theirs. Those of a labeler have not; any
            other model that lies beside it needs it, or each would take the other's checkpoints for its own.
    """

    save_path: Path
    own_epochs: bool = False

    def beside(self, suffix: str) -> Path:
        """``<stem><suffix>`` beside the model."""
        return self.save_path.with_name(self.save_path.stem + suffix)

    @property
    def resume(self) -> Path:
        """The full training state."""
        return self.beside(".resume.ckpt")

    @property
    def before(self) -> Path:
        """The training state before that one."""
        return self.beside(".resume.before.ckpt")

    @property
    def last(self) -> Path:
        """The model after the last epoch (``save_path`` is the best one)."""
        return self.beside(".last.pth")

    @property
    def logs(self) -> Path:
        """The folder of a tracker's files."""
        return self.beside(".logs")

    @property
    def folds(self) -> Path:
        """The folder of what the networks that look for wrong labels said."""
        return self.beside(".folds")

    @property
    def samples(self) -> Path:
        """The folder of what the network made of some photos, a picture for each epoch."""
        return self.beside(".samples")

    @property
    def epoch_pattern(self) -> re.Pattern:
        """What the whole name of an epoch's checkpoint is like, with its number as the group."""
        return re.compile(rf"{re.escape(self._epoch_prefix)}(\d+)\.pth")

    @property
    def _epoch_prefix(self) -> str:
        return f"{self.save_path.stem}_checkpoint_epoch_" if self.own_epochs else "checkpoint_epoch_"

    def epoch(self, number: int) -> Path:
        """The checkpoint of one epoch."""
        return self.save_path.with_name(f"{self._epoch_prefix}{number}.pth")

    def existing(self) -> list[Path]:
        """What an earlier run wrote."""
        own = [path for path in (self.save_path, *(self.beside(suffix) for suffix in SUFFIXES)) if path.is_file()]
        own += [*files_below(self.logs), *sample_files(self.samples)]
        # Without a model of this name the epochs beside it are another model's.
        return sorted([*own, *(self.epochs() if own or self.own_epochs else [])])

    def epochs(self) -> list[Path]:
        """The kept checkpoints by epoch; copies with other names are the user's."""
        folder = self.save_path.parent
        matches = [(path, self.epoch_pattern.fullmatch(path.name)) for path in folder.iterdir()] \
            if folder.is_dir() else []
        return [path for _number, path in sorted((int(match[1]), path) for path, match in matches if match)]


def sample_files(folder: Path) -> list[Path]:
    """The pictures in a folder of samples."""
    return [path for path in files_below(folder) if path.parent == folder and _SAMPLE.fullmatch(path.name)]


def move_aside(files: RunFiles) -> Path:
    """The folder below ``archive`` that has what an earlier run wrote from now on."""
    parent = files.save_path.parent / "archive"
    number = 1
    while (folder := parent / f"{files.save_path.stem}_{number}").exists():
        number += 1
    folder.mkdir(parents=True)
    for path in files.existing():
        target = folder / path.relative_to(files.save_path.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    for emptied in (files.logs, files.samples):
        remove_empty_folders(emptied)
    return folder


def remove_empty_folders(folder: Path) -> None:
    """Remove the folder and those below it as far as nothing is in them."""
    for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
