"""Putting what changed on the shared folder: in an order that leaves a valid copy, and never twice."""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Set
from contextlib import suppress
from os import stat_result
from pathlib import Path

from npylabel.base import packing
from npylabel.base.files import leftovers
from npylabel.base.groups import Rank, rank_of
from npylabel.base.i18n import _
from npylabel.base.mirror import Mirror, looks_like
from npylabel.base.progress import track
from npylabel.base.remote import RemoteFolder
from npylabel.base.store import Archive, Index, SavedFile, archive_name

# So many archives with less than a quarter of the size in them become one.
_MANY_SMALL = 8
# A folder that changes all the time is read so often in the hope of a quiet moment.
_ROUNDS = 3
# What a run leaves that was killed; another process may be using what is younger.
_STALE_AFTER_S = 86_400.0


class Sender:
    """What reached the shared folder and is not in an index yet: kept over failures, so that it is not sent twice.

    Attributes:
        sent: by path.
        archives: by name.
    """

    def __init__(self, mirror: Mirror, remote: RemoteFolder, session: str) -> None:
        self.mirror, self.remote, self.session = mirror, remote, session
        self.sent: dict[str, SavedFile] = {}
        self.archives: dict[str, Archive] = {}

    def forget(self) -> None:
        """An index names it all."""
        self.sent, self.archives = {}, {}

    def lost(self, sizes: Mapping[str, int]) -> list[str]:
        """The archives that are not there as they were sent; they count as not sent from now on."""
        lost = {name for name, archive in self.archives.items() if sizes.get(name) != archive.size}
        self.sent = {path: file for path, file in self.sent.items() if file.archive not in lost}
        self.archives = {name: archive for name, archive in self.archives.items() if name not in lost}
        return sorted(lost)

    def send(
        self, saved: Index, sizes: Mapping[str, int], generation: int, local: Path, again: Set[str] = frozenset()
    ) -> set[str]:
        """Pack and store what is new or changed here; the paths that were removed here.

        Files are read rank by rank, and what changed is looked up anew for each rank, so that no file is older than
        one that was to be read after it. All is read once more where files vanish meanwhile (they may have been
        moved) or a table changes.

        Args:
            saved: what is saved now.
            sizes: of the files that are visible now.
            generation: for the names of archives; never used before by this session.
            local: a file for the archives.
            again: saved files to pack anew.
        """
        self.lost(sizes)
        again = again | _to_pack_again(saved, self.mirror.base)
        number = 0
        for _round in range(_ROUNDS):
            before = self.mirror.scan()
            for rank in Rank:
                changed, gone = self.mirror.changes(saved.files)
                found = {**changed, **self._whole(again, saved, rank)}
                todo = self._unsent({path: found[path] for path in sorted(found) if rank_of(path) == rank}, rank)
                number += self._store(todo, generation, number, local)
            after = self.mirror.scan()
            if not _has_moved_on(before, after):
                break
        return {path for path in gone if path not in before and path not in after}

    def _whole(self, paths: set[str], saved: Index, rank: Rank) -> dict[str, stat_result]:
        """Status by path of the files of this rank that are here as they are saved."""
        chosen = {}
        for path in paths:
            base = self.mirror.base.get(path)
            if rank_of(path) == rank and base and base.sha256 == saved.files[path].sha256:
                with suppress(FileNotFoundError, NotADirectoryError):
                    status = (self.mirror.root / path).stat()
                    if looks_like(status, base):
                        chosen[path] = status
        return chosen

    def _unsent(self, found: Mapping[str, stat_result], rank: Rank) -> dict[str, int]:
        """Sizes by path of what has to be sent; what was sent and is not wanted so any more is forgotten."""
        self.sent = {path: file for path, file in self.sent.items()
                     if rank_of(path) != rank or looks_like(found.get(path), file)}
        return {path: status.st_size for path, status in found.items() if path not in self.sent}

    def _store(self, sizes: Mapping[str, int], generation: int, number: int, local: Path) -> int:
        """How many archives were stored."""
        todo = packing.batches(sizes)
        # A save beside the work stays out of its progress, and a short one needs none.
        is_watched = len(todo) > 2 and threading.current_thread() is threading.main_thread()
        for group, batch in track(todo, total=len(todo), label=_("To Drive")) if is_watched else todo:
            files = packing.pack(self.mirror.root, batch, local)
            name = archive_name(generation, self.session, number)
            number += 1
            if files:
                size = local.stat().st_size
                self.archives[name] = Archive(self.remote.store(name, local), size, group)
                self.sent |= {path: file._replace(archive=name) for path, file in files.items()}
        return len(todo)


def _has_moved_on(before: Mapping[str, stat_result], after: Mapping[str, stat_result]) -> bool:
    if before.keys() - after.keys():
        return True
    tables = [path for path in after if rank_of(path) == Rank.LEDGER]
    return any(path not in before or (before[path].st_mtime_ns, before[path].st_size, before[path].st_ino) != (
        after[path].st_mtime_ns, after[path].st_size, after[path].st_ino) for path in tables)


def _to_pack_again(saved: Index, base: Mapping[str, SavedFile]) -> set[str]:
    """Files of archives that are many and small, or mostly dead: they are to become few.

    Only archives that are here with all their files: the others would stay, and be packed again every time.
    """
    live: dict[str, list[str]] = defaultdict(list)
    for path, file in saved.files.items():
        live[file.archive].append(path)
    bytes_in = {name: sum(saved.files[path].size for path in paths) for name, paths in live.items()}
    small: dict[str, list[str]] = defaultdict(list)
    for name, paths in live.items():
        if bytes_in[name] < packing.ARCHIVE_BYTES // 4 and all(
                path in base and base[path].sha256 == saved.files[path].sha256 for path in paths):
            small[saved.archives[name].group].append(name)
    return {path for names in small.values() if len(names) >= _MANY_SMALL or _is_mostly_dead(names, saved, bytes_in)
            for name in names for path in live[name]}


def half_empty(saved: Index, base: Mapping[str, SavedFile], least: int) -> set[str]:
    """Files of archives in which more bytes are dead than alive, and at least so many; only where all are here."""
    live: dict[str, list[str]] = defaultdict(list)
    for path, file in saved.files.items():
        live[file.archive].append(path)
    needed = {file.archive for file in saved.missing.values()}
    chosen = set()
    for name in live.keys() - needed:
        size = sum(saved.files[path].size for path in live[name])
        is_here = all(path in base and base[path].sha256 == saved.files[path].sha256 for path in live[name])
        if is_here and saved.archives[name].size - size > max(size, least):
            chosen |= {*live[name]}
    return chosen


def _is_mostly_dead(names: list[str], saved: Index, bytes_in: Mapping[str, int]) -> bool:
    size = sum(saved.archives[name].size for name in names)
    return size > 4 * sum(bytes_in[name] for name in names) + packing.ARCHIVE_BYTES


def stale_local_files(folder: Path) -> list[Path]:
    """Temporary files that a killed run left a day ago or earlier."""
    return [path for path in leftovers(folder) if time.time() - path.stat().st_mtime > _STALE_AFTER_S]
