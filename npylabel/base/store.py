"""What is saved on a shared folder: the index of files and archives, and how two machines' indexes become one."""

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

FORMAT = "npylabel-saved/1"
_INDEX_NAME = re.compile(r"index-(\d{6})-([0-9a-f]{8})\.json\.gz")
_ARCHIVE_NAME = re.compile(r"(\d{6})-([0-9a-f]{8})-(\d{3})\.tar")
# More ancestors than any machine could have missed.
_HISTORY = 500


class SavedFile(NamedTuple):
    """One file: SHA-256, size in bytes, time of change in nanoseconds, and the archive that holds it."""

    sha256: str
    size: int
    mtime_ns: int
    archive: str


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
        history: names of the indexes that this one follows, newest last.
        files: by path below the work folder, POSIX.
        archives: by name.
        retired: names of archives that an earlier index needed and this one does not.
    """

    name: str = ""
    history: tuple[str, ...] = ()
    files: Mapping[str, SavedFile] = field(default_factory=dict)
    archives: Mapping[str, Archive] = field(default_factory=dict)
    retired: tuple[str, ...] = ()

    def lost_archives(self, sizes: Mapping[str, int]) -> set[str]:
        """The archives that are missing or cut, by the sizes of the files that are visible."""
        return {name for name, archive in self.archives.items() if sizes.get(name) != archive.size}

    def without(self, archives: set[str]) -> "Index":
        """The same without what lies in the archives."""
        return Index(self.name, self.history,
                     {path: file for path, file in self.files.items() if file.archive not in archives},
                     {name: archive for name, archive in self.archives.items() if name not in archives},
                     self.retired)

    def with_files(self, files: Mapping[str, SavedFile], added: Mapping[str, Archive]) -> "Index":
        """The index that follows this one: other files, in its archives and the added ones; its name is to be given."""
        known = {**self.archives, **added}
        used = {name: known[name] for name in sorted({file.archive for file in files.values()})}
        retired = tuple(sorted({*self.retired, *self.archives} - set(used)))
        return Index("", tuple(name for name in (*self.history, self.name) if name), files, used, retired)


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


def is_index(name: str) -> bool:
    """Whether a name is that of an index."""
    return bool(_INDEX_NAME.fullmatch(name))


def encode_index(index: Index) -> bytes:
    """The index as a file; gzip's checksum tells a cut one."""
    content = {"format": FORMAT, "history": index.history[-_HISTORY:], "files": index.files,
               "archives": index.archives, "retired": index.retired}
    return gzip.compress(json.dumps(content, ensure_ascii=False).encode(), 6, mtime=0)


def decode_index(name: str, data: bytes) -> Index | None:
    """The index in the bytes, or None where they are cut or damaged."""
    try:
        content = json.loads(gzip.decompress(data))
    except (OSError, EOFError, zlib.error, ValueError):
        return None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    return Index(name, tuple(content["history"]),
                 {path: SavedFile(*values) for path, values in content["files"].items()},
                 {archive: Archive(*values) for archive, values in content["archives"].items()},
                 tuple(content["retired"]))


def merge(base: Index, mine: Index, theirs: Index) -> tuple[Index, list[str]]:
    """(both sides' changes since ``base``, paths that both changed); the name is to be given.

    Where both changed a file, mine stays and theirs is kept as ``conflicts/<their index>/<path>``: nothing is lost.
    A file that one side changed and the other removed stays.
    """
    files, conflicts = dict(mine.files), []
    for path in {*base.files, *theirs.files}:
        before, here, there = (_content(index, path) for index in (base, mine, theirs))
        if there == here and there is not None and mine.files[path] == base.files.get(path):
            files[path] = theirs.files[path]  # They may have packed it anew and removed the old archive.
        if there in (here, before):
            continue
        if here == before:
            files.pop(path, None)
        if path in theirs.files:
            if here == before or here is None:
                files[path] = theirs.files[path]
            else:
                conflicts.append(path)
                files[conflict_path(theirs, path)] = theirs.files[path]
    both = mine.with_files(files, theirs.archives)
    history = dict.fromkeys((*theirs.history, *mine.history, theirs.name, mine.name))
    retired = {*theirs.retired, *theirs.archives, *both.retired} - set(both.archives)
    return replace(both, history=tuple(name for name in history if name), retired=tuple(sorted(retired))), sorted(
        conflicts)


def conflict_path(theirs: Index, path: str) -> str:
    """Where the version of another machine is kept."""
    return f"conflicts/{theirs.name.partition('.')[0]}/{path}"


def _content(index: Index, path: str) -> str | None:
    file = index.files.get(path)
    return file.sha256 if file else None


def is_bulk(path: str) -> bool:
    """Whether a file is one of very many (a picture of the dataset or of the training data, a label)."""
    is_one = "/" not in path or path.endswith(("_sheet.jpg", ".curves.png", ".confusion.png"))
    return not is_one and path.rpartition(".")[2].lower() in ("png", "jpg", "jpeg", "npy")


def group_of(path: str) -> str:
    """Which files share archives: those that a step needs together."""
    if not is_bulk(path):
        return "models" if path.endswith((".pth", ".ckpt", ".zip")) else "tables"
    *folders, _name = path.split("/")
    if folders[-1] in ("color", "bw", "labels"):
        return "/".join(folders)
    return "/".join(folders[:2] if folders[0] == "demo" else folders[:1])


def reading_order(path: str) -> tuple[int, str]:
    """The order in which a living folder is read, so that the copy is a state that a kill could have left.

    A training state comes before the models that are newer than it; journals come after the files that they speak
    of, and tables, which replace a journal, after it.
    """
    suffix = path.rpartition(".")[2]
    ranks = {"ckpt": 0, "jsonl": 2, "csv": 3}
    return (ranks.get(suffix, 1), path)
