"""Class folders: which photo belongs to which class, by the names of the folders and the class table alone."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.classes import ClassTable, mixes_alphabets
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import SORTED, Places
from npylabel.photos.sources import Listing, PhotoRef, is_hidden, list_photos

TRAIN, VAL, TEST = "train", "val", "test"
SPLIT_FOLDERS = {"train": TRAIN, "training": TRAIN, "val": VAL, "valid": VAL, "validation": VAL, "test": TEST}


@dataclass(frozen=True)
class ClassPhoto:
    """One photo in a class folder.

    Attributes:
        ref: the file.
        class_id: from the class table.
        given_split: "train", "val" or "test" by the folder above the class, or "".
    """

    ref: PhotoRef
    class_id: int
    given_split: str = ""


@dataclass
class FolderScan:
    """What lies in a tree of class folders.

    Attributes:
        listing: all files found.
        photos: those in class folders, sorted by source.
        strays: sources of photos that lie outside of every class folder.
    """

    listing: Listing
    photos: list[ClassPhoto]
    strays: list[str]


def scan_class_folders(
    root: Path, table: ClassTable, exclude: Sequence[Path] = (), known: Mapping[str, str] | None = None
) -> FolderScan:
    """The photos in folders named by class or id, flat or below ``train``, ``valid``, ``test``.

    Args:
        root: a folder, or a zip.
        table: the only source of ids.
        exclude: folders that are not read.
        known: see ``list_photos``.

    Raises:
        NpyLabelError: ``photos_missing``, or ``unknown_folder`` with the nearest class name for each.
    """
    listing = list_photos([root], exclude, known)
    paths = [_folders_of(ref.source) for ref in listing.refs]
    wrapper = _wrapper(paths, table)
    scan = FolderScan(listing, [], [])
    unknown: Counter[str] = Counter()
    for ref, folders in zip(listing.refs, paths, strict=True):
        folders = folders[1:] if wrapper else folders
        split = _given_split(folders, table)
        name = folders[bool(split):][:1]
        class_id = table.find(name[0]) if name else None
        if class_id is not None:
            scan.photos.append(ClassPhoto(ref, class_id, split))
        elif name:
            unknown[name[0]] += 1
        else:
            scan.strays.append(ref.source)
    if unknown:
        raise _unknown_folders(root, unknown, table)
    return scan


def _folders_of(source: str) -> list[str]:
    """The folders of a source below the root, or inside the zip."""
    *_outer, inner = re.split(r"\.zip!/", source, maxsplit=1, flags=re.IGNORECASE)
    return (inner if _outer else source.partition("/")[2]).split("/")[:-1]


def _wrapper(paths: list[list[str]], table: ClassTable) -> bool:
    """Whether all lie in one folder of another name with class folders in it, as in a zip of a whole folder."""
    tops = {folders[0] if folders else "" for folders in paths}
    top = next(iter(tops)) if len(tops) == 1 else ""
    if not top or table.find(top) is not None or _given_split([top], table):
        return False
    below = {folders[1] for folders in paths if len(folders) > 1}
    return any(table.find(name) is not None or _given_split([name], table) for name in below)


def _given_split(folders: Sequence[str], table: ClassTable) -> str:
    if not folders or table.find(folders[0]) is not None:
        return ""
    return SPLIT_FOLDERS.get(folders[0].casefold(), "")


def _unknown_folders(root: Path, unknown: Counter, table: ClassTable) -> NpyLabelError:
    lines = []
    for name, count in sorted(unknown.items()):
        near = table.suggestion(name)
        line = _("{name!r} ({count} photos)").format(name=name, count=count)
        if near and mixes_alphabets(name):
            line += " - " + _("has Latin letters that look like Cyrillic ones; rename it to {near!r}").format(near=near)
        elif near:
            line += " - " + _("did you mean {near!r}?").format(near=near)
        lines.append(line)
    return NpyLabelError(
        "unknown_folder",
        _("These folders in {root} have names that are not in the class table: {folders}").format(
            root=root, folders="; ".join(lines)),
        _("Rename them to a name (or id) of classes.json, or move them out of {root}.").format(root=root),
    )


def count_class_files(root: Path, table: ClassTable) -> Counter[int]:
    """How many files lie in the folders of each class, flat or below ``train``, ``valid``, ``test``; none is read."""
    counts: Counter[int] = Counter()
    for path in sorted(root.rglob("*")) if root.is_dir() else []:
        names = path.relative_to(root).parts
        if any(is_hidden(name) for name in names) or not path.is_file():
            continue
        folders = list(names[:-1])
        name = folders[bool(_given_split(folders, table)):][:1]
        class_id = table.find(name[0]) if name else None
        if class_id is not None:
            counts[class_id] += 1
    return counts


def class_source(places: Places, source_dir: str, *, make: bool) -> Path | None:
    """Where the class folders are, None where only the sorted photos of the dataset are meant.

    New ones are made where they can be filled: in the folder that keeps the work.
    """
    if source_dir == SORTED:
        return None
    source = places.source(source_dir)
    if not make or not places.save_dir or source.exists():
        return source
    return places.save_dir / Path(source_dir).expanduser()


def make_class_folders(root: Path, names: str, table: ClassTable) -> list[str]:
    """The class folders that now exist for the names.

    Args:
        root: where they are made.
        names: class names or ids separated by commas, or "all".
        table: the class table.

    Raises:
        NpyLabelError: ``unknown_folder`` for a name that is not in the table.
    """
    listed = [name.strip() for name in names.split(",") if name.strip()]
    wanted = list(table.names.values()) if listed == ["all"] else listed
    ids = {name: table.find(name) for name in wanted}
    unknown = Counter({name: 0 for name, class_id in ids.items() if class_id is None})
    if unknown:
        raise _unknown_folders(root, unknown, table)
    for class_id in ids.values():
        try:
            (root / table.names[class_id]).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NpyLabelError(
                "folders_not_made", _("Folders cannot be made in {path}: {reason}.").format(
                    path=root, reason=error.strerror),
                _("Set source_dir to a folder that you may write to, not to a zip.")) from error
    return [table.names[class_id] for class_id in ids.values()]
