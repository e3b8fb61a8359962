"""Ugly photos that are whole, in formats and color modes that catch a careless decoder."""

import struct
from functools import partial

import numpy as np
from PIL import Image

from tests.photos.ugly_kit import (
    BLUE,
    BROKEN,
    GREEN,
    IGNORED,
    OK,
    RED,
    WHITE,
    UglyPhoto,
    all_corners,
    center,
    corners,
    encode,
    jpeg,
    jpeg_insert,
    jpeg_segment,
    kind,
    png,
    scene,
    scene_bytes,
)
from tests.photos.ugly_pngs import (
    SOFT,
    animation,
    gray_16_bit,
    gray_check,
    gray_ramp,
    middle_white,
    palette_transparent,
    with_hole,
)


def cmyk_jpeg(name: str) -> bytes:
    """A CMYK JPEG with inverted inks and an Adobe marker, as Photoshop writes it."""
    return scene_bytes(name, "JPEG", "CMYK", quality=95, subsampling=0)


def ycck_jpeg(name: str) -> bytes:
    """The same with the first three inks turned into YCbCr: Adobe transform 2."""
    inks = scene(name).convert("CMYK").split()
    # libjpeg inverts what YCbCr gives, Pillow the inks it reads: these cancel out. The inversion at writing is left.
    luma_chroma = Image.merge("RGB", inks[:3]).convert("YCbCr")
    planes = [plane.point(lambda value: 255 - value) for plane in luma_chroma.split()]
    data = encode(Image.merge("CMYK", (*planes, inks[3])), "JPEG", quality=95, subsampling=0)
    transform_at = data.index(b"Adobe") + 11
    return data[:transform_at] + b"\x02" + data[transform_at + 1 :]


def fill_bytes_jpeg(name: str) -> bytes:
    """A JPEG with fill bytes before its markers, which the standard allows (T.81, B.1.1.2)."""
    data = jpeg(name)
    frame = data.index(b"\xff\xc0")
    return data[:frame] + b"\xff" * 5 + data[frame:-2] + b"\xff" * 3 + data[-2:]


def motion_photo(name: str) -> bytes:
    """A JPEG with a short video behind its end, as phones write it."""
    return jpeg(name) + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 20


def many_comments(name: str) -> bytes:
    """A JPEG with 300 KB of comments and application segments before its frame."""
    return jpeg_insert(jpeg(name), *[jpeg_segment(0xFE if i % 2 else 0xE5, bytes([i]) * 60000) for i in range(5)])


def pages(name: str) -> bytes:
    """A TIFF of three pages: the scene first."""
    return encode(
        scene(name), "TIFF", save_all=True, append_images=[Image.new("L", (40, 300)), Image.new("1", (64, 64))]
    )


def float_tiff(name: str) -> bytes:
    """A TIFF of 32-bit floats from 0 to 1."""
    values = np.linspace(0, 1, 96 * 64, dtype=np.float32).reshape(64, 96)
    return encode(Image.fromarray(values), "TIFF")


def top_down_bmp(name: str) -> bytes:
    """A BMP with negative height: rows from the top."""
    image = scene(name)
    header = bytearray(encode(image, "BMP")[:54])
    struct.pack_into("<i", header, 22, -image.height)
    blue_first = np.asarray(image)[:, :, ::-1]
    return bytes(header) + blue_first.tobytes()


def bmp_32_bit(name: str) -> bytes:
    """A BMP with four bytes per pixel, the fourth unused and zero: no alpha, so not transparent."""
    pixels = np.zeros((112, 160, 4), np.uint8)
    pixels[..., :3] = np.asarray(scene(name))[::-1, :, ::-1]
    header = struct.pack("<2sIHHI", b"BM", 54 + pixels.nbytes, 0, 0, 54)
    header += struct.pack("<IiiHHIIiiII", 40, 160, 112, 1, 32, 0, pixels.nbytes, 0, 0, 0, 0)
    return header + pixels.tobytes()


