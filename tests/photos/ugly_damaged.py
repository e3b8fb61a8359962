"""Ugly photos that are damaged, cut, or no photos at all."""

import io
import json
import struct
import zipfile
import zlib
from functools import partial

import numpy as np
from PIL import Image

from tests.photos.ugly_kit import (
    BROKEN,
    OK,
    PNG_SIGNATURE,
    UglyPhoto,
    all_corners,
    encode,
    flip,
    jpeg,
    jpeg_insert,
    jpeg_segment,
    kind,
    png,
    png_chunk,
    png_file,
    png_insert,
    scan_start,
    scene,
    scene_bytes,
)

HTML = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 123456\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="9"/></svg>'
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08free" + b"\0\0\x20\x00mdat" + bytes(8192)
NOT_A_PHOTO = ("not_an_image", "unsupported_format")


def cut(build: object, fraction: float, name: str) -> bytes:
    """The beginning of a good file."""
    data = build(name)
    return data[: int(len(data) * fraction)]


def cut_in_scan(name: str, fraction: float = 0.5) -> bytes:
    """A JPEG cut inside its entropy-coded data, so that every header is whole."""
    data = jpeg(name)
    start = scan_start(data)
    return data[: start + int((len(data) - start) * fraction)]


def cut_with_thumbnail(name: str) -> bytes:
    """A cut JPEG whose EXIF still holds a whole thumbnail: an end marker is found, though not the photo's."""
    thumbnail = encode(scene(name, 80, 56), "JPEG")
    ifd1_at, thumbnail_at = 14, 14 + 2 + 24 + 4
    tiff = b"MM\0*" + struct.pack(">IHI", 8, 0, ifd1_at) + struct.pack(">H", 2)
    tiff += struct.pack(">HHII", 0x201, 4, 1, thumbnail_at) + struct.pack(">HHII", 0x202, 4, 1, len(thumbnail))
    exif = b"Exif\0\0" + tiff + bytes(4) + thumbnail
    return jpeg_insert(cut_in_scan(name), jpeg_segment(0xE1, exif))


def damaged_restart_segment(name: str) -> bytes:
    """A JPEG with restart markers in which one segment is overwritten (a lost radio packet, a bad sector)."""
    data = bytearray(jpeg(name, restart_marker_blocks=20))
    third, fourth = data.index(b"\xff\xd2", scan_start(bytes(data))), data.index(b"\xff\xd3", scan_start(bytes(data)))
    middle = (third + 2 + fourth) // 2
    data[middle - 20 : middle + 20] = bytes([0xFE, 0xA5]) * 20
    return bytes(data)


def missing_restart_segment(name: str) -> bytes:
    """A JPEG with restart markers that lost one segment with its marker."""
    data = jpeg(name, restart_marker_blocks=20)
    third, fourth = data.index(b"\xff\xd2", scan_start(data)), data.index(b"\xff\xd3", scan_start(data))
    return data[:third] + data[fourth:]


def zeroed_sector(name: str) -> bytes:
    """A JPEG with 512 zero bytes in the middle of its scan: a file restored from a bad disk."""
    data = jpeg(name)
    middle = (scan_start(data) + len(data)) // 2
    return data[:middle] + bytes(512) + data[middle + 512 :]


def jpeg_of_size(width: int, height: int, name: str) -> bytes:
    """A JPEG whose frame header claims another size."""
    data = jpeg(name)
    size_at = data.index(b"\xff\xc0") + 5
    return data[:size_at] + struct.pack(">HH", height, width) + data[size_at + 4 :]


def jpeg_12_bit(name: str) -> bytes:
    """A JPEG whose frame header claims 12 bits per sample."""
    data = jpeg(name)
    precision_at = data.index(b"\xff\xc0") + 4
    return data[:precision_at] + b"\x0c" + data[precision_at + 1 :]


def jpeg_without_tables(name: str) -> bytes:
    """A JPEG without its Huffman tables."""
    data = jpeg(name, optimize=True)
    while (at := data.find(b"\xff\xc4")) > 0:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    return data


def progressive_cut(name: str, tail: bytes = b"") -> bytes:
    """A progressive JPEG without its last scans, and what follows instead of them."""
    data = jpeg(name, progressive=True)
    return data[: data.rindex(b"\xff\xda")] + tail


def idat_middle(data: bytes) -> int:
    """An offset in the middle of a PNG's first IDAT."""
    at = data.index(b"IDAT")
    return at + 4 + int.from_bytes(data[at - 4 : at], "big") // 2


def png_flipped(name: str) -> bytes:
    """A PNG with one byte of its pixels changed: only the CRC knows."""
    data = png(name)
    return flip(data, idat_middle(data), 0x01)


def png_stored_flipped(name: str) -> bytes:
    """The same in a PNG stored without compression: inflating never notices, the pixel is just wrong."""
    data = png(name, compress_level=0)
    return flip(data, idat_middle(data), 0x80)


