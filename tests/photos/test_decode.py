"""Gray files may stay gray, and the size of a photo is told without decoding it."""

import io

import numpy as np
import pytest
from PIL import Image

from npylabel.photos import decode
from npylabel.photos.colors import to_rgb
from npylabel.photos.decode import decode_photo, pixel_count
from npylabel.photos.png import encode_png
from tests.photos.pictures import jpeg_bytes, texture
from tests.photos.ugly_kit import encode

GRAY = texture(1, 90, 60).convert("L")


def on_its_side() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg_bytes(GRAY.transpose(Image.Transpose.ROTATE_90), exif=exif)


@pytest.mark.parametrize("data", [
    jpeg_bytes(GRAY), on_its_side(), encode_png(np.asarray(GRAY)), encode(GRAY, "PNG", dpi=(300, 300)),
    encode(GRAY, "TIFF"), encode(Image.fromarray(np.asarray(GRAY).astype(np.uint16) * 257), "PNG"),
], ids=["JPEG", "turned", "bare PNG", "PNG", "TIFF", "16-bit PNG"])
def test_gray_files_stay_gray_where_asked(data: bytes) -> None:
    three, one = decode_photo(data, 2000), decode_photo(data, 2000, keep_gray=True)
    assert (three.image.mode, one.image.mode) == ("RGB", "L")
    assert (one.width, one.height, one.image.size) == (three.width, three.height, (90, 60))
    assert one.image.convert("RGB").tobytes() == three.image.tobytes()


@pytest.mark.parametrize("data", [
    jpeg_bytes(texture(2, 80, 50)), encode_png(np.asarray(texture(2, 80, 50))), encode(GRAY.convert("LA"), "PNG"),
    jpeg_bytes(GRAY.convert("RGB")),
], ids=["JPEG", "bare PNG", "alpha", "gray in three channels"])
def test_all_else_is_rgb_as_ever(data: bytes) -> None:
    kept = decode_photo(data, 2000, keep_gray=True).image
    assert kept.mode == "RGB"
    assert kept.tobytes() == decode_photo(data, 2000).image.tobytes()


def test_the_size_is_told_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_pixels", None)
    for kind in ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"):
        assert pixel_count(encode(GRAY, kind)) == 90 * 60
    for nothing in (b"", b"hello", jpeg_bytes(GRAY)[:40]):
        assert pixel_count(nothing) == 0


def test_a_picture_in_memory_is_not_copied_and_that_of_a_file_is() -> None:
    picture = texture(3, 40, 40)
    assert to_rgb(picture, None) is picture
    gray = picture.convert("L")
    assert to_rgb(gray, None, keep_gray=True) is gray
    for original in (picture, gray):
        with Image.open(io.BytesIO(encode(original, "TIFF"))) as image:
            image.load()
            kept = to_rgb(image, None, keep_gray=True)
        assert kept is not image
        assert kept.tobytes() == original.tobytes()
