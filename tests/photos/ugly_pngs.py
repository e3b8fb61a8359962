"""Ugly photos that are whole PNGs: bit depths, palettes, transparency, interlacing; builders that others share."""

import struct
from functools import partial

import numpy as np
from PIL import Image

from tests.photos.ugly_kit import (
    BLUE,
    GREEN,
    OK,
    RED,
    WHITE,
    UglyPhoto,
    all_corners,
    center,
    corners,
    encode,
    kind,
    png,
    png_chunk,
    png_file,
    png_insert,
    scanlines,
    scene,
    scene_bytes,
)

GRAY = (128, 128, 128)
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
SOFT = corners(60, top_left=RED, top_right=GREEN, bottom_left=BLUE)


def gray_ramp(dtype: str) -> np.ndarray:
    """16-bit values: left black, middle 128 of 255, right white."""
    pixels = np.full((64, 96), 128 * 257, dtype)
    pixels[:, :16], pixels[:, -16:] = 0, 65535
    return pixels


def gray_16_bit(file_format: str, name: str) -> bytes:
    """A 16-bit gray picture."""
    return encode(Image.fromarray(gray_ramp("u2")), file_format)


def rgb_16_bit_png(name: str) -> bytes:
    """A PNG with 16 bits per channel, its low bytes unlike its high ones."""
    pixels = np.asarray(scene(name)).astype(np.uint16) * 256 + 77
    return png_file(pixels.shape[1], pixels.shape[0], 16, 2, scanlines(pixels))


def rgba_16_bit_png(name: str) -> bytes:
    """A PNG of 16-bit RGBA, opaque but for a fully transparent middle."""
    pixels = np.full((112, 160, 4), 65535, np.uint16)
    pixels[..., :3] = np.asarray(scene(name)).astype(np.uint16) * 257
    pixels[40:72, 60:100] = 0
    return png_file(160, 112, 16, 6, scanlines(pixels))


def gray_alpha_16_bit_png(name: str) -> bytes:
    """A PNG of 16-bit gray with alpha: middle gray, transparent on the right."""
    pixels = np.full((64, 96, 2), 65535, np.uint16)
    pixels[..., 0] = 128 * 257
    pixels[:, 64:] = 0
    return png_file(96, 64, 16, 4, scanlines(pixels))


def gray_color_key_png(name: str) -> bytes:
    """A gray PNG in which black means transparent."""
    image = Image.new("L", (96, 64), 90)
    image.paste(0, (30, 20, 66, 44))
    return encode(image, "PNG", transparency=0)


def gray_2_bit_png(name: str) -> bytes:
    """A PNG of 2-bit gray, all pixels at level 2 of 3."""
    return png_file(64, 64, 2, 0, (b"\0" + b"\xaa" * 16) * 64)


def interlaced_png(name: str) -> bytes:
    """An Adam7 PNG (PNG specification, section 8)."""
    pixels = np.asarray(scene(name))
    passes = [scanlines(pixels[y::dy, x::dx]) for x, y, dx, dy in ADAM7]
    return png_file(pixels.shape[1], pixels.shape[0], 8, 2, b"".join(passes), interlace=1)


def split_idat_png(name: str) -> bytes:
    """A PNG with its pixels in many tiny IDAT chunks, some of them empty."""
    data = png(name)
    start = data.index(b"IDAT") - 4
    length = int.from_bytes(data[start : start + 4], "big")
    packed = data[start + 8 : start + 8 + length]
    pieces = [png_chunk(b"IDAT", packed[i : i + 97]) for i in range(0, len(packed), 97)]
    return data[:start] + png_chunk(b"IDAT", b"") + b"".join(pieces) + png_chunk(b"IEND", b"")


def png_with_dpi_and_gamma(name: str) -> bytes:
    """A PNG with the harmless chunks that cameras and editors add."""
    chunks = [(b"gAMA", struct.pack(">I", 45455)), (b"sRGB", b"\0"), (b"pHYs", struct.pack(">IIB", 0, 0, 1))]
    return png_insert(png(name), *[png_chunk(*chunk) for chunk in chunks], png_chunk(b"prVt", b"private"))


