"""How good colored photos are beside the true ones: per photo, from pixels as they are saved.

Photos are uint8 arrays ``(n, h, w, 3)``, RGB; results are float64 arrays ``(n,)``. Nothing here uses weights of others.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from npylabel.colorizer.ciede2000 import ciede2000 as delta_e
from npylabel.colorizer.lab import AB_SCALE, L_SCALE, pixels_to_rgb, rgb_to_lab

# What photos without any difference get, so that a mean over photos stays finite.
BEST_PSNR = 100.0
# Photos that are converted at a time.
_BLOCK = 16


@dataclass(frozen=True)
class ColorScores:
    """All measures of some photos, float64 arrays ``(n,)``.

    Attributes:
        mse_ab: mean squared difference of a*b* / 128; 0 is best.
        psnr: of RGB, decibels, up to 100; more is better.
        ssim: of RGB, -1 to 1; 1 is best.
        ciede2000: mean color difference; 0 is best, 1 is just seen.
        colorfulness: of the colored photo; 0 is gray, 15 slightly, 45 averagely, 100 extremely colorful.
        true_colorfulness: of the true photo.
    """

    mse_ab: np.ndarray
    psnr: np.ndarray
    ssim: np.ndarray
    ciede2000: np.ndarray
    colorfulness: np.ndarray
    true_colorfulness: np.ndarray

    def means(self) -> dict[str, float]:
        """The mean of each measure over the photos, at least one."""
        return {name: float(values.mean()) for name, values in vars(self).items()}

    def rows(self) -> list[dict[str, float]]:
        """The measures by photo."""
        columns = asdict(self)
        return [{name: float(values[row]) for name, values in columns.items()} for row in range(len(self.mse_ab))]


def color_scores(predicted: np.ndarray, true: np.ndarray) -> ColorScores:
    """All measures of colored photos ``(n, h, w, 3)`` beside the true ones, each side at least 11 pixels."""
    return ColorScores(mse_ab(predicted, true), psnr(predicted, true), ssim(predicted, true),
                       ciede2000(predicted, true), colorfulness(predicted), colorfulness(true))


def mse_ab(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Mean squared difference of a*b* / 128 by photo, ``(n,)``."""
    return _by_photo(lambda p, t: (_lab(p)[:, 1:] - _lab(t)[:, 1:]).div(AB_SCALE).square().mean((1, 2, 3)),
                     predicted, true)


def psnr(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of RGB by photo, decibels, at most 100, ``(n,)``."""
    error = _by_photo(lambda p, t: (p.double() - t.double()).square().mean((1, 2, 3)), predicted, true)
    with np.errstate(divide="ignore"):
        return np.minimum(10 * np.log10(255.0**2 / error), BEST_PSNR)


def ssim(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Structural similarity by photo, mean over channels, -1 to 1, ``(n,)`` (Wang et al. 2004).

    As there: a Gaussian window of 11 pixels with sigma 1.5. Each side has at least 11 pixels. Right to 1e-4:
    it is counted in float32, 45 times faster than in float64.
    """
    def of(p: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        _mean, image = structural_similarity_index_measure(p.movedim(-1, 1).float(), t.movedim(-1, 1).float(),
                                                           reduction="none", data_range=255.0, return_full_image=True)
        # Only windows that lie in the photo count: torchmetrics' own mean has mirrored borders in it.
        return image[..., 5:-5, 5:-5].mean((1, 2, 3))

    return _by_photo(of, predicted, true)


def ciede2000(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Mean color difference CIEDE2000 by photo, 0 and up, ``(n,)`` (Sharma et al. 2005)."""
    return _by_photo(lambda p, t: delta_e(_lab(p), _lab(t)).mean((1, 2)), predicted, true)


def colorfulness(pixels: np.ndarray) -> np.ndarray:
    """Colorfulness by photo, 0 (gray) to some 100, ``(n,)`` (Hasler & Suesstrunk 2003, their measure in RGB)."""
    def of(p: torch.Tensor, _same: torch.Tensor) -> torch.Tensor:
        red, green, blue = p.double().unbind(-1)
        opponents = torch.stack([red - green, (red + green) / 2 - blue], 1)
        variance, mean = torch.var_mean(opponents, dim=(2, 3), correction=0)
        return variance.sum(1).sqrt() + 0.3 * mean.square().sum(1).sqrt()

    return _by_photo(of, pixels, pixels)


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """How different two sets of photos are to a network: 0 and up (Heusel et al. 2017, equation 6).

    The squared 2-Wasserstein distance of the normal distributions with the sets' means and covariances. The trace of
    the root of ``A B`` is the sum of the singular values of ``sqrt(A) sqrt(B)``, whose roots are of symmetric matrices:
    always real, also with fewer photos than features, where ``sqrtm(A B)`` fails.

    Few photos make it larger: compare only distances of equally many photos.

    Args:
        features_a: ``(n, d)``, n at least 2.
        features_b: ``(m, d)``, m at least 2.
    """
    (mean_a, cov_a), (mean_b, cov_b) = _normal(features_a), _normal(features_b)
    common = np.linalg.svd(_symmetric_root(cov_a) @ _symmetric_root(cov_b), compute_uv=False).sum()
    return float(max(np.square(mean_a - mean_b).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * common, 0.0))


def _normal(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``(d,)`` and covariance ``(d, d)`` of features, float64."""
    features = np.asarray(features, np.float64)
    return features.mean(0), np.atleast_2d(np.cov(features, rowvar=False))


def _symmetric_root(matrix: np.ndarray) -> np.ndarray:
    """The root of a covariance; eigenvalues that rounding made negative are 0."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def _lab(pixels: torch.Tensor) -> torch.Tensor:
    """L*, a*, b* ``(n, 3, h, w)`` float32 of pixels ``(n, h, w, 3)``."""
    lightness, ab = rgb_to_lab(pixels_to_rgb(pixels))
    return torch.cat([lightness * L_SCALE, ab * AB_SCALE], 1)


def _by_photo(measure, predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """A measure of two batches, a few photos at a time, so that memory stays flat."""
    parts = [measure(torch.from_numpy(np.ascontiguousarray(predicted[start:start + _BLOCK])),
                     torch.from_numpy(np.ascontiguousarray(true[start:start + _BLOCK])))
             for start in range(0, len(true), _BLOCK)]
    return torch.cat([part.double() for part in parts]).numpy() if parts else np.zeros(0)
