"""Pictures in the place of results that no table names, by which a dataset is known again whose table got lost."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from npylabel.base.files import sha256_file
from npylabel.photos.names import safe_stem


class Strays:
    """The names of such pictures, by the originals that would give them.

    Args:
        folder: holds the pictures.
        names: stems, with the folder inside ``folder`` before them.
        suffix: of the pictures.
    """

    def __init__(self, folder: Path, names: Sequence[str], suffix: str) -> None:
        self._folder, self._suffix = folder, suffix
        self._like: dict[str, list[str]] = defaultdict(list)
        for name in sorted(set(names)):
            for base in {name, re.sub(r"_\d+$", "", name)}:
                self._like[base].append(name)
        self._hashed = lru_cache(maxsize=None)(self._hash)

    def take(self, source: str, name: str, sha256: str) -> str:
        """The name, once, of the picture with these bytes that the original's name would give; "" where none is.

        Args:
            source: of the original.
            name: that a run gave to it.
            sha256: of its picture.
        """
        inner = name.rpartition("/")[0]
        stem = safe_stem(Path(source.rpartition("/")[2]).stem)
        return self._hashed(f"{inner}/{stem}" if inner else stem).pop(sha256, "")

    def _hash(self, base: str) -> dict[str, str]:
        paths = {name: self._folder / f"{name}{self._suffix}" for name in self._like.get(base, ())}
        return {sha256_file(path): name for name, path in paths.items() if path.is_file()}
