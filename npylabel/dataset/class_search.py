"""Find a class while its name is being typed, or say that there is none of that name."""

import re
from collections.abc import Iterable, Sequence

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

# What the keys of an English keyboard write on a Russian one: a layout that was not switched is no typing error.
_KEYS = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё")
_BETWEEN_WORDS = re.compile(r"[\s_\-]+")


def find_classes(table: ClassTable, text: str, recents: Sequence[str] = (), limit: int = 8) -> list[int]:
    """The ids of the classes that were probably meant, the best one first.

    An id, then names that begin with the text, then names of which a word does, then names that hold it; among equals
    those that were used last come first. Other names of a class count as well. Where nothing fits, the text is taken
    for one that was typed with the wrong keyboard layout, and then for a misspelled name.

    Args:
        table: of the classes.
        text: what was typed so far; with nothing in it the recent classes are given.
        recents: names of the classes that were used, the newest first.
        limit: how many are given at most.
    """
    recent_ids = [class_id for name in recents if (class_id := table.find_name(name)) is not None]
    typed = _folded(text)
    if not typed:
        return list(dict.fromkeys(recent_ids))[:limit]
    found = _by_rank(table, typed, recent_ids) or _by_rank(table, _folded(_retyped(text)), recent_ids)
    if not found and (near := table.find_name(table.suggestion(text))) is not None:
        found = [near]
    return found[:limit]


def class_unknown(table: ClassTable, class_name: str) -> NpyLabelError:
    """The error for a name that no class has, with the one that was probably meant."""
    near = table.suggestion(class_name)
    what = _("There is no class {name!r} in the class table.").format(name=class_name)
    return NpyLabelError(
        "class_unknown", what + (" " + _("Did you mean {near!r}?").format(near=near) if near else ""),
        _("Choose a name or an id of classes.json."))


def _by_rank(table: ClassTable, typed: str, recent_ids: Sequence[int]) -> list[int]:
    ranks: dict[int, int] = {}
    for name, class_id in _all_names(table):
        rank = _rank(_folded(name), typed)
        if rank is not None:
            ranks[class_id] = min(rank, ranks.get(class_id, rank))
    if typed.isascii() and typed.isdigit() and (by_id := table.id_now(int(typed))) is not None:
        ranks[by_id] = -1
    places = {class_id: place for place, class_id in reversed(list(enumerate(recent_ids)))}
    return sorted(ranks, key=lambda class_id: (ranks[class_id], places.get(class_id, len(places)), class_id))


def _all_names(table: ClassTable) -> Iterable[tuple[str, int]]:
    yield from ((name, class_id) for class_id, name in table.names.items())
    yield from table.aliases.items()


def _rank(name: str, typed: str) -> int | None:
    """How well a name fits, 0 is best; None where it does not."""
    if name == typed:
        return 0
    if name.startswith(typed):
        return 1
    if f" {typed}" in name:
        return 2
    return 3 if typed in name else None


def _folded(text: str) -> str:
    """The text as it is compared: whatever its case, its form, its ``ё`` and what stands between its words."""
    return _BETWEEN_WORDS.sub(" ", nfc(text).casefold().replace("ё", "е")).strip()


def _retyped(text: str) -> str:
    return nfc(text).casefold().translate(_KEYS)
