"""Measures agree with scikit-image, with published tables and with cases that have a closed form."""

import numpy as np
import pytest
import torch
from skimage import color, data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from npylabel.colorizer import metrics
from npylabel.colorizer.ciede2000 import ciede2000

# Pairs of Sharma et al. 2005, table 1: (lab, lab, difference). They hold the traps: hues around 0, gray, blue.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425), ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412), ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
    ((50, 0, 0), (50, -1, 2), 2.3669), ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792), ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045), ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065), ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977), ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.fixture(scope="module")
def photos() -> tuple[np.ndarray, np.ndarray]:
    """(predicted, true): three parts of photos, each with its own damage."""
    true = np.stack([data.astronaut()[:96, 100:228], data.coffee()[100:196, 100:228], data.chelsea()[50:146, 50:178]])
    noise = np.random.default_rng(0).normal(0, 12, true.shape)
    predicted = np.clip(true * np.array([1, 0.8, 1])[:, None, None, None] + noise, 0, 255).astype(np.uint8)
    return predicted, true


def test_psnr(photos) -> None:
    expected = [peak_signal_noise_ratio(t, p, data_range=255) for p, t in zip(*photos, strict=True)]
    assert metrics.psnr(*photos) == pytest.approx(expected, rel=1e-9)


def test_ssim(photos) -> None:
    expected = [structural_similarity(t, p, data_range=255, channel_axis=2, gaussian_weights=True,
                                      sigma=1.5, use_sample_covariance=False) for p, t in zip(*photos, strict=True)]
    assert metrics.ssim(*photos) == pytest.approx(expected, abs=1e-4)


def test_ciede2000_of_photos(photos) -> None:
    expected = [color.deltaE_ciede2000(color.rgb2lab(t), color.rgb2lab(p)).mean() for p, t in zip(*photos, strict=True)]
    assert metrics.ciede2000(*photos) == pytest.approx(expected, abs=1e-3)


def test_ciede2000_as_published() -> None:
    one, other = (torch.tensor([pair[side] for pair in SHARMA], dtype=torch.float64)[:, :, None, None]
                  for side in (0, 1))
    expected = [pair[2] for pair in SHARMA]
    assert ciede2000(one, other).flatten().tolist() == pytest.approx(expected, abs=1e-4)
    assert ciede2000(other, one).flatten().tolist() == pytest.approx(expected, abs=1e-4)


def test_mse_ab(photos) -> None:
    apart = (color.rgb2lab(photos[0]) - color.rgb2lab(photos[1]))[..., 1:] / 128
    assert metrics.mse_ab(*photos) == pytest.approx(np.square(apart).mean((1, 2, 3)), rel=1e-3)


def test_colorfulness() -> None:
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    pixels[0] = 77
    pixels[1] = (200, 100, 50)  # rg 100, yb 100, no spread
    pixels[2, 0] = (100, 0, 50)  # half rg 100, yb 0, half nothing
    assert metrics.colorfulness(pixels) == pytest.approx([0, 0.3 * np.hypot(100, 100), 50 + 0.3 * 50])


def test_the_same_photos_are_perfect(photos) -> None:
    means = metrics.color_scores(photos[1], photos[1]).means()
    assert means["colorfulness"] == means.pop("true_colorfulness") > 10
    means.pop("colorfulness")
    assert means == pytest.approx({"mse_ab": 0, "psnr": 100, "ssim": 1, "ciede2000": 0}, abs=1e-9)


def test_scores_by_photo_do_not_depend_on_the_others(photos) -> None:
    many = [np.concatenate([side] * 7) for side in photos]
    rows = metrics.color_scores(*many).rows()
    assert len(rows) == 21
    assert rows[17] == pytest.approx(metrics.color_scores(photos[0][2:], photos[1][2:]).rows()[0], rel=1e-5)


# --- the Frechet distance --------------------------------------------------------------------------------------------


def exact_features(mean: np.ndarray, root: np.ndarray, seed: int = 0) -> np.ndarray:
    """500 rows whose mean is exactly ``mean`` and whose covariance is exactly ``root.T @ root``."""
    rows = np.random.default_rng(seed).normal(size=(500, len(mean)))
    rows -= rows.mean(0)
    white = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(rows, rowvar=False))), rows.T).T
    return white @ root + mean


def test_frechet_of_one_feature() -> None:
    one, other = exact_features(np.array([1.0]), np.array([[2.0]])), exact_features(np.array([4.0]), np.array([[7.0]]))
    assert metrics.frechet_distance(one, other) == pytest.approx(3**2 + 5**2)


def test_frechet_of_covariances_that_commute_and_that_do_not() -> None:
    zero = np.zeros(2)
    one = exact_features(zero, np.diag([1.0, 3.0]))
    assert metrics.frechet_distance(one, exact_features(zero, np.diag([2.0, 5.0]), 1)) == pytest.approx(1 + 4)
    # For 2 x 2: trace of sqrt(A B) = sqrt(trace(A B) + 2 sqrt(det(A B))).
    root = np.array([[2.0, 1.0], [0.0, 1.0]])
    a, b = np.diag([1.0, 9.0]), root.T @ root
    common = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    assert metrics.frechet_distance(one, exact_features(zero, root, 2)) == pytest.approx(10 + np.trace(b)
                                                                                         - 2 * common)


def test_frechet_with_fewer_photos_than_features() -> None:
    random = np.random.default_rng(0)
    one, other = (random.normal(size=(20, 128)).astype(np.float32) for _ in range(2))
    assert metrics.frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(one, one + 1) == pytest.approx(128, rel=1e-5)
    assert metrics.frechet_distance(one, other) == pytest.approx(metrics.frechet_distance(other, one))
    assert metrics.frechet_distance(one, other) > 10


def test_frechet_of_features_that_never_change() -> None:
    assert metrics.frechet_distance(np.ones((5, 3)), np.zeros((4, 3))) == pytest.approx(3)
