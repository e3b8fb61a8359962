"""Ugly photos whose pixels are good and whose metadata is not: EXIF, color profiles, stray segments and chunks."""

import struct
from functools import partial

from PIL import Image, ImageCms

from tests.photos.ugly_formats import cmyk_jpeg, heic, turned
from tests.photos.ugly_kit import (
    BLUE,
    BROKEN,
    GREEN,
    OK,
    RED,
    PixelCheck,
    UglyPhoto,
    all_corners,
    corners,
    encode,
    jpeg,
    jpeg_insert,
    jpeg_segment,
    kind,
    png,
    png_chunk,
    png_insert,
    scan_start,
    scene,
    scene_bytes,
)

ORIENTATION, DATE_TIME, X_RESOLUTION, EXIF_POINTER, DATE_TIME_ORIGINAL = 274, 306, 282, 34665, 36867
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
TAKEN = "2026-07-14T10:15:02"
# Where the corners drawn red (top left) and green (top right) are shown (EXIF 2.32, 4.6.4, tag 274).
SHOWN_AT = {
    1: ("top_left", "top_right"),
    2: ("top_right", "top_left"),
    3: ("bottom_right", "bottom_left"),
    4: ("bottom_left", "bottom_right"),
    5: ("top_left", "bottom_left"),
    6: ("top_right", "bottom_right"),
    7: ("bottom_right", "top_right"),
    8: ("bottom_left", "top_left"),
}
Entry = tuple[int, int, int, bytes]


def exif(*entries: Entry, next_directory: int = 0) -> bytes:
    """An EXIF block of one directory of (tag, type, count, value); a value over 4 bytes is put behind the directory."""
    behind = 8 + 2 + 12 * len(entries) + 4
    directory, values = struct.pack("<H", len(entries)), b""
    for tag, value_type, count, value in entries:
        inline = value if len(value) <= 4 else struct.pack("<I", behind + len(values))
        directory += struct.pack("<HHI", tag, value_type, count) + inline.ljust(4, b"\0")
        values += value if len(value) > 4 else b""
    return b"II*\0\x08\0\0\0" + directory + struct.pack("<I", next_directory) + values


def orientation_entry(value: int) -> Entry:
    """The orientation tag."""
    return (ORIENTATION, SHORT, 1, struct.pack("<H", value))


def text_entry(tag: int, value: bytes) -> Entry:
    """A text tag."""
    return (tag, ASCII, len(value) + 1, value + b"\0")


def with_exif(block: bytes, name: str) -> bytes:
    """A JPEG with these bytes as its EXIF."""
    return jpeg_insert(jpeg(name), jpeg_segment(0xE1, b"Exif\0\0" + block))


def with_segment(marker: int, body: bytes, name: str) -> bytes:
    """A JPEG with one more segment."""
    return jpeg_insert(jpeg(name), jpeg_segment(marker, body))


def with_date(value: bytes, name: str) -> bytes:
    """A JPEG taken at a time, in the sub-directory where cameras write it."""
    pointer_at = 8 + 2 + 12 + 4
    date = text_entry(DATE_TIME_ORIGINAL, value)
    sub_directory = struct.pack("<H", 1) + struct.pack("<HHII", *date[:3], pointer_at + 18) + bytes(4) + date[3]
    return with_exif(exif((EXIF_POINTER, LONG, 1, struct.pack("<I", pointer_at))) + sub_directory, name)


def oriented(value: int) -> UglyPhoto:
    """A JPEG to be shown turned or mirrored."""
    red_at, green_at = SHOWN_AT[value]

    def check(image: Image.Image) -> None:
        assert (image.width > image.height) == (value < 5)
        corners(**{red_at: RED, green_at: GREEN})(image)

    return kind(f"orientation_{value}.jpg", partial(with_exif, exif(orientation_entry(value))), OK, check=check)


def srgb_profile() -> bytes:
    """An sRGB profile, as littleCMS makes it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """An RGB profile in which the red and the blue primaries are exchanged: converted, red shows as blue."""
    profile = srgb_profile().replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
    tags_end = 132 + 12 * int.from_bytes(profile[128:132], "big")
    swapped = profile[:tags_end].replace(b"rXYZ", b"xXYZ").replace(b"bXYZ", b"rXYZ").replace(b"xXYZ", b"bXYZ")
    return swapped + profile[tags_end:]


def profile_of_space(space: bytes) -> bytes:
    """A profile whose header claims another color space."""
    profile = srgb_profile()
    return profile[:16] + space + profile[20:]


def lab_profile() -> bytes:
    """A true profile of a space that no photo is stored in."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def with_profile(profile: bytes, name: str) -> bytes:
    """A JPEG with these bytes as its color profile."""
    return jpeg(name, icc_profile=profile)


