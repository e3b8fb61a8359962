"""How honest a labeler's confidence is: its temperature, its calibration error, and what each threshold does."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from npylabel.base.i18n import _

BINS = 15
FOLDS = 5
# Two standard deviations of the prior: half or twice the confidence in logits is as far as few photos may take us.
PRIOR_LOG_T = 0.35
# What the threshold advice promises, and how many photos have to be left for it to mean something.
WANTED_RIGHT, LEAST_PHOTOS = 0.95, 20
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
_COARSE, _FINE = torch.linspace(-2, 2, 33), torch.linspace(-1 / 8, 1 / 8, 33)


@dataclass(frozen=True)
class Judged:
    """What a labeler said of photos whose class is known.

    Attributes:
        confidence: ``(n,)`` float in 0-1, of the best class.
        right: ``(n,)`` bool, whether the best class is the true one.
    """

    confidence: np.ndarray
    right: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> "Judged":
        return Judged(self.confidence[chosen], self.right[chosen])

    def __len__(self) -> int:
        return len(self.right)


def judge(logits: torch.Tensor, targets: torch.Tensor, temperature: float | torch.Tensor = 1.0) -> Judged:
    """Confidence and rightness of logits ``(n, k)``; a temperature for all, or one by photo ``(n,)``."""
    divisor = torch.as_tensor(temperature, dtype=torch.float32).reshape(-1, 1)
    confidence, best = torch.softmax(logits / divisor, 1).max(1)
    return Judged(confidence.numpy(), (best == targets).numpy())


def fit_temperature(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """The temperature, 0.25 to 4, that makes confidences honest: least cross-entropy of ``logits / t``.

    Guo et al. 2017. Below 1 for networks that say less than they know (label smoothing, mixup), above 1 for those that
    boast. Two guards keep few photos, or photos that are all right, from asking for full confidence in everything:
    targets as Platt's (1999, section 2.2), with half a photo more that is wrong, and a log-normal prior around 1 that
    counts beside few photos and not beside hundreds. No photos give 1.

    Args:
        logits: ``(n, k)`` of photos that were not trained on.
        targets: ``(n,)`` columns of their classes.
    """
    if not len(targets):
        return 1.0
    smoothing = 0.5 / (len(targets) + 1)

    def cost(log2_t: torch.Tensor) -> float:
        loss = functional.cross_entropy(logits / 2**log2_t, targets, reduction="sum", label_smoothing=smoothing)
        return float(loss + (log2_t * np.log(2) / PRIOR_LOG_T) ** 2 / 2)

    # A scan, coarse and then fine, instead of a descent: it cannot run away.
    middle = min(_COARSE, key=cost)
    return round(float(2 ** min((middle + _FINE).clamp(-2, 2), key=cost)), 4)


def cross_fitted(logits: torch.Tensor, targets: torch.Tensor, random_seed: int = 0) -> Judged:
    """Confidences with temperatures that were fitted without the photo itself: as honest as those of new photos."""
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(random_seed))
    temperatures = torch.ones(len(targets))
    for fold in range(FOLDS):
        held = torch.zeros(len(targets), dtype=torch.bool)
        held[order[fold::FOLDS]] = True
        temperatures[held] = fit_temperature(logits[~held], targets[~held])
    return judge(logits, targets, temperatures)


def bins_of(confidence: np.ndarray, *, adaptive: bool = False) -> list[np.ndarray]:
    """Indices by bin, those that hold photos: ``BINS`` of equal width in 0-1, or with equally many photos."""
    if adaptive:
        return [part for part in np.array_split(np.argsort(confidence, kind="stable"), BINS) if len(part)]
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [np.flatnonzero(places == place) for place in np.unique(places)]


def calibration_error(judged: Judged, *, adaptive: bool = False) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by photos (ECE, Naeini et al. 2015), 0-1.

    Args:
        judged: at least one photo.
        adaptive: bins with equally many photos (Nixon et al. 2019) instead of equally wide ones.
    """
    parts = [judged[chosen] for chosen in bins_of(judged.confidence, adaptive=adaptive)]
    return float(sum(abs(part.confidence.mean() - part.right.mean()) * len(part) for part in parts) / len(judged))


def error_by_chance(confidence: np.ndarray, random_seed: int = 0, draws: int = 50) -> float:
    """The calibration error that confidences of perfect honesty would show: few photos are never right in step."""
    random = np.random.default_rng(random_seed)
    return float(np.mean([calibration_error(Judged(confidence, random.random(len(confidence)) < confidence))
                          for _draw in range(draws)]))


@dataclass(frozen=True)
class AtThreshold:
    """What a threshold does.

    Attributes:
        threshold: the least confidence that keeps its class.
        photos: how many were judged, at least one.
        kept: how many of them reach it; the others become unknown.
        kept_right: how many of those have the right class.
    """

    threshold: float
    photos: int
    kept: int
    kept_right: int

    @property
    def unknown(self) -> float:
        """Share of all photos that become unknown."""
        return 1 - self.kept / self.photos

    @property
    def right(self) -> float | None:
        """Share of the rest whose class is right; None where nothing is left."""
        return self.kept_right / self.kept if self.kept else None

    def sentence(self) -> str:
        """The same in words for a person."""
        if self.right is None:
            return _("At {threshold}, all validation photos become unknown.").format(threshold=f"{self.threshold:g}")
        return _("At {threshold}, {unknown} become unknown and {right} of the rest are right (validation "
                 "photos).").format(threshold=f"{self.threshold:g}", unknown=percent(self.unknown),
                                    right=percent(self.right))


def at_threshold(judged: Judged, threshold: float) -> AtThreshold:
    """What a threshold does to judged photos, at least one."""
    kept = judged.confidence >= threshold
    return AtThreshold(threshold, len(judged), int(kept.sum()), int(judged.right[kept].sum()))


def advised_threshold(judged: Judged) -> AtThreshold | None:
    """The lowest of ``THRESHOLDS`` at which 95 % of the rest are right; None where no threshold gives that."""
    found = (at_threshold(judged, threshold) for threshold in THRESHOLDS)
    return next((at for at in found if at.kept >= LEAST_PHOTOS and at.kept_right >= WANTED_RIGHT * at.kept), None)


def advice(judged: Judged) -> str:
    """The advised threshold in words for a person."""
    at = advised_threshold(judged)
    if at is None:
        return _("No threshold makes {wanted} of the rest right: more photos or more epochs would help.").format(
            wanted=percent(WANTED_RIGHT))
    return _("For {wanted} right among the rest, set threshold to {threshold}: {unknown} become unknown.").format(
        wanted=percent(WANTED_RIGHT), threshold=f"{at.threshold:g}", unknown=percent(at.unknown))


def percent(share: float) -> str:
    """A share of 0-1 as a person reads it, whole percents; only all is 100 % and only none is 0 %."""
    whole = round(100 * share)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def to_saved(judged: Judged) -> dict[str, list]:
    """The judged photos as plain values for a model file."""
    return {"confidence": [round(float(value), 4) for value in judged.confidence],
            "right": [bool(value) for value in judged.right]}


def from_saved(saved: dict[str, Sequence]) -> Judged | None:
    """The judged photos in a model file; None where it holds none."""
    if not saved.get("right"):
        return None
    return Judged(np.array(saved["confidence"], np.float32), np.array(saved["right"], bool))
