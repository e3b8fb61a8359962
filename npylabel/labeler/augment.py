"""What is changed at random in the training photos, a batch at a time, on the device that the network is on.

All draws come from torch's global random state on the CPU, so that a seed gives the same on every device.
"""

import math

import torch
from torch.nn import functional

from npylabel.labeler.recipe import Recipe

# Width to height of a crop, at most and the inverse at least (Szegedy et al. 2015).
ASPECT = 4 / 3
# Share of a side that an erased rectangle takes.
ERASED = (0.2, 0.45)
# Of the blending weight of mixup; cutmix draws evenly.
MIXUP_BETA = 0.2


def augment(pixels: torch.Tensor, px: int, recipe: Recipe) -> torch.Tensor:
    """A random view of each photo: ``(n, 3, px, px)`` float32 in 0-1, channels last in memory.

    Crop, rotation, mirror and perspective are one projective map, so that each pixel is interpolated only once.

    Args:
        pixels: ``(n, h, w, 3)`` uint8.
        px: side of the views.
        recipe: how much of everything.
    """
    # Channels first while the colors change: that is three times as fast as channels last.
    images = _reduced(pixels, px).to(torch.float32, memory_format=torch.contiguous_format, copy=True).div_(255)
    maps = view_maps(len(images), recipe).to(images.device)
    images = functional.grid_sample(images, _grid(maps, px), padding_mode="reflection", align_corners=False)
    images = _recolored(images, recipe.color)
    if recipe.erasing:
        images = _erased(images, recipe.erasing)
    return images.contiguous(memory_format=torch.channels_last)


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
    area = _draw(n, recipe.smallest_crop, 1)
    aspect = _draw(n, -math.log(ASPECT), math.log(ASPECT)).exp()
    # Both sides fit into the photo, and the area stays what it is.
    height = torch.maximum((area / aspect).sqrt().clamp(max=1), area)
    width = area / height
    x, y = _draw(n, -1, 1) * (1 - width), _draw(n, -1, 1) * (1 - height)
    angle = torch.deg2rad(_draw(n, -recipe.rotation_degrees, recipe.rotation_degrees))
    mirror = torch.randint(0, 2, (n,)) * 2.0 - 1.0
    maps = torch.zeros(n, 3, 3)
    maps[:, 0, 0], maps[:, 0, 1], maps[:, 0, 2] = mirror * width * angle.cos(), -height * angle.sin(), x
    maps[:, 1, 0], maps[:, 1, 1], maps[:, 1, 2] = mirror * width * angle.sin(), height * angle.cos(), y
    maps[:, 2, 0], maps[:, 2, 1] = (_draw(n, -recipe.perspective, recipe.perspective) for _axis in "xy")
    maps[:, 2, 2] = 1
    return maps


def _grid(maps: torch.Tensor, px: int) -> torch.Tensor:
    """Where each pixel of the views lies in the photos, ``(n, px, px, 2)``."""
    line = (torch.arange(px, device=maps.device) * 2 + 1) / px - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).view(1, px * px, 3) @ maps.transpose(1, 2)
    return (places[..., :2] / places[..., 2:]).view(len(maps), px, px, 2)


def _recolored(images: torch.Tensor, size: float) -> torch.Tensor:
    saturation, contrast, brightness = (
        1 + _draw(len(images), -size, size).to(images.device).view(-1, 1, 1, 1) for _change in range(3))
    gray = images.mean(1, keepdim=True)
    images = torch.lerp(gray, images, saturation)
    middle = gray.mean((2, 3), keepdim=True)
    return images.sub_(middle).mul_(contrast).add_(middle * brightness).clamp_(0, 1)


def _erased(images: torch.Tensor, share: float) -> torch.Tensor:
    """A rectangle of some of the images becomes the image's mean."""
    px = images.shape[-1]
    for i in (torch.rand(len(images)) < share).nonzero()[:, 0].tolist():
        top, left, bottom, right = _box(px, *_draw(2, *ERASED).tolist())
        images[i, :, top:bottom, left:right] = images[i].mean((1, 2)).view(3, 1, 1)
    return images


def mix(images: torch.Tensor, targets: torch.Tensor, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch, and for some batches each photo with a part of another one of the batch, and of its target.

    Args:
        images: ``(n, 3, h, w)`` float.
        targets: ``(n, k)`` float, rows sum to 1.
        recipe: how often.
    """
    chance = float(torch.rand(()))
    if chance >= recipe.mixup + recipe.cutmix:
        return images, targets
    others = torch.randperm(len(images)).to(images.device)
    if chance < recipe.mixup:
        kept = float(torch.distributions.Beta(MIXUP_BETA, MIXUP_BETA).sample())
        images = images * kept + images[others] * (1 - kept)
    else:
        px = images.shape[-1]
        side = math.sqrt(1 - float(torch.rand(())))
        top, left, bottom, right = _box(px, side, side)
        images = images.clone(memory_format=torch.preserve_format)
        images[:, :, top:bottom, left:right] = images[others, :, top:bottom, left:right]
        kept = 1 - (bottom - top) * (right - left) / px**2
    return images, targets * kept + targets[others] * (1 - kept)


def _box(px: int, height: float, width: float) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of a box with these shares of the side, at a random place."""
    sides = [int(px * share) for share in (height, width)]
    top, left = (int(torch.randint(0, px - side + 1, ())) for side in sides)
    return top, left, top + sides[0], left + sides[1]


def _draw(n: int, low: float, high: float) -> torch.Tensor:
    """``n`` values between low and high."""
    return torch.rand(n) * (high - low) + low
