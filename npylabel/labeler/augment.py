"""What is changed at random in the training photos, a batch at a time, on the device that the network is on.

All draws come from torch's global random state on the CPU, so that a seed gives the same on every device.
"""

import math

import torch

from npylabel.labeler.recipe import LabelerRecipe
from npylabel.training.views import draw, views

# Share of a side that an erased rectangle takes.
ERASED = (0.2, 0.45)
# Of the blending weight of mixup; cutmix draws evenly.
MIXUP_BETA = 0.2


def augment(pixels: torch.Tensor, px: int, recipe: LabelerRecipe) -> torch.Tensor:
    """A random view of each photo: ``(n, 3, px, px)`` float32 in 0-1, channels last in memory.

    Args:
        pixels: ``(n, h, w, 3)`` uint8.
        px: side of the views.
        recipe: how much of everything.
    """
    images = views(pixels, px, recipe)
    images = _recolored(images, recipe.color)
    if recipe.erasing:
        images = _erased(images, recipe.erasing)
    return images.contiguous(memory_format=torch.channels_last)


def _recolored(images: torch.Tensor, size: float) -> torch.Tensor:
    saturation, contrast, brightness = (
        1 + draw(len(images), -size, size).to(images.device).view(-1, 1, 1, 1) for _change in range(3))
    gray = images.mean(1, keepdim=True)
    images = torch.lerp(gray, images, saturation)
    middle = gray.mean((2, 3), keepdim=True)
    return images.sub_(middle).mul_(contrast).add_(middle * brightness).clamp_(0, 1)


def _erased(images: torch.Tensor, share: float) -> torch.Tensor:
    """A rectangle of some of the images becomes the image's mean."""
    px = images.shape[-1]
    for i in (torch.rand(len(images)) < share).nonzero()[:, 0].tolist():
        top, left, bottom, right = _box(px, *draw(2, *ERASED).tolist())
        images[i, :, top:bottom, left:right] = images[i].mean((1, 2)).view(3, 1, 1)
    return images


def mix(images: torch.Tensor, targets: torch.Tensor, recipe: LabelerRecipe) -> tuple[torch.Tensor, torch.Tensor]:
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
