"""Photos decoded once: uint8 pixels in a file on the local disk, mapped into memory."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.photos.decode import decode_photo
from npylabel.photos.fit import fit_square


def decode_pixels(data: bytes, input_px: int, fit: str) -> np.ndarray:
    """The photo in the bytes as the network sees it, ``(input_px, input_px, 3)`` uint8 RGB.

    Raises:
        PhotoError: where the bytes are no photo.
    """
    return np.asarray(fit_square(decode_photo(data, input_px).image, input_px, fit))


class PixelStore:
    """Pixels of many photos, ``(n, input_px, input_px, 3)`` uint8, in a temporary file that closing removes.

    Args:
        paths: the photos, in this order; all of them must be readable.
        input_px: side of the squares.
        fit: "crop", "pad" or "stretch" for photos that are not square.
    """

    def __init__(self, paths: Sequence[Path], input_px: int, fit: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="npylabel-pixels-")
        shape = (len(paths), input_px, input_px, 3)
        file = Path(self._folder.name) / "pixels"
        # A mapped file cannot have zero bytes.
        self.pixels = np.memmap(file, np.uint8, "w+", shape=shape) if paths else np.zeros(shape, np.uint8)

        def fill(index: int) -> None:
            self.pixels[index] = decode_pixels(paths[index].read_bytes(), input_px, fit)

        # Threads are enough: the decoders let go of the interpreter's lock.
        with ThreadPoolExecutor(cpu_count()) as pool:
            for _done in track(pool.map(fill, range(len(paths))), total=len(paths), label=_("Reading photos")):
                pass

    def __enter__(self) -> np.ndarray:
        return self.pixels

    def __exit__(self, *_error: object) -> None:
        del self.pixels
        self._folder.cleanup()
