"""The courier: carries the work folder between a local disk and a shared folder (Drive), packed into a few archives.

What counts as saved: an archive that was read back and is as it was written, named by an index that was read back too.
Files on the shared folder are written once under names of their own and never changed, so nothing that arrives late,
out of order or not at all can spoil what is there. A reader takes the newest index whose archives are all there.
"""

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers
from npylabel.base.i18n import _
from npylabel.base.mirror import Mirror, pack
from npylabel.base.progress import track
from npylabel.base.remote import DamagedCopyError, RemoteFolder, patience_s
from npylabel.base.shelf import Shelf
from npylabel.base.store import (
    Archive,
    Index,
    SavedFile,
    archive_name,
    conflict_path,
    encode_index,
    generation_of,
    group_of,
    index_name,
    is_index,
    reading_order,
)

SAVED = "saved"
# Large enough that a whole dataset is some dozen files, small enough to be sent again after a fault.
ARCHIVE_BYTES = 200 * 2**20
# So many archives below a quarter of the size become one.
_MANY_SMALL = 8
# Files of killed runs are removed once this many generations have passed without them.
_GRACE = 5


class Courier:
    """What is saved on a shared folder, seen from one machine.

    Args:
        root: the local work folder.
        save_dir: the shared folder; archives go to ``saved/`` in it.
    """

    def __init__(self, root: Path, save_dir: Path) -> None:
        self.remote = RemoteFolder(save_dir / SAVED)
        self.shelf = Shelf(self.remote)
        self.mirror = Mirror(root)
        self.session = secrets.token_hex(4)
        self.parent = Index()
        # What reached the shared folder in a push that failed later, so that it is not sent twice.
        self._sent: dict[str, SavedFile] = {}
        self._sent_archives: dict[str, Archive] = {}
        self._lock = threading.Lock()

    def pull(self, wanted: Callable[[str], bool]) -> int:
        """How many files were brought here, of those that are wanted and not here as they are saved.

        What changed here since it was saved stays and is saved with the next push.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``saved_damaged``, ``disk_full``.
        """
        with self._lock:
            self._meet()
            needed: dict[str, dict[str, SavedFile]] = defaultdict(dict)
            for path, file in self.parent.files.items():
                if not wanted(path) or self.mirror.base.get(path) == file:
                    continue
                if self.mirror.holds(path, file):
                    self.mirror.base[path] = file
                elif not self.mirror.is_changed_here(path):
                    needed[file.archive][path] = file
            self._fetch(needed)
            self.mirror.index = self.parent.name
            self.mirror.write()
            return sum(len(files) for files in needed.values())

    def _meet(self) -> None:
        """Take the newest index, and remove here what another machine removed."""
        self.parent = self.shelf.head()
        if self.mirror.index not in ("", self.parent.name, *self.parent.history):
            self.mirror.forget()
        for path in [path for path in self.mirror.base if path not in self.parent.files]:
            if not self.mirror.is_changed_here(path):
                self.mirror.remove(path)

    def _fetch(self, needed: Mapping[str, Mapping[str, SavedFile]]) -> None:
        local = self.mirror.own / "incoming.tar"
        self.mirror.own.mkdir(parents=True, exist_ok=True)
        for archive in track(sorted(needed), total=len(needed), label=_("From Drive")):
            try:
                self.remote.fetch(archive, local, self.parent.archives[archive].sha256)
            except DamagedCopyError as error:
                raise self._damaged(archive) from error
            self.mirror.unpack(local, needed[archive])
            self.mirror.write()
        local.unlink(missing_ok=True)

    def _damaged(self, archive: str) -> NpyLabelError:
        paths = sorted(path for path, file in self.parent.files.items() if file.archive == archive)
        return NpyLabelError(
            "saved_damaged",
            _("The archive {path} is not what was saved; it holds {count} files, such as {name}.").format(
                path=self.remote.folder / archive, count=len(paths), name=paths[0]),
            _("Wait some minutes and run the cell again. If it stays so, delete this archive on Drive: its files are "
              "then listed as lost, and their steps make them again."))

    def push(self) -> int:
        """How many files were saved, new or changed; what was removed here is removed there too.

        Raises:
            NpyLabelError: ``drive_full``, ``drive_readonly``, ``drive_gone``, ``drive_fault``; what was saved before
                stays valid.
        """
        with self._lock:
            changed, gone = self.mirror.changes()
            if not changed and not gone:
                return 0
            generation = 1 + max(map(generation_of, self.remote.sizes()), default=0)
            changed += self._to_compact(set(changed))
            self._sent = {path: file for path, file in self._sent.items() if path in changed and
                          self.mirror.looks_like(path, file)}
            self._store(sorted(set(changed) - set(self._sent), key=reading_order), generation)
            saved = len(self._sent)
            self._publish(self._sent, self._sent_archives, set(gone), generation)
            return saved

    def _to_compact(self, changed: set[str]) -> list[str]:
        """Files of many small or mostly dead archives, to be packed together again; only what is whole here."""
        live: dict[str, list[str]] = defaultdict(list)
        for path, file in self.parent.files.items():
            live[file.archive].append(path)
        small: dict[str, list[str]] = defaultdict(list)
        for name, archive in self.parent.archives.items():
            if sum(self.parent.files[path].size for path in live[name]) < ARCHIVE_BYTES // 4:
                small[archive.group].append(name)
        paths = [path for names in small.values() if len(names) >= _MANY_SMALL for name in names for path in live[name]]
        return [path for path in paths if path not in changed and self.mirror.base.get(path) == self.parent.files[path]
                and not self.mirror.is_changed_here(path)]

    def _store(self, paths: list[str], generation: int) -> None:
        """Pack the paths by group and put the archives on the shared folder."""
        self.mirror.own.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.mirror.own)
        local = self.mirror.own / "outgoing.tar"
        batches = self._batches(paths)
        for number, (group, batch) in enumerate(batches):
            name = archive_name(generation, self.session, number)
            files = pack(self.mirror.root, batch, local)
            if files:
                size = local.stat().st_size
                self._sent_archives[name] = Archive(self.remote.store(name, local), size, group)
                self._sent |= {path: file._replace(archive=name) for path, file in files.items()}
        local.unlink(missing_ok=True)

    def _batches(self, paths: list[str]) -> list[tuple[str, list[str]]]:
        """(group, paths) of each archive; the order of the paths is kept, so tables are read last."""
        batches: list[tuple[str, list[str]]] = []
        open_batch: dict[str, tuple[list[str], int]] = {}
        for path in paths:
            group = group_of(path)
            batch, size = open_batch.get(group, ([], ARCHIVE_BYTES))
            length = (self.mirror.root / path).stat().st_size if (self.mirror.root / path).exists() else 0
            if size + length > ARCHIVE_BYTES:
                batch, size = [], 0
                batches.append((group, batch))
            batch.append(path)
            open_batch[group] = (batch, size + length)
        return batches

    def _publish(
        self, packed: dict[str, SavedFile], archives: dict[str, Archive], gone: set[str], generation: int
    ) -> None:
        """Write the index that makes the archives count."""
        before, sizes = self.parent, self.remote.sizes()
        mine = before.with_files(self._files_now(packed, gone), archives)
        if lost := mine.lost_archives(sizes):
            raise NpyLabelError(
                "drive_fault", _("Drive lost what was just written: {names}.").format(names=", ".join(sorted(lost))),
                _("Run the cell again: it saves what is missing."))
        for name in sorted(filter(is_index, sizes), key=generation_of):
            theirs = None if name in mine.history else self.shelf.whole([name], sizes)
            if theirs:
                mine = self.shelf.merged(mine, theirs)
        generation = max(generation, 1 + max(map(generation_of, sizes), default=0))
        self.parent = self._write_index(replace(mine, name=index_name(generation, self.session)))
        base = {**self.mirror.base, **packed}
        self.mirror.base = {path: file for path, file in base.items() if path in packed or path not in gone}
        self.mirror.index = self.parent.name
        self.mirror.write()
        self._sent, self._sent_archives = {}, {}
        self._clean(before)

    def _files_now(self, packed: Mapping[str, SavedFile], gone: set[str]) -> dict[str, SavedFile]:
        """All saved files after this push; a version that we never saw is not written over but kept beside."""
        files = {path: file for path, file in self.parent.files.items() if path not in gone} | packed
        unseen = [path for path, file in packed.items() if path in self.parent.files
                  and path not in self.mirror.base and self.parent.files[path].sha256 != file.sha256]
        self.shelf.note_conflicts(unseen)
        return files | {conflict_path(self.parent, path): self.parent.files[path] for path in unseen}

    def _write_index(self, index: Index) -> Index:
        local = self.mirror.own / "outgoing.json.gz"
        local.write_bytes(encode_index(index))
        self.remote.store(index.name, local)
        local.unlink()
        return index

    def _clean(self, before: Index) -> None:
        """Remove what neither this index nor the one before it needs; nothing while Drive is still sending."""
        if self.remote.uploading([self.parent.name, *self.parent.archives]):
            return
        kept = {self.parent.name, before.name, *self.parent.archives, *before.archives}
        dead = {*before.history, *before.retired}
        for name in self.remote.sizes():
            # What nobody names may be on its way from another machine, until it is old.
            stray = 0 <= generation_of(name) < generation_of(self.parent.name) - _GRACE
            if name not in kept and (name in dead or stray):
                self.remote.remove(name)

    def unsent(self) -> list[str]:
        """The saved files that Drive has not sent yet, after waiting for a while."""
        deadline = time.monotonic() + patience_s()
        names = [self.parent.name, *self.parent.archives] if self.parent.name else []
        while (left := self.remote.uploading(names)) and time.monotonic() < deadline:
            time.sleep(1)
        return left
