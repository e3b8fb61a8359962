"""The courier: carries the work folder between a local disk and a shared folder (Drive), packed into a few archives.

What counts as saved: an archive that was read back and is as it was written, named by an index that was read back too.
Files on the shared folder are written once under names of their own and never changed, so nothing that arrives late,
out of order or not at all can spoil what is there. A reader takes the newest index whose archives are all there.
"""

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from npylabel.base.clash import clashing_tables, newer_work, step_aside
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX
from npylabel.base.groups import is_extra
from npylabel.base.i18n import _
from npylabel.base.mirror import Mirror
from npylabel.base.packing import salvage, unpack
from npylabel.base.patience import Patience
from npylabel.base.progress import track
from npylabel.base.remote import DamagedCopyError, RemoteFolder, local_fault
from npylabel.base.sending import Sender, half_empty, stale_local_files
from npylabel.base.shelf import Shelf
from npylabel.base.store import Index, SavedFile, encode_index, generation_of, index_name, index_names, set_aside
from npylabel.base.tables import printable

SAVED = "saved"
# What no index names may be on its way from another machine. After two days it is of a run that was killed.
STRAY_AFTER_S = 2 * 86_400.0
# Bytes of removed files for which room is made at once; what is less goes one save later.
WORTH_FREEING = 2**20


