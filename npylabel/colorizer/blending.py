"""A network's small colors on a photo of full size: the photo keeps its lightness, and every color can be shown."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
import torch
from PIL import Image

from npylabel.colorizer.guided import ab_strips
from npylabel.colorizer.old_photos import OldPhoto
from npylabel.colorizer.pixel_lab import colored_pixels, strips


def blend(photo: OldPhoto, ab: torch.Tensor, saturation: float = 1.0) -> Image.Image:
    """The colored photo, RGB; what lies outside its box stays without color.

    Args:
        photo: the photo.
        ab: colors of what is inside its box, in -1..1, ``(1, 2, h, w)`` of the size of ``photo.small`` or smaller.
        saturation: factor of the colors; 0 is gray.
    """
    height, width = photo.levels.shape
    # Pillow's own memory from the start, since it is what writes the file: an array would be there beside it.
    result = Image.new("RGB", (width, height))
    for left, top, pixels in chain(_inside(photo, ab, saturation), _around(photo)):
        result.paste(Image.fromarray(pixels), (left, top))
    return result


def _inside(photo: OldPhoto, ab: torch.Tensor, saturation: float) -> Iterator[tuple[int, int, np.ndarray]]:
    """Left, top and pixels of the strips of the picture."""
    left, top, right, bottom = photo.box

    def lightness_of(rows: slice) -> torch.Tensor:
        shifted = slice(top + rows.start, top + rows.stop)
        return torch.from_numpy(photo.lightness(shifted, slice(left, right)))[None, None]

    for rows, lightness, colors in ab_strips(ab, photo.small, (bottom - top, right - left), lightness_of):
        a, b = colors.mul_(saturation)[0].numpy()
        yield left, top + rows.start, colored_pixels(lightness[0, 0].numpy(), a, b)


def _around(photo: OldPhoto) -> Iterator[tuple[int, int, np.ndarray]]:
    """Left, top and pixels of the strips of the border, which are gray."""
    height, width = photo.levels.shape
    left, top, right, bottom = photo.box
    bands = ((0, 0, width, top), (0, bottom, width, height), (0, top, left, bottom), (right, top, width, bottom))
    for x, y, x_end, y_end in (band for band in bands if band[0] < band[2]):
        for rows in strips(y_end - y, x_end - x):
            lightness = photo.lightness(slice(y + rows.start, y + rows.stop), slice(x, x_end))
            none = np.zeros_like(lightness)
            yield x, y + rows.start, colored_pixels(lightness, none, none)
