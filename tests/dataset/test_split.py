"""The split: stratified, the same on every machine, and never one scene on two sides."""

import hashlib
import random
from collections import Counter, defaultdict

import pytest

from npylabel.dataset.split import SplitItem, assign_splits

VAL = {"val": 0.15}
BOTH = {"val": 0.15, "test": 0.1}


def item(class_id: int, name: str, group: str = "", given: str = "") -> SplitItem:
    return SplitItem(class_id, hashlib.sha256(name.encode()).hexdigest(), group or name, given)


def singles(class_id: int, count: int, given: str = "") -> list[SplitItem]:
    return [item(class_id, f"{class_id} {given} {number}", given=given) for number in range(count)]


def mixture(random_seed: int) -> list[SplitItem]:
    """Eight classes of 1 to 60 photos in groups of 1 to 6."""
    rng, items = random.Random(random_seed), []
    for class_id in range(8):
        left = rng.randrange(1, 61)
        while left > 0:
            size = min(left, rng.choice([1, 1, 1, 2, 6]))
            group = f"g{class_id} {left}"
            items += [item(class_id, f"{group} {number}", group) for number in range(size)]
            left -= size
    return items


def by_group(items: list[SplitItem], splits: list[str]) -> dict[str, set[str]]:
    sides = defaultdict(set)
    for one, side in zip(items, splits, strict=True):
        sides[one.group].add(side)
    return sides


@pytest.mark.parametrize(("count", "val"), [(100, 15), (20, 3), (10, 2), (7, 1), (3, 1), (2, 1), (1, 0)])
def test_each_class_gives_its_share(count: int, val: int) -> None:
    items = singles(3, count) + singles(9, 40)
    splits = assign_splits(items, VAL, 42)
    assert Counter(splits[:count]) == Counter({"train": count - val, "val": val} if val else {"train": count})
    assert Counter(splits[count:]) == {"train": 34, "val": 6}


def test_three_sides_have_their_shares() -> None:
    assert Counter(assign_splits(singles(1, 200), BOTH, 42)) == {"train": 150, "val": 30, "test": 20}


def test_without_a_share_all_is_for_training() -> None:
    assert set(assign_splits(singles(1, 50), {"val": 0.0}, 42)) == {"train"}
    assert set(assign_splits(singles(1, 50), {}, 42)) == {"train"}
    assert assign_splits([], VAL, 42) == []


@pytest.mark.parametrize("random_seed", range(6))
def test_groups_are_never_divided_and_shares_are_near(random_seed: int) -> None:
    items = mixture(random_seed)
    splits = assign_splits(items, BOTH, random_seed)
    assert all(len(sides) == 1 for sides in by_group(items, splits).values())
    for class_id in range(8):
        sides = Counter(side for one, side in zip(items, splits, strict=True) if one.class_id == class_id)
        total = sum(sides.values())
        assert sides["train"] >= 1
        if total >= 30:
            # Half a group of six, and half a photo of rounding.
            assert abs(sides["val"] - 0.15 * total) <= 3.5 and abs(sides["test"] - 0.1 * total) <= 3.5


def test_the_order_of_the_photos_does_not_matter() -> None:
    items = mixture(1)
    expected = dict(zip(items, assign_splits(items, BOTH, 42), strict=True))
    for random_seed in range(5):
        shuffled = random.Random(random_seed).sample(items, len(items))
        assert dict(zip(shuffled, assign_splits(shuffled, BOTH, 42), strict=True)) == expected


def test_names_of_groups_do_not_matter() -> None:
    items = mixture(2)
    renamed = [SplitItem(one.class_id, one.sha256, "z" + one.group[::-1]) for one in items]
    assert assign_splits(renamed, VAL, 42) == assign_splits(items, VAL, 42)


