"""Datasets without pictures, and desks on them: a desk reads the manifest alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.photos.manifest import PhotoRow, write_rows
from tests.dataset.class_kit import TABLE


def row(name: str, taken: str = "", group: str = "", **other: str) -> PhotoRow:
    """A photo whose checksum is told by its name."""
    return replace(PhotoRow(name, f"phone/{name}.jpg", f"sha-{name}", taken=taken, group=group,
                            settings="512 crop png"), **other)


def write_dataset(root: Path, rows: Iterable[PhotoRow]) -> Path:
    """A dataset's table."""
    write_rows(root / "tintora_dataset", list(rows))
    return root / "tintora_dataset"


def open_desk(root: Path, names: str = "abcdef", **options: object) -> Desk:
    """A desk on a work folder; without a dataset there, one of photos with these names is made."""
    dataset = root / "tintora_dataset"
    if not dataset.exists():
        write_dataset(root, map(row, names))
    return Desk(dataset, root / "decisions", TABLE, **options)


def named(desk: Desk, names: Iterable[str]) -> list[DeskPhoto]:
    """The photos of a desk with these names, in the order of the names."""
    by_name: Mapping[str, DeskPhoto] = {photo.name: photo for photo in desk.photos}
    return [by_name[name] for name in names]


def names(photos: Iterable[DeskPhoto]) -> list[str]:
    """The names of photos."""
    return [photo.name for photo in photos]


def decided(desk: Desk) -> dict[str, str]:
    """What the states say, in short, by name: the class (with ``*`` where it trains), ``skip``, ``-`` for out."""
    found = {}
    for photo in desk.photos:
        state = desk.state_of(photo)
        text = state.class_name + "*" * state.trains + "skip" * state.skipped + "-" * state.out
        if text:
            found[photo.name] = text
    return found
