"""Pictures for tests that are like photos in what matters: structure of all sizes, or pure noise."""

import io

import numpy as np
from PIL import Image


def texture(random_seed: int, width: int, height: int) -> Image.Image:
    """A picture with structure of all sizes, as in grass or leaves."""
    rng = np.random.default_rng(random_seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((8, 0.3), (20, 0.25), (60, 0.15), (180, 0.1), (500, 0.1), (1500, 0.1)):
        columns = min(cells, width)
        rows = max(2, columns * height // width)
        spots = Image.fromarray(rng.integers(0, 256, (rows, columns, 3), np.uint8))
        total += weight * np.asarray(spots.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return Image.fromarray(total.round().astype(np.uint8))


def noise(random_seed: int, size_px: int) -> Image.Image:
    """A square of random pixels."""
    return Image.fromarray(np.random.default_rng(random_seed).integers(0, 256, (size_px, size_px, 3), np.uint8))


def jpeg_bytes(image: Image.Image, **options: object) -> bytes:
    """The picture as a JPEG file of quality 92."""
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 92, **options})
    return file.getvalue()