def png_bad_idat_crc(name: str) -> bytes:
    """A PNG with right pixels and a wrong CRC behind them."""
    data = png(name)
    at = data.index(b"IDAT")
    return flip(data, at + 4 + int.from_bytes(data[at - 4 : at], "big"))


def png_short_rows(name: str) -> bytes:
    """A PNG in order, with fewer rows than its header claims."""
    return png_file(64, 64, 8, 2, bytes(20 * (1 + 64 * 3)))


def png_without_idat(name: str) -> bytes:
    """A PNG with a header and an end, and no pixels."""
    data = png(name)
    return data[:33] + data[-12:]


def png_bomb(name: str) -> bytes:
    """900 megapixels of one bit in 110 KB."""
    squeezer = zlib.compressobj(1)
    row = bytes(1 + 30000 // 8)
    packed = b"".join([squeezer.compress(row * 1000) for _ in range(30)]) + squeezer.flush()
    header = struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0)
    return PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def png_text_bomb(name: str) -> bytes:
    """A good PNG with 80 MB of text squeezed into a comment."""
    return png_insert(png(name), png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000), 1)))


def png_of_size(width: int, height: int, name: str) -> bytes:
    """A PNG whose header claims another size, with the right CRC."""
    data = png(name)
    header = struct.pack(">II", width, height) + data[24:29]
    return data[:8] + png_chunk(b"IHDR", header) + data[33:]


def gif_huge_screen(name: str) -> bytes:
    """A GIF of one tiny frame on a logical screen of 65535 x 65535."""
    data = scene_bytes(name, "GIF", "P")
    return data[:6] + struct.pack("<HH", 65535, 65535) + data[10:]


