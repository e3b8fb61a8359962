"""Lab of the pixels of whole photos on the processor, some ten times faster than batches of floats go there and back.

The formulas are those of ``npylabel.colorizer.lab``, which is what networks are trained with. Here the two curves of
sRGB are tables, each color is computed once, and callers bring a portion at a time, see ``strips``. Pixels are
computed each for itself, so the results do not depend on the portions.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

# Of this many pixels what is computed at once stays near in the caches; half and twice as many took longer.
STRIP_PIXELS = 2**17
# Linear sRGB to XYZ (IEC 61966-2-1, rounded as in kornia and scikit-image), and XYZ of the white point D65 (CIE 15).
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_LINEAR = (np.linalg.inv(_TO_XYZ) * _WHITE).astype(np.float32)
# Below this the cube of Lab is a line, and its slope there.
_KNEE = np.float32(6 / 29)
_SLOPE = np.float32(3 * (6 / 29) ** 2)
# Steps of the tables. Lightness is 2e-5 off at most; 0.05 % of the levels are another than exact rounding gives.
_LIGHT_STEPS, _LEVEL_STEPS = 2**17, 2**18
_DEEPEST = 2**16 - 1
# Half a level of 255 beyond the ends is rounded back.
_SLACK = 0.0002
_HALVINGS = 8


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of a picture a portion at a time, from the top; those of a portion fit into the cache."""
    step = max(1, STRIP_PIXELS // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def lightness_levels(pixels: np.ndarray) -> np.ndarray:
    """L of pixels: ``(h, w)``, see ``lightness_of``.

    Args:
        pixels: uint8; gray ones ``(h, w)`` come back as they are, of RGB ``(h, w, 3)`` the result is uint16.
    """
    if pixels.ndim == 2:
        return pixels
    red, green, blue = _luminance_parts()
    luminance = red[pixels[..., 0]]
    luminance += green[pixels[..., 1]]
    luminance += blue[pixels[..., 2]]
    return np.take(_lightness_by_luminance(), luminance.astype(np.intp), mode="clip")


def lightness_of(levels: np.ndarray) -> np.ndarray:
    """L / 100 in 0-1, float32, of what ``lightness_levels`` gives: gray levels of sRGB (uint8) or L itself (uint16)."""
    if levels.dtype == np.uint8:
        return _lightness_by_gray()[levels]
    return np.multiply(levels, np.float32(1 / _DEEPEST), dtype=np.float32)


def colored_pixels(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pixels ``(h, w, 3)`` uint8 of these colors; those that sRGB does not have lose chroma until it has them.

    Args:
        lightness: L / 100 in 0-1, ``(h, w)`` float32; it stays as it is, and so does the hue.
        a: in -1..1, as ``lightness``.
        b: as ``a``.
    """
    channels = _linear(lightness, a, b)
    outside = ~_is_shown(channels)
    if outside.any():
        paler = _linear(*_into_gamut(lightness[outside], a[outside], b[outside]))
        for channel, values in zip(channels, paler, strict=True):
            channel[outside] = values
    result = np.empty((*lightness.shape, 3), np.uint8)
    for place, channel in enumerate(channels):
        channel *= _LEVEL_STEPS
        channel += 0.5
        result[..., place] = np.take(_level_by_linear(), channel.astype(np.intp), mode="clip")
    return result


def _linear(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Linear red, green and blue; outside of 0-1 where sRGB does not have the color."""
    y = lightness * np.float32(100 / 116)
    y += np.float32(16 / 116)
    x = a * np.float32(128 / 500)
    x += y
    z = b * np.float32(-128 / 200)
    z += y
    parts = [_cubed(values) for values in (x, y, z)]
    channels = []
    for shares in _TO_LINEAR:
        channel = parts[0] * shares[0]
        for part, share in zip(parts[1:], shares[1:], strict=True):
            channel += part * share
        channels.append(channel)
    return channels


def _cubed(roots: np.ndarray) -> np.ndarray:
    """X, Y or Z of their roots in Lab, as shares of white: the cube, and a line below the knee. Uses up the roots."""
    above = np.maximum(roots, _KNEE)
    roots -= above
    roots *= _SLOPE
    cube = above * above
    cube *= above
    cube += roots
    return cube


def _is_shown(channels: Sequence[np.ndarray]) -> np.ndarray:
    """Whether sRGB has these colors."""
    shown = np.ones(channels[0].shape, bool)
    for channel in channels:
        shown &= channel >= -_SLACK
        shown &= channel <= 1 + _SLACK
    return shown


def _into_gamut(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lightness, and ``a`` and ``b`` as strong as sRGB shows them at that lightness."""
    low, high = np.zeros_like(lightness), np.ones_like(lightness)
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        shown = _is_shown(_linear(lightness, a * middle, b * middle))
        low, high = np.where(shown, middle, low), np.where(shown, high, middle)
    return lightness, a * low, b * low


def _decoded(levels: np.ndarray) -> np.ndarray:
    """Linear values of sRGB in 0-1 (IEC 61966-2-1)."""
    return np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)


def _lightness(luminance: np.ndarray) -> np.ndarray:
    """L / 100 of Y in 0-1 (CIE 15)."""
    knee, slope = float(_KNEE), float(_SLOPE)
    return 1.16 * np.where(luminance > knee**3, np.cbrt(luminance), luminance / slope + 4 / 29) - 0.16


@lru_cache(maxsize=1)
def _luminance_parts() -> np.ndarray:
    """What each level of red, green and blue adds to Y, in steps of ``_lightness_by_luminance``: ``(3, 256)``."""
    parts = _TO_XYZ[1][:, None] * _decoded(np.arange(256) / 255) * _LIGHT_STEPS
    parts[0] += 0.5
    return parts.astype(np.float32)


@lru_cache(maxsize=1)
def _lightness_by_luminance() -> np.ndarray:
    steps = np.arange(_LIGHT_STEPS + 1) / _LIGHT_STEPS
    return np.round(_lightness(steps) * _DEEPEST).astype(np.uint16)


@lru_cache(maxsize=1)
def _lightness_by_gray() -> np.ndarray:
    return _lightness(_decoded(np.arange(256) / 255)).astype(np.float32)


@lru_cache(maxsize=1)
def _level_by_linear() -> np.ndarray:
    linear = np.arange(_LEVEL_STEPS + 1) / _LEVEL_STEPS
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.round(encoded * 255).astype(np.uint8)
