"""From a photo's bytes to upright sRGB pixels, or to the reason why not."""

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pillow_heif
from PIL import Image, UnidentifiedImageError

from npylabel.photos.colors import to_rgb
from npylabel.photos.jpeg import decode_jpeg
from npylabel.photos.png import decode_bare_png, png_fault
from npylabel.photos.sniff import HEAD_BYTES, PILLOW_FORMATS, sniff

MIN_SIDE_PX = 32
# JPEG is decoded at a fraction of its size, so even the 200-megapixel photos of today's phones fit into memory.
MAX_PIXELS = {"JPEG": 300_000_000}
MAX_PIXELS_OTHER = 120_000_000
# A picture that is decoded small must stay this much larger than what it is fitted to: at 1.4 the result differs
# from that of the full decode by 44 dB (1 gray level on average), which is less than the photo's own JPEG noise.
SCALED_DECODE_GAP = 1.4
# All that Pillow's and libheif's readers were seen to raise on broken files.
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, EOFError,
    ZeroDivisionError, RuntimeError, MemoryError, AssertionError, struct.error, Image.DecompressionBombError,
)
# EXIF 2.32, tag 274: what turns the stored rows and columns into what the photographer saw.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_open_lock = threading.Lock()


class PhotoError(Exception):
    """A photo that cannot be used.

    Args:
        code: one of ``npylabel.photos.reasons``.
        detail: the decoder's own words, for the table.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Decoded:
    """A photo's pixels.

    Attributes:
        image: RGB, sRGB, upright; at least ``min_side_px`` on the shorter side if the original is. Or L, see
            ``keep_gray`` of ``decode_photo``.
        width: pixels of the upright original.
        height: pixels of the upright original.
        taken: when, as "2026-07-14T10:15:02" in the camera's time, or "".
    """

    image: Image.Image
    width: int
    height: int
    taken: str


def decode_photo(data: bytes, min_side_px: int = 512, *, keep_gray: bool = False) -> Decoded:
    """The photo in the bytes, whatever its file name said.

    Args:
        data: content of a JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC/HEIF, AVIF or MPO file; of several pictures the first.
        min_side_px: how large the result has to be; large originals are decoded at a fraction of their size.
        keep_gray: files without color give a picture of mode L, a third of the memory and of the work.

    Raises:
        PhotoError: with a code of ``npylabel.photos.reasons``.
    """
    kind = _kind(data)
    if kind == "PNG" and (pixels := decode_bare_png(data)) is not None:
        return _bare(Image.fromarray(pixels), min_side_px, keep_gray)
    if kind == "PNG" and (fault := png_fault(data)):
        raise PhotoError(fault)
    with _opened(data, kind) as image:
        width, height = image.size
        _refuse_size(width, height, kind)
        orientation, taken = _metadata(image)
        pixels = _pixels(image, data, kind, min_side_px, keep_gray)
        if kind == "TIFF":  # Pillow turned it while loading.
            (width, height), orientation = image.size, 1
    upright = _upright(pixels, orientation)
    turned = orientation >= 5
    return Decoded(upright, height if turned else width, width if turned else height, taken)


def _kind(data: bytes) -> str:
    if not data:
        raise PhotoError("empty_file")
    kind = sniff(data[:HEAD_BYTES])
    if kind in ("", "OTHER"):
        raise PhotoError("unsupported_format" if kind else "not_an_image")
    return kind


def _bare(image: Image.Image, min_side_px: int, keep_gray: bool) -> Decoded:
    """A picture without metadata or profile, such as this project writes them."""
    _refuse_size(*image.size, "PNG")
    return Decoded(to_rgb(image, None, reduce_to_px=2 * min_side_px, keep_gray=keep_gray), *image.size, "")


def pixel_count(data: bytes) -> int:
    """How many pixels a photo has by its header, which may lie; 0 where ``decode_photo`` could not even begin."""
    try:
        with _opened(data, _kind(data)) as image:
            return image.width * image.height
    except PhotoError:
        return 0


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Image.Image]:
    pillow_heif.register_heif_opener(thumbnails=False)
    try:
        with _pillow_without_limit():
            image = Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)
    except DECODER_ERRORS as error:
        # Pillow's words for an unidentified picture hold an address in memory, another one in each run.
        words = "" if isinstance(error, UnidentifiedImageError) else str(error)
        raise PhotoError("truncated" if len(data) < HEAD_BYTES else "damaged", words) from error
    with image:
        try:
            yield image
        except DECODER_ERRORS as error:
            cut = "truncated" in str(error).lower() or "end of" in str(error).lower()
            raise PhotoError("truncated" if cut else "damaged", str(error)) from error


@contextmanager
def _pillow_without_limit() -> Iterator[None]:
    # Our own limits are by format and checked on the header; Pillow's would refuse the photos of today's phones.
    with _open_lock:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _refuse_size(width: int, height: int, kind: str) -> None:
    if width * height > MAX_PIXELS.get(kind, MAX_PIXELS_OTHER):
        raise PhotoError("too_large", f"{width}x{height}")
    if min(width, height) < MIN_SIDE_PX:
        raise PhotoError("too_small", f"{width}x{height}")


def _metadata(image: Image.Image) -> tuple[int, str]:
    """(orientation 1-8, time taken or ""); a broken EXIF costs only itself."""
    try:
        exif = image.getexif()
        orientation = exif.get(0x0112, 1)
    except DECODER_ERRORS:
        return 1, ""
    try:
        taken = exif.get_ifd(0x8769).get(0x9003) or exif.get(0x0132, "")
        taken = datetime.strptime(str(taken).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()
    except DECODER_ERRORS:
        taken = ""
    return orientation if orientation in range(1, 9) else 1, taken


def _pixels(image: Image.Image, data: bytes, kind: str, min_side_px: int, keep_gray: bool) -> Image.Image:
    profile = image.info.get("icc_profile")
    if kind == "JPEG":
        _refuse_hidden_raw(image)
        if image.mode in ("RGB", "L"):
            space = "GRAY" if image.mode == "L" else "RGB"
            pixels = decode_jpeg(data, image.size, int(SCALED_DECODE_GAP * min_side_px), space).squeeze()
            profile = profile if image.mode == "RGB" else None
            return to_rgb(Image.fromarray(pixels), profile, keep_gray=keep_gray)
        decode_jpeg(data, image.size, min_side_px, "CMYK")
        image.draft(None, _scaled_size(image.size, min_side_px))
    elif kind == "TIFF":
        _refuse_hidden_raw(image)
    image.load()
    return to_rgb(image, profile, reduce_to_px=2 * min_side_px, keep_gray=keep_gray)


def _refuse_hidden_raw(image: Image.Image) -> None:
    """Raw files are TIFF files whose first picture is a thumbnail: taking it would be a silent loss."""
    tags = getattr(image, "tag_v2", {})
    if 50706 in tags or tags.get(254, 0) & 1:
        raise PhotoError("unsupported_format", "raw")


def _scaled_size(size: tuple[int, int], min_side_px: int) -> tuple[int, int]:
    scale = min(1.0, SCALED_DECODE_GAP * min_side_px / min(size))
    return round(size[0] * scale), round(size[1] * scale)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image
