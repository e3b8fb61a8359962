"""Reading what is saved: which index is the newest that holds, whatever arrived late, cut or not at all."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.remote import RemoteFolder, patience_s
from npylabel.base.store import Index, decode_index, generation_of, is_index, merge


class Shelf:
    """The indexes on a shared folder.

    Args:
        remote: the folder.

    Attributes:
        notes: what the person has to know, translated.
    """

    def __init__(self, remote: RemoteFolder) -> None:
        self.remote = remote
        self.notes: list[str] = []
        self._known: dict[str, Index] = {}

    def head(self) -> Index:
        """The newest index whose archives are all there, with what other machines saved beside it."""
        deadline, pause = time.monotonic() + patience_s(), 0.5
        while True:
            sizes = self.remote.sizes()
            names = sorted(filter(is_index, sizes), key=generation_of, reverse=True)
            whole = self.whole(names[:1], sizes)
            if whole or not names or time.monotonic() > deadline:
                break
            time.sleep(pause)  # It may still be on its way.
            pause *= 2
        if not names:
            return Index()
        head = whole or self.whole(names, sizes) or self._remains(names, sizes)
        if head.name != names[0]:
            self.notes.append(_(
                "The last save ({lost}) did not arrive on Drive as a whole; the one before it is used, and what is "
                "missing is done again.").format(lost=names[0]))
        return self._with_branches(head, names, sizes)

    def whole(self, names: Iterable[str], sizes: Mapping[str, int]) -> Index | None:
        """The first of the indexes that can be read and whose archives are all there."""
        for name in names:
            index = self._read_index(name)
            if index and not index.lost_archives(sizes):
                return index
        return None

    def _read_index(self, name: str) -> Index | None:
        """An index file is never changed, so it is read once; one that is cut may still be on its way."""
        if name not in self._known:
            try:
                index = decode_index(name, self.remote.read(name))
            except NpyLabelError as error:
                if error.code != "drive_file_missing":
                    raise
                return None
            if not index:
                return None
            self._known[name] = index
        return self._known[name]

    def _remains(self, names: Iterable[str], sizes: Mapping[str, int]) -> Index:
        """What is left where every index misses an archive."""
        for name in names:
            index = self._read_index(name)
            if index:
                lost = index.lost_archives(sizes)
                rest = index.without(lost)
                self.notes.append(_(
                    "Archives are missing on Drive: {names}. {count} saved files are lost with them; run their steps "
                    "again.").format(names=", ".join(sorted(lost)), count=len(index.files) - len(rest.files)))
                return rest
        return Index()

    def _with_branches(self, head: Index, names: Iterable[str], sizes: Mapping[str, int]) -> Index:
        """The head with what other machines saved beside it, without having seen it."""
        for name in names:
            if name != head.name and name not in head.history:
                branch = self.whole([name], sizes)
                if branch:
                    head = replace(self.merged(head, branch), name=head.name)
        return head

    def _ancestor(self, one: Index, other: Index) -> Index:
        common = [name for name in one.history if name in (*other.history, other.name)]
        return (common and self._read_index(common[-1])) or Index()

    def merged(self, mine: Index, theirs: Index) -> Index:
        """Both sides' changes since their last common index; the name is to be given."""
        both, conflicts = merge(self._ancestor(mine, theirs), mine, theirs)
        self.note_conflicts(conflicts)
        return both

    def note_conflicts(self, paths: list[str]) -> None:
        """Say which files two machines changed."""
        if paths:
            self.notes.append(_(
                "Another machine changed the same files: {names}. Its versions are kept in conflicts/.").format(
                    names=", ".join(paths[:5])))