def gif_small_first_frame(name: str) -> bytes:
    """A GIF whose frame covers only the top left of a larger screen."""
    data = scene_bytes(name, "GIF")
    return data[:6] + struct.pack("<HH", 200, 150) + data[10:]


def looping_tiff(name: str) -> bytes:
    """A TIFF whose first page names itself as the next one: counting pages never ends."""
    data = bytearray(scene_bytes(name, "TIFF"))
    directory = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, directory)[0]
    struct.pack_into("<I", data, directory + 2 + 12 * entries, directory)
    return bytes(data)


def tiff_oriented(name: str) -> bytes:
    """A TIFF to be shown turned by a quarter: its own tag 274, without EXIF."""
    return encode(scene(name), "TIFF", tiffinfo={274: 6})


def heic(name: str, **options: object) -> bytes:
    """A good HEIC."""
    return scene_bytes(name, "HEIF", quality=95, **options)


def ico(name: str) -> bytes:
    """An icon."""
    return encode(scene(name, 64, 64), "ICO")


def leading_bytes(junk: bytes, name: str) -> bytes:
    """A JPEG that begins too late."""
    return junk + jpeg(name)


def turned(image: Image.Image) -> None:
    """Asserts a quarter turn clockwise."""
    assert image.height > image.width
    corners(top_right=RED, bottom_right=GREEN, top_left=BLUE)(image)


MAYBE = (OK, "unsupported_format")

WRONG_NAMES = [
    kind("jpeg_content.png", jpeg, OK, check=all_corners),
    kind("png_content.jpg", png, OK, check=all_corners),
    kind("heic_content.png", heic, OK, check=all_corners),
    kind("webp_content.jpeg", partial(scene_bytes, file_format="WEBP", lossless=True), OK, check=all_corners),
    kind("bmp_content.jpg", partial(scene_bytes, file_format="BMP"), OK, check=all_corners),
    kind("gif_content.jpg", partial(scene_bytes, file_format="GIF"), OK, check=SOFT),
    kind("upper_case.JPEG", jpeg, OK, check=all_corners),
]

JPEGS = [
    kind("jpeg_cmyk.jpg", cmyk_jpeg, OK, check=SOFT),
    kind("jpeg_ycck.jpg", ycck_jpeg, OK, check=SOFT),
    kind("jpeg_rgb.jpg", partial(jpeg, keep_rgb=True), OK, check=all_corners),
    kind("jpeg_gray.jpg", partial(scene_bytes, file_format="JPEG", mode="L"), OK),
    kind("jpeg_progressive.jpg", partial(jpeg, progressive=True), OK, check=all_corners),
    kind("jpeg_restart.jpg", partial(jpeg, restart_marker_blocks=4), OK, check=all_corners),
    kind("jpeg_420_odd_size.jpg", lambda name: encode(scene(name, 161, 113), "JPEG"), OK, check=SOFT),
    kind("jpeg_fill_bytes.jpg", fill_bytes_jpeg, OK, check=all_corners),
    kind("jpeg_trailing_garbage.jpg", lambda name: jpeg(name) + b"\0garbage\xff\xd8\xff" * 99, OK, check=all_corners),
    kind("jpeg_trailing_line_end.jpg", lambda name: jpeg(name) + b"\r\n", OK, check=all_corners),
    kind("jpeg_motion_photo.jpg", motion_photo, OK, check=all_corners),
    kind("jpeg_many_comments.jpg", many_comments, OK, check=all_corners),
    kind("jpeg_leading_line_end.jpg", partial(leading_bytes, b"\r\n"), OK, "not_an_image", *BROKEN, check=all_corners),
    kind("jpeg_leading_zeros.jpg", partial(leading_bytes, bytes(16)), OK, "not_an_image", *BROKEN, check=all_corners),
    kind("jpeg_two_pictures.mpo", partial(animation, "MPO"), OK, check=SOFT),
    kind("jpeg_mpo.jpg", partial(animation, "MPO"), OK, check=SOFT),
]

