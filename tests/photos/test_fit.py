"""From pictures of any shape to squares: where corners go, exact gray, and decoding at a fraction."""

import io

import numpy as np
import pytest
from PIL import Image

from npylabel.photos.decode import decode_photo
from npylabel.photos.fit import FITS, encode_gray, encode_pair, fit_square
from tests.photos.pictures import jpeg_bytes, noise, texture
from tests.photos.ugly_kit import BLUE, GREEN, RED, YELLOW, scene

BLACK = (0, 0, 0)
SHAPES = [(200, 100), (100, 200), (150, 150), (1000, 40), (33, 64)]


def quarters(width: int, height: int) -> Image.Image:
    """Red top left, green top right, blue and yellow below."""
    image = Image.new("RGB", (width, height))
    x, y = width // 2, height // 2
    for color, box in ((RED, (0, 0, x, y)), (GREEN, (x, 0, width, y)), (BLUE, (0, y, x, height)),
                       (YELLOW, (x, y, width, height))):
        image.paste(color, box)
    return image


def corner_colors(image: Image.Image) -> list[tuple[int, ...]]:
    last = image.width - 1
    return [image.getpixel(at) for at in ((0, 0), (last, 0), (0, last), (last, last))]


def psnr_db(first: Image.Image, second: Image.Image) -> float:
    difference = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    return float(10 * np.log10(255**2 / np.mean(difference**2)))


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [*SHAPES, (1, 1), (3, 900)])
def test_the_result_is_a_square(fit: str, shape: tuple[int, int]) -> None:
    square = fit_square(quarters(*shape), 64, fit)
    assert (square.mode, square.size) == ("RGB", (64, 64))


@pytest.mark.parametrize("fit", ["crop", "stretch"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_middle_stays_in_the_middle(fit: str, shape: tuple[int, int]) -> None:
    assert corner_colors(fit_square(quarters(*shape), 64, fit)) == [RED, GREEN, BLUE, YELLOW]


def test_cropping_takes_the_middle_square_and_nothing_else() -> None:
    image = Image.new("RGB", (300, 100), RED)
    image.paste(GREEN, (100, 0, 200, 100))
    assert fit_square(image, 100, "crop").getcolors() == [(100 * 100, GREEN)]
    assert fit_square(image.rotate(90, expand=True), 100, "crop").getcolors() == [(100 * 100, GREEN)]


def test_cropping_keeps_shapes() -> None:
    image = Image.new("RGB", (400, 200), BLUE)
    image.paste(YELLOW, (180, 60, 220, 140))
    pixels = np.asarray(fit_square(image, 100, "crop"))
    yellow = np.argwhere(pixels[..., 0] > 128)
    assert (yellow.max(0) - yellow.min(0) + 1).tolist() == [40, 20]


@pytest.mark.parametrize(("shape", "bars"), [((200, 100), "top and bottom"), ((100, 200), "left and right")])
def test_padding_keeps_all_between_black_bars(shape: tuple[int, int], bars: str) -> None:
    pixels = np.asarray(fit_square(quarters(*shape), 64, "pad"))
    if bars == "left and right":
        pixels = pixels.transpose(1, 0, 2)
    assert not pixels[:16].any() and not pixels[48:].any()
    below_left, above_right = (BLUE, GREEN) if bars == "top and bottom" else (GREEN, BLUE)
    inner = [tuple(pixels[y, x].tolist()) for y, x in ((17, 1), (17, 62), (46, 1), (46, 62))]
    assert inner == [RED, above_right, below_left, YELLOW]


def test_padding_a_very_long_picture_leaves_a_line() -> None:
    pixels = np.asarray(fit_square(Image.new("RGB", (2000, 10), RED), 64, "pad"))
    assert [tuple(row[0].tolist()) for row in pixels if row.any()] == [RED]


def test_a_square_of_the_right_size_is_not_changed() -> None:
    image = noise(0, 64)
    for fit in FITS:
        assert fit_square(image, 64, fit).tobytes() == image.tobytes()


@pytest.mark.parametrize("image", [noise(0, 96), scene("gray", 96, 96), Image.new("RGB", (96, 96), (255, 0, 1))])
def test_a_png_pair_is_exact(image: Image.Image) -> None:
    color, gray, kept = encode_pair(image, "png")
    written = Image.open(io.BytesIO(color))
    assert written.mode == "RGB" and written.tobytes() == image.tobytes()
    read = Image.open(io.BytesIO(gray))
    assert read.mode == "L" and read.tobytes() == written.convert("L").tobytes() == kept.tobytes()


@pytest.mark.parametrize("random_seed", range(4))
def test_a_jpeg_pair_is_within_three_levels(random_seed: int) -> None:
    color, gray, kept = encode_pair(noise(random_seed, 256), "jpg")
    written, read = Image.open(io.BytesIO(color)), Image.open(io.BytesIO(gray))
    assert (written.format, written.mode, read.format, read.mode) == ("JPEG", "RGB", "JPEG", "L")
    expected = np.asarray(written.convert("L"), np.int16)
    assert int(np.abs(np.asarray(read, np.int16) - expected).max()) <= 3
    assert np.array_equal(np.asarray(kept), expected)


def test_files_hold_no_metadata() -> None:
    image = scene("metadata", 64, 64)
    image.info["exif"] = b"Exif\0\0MM\0*\0\0\0\x08\0\0"
    image.info["icc_profile"] = b"profile"
    for image_format in ("png", "jpg"):
        for data in encode_pair(image, image_format)[:2]:
            with Image.open(io.BytesIO(data)) as written:
                written.load()
                assert not {"exif", "icc_profile", "comment"} & set(written.info) and not written.getexif()


def test_gray_files_alone_are_those_of_the_pair() -> None:
    for suffix in (".png", ".jpg"):
        _, gray, kept = encode_pair(noise(0, 64), suffix[1:])
        assert encode_gray(kept, suffix) == gray


@pytest.fixture(scope="module")
def large() -> Image.Image:
    # A quarter of it would be just large enough, and not good enough for structure as fine as this.
    fine = noise(1, 780).resize((3120, 2080), Image.Resampling.BICUBIC)
    return Image.blend(texture(7, 3120, 2080), fine, 0.35)


@pytest.mark.parametrize("size_px", [512, 256])
def test_decoding_at_a_fraction_changes_next_to_nothing(large: Image.Image, size_px: int) -> None:
    data = jpeg_bytes(large)
    decoded = decode_photo(data, size_px)
    assert (decoded.width, decoded.height) == (3120, 2080)
    assert size_px < min(decoded.image.size) < 2080
    full = Image.open(io.BytesIO(data)).convert("RGB")
    for fit in FITS:
        assert psnr_db(fit_square(decoded.image, size_px, fit), fit_square(full, size_px, fit)) >= 40


@pytest.mark.parametrize(("orientation", "degrees"), [(3, 180), (6, 90), (8, 270)])
def test_a_turned_photo_is_cropped_as_it_is_seen(large: Image.Image, orientation: int, degrees: int) -> None:
    seen = large.crop((0, 0, 1500, 1000))
    stored = seen.rotate(degrees, expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_photo(jpeg_bytes(stored, exif=exif), 128)
    assert (decoded.width, decoded.height) == (1500, 1000)
    assert psnr_db(fit_square(decoded.image, 128, "crop"), fit_square(seen, 128, "crop")) >= 35
