"""What a training can be expected to reach, from trainings that were measured."""

import math

import numpy as np

# Macro-F1 on validation photos of the default network, by photos per class to train on and by epochs (100 classes).
EXPECTED_MACRO_F1: dict[int, dict[int, float]] = {50: {29: 0.85, 80: 0.89}}


def expected_macro_f1(photos_per_class: float, epochs: float, table: dict | None = None) -> float | None:
    """What was measured for so many photos and epochs, between the measured ones along the logarithms of both.

    None outside of what was measured by more than a factor of two.

    Args:
        photos_per_class: mean number to train on.
        epochs: whole length of the training.
        table: ``EXPECTED_MACRO_F1``, or another one.
    """
    table = EXPECTED_MACRO_F1 if table is None else table
    if not table or not _is_near(photos_per_class, table):
        return None
    rows = {photos: row for photos, row in sorted(table.items()) if _is_near(epochs, row)}
    if not rows:
        return None
    values = [np.interp(math.log(epochs), *zip(*((math.log(e), f1) for e, f1 in sorted(row.items())), strict=True))
              for row in rows.values()]
    return round(float(np.interp(math.log(photos_per_class), [math.log(photos) for photos in rows], values)), 2)


def _is_near(value: float, known: dict) -> bool:
    return value > 0 and min(known) / 2 <= value <= 2 * max(known)
