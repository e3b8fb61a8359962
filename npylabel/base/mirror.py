"""The local side of what is saved: which files are here as they were saved, and which changed since."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from npylabel.base.files import TEMP_PREFIX, sha256_file, write_text
from npylabel.base.groups import stays_here
from npylabel.base.store import Index, SavedFile

OWN_FOLDER = ".courier"
# An export is links to what is saved anyway; its table tells it. Its zip is a file and travels.
_EXPORT_TABLE, _EXPORT = "export.csv", {"export.csv", "train", "val", "test"}
# So many files, and such a part of a folder, that vanish while no step works are a slip, or a way to make room here.
_MANY, _PART = 20, 1 / 5
# So are all files of a folder with at least so many in it.
_WHOLE = 3


class Mirror:
    """The local work folder, and what it had in common with what is saved when they last met.

    Args:
        root: the local work folder.

    Attributes:
        base: what was saved, by path, of the files that are (or were) here; their times are those of the local files.
        pending: what was to be saved when the last index was written; it counts once an index shows that it was.
        damaged: (archive, name in it) of saved files that could not be taken out of their archive.
        given_up: name of an index that was waited for in vain.
        frees_room: much was removed whose archives are still to go.
        working: a step began here, and what it did is not saved yet.
        links: links that lead out of the folder, and ``exports``: folders of links to what is saved; neither travels,
            both as of the last scan.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.own = root, root / OWN_FOLDER
        self.base: dict[str, SavedFile] = {}
        self.pending: dict[str, SavedFile] = {}
        self.given_up = ""
        self.damaged: set[tuple[str, str]] = set()
        self.working = self.frees_room = False
        self.links: list[str] = []
        self.exports: list[str] = []
        self._read()

    def _read(self) -> None:
        """Take the state of the last time; where it is damaged, nothing is trusted and all is compared by content."""
        try:
            state = json.loads((self.own / "state.json").read_text(encoding="utf-8"))
            base, pending = ({path: SavedFile(*values) for path, values in state[name].items()}
                             for name in ("files", "pending"))
            given_up = str(state["given_up"])
            working, frees_room = bool(state["working"]), bool(state["frees_room"])
            damaged = {(archive, name) for archive, name in state["damaged"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self.base, self.pending, self.given_up = base, pending, given_up
        self.working, self.frees_room, self.damaged = working, frees_room, damaged

    def write(self) -> None:
        """Keep the state, whole or not at all."""
        # Names of broken bytes survive as escapes only.
        write_text(self.own / "state.json", json.dumps(
            {"files": self.base, "pending": self.pending, "given_up": self.given_up,
             "working": self.working, "frees_room": self.frees_room, "damaged": sorted(self.damaged)},
            ensure_ascii=True))

    def meet(self, saved: Index) -> None:
        """Forget what the index does not vouch for: it counts as new, and is never removed.

        That is all of it where the shared folder was emptied or exchanged, and what lies in a save that did not
        arrive.
        """
        seen = saved.seen()
        arrived = {path: file for path, file in self.pending.items() if file.archive in seen}
        self.base |= arrived
        self.pending = {path: file for path, file in self.pending.items() if path not in arrived}
        hidden = saved.hidden()
        self.base = {path: file for path, file in self.base.items() if file.origin in seen and path not in hidden}

    def follow_set_aside(self, saved: Index) -> None:
        """Set aside here what was set aside there while it was missing: what lies here may be the only copy left."""
        for path, file in saved.missing.items():
            base, now = self.base.get(file.member), saved.files.get(file.member)
            is_old = base and base.sha256 == file.sha256 and not (now and now.sha256 == file.sha256)
            if is_old and not self.is_changed_here(file.member):
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                (self.root / file.member).replace(self.root / path)
                del self.base[file.member]

    def follow_removals(self, saved: Index) -> None:
        """Remove what was removed on another machine, unless it was changed here."""
        for path in [path for path in self.base if path not in saved.files]:
            if not self.is_changed_here(path):
                with suppress(FileNotFoundError, NotADirectoryError):
                    (self.root / path).unlink()
            del self.base[path]

    def forget_mass_removal(self) -> dict[str, int]:
        """Number of files by folder that vanished while no step worked, too many to be meant; they come back.

        Files that lie elsewhere now were moved, which is meant.
        """
        if self.working:
            return {}
        found = self.scan()
        new = {(path.rpartition("/")[2], status.st_size) for path, status in found.items() if path not in self.base}
        vanished = [path for path, file in self.base.items()
                    if path not in found and (path.rpartition("/")[2], file.size) not in new]
        counts, all_here = Counter(map(_top, vanished)), Counter(map(_top, self.base))
        many = {folder: count for folder, count in counts.items()
                if (count > _MANY and count > _PART * all_here[folder]) or _WHOLE <= count == all_here[folder]}
        for path in vanished:
            if _top(path) in many:
                del self.base[path]
        return many

    def scan(self) -> dict[str, os.stat_result]:
        """Status by path of the local files that travel.

        Raises:
            OSError: where a folder cannot be read: its files are not gone.
        """
        self.links, self.exports = [], []
        return dict(self._walk(self.root, ""))

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
        try:
            with os.scandir(folder) as entries:
                entries = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        skipped = set()
        if prefix and any(entry.name == _EXPORT_TABLE for entry in entries):
            skipped = _EXPORT
            self.exports.append(prefix.rstrip("/"))
        for entry in entries:
            if entry.name in skipped or entry.name.startswith(TEMP_PREFIX) or stays_here(entry.name):
                continue
            try:
                # Hidden folders belong to other programs, or to us.
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield from self._walk(Path(entry.path), f"{prefix}{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name, entry.stat()
                elif entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self.root.resolve()):
                    self.links.append(prefix + entry.name)
            except FileNotFoundError:  # Removed while we look.
                continue

    def changes(self, saved: Mapping[str, SavedFile]) -> tuple[dict[str, os.stat_result], set[str]]:
        """(status by path of files that are new or changed, paths that were here and are gone).

        Files that only look changed, or are saved already in just this way, are no changes.
        """
        found = self.scan()
        changed = {path: status for path, status in found.items()
                   if not looks_like(status, self.base.get(path))
                   and not self._adopt(path, status, self.base.get(path), saved.get(path))}
        # A folder in which nothing is left is no decision to remove everything.
        return changed, set(self.base) - found.keys() if found else set()

    def _adopt(self, path: str, status: os.stat_result, *candidates: SavedFile | None) -> bool:
        """Whether the local file has the bytes of one of the saved ones, which is then what we have in common."""
        known = [file for file in candidates if file and file.size == status.st_size]
        sha256 = hash_of(self.root / path) if known else ""
        for file in known:
            if file.sha256 == sha256:
                self.base[path] = file._replace(mtime_ns=status.st_mtime_ns)
                return True
        return False

    def lacks(self, path: str, file: SavedFile) -> bool:
        """Whether a saved file has to be brought: it is not here, and was not changed or removed here."""
        base = self.base.get(path)
        if base and base.sha256 == file.sha256:
            self.base[path] = file._replace(mtime_ns=base.mtime_ns)
            return False
        with suppress(FileNotFoundError, NotADirectoryError):
            if self._adopt(path, (self.root / path).stat(), file):
                return False
        return not self.is_changed_here(path)

    def is_changed_here(self, path: str) -> bool:
        """Whether the local file is not what was saved when we last met (removed counts as changed)."""
        base = self.base.get(path)
        try:
            status = (self.root / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return base is not None
        return not base or not (looks_like(status, base) or hash_of(self.root / path) == base.sha256)


def _top(path: str) -> str:
    return path.removeprefix("demo/").partition("/")[0] if "/" in path else ""


def looks_like(status: os.stat_result | None, file: SavedFile | None) -> bool:
    """Whether a file has the size and the time that were noted."""
    return bool(status and file) and (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)


def hash_of(path: Path) -> str:
    """SHA-256 of a file, "" where it is gone."""
    try:
        return sha256_file(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
