"""PNG files of our own: Pillow reads the very pixels that were written."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from npylabel.photos.png import encode_png, png_fault

SHAPES = [(1, 1), (1, 2), (2, 1), (1, 300), (300, 1), (7, 5), (64, 64), (33, 257)]


def pictures(random_seed: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Noise, a ramp, and the extremes."""
    rng = np.random.default_rng(random_seed)
    ramp = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    extremes = rng.integers(0, 2, shape).astype(np.uint8) * 255
    return [rng.integers(0, 256, shape, np.uint8), ramp, extremes, np.zeros(shape, np.uint8)]


def read(data: bytes) -> tuple[str, np.ndarray]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, np.asarray(image)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("channels", "mode"), [((), "L"), ((3,), "RGB")])
def test_pillow_reads_the_same_pixels(shape: tuple[int, int], channels: tuple[int, ...], mode: str) -> None:
    for pixels in pictures(0, (*shape, *channels)):
        data = encode_png(pixels)
        found_mode, found = read(data)
        assert found_mode == mode and np.array_equal(found, pixels)
        assert png_fault(data) == ""


def test_random_shapes_come_back() -> None:
    rng = random.Random(4)
    for random_seed in range(40):
        shape = (rng.randrange(1, 40), rng.randrange(1, 40), *rng.choice([(), (3,)]))
        for pixels in pictures(random_seed, shape):
            assert np.array_equal(read(encode_png(pixels))[1], pixels), shape


def test_pixels_that_do_not_lie_in_one_piece_are_written_too() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    for view in (pixels[::2, ::3], pixels[::-1], pixels.transpose(1, 0, 2), pixels[:, :, ::-1], pixels[..., 1]):
        assert np.array_equal(read(encode_png(view))[1], view)


def test_a_file_says_nothing_but_the_pixels() -> None:
    data = encode_png(np.zeros((8, 8, 3), np.uint8))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.info == {}
    assert [data.count(kind) for kind in (b"IHDR", b"IDAT", b"IEND")] == [1, 1, 1]


def test_every_flipped_byte_is_seen() -> None:
    data = encode_png(np.random.default_rng(1).integers(0, 256, (9, 9), np.uint8))
    unseen = [at for at in range(8, len(data)) if not png_fault(data[:at] + bytes([data[at] ^ 64]) + data[at + 1:])]
    assert unseen == []


def test_every_cut_is_seen() -> None:
    data = encode_png(np.random.default_rng(1).integers(0, 256, (9, 9), np.uint8))
    assert {png_fault(data[:end]) for end in range(8, len(data))} == {"truncated"}
