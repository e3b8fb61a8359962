"""Colors as classes: a grid over the a*b* plane, after Zhang, Isola & Efros 2016, "Colorful Image Colorization".

A network that predicts one color per pixel and is trained with a squared error answers with the mean of all colors that
are possible, which is gray. A network that predicts how likely each color is can be trained with rare colors weighted
up, and is read out near its most likely color.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from npylabel.colorizer.lab import AB_SCALE, rgb_to_lab

# Of the paper: side of a bin in a*b*, neighbors that share a color and the width of their sharing, the uniform part of
# the prior, and the temperature of the readout.
STEP, NEIGHBORS, SIGMA, UNIFORM, TEMPERATURE = 10, 5, 5.0, 0.5, 0.38
# Pixels whose neighbors are searched at a time: some 20 MB.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class ColorBins:
    """A grid of colors that a screen can show.

    Attributes:
        centers: ``(k, 2)`` float32, a* and b* / 128, multiples of ``step``.
        step: side of a bin in a*b*.
        candidates: ``(cells * cells, c)`` int64; by grid cell, bins of which some are the nearest of each color in it.
    """

    centers: torch.Tensor
    step: int
    candidates: torch.Tensor

    @classmethod
    def of_gamut(cls, step: int = STEP) -> "ColorBins":
        """The bins into which some sRGB color falls, by a* and then b*: 261 at a step of 10.

        The paper's own list has 313, and some of those are nearest to no color of a screen. Every third level of each
        channel finds the same bins as all 16.7 million colors.
        """
        level = torch.arange(0, 256, 3, dtype=torch.float32) / 255
        rgb = torch.cartesian_prod(level, level, level).T[None, :, :, None]
        ab = rgb_to_lab(rgb)[1][0, :, :, 0].T * AB_SCALE
        return cls.of_centers((ab / step).round().unique(dim=0) * step / AB_SCALE, step)

    @classmethod
    def of_centers(cls, centers: torch.Tensor, step: int = STEP) -> "ColorBins":
        """The bins with centers ``(k, 2)`` in a*b* / 128, at least ``NEIGHBORS``, as a model file keeps them."""
        return cls(centers, step, _candidates(centers * AB_SCALE, step))

    def __len__(self) -> int:
        return len(self.centers)

    def to(self, device: torch.device | str) -> "ColorBins":
        """The same bins on a device."""
        return ColorBins(self.centers.to(device), self.step, self.candidates.to(device))

    def neighbors(self, ab: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The nearest bins of each color: (indices int64, shares float32), both ``(n, 5, h, w)``, nearest first.

        Shares fall with the distance as a Gaussian of 5 units of a*b* and sum to 1. The paper's encoding, in a sixtieth
        of the memory that shares of all bins take.

        Args:
            ab: ``(n, 2, h, w)`` in -1 to 1; beyond it, as at it.
        """
        n, _two, h, w = ab.shape
        colors = ab.float().movedim(1, -1).reshape(-1, 2).clamp(-1, 1) * AB_SCALE
        found = [self._nearest(part) for part in colors.split(_BLOCK)]
        indices, distances = (torch.cat(parts).view(n, h, w, -1).movedim(-1, 1) for parts in zip(*found, strict=True))
        # Squared distances against the nearest one, so that colors far outside the gamut do not become 0 / 0.
        shares = torch.exp((distances[:, :1] - distances) / (2 * SIGMA**2))
        return indices, shares / shares.sum(1, keepdim=True)

    def counts(self, ab: torch.Tensor) -> torch.Tensor:
        """How many pixels of colors ``(n, 2, h, w)`` are nearest to each bin: ``(k,)`` int64, to be added up."""
        colors = ab.float().movedim(1, -1).reshape(-1, 2).clamp(-1, 1) * AB_SCALE
        nearest = (self._nearest(part)[0][:, 0] for part in colors.split(_BLOCK))
        return sum((torch.bincount(part, minlength=len(self)) for part in nearest),
                   torch.zeros(len(self), dtype=torch.int64, device=ab.device))

    def prior(self, counts: torch.Tensor) -> torch.Tensor:
        """How likely each bin is in photos, ``(k,)`` float64 with sum 1: counted pixels, smoothed by a Gaussian.

        The Gaussian of 5 units of a*b* is the paper's; no pixels at all make all bins equally likely.

        Args:
            counts: ``(k,)``, sums of ``counts`` over the photos.
        """
        counts = counts.double()
        if not counts.sum():
            return torch.full_like(counts, 1 / len(self))
        centers = self.centers.double() * AB_SCALE
        spread = torch.exp(-torch.cdist(centers, centers).square() / (2 * SIGMA**2))
        smooth = counts @ (spread / spread.sum(1, keepdim=True))
        return smooth / smooth.sum()

    def weights(self, prior: torch.Tensor, uniform: float = UNIFORM) -> torch.Tensor:
        """How much a pixel of each bin counts in the loss, ``(k,)`` float32: rare colors more.

        Their mean over pixels that follow the prior is 1, so the loss keeps its size (equation 4 of the paper).

        Args:
            prior: ``(k,)`` with sum 1.
            uniform: 0 weighs by the inverse of the prior, 1 not at all.
        """
        prior = prior.double()
        weights = 1 / ((1 - uniform) * prior + uniform / len(self)).clamp(min=torch.finfo(torch.float32).tiny)
        return (weights / (prior * weights).sum()).float()

    def _nearest(self, colors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of colors ``(p, 2)`` in a*b*: (indices, squared distances), both ``(p, 5)``, nearest first."""
        half, side = _cells(self.step)
        cell = (colors / self.step).round().long() + half
        tried = self.candidates[cell[:, 0] * side + cell[:, 1]]
        distances = (self.centers[tried] * AB_SCALE - colors[:, None]).square().sum(-1)
        nearest, places = distances.topk(NEIGHBORS, dim=1, largest=False)
        return tried.gather(1, places), nearest


@lru_cache
def gamut_bins(device: str = "cpu") -> ColorBins:
    """``ColorBins.of_gamut()`` on a device, made once."""
    return ColorBins.of_gamut().to(device)


def decode(logits: torch.Tensor, centers: torch.Tensor, temperature: float = TEMPERATURE) -> torch.Tensor:
    """Colors ``(n, 2, h, w)`` float32 in -1 to 1: the annealed mean (section 2.3 of the paper).

    Args:
        logits: ``(n, k, h, w)``.
        centers: of the bins, ``(k, 2)``.
        temperature: 1 takes the mean (grayer), near 0 the most likely color (spots); above 0.
    """
    with torch.autocast(logits.device.type, enabled=False):
        return torch.einsum("nkhw,kc->nchw", torch.softmax(logits.float() / temperature, 1), centers)


def _cells(step: int) -> tuple[int, int]:
    """Grid cells on each side of 0 that cover a*b* of -128 to 128, and along the whole axis."""
    half = math.ceil(AB_SCALE / step)
    return half, 2 * half + 1


def _candidates(centers: torch.Tensor, step: int) -> torch.Tensor:
    """By grid cell, all bins that can be among the nearest of a color in the cell: ``(cells * cells, c)`` int64.

    A bin is none where ``NEIGHBORS`` others are nearer to the farthest color of the cell than it is to the nearest one.
    So the search among them is exact, and some 15 times cheaper than among all bins.
    """
    half, _side = _cells(step)
    axis = torch.arange(-half, half + 1, device=centers.device) * float(step)
    apart = (torch.cartesian_prod(axis, axis)[:, None] - centers).abs()
    # A thousandth more than half a cell, for the rounding of colors at its border.
    least = (apart - 0.501 * step).clamp(min=0).square().sum(-1)
    most = (apart + 0.501 * step).square().sum(-1).topk(NEIGHBORS, dim=1, largest=False).values[:, -1:]
    width = int((least <= most).sum(1).max())
    return least.topk(width, dim=1, largest=False).indices
