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
            ".activation_sheet.jpg", ".label_errors.csv", ".label_errors_sheet.jpg")


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
    def samples(self) -> Path:
        """The folder of pictures of what the network did at each epoch."""
        return self.beside(".samples")

    @property
    def folds(self) -> Path:
        """The folder of what the networks that look for wrong labels said."""
        return self.beside(".folds")

    def epoch(self, number: int) -> Path:
        """The checkpoint of one epoch."""
        return self.save_path.with_name(f"checkpoint_epoch_{number}.pth")

    def existing(self) -> list[Path]:
        """What an earlier run wrote."""
        own = [path for path in (self.save_path, *(self.beside(suffix) for suffix in SUFFIXES)) if path.is_file()]
        own += files_below(self.logs)
        # Without a model of this name the epochs beside it are another model's.
        return sorted([*own, *(self.epochs() if own else [])])

    def epochs(self) -> list[Path]:
        """The kept checkpoints by epoch; copies with other names are the user's."""
        matches = [(path, re.fullmatch(r"checkpoint_epoch_(\d+)\.pth", path.name))
                   for path in self.save_path.parent.iterdir()]
        return [path for _number, path in sorted((int(match[1]), path) for path, match in matches if match)]


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
    remove_empty_folders(files.logs)
    return folder


def remove_empty_folders(folder: Path) -> None:
    """Remove the folder and those below it as far as nothing is in them."""
    for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
