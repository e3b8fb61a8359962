"""A small work folder with a dataset, labels and training data, and runs that are killed at any file."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.decisions import DecisionJournal
from npylabel.dataset.labels import HUMAN, LabelRow, table_path, write_label, write_label_rows
from npylabel.dataset.leave_out import leave_out_photos
from npylabel.dataset.verify import verify_dataset
from npylabel.photos.manifest import original_hashes
from tests.dataset.class_kit import ID_OF, TABLE
from tests.photos.collect_kit import collect, lay_file, photo, tree

NAMES = ("IMG_1.jpg", "IMG_2.jpg", "a/IMG_1.jpg", "b/sky.jpg")


class World:
    """A work folder whose originals lie elsewhere.

    Args:
        root: the work folder.
        originals: holds the folders of originals.
    """

    def __init__(self, root: Path, originals: Path) -> None:
        self.root, self.originals = root, originals
        self.phone, self.classes = originals / "phone", originals / "classes"
        self.places = Places(self.root)
        self.dataset, self.data = self.root / "tintora_dataset", self.root / "train_data"

    def lay(self) -> "World":
        """Originals: four photos, a copy of one, and near and exact copies in class folders."""
        for name in NAMES:
            lay_file(self.phone / name, photo(name))
        lay_file(self.phone / "z/copy.jpg", photo("IMG_2.jpg"))
        for folder, names in {"дом": ("IMG_2.jpg", "h1", "h2", "h3"), "небо": ("b/sky.jpg", "s1", "s2")}.items():
            for name in names:
                lay_file(self.classes / folder / (name.rpartition("/")[2].removesuffix(".jpg") + ".jpg"), photo(name))
        lay_file(self.classes / "дом" / "zcopy.jpg", photo("IMG_2.jpg"))
        return self

    def make(self) -> "World":
        """Steps 01, 02 and the labels of 04, one of them a person's."""
        self.collect()
        self.build()
        self.label(human=("IMG_2",))
        return self

    def copy(self, root: Path) -> "World":
        """The same work folder elsewhere, of the same originals."""
        shutil.copytree(self.root, root)
        return World(root, self.originals)

    def collect(self, source: Path | None = None, **options: object) -> StepReport:
        return collect(source or self.phone, self.dataset, **options)

    def build(self, **options: object) -> StepReport:
        return build_training_data(self.classes, self.data, TABLE, size_px=64, workers=1, **options)

    def label(self, human: tuple[str, ...] = ()) -> None:
        """A label for each photo, as step 04 writes them."""
        originals, rows = original_hashes(self.dataset), {}
        for path in sorted((self.dataset / "color").iterdir()):
            class_id = ID_OF["дом" if path.stem in human else "небо"]
            write_label(self.dataset / "labels" / f"{path.stem}.npy", class_id)
            rows[path.stem] = LabelRow(
                path.stem, class_id, TABLE.names[class_id], "" if path.stem in human else "0.7500",
                HUMAN if path.stem in human else "model", written_id=str(class_id),
                original_sha256=originals[path.stem])
        write_label_rows(table_path(self.dataset / "labels"), rows)

    def leave(self, names: str, *, back: bool = False, confirm: bool = True) -> StepReport:
        return leave_out_photos(self.places, names, back=back, confirm=confirm)

    def stems(self, folder: str = "color") -> list[str]:
        return sorted(path.stem for path in (self.dataset / folder).iterdir())

    def copies(self) -> list[str]:
        return [row["path"] for row in read_csv(self.data / "split.csv")]

    def files(self) -> dict[str, str]:
        """The checksums of all files but the decisions, whose names and times are those of the run."""
        return {name: sum_ for name, sum_ in tree(self.root).items() if not name.startswith("decisions/")}

    def findings(self) -> list[str]:
        found = verify_dataset(self.dataset, TABLE, size_px=64, workers=1).findings
        return [f"{finding.code} {finding.name}" for finding in found]


class Killed(BaseException):
    """A run that is ended from outside."""


def kill_after(patch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Let the n-th change of a file or folder from now on be the last one; returns the changes that were made."""
    made: list[str] = []

    def guarded(owner: type, name: str) -> Callable:
        function = getattr(owner, name)

        def call(*arguments: object, **keywords: object) -> object:
            if len(made) >= number:
                raise Killed
            result = function(*arguments, **keywords)
            made.append(name)
            if len(made) == number:
                raise Killed
            return result

        return call

    for owner, name in ((Path, "replace"), (Path, "unlink"), (Path, "rmdir"), (Path, "mkdir"),
                        (DecisionJournal, "append")):
        patch.setattr(owner, name, guarded(owner, name))
    return made


def kill_everywhere(world: World, act: Callable[[World], object]) -> World:
    """The world after the action; asserts that an action that is killed anywhere and run again ends the same."""
    unbroken = world.copy(world.root.with_name("unbroken"))
    act(unbroken)
    number, killed = 0, True
    while killed:
        number += 1
        copy = world.copy(world.root.with_name(f"killed{number}"))
        with pytest.MonkeyPatch.context() as patch:
            made = kill_after(patch, number)
            killed = False
            try:
                act(copy)
            except Killed:
                killed = True
        if killed:
            act(copy)
        assert copy.files() == unbroken.files(), f"killed after {number}: {made[-1]}"
        shutil.rmtree(copy.root)
    assert number > 5
    return unbroken
