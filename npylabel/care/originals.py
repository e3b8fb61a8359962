"""Which originals can be reached now: what was made of them can be made again."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from npylabel.base.tables import printable
from npylabel.dataset.sorted_photos import path_of_sorted
from npylabel.photos.archives import ZIP_ERRORS, list_members
from npylabel.photos.manifest import PhotoRow


def _split_zip(source: str) -> tuple[str, str]:
    """(the file, its name in it) of a source in a zip, (source, "") of a plain file."""
    outer, *inner = re.split(r"(?<=\.zip)!/", source, maxsplit=1, flags=re.IGNORECASE)
    return outer, inner[0] if inner else ""


class Originals:
    """Looks for originals at the places that are known.

    Args:
        roots: folders and zips of photos, as the steps 01 and 02 are given them.
        near: folders in which a root of the right name may lie.
    """

    def __init__(self, roots: Sequence[Path], near: Iterable[Path] = ()) -> None:
        self.roots, self.near = [root.resolve() for root in roots], list(near)
        self._known: dict[Path, dict[str, str]] = {}
        self._found: dict[str, list[tuple[Path, bool]]] = {}

    def is_there(self, row: PhotoRow) -> bool:
        """Whether the original of a row is where it was, with the same size."""
        outer, member = _split_zip(path_of_sorted(row.source))
        label, _slash, rest = outer.partition("/")
        if label not in self._found:
            self._found[label] = self._roots_of(label)
        for root, is_folder in self._found[label]:
            path = root / rest if is_folder else root
            found = _stat(path)
            if found and S_ISREG(found.st_mode) and (
                    self._members(path).get(member) == row.fingerprint if member
                    else row.fingerprint.partition("-")[0] == str(found.st_size)):
                return True
        return False

    def _members(self, path: Path) -> dict[str, str]:
        """Fingerprint by name of what is in a zip."""
        if path not in self._known:
            try:
                self._known[path] = {printable(member.name): member.fingerprint for member in list_members(path)}
            except (*ZIP_ERRORS, OSError):
                self._known[path] = {}
        return self._known[path]

    def _roots_of(self, label: str) -> list[tuple[Path, bool]]:
        """(path, whether it is a folder) of the roots that a label may mean."""
        # list_photos puts a number behind the label of a second root of the same name.
        names = {label, re.sub(r"~\d*$", "", label)}
        known = [root for root in self.roots if root.name in names]
        near = [folder / name for folder in self.near for name in sorted(names)]
        return [(path, S_ISDIR(found.st_mode)) for path in (*known, *near) if (found := _stat(path))]


def _stat(path: Path) -> os.stat_result | None:
    """What the disk says of a path; an original on a disk that does not answer counts as not found."""
    try:
        return path.stat()
    except OSError:
        return None
