"""A folder of photos and its labels, and the tools that break a labeling run off."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.report import StepReport
from npylabel.dataset.labels import LabelRow, read_label, read_label_rows, table_path, write_label_rows
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.label import label_photos
from tests.labeler import kit


class Folder:
    """A dataset whose photos are labeled, and questions about its labels."""

    def __init__(self, root: Path, model_path: Path) -> None:
        self.root, self.model_path = root, model_path
        self.color, self.labels = root / "color", root / "labels"

    def run(self, **changes: object) -> StepReport:
        """Label the photos."""
        values = {"model_path": self.model_path, "table": kit.TABLE, "device": "cpu", **changes}
        return label_photos(self.color, self.labels, **values)

    def ids(self) -> dict[str, int]:
        """The ids in the label files, by stem."""
        return {path.stem: read_label(path) for path in sorted(self.labels.glob("*.npy"))}

    def rows(self) -> dict[str, LabelRow]:
        """The rows of labels.csv."""
        return read_label_rows(table_path(self.labels))

    def content(self) -> dict[str, bytes]:
        """Content by name of labels.csv and all label files."""
        files = [table_path(self.labels), *self.labels.iterdir()]
        return {path.name: path.read_bytes() for path in files}

    def label(self, stem: str) -> Path:
        """A label file."""
        return self.labels / f"{stem}.npy"

    def times(self) -> dict[str, int]:
        """When each label file was written, in nanoseconds."""
        return {path.stem: path.stat().st_mtime_ns for path in self.labels.iterdir()}

    def redone(self, action: Callable[[], object], **changes: object) -> set[str]:
        """The stems whose label files are written anew by a run after the action."""
        for path in self.labels.iterdir():
            os.utime(path, ns=(10**18, 10**18))
        action()
        self.run(**changes)
        return {stem for stem, time in self.times().items() if time != 10**18}


def save_changed(model_path: Path, path: Path, **changes: object) -> Path:
    """A copy of a model with some of its fields changed."""
    save_checkpoint(path, Checkpoint(**{**vars(load_checkpoint(model_path)), **changes}))
    return path


class Killed(BaseException):
    """A run that is ended from outside."""


def kill_at_call(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int) -> None:
    """Let the function raise at its n-th call from now on."""
    function, calls = getattr(owner, name), []

    def call(*arguments: object, **keywords: object) -> object:
        calls.append(name)
        if len(calls) == number:
            raise Killed
        return function(*arguments, **keywords)

    monkeypatch.setattr(owner, name, call)


def edit_table(folder: Folder, stem: str, class_id: int) -> None:
    """What a person does who corrects a row of labels.csv."""
    rows = folder.rows()
    rows[stem].class_id, rows[stem].class_name = class_id, kit.TABLE.names[class_id]
    rows[stem].source = "human"
    write_label_rows(table_path(folder.labels), rows)
