"""Random views of the training photos: crop, turn, mirror and perspective, a batch at a time, on its own device.

All draws come from torch's global random state on the CPU, so that a seed gives the same on every device.
"""

import math

import torch
from torch.nn import functional

from npylabel.training.recipe import Recipe

# Width to height of a crop, at most and the inverse at least (Szegedy et al. 2015).
ASPECT = 4 / 3


def views(pixels: torch.Tensor, px: int, recipe: Recipe) -> torch.Tensor:
    """A random view of each photo in its own colors: ``(n, 3, px, px)`` float32 in 0-1, channels first in memory.

    Crop, rotation, mirror and perspective are one projective map, so that each pixel is interpolated only once.

    Args:
        pixels: ``(n, h, w, 3)`` uint8.
        px: side of the views.
        recipe: how much of everything.
    """
    # Channels first while the colors change: that is three times as fast as channels last.
    images = _reduced(pixels, px).to(torch.float32, memory_format=torch.contiguous_format, copy=True).div_(255)
    maps = view_maps(len(images), recipe).to(images.device)
    return functional.grid_sample(images, _grid(maps, px), padding_mode="reflection", align_corners=False)


def _reduced(pixels: torch.Tensor, px: int) -> torch.Tensor:
    """The photos ``(n, 3, h, w)``, smaller where views are far smaller: what is too fine for them would flicker."""
    images = pixels.permute(0, 3, 1, 2)
    if pixels.shape[1] < 2 * px:
        return images
    if images.device.type != "cpu":  # Only there whole numbers can be scaled.
        images = images.float()
    side = px * 3 // 2
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


def view_maps(n: int, recipe: Recipe) -> torch.Tensor:
    """Projective maps ``(n, 3, 3)`` from places in a view to places in the photo, both -1 to 1, drawn at random."""
    area = draw(n, recipe.smallest_crop, 1)
    aspect = draw(n, -math.log(ASPECT), math.log(ASPECT)).exp()
    # Both sides fit into the photo, and the area stays what it is.
    height = torch.maximum((area / aspect).sqrt().clamp(max=1), area)
    width = area / height
    x, y = draw(n, -1, 1) * (1 - width), draw(n, -1, 1) * (1 - height)
    angle = torch.deg2rad(draw(n, -recipe.rotation_degrees, recipe.rotation_degrees))
    mirror = torch.randint(0, 2, (n,)) * 2.0 - 1.0
    maps = torch.zeros(n, 3, 3)
    maps[:, 0, 0], maps[:, 0, 1], maps[:, 0, 2] = mirror * width * angle.cos(), -height * angle.sin(), x
    maps[:, 1, 0], maps[:, 1, 1], maps[:, 1, 2] = mirror * width * angle.sin(), height * angle.cos(), y
    maps[:, 2, 0], maps[:, 2, 1] = (draw(n, -recipe.perspective, recipe.perspective) for _axis in "xy")
    maps[:, 2, 2] = 1
    return maps


def _grid(maps: torch.Tensor, px: int) -> torch.Tensor:
    """Where each pixel of the views lies in the photos, ``(n, px, px, 2)``."""
    line = (torch.arange(px, device=maps.device) * 2 + 1) / px - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).view(1, px * px, 3) @ maps.transpose(1, 2)
    return (places[..., :2] / places[..., 2:]).view(len(maps), px, px, 2)


def draw(n: int, low: float, high: float) -> torch.Tensor:
    """``n`` values between low and high."""
    return torch.rand(n) * (high - low) + low
