"""What looks alike is told by angles, not by lengths."""

import numpy as np
import pytest

from npylabel.labeler import neighbors
from npylabel.labeler.neighbors import nearest


def test_the_nearest_come_first_whatever_their_length() -> None:
    train = np.array([[0, 1], [100, 0], [1, 1], [-1, 0]], np.float32)
    indices, cosines = nearest(np.array([[2, 0], [0, 0.1]], np.float32), train, 3)
    assert indices.tolist() == [[1, 2, 0], [0, 2, 1]]
    np.testing.assert_allclose(cosines, [[1, 0.5**0.5, 0], [1, 0.5**0.5, 0]], atol=1e-6)


def test_equally_near_ones_keep_their_order() -> None:
    train = np.array([[1, 0], [2, 0], [3, 0], [0, 1]], np.float32)
    assert nearest(train[:1], train, 3)[0].tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(("count", "known", "k"), [(0, 4, 2), (5, 0, 3), (5, 2, 7), (1, 1, 1)])
def test_few_photos(count: int, known: int, k: int) -> None:
    random = np.random.default_rng(0)
    indices, cosines = nearest(random.random((count, 3), np.float32), random.random((known, 3), np.float32), k)
    assert indices.shape == cosines.shape == (count, min(k, known))
    assert cosines.dtype == np.float32 and np.isfinite(cosines).all()


def test_a_photo_in_which_nothing_is_seen_is_like_none() -> None:
    _indices, cosines = nearest(np.zeros((1, 2), np.float32), np.ones((2, 2), np.float32), 2)
    assert cosines.tolist() == [[0, 0]]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    features, train = random.normal(size=(50, 8)).astype(np.float32), random.normal(size=(30, 8)).astype(np.float32)
    whole = nearest(features, train, 5)
    monkeypatch.setattr(neighbors, "_BLOCK", 7)
    assert np.array_equal(nearest(features, train, 5)[0], whole[0])
    unit = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (features, train)]
    cosines = unit[0] @ unit[1].T
    np.testing.assert_allclose(whole[1], -np.sort(-cosines, axis=1)[:, :5], atol=1e-5)
