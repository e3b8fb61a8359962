"""Photos decoded once: uint8 pixels in a file on the local disk, mapped into memory."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.base.scratch import scratch_folder
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


def _mapped(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros in a file, with the room taken at once: a disk that fills up under a mapped file kills the process."""
    size = math.prod(shape)
    try:
        with file.open("wb") as room:
            os.posix_fallocate(room.fileno(), 0, size)
    except AttributeError:  # Not on macOS and Windows.
        pass
    except OSError as error:
        raise NpyLabelError(
            "disk_full", _("{path} has no room for {size} MB of pixels: {reason}.").format(
                path=file.parent, size=size // 2**20, reason=error.strerror),
            _("Free some room on this machine, or set TMPDIR to a folder on a larger disk.")) from error
    return np.memmap(file, np.uint8, "r+" if file.stat().st_size else "w+", shape=shape)


class PixelStore:
    """Pixels of many photos, ``(n, input_px, input_px, 3)`` uint8, in a temporary file that closing removes.

    Args:
        refs: the photos, in this order.
        input_px: side of the squares.
        fit: "crop", "pad" or "stretch" for photos that are not square.

    Raises:
        NpyLabelError: ``disk_full``.

    Attributes:
        pixels: black where a photo cannot be read.
        unreadable: reason code by index of those.
    """

    def __init__(self, refs: Sequence[PhotoRef], input_px: int, fit: str) -> None:
        self._scratch = ExitStack()
        folder = self._scratch.enter_context(scratch_folder())
        self.unreadable: dict[int, str] = {}
        shape = (len(refs), input_px, input_px, 3)
        # A mapped file cannot have zero bytes.
        self.pixels = _mapped(folder / "pixels", shape) if refs else np.zeros(shape, np.uint8)

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
        self._scratch.close()
