"""What is changed at random in the training photos: the advice of the original's dataset guide."""

import math

import torch
from torch.nn import functional

ROTATION_DEGREES = 10.0
# Share of the side; the original's 4 of 512 pixels would be less than one pixel at the sizes used here.
SHIFT = 0.06
BRIGHTNESS = 0.2
CONTRAST = 0.2


def augment(images: torch.Tensor) -> torch.Tensor:
    """The images, each mirrored, turned, shifted, and changed in brightness and contrast at random.

    Args:
        images: ``(n, 3, h, w)`` float in 0-1.

    Returns:
        The same shape and range. Draws from torch's global random state on the CPU, so that a seed gives the same
        on every device.
    """
    n = len(images)
    angle = _draw(n, math.radians(ROTATION_DEGREES))
    mirror = torch.randint(0, 2, (n,)) * 2.0 - 1.0
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1], theta[:, 0, 2] = mirror * angle.cos(), -angle.sin(), _draw(n, 2 * SHIFT)
    theta[:, 1, 0], theta[:, 1, 1], theta[:, 1, 2] = mirror * angle.sin(), angle.cos(), _draw(n, 2 * SHIFT)
    grid = functional.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    contrast, brightness = (1 + _draw(n, size).to(images.device).view(n, 1, 1, 1) for size in (CONTRAST, BRIGHTNESS))
    middle = images.mean((1, 2, 3), keepdim=True)
    return ((images - middle) * contrast + middle * brightness).clamp(0, 1)


def _draw(n: int, size: float) -> torch.Tensor:
    """``n`` values between -size and size."""
    return (torch.rand(n) * 2 - 1) * size