def missing_profile_part(name: str) -> bytes:
    """A JPEG whose profile is the second part of two."""
    return with_segment(0xE2, b"ICC_PROFILE\0\x02\x02" + srgb_profile(), name)


def cut_behind_stray_metadata(name: str) -> bytes:
    """A JPEG with a harmless oddity in its metadata and real damage behind it: the first warning is not the last."""
    data = missing_profile_part(name)
    start = scan_start(data)
    return data[: (start + len(data)) // 2] + b"\xff\xd9"


def png_with(chunk_type: bytes, body: bytes, name: str) -> bytes:
    """A PNG with one more chunk, its CRC right."""
    return png_insert(png(name), png_chunk(chunk_type, body))


def photo(name: str, build: object, *expect: str, check: PixelCheck = all_corners) -> UglyPhoto:
    """A kind whose pixels stay what they were, whatever the metadata says."""
    return kind(name, build, *(expect or (OK,)), check=check)


QUARTER_TURN = exif(orientation_entry(6))
COPYRIGHT = text_entry(33432, b"(c) somebody")
ZERO_DENOMINATOR = exif((X_RESOLUTION, RATIONAL, 1, bytes(8)), (33434, RATIONAL, 1, struct.pack("<II", 1, 0)))
HUGE_COUNT = exif((DATE_TIME, ASCII, 2**31 - 1, b"\x08\0\0\0"), orientation_entry(1))
SHOWN_SWAPPED = corners(40, top_left=RED[::-1], bottom_left=BLUE[::-1])

EXIFS = [
    *[oriented(value) for value in SHOWN_AT],
    photo("orientation_0.jpg", partial(with_exif, exif(orientation_entry(0)))),
    photo("orientation_99.jpg", partial(with_exif, exif(orientation_entry(99)))),
    photo("orientation_text.jpg", partial(with_exif, exif(text_entry(ORIENTATION, b"top")))),
    photo("orientation_rational.jpg", partial(with_exif, exif((ORIENTATION, RATIONAL, 1, bytes(8))))),
    photo("orientation_none.jpg", partial(with_exif, exif((ORIENTATION, SHORT, 0, b"")))),
    photo("exif_big_and_good.jpg", partial(with_exif, exif(*[COPYRIGHT] * 200, orientation_entry(1)))),
    photo("exif_zero_denominator.jpg", partial(with_exif, ZERO_DENOMINATOR)),
    photo("exif_cut.jpg", partial(with_exif, exif(COPYRIGHT, orientation_entry(1))[:25])),
    photo("exif_only_header.jpg", partial(with_exif, b"II*\0")),
    photo("exif_empty.jpg", partial(with_exif, b"")),
    photo("exif_garbage.jpg", partial(with_exif, b"\xde\xad\xbe\xef" * 50)),
    photo("exif_looping.jpg", partial(with_exif, exif(orientation_entry(1), next_directory=8))),
    photo("exif_huge_count.jpg", partial(with_exif, HUGE_COUNT)),
    photo("exif_pointer_outside.jpg", partial(with_exif, exif((EXIF_POINTER, LONG, 1, b"\xff\xff\xff\x7f")))),
    photo("exif_pointer_to_itself.jpg", partial(with_exif, exif((EXIF_POINTER, LONG, 1, b"\x08\0\0\0")))),
    photo("date_zero.jpg", partial(with_date, b"0000:00:00 00:00:00")),
    photo("date_blank.jpg", partial(with_date, b"    :  :     :  :  ")),
    photo("date_impossible.jpg", partial(with_date, b"2026:02:31 25:61:61")),
    photo("date_garbage.jpg", partial(with_date, b"\xff\xfe\0\x01\n\r,;\"'")),
    photo("date_as_number.jpg", partial(with_exif, exif((DATE_TIME, LONG, 1, b"\1\0\0\0")))),
    kind("orientation_in_png.png", partial(png_with, b"eXIf", QUARTER_TURN), OK, check=turned),
    kind("orientation_in_heic.heic", partial(heic, exif=b"Exif\0\0" + QUARTER_TURN), OK, check=turned),
    kind(
        "orientation_in_webp.webp",
        partial(scene_bytes, file_format="WEBP", lossless=True, exif=b"Exif\0\0" + QUARTER_TURN),
        OK,
        check=turned,
    ),
    photo("exif_garbage.png", partial(png_with, b"eXIf", b"\xde\xad\xbe\xef" * 9)),
    photo("exif_garbage.webp", partial(scene_bytes, file_format="WEBP", lossless=True, exif=b"\xde\xad\xbe\xef" * 9)),
]

TAKEN_KINDS = [photo("date_good.jpg", partial(with_date, b"2026:07:14 10:15:02"))]

PROFILES = [
    photo("icc_srgb.jpg", lambda name: with_profile(srgb_profile(), name)),
    kind("icc_swapped.jpg", lambda name: with_profile(swapped_profile(), name), OK, check=SHOWN_SWAPPED),
    kind("icc_swapped.png", lambda name: png(name, icc_profile=swapped_profile()), OK, check=SHOWN_SWAPPED),
    photo("icc_garbage.jpg", partial(with_profile, b"not a profile" * 40)),
    photo("icc_one_byte.jpg", partial(with_profile, b"\x01")),
    photo("icc_cut.jpg", lambda name: with_profile(srgb_profile()[:200], name)),
    photo("icc_of_gray.jpg", lambda name: with_profile(profile_of_space(b"GRAY"), name)),
    photo("icc_of_cmyk.jpg", lambda name: with_profile(profile_of_space(b"CMYK"), name)),
    photo("icc_of_lab.jpg", lambda name: with_profile(lab_profile(), name)),
    photo("icc_part_missing.jpg", missing_profile_part),
    kind("icc_rgb_on_gray.jpg", lambda name: scene_bytes(name, "JPEG", "L", icc_profile=srgb_profile()), OK),
    kind(
        "icc_rgb_on_cmyk.jpg",
        lambda name: encode(scene(name).convert("CMYK"), "JPEG", quality=95, icc_profile=srgb_profile()),
        OK,
        check=corners(60, top_left=RED, top_right=GREEN),
    ),
    kind(
        "icc_garbage_on_cmyk.jpg",
        lambda name: jpeg_insert(cmyk_jpeg(name), jpeg_segment(0xE2, b"ICC_PROFILE\0\x01\x01garbage")),
        OK,
        check=corners(60, top_left=RED, top_right=GREEN),
    ),
    photo("icc_garbage.png", partial(png_with, b"iCCP", b"name\0\0garbage"), OK, "damaged"),
    photo("icc_garbage.webp", partial(scene_bytes, file_format="WEBP", lossless=True, icc_profile=b"garbage")),
]

STRAY = [
    kind("icc_part_missing_and_cut.jpg", cut_behind_stray_metadata, *BROKEN),
    photo("jfif_zero_density.jpg", lambda name: jpeg(name).replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\1\0\0\0\0")),
    photo("photoshop_garbage.jpg", partial(with_segment, 0xED, b"Photoshop 3.0\x008BIM\x04\x04" + b"\xff" * 6)),
    photo("jfif_version_9.jpg", lambda name: jpeg(name).replace(b"JFIF\0\1\1", b"JFIF\0\x09\1")),
    photo("adobe_short.jpg", partial(with_segment, 0xEE, b"Adobe"), OK, "damaged"),
    photo("adobe_unknown_transform.jpg", partial(with_segment, 0xEE, b"Adobe\0\x64\0\0\0\0\x07"), OK, "damaged"),
    photo("junk_between_segments.jpg", lambda name: jpeg_insert(jpeg(name), b"junk"), OK, "damaged", "not_an_image"),
    photo("mpf_garbage.jpg", partial(with_segment, 0xE2, b"MPF\0" + b"\xde\xad\xbe\xef" * 9), OK, "damaged"),
    photo("xmp_garbage.jpg", partial(with_segment, 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta <<<\xff")),
    photo("phys_short.png", partial(png_with, b"pHYs", b"\0"), OK, "damaged"),
    photo("gamma_short.png", partial(png_with, b"gAMA", b"\0"), OK, "damaged"),
    photo("chromaticity_short.png", partial(png_with, b"cHRM", b"\0" * 5), OK, "damaged"),
    photo("text_garbage.png", partial(png_with, b"iTXt", b"\0\xff\x01\x09\xff"), OK, "damaged"),
    photo("compressed_text_garbage.png", partial(png_with, b"zTXt", b"Comment\0\x07garbage"), OK, "damaged"),
    photo("animation_header_garbage.png", partial(png_with, b"acTL", bytes(8)), OK, "damaged"),
]

META: list[UglyPhoto] = [*EXIFS, *TAKEN_KINDS, *PROFILES, *STRAY]
