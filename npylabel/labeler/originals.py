"""Which originals can be reached now: what was made of them can be made again."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from npylabel.photos.manifest import PhotoRow

_ZIP = re.compile(r"\.zip!/", re.IGNORECASE)


class Originals:
    """Looks for originals at the places that are known.

    Args:
        roots: folders and zips of photos, as the steps 01 and 02 are given them.
        near: folders in which a root of the right name may lie.
    """

    def __init__(self, roots: Sequence[Path], near: Iterable[Path] = ()) -> None:
        self.roots, self.near = [root.resolve() for root in roots], list(near)

    def is_there(self, row: PhotoRow) -> bool:
        """Whether the original of a row is where it was, with the same size."""
        label, _slash, rest = row.source.partition("/")
        rest, in_zip = re.split(_ZIP, rest, maxsplit=1)[0], bool(_ZIP.search(row.source))
        for root in self._roots_of(label.removesuffix("!")):
            path = root if root.is_file() else root / (f"{rest}.zip" if in_zip else rest)
            if path.is_file() and (in_zip or row.fingerprint.partition("-")[0] == str(path.stat().st_size)):
                return True
        return False

    def _roots_of(self, label: str) -> list[Path]:
        # list_photos puts a number behind the label of a second root of the same name.
        names = {label, re.sub(r"~\d*$", "", label)}
        known = [root for root in self.roots if root.name in names]
        return known + [folder / name for folder in self.near for name in sorted(names) if (folder / name).exists()]
