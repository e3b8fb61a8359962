"""Photos decoded once: uint8 pixels in a file on the local disk, mapped into memory."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import fit_square
from npylabel.photos.sources import PhotoRef


def decode_pixels(data: bytes, input_px: int, fit: str) -> np.ndarray:
    """The photo in the bytes as the network sees it, ``(input_px, input_px, 3)`` uint8 RGB.

    Raises:
        PhotoError: where the bytes are no photo.
    """
    return np.asarray(fit_square(decode_photo(data, input_px).image, input_px, fit))


class PixelStore:
    """Pixels of many photos, ``(n, input_px, input_px, 3)`` uint8, in a temporary file that closing removes.

    Args:
        refs: the photos, in this order.
        input_px: side of the squares.
        fit: "crop", "pad" or "stretch" for photos that are not square.

    Attributes:
        pixels: black where a photo cannot be read.
        unreadable: reason code by index of those.
    """

    def __init__(self, refs: Sequence[PhotoRef], input_px: int, fit: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="npylabel-pixels-")
        self.unreadable: dict[int, str] = {}
        shape = (len(refs), input_px, input_px, 3)
        file = Path(self._folder.name) / "pixels"
        # A mapped file cannot have zero bytes.
        self.pixels = np.memmap(file, np.uint8, "w+", shape=shape) if refs else np.zeros(shape, np.uint8)

        def fill(index: int) -> None:
            try:
                self.pixels[index] = decode_pixels(refs[index].read(), input_px, fit)
            except PhotoError as error:
                self.unreadable[index] = error.code
            except (OSError, *ZIP_ERRORS):
                self.unreadable[index] = "unreadable"

        # Threads are enough: the decoders let go of the interpreter's lock.
        with ThreadPoolExecutor(cpu_count()) as pool:
            for _done in track(pool.map(fill, range(len(refs))), total=len(refs), label=_("Reading photos")):
                pass

    def readable(self) -> np.ndarray:
        """Indices of the photos that could be read, ascending, int64."""
        return np.array([i for i in range(len(self.pixels)) if i not in self.unreadable], dtype=np.int64)

    def __enter__(self) -> "PixelStore":
        return self

    def __exit__(self, *_error: object) -> None:
        del self.pixels
        self._folder.cleanup()