def test_another_seed_is_another_split_of_the_same_size() -> None:
    items = singles(1, 100)
    splits = [assign_splits(items, VAL, random_seed) for random_seed in (1, 1, 2, 3)]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2] != splits[3]
    assert [Counter(split)["val"] for split in splits] == [15] * 4


def test_a_photo_more_moves_few_others() -> None:
    items = singles(1, 200)
    before = assign_splits(items, VAL, 42)
    after = assign_splits([*items, item(1, "new")], VAL, 42)[:-1]
    assert sum(one != other for one, other in zip(before, after, strict=True)) <= 2


def test_a_side_that_a_person_chose_is_kept() -> None:
    items = singles(1, 30, "train") + singles(1, 4, "val") + singles(1, 3, "test") + singles(2, 20)
    splits = assign_splits(items, VAL, 42)
    assert splits[:37] == ["train"] * 30 + ["val"] * 4 + ["test"] * 3
    assert Counter(splits[37:]) == {"train": 17, "val": 3}


def test_a_class_without_a_chosen_validation_side_gets_one() -> None:
    items = singles(1, 20, "train") + singles(1, 5, "test")
    splits = assign_splits(items, VAL, 42)
    assert Counter(splits) == {"train": 17, "val": 3, "test": 5} and splits[20:] == ["test"] * 5


def test_photos_added_to_a_class_that_has_a_validation_side_are_for_training() -> None:
    items = singles(1, 10, "train") + singles(1, 2, "val") + singles(1, 8)
    assert assign_splits(items, VAL, 42)[12:] == ["train"] * 8


def test_an_added_photo_goes_where_its_group_is() -> None:
    items = [item(1, "a", "burst", "val"), item(1, "b", "burst"), *singles(1, 20, "train")]
    assert assign_splits(items, VAL, 42)[:2] == ["val", "val"]


@pytest.mark.parametrize("random_seed", range(8))
@pytest.mark.parametrize("sides", [("train", "val"), ("val", "test")])
def test_a_group_with_two_chosen_sides_is_for_training(random_seed: int, sides: tuple[str, str]) -> None:
    items = [item(1, "a", "burst", sides[0]), item(1, "b", "burst", sides[1]), *singles(1, 3, "train")]
    assert assign_splits(items, VAL, random_seed)[:2] == ["train", "train"]


def test_a_group_in_two_classes_stays_together() -> None:
    for random_seed in range(10):
        items = [item(1, "a", "same"), item(2, "b", "same"), *singles(1, 6), *singles(2, 6)]
        splits = assign_splits(items, VAL, random_seed)
        assert splits[0] == splits[1]


@pytest.mark.parametrize("random_seed", range(8))
def test_small_classes_keep_something_to_train_on(random_seed: int) -> None:
    for groups in (["a", "b"], ["a", "a", "b"], ["a", "b", "c"], ["a"] * 5 + ["b"]):
        items = [item(1, f"{number}", group) for number, group in enumerate(groups)]
        sides = Counter(assign_splits(items, BOTH, random_seed))
        assert sides["train"] >= 1 and sides["val"] >= 1
    one_burst = [item(1, f"{number}", "a") for number in range(9)]
    assert set(assign_splits(one_burst, BOTH, random_seed)) == {"train"}


@pytest.mark.parametrize("random_seed", range(8))
def test_a_large_burst_does_not_fill_a_side_alone(random_seed: int) -> None:
    burst = [item(1, f"burst {number}", "burst") for number in range(60)]
    splits = assign_splits(burst + singles(1, 60), VAL, random_seed)
    assert set(splits[:60]) == {"train"} and Counter(splits[60:])["val"] == 18


def test_ten_thousand_photos_in_a_hundred_classes() -> None:
    items = [one for class_id in range(100) for one in singles(class_id, 100)]
    assert Counter(assign_splits(items, VAL, 42)) == {"train": 8500, "val": 1500}
    assert Counter(assign_splits(singles(1, 10_000), VAL, 42)) == {"train": 8500, "val": 1500}
