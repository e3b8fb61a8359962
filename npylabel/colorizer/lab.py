"""Photos between RGB and CIE Lab, in batches, on the device they are on.

Lab is CIE 1976 L*a*b* under D65 and the 2-degree observer, from sRGB (IEC 61966-2): L* is lightness, 0-100; a* and b*
are the two color axes, about -86 to 98 and -108 to 95 for all colors of a screen. Networks see both scaled: lightness
by 100 (``L``, 0-1) and colors by 128 (``ab``, -1 to 1).
"""

import torch
from kornia import color

L_SCALE, AB_SCALE = 100.0, 128.0


def rgb_to_lab(rgb: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Lightness ``(n, 1, h, w)`` in 0-1 and colors ``(n, 2, h, w)`` in -1 to 1, float32, also under autocast.

    Args:
        rgb: ``(n, 3, h, w)`` floating point, 0-1, sRGB.
    """
    with _exact(rgb):
        lab = color.rgb_to_lab(rgb.float())
        return lab[:, :1] / L_SCALE, lab[:, 1:] / AB_SCALE


def lab_to_rgb(lightness: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
    """sRGB ``(n, 3, h, w)`` float32 in 0-1, also under autocast; colors that no screen shows are clipped.

    Args:
        lightness: ``(n, 1, h, w)`` in 0-1 (L* / 100).
        ab: ``(n, 2, h, w)`` in -1 to 1 (a*, b* / 128).
    """
    with _exact(lightness):
        return color.lab_to_rgb(torch.cat([lightness.float() * L_SCALE, ab.float() * AB_SCALE], 1), clip=True)


def pixels_to_rgb(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels ``(n, h, w, 3)`` uint8 as sRGB ``(n, 3, h, w)`` float32 in 0-1."""
    return pixels.movedim(-1, 1).float() / 255


def rgb_to_pixels(rgb: torch.Tensor) -> torch.Tensor:
    """sRGB ``(n, 3, h, w)`` in 0-1 as pixels ``(n, h, w, 3)`` uint8, rounded to the nearest level."""
    return (rgb * 255).round().clamp(0, 255).to(torch.uint8).movedim(1, -1).contiguous()


def _exact(tensor: torch.Tensor) -> torch.autocast:
    """A context without autocast, which would do the color matrices in 8 or 11 bits."""
    return torch.autocast(tensor.device.type, enabled=False)
