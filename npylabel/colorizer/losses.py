"""What a colorizer is trained on: pure functions of what it said and what is true, each one number, float32.

Colors are a*b* / 128, -1 to 1. All of them count a photo's mean over pixels, so they do not depend on its size.
"""

import torch
from torch.nn import functional

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.bins import ColorBins
from npylabel.colorizer.lab import AB_SCALE

# Differences above ten units of a*b*, which anyone sees, count by their size and no longer by its square.
HUBER_DELTA = 10 / AB_SCALE
AB_LOSSES = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "huber": lambda predicted, true: functional.huber_loss(predicted, true, delta=HUBER_DELTA) / HUBER_DELTA,
}
# How much the distance from gray counts beside the spread (Hasler & Suesstrunk 2003, their measure in Lab).
_MEAN_SHARE = 0.37
# Least spread whose root is taken, in a*b* / 128: a tenth of a unit. Below it the gradient of a root would run away.
_LEAST = 0.1 / AB_SCALE


def ab_loss(kind: str, predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """How far colors are from the true ones, mean over all values.

    Args:
        kind: ``mse``, ``l1``, or ``huber`` (as ``l1`` for large differences, as a square for small ones).
        predicted: ``(n, 2, h, w)``.
        true: the same shape.

    Raises:
        NpyLabelError: ``color_loss_unknown``.
    """
    if kind not in AB_LOSSES:
        raise NpyLabelError("color_loss_unknown", _("The loss of colors \"{kind}\" is not known.").format(kind=kind),
                            _("Choose one of: {kinds}.").format(kinds=", ".join(AB_LOSSES)))
    return AB_LOSSES[kind](predicted.float(), true.float())


def colorfulness_of(ab: torch.Tensor) -> torch.Tensor:
    """How colorful each photo is, ``(n,)``, in a*b* / 128: spread of its colors and their mean's distance from gray.

    Hasler & Suesstrunk 2003, their measure in Lab: ``sqrt(var a + var b) + 0.37 sqrt(mean a ** 2 + mean b ** 2)``.
    Differentiable everywhere, also for gray photos (whose colorfulness is 0).
    """
    ab = ab.float()
    variance, mean = torch.var_mean(ab, dim=(2, 3), correction=0)
    return _root(variance.sum(1)) + _MEAN_SHARE * _root(mean.square().sum(1))


def colorfulness_loss(predicted: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Squared difference of the photos' colorfulness, mean over photos: pulls gray results towards the true color.

    Args:
        predicted: ``(n, 2, h, w)``.
        true: ``(n, 2, h, w)``, of any size.
    """
    return functional.mse_loss(colorfulness_of(predicted), colorfulness_of(true))


def bins_loss(logits: torch.Tensor, true: torch.Tensor, bins: ColorBins,
              weights: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy of color bins with softly encoded true colors, mean over pixels (Zhang et al. 2016, equation 2).

    Args:
        logits: ``(n, k, h, w)``.
        true: ``(n, 2, h, w)`` colors.
        bins: the ``k`` bins, on the same device.
        weights: ``(k,)`` of ``ColorBins.weights``: a pixel counts as its nearest bin does. None: all the same.
    """
    logits, (indices, shares) = logits.float(), bins.neighbors(true)
    # Only the five bins that are not 0 are gathered: a dense target would take as much memory as the logits again.
    entropy = logits.logsumexp(1) - (logits.gather(1, indices) * shares).sum(1)
    return (entropy if weights is None else entropy * weights[indices[:, 0]]).mean()


def class_loss(logits: torch.Tensor, class_ids: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy of the photos' classes, mean over those that have a label; 0 where none has.

    Args:
        logits: ``(n, classes)``.
        class_ids: ``(n,)`` int64, -1 for none.
        label_smoothing: 0-1.
    """
    total = functional.cross_entropy(logits.float(), class_ids, ignore_index=-1, reduction="sum",
                                     label_smoothing=label_smoothing)
    return total / (class_ids >= 0).sum().clamp(min=1)


def _root(square: torch.Tensor) -> torch.Tensor:
    """A square root that starts at 0 with a finite slope."""
    return (square + _LEAST**2).sqrt() - _LEAST
