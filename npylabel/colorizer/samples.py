"""Pictures of what a network in training makes of a few photos, one for each epoch: strips of equal squares."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from npylabel.base.files import write_bytes
from npylabel.colorizer.lab import lab_to_rgb, pixels_to_rgb, rgb_to_lab, rgb_to_pixels
from npylabel.training.feed import to_input

SIDE_PX = 128
# The same photos without colors, and as they are.
GRAY, TRUE = "gray.jpg", "true.jpg"
_QUALITY = 88


def write_samples(network: nn.Module, pixels: torch.Tensor, px: int, path: Path) -> None:
    """Write a strip of the photos as the network colors them without a label, and beside it one in gray and a true one.

    Args:
        network: a colorizer in evaluation.
        pixels: ``(n, h, w, 3)`` uint8.
        px: side at which the network sees them.
        path: of the strip, a JPEG.
    """
    lightness, _ab = rgb_to_lab(to_input(pixels, pixels.device, px))
    color, _class_logits = network(lightness, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_strip(path, lab_to_rgb(lightness, network.ab(color)))
    if not path.with_name(TRUE).exists():
        rgb = pixels_to_rgb(pixels)
        lightness, ab = rgb_to_lab(rgb)
        _write_strip(path.with_name(GRAY), lab_to_rgb(lightness, torch.zeros_like(ab)))
        _write_strip(path.with_name(TRUE), rgb)


def _write_strip(path: Path, rgb: torch.Tensor) -> None:
    squares = [np.asarray(Image.fromarray(picture).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
               for picture in rgb_to_pixels(rgb).cpu().numpy()]
    file = io.BytesIO()
    Image.fromarray(np.concatenate(squares, axis=1)).save(file, "JPEG", quality=_QUALITY)
    write_bytes(path, file.getvalue())
