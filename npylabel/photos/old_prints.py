"""Drawn photos as old prints that were scanned: gray, faded, sepia, with a border."""

from PIL import Image, ImageOps

GRAY_PRINTS = ("gray", "faded", "bordered")
PRINTS = (*GRAY_PRINTS, "sepia")
# Black and white of a faded print, and of a sepia one in the colors that its silver has turned to.
_FADED = ((58, 58, 58), (206, 206, 206))
_SEPIA = ((52, 34, 20), (148, 118, 84), (240, 226, 196))
_PAPER, _BORDER = 247, 0.05


def printed(photo: Image.Image, kind: str) -> Image.Image:
    """The photo as an old print, an RGB image; a bordered one is larger.

    Args:
        photo: RGB.
        kind: one of ``PRINTS``.
    """
    gray = photo.convert("L")
    if kind == "sepia":
        return ImageOps.colorize(gray, _SEPIA[0], _SEPIA[2], mid=_SEPIA[1])
    if kind == "faded":
        return ImageOps.colorize(gray, *_FADED)
    if kind == "bordered":
        gray = ImageOps.expand(gray, round(_BORDER * max(gray.size)), fill=_PAPER)
    return gray.convert("RGB")
