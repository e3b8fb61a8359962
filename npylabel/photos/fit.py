"""From a picture of any shape to a square, and from color to gray."""

import io

import numpy as np
from PIL import Image

from npylabel.photos.png import encode_png

FITS = ("crop", "pad", "stretch")
IMAGE_FORMATS = ("png", "jpg")
_COLOR_QUALITY = 95
# The gray file must stay within 3 levels of its color file: at 98 pixels of grainy photos were 4 levels off, here 2.
_GRAY_QUALITY = 99


def fit_square(image: Image.Image, size_px: int, fit: str) -> Image.Image:
    """The RGB picture as a square of ``size_px``.

    Args:
        image: RGB, any shape.
        size_px: side of the result, pixels.
        fit: "crop" keeps the middle, "pad" keeps all between black bars, "stretch" keeps all and distorts.
    """
    if fit == "stretch":
        return image.resize((size_px, size_px), Image.Resampling.LANCZOS)
    if fit == "crop":
        side = min(image.size)
        left, top = ((length - side) / 2 for length in image.size)
        box = (left, top, left + side, top + side)
        return image.resize((size_px, size_px), Image.Resampling.LANCZOS, box=box)
    scale = size_px / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    canvas = Image.new("RGB", (size_px, size_px))
    whole = image.resize((width, height), Image.Resampling.LANCZOS)
    canvas.paste(whole, ((size_px - width) // 2, (size_px - height) // 2))
    return canvas


def encode_pair(image: Image.Image, image_format: str) -> tuple[bytes, bytes, Image.Image]:
    """(color file, grayscale file, the gray picture) of a fitted RGB picture, with no metadata in the files.

    The gray picture is Pillow's ``convert("L")`` (ITU-R BT.601 luma) of what the color file decodes to.
    """
    color = encode_color(image, image_format)
    if image_format == "png":
        gray = image.convert("L")
        return color, encode_gray(gray, ".png"), gray
    with Image.open(io.BytesIO(color)) as written:
        gray = written.convert("L")
    return color, encode_gray(gray, ".jpg"), gray


def encode_color(image: Image.Image, image_format: str) -> bytes:
    """The color file, "png" or "jpg", of an RGB picture, with no metadata."""
    return encode_png(np.asarray(image)) if image_format == "png" else _encode_jpeg(image, _COLOR_QUALITY)


def encode_gray(gray: Image.Image, suffix: str) -> bytes:
    """The grayscale file of a mode L picture, ".png" or ".jpg", with no metadata."""
    return encode_png(np.asarray(gray)) if suffix == ".png" else _encode_jpeg(gray, _GRAY_QUALITY)


def _encode_jpeg(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()
