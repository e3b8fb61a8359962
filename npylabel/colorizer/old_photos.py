"""Old photos as they come from a scanner or a phone: their lightness at full size, and what a network sees of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

from npylabel.colorizer.lab import rgb_to_lab
from npylabel.colorizer.networks import SIDE_STEP
from npylabel.photos.decode import decode_photo

# Chroma that no toning explains, see ``chroma_beside_toning``, in units of Lab. Of 106 drawn photos in color 87 have
# more; the others show little but night, lawn or sky. As sepia none of them has: up to 2.3, in a poor JPEG 4.3, and 5.5
# where it has faded unevenly.
COLORFUL = 5.5
# Larger than any photo: decoders that reduce large photos leave them as they are.
_WHOLE = 2**20
# Panoramas are seen at most this many times as long as they are high.
_LONGEST = 4
_STRIP_PIXELS = 2**20
_CHROMA_PX, _BORDER_PX = 192, 512
# Bands of lightness in which toning has one color, and how far the hues of one toning lie apart.
_BANDS, _TONING_ANGLE = 16, np.radians(35)
# Borders of a scan: paper or the scanner's lid are at least this light, its inside at most this dark, of 255.
_PAPER, _DARK = 215, 40
_BORDER_SPREAD, _MOST_BORDER, _BORDER_SIDES = 20, 0.3, 3

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class OldPhoto:
    """A photo that is to be colored.

    Attributes:
        lightness: L / 100 in 0-1, ``(height, width)`` float32, upright, all pixels of the original.
        box: left, top, right and bottom of the picture inside the border of its scan, pixels.
        small: lightness inside the box as the network sees it, ``(1, 1, h, w)`` float32; the shorter side as asked.
        chroma: how colorful it is beside its toning, see ``chroma_beside_toning``.
    """

    lightness: np.ndarray
    box: Box
    small: torch.Tensor
    chroma: float

    @property
    def is_colorful(self) -> bool:
        """Whether it has colors of its own."""
        return self.chroma > COLORFUL


def read_old_photo(data: bytes, side_px: int) -> OldPhoto:
    """The photo in the bytes, at its full size.

    Args:
        data: of a file of any format, size and shape that ``decode_photo`` reads.
        side_px: shorter side of what the network sees, a multiple of 32.

    Raises:
        PhotoError: with a code of ``npylabel.photos.reasons``.
    """
    image = decode_photo(data, _WHOLE).image
    box = inside_border(image)
    return OldPhoto(lightness_of(image), box, _small(image, box, side_px), chroma_beside_toning(image))


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of a picture a portion at a time: what is computed for all pixels at once is many times the photo."""
    step = max(1, _STRIP_PIXELS // width)
    return (slice(top, min(top + step, height)) for top in range(0, height, step))


def lightness_of(image: Image.Image) -> np.ndarray:
    """L / 100 of an RGB picture, ``(height, width)`` float32 in 0-1."""
    pixels = np.asarray(image)
    result = np.empty(pixels.shape[:2], np.float32)
    for rows in strips(*result.shape):
        part = pixels[rows]
        red = part[..., 0]
        if (red == part[..., 1]).all() and (red == part[..., 2]).all():
            result[rows] = _gray_lightness()[red]
        else:
            result[rows] = rgb_to_lab(_as_tensor(part))[0][0, 0].numpy()
    return result


@lru_cache(maxsize=1)
def _gray_lightness() -> np.ndarray:
    """L / 100 of the 256 grays."""
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    return rgb_to_lab(_as_tensor(grays))[0].flatten().numpy()


def _as_tensor(pixels: np.ndarray) -> torch.Tensor:
    """RGB pixels ``(h, w, 3)`` uint8 as ``(1, 3, h, w)`` float32 in 0-1."""
    return torch.tensor(pixels).permute(2, 0, 1)[None].float().div(255)


def _small(image: Image.Image, box: Box, side_px: int) -> torch.Tensor:
    # Things are as large as in training, where the shorter side is what counts, and nothing is distorted.
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    shorter = min(width, height)
    size = tuple(_side(length / shorter, side_px) for length in (width, height))
    seen = image.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return rgb_to_lab(_as_tensor(np.asarray(seen)))[0]


def _side(ratio: float, side_px: int) -> int:
    return SIDE_STEP * round(min(ratio, _LONGEST) * side_px / SIDE_STEP)


def chroma_beside_toning(image: Image.Image) -> float:
    """Root mean square of the chroma that toning does not explain, in units of Lab.

    Toning (sepia, selenium, yellowed paper) has one hue, and one strength for each lightness; what differs from that is
    color. A gray picture has 0.
    """
    small = image.copy()
    small.thumbnail((_CHROMA_PX, _CHROMA_PX), Image.Resampling.BOX, reducing_gap=None)
    lightness, ab = rgb_to_lab(_as_tensor(np.asarray(small)))
    bands = (lightness.flatten().numpy() * _BANDS).astype(int).clip(0, _BANDS - 1)
    ab = ab[0].flatten(1).T.numpy() * 128
    mean = ab.mean(0)
    hue = mean / max(float(np.hypot(*mean)), 1e-6)
    rest = ab.copy()
    for band in np.unique(bands):
        rest[bands == band] -= _toning(np.median(ab[bands == band], axis=0), hue)
    return float(np.sqrt((rest**2).sum(1).mean()))


def _toning(middle: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """What of the middle color of a band is toning of this hue: all of it, or the part that is of the hue."""
    along = max(float(middle @ hue), 0.0)
    return middle if along >= np.hypot(*middle) * np.cos(_TONING_ANGLE) else along * hue


def inside_border(image: Image.Image) -> Box:
    """Left, top, right and bottom of the picture inside the blank border of a scan; all of it where there is none.

    Borders are blank paper or a scanner's lid or inside, on three sides at least: one side may be a blank sky.
    """
    small = image.convert("L")
    small.thumbnail((_BORDER_PX, _BORDER_PX), Image.Resampling.BOX, reducing_gap=None)
    gray = np.asarray(small, np.int16)
    height, width = gray.shape
    left, top, right, bottom = 0, 0, width, height
    for _layer in range(3):  # Paper may lie on a dark ground, and be worn at its rim.
        inner = gray[top:bottom, left:right]
        cuts = [_blank_lines(lines) for lines in (inner.T, inner, inner.T[::-1], inner[::-1])]
        if sum(cut > 0 for cut in cuts) < _BORDER_SIDES:
            break
        left, top, right, bottom = left + cuts[0], top + cuts[1], right - cuts[2], bottom - cuts[3]
    across, down = image.width / width, image.height / height
    box = (int(left * across), int(top * down), -int(-right * across // 1), -int(-bottom * down // 1))
    is_picture = min(box[2] - box[0], box[3] - box[1]) >= SIDE_STEP
    return (box[0], box[1], min(box[2], image.width), min(box[3], image.height)) if is_picture else (0, 0, *image.size)


def _blank_lines(lines: np.ndarray) -> int:
    """How many of the lines are blank, from the first on."""
    tone = float(np.median(lines[0]))
    if _DARK < tone < _PAPER:
        return 0
    low, high = np.percentile(lines, (5, 95), axis=1)
    blank = (high - low <= _BORDER_SPREAD) & (np.abs(np.median(lines, axis=1) - tone) <= _BORDER_SPREAD / 2)
    return min(int(np.argmin(blank)) if not blank.all() else 0, int(_MOST_BORDER * len(lines)))
