"""The local side of what is saved: which files are here as they were saved, and which changed since."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from npylabel.base.files import TEMP_PREFIX, atomic_path, write_text
from npylabel.base.store import SavedFile

OWN_FOLDER = ".courier"
# An export is links to what is saved anyway; its table tells it. Its zip is a file and travels.
_NOT_CARRIED = "export.csv"


class Mirror:
    """The local work folder, and what it had in common with what is saved when they last met.

    Args:
        root: the local work folder.

    Attributes:
        base: what was saved, by path, of the files that are (or were) here.
        index: name of the index it comes from.
        shown: SHA-256 by path of the copies that people open.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.own = root, root / OWN_FOLDER
        self.base: dict[str, SavedFile] = {}
        self.index = ""
        self.shown: dict[str, str] = {}
        self._read()

    def _read(self) -> None:
        try:
            state = json.loads((self.own / "state.json").read_text(encoding="utf-8"))
            self.base = {path: SavedFile(*values) for path, values in state["files"].items()}
            self.index, self.shown = state["index"], state["shown"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.forget()

    def write(self) -> None:
        """Keep the state, whole or not at all."""
        write_text(self.own / "state.json", json.dumps(
            {"index": self.index, "files": self.base, "shown": self.shown}, ensure_ascii=False))

    def forget(self) -> None:
        """Trust nothing: what was saved is another folder, or gone. All local files count as new."""
        self.base, self.index, self.shown = {}, "", {}

    def scan(self) -> dict[str, os.stat_result]:
        """Status by path of the local files that travel."""
        return dict(_walk(self.root, ""))

    def changes(self) -> tuple[list[str], list[str]]:
        """(paths that are new or look changed, paths that were here and are gone)."""
        found = self.scan()
        changed = [path for path, status in found.items() if not _looks_like(status, self.base.get(path))]
        return changed, [path for path in self.base if path not in found]

    def holds(self, path: str, file: SavedFile) -> bool:
        """Whether the local file is this very one; a file that no one vouches for is read."""
        try:
            status = (self.root / path).stat()
        except OSError:
            return False
        if _looks_like(status, file) and self.base.get(path) == file:
            return True
        return status.st_size == file.size and hash_of(self.root / path) == file.sha256

    def looks_like(self, path: str, file: SavedFile) -> bool:
        """Whether the local file has the size and time of this one."""
        try:
            return _looks_like((self.root / path).stat(), file)
        except OSError:
            return False

    def is_changed_here(self, path: str) -> bool:
        """Whether the local file is not what was saved (removed counts as changed)."""
        try:
            status = (self.root / path).stat()
        except OSError:
            return path in self.base
        base = self.base.get(path)
        return not base or (not _looks_like(status, base) and hash_of(self.root / path) != base.sha256)

    def remove(self, path: str) -> None:
        """Remove a local file that was removed on another machine."""
        (self.root / path).unlink(missing_ok=True)
        self.base.pop(path, None)

    def unpack(self, archive: Path, files: Mapping[str, SavedFile]) -> None:
        """Take the files out of an archive; each appears whole or not at all."""
        with tarfile.open(archive) as tar:
            for member in tar:
                file = files.get(member.name)
                if not file or not member.isreg():
                    continue
                with atomic_path(self.root / member.name) as temporary:
                    temporary.write_bytes(tar.extractfile(member).read())
                    os.utime(temporary, ns=(file.mtime_ns, file.mtime_ns))
                self.base[member.name] = file


def hash_of(path: Path) -> str:
    """SHA-256 of a file, "" where it is gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def pack(root: Path, paths: Iterable[str], archive: Path) -> dict[str, SavedFile]:
    """What was packed, by path; files that are gone meanwhile are left out. The archive's name is to be given."""
    packed = {}
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            try:
                status, data = (root / path).stat(), (root / path).read_bytes()
            except FileNotFoundError:
                continue
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime = len(data), status.st_mtime_ns // 10**9
            tar.addfile(entry, io.BytesIO(data))
            packed[path] = SavedFile(hashlib.sha256(data).hexdigest(), len(data), status.st_mtime_ns, "")
    return packed


def _looks_like(status: os.stat_result, file: SavedFile | None) -> bool:
    return bool(file) and (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    if any(entry.name == _NOT_CARRIED for entry in entries):
        return
    for entry in entries:
        if entry.name == OWN_FOLDER or entry.name.startswith(TEMP_PREFIX):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield prefix + entry.name, entry.stat()
        except FileNotFoundError:  # Removed while we look.
            continue
