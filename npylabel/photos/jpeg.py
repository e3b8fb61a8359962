"""JPEG pixels with libjpeg's warnings taken seriously."""

import re

import numpy as np
import simplejpeg

# Some cameras write a few bytes between the picture and the end marker; real damage leaves more, or no end marker.
_BENIGN_PADDING_BYTES = 16
_START_OF_SCAN, _JFIF, _ADOBE, _COMMENT = 0xDA, 0xE0, 0xEE, 0xFE
_PLAIN_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def decode_jpeg(data: bytes, size: tuple[int, int], min_side_px: int, space: str = "RGB") -> np.ndarray:
    """Pixels ``(height, width, channels)``, uint8, at a fraction whose shorter side is at least ``min_side_px``.

    libjpeg goes on silently after most damage and Pillow does not ask it; here its warnings count.

    Args:
        data: the file.
        size: (width, height) in its header; to be checked before, a false one costs minutes and gigabytes.
        min_side_px: the least side of the result; the original's where that is smaller.
        space: "RGB", "GRAY" or "CMYK".

    Raises:
        ValueError: the decoder's words on the damage.
    """
    wanted = min(min_side_px, *size)
    try:
        return simplejpeg.decode_jpeg(data, space, min_height=wanted, min_width=wanted, strict=True)
    except ValueError as error:
        if _is_padding(str(error)):
            return simplejpeg.decode_jpeg(data, space, min_height=wanted, min_width=wanted, strict=False)
    # Faults of the metadata are reported like those of the pixels, and only the first one is: look again without it.
    return simplejpeg.decode_jpeg(_without_metadata(data), space, min_height=wanted, min_width=wanted, strict=True)


def _is_padding(warning: str) -> bool:
    padding = re.search(r"(\d+) extraneous bytes before marker 0xd9", warning)
    return bool(padding) and int(padding[1]) <= _BENIGN_PADDING_BYTES


def _without_metadata(data: bytes) -> bytes:
    """The file without its application segments and comments; Adobe's stays, it says how colors are stored."""
    kept, position = [data[:2]], 2
    while data[position:position + 1] == b"\xff" and position + 4 <= len(data):
        marker = data[position + 1]
        if marker == _START_OF_SCAN:
            break
        if marker == 0xFF:  # A fill byte.
            position += 1
            continue
        end = position + 2 + int.from_bytes(data[position + 2:position + 4], "big")
        if marker == _JFIF:
            kept.append(_PLAIN_JFIF if data[position + 4:position + 9] == b"JFIF\0" else b"")
        elif marker == _ADOBE or not (_JFIF < marker <= 0xEF or marker == _COMMENT):
            kept.append(data[position:end])
        position = end
    return b"".join(kept) + data[position:]