OTHERS = [
    kind("gif_animated.gif", partial(animation, "GIF"), OK, check=SOFT),
    kind("gif_small_first_frame.gif", gif_small_first_frame, OK, check=corners(40, top_left=RED)),
    kind("gif_transparent.gif", partial(palette_transparent, "GIF"), OK, check=middle_white),
    kind("webp_lossy.webp", partial(scene_bytes, file_format="WEBP", quality=90), OK, check=SOFT),
    kind("webp_animated.webp", partial(animation, "WEBP", lossless=True), OK, check=all_corners),
    kind(
        "webp_alpha.webp",
        lambda name: encode(with_hole(name, "RGBA", (0, 0, 0, 0)), "WEBP", lossless=True, exact=True),
        OK,
        check=middle_white,
    ),
    kind("tiff_pages.tiff", pages, OK, check=all_corners),
    kind("tiff_gray_16_bit.tif", partial(gray_16_bit, "TIFF"), OK, check=gray_check),
    kind("tiff_float.tiff", float_tiff, *MAYBE),
    kind("tiff_cmyk.tiff", partial(scene_bytes, file_format="TIFF", mode="CMYK"), OK, check=SOFT),
    kind("tiff_lzw.tiff", partial(scene_bytes, file_format="TIFF", compression="tiff_lzw"), OK, check=all_corners),
    kind(
        "tiff_deflate.tiff", partial(scene_bytes, file_format="TIFF", compression="tiff_deflate"), OK, check=all_corners
    ),
    kind("tiff_jpeg.tiff", partial(scene_bytes, file_format="TIFF", compression="jpeg"), OK, check=SOFT),
    kind("tiff_lab.tiff", lambda _: encode(Image.new("LAB", (64, 64)), "TIFF"), *MAYBE),
    kind("tiff_big.tiff", partial(scene_bytes, file_format="TIFF", big_tiff=True), OK, check=all_corners),
    kind("tiff_big_endian.tiff", lambda name: encode(Image.fromarray(gray_ramp(">u2")), "TIFF"), OK, check=gray_check),
    kind("tiff_oriented.tiff", tiff_oriented, OK, check=turned),
    kind("tiff_looping.tiff", looping_tiff, OK, *BROKEN, check=all_corners),
    kind("bmp_plain.bmp", partial(scene_bytes, file_format="BMP"), OK, check=all_corners),
    kind("bmp_32_bit.bmp", bmp_32_bit, OK, check=all_corners),
    kind("bmp_top_down.bmp", top_down_bmp, OK, check=all_corners),
    kind("bmp_palette.bmp", lambda name: encode(scene(name).quantize(16), "BMP"), OK),
    kind("heic_plain.heic", heic, OK, check=SOFT),
    kind(
        "heic_alpha.heic",
        lambda name: encode(with_hole(name, "RGBA", (0, 0, 0, 0)), "HEIF", quality=95),
        OK,
        check=center(WHITE, 20),
    ),
    kind("avif_plain.avif", partial(scene_bytes, file_format="AVIF", quality=90), *MAYBE, check=SOFT),
    kind("jpeg_2000.jp2", partial(scene_bytes, file_format="JPEG2000"), *MAYBE, check=all_corners),
    kind(
        "portable_pixmap.ppm",
        partial(scene_bytes, file_format="PPM"),
        *MAYBE,
        "not_an_image",
        IGNORED,
        check=all_corners,
    ),
    kind("targa.tga", partial(scene_bytes, file_format="TGA"), *MAYBE, "not_an_image", IGNORED, check=all_corners),
    kind("icon.ico", ico, *MAYBE),
]

FORMATS: list[UglyPhoto] = [*WRONG_NAMES, *JPEGS, *OTHERS]
