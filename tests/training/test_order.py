"""What an epoch shows: every photo, rare classes as often as others, in an order that seed and epoch alone decide."""

import numpy as np
import pytest

from npylabel.training.order import EpochOrder, views_per_class

# 12, 3, 0 and 1 photos.
TARGETS = np.array([0] * 12 + [1] * 3 + [3])


def shown(order: EpochOrder, epoch: int) -> list[int]:
    """Indices in the order of an epoch."""
    return np.concatenate(order.batches(epoch)).tolist()


@pytest.mark.parametrize(("fill_to", "views"), [
    # As many as the largest class has, but no photo more than ten times.
    (0, [12, 12, 0, 10]), (1, [12, 3, 0, 1]), (5, [12, 5, 0, 5]), (20, [20, 20, 0, 20]),
])
def test_classes_are_filled(fill_to: int, views: list[int]) -> None:
    assert views_per_class(TARGETS, fill_to).tolist() == views
    order = EpochOrder(TARGETS, 8, fill_to, 7)
    found = np.bincount(shown(order, 0), minlength=len(TARGETS))
    assert order.views == sum(views) == found.sum()
    of_class = [found[np.flatnonzero(k == TARGETS)] for k in range(4)]
    assert [int(times.sum()) for times in of_class] == views
    assert found.min() >= 1 and all(np.ptp(times) <= 1 for times in of_class if len(times))


def test_balanced_classes_are_shown_once() -> None:
    assert sorted(shown(EpochOrder(np.array([1, 0, 1, 0, 1, 0]), 4, 0, 7), 3)) == list(range(6))


def test_another_photo_gets_the_extra_view_in_another_epoch() -> None:
    order = EpochOrder(np.array([0] * 5 + [1] * 4), 4, 0, 7)
    extra = {int(np.bincount(shown(order, epoch))[5:].argmax()) for epoch in range(40)}
    assert extra == {0, 1, 2, 3}


def test_the_order_is_that_of_seed_and_epoch() -> None:
    def orders(seed: int) -> list[list[int]]:
        return [shown(EpochOrder(TARGETS, 8, 0, seed), epoch) for epoch in (0, 1)]

    assert orders(1) == orders(1)
    assert len({tuple(order) for order in orders(1) + orders(2)}) == 4
    assert shown(EpochOrder(TARGETS, 8, 0, -1), 0) != shown(EpochOrder(TARGETS, 8, 0, 1), 0)


@pytest.mark.parametrize(("photos", "batch_size", "sizes"), [
    (21, 4, [4, 4, 4, 3, 3, 3]), (3, 2, [3]), (8, 4, [4, 4]), (1, 4, [1]), (9, 64, [9]),
])
def test_batches_are_filled_evenly(photos: int, batch_size: int, sizes: list[int]) -> None:
    order = EpochOrder(np.zeros(photos, np.int64), batch_size, 0, 7)
    assert [len(batch) for batch in order.batches(0)] == sizes
    assert order.steps == len(sizes)
