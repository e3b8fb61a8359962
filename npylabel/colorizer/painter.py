"""What colors small photos, as the folder job sees it; and the same for one photo whose class may be known."""

from typing import NamedTuple, Protocol

import torch

from npylabel.colorizer.color_table import NETWORK
from npylabel.colorizer.photo_labels import Known


class Painted(NamedTuple):
    """What a painter gives.

    Attributes:
        ab: colors in -1..1, ``(n, 2, h, w)`` float32 on the CPU; of the photos' size or smaller, but never stretched:
            that blurs edges.
        probabilities: of the classes, ``(n, len(class_ids))`` float32 on the CPU; rows sum to 1.
    """

    ab: torch.Tensor
    probabilities: torch.Tensor


class Painter(Protocol):
    """What colors small photos; several threads may call it at the same time.

    Attributes:
        side_px: shorter side of the photos it wants, pixels.
        class_ids: of the class table, in the order of the probabilities.
        sha256: another one where the same photo may get other colors.
    """

    side_px: int
    class_ids: tuple[int, ...]
    sha256: str

    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> Painted:
        """Colors and names of photos.

        Args:
            lightness: L / 100 in 0-1, ``(n, 1, h, w)`` float32 with sides that are multiples of 32.
            class_ids: what is known to be on them, ids of the class table, int64 ``(n,)``; -1 for nothing.
        """


class Guessed(NamedTuple):
    """One photo: its colors ``(1, 2, h, w)``, the class they are made for or None, who said so, and how sure."""

    ab: torch.Tensor
    class_id: int | None
    source: str
    confidence: str


def paint_one(painter: Painter, small: torch.Tensor, known: Known, threshold: float, unknown_id: int | None) -> Guessed:
    """The colors of one photo, as what is known of it, else as what the network is sure of.

    Photos are painted one by one: what one gets must not depend on which others are still to do, and the time goes into
    reading and writing them at their full size.

    Args:
        painter: colors it.
        small: lightness, ``(1, 1, h, w)``.
        known: of its class.
        threshold: what the network is less sure of than this counts as nothing known.
        unknown_id: the class for photos that show nothing known, or None.
    """
    if known.class_id is not None:
        return Guessed(painter.paint(small, torch.tensor([known.class_id])).ab, known.class_id, known.source, "")
    first = painter.paint(small, torch.tensor([-1]))
    best = int(first.probabilities[0].argmax())
    confidence, class_id = f"{float(first.probabilities[0, best]):.4f}", painter.class_ids[best]
    if float(confidence) < threshold or class_id == unknown_id:
        return Guessed(first.ab, None, "", confidence)
    return Guessed(painter.paint(small, torch.tensor([class_id])).ab, class_id, NETWORK, confidence)
