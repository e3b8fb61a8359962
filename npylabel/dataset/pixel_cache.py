"""Decoded photos that outlive the run, on the local disk: each photo is decoded once, whatever set it is in.

One file holds the pixels of one list of photos, in its order, so that it can be mapped as it is. It is written under
the name of its process and takes its place when it is whole; until then each of its rows is whole or not there. What a
killed run left is a source of rows like any other file.
"""

import math
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
from isal import isal_zlib

from npylabel.base.disks import is_slow_disk
from npylabel.base.scratch import abandoned, owned_prefix

# Where the cache is beyond this, or the disk has less than this share free, what was not used for longest goes.
MAX_BYTES = 10 * 2**30
MIN_FREE = 0.1
SUFFIX = ".pixels"
# What networks see in photos; made and read by the labeler.
FEATURES = ".features"
_THUMBNAILS = "thumbnails"
_PART, _LEFT = "part", "left-"
# Counts the changes of this project's own decoding and fitting.
_DECODING = 1
_DECODERS = ("pillow", "simplejpeg", "pillow-heif")
_RECORD = np.dtype([("sha256", "S64"), ("code", "S28"), ("crc", "<u4")])


def pixel_folder() -> Path | None:
    """The folder of all cached pixels, or None where there is no place for one: it is always on a local disk."""
    try:
        user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "npylabel"
    except RuntimeError:  # A user without a home.
        user = Path(tempfile.gettempdir()) / "npylabel"
    folder = Path(os.environ.get("NPYLABEL_CACHE") or user).absolute() / "pixels"
    return None if is_slow_disk(folder) else folder


def thumbnail_folder() -> Path | None:
    """The folder of the small pictures, a part of the cache; None where there is no place for one."""
    folder = pixel_folder()
    return folder / _THUMBNAILS if folder else None


def cached_files() -> list[Path]:
    """All files of the cache but those that are being written, those that were not used for longest first."""
    folder = pixel_folder()
    kinds = (f"*/*{SUFFIX}", "*.json", f"*{FEATURES}", f"{_THUMBNAILS}/*/*.jpg")
    found = [path for kind in kinds for path in folder.glob(kind)] if folder else []
    dead = {path for each in {path.parent for path in found} for path in abandoned(each, _PART)}
    return sorted((path for path in found if path in dead or not path.name.startswith(f"{_PART}-")),
                  key=lambda path: (_last_use(path), path))


def remove_pixel_cache() -> int:
    """How many bytes became free: all that is cached goes; runs that use it now go on."""
    return sum(map(_removed, cached_files()))


@cache
def decoders() -> str:
    """Eight digits that change with the libraries that decode."""
    text = " ".join([str(_DECODING), *map(version, _DECODERS)])
    return sha256(text.encode()).hexdigest()[:8]


class PixelFile:
    """Squares of pixels in one file, and for each of them a record that says that it is whole.

    Args:
        path: the file.
        count: number of squares.
        px: their side.
        mode: "w+" makes the file of zeros and takes its room at once: a disk that fills up under a mapped file kills
            the process. "r" reads it.

    Attributes:
        pixels: ``(count, px, px, 3)`` uint8.
        records: ``(count,)`` with fields sha256, code and crc; sha256 is empty where the square is not there.

    Raises:
        OSError: where there is no room.
    """

    def __init__(self, path: Path, count: int, px: int, mode: str) -> None:
        self.path, shape = path, (count, px, px, 3)
        size = math.prod(shape)
        if mode == "w+":
            with path.open("xb") as room:
                _take_room(room.fileno(), count * row_bytes(px))
            mode = "r+"
        self.pixels = np.memmap(path, np.uint8, mode, shape=shape)
        self.records = np.memmap(path, _RECORD, mode, offset=size, shape=(count,))

    def put(self, row: int, checksum: str, pixels: np.ndarray, code: str = "") -> None:
        """Fill one square; its record comes last and vouches for it, in case that the machine stops in between."""
        self.pixels[row] = pixels
        self.records[row] = (checksum, code, _crc(checksum, code, pixels))

    def get(self, row: int) -> tuple[np.ndarray, str] | None:
        """(pixels, code) of a square, or None where its record does not vouch for it."""
        checksum, code, crc = self.records[row].tolist()
        pixels = np.ascontiguousarray(self.pixels[row])
        return (pixels, code.decode()) if crc == _crc(checksum.decode(), code.decode(), pixels) else None

    def unreadable(self) -> dict[int, str]:
        """Reason codes by row, of the photos whose content is none."""
        return {int(row): self.records["code"][row].decode() for row in np.flatnonzero(self.records["code"] != b"")}

    def close(self) -> None:
        """Let go of the file."""
        del self.pixels, self.records


def row_bytes(px: int) -> int:
    """Room of one square and its record."""
    return 3 * px * px + _RECORD.itemsize


