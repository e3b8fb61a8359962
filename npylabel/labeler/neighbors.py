"""Which photos look alike to a network: the cosine between what it sees in them."""

import numpy as np

# Rows compared at a time, so that memory stays flat.
_BLOCK = 1024


def nearest(features: np.ndarray, train_features: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The training photos that look most like each photo: (indices ``(n, k)`` int64, cosines ``(n, k)`` float32).

    The nearest come first, equally near ones in their own order; fewer columns where there are fewer training photos.

    Args:
        features: ``(n, d)`` float32.
        train_features: ``(m, d)`` float32.
        k: how many.
    """
    k = min(k, len(train_features))
    indices, cosines = np.zeros((len(features), k), np.int64), np.zeros((len(features), k), np.float32)
    if not k:
        return indices, cosines
    known = _unit(train_features).T
    for start in range(0, len(features), _BLOCK):
        rows = slice(start, start + _BLOCK)
        values = _unit(features[rows]) @ known
        found = np.sort(np.argpartition(-values, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(-np.take_along_axis(values, found, 1), axis=1, kind="stable")
        indices[rows] = np.take_along_axis(found, order, 1)
        cosines[rows] = np.take_along_axis(values, indices[rows], 1)
    return indices, cosines


def _unit(features: np.ndarray) -> np.ndarray:
    """The rows at length 1; zeros stay zeros."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.divide(features, length, out=np.zeros_like(features, dtype=np.float32), where=length > 0)
