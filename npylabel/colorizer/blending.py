"""A network's small colors on a photo of full size: the photo keeps its lightness, and every color can be shown."""

import numpy as np
import torch

from npylabel.colorizer.guided import upsample_ab
from npylabel.colorizer.lab import lab_to_rgb
from npylabel.colorizer.old_photos import OldPhoto, strips

_HALVINGS = 8
# CIE 15 and IEC 61966-2-1: XYZ of the white point D65, and from XYZ to linear RGB.
_WHITE = (0.95047, 1.0, 1.08883)
_TO_LINEAR = torch.tensor([[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560],
                           [0.0556434, -0.2040259, 1.0572252]])
# Half a level of 255 beyond the ends is rounded back.
_SLACK = 0.0002


def blend(photo: OldPhoto, ab: torch.Tensor, saturation: float = 1.0) -> np.ndarray:
    """The colored photo, ``(height, width, 3)`` uint8 sRGB; what lies outside its box stays without color.

    Args:
        photo: the photo.
        ab: colors of what is inside its box, in -1..1, ``(1, 2, h, w)`` of the size of ``photo.small``.
        saturation: factor of the colors; 0 is gray.
    """
    height, width = photo.lightness.shape
    result = np.empty((height, width, 3), np.uint8)
    light = torch.from_numpy(photo.lightness)[None, None]
    left, top, right, bottom = photo.box
    inside = light[..., top:bottom, left:right]
    large = upsample_ab(ab, photo.small, inside)
    for rows in strips(height, width):
        part = light[..., rows, :]
        colors = torch.zeros(1, 2, *part.shape[2:])
        above, below = max(rows.start, top), min(rows.stop, bottom)
        if above < below:
            here = large[..., above - top:below - top, :] * saturation
            colors[..., above - rows.start:below - rows.start, left:right] = into_gamut(
                inside[..., above - top:below - top, :], here)
        rgb = lab_to_rgb(part, colors)[0].permute(1, 2, 0)
        result[rows] = rgb.mul(255).round().to(torch.uint8).numpy()
    return result


def into_gamut(lightness: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
    """The colors, as strong as sRGB shows them at their lightness; lightness and hue stay as they are.

    Args:
        lightness: L / 100, ``(n, 1, h, w)``.
        ab: in -1..1, ``(n, 2, h, w)``.
    """
    outside = ~_is_shown(lightness[:, 0], ab[:, 0], ab[:, 1])
    if not outside.any():
        return ab
    light, a, b = lightness[:, 0][outside], ab[:, 0][outside], ab[:, 1][outside]
    low, high = torch.zeros_like(light), torch.ones_like(light)
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        shown = _is_shown(light, a * middle, b * middle)
        low, high = torch.where(shown, middle, low), torch.where(shown, high, middle)
    result = ab.clone()
    result[:, 0][outside], result[:, 1][outside] = a * low, b * low
    return result


def _is_shown(lightness: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Whether sRGB has these colors."""
    y = (100 * lightness + 16) / 116
    white = zip(_WHITE, (y + a * 128 / 500, y, y - b * 128 / 200), strict=True)
    x, y, z = (value * torch.where(root > 6 / 29, root**3, (root - 4 / 29) * 3 * (6 / 29)**2) for value, root in white)
    shown = torch.ones_like(x, dtype=torch.bool)
    for red, green, blue in _TO_LINEAR.tolist():
        linear = red * x + green * y + blue * z
        shown &= (linear >= -_SLACK) & (linear <= 1 + _SLACK)
    return shown
