"""What is saved on a shared folder: the index of files and archives, and how two machines' indexes become one."""

import gzip
import json
import re
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from npylabel.base.errors import NpyLabelError
from npylabel.base.groups import is_bulk, spoken_of_by
from npylabel.base.i18n import _

FORMAT = "npylabel-saved/1"
_INDEX_NAME = re.compile(r"index-(\d{6,})-([0-9a-f]{8})\.json\.gz")
_ARCHIVE_NAME = re.compile(r"(\d{6,})-([0-9a-f]{8})-(\d{3,})\.tar")
# So many names of earlier indexes and archives are remembered: weeks of saves every few minutes. What is older than
# all of them counts as known.
_HISTORY = 10_000


class SavedFile(NamedTuple):
    """One file: SHA-256, size in bytes, time of change in nanoseconds, and the archive that holds it.

    ``born`` names the archive that held this content first, where it was packed again since; "" is ``archive``.
    ``member`` is its name in the archive where that is not its path (a version that was set aside); "" is the path.
    """

    sha256: str
    size: int
    mtime_ns: int
    archive: str
    born: str = ""
    member: str = ""

    @property
    def origin(self) -> str:
        """The archive that this version came with: who knows the archive has seen the version."""
        return self.born or self.archive


class Archive(NamedTuple):
    """One archive: SHA-256, size in bytes, and the group that its files belong to."""

    sha256: str
    size: int
    group: str


@dataclass(frozen=True)
class Index:
    """One generation of what is saved.

    Attributes:
        name: of the index file, "" where nothing is saved yet.
        history: names of the indexes that this one follows, oldest generation first.
        files: by path below the work folder, POSIX.
        archives: by name; those of ``files`` and of ``missing``.
        retired: names of archives (and other origins of versions) that are known and not needed any more.
        missing: files whose archive was not to be seen; they come back with it.
    """

    name: str = ""
    history: tuple[str, ...] = ()
    files: Mapping[str, SavedFile] = field(default_factory=dict)
    archives: Mapping[str, Archive] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    missing: Mapping[str, SavedFile] = field(default_factory=dict)

    def needed(self) -> list[str]:
        """Names of the archives that hold the files."""
        return sorted({file.archive for file in self.files.values()})

    def seen(self) -> set[str]:
        """All archives that this index or one before it needed: the versions in them are known here."""
        return {*self.archives, *self.retired}

    def follows(self, name: str) -> bool:
        """Whether an index is this one or one before it."""
        if name == self.name or name in set(self.history):
            return True
        return bool(name) and len(self.history) >= _HISTORY and generation_of(name) < generation_of(self.history[0])

    def lost_archives(self, sizes: Mapping[str, int]) -> set[str]:
        """The archives of files that are missing or cut, by the sizes of the files that are visible."""
        return {name for name in self.needed() if sizes.get(name) != self.archives[name].size}

    def present(self, sizes: Mapping[str, int], damaged: Set[tuple[str, str]] = frozenset()) -> "Index":
        """The same with the files whose archives are to be seen, and the others in ``missing``.

        Pictures and labels are missing with the tables and journals that speak of them; those that were saved after
        such a table are spoken of by a later one.

        Args:
            sizes: of the files that are visible.
            damaged: (archive, name in it) of what an archive should hold and does not.
        """
        everything = {**self.missing, **self.files}
        unseen = {name for name, archive in self.archives.items() if sizes.get(name) != archive.size}
        gone = {path: file for path, file in everything.items()
                if file.archive in unseen or (file.archive, file.member or path) in damaged}
        silent = [(folder, generation_of(file.origin)) for path, file in gone.items() if (folder := spoken_of_by(path))]
        gone |= {path: file for path, file in everything.items() if is_bulk(path) and any(
            path.startswith(folder) and generation_of(file.origin) <= until for folder, until in silent)}
        if gone.keys() == self.missing.keys():
            return self
        return replace(self, files={path: file for path, file in everything.items() if path not in gone}, missing=gone)

    def missing_after(self, saved: Mapping[str, SavedFile]) -> dict[str, SavedFile]:
        """What is missing once these files are saved: what they take the place of is set aside.

        Where a table takes the place of a missing one, all that is missing in its folder is set aside together with
        the old table: among the files that the new table speaks of, it would look like what a person laid there.
        """
        made_again = {(path, file.sha256) for path, file in saved.items()}
        missing = {path: file for path, file in self.missing.items()
                   if not made_again & {(path, file.sha256), (file.member, file.sha256)}}
        for path in [path for path in missing if path in saved]:
            folder, old = spoken_of_by(path), self.missing[path]
            for each in [each for each in missing if each == path or (folder and each.startswith(folder))]:
                missing |= set_aside(each, missing.pop(each), old.archive)
        return missing

    def hidden(self) -> set[str]:
        """Where the missing files were before they were set aside."""
        return {*self.missing, *(file.member for file in self.missing.values() if file.member not in self.files)} - {""}

    def with_files(self, files: Mapping[str, SavedFile], added: Mapping[str, Archive]) -> "Index":
        """The index that follows this one: other files, in its archives and the added ones; its name is to be given."""
        known = {**self.archives, **added}
        missing = {path: file for path, file in self.missing.items() if path not in files}
        used = {file.archive for file in (*files.values(), *missing.values())}
        origins = {file.origin for file in files.values()}
        return Index("", _by_generation({*self.history, self.name}), files,
                     {name: known[name] for name in sorted(used)},
                     _by_generation({*self.retired, *known, *origins} - used), missing)


def index_name(generation: int, session: str) -> str:
    """The name of an index; the session (8 hexadecimal digits) keeps two machines from writing one file."""
    return f"index-{generation:06d}-{session}.json.gz"