class Courier:
    """What is saved on a shared folder, seen from one machine.

    Args:
        root: the local work folder.
        save_dir: the shared folder; archives go to ``saved/`` in it.

    Attributes:
        parent: what is saved, as far as this machine knows.
        removed: number of files that were removed there since they had been removed here.
    """

    def __init__(self, root: Path, save_dir: Path) -> None:
        self.remote = RemoteFolder(save_dir / SAVED)
        self.shelf = Shelf(self.remote)
        self.mirror = Mirror(root)
        self.shelf.given_up, self.shelf.damaged = self.mirror.given_up, self.mirror.damaged
        self.session = secrets.token_hex(4)
        self.parent = Index()
        self.removed = 0
        self._met = False
        self._generation = 0
        self._sender = Sender(self.mirror, self.remote, self.session)
        self._lock = threading.Lock()

    def pull(self, wanted: Callable[[str], bool]) -> int:
        """How many files were brought here, of those that are wanted and not here as they are saved.

        What changed here since it was saved stays and is saved with the next push.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``drive_readonly``, ``saved_damaged``, ``saved_newer``,
                ``disk_full``, ``disk_fault``.
        """
        with self._lock, self._local_faults():
            brought = 0
            while True:
                self._meet(at_rest=True)
                self._bring_back()
                self.mirror.follow_removals(self.parent)
                needed: dict[str, dict[str, SavedFile]] = defaultdict(dict)
                for path, file in self.parent.files.items():
                    if wanted(path) and self.mirror.lacks(path, file):
                        needed[file.archive][path] = file
                count, damaged = self._fetch(needed)
                brought += count
                if damaged and damaged in self.shelf.head().needed():
                    self._do_without(damaged, needed[damaged])
                self.mirror.write()
                # Where the archive is not needed any more, another machine packed its files anew meanwhile.
                if not damaged:
                    return brought

    def _meet(self, *, at_rest: bool = False) -> None:
        """Take the newest index."""
        self.parent = self.shelf.head()
        self.mirror.given_up = self.shelf.given_up
        if at_rest:
            self.mirror.follow_set_aside(self.parent)
        self.mirror.meet(self.parent)
        self._met = True

    def _bring_back(self) -> None:
        vanished = self.mirror.forget_mass_removal()
        if vanished:
            self.shelf.note(_(
                "{count} files in {folders} were deleted on this machine, not by a step. They stay saved, and come "
                "back here when a step needs them. To remove results for good, run 00_manage with the action reset or "
                "free.").format(count=sum(vanished.values()), folders=printable(", ".join(sorted(vanished)))))

    def work(self, *, begun: bool) -> None:
        """Note that a step begins here, or that all it did is saved: what it removes meanwhile is meant.

        Raises:
            NpyLabelError: ``disk_full``, ``disk_fault``.
        """
        with self._lock, self._local_faults():
            self.mirror.working = begun
            self.mirror.write()

    def _fetch(self, needed: Mapping[str, Mapping[str, SavedFile]]) -> tuple[int, str]:
        """(files brought, name of the archive that could not be, or "")."""
        count = 0
        if not needed:
            return count, ""
        with self._scratch(".tar") as local:
            names = sorted(needed)
            for archive in track(names, total=len(names), label=_("From Drive")) if len(names) > 2 else names:
                try:
                    self.remote.fetch(archive, local, self.parent.archives[archive].sha256)
                    unpacked = unpack(self.mirror.root, local, needed[archive])
                except DamagedCopyError:
                    unpacked = salvage(self.mirror.root, local, needed[archive])
                self.mirror.base |= unpacked
                self.mirror.write()
                count += len(unpacked)
                if len(unpacked) < len(needed[archive]):
                    return count, archive
        return count, ""

    def _do_without(self, archive: str, needed: Mapping[str, SavedFile]) -> None:
        """Go on without what a damaged archive does not hold, unless a step would go wrong without it."""
        lost = {path: file for path, file in needed.items()
                if path not in self.mirror.base or self.mirror.base[path].sha256 != file.sha256}
        if not all(map(is_extra, lost)):
            raise self._damaged(archive, sorted(lost))
        self.mirror.damaged |= {(archive, file.member or path) for path, file in lost.items()}
        self.shelf.note(_("{count} saved files are damaged on Drive and left out: {names}. Their steps make them again."
                          ).format(count=len(lost), names=printable(", ".join(sorted(lost)[:5]))))

    def _damaged(self, archive: str, paths: list[str]) -> NpyLabelError:
        return NpyLabelError(
            "saved_damaged",
            _("The archive {path} is not as it was saved; {count} files in it are damaged, such as {name}.").format(
                path=self.remote.folder / archive, count=len(paths), name=printable(paths[0])),
            _("Wait a few minutes and run the cell again. If that does not help, delete this archive on Drive: its "
              "files are then listed as missing, and their steps make them again."))

    def push(self, *, at_rest: bool = False) -> int:
        """How many files were saved, new or changed; what was removed here is removed there too.

        Args:
            at_rest: no step works here now, so that files may be moved where another machine was faster.

        Raises:
            NpyLabelError: ``newer_work``, ``drive_full``, ``drive_readonly``, ``drive_gone``, ``drive_fault``,
                ``saved_newer``, ``disk_full``, ``disk_fault``; what was saved before stays valid.
        """
        with self._lock, self._local_faults():
            if not self._met:
                self._meet()
            changed = any(self.mirror.changes(self.parent.files))
            count = self._save(at_rest) if changed else 0
            self._free_room(at_rest)
            return count

    def _save(self, at_rest: bool, again: Set[str] = frozenset()) -> int:
        """How many files were saved; those to pack again are packed anew."""
        sizes = self.remote.sizes()
        self._take_others(sizes, at_rest)
        self._generation = 1 + max(self._generation, generation_of(self.parent.name), *map(generation_of, sizes), 0)
        with self._scratch(".tar") as local:
            gone = self._sender.send(self.parent, sizes, self._generation, local, again)
        return self._publish(gone, at_rest)

    def _free_room(self, at_rest: bool) -> None:
        """Give back the room of what was removed, once Drive has sent the index that does without it."""
        if not self.mirror.frees_room or self.remote.uploading([self.parent.name, *self.parent.needed()]):
            return
        self._clean(self.parent)
        again = half_empty(self.parent, self.mirror.base, WORTH_FREEING)
        try:
            if again:
                self._save(at_rest, again)
        except NpyLabelError as fault:
            # What could be removed without writing anything is removed.
            if fault.code != "drive_full":
                raise
            return
        if not self.remote.uploading([self.parent.name, *self.parent.needed()]):
            self._clean(self.parent)
            self.mirror.frees_room = False
            self.mirror.write()

    def _take_others(self, sizes: Mapping[str, int], at_rest: bool) -> None:
        """Take in what other machines saved since we met, unless it is about the very thing that we worked on."""
        now = self.shelf.present(self.shelf.with_others(self.parent, sizes), sizes)
        changed, _gone = self.mirror.changes(now.files)
        tables = clashing_tables(self.parent, now, changed)
        if tables and at_rest:
            step_aside(self.mirror, self.session, tables, changed)
            self.parent = now
            self.mirror.write()
        if tables:
            raise newer_work(tables, self.mirror.root / "conflicts" / self.session)
        self.parent = now
        self.mirror.meet(now)

    def _publish(self, gone: set[str], at_rest: bool) -> int:
        """Write the index that makes the archives count."""
        packed, sizes = self._sender.sent, self.remote.sizes()
        self._take_others(sizes, at_rest)
        if lost := self._sender.lost(sizes):
            raise NpyLabelError(
                "drive_fault", _("Drive lost what was just written: {names}.").format(names=", ".join(lost)),
                _("Run the cell again: it saves what is missing."))
        packed = {path: self._aged(path, file) for path, file in packed.items()}
        before = self.parent.name
        files = self._files_now(packed, gone)
        missing = {path: file for path, file in self.parent.missing_after(packed).items()
                   if path in self.parent.missing or (file.archive, file.member) not in self.mirror.damaged}
        mine = replace(self.parent, missing=missing).with_files(files, self._sender.archives)
        mine = self.shelf.with_others(mine, sizes)
        self._generation = max(self._generation, 1 + max(map(generation_of, index_names(sizes)), default=0))
        self.mirror.pending = packed
        self.mirror.write()
        changed = sum(not self._is_saved(path, file) for path, file in packed.items())
        removed = [file.size for path, file in self.parent.files.items() if path in gone and path not in files]
        self.removed += len(removed)
        self.mirror.frees_room |= sum(removed) >= WORTH_FREEING
        self.parent = self._write_index(replace(mine, name=index_name(self._generation, self.session)))
        self.mirror.base = {path: file for path, file in self.mirror.base.items() if path not in gone} | packed
        self.mirror.pending = {}
        self.mirror.write()
        self._sender.forget()
        self._clean(self.shelf.as_written(before))
        return changed

    def _is_saved(self, path: str, file: SavedFile) -> bool:
        saved = self.parent.files.get(path)
        return saved is not None and saved.sha256 == file.sha256

    def _aged(self, path: str, file: SavedFile) -> SavedFile:
        """The file with the archive that its content was born in, where it was only packed anew."""
        return file._replace(born=self.parent.files[path].origin) if self._is_saved(path, file) else file

    def _files_now(self, packed: Mapping[str, SavedFile], gone: set[str]) -> dict[str, SavedFile]:
        """All saved files after this push; a version that was never here is not written over but kept beside."""
        saved, base = self.parent.files, self.mirror.base
        unseen = [path for path, file in packed.items() if path in saved
                  and saved[path].sha256 not in (file.sha256, base[path].sha256 if path in base else "")]
        self.shelf.note_conflicts(unseen)
        removed = {path for path in gone if path in saved and saved[path].sha256 == base[path].sha256}
        files = {path: file for path, file in saved.items() if path not in removed} | packed
        for path in unseen:
            files |= set_aside(path, saved[path])
        return files

    def _write_index(self, index: Index) -> Index:
        with self._scratch(".json.gz") as local:
            local.write_bytes(encode_index(index))
            self.remote.store(index.name, local)
        self.shelf.wrote(index)
        return index

    def _clean(self, before: Index) -> None:
        """Remove what neither this index nor the one before it needs; nothing while Drive is still sending."""
        self.shelf.keep_only(self.parent.name, before.name)
        if self.remote.uploading([self.parent.name, *self.parent.needed()]):
            return
        kept = {self.parent.name, before.name, *self.parent.archives, *before.archives}
        dead = {*before.history, *before.retired} - kept
        for name in self.remote.sizes():
            if name in dead or (name not in kept and self._is_stray(name)):
                self.remote.remove(name)

    def _is_stray(self, name: str) -> bool:
        is_ours = generation_of(name) >= 0 and not self.parent.follows(name) and name not in self.parent.retired
        return is_ours and self.remote.age_s(name) > STRAY_AFTER_S

    def unsent(self) -> list[str]:
        """The saved files that Drive has not sent yet, or cannot tell about, after waiting for a while."""
        patience = Patience()
        names = [self.parent.name, *self.parent.needed()] if self.parent.name else []
        while (left := self.remote.uploading(names)) and patience.wait():
            pass
        return left

    @contextmanager
    def _scratch(self, suffix: str) -> Iterator[Path]:
        """A local file of this courier alone; what killed runs left is removed with it."""
        self.mirror.own.mkdir(parents=True, exist_ok=True)
        for path in stale_local_files(self.mirror.own):
            path.unlink(missing_ok=True)
        local = self.mirror.own / f"{TEMP_PREFIX}{self.session}{suffix}"
        try:
            yield local
        finally:
            local.unlink(missing_ok=True)

    @contextmanager
    def _local_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise local_fault(self.mirror.root, error) from error
