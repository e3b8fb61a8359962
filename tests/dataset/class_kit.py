"""Trees of class folders, with files whose names say what is right."""

import json
import random
from pathlib import Path

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.places import project_dir
from npylabel.dataset.folders import FolderScan
from tests.photos.collect_kit import lay_file, photo

TABLE_PATH = project_dir() / "classes.json"
TABLE: ClassTable = load_classes(TABLE_PATH)
# Read apart from the code under test.
ID_OF: dict[str, int] = {
    entry["name"]: entry["id"] for entry in json.loads(TABLE_PATH.read_text("utf-8")).values()}


def random_names(random_seed: int, count: int) -> list[str]:
    """Some class names in random order."""
    return random.Random(random_seed).sample(sorted(ID_OF), count)


def lay_ids(root: Path, folders: dict[str, int], files: int = 1) -> Path:
    """Folders with files named by the id that is right for them, such as ``12_0.jpg``."""
    for folder, class_id in folders.items():
        for number in range(files):
            lay_file(root / folder / f"{class_id}_{number}.jpg", b"x")
    return root


def wrong_ids(scan: FolderScan) -> list[str]:
    """Sources of the photos that were given another id than their file's name says."""
    return [photo.ref.source for photo in scan.photos
            if int(Path(photo.ref.source).stem.partition("_")[0]) != photo.class_id]


def lay_classes(root: Path, **counts: int) -> Path:
    """Class folders with so many small photos each, all of them different."""
    for name, count in counts.items():
        for number in range(count):
            lay_file(root / name / f"{name}{number}.jpg", photo(f"{name}{number}"))
    return root
