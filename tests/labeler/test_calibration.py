"""Confidence is made honest in both directions, few photos move it little, and its error is counted as published."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from npylabel.labeler import calibration
from npylabel.labeler.calibration import (
    Judged,
    advice,
    advised_threshold,
    at_threshold,
    bins_of,
    calibration_error,
    cross_fitted,
    error_by_chance,
    fit_temperature,
    from_saved,
    judge,
    percent,
    to_saved,
)


def honest(n: int = 20_000, scale: float = 1.0, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose softmax is right exactly as often as it says, then multiplied."""
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, 5, generator=random) * 1.5
    targets = torch.multinomial(torch.softmax(logits, 1), 1, generator=random)[:, 0]
    return logits * scale, targets


def judged(confidence: list[float], right: list[int]) -> Judged:
    """Photos by hand."""
    return Judged(np.array(confidence), np.array(right, bool))


# --- temperature -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.5, 3.0])
def test_the_temperature_finds_the_scale(scale: float) -> None:
    assert fit_temperature(*honest(scale=scale)) == pytest.approx(scale, rel=0.03)


@pytest.mark.parametrize(("scale", "end"), [(0.05, 0.25), (20.0, 4.0)])
def test_the_temperature_has_ends(scale: float, end: float) -> None:
    assert fit_temperature(*honest(2000, scale)) == end


def test_no_photos_give_one() -> None:
    assert fit_temperature(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long)) == 1.0


def test_a_few_right_photos_do_not_ask_for_full_confidence() -> None:
    """Four photos, each right at 0.71: plain least cross-entropy would go to the end of the scan."""
    logits = torch.eye(4) * 2
    temperature = fit_temperature(logits, torch.arange(4))
    assert 0.75 < temperature < 1
    assert judge(logits, torch.arange(4), temperature).confidence.max() < 0.85


def test_more_right_photos_ask_for_more_confidence_but_never_for_all() -> None:
    means = []
    for repeats in (1, 5, 25):
        logits, targets = torch.eye(4).repeat(repeats, 1) * 2, torch.arange(4).repeat(repeats)
        means.append(judge(logits, targets, fit_temperature(logits, targets)).confidence.mean())
    assert means == sorted(means) and means[0] < 0.8
    # The bound: of a hundred photos half a photo more would be wrong.
    assert 0.95 < means[2] <= 1 - 0.5 / 101


def test_a_few_wrong_photos_do_not_take_all_confidence() -> None:
    assert 1 < fit_temperature(torch.eye(4) * 3, torch.tensor([1, 2, 3, 0])) < 3


# --- judging ---------------------------------------------------------------------------------------------------------


def test_a_photo_is_judged_without_itself() -> None:
    logits, targets = honest(200, 2.0)
    before = cross_fitted(logits, targets)
    changed = targets.clone()
    changed[7] = (logits[7].argmax() + 1) % 5 if before.right[7] else logits[7].argmax()
    after = cross_fitted(logits, changed)
    assert after.confidence[7] == before.confidence[7] and after.right[7] != before.right[7]
    # Those of other folds are judged with it.
    assert (after.confidence != before.confidence).sum() >= 40


def test_cross_fitted_confidence_is_nearly_that_of_the_model() -> None:
    logits, targets = honest(1000, 2.0)
    whole = judge(logits, targets, fit_temperature(logits, targets))
    found = cross_fitted(logits, targets)
    assert np.abs(found.confidence - whole.confidence).max() < 0.05
    assert calibration_error(found) < 0.05 < 0.1 < calibration_error(judge(logits, targets))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_single_photo_is_judged_by_the_prior(n: int) -> None:
    logits, targets = honest(n)
    found = cross_fitted(logits, targets)
    assert len(found) == n and np.isfinite(found.confidence).all()
    if n == 1:
        assert found.confidence[0] == pytest.approx(float(torch.softmax(logits, 1).max()))


# --- calibration error -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_error_is_that_of_torchmetrics(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = judged(list(random.random(300).astype(np.float32)), list(random.integers(0, 2, 300)))
    expected = binary_calibration_error(torch.tensor(found.confidence), torch.tensor(found.right).int(), n_bins=15)
    assert calibration_error(found) == pytest.approx(float(expected), abs=1e-6)


def test_the_error_by_hand() -> None:
    # Two bins: 0.9 and 0.9 with one of two right, 0.3 with one of one.
    assert calibration_error(judged([0.9, 0.9, 0.3], [1, 0, 1])) == pytest.approx((2 * 0.4 + 0.7) / 3)
    assert calibration_error(judged([1.0, 1.0], [1, 1])) == 0


def test_adaptive_bins_hold_equally_many() -> None:
    confidence = np.linspace(0.9, 1, 150) ** 3
    assert [len(part) for part in bins_of(confidence, adaptive=True)] == [10] * 15
    assert len(bins_of(confidence)) == 5
    few = bins_of(np.array([0.5, 0.1, 0.9]), adaptive=True)
    assert [part.tolist() for part in few] == [[1], [0], [2]]


def test_honest_photos_show_the_error_of_chance() -> None:
    logits, targets = honest(500)
    found = judge(logits, targets)
    chance = error_by_chance(found.confidence)
    assert 0.02 < chance < 0.08
    assert abs(calibration_error(found) - chance) < 0.02
    assert error_by_chance(judge(*honest(20_000)).confidence) < 0.012


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_a_threshold_keeps_what_reaches_it() -> None:
    found = at_threshold(judged([0.9, 0.5, 0.49, 0.2], [1, 0, 1, 1]), 0.5)
    assert (found.kept, found.unknown, found.right) == (2, 0.5, 0.5)
    assert found.sentence() == "At 0.5, 50 % become unknown and 50 % of the rest are right (validation photos)."
    assert at_threshold(judged([0.4], [1]), 0.5).sentence() == "At 0.5, all validation photos become unknown."


def test_the_advice_is_the_lowest_threshold_that_is_right_enough() -> None:
    # 19 of 20 are right from 0.6 on, 20 of 23 from 0.5 on.
    found = judged([0.62] * 20 + [0.52] * 3, [1] * 19 + [0] + [0, 0, 1])
    assert advised_threshold(found).threshold == 0.55
    assert advice(found) == "For 95 % right among the rest, set threshold to 0.55: 13 % become unknown."
    assert advised_threshold(found[np.arange(19)]) is None
    assert advice(found[np.arange(19)]).startswith("No threshold makes 95 %")
    assert advised_threshold(judged([0.99] * 20, [1] * 18 + [0] * 2)) is None


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.001, "1 %"), (0.456, "46 %"), (0.999, "99 %"), (1, "100 %")])
def test_only_all_is_a_hundred_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_judged_photos_go_through_a_model_file() -> None:
    found = judge(*honest(30))
    again = from_saved(to_saved(found))
    assert again.right.tolist() == found.right.tolist()
    np.testing.assert_allclose(again.confidence, found.confidence, atol=6e-5)
    assert from_saved({}) is None and from_saved(to_saved(found[:0])) is None
    assert calibration.THRESHOLDS[0] == 0.05 and calibration.THRESHOLDS[-1] == 0.95
