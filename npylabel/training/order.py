"""Which photos an epoch shows, and in which order: the same for a seed and an epoch, whatever happened before."""

import math

import numpy as np

# A photo that is shown more often in an epoch teaches its background rather than its class.
MOST_VIEWS = 10


def views_per_class(targets: np.ndarray, fill_to: int) -> np.ndarray:
    """How many views each class has in an epoch, int64 by target; never fewer than it has photos.

    Args:
        targets: of the photos to train on, ``(n,)`` int64 from 0.
        fill_to: views that each class has at least; 0 is as many as the largest class has photos, but no photo more
            than ``MOST_VIEWS`` times.
    """
    counts = np.bincount(targets)
    wanted = np.full(len(counts), fill_to) if fill_to else np.minimum(counts.max(), counts * MOST_VIEWS)
    return np.where(counts > 0, np.maximum(counts, wanted), 0).astype(np.int64)


class EpochOrder:
    """The batches of any epoch: each photo once, photos of rarer classes again until their class is filled.

    Args:
        targets: classes of the photos to train on, ``(n,)`` int64; those without one (-1) are a class of their own.
        batch_size: photos in a batch at most.
        fill_to: see ``views_per_class``.
        random_seed: of the order.

    Attributes:
        steps: batches of an epoch.
        views: photos that an epoch shows, repeats counted.
    """

    def __init__(self, targets: np.ndarray, batch_size: int, fill_to: int, random_seed: int) -> None:
        self.random_seed = random_seed
        targets = np.unique(targets, return_inverse=True)[1]
        self.members = [np.flatnonzero(targets == k) for k in range(int(targets.max()) + 1)]
        self.wanted = views_per_class(targets, fill_to)
        self.views = int(self.wanted.sum())
        # Filled evenly: a last batch of one photo has no variance for batch normalization.
        self.steps = max(1, min(math.ceil(self.views / batch_size), self.views // 2))

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Indices of the photos by batch, int64; sizes differ by one at most."""
        random = np.random.default_rng([self.random_seed % 2**63, epoch])
        views = [self._of_class(members, int(wanted), random)
                 for members, wanted in zip(self.members, self.wanted, strict=True) if wanted]
        return np.array_split(random.permutation(np.concatenate(views)), self.steps)

    @staticmethod
    def _of_class(members: np.ndarray, wanted: int, random: np.random.Generator) -> np.ndarray:
        """As many views of each photo as of any other; which of them get one more differs by epoch."""
        times, rest = divmod(wanted, len(members))
        return np.concatenate([np.repeat(members, times), random.permutation(members)[:rest]])
