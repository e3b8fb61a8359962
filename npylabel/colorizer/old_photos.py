"""Old photos as they come from a scanner or a phone: their lightness at full size, and what a network sees of it."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from npylabel.colorizer.lab import pixels_to_rgb, rgb_to_lab
from npylabel.colorizer.networks import SIDE_STEP
from npylabel.colorizer.pixel_lab import lightness_levels, lightness_of, strips
from npylabel.photos.decode import decode_photo

# Chroma that no toning explains, see ``chroma_beside_toning``, in units of Lab. Of 106 drawn photos in color 87 have
# more; the others show little but night, lawn or sky. As sepia none of them has: up to 2.3, in a poor JPEG 4.3, and 5.5
# where it has faded unevenly.
COLORFUL = 5.5
# Larger than any photo: decoders that reduce large photos leave them as they are.
_WHOLE = 2**20
# Panoramas are seen at most this many times as long as they are high.
_LONGEST = 4
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
        levels: lightness of all pixels of the original, upright, ``(height, width)``: uint8 of a gray one, else
            uint16, see ``lightness_levels``. Floats would take as much memory as all the rest.
        box: left, top, right and bottom of the picture inside the border of its scan, pixels.
        small: lightness inside the box as the network sees it, ``(1, 1, h, w)`` float32; the shorter side as asked.
        chroma: how colorful it is beside its toning, see ``chroma_beside_toning``.
    """

    levels: np.ndarray
    box: Box
    small: torch.Tensor
    chroma: float

    @property
    def is_colorful(self) -> bool:
        """Whether it has colors of its own."""
        return self.chroma > COLORFUL

    def lightness(self, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """L / 100 in 0-1 of a part of it, ``(rows, columns)`` float32."""
        return lightness_of(self.levels[rows, columns])


def read_old_photo(data: bytes, side_px: int) -> OldPhoto:
    """The photo in the bytes, at its full size.

    Args:
        data: of a file of any format, size and shape that ``decode_photo`` reads.
        side_px: shorter side of what the network sees, a multiple of 32.

    Raises:
        PhotoError: with a code of ``npylabel.photos.reasons``.
    """
    image = _bare_of_channels(decode_photo(data, _WHOLE, keep_gray=True).image)
    box = inside_border(image)
    return OldPhoto(levels_of(image), box, _small(image, box, side_px), chroma_beside_toning(image))


def _bare_of_channels(image: Image.Image) -> Image.Image:
    """The picture in mode L where all its pixels are gray: scanners write such files as RGB, too."""
    if image.mode == "L" or not all(_is_gray(_pixels(image, rows)) for rows in strips(image.height, image.width)):
        return image
    return image.getchannel(0)


def _is_gray(pixels: np.ndarray) -> bool:
    """Whether red, green and blue are the same everywhere."""
    return all(np.array_equal(pixels[..., 0], pixels[..., other]) for other in (1, 2))


def levels_of(image: Image.Image) -> np.ndarray:
    """Lightness of a picture in RGB or L, ``(height, width)`` uint16 or uint8, see ``lightness_levels``."""
    result = np.empty((image.height, image.width), np.uint8 if image.mode == "L" else np.uint16)
    for rows in strips(*result.shape):
        result[rows] = lightness_levels(_pixels(image, rows))
    return result


def _pixels(image: Image.Image, rows: slice) -> np.ndarray:
    """Some rows of a picture; those of all of it are copied twice on their way."""
    return np.asarray(image.crop((0, rows.start, image.width, rows.stop)))


def _small(image: Image.Image, box: Box, side_px: int) -> torch.Tensor:
    # Things are as large as in training, where the shorter side is what counts, and nothing is distorted.
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    shorter = min(width, height)
    size = tuple(_side(length / shorter, side_px) for length in (width, height))
    seen = image.resize(size, Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    return torch.from_numpy(lightness_of(lightness_levels(np.asarray(seen))))[None, None]


def _side(ratio: float, side_px: int) -> int:
    return SIDE_STEP * round(min(ratio, _LONGEST) * side_px / SIDE_STEP)


def chroma_beside_toning(image: Image.Image) -> float:
    """Root mean square of the chroma that toning does not explain, in units of Lab.

    Toning (sepia, selenium, yellowed paper) has one hue, and one strength for each lightness; what differs from that is
    color. A gray picture has 0.
    """
    if image.mode == "L":
        return 0.0
    pixels = torch.tensor(np.asarray(_shrunk(image, _CHROMA_PX)))[None]
    lightness, ab = rgb_to_lab(pixels_to_rgb(pixels))
    bands = (lightness.flatten().numpy() * _BANDS).astype(int).clip(0, _BANDS - 1)
    ab = ab[0].flatten(1).T.numpy() * 128
    mean = ab.mean(0)
    hue = mean / max(float(np.hypot(*mean)), 1e-6)
    rest = ab.copy()
    for band in np.unique(bands):
        rest[bands == band] -= _toning(np.median(ab[bands == band], axis=0), hue)
    return float(np.sqrt((rest**2).sum(1).mean()))


def _shrunk(image: Image.Image, longest_px: int) -> Image.Image:
    """The picture with its longer side at most so long; without a copy of all of it, which ``thumbnail`` works on."""
    scale = min(1.0, longest_px / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def _toning(middle: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """What of the middle color of a band is toning of this hue: all of it, or the part that is of the hue."""
    along = max(float(middle @ hue), 0.0)
    return middle if along >= np.hypot(*middle) * np.cos(_TONING_ANGLE) else along * hue


def inside_border(image: Image.Image) -> Box:
    """Left, top, right and bottom of the picture inside the blank border of a scan; all of it where there is none.

    Borders are blank paper or a scanner's lid or inside, on three sides at least: one side may be a blank sky.
    """
    gray = np.asarray(_shrunk(image, _BORDER_PX).convert("L"), np.int16)
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
    most = int(_MOST_BORDER * len(lines))
    blank = _are_blank(lines[:most + 1], tone)
    if not blank.all():
        return int(np.argmin(blank))
    return 0 if _are_blank(lines[most + 1:], tone).all() else most


def _are_blank(lines: np.ndarray, tone: float) -> np.ndarray:
    """Which of the lines are even and of this tone."""
    low, middle, high = np.percentile(lines, (5, 50, 95), axis=1)
    return (high - low <= _BORDER_SPREAD) & (np.abs(middle - tone) <= _BORDER_SPREAD / 2)
