"""PNG files: written an order of magnitude faster than Pillow does, and checked as Pillow does not.

Format: PNG specification, third edition (W3C, 2025).
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from isal import isal_zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NO_FILTER, _UP_FILTER = 0, 2
_MAX_INFLATED_BYTES = 2**30
_PICTURE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT"})
_BARE_CHUNKS = frozenset({b"IHDR", b"IDAT", b"IEND"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class PngError(Exception):
    """A PNG file that is not whole; ``str()`` gives "truncated" or "damaged"."""


def encode_png(pixels: np.ndarray) -> bytes:
    """The PNG file of uint8 pixels, shape ``(height, width)`` for gray or ``(height, width, 3)`` for RGB.

    One filter for all rows and ISA-L's deflate: at 512x512 about 3 ms where Pillow's default takes 55 ms, for a file
    that is 5 % larger. The filter is the one that numpy can undo for a whole picture at once, see ``decode_bare_png``.
    """
    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    rows = pixels.reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP_FILTER
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    data = isal_zlib.compress(filtered, 1)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def decode_bare_png(data: bytes) -> np.ndarray | None:
    """Pixels of a file such as ``encode_png`` writes, four times faster than Pillow; None for any other file.

    Returns:
        ``(height, width)`` or ``(height, width, 3)`` uint8. A file that is damaged, has other filters, or holds
        anything beside the picture (a profile, EXIF) gives None: it is for a full reader to judge.
    """
    try:
        chunks = list(_chunks(data))
        header, packed = _parts(chunks)
    except PngError:
        return None
    width, height, depth, color_type, _compression, _filter, interlaced = struct.unpack(">IIBBBBB", header)
    channels = {0: 1, 2: 3}.get(color_type, 0)
    bare = {kind for kind, _body in chunks} == _BARE_CHUNKS and depth == 8 and not interlaced
    size = (width * channels + 1) * height
    if not bare or not channels or not 0 < size <= _MAX_INFLATED_BYTES:
        return None
    try:
        rows = np.frombuffer(isal_zlib.decompress(packed), np.uint8)
    except isal_zlib.error:
        return None
    if rows.size != size:
        return None
    rows = rows.reshape(height, -1)
    if (rows[1:, 0] != _UP_FILTER).any() or rows[0, 0] not in (_NO_FILTER, _UP_FILTER):
        return None
    return _unfiltered(rows[:, 1:]).reshape((height, width, 3) if channels == 3 else (height, width))


def _unfiltered(rows: np.ndarray) -> np.ndarray:
    """The running sum of the rows; row by row eight times faster than ``cumsum``, which goes down each column."""
    pixels = np.empty(rows.shape, np.uint8)
    above = np.zeros(rows.shape[1], np.uint8)
    for row, out in zip(rows, pixels, strict=True):
        np.add(row, above, out)
        above = out
    return pixels


def png_fault(data: bytes) -> str:
    """"" for a whole PNG file, else "truncated" or "damaged".

    Pillow does not check the checksums of the picture data, nor that there are enough rows.
    """
    try:
        header, packed = _parts(list(_chunks(data)))
    except PngError as error:
        return str(error)
    return _rows_fault(header, packed)


def png_extras(data: bytes) -> set[str]:
    """Kinds of the chunks of a whole PNG file that hold something else than the picture, "trailer" behind its end."""
    chunks = list(_chunks(data))
    extras = {kind.decode("latin-1") for kind, _body in chunks if kind not in _PICTURE_CHUNKS}
    length = len(SIGNATURE) + sum(12 + len(body) for _kind, body in chunks)
    return extras | ({"trailer"} if length < len(data) else set())


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) of the chunks up to the end chunk.

    Raises:
        PngError: where a checksum is wrong or the end is missing.
    """
    position, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise PngError("truncated")
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if end > len(data):
            raise PngError("truncated")
        body = data[position + 8:end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4:end], "big"):
            raise PngError("damaged")
        yield kind, body
        position = end


def _parts(chunks: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """(header, packed pixels)."""
    header = b"".join(body for kind, body in chunks if kind == b"IHDR")
    if len(header) != 13:
        raise PngError("damaged")
    return header, b"".join(body for kind, body in chunks if kind == b"IDAT")


def _rows_fault(header: bytes, packed: bytes) -> str:
    width, height, depth, color_type, _compression, _filter, interlaced = struct.unpack(">IIBBBBB", header)
    row_bytes = (width * depth * _CHANNELS.get(color_type, 0) + 7) // 8 + 1
    # Interlaced pictures need more bytes than this, never fewer.
    needed = row_bytes * height
    if needed > _MAX_INFLATED_BYTES:  # What the header claims is judged by the reader of the header.
        return ""
    unpacker = isal_zlib.decompressobj()
    try:
        found = len(unpacker.decompress(packed, needed))
    except isal_zlib.error:
        return "damaged"
    return "" if found >= needed or interlaced else "damaged"
