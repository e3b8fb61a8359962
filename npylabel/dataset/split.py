"""Training, validation and test: stratified, and never the same scene on two sides."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from npylabel.dataset.folders import TRAIN


@dataclass(frozen=True)
class SplitItem:
    """What the split has to know of a photo.

    Attributes:
        class_id: its class.
        sha256: of its bytes; decides, with the seed, on which side it falls, so that every machine agrees.
        group: photos with the same value show nearly the same and stay together.
        given: the side that a person chose, or "".
    """

    class_id: int
    sha256: str
    group: str
    given: str = ""


def assign_splits(
    items: Sequence[SplitItem], fractions: dict[str, float], random_seed: int, *, keep_given: bool = False
) -> list[str]:
    """For each item "train" or one of the names in ``fractions``.

    Args:
        items: in any order; the result does not depend on it.
        fractions: share of the photos of each class by held-out side, such as ``{"val": 0.15}``.
        random_seed: another seed, another split.
        keep_given: photos that were given for training stay there (a split that was made before); without it a class
            that came with a training folder only is divided.

    A group whose members were given different sides goes to the training side, so that nothing that was trained on
    is used to judge. A class that was given a validation side is not divided any further.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        groups[item.group].append(index)
    side_of = {name: _given_side(items, members) for name, members in groups.items()}
    torn = {name for name, members in groups.items() if len({items[i].given for i in members} - {""}) > 1}
    classes: dict[int, list[str]] = defaultdict(list)
    for name, members in groups.items():
        if name in torn or (keep_given and side_of[name] == TRAIN):
            continue
        classes[min(items[index].class_id for index in members)].append(name)
    for class_id in sorted(classes):
        _divide(classes[class_id], groups, items, side_of, fractions, random_seed)
    return [side_of[item.group] or TRAIN for item in items]


def _given_side(items: Sequence[SplitItem], members: Sequence[int]) -> str:
    given = {items[index].given for index in members} - {""}
    return next(iter(given)) if len(given) == 1 else TRAIN if given else ""


def _divide(
    names: list[str], groups: dict[str, list[int]], items: Sequence[SplitItem], side_of: dict[str, str],
    fractions: dict[str, float], random_seed: int,
) -> None:
    """Take groups of one class for the held-out sides, in an order that only content and seed decide."""
    taken = {side_of[name] for name in names}
    free = [name for name in names if side_of[name] in ("", TRAIN)]
    free.sort(key=lambda name: _draw(min(items[index].sha256 for index in groups[name]), random_seed))
    photos = sum(len(groups[name]) for name in free)
    for side, fraction in fractions.items():
        if side in taken or fraction <= 0 or len(free) < 2:
            continue
        wanted = max(1, round(photos * fraction))
        for name in _choose([(name, len(groups[name])) for name in free], wanted):
            side_of[name] = side
            free.remove(name)


def _choose(sizes: list[tuple[str, int]], wanted: int) -> list[str]:
    """Groups that hold about ``wanted`` photos, at least one group and never all of them."""
    chosen, count = [], 0
    for name, size in sizes:
        # Half a group too much is as near as half a group too little; a large burst must not fill the side alone.
        if count < wanted and count + size / 2 <= wanted and len(chosen) < len(sizes) - 1:
            chosen.append(name)
            count += size
    return chosen or [min(sizes, key=lambda item: item[1])[0]]


def _draw(sha256: str, random_seed: int) -> str:
    return hashlib.sha256(f"{random_seed}:{sha256}".encode("utf-8", "backslashreplace")).hexdigest()