def _crc(checksum: str, code: str, pixels: np.ndarray) -> int:
    return isal_zlib.crc32(f"{checksum} {code}".encode(), isal_zlib.crc32(np.ascontiguousarray(pixels)))


def _take_room(handle: int, size: int) -> None:
    try:
        os.posix_fallocate(handle, 0, size)
    except AttributeError:  # Not on macOS and Windows.
        os.truncate(handle, size)


@dataclass(frozen=True)
class PixelCache:
    """The cached pixels of one side and one way to fit, in a folder of their own.

    Attributes:
        folder: theirs.
        px: side of the squares.
    """

    folder: Path
    px: int

    @classmethod
    def of(cls, px: int, fit: str) -> "PixelCache | None":
        """The cache for these settings and today's decoders, or None where no cache can be."""
        top = pixel_folder()
        if top is None:
            return None
        folder = top / f"{px}-{fit}-{decoders()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return cls(folder, px)

    def find(self, checksums: Sequence[str]) -> PixelFile | None:
        """The file of just these photos in this order, opened to read, or None."""
        path = self.folder / _name(checksums)
        found = self._open(path)
        if found is None or found.records["sha256"].tolist() != [text.encode() for text in checksums]:
            return None
        with suppress(OSError):
            os.utime(path)  # It was used now.
        return found

    def _open(self, path: Path) -> PixelFile | None:
        # Of a file that was cut, the checksums say so.
        count = _size(path) // row_bytes(self.px)
        if not count:
            return None
        try:
            return PixelFile(path, count, self.px, "r")
        except (OSError, ValueError):  # Another process removed it.
            return None

    def sources(self) -> dict[str, tuple[PixelFile, int]]:
        """File and row by SHA-256 of the photo, of all that is whole here; what others are writing now included."""
        found = {}
        for path in self._files():
            file = self._open(path)
            if file:
                found |= {checksum.decode(): (file, row)
                          for row, checksum in enumerate(file.records["sha256"].tolist()) if checksum}
        return found

    def begin(self, count: int) -> PixelFile | None:
        """A new file of this process, or None where there is no room for it."""
        path = self.folder / f"{owned_prefix(_PART)}{secrets.token_hex(4)}{SUFFIX}"
        try:
            return PixelFile(path, count, self.px, "w+") if make_room(count * row_bytes(self.px)) else None
        except OSError:
            _removed(path)
            return None

    def keep(self, file: PixelFile, checksums: Sequence[str]) -> None:
        """Give a file that is whole its lasting name; what it makes needless goes."""
        file.pixels.flush()
        file.records.flush()
        target = self.folder / _name(checksums)
        # Where a file in use cannot be renamed (Windows), or somebody emptied the cache, this run goes on without.
        with suppress(OSError):
            file.path.replace(target)
            # By this name other processes open what is mapped here.
            file.path = file.pixels.filename = target
            self._clean(target, set(checksums))

    def leave(self, file: PixelFile) -> None:
        """Give up a file that is not whole; its rows serve the next one."""
        file.close()
        with suppress(OSError):
            file.path.replace(self.folder / f"{_LEFT}{time.time_ns()}{SUFFIX}")

    def _files(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob(f"*{SUFFIX}"))

    def _clean(self, kept: Path, checksums: set[str]) -> None:
        """Remove what killed runs left, and files that hold nothing but photos that the kept one holds as well."""
        gone = {*abandoned(self.folder, _PART)}
        for path in self._files():
            is_whole = re.fullmatch(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}", path.name)
            other = self._open(path) if path != kept and is_whole else None
            if path.name.startswith(_LEFT) or (other and {
                    text.decode() for text in other.records["sha256"].tolist()} <= checksums):
                gone.add(path)
        for path in gone:
            _removed(path)


def make_room(needed: int) -> bool:
    """Whether so many bytes may be added to the cache; the files that were not used for longest go for it.

    Raises:
        OSError: where the disk does not tell its room.
    """
    disk = shutil.disk_usage(pixel_folder())
    sizes = {path: _size(path) for path in cached_files()}
    total, spare = sum(sizes.values()), disk.free - MIN_FREE * disk.total
    if needed > MAX_BYTES or needed > spare + total:
        return False
    for path in sizes:
        if total + needed > MAX_BYTES or needed > spare:
            removed = _removed(path)
            total, spare = total - removed, spare + removed
    return total + needed <= MAX_BYTES and needed <= spare


def _name(checksums: Sequence[str]) -> str:
    return sha256("\n".join(checksums).encode()).hexdigest() + SUFFIX


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # Another process removed it.
        return 0


def _last_use(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _removed(path: Path) -> int:
    """Bytes of the file that was removed, 0 where it stays: Windows keeps files that are in use."""
    size = _size(path)
    try:
        path.unlink()
    except OSError:
        return 0
    return size
