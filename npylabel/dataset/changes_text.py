"""What a person wants to change in the class table, written as ``+ name; old > new``."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count

from npylabel.base.classes import UNKNOWN_NAME, ClassTable, name_fault, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.dataset.folders import SPLIT_FOLDERS
from npylabel.photos.sources import is_hidden, split_sources

ADDED, RENAMED, MERGED = "added", "renamed", "merged"


@dataclass(frozen=True)
class ClassChange:
    """One change.

    Attributes:
        what: "added", "renamed" or "merged".
        old: name of before, "" of an added class.
        new: name from now on.
        old_id: id of before, None of an added class.
        new_id: id from now on.
    """

    what: str
    old: str
    new: str
    old_id: int | None
    new_id: int


@dataclass(frozen=True)
class TableChange:
    """All changes at once.

    Attributes:
        changes: as written; none where the table is so already.
        before: the table now.
        after: the table with the changes.
    """

    changes: tuple[ClassChange, ...]
    before: ClassTable
    after: ClassTable

    def of(self, what: str) -> list[ClassChange]:
        """The changes of one kind."""
        return [change for change in self.changes if change.what == what]

    @property
    def new_ids(self) -> dict[int, int]:
        """The id of the class that took it in, by id that is retired."""
        return {change.old_id: change.new_id for change in self.of(MERGED)}


def parse_changes(text: str, table: ClassTable, used_ids: Collection[int] = ()) -> TableChange:
    """The changes that a text asks for.

    Args:
        text: changes separated by semicolons or lines: ``+ name`` adds a class; ``old > new`` renames it, or merges
            it into the class ``new`` where there is one. All of them look at the table as it is now. A text whose
            changes are all made already gives no changes.
        table: the table as it is now.
        used_ids: ids that labels hold, which a new class must not get.

    Raises:
        NpyLabelError: ``bad_changes``.
    """
    parts = split_changes(text)
    if not parts:
        raise _error(text, _("it says nothing to change"))
    if all(_is_made(part, table) for part in parts):
        return TableChange((), table, table)
    ids = _free_ids(table, used_ids)
    changes = tuple(_change(part, table, ids) for part in parts)
    _refuse_conflicts(text, changes)
    return TableChange(changes, table, _table_after(table, changes))


def split_changes(text: str) -> list[str]:
    """The single changes in a text, each of which can be understood.

    Raises:
        NpyLabelError: ``bad_changes``.
    """
    parts = split_sources(nfc(text).replace("\n", ";"))
    for part in parts:
        _split(part)
    return parts


def _split(part: str) -> tuple[str, str]:
    """(old name, new name); the old one of an added class is ""."""
    if ">" not in part:
        if not part.startswith("+"):
            raise _error(part, _("it has neither + nor >"))
        return "", part[1:].strip()
    old, *new = (name.strip() for name in part.split(">"))
    if len(new) != 1 or not old or not new[0]:
        raise _error(part, _("one name stands before the > and one after it"))
    return old, new[0]


def _is_made(part: str, table: ClassTable) -> bool:
    """Whether a change was made before: the same text may be run again."""
    old, new = _split(part)
    now = table.find_name(new)
    if now is None or table.names[now] != new or now == table.unknown_id:
        return False
    return not old or (old.casefold() != new.casefold() and table.find_name(old) == now)


def _change(part: str, table: ClassTable, free: Iterator[int]) -> ClassChange:
    old, new = _split(part)
    if not old:
        return _added(part, new, table, free)
    old_id, new_id = _class_now(part, old, table), table.find(new)
    if table.unknown_id in (old_id, new_id):
        raise _error(part, _("{name!r} is the class for unsure photos: it cannot be renamed or merged; give its photos "
                             "other classes one by one").format(name=table.names[table.unknown_id]))
    if new_id in (None, old_id):
        return ClassChange(RENAMED, table.names[old_id], _new_name(part, new, table, old_id), old_id, old_id)
    return ClassChange(MERGED, table.names[old_id], table.names[_class_now(part, new, table)], old_id, new_id)


def _added(part: str, name: str, table: ClassTable, free: Iterator[int]) -> ClassChange:
    there = table.find(name)
    if there is not None:
        raise _error(part, _("{name!r} stands for the class {class_name!r} (id {class_id}) already").format(
            name=name, class_name=table.names[there], class_id=there))
    return ClassChange(ADDED, "", _new_name(part, name, table, None), None, next(free))


def _class_now(part: str, name: str, table: ClassTable) -> int:
    """The class of a name of today (or its id)."""
    class_id = table.find(name)
    if class_id is None:
        near = table.suggestion(name)
        reason = _("there is no class {name!r}").format(name=name)
        raise _error(part, reason + ("; " + _("did you mean {near!r}?").format(near=near) if near else ""))
    if name.casefold() not in (table.names[class_id].casefold(), str(class_id)):
        raise _error(part, _("{name!r} is {now!r} today: write that name").format(
            name=name, now=table.names[class_id]))
    return class_id


def _new_name(part: str, name: str, table: ClassTable, owner: int | None) -> str:
    if fault := name_fault(name):
        raise _error(part, fault[1])
    if owner is not None and name.casefold() == table.names[owner].casefold():
        reason = _("that is its name already") if name == table.names[owner] else _(
            "it differs in capitals only, which is the same folder on Windows and macOS; rename the class to "
            "something else first")
        raise _error(part, reason)
    if name.isdigit() or name.casefold() in SPLIT_FOLDERS or is_hidden(name):
        raise _error(part, _("a folder {name!r} would be taken for an id or a side of the split, or would be hidden"
                             ).format(name=name))
    if name.casefold() == UNKNOWN_NAME and (owner is not None or table.unknown_id is not None):
        raise _error(part, _("{name!r} is the name of the class for unsure photos").format(name=name))
    if any(mark in name for mark in "+;"):
        raise _error(part, _("a name with + or ; could not be written here"))
    return nfc(name)


def _free_ids(table: ClassTable, used_ids: Collection[int]) -> Iterator[int]:
    """Ids that no class has or had, from the lowest up: networks that count classes to the highest id stay small."""
    used = {*table.ids, *table.retired, *used_ids}
    return (class_id for class_id in count() if class_id not in used)


def _refuse_conflicts(text: str, changes: Collection[ClassChange]) -> None:
    subjects = Counter(change.old_id for change in changes if change.old_id is not None)
    both = [change.new for change in changes if change.what == MERGED and change.new_id in subjects]
    new = Counter(change.new.casefold() for change in changes if change.what != MERGED)
    double = [change.old or change.new for change in changes
              if subjects[change.old_id] > 1 or (change.what != MERGED and new[change.new.casefold()] > 1)]
    if double or both:
        raise _error(text, _("these names take part in more than one change: {names}. Make one change after the other, "
                             "each in a run of its own. A name keeps its meaning for good, so that older models and "
                             "folders are read right: no class can take a name that another class had").format(
            names=", ".join(dict.fromkeys([*double, *both]))))


def _table_after(table: ClassTable, changes: Collection[ClassChange]) -> ClassTable:
    names, aliases, retired = dict(table.names), dict(table.aliases), dict(table.retired)
    for change in changes:
        if change.what == MERGED:
            aliases = {name: change.new_id if owner == change.old_id else owner for name, owner in aliases.items()}
            retired = {i: change.new_id if owner == change.old_id else owner for i, owner in retired.items()}
            retired[change.old_id] = change.new_id
            del names[change.old_id]
        if change.what != ADDED:
            aliases = {name: owner for name, owner in aliases.items() if name.casefold() != change.new.casefold()}
            aliases[change.old] = change.new_id
        if change.what != MERGED:
            names[change.new_id] = change.new
    unknown = {i for i, name in names.items() if name == UNKNOWN_NAME}
    unknown_id = table.unknown_id if table.unknown_id is not None else next(iter(unknown), None)
    return ClassTable(dict(sorted(names.items())), unknown_id, aliases, retired)


def _error(what: str, reason: str) -> NpyLabelError:
    return NpyLabelError(
        "bad_changes", _("{what!r} cannot be done: {reason}.").format(what=what, reason=reason),
        _('Write value="+ new class; old name > new name", with semicolons between the changes.'))
