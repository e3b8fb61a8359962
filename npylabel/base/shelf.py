"""Reading what is saved: which index is the newest that holds, whatever arrived late, cut or not at all."""

from collections.abc import Iterable, Mapping

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.patience import Patience
from npylabel.base.remote import RemoteFolder
from npylabel.base.store import Index, decode_index, healed, index_names, merge
from npylabel.base.tables import printable


class Shelf:
    """The indexes on a shared folder.

    Args:
        remote: the folder.

    Attributes:
        notes: what the person has to know, translated.
        damaged: (archive, name in it) of saved files that could not be taken out of their archive.
        given_up: name of the newest index, where it was waited for in vain: the next look does not wait for it.
    """

    def __init__(self, remote: RemoteFolder) -> None:
        self.remote = remote
        self.notes: list[str] = []
        self.given_up = ""
        self.damaged: set[tuple[str, str]] = set()
        self._known: dict[str, Index] = {}
        self._faults: dict[str, NpyLabelError] = {}

    def head(self) -> Index:
        """The newest index whose archives are all there, with what other machines saved beside it.

        Where every index misses an archive it is the newest one, with the files of that archive in ``missing``.

        Raises:
            NpyLabelError: ``saved_newer``, ``drive_gone``; ``drive_fault`` where no index can be read at all.
        """
        patience = Patience(self.remote.hurry)
        while True:
            self._faults = {}
            sizes = self.remote.sizes()
            names = index_names(sizes)
            head = self._best(names, sizes)
            newest = names[0] if names else ""
            if not names or (head and head.follows(newest)):
                self.given_up = ""
                return head or Index()
            if self.given_up == newest or not patience.wait():
                break
        self.given_up = newest
        return self._fallen_back(names, sizes, head)

    def _best(self, names: list[str], sizes: Mapping[str, int]) -> Index | None:
        """The newest whole index, with what can be merged into it."""
        indexes = filter(None, map(self._read_index, names))
        whole = next((index for index in indexes if not index.lost_archives(sizes)), None)
        return whole and self.present(self.with_others(whole, sizes), sizes)

    def _fallen_back(self, names: list[str], sizes: Mapping[str, int], head: Index | None) -> Index:
        if not head:
            readable = next(filter(None, map(self._read_index, names)), None)
            if not readable and self._faults:
                raise next(iter(self._faults.values()))
            head = self.present(self.with_others(readable or Index(), sizes), sizes)
        if not head.follows(names[0]):
            self.note(_(
                "The last save ({lost}) did not arrive on Drive in full: the save before it is used, and what is "
                "missing is made again. Should it still arrive, it is added.").format(lost=names[0]))
        return head

    def with_others(self, head: Index, sizes: Mapping[str, int]) -> Index:
        """The index with what other machines saved without having seen it, as far as that has arrived."""
        for name in index_names(sizes):
            other = None if head.follows(name) else self._read_index(name)
            other = other and healed(other, head, sizes)
            if other:
                head, conflicts = merge(head, other)
                self.note_conflicts(conflicts)
        return head

    def present(self, index: Index, sizes: Mapping[str, int]) -> Index:
        """The index with what is to be seen of it; says what is newly missing."""
        rest = index.present(sizes, self.damaged)
        lost = {path: file.archive for path, file in rest.missing.items()
                if path not in index.missing and (file.archive, file.member or path) not in self.damaged}
        if lost:
            self.note(_(
                "Archives are missing on Drive: {names}. {count} saved files are missing with them. They come back if "
                "the archives do; otherwise run their steps again.").format(
                    names=", ".join(sorted(set(lost.values()))), count=len(lost)))
        return rest

    def as_written(self, name: str) -> Index:
        """The index of this name as it was read or written here; an empty one where it was not."""
        return self._known.get(name, Index())

    def wrote(self, index: Index) -> None:
        """Remember an index that was written here, so that it is never read."""
        self._known[index.name] = index

    def _read_index(self, name: str) -> Index | None:
        """An index file is never changed, so it is read once; one that is cut may still be on its way."""
        if name not in self._known and name not in self._faults:
            try:
                index = decode_index(name, self.remote.read(name))
            except NpyLabelError as error:
                if error.code not in ("drive_file_missing", "drive_fault"):
                    raise
                if error.code == "drive_fault":
                    self._faults[name] = error
                return None
            if not index:
                return None
            self._known[name] = index
        return self._known.get(name)

    def note(self, text: str) -> None:
        """Add to the notes, once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_conflicts(self, paths: Iterable[str]) -> None:
        """Say which files two machines changed."""
        names = sorted(paths)
        if names:
            self.note(_(
                "Another machine changed the same files ({count}): {names}. Its versions are kept in conflicts/."
            ).format(count=len(names), names=printable(", ".join(names[:5]))))

    def keep_only(self, *names: str) -> None:
        """Drop all other indexes from memory."""
        self._known = {name: index for name, index in self._known.items() if name in names}
