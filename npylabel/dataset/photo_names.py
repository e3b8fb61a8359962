"""What a person calls a photo: the name of its files, of its training copy or of its original, or its checksum."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import PurePosixPath

from npylabel.base.classes import nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.photos.sources import split_sources

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class NameBook:
    """The names by which photos can be found, each with the SHA-256 of the originals that it means.

    Attributes:
        dataset: stems and file names in the dataset.
        training: ``<class>/<stem>`` and ``<class>/<file>`` in the training data.
        stems: stems and file names of training copies without their class.
        sources: originals as the tables name them, and their file names.
        prefixes: folders that may stand before the names: ``tintora_dataset/color/``, ``color/``, ``train_data/``...
        advice: what to do where no photo has a name; "" for that of a dataset.
    """

    prefixes: Sequence[str] = ()
    dataset: dict[str, set[str]] = field(default_factory=dict)
    training: dict[str, set[str]] = field(default_factory=dict)
    stems: dict[str, set[str]] = field(default_factory=dict)
    sources: dict[str, set[str]] = field(default_factory=dict)
    advice: str = ""

    def add_photo(self, name: str, suffix: str, sha256: str) -> None:
        """A photo of the dataset."""
        _add(self.dataset, (name, name + suffix, f"{name}.npy"), sha256)

    def add_training(self, path: str, sha256: str) -> None:
        """A training copy, ``<class>/<file>``."""
        pure = PurePosixPath(path)
        _add(self.training, (path, str(pure.with_suffix(""))), sha256)
        _add(self.stems, (pure.name, pure.stem), sha256)

    def add_source(self, source: str, sha256: str) -> None:
        """An original."""
        _add(self.sources, (source, source.rpartition("/")[2]), sha256)

    def find(self, names: str, preferred: Collection[str] = (), parameter: str = "value") -> list[str]:
        """SHA-256 of the photos that the names mean, each once, in the order of the names.

        Args:
            names: separated by semicolons; ``*`` stands for any letters.
            preferred: photos that are meant where a name also means others.
            parameter: that holds the names, for errors.

        Raises:
            NpyLabelError: ``photo_unknown`` with the nearest names, ``photo_ambiguous`` where a name without ``*``
                means several photos, ``bad_parameter`` for no name at all.
        """
        wanted = set(preferred)
        found = (sorted(self._find_one(part, wanted)) for part in split_names(names, parameter))
        return list(dict.fromkeys(chain.from_iterable(found)))

    def _find_one(self, part: str, preferred: set[str]) -> set[str]:
        levels = (self.dataset, self.training, self.stems, self.sources)
        if _SHA256.fullmatch(part) and any(part in found for level in levels for found in level.values()):
            return {part}
        name = self._without_prefix(part)
        for level in levels:
            found = _match(level, name)
            found = found & preferred or found
            if len(found) > 1 and "*" not in name:
                raise self._ambiguous(part, found)
            if found:
                return found
        raise self._unknown(part, name)

    def _without_prefix(self, part: str) -> str:
        name = part.replace("\\", "/").removeprefix("./")
        prefix = max((prefix for prefix in self.prefixes if name.startswith(prefix)), key=len, default="")
        return name[len(prefix):]

    def _unknown(self, part: str, name: str) -> NpyLabelError:
        known = {*self.dataset, *self.training, *self.stems, *self.sources}
        near = difflib.get_close_matches(name.replace("*", ""), sorted(known), n=3, cutoff=0.5)
        return NpyLabelError(
            "photo_unknown", _("No photo is called {name!r}; the nearest names: {near}.").format(
                name=part, near=", ".join(near) or "-"),
            self.advice or _("Give the name of a file in color or in a class folder, as it stands there."))

    def _ambiguous(self, part: str, found: set[str]) -> NpyLabelError:
        named = {name: hashes for level in (self.dataset, self.training) for name, hashes in level.items()
                 if hashes <= found and len(hashes) == 1}
        # Without suffixes where these tell all of them apart.
        short = {name: hashes for name, hashes in named.items() if "." not in name}
        named = sorted(short if set().union(*short.values()) == found else named)
        return NpyLabelError(
            "photo_ambiguous", _("{name!r} means {count} photos: {names}.").format(
                name=part, count=len(found), names=", ".join(named[:6])),
            _("Give one of these names, or several separated by semicolons."))


def split_names(names: str, parameter: str = "value") -> list[str]:
    """The names in a text that separates them by semicolons.

    Args:
        names: the text.
        parameter: that it is of, for errors.

    Raises:
        NpyLabelError: ``bad_parameter`` for no name at all.
    """
    parts = [nfc(part) for part in split_sources(names)]
    if not parts:
        raise NpyLabelError(
            "bad_parameter", _("{name} is {value!r}.").format(name=parameter, value=names),
            _('Give names of photos, separated by semicolons; * stands for any characters: "IMG_1; IMG_20*".'))
    return parts


def _add(level: dict[str, set[str]], names: Iterable[str], sha256: str) -> None:
    for name in names:
        if sha256:
            level.setdefault(nfc(name), set()).add(sha256)


def _match(level: Mapping[str, set[str]], name: str) -> set[str]:
    if "*" not in name:
        return level.get(name, set())
    pattern = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
    return {sha256 for known, hashes in level.items() if pattern.fullmatch(known) for sha256 in hashes}
