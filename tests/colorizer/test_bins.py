"""Color bins hold what a screen shows, find true neighbors, give colors back, and weigh rare colors up."""

import pytest
import torch

from npylabel.colorizer.bins import ColorBins, decode
from npylabel.colorizer.lab import AB_SCALE, pixels_to_rgb, rgb_to_lab
from tests.colorizer.color_kit import encoded


@pytest.fixture(scope="module")
def bins() -> ColorBins:
    return ColorBins.of_gamut()


def screen_colors(count: int = 4096, seed: int = 0) -> torch.Tensor:
    """Colors (1, 2, 64, count / 64) of random pixels."""
    pixels = torch.randint(0, 256, (1, 64, count // 64, 3), generator=torch.Generator().manual_seed(seed))
    return rgb_to_lab(pixels_to_rgb(pixels.to(torch.uint8)))[1]


def test_the_gamut(bins: ColorBins) -> None:
    centers = {tuple(center) for center in (bins.centers * AB_SCALE).round().int().tolist()}
    assert len(bins) == len(centers) == 261
    assert {(0, 0), (80, 70), (80, -110)} <= centers  # gray, red, blue
    assert not {(-80, -80), (100, -30), (-110, 0)} & centers


def test_neighbors_are_the_nearest_of_all(bins: ColorBins) -> None:
    ab = torch.cat([screen_colors(), torch.rand(1, 2, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1], 3)
    indices, shares = bins.neighbors(ab)
    apart = torch.cdist(ab[0].reshape(2, -1).T.double(), bins.centers.double())
    wanted = apart.topk(5, 1, largest=False).values
    found = apart.gather(1, indices[0].reshape(5, -1).T)
    assert float((found - wanted).abs().max()) * AB_SCALE < 1e-3
    assert torch.allclose(shares.sum(1), torch.ones(1))


def test_shares_fall_as_a_gaussian(bins: ColorBins) -> None:
    gray = encoded(bins, torch.zeros(1, 2, 1, 1))[0, :, 0, 0]
    side = torch.exp(torch.tensor(-100 / 50))
    assert float(gray.max()) == pytest.approx(float(1 / (1 + 4 * side)), rel=1e-5)
    assert int((gray > 0).sum()) == 5


def test_a_color_comes_back(bins: ColorBins) -> None:
    ab = screen_colors()
    soft = encoded(bins, ab)
    assert soft.shape == (1, 261, 64, 64)
    mean = decode(soft.clamp(min=1e-12).log(), bins.centers, 1.0)
    error = (mean - ab).mul(AB_SCALE).norm(dim=1)
    assert float(error.mean()) < 1.5
    assert float(error.max()) < 9
    sharp = decode(soft.clamp(min=1e-12).log(), bins.centers)
    assert float((sharp - ab).mul(AB_SCALE).norm(dim=1).mean()) < 3


def test_the_temperature_goes_from_mean_to_most_likely(bins: ColorBins) -> None:
    logits = torch.full((1, 261, 1, 1), -30.0)
    logits[0, [0, 250], 0, 0] = torch.tensor([0.6, 0.4]).log()
    mean, near = (decode(logits, bins.centers, temperature)[0, :, 0, 0] for temperature in (1.0, 0.01))
    assert torch.allclose(mean, 0.6 * bins.centers[0] + 0.4 * bins.centers[250], atol=1e-5)
    assert torch.allclose(near, bins.centers[0], atol=1e-5)


def test_readout_is_exact_under_autocast(bins: ColorBins) -> None:
    logits = torch.randn(1, 261, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = decode(logits, bins.centers)
    assert torch.equal(mixed, decode(logits, bins.centers))


def test_bins_of_a_model_file_are_the_same(bins: ColorBins) -> None:
    again = ColorBins.of_centers(bins.centers.clone())
    assert torch.equal(encoded(again, screen_colors(64)), encoded(bins, screen_colors(64)))


def test_counts_add_up(bins: ColorBins) -> None:
    one, other = screen_colors(seed=1), screen_colors(seed=2)
    counts = bins.counts(torch.cat([one, other]))
    assert torch.equal(counts, bins.counts(one) + bins.counts(other))
    assert int(counts.sum()) == 8192
    gray = bins.counts(torch.zeros(1, 2, 3, 3))
    assert bins.centers[gray.argmax()].tolist() == [0, 0]
    assert int(gray.max()) == 9


def test_the_prior_is_smooth(bins: ColorBins) -> None:
    prior = bins.prior(bins.counts(torch.zeros(1, 2, 8, 8)))
    centers = (bins.centers * AB_SCALE).round().int().tolist()
    at = {tuple(center): float(value) for center, value in zip(centers, prior, strict=True)}
    assert float(prior.sum()) == pytest.approx(1)
    assert at[10, 0] / at[0, 0] == pytest.approx(0.135335, rel=1e-4)
    assert at[10, 0] == pytest.approx(at[0, -10])
    assert torch.equal(bins.prior(torch.zeros(261)), torch.full((261,), 1 / 261, dtype=torch.float64))


def test_weights_are_one_on_average_and_more_for_rare_colors(bins: ColorBins) -> None:
    prior = bins.prior(bins.counts(screen_colors() * 0.3))
    weights = bins.weights(prior)
    assert float((prior * weights.double()).sum()) == pytest.approx(1, rel=1e-6)
    assert int(weights.argmin()) == int(prior.argmax())
    # An impossible color counts as (prior + 1/k) / (1/k) times the commonest: the uniform half bounds it.
    assert float(weights.max() / weights.min()) == pytest.approx(float((prior.max() + 1 / 261) * 261), rel=1e-3)
    assert torch.allclose(bins.weights(prior, uniform=1.0), torch.ones(261))
