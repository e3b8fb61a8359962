"""Photos decoded once: uint8 pixels in a file on the local disk, mapped into memory."""

from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256

import numpy as np

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import run_threads
from npylabel.base.progress import track
from npylabel.base.scratch import scratch_folder
from npylabel.dataset.photo_memo import PhotoMemo
from npylabel.dataset.pixel_cache import PixelCache, PixelFile, row_bytes
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
    """Pixels of many photos, ``(n, input_px, input_px, 3)`` uint8, to read only.

    They are kept in a cache on the local disk (``PixelCache``): a second store of the same photos starts at once, and
    one of nearly the same photos decodes those alone that are new. Without a cache, or without room in it, they are in
    a temporary file that closing removes.

    Args:
        refs: the photos, in this order.
        input_px: side of the squares.
        fit: "crop", "pad" or "stretch" for photos that are not square.

    Raises:
        NpyLabelError: ``disk_full``, ``source_gone``.

    Attributes:
        pixels: black where a photo cannot be read.
        unreadable: reason code by index of those.
    """

    def __init__(self, refs: Sequence[PhotoRef], input_px: int, fit: str) -> None:
        self._scratch = ExitStack()
        self.unreadable: dict[int, str] = {}
        self._file: PixelFile | None = None
        if not refs:  # A mapped file cannot have zero bytes.
            self.pixels = np.zeros((0, input_px, input_px, 3), np.uint8)
            return
        cache, memo = PixelCache.of(input_px, fit), PhotoMemo("sha256")
        checksums = ["".join(memo.known(ref) or ()) for ref in refs]
        self._file = cache.find(checksums) if cache and all(checksums) else None
        if self._file is None:
            self._file = self._filled(refs, checksums, cache, memo, (input_px, fit))
        self.pixels = self._file.pixels
        self.pixels.flags.writeable = False
        self.unreadable |= self._file.unreadable()

    def _filled(
        self, refs: Sequence[PhotoRef], checksums: list[str], cache: PixelCache | None, memo: PhotoMemo,
        settings: tuple[int, str],
    ) -> PixelFile:
        sources = cache.sources() if cache else {}
        file = cache.begin(len(refs)) if cache else None
        is_kept = file is not None
        file = file or self._temporary(len(refs), settings[0])
        filling = _Filling(refs, checksums, sources, file, settings)
        with ExitStack() as undo:
            if is_kept:
                undo.callback(cache.leave, file)
            undo.callback(memo.remember, refs, filling.read)
            done = run_threads(filling.fill, range(len(refs)))
            for _none in track(done, total=len(refs), label=_("Reading photos")):
                pass
            undo.pop_all()
        memo.remember(refs, filling.read)
        self.unreadable |= filling.unreadable
        if is_kept:
            cache.keep(file, checksums)
        return file

    def _temporary(self, count: int, px: int) -> PixelFile:
        folder = self._scratch.enter_context(scratch_folder())
        try:
            return PixelFile(folder / "pixels", count, px, "w+")
        except OSError as error:
            self._scratch.close()
            raise NpyLabelError(
                "disk_full", _("{path} has no room for {size} MB of pixels: {reason}.").format(
                    path=folder, size=count * row_bytes(px) // 2**20, reason=error.strerror),
                _("Free some room on this machine, or set TMPDIR to a folder on a larger disk.")) from error

    def readable(self) -> np.ndarray:
        """Indices of the photos that could be read, ascending, int64."""
        return np.array([i for i in range(len(self.pixels)) if i not in self.unreadable], dtype=np.int64)

    def __enter__(self) -> "PixelStore":
        return self

    def __exit__(self, *_error: object) -> None:
        del self.pixels
        if self._file:
            self._file.close()
        self._scratch.close()


class _Filling:
    """The work of one store: each photo copied from what is cached, or read and decoded.

    Attributes:
        checksums: SHA-256 by index, "" where not known; filled in as photos are read.
        read: [SHA-256] by index of the photos that were read.
        unreadable: reason codes by index of photos that did not even give their bytes.
    """

    def __init__(
        self, refs: Sequence[PhotoRef], checksums: list[str], sources: dict[str, tuple[PixelFile, int]],
        file: PixelFile, settings: tuple[int, str],
    ) -> None:
        self.refs, self.checksums, self.sources, self.file, self.settings = refs, checksums, sources, file, settings
        self.read: dict[int, list[str]] = {}
        self.unreadable: dict[int, str] = {}

    def fill(self, index: int) -> None:
        """Fill one square."""
        if self.checksums[index] and self._copied(index):
            return
        try:
            data = self.refs[index].read()
        except (OSError, *ZIP_ERRORS):
            self.checksums[index], self.unreadable[index] = "", "unreadable"
            return
        self.checksums[index] = sha256(data).hexdigest()
        self.read[index] = [self.checksums[index]]
        if not self._copied(index):
            self._decode(index, data)

    def _copied(self, index: int) -> bool:
        file, row = self.sources.get(self.checksums[index], (None, 0))
        found = file.get(row) if file else None
        if found:
            self.file.put(index, self.checksums[index], *found)
        return bool(found)

    def _decode(self, index: int, data: bytes) -> None:
        px, fit = self.settings
        try:
            pixels, code = decode_pixels(data, px, fit), ""
        except PhotoError as error:
            pixels, code = np.zeros((px, px, 3), np.uint8), error.code
        self.file.put(index, self.checksums[index], pixels, code)