def with_hole(name: str, mode: str, hole: tuple[int, ...]) -> Image.Image:
    """The scene in a mode with alpha, its middle filled with `hole`."""
    image = scene(name).convert(mode)
    image.paste(hole, (60, 40, 100, 72))
    return image


def palette_transparent(file_format: str, name: str) -> bytes:
    """A palette picture whose middle is a transparent entry that would be black."""
    image = scene(name).quantize(255)
    image.putpalette([*(image.getpalette() or [])[: 255 * 3], 0, 0, 0])
    image.paste(255, (60, 40, 100, 72))
    return encode(image, file_format, transparency=255)


def color_key_png(name: str) -> bytes:
    """An RGB PNG in which one exact color, black, means transparent (tRNS)."""
    image = scene(name).point(lambda value: max(value, 1))
    image.paste((0, 0, 0), (60, 40, 100, 72))
    return encode(image, "PNG", transparency=(0, 0, 0))


def half_transparent_png(name: str) -> bytes:
    """A PNG of half transparent black: over white it is gray."""
    return encode(Image.new("RGBA", (96, 64), (0, 0, 0, 128)), "PNG")


def animation(file_format: str, name: str, **options: object) -> bytes:
    """A moving picture: the scene first, then plain frames."""
    rest = [Image.new("RGB", (160, 112), (i * 80, 0, 90)) for i in range(3)]
    return encode(scene(name), file_format, save_all=True, append_images=rest, duration=50, **options)


def gray_check(image: Image.Image) -> None:
    """Asserts black, middle gray, white from left to right: a clipped conversion makes the middle white."""
    corners(6, top_left=(0, 0, 0), top_right=WHITE)(image)
    center(GRAY, 3)(image)


def gray_then_white(image: Image.Image) -> None:
    """Asserts gray in the middle and white where it was transparent."""
    center(GRAY, 3)(image)
    corners(3, top_left=GRAY, top_right=WHITE, bottom_right=WHITE)(image)


def middle_white(image: Image.Image) -> None:
    """Asserts that the transparent middle is white and that the corners stayed."""
    center(WHITE)(image)
    corners(40, top_left=RED, top_right=GREEN, bottom_left=BLUE)(image)


PNGS: list[UglyPhoto] = [
    kind("png_gray_16_bit.png", partial(gray_16_bit, "PNG"), OK, check=gray_check),
    kind("png_rgb_16_bit.png", rgb_16_bit_png, OK, check=all_corners),
    kind("png_rgba_16_bit.png", rgba_16_bit_png, OK, check=middle_white),
    kind("png_gray_alpha_16_bit.png", gray_alpha_16_bit_png, OK, check=gray_then_white),
    kind("png_gray_color_key.png", gray_color_key_png, OK, check=center(WHITE)),
    kind("png_gray_2_bit.png", gray_2_bit_png, OK, check=center((170, 170, 170))),
    kind("png_1_bit.png", partial(scene_bytes, file_format="PNG", mode="1"), OK),
    kind("png_palette.png", lambda name: encode(scene(name).quantize(200), "PNG"), OK, check=SOFT),
    kind("png_palette_transparent.png", partial(palette_transparent, "PNG"), OK, check=middle_white),
    kind("png_color_key.png", color_key_png, OK, check=middle_white),
    kind("png_gray_alpha.png", lambda name: encode(with_hole(name, "LA", (0, 0)), "PNG"), OK, check=center(WHITE)),
    kind("png_alpha.png", lambda name: encode(with_hole(name, "RGBA", (0, 0, 0, 0)), "PNG"), OK, check=middle_white),
    kind("png_half_transparent.png", half_transparent_png, OK, check=center((127, 127, 127))),
    kind("png_interlaced.png", interlaced_png, OK, check=all_corners),
    kind("png_split_idat.png", split_idat_png, OK, check=all_corners),
    kind("png_ancillary_chunks.png", png_with_dpi_and_gamma, OK, check=all_corners),
    kind("png_trailing_garbage.png", lambda name: png(name) + b"garbage" * 30, OK, check=all_corners),
    kind("png_animated.png", partial(animation, "PNG"), OK, check=all_corners),
]
