"""The tools that build ugly photos: drawn scenes, encoders, JPEG and PNG surgery, pixel checks; no downloads."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

OK = "ok"
IGNORED = "ignored"
BROKEN = ("truncated", "damaged")
RED, GREEN, BLUE, YELLOW, WHITE = (220, 20, 30), (20, 170, 40), (30, 40, 210), (235, 220, 40), (255, 255, 255)
PATCH_PX = 16
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

PixelCheck = Callable[[Image.Image], None]


class CannotMakeError(Exception):
    """Raised where a platform or file system can't hold such a file; the text says why."""


@dataclass(frozen=True)
class UglyPhoto:
    """One kind of damaged or odd photo.

    Attributes:
        name: the kind; for kinds with content also the file name.
        make: writes the file into a folder and returns its path; raises CannotMakeError where the platform refuses.
        expect: every outcome that is right: "ok", reason codes, or "ignored" (a file that collecting passes over).
        check: asserts on the decoded picture when the outcome is "ok".
        has_content: the bytes alone make the kind, so that it can be decoded without the file.
    """

    name: str
    make: Callable[[Path], Path]
    expect: frozenset[str]
    check: PixelCheck | None = None
    has_content: bool = True


def kind(
    name: str,
    build: Callable[[str], bytes],
    *expect: str,
    check: PixelCheck | None = None,
    encoded: bytes | None = None,
) -> UglyPhoto:
    """An ugly photo whose content is `build(name)`; `encoded` is its file name where that is not the kind's."""

    def make(folder: Path) -> Path:
        path = folder / os.fsdecode(encoded or os.fsencode(name))
        path.write_bytes(build(name))
        return path

    return UglyPhoto(name, make, frozenset(expect), check)


def scene(seed: str, width: int = 160, height: int = 112) -> Image.Image:
    """A soft random RGB picture with corner patches: red top left, green top right, blue and yellow below.

    Each seed gives a picture that no perceptual hash takes for another's.
    """
    rng = np.random.default_rng(zlib.crc32(seed.encode("utf-8", "surrogateescape")))
    spots = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    image = spots.resize((width, height), Image.Resampling.BICUBIC)
    right, bottom = width - PATCH_PX, height - PATCH_PX
    for color, corner in ((RED, (0, 0)), (GREEN, (right, 0)), (BLUE, (0, bottom)), (YELLOW, (right, bottom))):
        image.paste(color, (*corner, corner[0] + PATCH_PX, corner[1] + PATCH_PX))
    return image


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    """The picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def scene_bytes(seed: str, file_format: str, mode: str = "RGB", **options: object) -> bytes:
    """The seed's scene in a mode, as the bytes of a file."""
    return encode(scene(seed).convert(mode), file_format, **options)


def jpeg(seed: str, **options: object) -> bytes:
    """A good JPEG of the seed's scene, without chroma subsampling so that patches keep their color."""
    return scene_bytes(seed, "JPEG", **{"quality": 92, "subsampling": 0, **options})


def png(seed: str, **options: object) -> bytes:
    """A good PNG of the seed's scene."""
    return scene_bytes(seed, "PNG", **options)


def png_chunk(chunk_type: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and its CRC."""
    return struct.pack(">I", len(body)) + chunk_type + body + struct.pack(">I", zlib.crc32(chunk_type + body))


def png_file(width: int, height: int, bit_depth: int, color_type: int, data: bytes, *, interlace: int = 0) -> bytes:
    """A PNG of filtered scanlines `data`: signature, IHDR, one IDAT, IEND (PNG specification, section 11)."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, color_type, 0, 0, interlace)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(data)) + png_chunk(b"IEND", b"")
    return PNG_SIGNATURE + body


def png_insert(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks put right behind its IHDR."""
    behind_ihdr = 8 + 25
    return data[:behind_ihdr] + b"".join(chunks) + data[behind_ihdr:]


def scanlines(pixels: np.ndarray) -> bytes:
    """Rows of a (height, width, ...) array as PNG scanlines without a filter; 16-bit values big-endian."""
    big_endian = pixels.astype(pixels.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in big_endian)


def flip(data: bytes, offset: int, mask: int = 0x55) -> bytes:
    """The bytes with one of them changed."""
    return data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :]


def scan_start(data: bytes) -> int:
    """Where the entropy-coded data of a JPEG's first scan begins."""
    start_of_scan = data.index(b"\xff\xda")
    return start_of_scan + 2 + int.from_bytes(data[start_of_scan + 2 : start_of_scan + 4], "big")


def jpeg_insert(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with whole segments put right behind its start marker."""
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """A JPEG marker segment with its length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def assert_near(image: Image.Image, x: float, y: float, color: tuple[int, int, int], tolerance: int = 24) -> None:
    """Asserts that the pixel at fractions (x, y) of the picture has nearly that color."""
    at = int(x * image.width), int(y * image.height)
    found = image.convert("RGB").getpixel(at)
    assert max(abs(a - b) for a, b in zip(found, color, strict=True)) <= tolerance, f"{found} at {at}, expected {color}"


CORNERS = {
    "top_left": (0.04, 0.05),
    "top_right": (0.96, 0.05),
    "bottom_left": (0.04, 0.95),
    "bottom_right": (0.96, 0.95),
}


def corners(tolerance: int = 24, **expected: tuple[int, int, int]) -> PixelCheck:
    """A check of corner colors: `corners(top_left=RED)`."""

    def check(image: Image.Image) -> None:
        for corner, color in expected.items():
            assert_near(image, *CORNERS[corner], color, tolerance)

    return check


def all_corners(image: Image.Image) -> None:
    """Asserts that the scene's four corners are where they were drawn, in their colors."""
    corners(top_left=RED, top_right=GREEN, bottom_left=BLUE, bottom_right=YELLOW)(image)


def center(color: tuple[int, int, int], tolerance: int = 6) -> PixelCheck:
    """A check of the middle pixel's color."""
    return lambda image: assert_near(image, 0.5, 0.5, color, tolerance)
