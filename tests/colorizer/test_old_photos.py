"""Old photos of any kind are read upright and whole, and told apart from those that have colors of their own."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from npylabel.colorizer import pixel_lab
from npylabel.colorizer.old_photos import COLORFUL, chroma_beside_toning, inside_border, levels_of, read_old_photo
from npylabel.colorizer.pixel_lab import lightness_of
from npylabel.photos.decode import PhotoError
from tests.colorizer.color_kit import file_bytes, gray_photo, sepia
from tests.photos.pictures import jpeg_bytes, texture

GRAY = gray_photo(1, 120, 80, 0, 255)
# L* of sRGB grays, from CIE 15 by hand: 119 is the middle gray of 18 %.
KNOWN_L = {0: 0.0, 119: 50.03, 188: 76.25, 255: 100.0}


def sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def with_alpha(image: Image.Image) -> Image.Image:
    """Gray with a hole in the left half."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, image.width // 2, image.height))
    return Image.merge("LA", (image, alpha))


def turned(image: Image.Image) -> bytes:
    """As a phone stores what it saw upright: on its side, with a note."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return file_bytes(image.transpose(Image.Transpose.ROTATE_90), "TIFF", exif=exif)


def uneven(image: Image.Image) -> Image.Image:
    """A toned print that has yellowed towards its corners."""
    pixels = np.asarray(image, np.float32)
    height, width = pixels.shape[:2]
    down, across = np.mgrid[:height, :width]
    away = np.hypot(down / height - 0.5, across / width - 0.5)[..., None]
    return Image.fromarray((pixels * (1 - away * (0.0, 0.15, 0.5))).clip(0, 255).astype(np.uint8))


def landscape() -> Image.Image:
    """Light blue above dark green: each lightness has one color, as in toned prints."""
    pixels = np.empty((120, 180, 3), np.float32)
    pixels[:60], pixels[60:] = (150, 190, 230), (90, 120, 60)
    return Image.fromarray((pixels + np.random.default_rng(1).normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8))


def framed(picture: Image.Image, paper: int | tuple, left: int, top: int, right: int, bottom: int) -> Image.Image:
    """The picture with a border of these widths."""
    size = (picture.width + left + right, picture.height + top + bottom)
    sheet = Image.new(picture.mode, size, paper)
    sheet.paste(picture, (left, top))
    return sheet


@pytest.mark.parametrize(("gray", "lightness"), KNOWN_L.items())
def test_lightness_is_that_of_the_eye(gray: int, lightness: float) -> None:
    for image in (Image.new("RGB", (40, 33), (gray, gray, gray)), Image.new("L", (40, 33), gray)):
        found = lightness_of(levels_of(image))
        assert (found.shape, found.dtype) == ((33, 40), np.float32)
        np.testing.assert_allclose(found, lightness / 100, atol=2e-4)


def test_lightness_of_many_strips_is_that_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    images = (texture(1, 90, 70), gray_photo(1, 90, 70))
    whole = [levels_of(image) for image in images]
    monkeypatch.setattr(pixel_lab, "STRIP_PIXELS", 1000)
    for image, expected in zip(images, whole, strict=True):
        np.testing.assert_array_equal(levels_of(image), expected)


@pytest.mark.parametrize("data", [
    file_bytes(sixteen_bits(GRAY), "TIFF"), file_bytes(sixteen_bits(GRAY), "PNG"), file_bytes(GRAY.convert("P"), "PNG"),
    file_bytes(GRAY, "BMP"), turned(GRAY), jpeg_bytes(GRAY, quality=98),
    jpeg_bytes(GRAY.convert("RGB").convert("CMYK"), quality=98), file_bytes(GRAY.convert("F"), "TIFF"),
], ids=["16-bit TIFF", "16-bit PNG", "palette", "BMP", "turned", "JPEG", "CMYK", "float TIFF"])
def test_any_kind_of_file_gives_the_same_lightness(data: bytes) -> None:
    photo = read_old_photo(data, 64)
    assert photo.levels.shape == (80, 120)
    difference = np.abs(photo.lightness() - lightness_of(np.asarray(GRAY)))
    assert np.median(difference) < 0.01
    assert np.percentile(difference, 99) < 0.06
    assert tuple(photo.small.shape) == (1, 1, 64, 96)
    assert photo.chroma < 1


def test_what_is_transparent_is_paper() -> None:
    photo = read_old_photo(file_bytes(with_alpha(GRAY)), 32)
    assert (photo.lightness(columns=slice(0, 60)) > 0.999).all()
    np.testing.assert_array_equal(photo.levels[:, 60:], np.asarray(GRAY)[:, 60:])


def test_a_gray_photo_is_the_same_however_it_is_stored() -> None:
    one, three = (read_old_photo(file_bytes(image), 64) for image in (GRAY, GRAY.convert("RGB")))
    assert (one.levels.dtype, three.levels.dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(one.levels, three.levels)
    assert (one.box, one.chroma) == (three.box, three.chroma)
    assert np.array_equal(one.small, three.small)
    # A single pixel that has a color makes it a photo of three channels; its lightness does not change by that.
    stained = GRAY.convert("RGB")
    stained.putpixel((119, 79), (90, 80, 70))
    found = read_old_photo(file_bytes(stained), 64)
    assert found.levels.dtype == np.uint16
    np.testing.assert_allclose(found.lightness()[:-1], one.lightness()[:-1], atol=1e-4)


def test_a_large_photo_keeps_all_its_pixels() -> None:
    photo = read_old_photo(jpeg_bytes(gray_photo(2, 2600, 1500)), 64)
    assert photo.levels.shape == (1500, 2600)
    assert tuple(photo.small.shape) == (1, 1, 64, 96)


@pytest.mark.parametrize(("data", "code"), [
    (b"", "empty_file"), (jpeg_bytes(GRAY)[:700], "truncated"), (b"hello", "not_an_image"),
    (file_bytes(GRAY.crop((0, 0, 20, 40))), "too_small"),
])
def test_what_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(PhotoError) as caught:
        read_old_photo(data, 64)
    assert caught.value.code == code


def cyanotype(image: Image.Image) -> Image.Image:
    """The picture in blue."""
    return Image.merge("RGB", [image.point(lambda value: value * 2 // 3), image.point(lambda value: value * 5 // 6),
                               image])


def poor_jpeg(image: Image.Image) -> Image.Image:
    """The picture as it comes back from a small file."""
    return Image.open(io.BytesIO(jpeg_bytes(image, quality=30))).convert("RGB")


@pytest.mark.parametrize("image", [
    GRAY.convert("RGB"), sepia(GRAY), uneven(sepia(GRAY)), cyanotype(GRAY), poor_jpeg(sepia(GRAY)),
], ids=["gray", "sepia", "uneven sepia", "cyanotype", "sepia in a poor JPEG"])
def test_toning_is_no_color(image: Image.Image) -> None:
    assert chroma_beside_toning(image) < 0.8 * COLORFUL


def test_a_stamp_on_a_gray_photo_is_no_color() -> None:
    stamped = gray_photo(3, 300, 200).convert("RGB")
    ImageDraw.Draw(stamped).ellipse((250, 160, 268, 178), outline=(150, 40, 120), width=2)
    assert chroma_beside_toning(stamped) < COLORFUL


@pytest.mark.parametrize("image", [
    texture(5, 120, 80), landscape(), Image.blend(GRAY.convert("RGB"), landscape().resize(GRAY.size), 0.6),
], ids=["texture", "color follows lightness", "pale"])
def test_color_is_color(image: Image.Image) -> None:
    assert chroma_beside_toning(image) > 1.2 * COLORFUL


def test_borders_are_cut_off() -> None:
    picture = gray_photo(7, 400, 300, 40, 200)
    for paper, widths in ((255, (30, 20, 30, 60)), (5, (10, 10, 10, 10)), (236, (40, 0, 40, 40))):
        box = inside_border(framed(picture, paper, *widths))
        wanted = (widths[0], widths[1], widths[0] + 400, widths[1] + 300)
        assert np.abs(np.subtract(box, wanted)).max() <= 1
        assert box[0] <= wanted[0] and box[3] >= wanted[3], "nothing of the picture is cut off"
    on_black = framed(framed(picture, 240, 25, 25, 25, 25), 8, 50, 40, 30, 20)
    assert np.abs(np.subtract(inside_border(on_black), (75, 65, 475, 365))).max() <= 2


def test_a_sky_or_an_empty_sheet_is_no_border() -> None:
    sky = gray_photo(7, 200, 150, 30, 200)
    sky.paste(250, (0, 0, 200, 40))
    sheets = [Image.new("L", size, paper) for size, paper in (((200, 150), 255), ((64, 64), 0), ((1000, 900), 255))]
    for image in (sky, gray_photo(8, 200, 150), *sheets):
        assert inside_border(image) == (0, 0, *image.size)


def test_the_network_sees_what_is_inside_the_border() -> None:
    picture = gray_photo(7, 320, 320, 40, 200)
    bare = read_old_photo(file_bytes(picture), 64)
    bordered = read_old_photo(file_bytes(framed(picture, 255, 60, 60, 60, 60)), 64)
    assert bordered.levels.shape == (440, 440)
    inner = (..., slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(bordered.small[inner].numpy(), bare.small[inner].numpy(), atol=0.05)
