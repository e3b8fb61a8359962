"""Small pictures of photos for pages of many, each made once and kept on the local disk."""

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageDraw

from npylabel.base.files import write_bytes
from npylabel.base.parallel import run_threads
from npylabel.dataset.pixel_cache import decoders
from npylabel.photos.decode import PhotoError, decode_photo

SIDE_PX = 128
_QUALITY = 75
_PAPER, _INK = (232, 232, 228), (170, 170, 166)
_START, _END = b"\xff\xd8", b"\xff\xd9"


class Thumbnails:
    """Small JPEGs of photos: at most ``SIDE_PX`` high and wide, about 5 KB.

    What is kept is known by the place of the photo, its size and its time: a photo that changed gets another one.

    Args:
        cache_dir: where they are kept, see ``thumbnail_folder``; None keeps nothing.
    """

    def __init__(self, cache_dir: Path | None) -> None:
        self.cache_dir = cache_dir

    def get(self, path: Path) -> bytes:
        """The small picture of a photo; of one that cannot be read a drawn one that says so."""
        return self.page([path])[0]

    def page(self, paths: Sequence[Path]) -> list[bytes]:
        """The small pictures of many photos, in their order."""
        found = list(run_threads(self._kept_or_made, paths))
        for kept, data, is_new in found:
            # A cache that is full or gone costs time only. One thread writes: the files' mode is the process's.
            if kept and is_new:
                with suppress(OSError):
                    write_bytes(kept, data)
        return [data for _kept, data, _is_new in found]

    def _kept_or_made(self, path: Path) -> tuple[Path | None, bytes, bool]:
        """(where it is kept, the picture, whether it has to be written there)."""
        kept = self._place(path)
        data = _read_kept(kept) if kept else b""
        if data:
            return kept, data, False
        try:
            return kept, _small(path.read_bytes()), True
        except (OSError, PhotoError):
            return kept, placeholder(), False

    def _place(self, path: Path) -> Path | None:
        try:
            status = path.stat()
        except OSError:
            return None
        mark = f"{status.st_size}|{status.st_mtime_ns}|{status.st_ino}|{decoders()}"
        name = sha256(os.fsencode(path.absolute()) + b"|" + mark.encode()).hexdigest()
        return self.cache_dir / name[:2] / f"{name}.jpg" if self.cache_dir else None


@cache
def placeholder() -> bytes:
    """What stands for a photo that cannot be read: a gray square with a cross."""
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), _PAPER)
    draw, near, far = ImageDraw.Draw(image), SIDE_PX // 3, SIDE_PX - SIDE_PX // 3
    draw.rectangle((0, 0, SIDE_PX - 1, SIDE_PX - 1), outline=_INK, width=2)
    for ends in ((near, near, far, far), (near, far, far, near)):
        draw.line(ends, _INK, width=5)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _small(data: bytes) -> bytes:
    image = decode_photo(data, SIDE_PX).image
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(image), _QUALITY, "RGB", "420")


def _read_kept(path: Path) -> bytes:
    """The file's content, or b"" where it is not a whole JPEG."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    return data if data.startswith(_START) and data.endswith(_END) else b""