def zip_bytes(name: str) -> bytes:
    """A zip of one photo."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photo.jpg", jpeg(name))
    return buffer.getvalue()


def random_bytes(name: str) -> bytes:
    """Bytes without any meaning."""
    return b"\x13" + np.random.default_rng(7).bytes(5000)


def tiny(width: int, height: int, file_format: str, name: str) -> bytes:
    """A plain picture of any size."""
    return encode(Image.new("RGB", (width, height), (90, 120, 150)), file_format)


def after(build: object, tail: bytes, name: str) -> bytes:
    """A file with something behind its end."""
    return build(name) + tail


NO_CONTENT = [
    kind("empty.jpg", lambda _: b"", "empty_file"),
    kind("one_byte.jpg", lambda _: b"\xff", "not_an_image", *BROKEN),
    kind("only_soi.jpg", lambda _: b"\xff\xd8", "not_an_image", *BROKEN),
    kind("soi_eoi.jpg", lambda _: b"\xff\xd8\xff\xd9", *BROKEN),
    kind("only_png_signature.png", lambda _: PNG_SIGNATURE, *BROKEN),
    kind("html.jpg", lambda _: HTML, "not_an_image"),
    kind("json.jpg", lambda _: json.dumps({"error": "not found"}).encode(), "not_an_image"),
    kind("text_cyrillic.jpg", lambda _: "Фотография удалена".encode("cp1251"), "not_an_image"),
    kind("git_lfs_pointer.jpg", lambda _: LFS_POINTER, "not_an_image"),
    kind("zip.jpg", zip_bytes, *NOT_A_PHOTO),
    kind("video.jpg", lambda _: MP4, *NOT_A_PHOTO),
    kind("random.jpg", random_bytes, "not_an_image"),
    kind("zeros.jpg", lambda _: bytes(5000), "not_an_image", "damaged"),
    kind("zeros.png", lambda _: bytes(5000), "not_an_image", "damaged"),
    kind("drawing.svg.jpg", lambda _: SVG, *NOT_A_PHOTO),
    kind("pdf.jpg", lambda _: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF", *NOT_A_PHOTO),
    kind("postscript.jpg", lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\nshowpage\n", *NOT_A_PHOTO),
    kind("jpeg_xl.jpg", lambda _: b"\xff\x0a" + bytes(200), *NOT_A_PHOTO),
    kind("raw_cr2.jpg", lambda _: b"II*\0\x10\0\0\0CR\x02\0" + bytes(400), *NOT_A_PHOTO, *BROKEN),
    kind("photoshop.jpg", lambda _: b"8BPS\0\x01" + bytes(6) + b"\0\x03" + bytes(300), *NOT_A_PHOTO, *BROKEN),
]

JPEG_DAMAGE = [
    kind("jpeg_cut_30.jpg", partial(cut, jpeg, 0.30), *BROKEN),
    kind("jpeg_cut_in_scan.jpg", cut_in_scan, *BROKEN),
    kind("jpeg_cut_95.jpg", partial(cut, jpeg, 0.95), *BROKEN),
    kind("jpeg_cut_zero_filled.jpg", partial(after, cut_in_scan, bytes(4000)), *BROKEN),
    kind("jpeg_cut_ff_filled.jpg", partial(after, cut_in_scan, b"\xff" * 4000), *BROKEN),
    kind("jpeg_cut_with_end_marker.jpg", partial(after, cut_in_scan, b"\xff\xd9"), *BROKEN),
    kind("jpeg_cut_with_thumbnail.jpg", cut_with_thumbnail, *BROKEN),
    # Pixels are all there when only the end marker is lost: taking it and refusing it are both right.
    kind("jpeg_no_end_marker.jpg", lambda name: jpeg(name)[:-2], OK, *BROKEN, check=all_corners),
    kind("jpeg_restart_damaged.jpg", damaged_restart_segment, *BROKEN),
    kind("jpeg_restart_missing.jpg", missing_restart_segment, *BROKEN),
    kind("jpeg_zeroed_sector.jpg", zeroed_sector, *BROKEN),
    kind("jpeg_no_tables.jpg", jpeg_without_tables, *BROKEN),
    kind("jpeg_12_bit.jpg", jpeg_12_bit, "unsupported_format", *BROKEN),
    kind("jpeg_zero_size.jpg", partial(jpeg_of_size, 0, 0), "too_small", *BROKEN),
    kind("jpeg_taller_than_its_data.jpg", partial(jpeg_of_size, 160, 640), *BROKEN),
    kind("jpeg_bomb.jpg", partial(jpeg_of_size, 65500, 65500), "too_large"),
    # Few enough pixels to be believed: the damage has to be found without filling gigabytes.
    kind("jpeg_huge_but_allowed.jpg", partial(jpeg_of_size, 16000, 12000), "too_large", *BROKEN),
    kind("jpeg_progressive_cut.jpg", progressive_cut, *BROKEN),
    # A stream that stops between scans and is closed properly is a legal, coarser picture.
    kind("jpeg_progressive_cut_closed.jpg", partial(progressive_cut, tail=b"\xff\xd9"), OK, *BROKEN, check=all_corners),
]

PNG_DAMAGE = [
    kind("png_cut_in_idat.png", partial(cut, png, 0.5), *BROKEN),
    kind("png_no_iend.png", lambda name: png(name)[:-12], OK, *BROKEN, check=all_corners),
    kind("png_flipped_byte.png", png_flipped, *BROKEN),
    kind("png_stored_flipped_byte.png", png_stored_flipped, *BROKEN),
    kind("png_bad_idat_crc.png", png_bad_idat_crc, *BROKEN),
    kind("png_bad_ihdr_crc.png", lambda name: flip(png(name), 29), *BROKEN),
    kind("png_short_rows.png", png_short_rows, *BROKEN),
    kind("png_no_idat.png", png_without_idat, *BROKEN),
    kind("png_no_palette.png", lambda _: png_file(64, 64, 8, 3, bytes(65 * 64)), *BROKEN),
    kind("png_16_bit_palette.png", lambda _: png_file(64, 64, 16, 3, bytes(129 * 64)), *BROKEN),
    kind("png_unknown_color_type.png", lambda _: png_file(64, 64, 8, 5, bytes(65 * 64)), *BROKEN),
    kind("png_zero_size.png", partial(png_of_size, 0, 0), "too_small", *BROKEN),
    kind("png_huge_header.png", partial(png_of_size, 2**31 - 1, 2**31 - 1), "too_large"),
    kind("png_bomb.png", png_bomb, "too_large"),
    kind("png_text_bomb.png", png_text_bomb, OK, "too_large", "damaged", check=all_corners),
]

OTHER_DAMAGE = [
    kind("webp_cut.webp", partial(cut, partial(scene_bytes, file_format="WEBP"), 0.6), *BROKEN),
    kind("gif_cut.gif", partial(cut, partial(scene_bytes, file_format="GIF", mode="P"), 0.6), *BROKEN),
    kind("gif_huge_screen.gif", gif_huge_screen, "too_large", "damaged"),
    kind("tiff_cut.tiff", partial(cut, partial(scene_bytes, file_format="TIFF"), 0.6), *BROKEN),
    kind("bmp_cut.bmp", partial(cut, partial(scene_bytes, file_format="BMP"), 0.6), *BROKEN),
    kind("heic_cut.heic", partial(cut, partial(scene_bytes, file_format="HEIF"), 0.6), *BROKEN),
    kind("heic_only_header.heic", lambda name: scene_bytes(name, "HEIF")[:24], *BROKEN, "not_an_image"),
]

SIZES = [
    kind("one_pixel_wide.png", partial(tiny, 1, 500, "PNG"), "too_small"),
    kind("one_pixel_high.jpg", partial(tiny, 500, 1, "JPEG"), "too_small"),
    kind("one_pixel.gif", partial(tiny, 1, 1, "GIF"), "too_small"),
    kind("31_pixels.png", partial(tiny, 31, 400, "PNG"), "too_small"),
    kind("32_pixels.png", partial(tiny, 32, 400, "PNG"), OK),
    kind("very_long.png", partial(tiny, 32, 20000, "PNG"), OK),
]

DAMAGED: list[UglyPhoto] = [*NO_CONTENT, *JPEG_DAMAGE, *PNG_DAMAGE, *OTHER_DAMAGE, *SIZES]
