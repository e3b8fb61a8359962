"""The photos of a desk in the order in which a person likes to decide: what looks alike lies side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import iterate_columns
from npylabel.photos.manifest import MANIFEST, OK

_COLUMNS = ("name", "sha256", "status", "group", "taken", "settings")


class Guess(NamedTuple):
    """What the network thinks of a photo.

    Attributes:
        class_name: of the class.
        confidence: 0 to 1.
    """

    class_name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class DeskPhoto:
    """One photo to decide about.

    Attributes:
        name: stem of its files.
        path: of its color file.
        sha256: of the original's bytes.
        group: name of the first photo that shows nearly the same, "" where it is alone.
        taken: ISO time or "".
        guess: name of the class that the network would give, "" where it was not asked.
        confidence: of that class, 0 to 1.
    """

    name: str
    path: Path
    sha256: str
    group: str = ""
    taken: str = ""
    guess: str = ""
    confidence: float = 0.0


def read_desk_photos(dataset_dir: Path, table: ClassTable, guesses: Mapping[str, Guess]) -> list[DeskPhoto]:
    """The photos of a dataset that have files, in the order of the desk.

    Args:
        dataset_dir: holds ``color/`` and ``manifest.csv``.
        table: names and order of the classes; a guess of another class counts as none.
        guesses: by stem.

    Raises:
        NpyLabelError: ``no_dataset`` where there is no manifest, ``table_damaged``.
    """
    if not (dataset_dir / MANIFEST).is_file():
        raise NpyLabelError(
            "no_dataset", _("There are no photos to sort: {path} does not exist.").format(path=dataset_dir / MANIFEST),
            _("Run notebook 01 (collect_and_grayscale) first, or set dataset_dir to the folder that it made."))
    color, photos = dataset_dir / "color", []
    for name, sha256, status, group, taken, settings in iterate_columns(dataset_dir / MANIFEST, _COLUMNS):
        if status == OK and sha256:
            guess = _known(guesses.get(name) or guesses.get(nfc(name)), table)
            path = color / f"{name}.{settings.rpartition(' ')[2] or 'png'}"
            photos.append(DeskPhoto(name, path, sha256, group, taken, *guess))
    return in_order(photos, table)


def _known(guess: Guess | None, table: ClassTable) -> tuple[str, float]:
    class_id = table.find_name(guess.class_name) if guess else None
    return ("", 0.0) if class_id is None else (table.names[class_id], float(guess.confidence))


def in_order(photos: Iterable[DeskPhoto], table: ClassTable) -> list[DeskPhoto]:
    """The photos by guessed class and falling confidence, else by the time taken and name; groups stay together.

    A group stands where the first of its photos would; those without a time, or without a guess, come last.
    """
    rank = {name: position for position, name in enumerate(_class_order(table))}
    keys = {photo.sha256: _key(photo, rank) for photo in photos}
    first: dict[str, tuple] = {}
    for photo in photos:
        group, key = photo.group or photo.sha256, keys[photo.sha256]
        if group not in first or key < first[group]:
            first[group] = key
    return sorted(photos, key=lambda photo: (
        first[photo.group or photo.sha256], photo.group or photo.sha256, keys[photo.sha256][2:]))


def _key(photo: DeskPhoto, rank: Mapping[str, int]) -> tuple:
    return (rank.get(photo.guess, len(rank)), -photo.confidence, not photo.taken, photo.taken, photo.name)


def _class_order(table: ClassTable) -> list[str]:
    """The names of the classes, that of the unknown class at the end."""
    ids = sorted(table.ids, key=lambda class_id: class_id == table.unknown_id)
    return [table.names[class_id] for class_id in ids]