def archive_name(generation: int, session: str, number: int) -> str:
    """The name of an archive."""
    return f"{generation:06d}-{session}-{number:03d}.tar"


def generation_of(name: str) -> int:
    """The generation in the name of an index or archive, or -1 for any other name."""
    match = _INDEX_NAME.fullmatch(name) or _ARCHIVE_NAME.fullmatch(name)
    return int(match[1]) if match else -1


def index_names(sizes: Mapping[str, int]) -> list[str]:
    """The names of indexes among those of files, newest first, in the same order on every machine."""
    return sorted(filter(_INDEX_NAME.fullmatch, sizes), key=_age_key, reverse=True)


def _age_key(name: str) -> tuple[int, str]:
    return generation_of(name), name


def _by_generation(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names - {""}, key=_age_key)[-_HISTORY:])


def encode_index(index: Index) -> bytes:
    """The index as a file; gzip's checksum tells a cut one."""
    content = {"format": FORMAT, "history": index.history, "files": index.files, "archives": index.archives,
               "retired": index.retired, "missing": index.missing}
    # Names of broken bytes survive as escapes only.
    return gzip.compress(json.dumps(content, ensure_ascii=True).encode(), 6, mtime=0)


def decode_index(name: str, data: bytes) -> Index | None:
    """The index in the bytes, or None where they are cut or damaged.

    Raises:
        NpyLabelError: ``saved_newer`` where a later version of this project wrote it.
    """
    try:
        content = json.loads(gzip.decompress(data))
        if content["format"] != FORMAT:
            raise NpyLabelError(
                "saved_newer", _("{name} was saved in another format: {format}.").format(
                    name=name, format=content["format"]),
                _("Use the version of this project that saved it, or a later one."))
        index = Index(
            name, tuple(content["history"]), _files(content["files"]),
            {archive: Archive(*values) for archive, values in content["archives"].items()},
            tuple(content["retired"]), _files(content["missing"]))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError):
        return None
    files = {**index.missing, **index.files}
    held = all(file.archive in index.archives for file in (*index.missing.values(), *index.files.values()))
    return index if held and all(map(_is_below, files)) else None


def _files(content: Mapping[str, list]) -> dict[str, SavedFile]:
    return {path: SavedFile(*values) for path, values in content.items()}


def _is_below(path: str) -> bool:
    """Whether a path stays below the folder that it is joined to."""
    return not path.startswith("/") and "\0" not in path and ".." not in path.split("/")


def merge(mine: Index, theirs: Index) -> tuple[Index, list[str]]:
    """(what both sides saved, paths that both changed), named as mine.

    Which side saw which version is told by the archives that it knows. Where both have a version of a file that the
    other has not seen, mine stays and theirs is set aside: nothing is lost. A file that one side changed and the other
    removed stays.
    """
    known_here, known_there, dropped_there = mine.seen(), theirs.seen(), set(theirs.retired)
    files = {path: file for path, file in mine.files.items()
             if path in theirs.files or path in theirs.missing or file.origin not in known_there}
    conflicts = []
    for path, file in theirs.files.items():
        own, is_new = mine.files.get(path), file.origin not in known_here
        if own is None:
            if is_new or path in mine.missing:
                files[path] = file
        elif own.sha256 == file.sha256:
            if own.archive in dropped_there:  # They packed it anew.
                files[path] = file
        elif is_new and own.origin in known_there:
            files[path] = file
        elif is_new or own.origin in known_there:
            conflicts.append(path)
            files |= set_aside(path, file)
    missing = _still_missing(theirs, mine, files) | _still_missing(mine, theirs, files)
    both = replace(mine, archives={**theirs.archives, **mine.archives}, missing=missing).with_files(files, {})
    history = _by_generation({*theirs.history, theirs.name, *mine.history})
    retired = _by_generation({*theirs.retired, *both.retired} - {*both.archives})
    return replace(both, name=mine.name, history=history, retired=retired), sorted(conflicts)


def _still_missing(index: Index, other: Index, files: Mapping[str, SavedFile]) -> dict[str, SavedFile]:
    """What the index misses and the other one has not replaced or removed, knowing it."""
    known = other.seen()
    missing = {path: file for path, file in index.missing.items()
               if file.origin not in known or (path in other.missing and path not in files)}
    return replace(index, missing=missing).missing_after({path: files[path] for path in missing if path in files})


def healed(theirs: Index, mine: Index, sizes: Mapping[str, int]) -> Index | None:
    """Their index without the archives that are gone because mine had no need of them any more.

    None where an archive is gone that we know nothing of: it may be on its way.
    """
    lost = theirs.lost_archives(sizes)
    if lost - mine.seen():
        return None
    files = {path: file for path, file in theirs.files.items() if file.archive not in lost}
    # We saw what lay in those archives, so our version is the newer one.
    files |= {path: mine.files[path] for path, file in theirs.files.items()
              if file.archive in lost and path in mine.files}
    archives = {**mine.archives, **theirs.archives}
    used = {file.archive for file in (*files.values(), *theirs.missing.values())}
    return replace(theirs, files=files, archives={name: archives[name] for name in used},
                   retired=(*theirs.retired, *lost))


def set_aside(path: str, file: SavedFile, archive: str = "") -> dict[str, SavedFile]:
    """A version of a file under the path where it is kept: ``conflicts/<its archive, or the given one>/<path>``."""
    kept = f"conflicts/{(archive or file.archive).partition('.')[0]}/{path}"
    # The copy is a file of its own: who knows the version that it was made of has not seen the copy.
    return {kept: file._replace(born=kept, member=file.member or path)}
