"""What colors small photos, as the folder job sees it; and the same for one photo whose class may be known."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch

from npylabel.base.classes import ClassTable
from npylabel.colorizer.color_table import NETWORK
from npylabel.colorizer.photo_labels import Known

# What a painter is told where nothing is known.
_NOTHING = -1


class Sight(NamedTuple):
    """What a painter sees on photos.

    Attributes:
        probabilities: of the classes, ``(n, len(class_ids))`` float32 on the CPU; rows sum to 1.
        paint: colors of the photos by what is known to be on them. Takes ids of the painter's table, int64 ``(n,)``,
            -1 for nothing; gives ab in -1..1, ``(n, 2, h, w)`` float32 on the CPU, of the photos' size or smaller, but
            never stretched: that blurs edges.
    """

    probabilities: torch.Tensor
    paint: Callable[[torch.Tensor], torch.Tensor]


class Painter(Protocol):
    """What colors small photos; several threads may call it at the same time.

    Attributes:
        side_px: shorter side of the photos it wants, pixels.
        table: of the classes it was taught.
        class_ids: of that table, in the order of the probabilities.
        sha256: another one where the same photo may get other colors.
    """

    side_px: int
    table: ClassTable
    class_ids: tuple[int, ...]
    sha256: str

    def see(self, lightness: torch.Tensor) -> Sight:
        """What is seen on photos: L / 100 in 0-1, ``(n, 1, h, w)`` float32 with sides that are multiples of 32."""


# So many of the likeliest classes are told: what a person may have to choose from.
LIKELIEST = 3


class Guessed(NamedTuple):
    """One photo as it was painted.

    Attributes:
        ab: colors, ``(1, 2, h, w)``.
        class_id: that they are made for, None for none.
        source: who said so.
        confidence: of the network in its best class; "" where it was not asked.
        likeliest: (class id, probability) of the classes that the network finds likeliest, the best first, without the
            unknown one.
    """

    ab: torch.Tensor
    class_id: int | None
    source: str
    confidence: str
    likeliest: list[tuple[int, float]]


def paint_one(painter: Painter, small: torch.Tensor, known: Known, threshold: float, unknown_id: int | None) -> Guessed:
    """The colors of one photo, as what is known of it, else as what the network is sure of.

    Photos are painted one by one: what one gets must not depend on which others are still to do, and the time goes into
    reading and writing them at their full size.

    Args:
        painter: colors it.
        small: lightness, ``(1, 1, h, w)``.
        known: of its class; with a source and no class it is painted as none of the classes.
        threshold: what the network is less sure of than this counts as nothing known.
        unknown_id: the class for photos that show nothing known, or None.
    """
    sight = painter.see(small)
    likeliest = _likeliest(painter.class_ids, sight.probabilities[0], unknown_id)
    class_id, source, confidence = known.class_id, known.source, ""
    if not source:
        best = int(sight.probabilities[0].argmax())
        confidence = f"{float(sight.probabilities[0, best]):.4f}"
        if float(confidence) >= threshold and painter.class_ids[best] != unknown_id:
            class_id, source = painter.class_ids[best], NETWORK
    ab = sight.paint(torch.tensor([_NOTHING if class_id is None else class_id]))
    return Guessed(ab, class_id, source, confidence, likeliest)


def _likeliest(
    class_ids: Sequence[int], probabilities: torch.Tensor, unknown_id: int | None
) -> list[tuple[int, float]]:
    pairs = [pair for pair in zip(class_ids, probabilities.tolist(), strict=True) if pair[0] != unknown_id]
    return sorted(pairs, key=lambda pair: -pair[1])[:LIKELIEST]
