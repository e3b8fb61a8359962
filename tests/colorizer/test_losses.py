"""Losses have the values that a pen and paper give, and gradients that point the right way."""

import math

import pytest
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.colorizer.bins import ColorBins
from npylabel.colorizer.losses import (
    ab_loss,
    bins_loss,
    class_loss,
    colorfulness_loss,
    colorfulness_of,
)
from tests.colorizer.color_kit import encoded


def random_ab(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 0.1


@pytest.mark.parametrize(("kind", "small", "large"), [
    ("mse", 0.01**2, 0.5**2), ("l1", 0.01, 0.5),
    ("huber", 0.01**2 / 2 / (10 / 128), 0.5 - 5 / 128)])
def test_colors_by_hand(kind: str, small: float, large: float) -> None:
    true = torch.zeros(2, 2, 3, 3)
    assert float(ab_loss(kind, true + 0.01, true)) == pytest.approx(small, rel=1e-4)
    assert float(ab_loss(kind, true - 0.5, true)) == pytest.approx(large, rel=1e-5)


def test_half_precision_is_summed_in_full() -> None:
    predicted = random_ab(4, 2, 32, 32).bfloat16()
    loss = ab_loss("mse", predicted, torch.zeros(4, 2, 32, 32))
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(predicted.double().square().mean()), rel=1e-5)


def test_an_unknown_kind() -> None:
    with pytest.raises(NpyLabelError, match="huber") as error:
        ab_loss("l7", torch.zeros(1), torch.zeros(1))
    assert error.value.code == "color_loss_unknown"


def test_colorfulness_by_hand() -> None:
    # a* is 0.3 or -0.1 in equal parts: mean 0.1, spread 0.2; b* is 0.
    ab = torch.zeros(1, 2, 2, 2)
    ab[0, 0] = torch.tensor([[0.3, -0.1], [-0.1, 0.3]])
    assert float(colorfulness_of(ab)) == pytest.approx(0.2 + 0.37 * 0.1, abs=0.0015)
    assert float(colorfulness_of(torch.zeros(1, 2, 2, 2))) == 0
    assert float(colorfulness_loss(torch.zeros(1, 2, 2, 2), ab)) == pytest.approx(0.237**2, rel=0.02)


def test_colorfulness_pulls_a_pale_photo_up_and_a_gaudy_one_down() -> None:
    true = random_ab(1, 2, 8, 8)
    for factor, sign in ((0.3, 1), (2.0, -1)):
        predicted = (true * factor).requires_grad_()
        colorfulness_loss(predicted, true).backward()
        stepped = predicted.detach() - 0.5 * predicted.grad
        assert sign * float(colorfulness_of(stepped) - colorfulness_of(predicted.detach())) > 0


def test_colorfulness_of_gray_has_a_finite_gradient() -> None:
    gray = torch.zeros(1, 2, 4, 4, requires_grad=True)
    colorfulness_loss(gray, random_ab(1, 2, 4, 4)).backward()
    assert torch.isfinite(gray.grad).all()


@pytest.mark.parametrize("loss", [colorfulness_loss, lambda p, t: ab_loss("huber", p, t),
                                  lambda p, t: ab_loss("mse", p, t)])
def test_gradients_against_finite_differences(loss) -> None:
    predicted, true = random_ab(2, 2, 3, 3), random_ab(2, 2, 3, 3, seed=1) * 3
    direction = random_ab(2, 2, 3, 3, seed=2)
    leaf = predicted.clone().requires_grad_()
    loss(leaf, true).backward()
    numeric = (loss(predicted + 0.01 * direction, true) - loss(predicted - 0.01 * direction, true)) / 0.02
    assert float((leaf.grad * direction).sum()) == pytest.approx(float(numeric), rel=2e-2, abs=1e-6)


def test_bins_of_even_odds() -> None:
    bins = ColorBins.of_gamut()
    assert float(bins_loss(torch.zeros(1, 261, 4, 4), random_ab(1, 2, 4, 4), bins)) == pytest.approx(math.log(261))


def test_bins_against_a_dense_sum() -> None:
    bins = ColorBins.of_gamut()
    true, weights = random_ab(2, 2, 4, 4), torch.rand(261, generator=torch.Generator().manual_seed(0))
    logits = random_ab(2, 261, 4, 4, seed=3) * 10
    soft = encoded(bins, true)
    dense = -(soft * logits.log_softmax(1)).sum(1) * weights[soft.argmax(1)]
    assert float(bins_loss(logits, true, bins, weights)) == pytest.approx(float(dense.mean()), rel=1e-5)


def test_bins_are_best_at_the_soft_truth() -> None:
    bins = ColorBins.of_gamut()
    true = random_ab(1, 2, 4, 4)
    logits = encoded(bins, true).clamp(min=1e-9).log().requires_grad_()
    bins_loss(logits, true, bins).backward()
    assert float(logits.grad.abs().max()) < 1e-6


def test_photos_without_a_label_do_not_count() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]], requires_grad=True)
    expected = math.log(1 + math.exp(-2))
    assert float(class_loss(logits.detach(), torch.tensor([0, -1]))) == pytest.approx(expected)
    assert float(class_loss(logits.detach(), torch.tensor([0, 1]))) == pytest.approx(expected)
    none = class_loss(logits, torch.tensor([-1, -1]))
    none.backward()
    assert float(none.detach()) == 0
    assert not logits.grad.any()
