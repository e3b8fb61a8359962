"""``open()`` for files on the Drive: Python's own buffers over a file whose every read and write is an operation."""

import io
import os
from collections.abc import Callable

from tests.colab.drive_layer import Layer


class DriveFile(io.FileIO):
    """A raw file on the Drive; ``file`` is a path or a descriptor of the Drive."""

    def __init__(self, layer: Layer, file: object, mode: str, closefd: bool, opener: Callable | None) -> None:
        self._layer, self._closefd = layer, closefd
        super().__init__(file, mode, closefd, opener or (lambda path, flags: layer.open(path, flags, 0o666)))
        self._opened = layer.opened(self.fileno())

    def _alive(self) -> bool:
        return self._opened is not None and not self.closed

    def readinto(self, buffer: object) -> int | None:
        if not self._alive():
            return super().readinto(buffer)
        return self._layer.read(self._opened, lambda: super(DriveFile, self).readinto(buffer), int)

    def read(self, size: int = -1) -> bytes | None:
        if not self._alive():
            return super().read(size)
        if size is None or size < 0:
            return self.readall()
        return self._layer.read(self._opened, lambda: super(DriveFile, self).read(size))

    def readall(self) -> bytes:
        if not self._alive():
            return super().readall()
        return self._layer.read(self._opened, super().readall)

    def write(self, data: object) -> int | None:
        if not self._alive() or not self.writable():
            return super().write(data)
        view = memoryview(data).cast("B")
        return self._layer.write(self._opened, len(view), lambda count: super(DriveFile, self).write(view[:count]))

    def truncate(self, size: int | None = None) -> int:
        if not self._alive():
            return super().truncate(size)
        return self._layer.run("truncate", lambda: super(DriveFile, self).truncate(size), self.name)

    def close(self) -> None:
        if getattr(self, "_opened", None) is None or self.closed or not self._closefd:
            super().close()
        else:
            self._layer.close(self._opened, super().close)


def open_file(
    layer: Layer, file: object, mode: str = "r", buffering: int = -1, encoding: str | None = None,
    errors: str | None = None, newline: str | None = None, closefd: bool = True, opener: Callable | None = None,
) -> io.IOBase:
    """As ``open()``; what is not on the Drive is opened by Python's own."""
    if layer.locate(file) is None:
        return layer.real["open"](file, mode, buffering, encoding, errors, newline, closefd, opener)
    binary, plain = "b" in mode, "".join(letter for letter in mode if letter not in "btU")
    if not binary and buffering == 0:
        raise ValueError("can't have unbuffered text I/O")
    if binary and (encoding or errors or newline):
        raise ValueError("binary mode doesn't take an encoding, errors or newline argument")
    raw = DriveFile(layer, file if isinstance(file, int) else os.fspath(file), plain, closefd, opener)
    result: io.IOBase = raw
    try:
        if buffering == 0:
            return raw
        result = _buffered(raw, plain, buffering if buffering > 1 else _block_size(layer, raw))
        if binary:
            return result
        result = io.TextIOWrapper(result, encoding, errors, newline, line_buffering=buffering == 1)
        result.mode = mode
        return result
    except BaseException:
        result.close()
        raise


def _block_size(layer: Layer, raw: io.FileIO) -> int:
    return max(layer.real["os.fstat"](raw.fileno()).st_blksize, io.DEFAULT_BUFFER_SIZE)


def _buffered(raw: io.FileIO, mode: str, size: int) -> io.BufferedIOBase:
    if "+" in mode:
        return io.BufferedRandom(raw, size)
    return io.BufferedReader(raw, size) if mode == "r" else io.BufferedWriter(raw, size)
