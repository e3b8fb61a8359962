"""The functions of ``os`` as they are on the Drive, each by its name; for other paths they are Python's own."""

import os
from collections.abc import Callable, Iterator
from functools import partial

from tests.colab.drive_layer import Layer

# Functions of one path that change nothing in the cloud, and the kind under which they are counted.
PLAIN = {
    "stat": "stat", "lstat": "stat", "access": "stat", "listdir": "list", "readlink": "stat", "chdir": "stat",
    "chmod": "attribute", "lchmod": "attribute", "chown": "attribute", "lchown": "attribute", "utime": "attribute",
    "listxattr": "attribute", "setxattr": "attribute", "removexattr": "attribute",
}
# Functions of one path that change the cloud: the kind, and how the change is noted.
CHANGING = {
    "mkdir": ("mkdir", "before_mkdir"), "rmdir": ("rmdir", "before_rmdir"), "unlink": ("remove", "before_remove"),
    "remove": ("remove", "before_remove"),
}
# Functions of an open file that move no bytes.
OF_DESCRIPTORS = {"fstat": "stat", "fsync": "sync", "fdatasync": "sync", "ftruncate": "truncate"}
# Functions of two paths.
OF_TWO = ("rename", "replace", "link", "symlink")
OTHERS = ("open", "close", "read", "write", "pread", "pwrite", "sendfile", "copy_file_range", "scandir", "truncate",
          "getxattr", "statvfs")
NAMES = (*PLAIN, *CHANGING, *OF_DESCRIPTORS, *OF_TWO, *OTHERS)
ID_ATTRIBUTE = "user.drive.id"


def functions(layer: Layer) -> dict[str, Callable]:
    """The replacements, by names such as ``os.stat``."""
    calls = {name: partial(_plain, name, kind) for name, kind in PLAIN.items()}
    calls |= {name: partial(_changing, name, *how) for name, how in CHANGING.items()}
    calls |= {name: partial(_of_descriptor, name, kind) for name, kind in OF_DESCRIPTORS.items()}
    calls |= {name: partial(_rename, name) for name in ("rename", "replace")}
    calls |= {name: partial(_link, name) for name in ("link", "symlink")}
    calls |= {"close": _close, "read": _read, "write": _write, "pread": _pread, "pwrite": _pwrite, "scandir": _scandir,
              "sendfile": _sendfile, "copy_file_range": _copy_file_range, "truncate": _truncate, "getxattr": _getxattr,
              "statvfs": _statvfs}
    found = {f"os.{name}": partial(call, layer) for name, call in calls.items() if f"os.{name}" in layer.real}
    return found | {"os.open": layer.open}


def _plain(name: str, kind: str, layer: Layer, path: object = ".", *arguments: object, **options: object) -> object:
    function = partial(layer.real[f"os.{name}"], path, *arguments, **options)
    if layer.locate(path, options.get("dir_fd")) is None:
        return function()
    return layer.run(kind, function, path)


def _changing(
    name: str, kind: str, noted: str, layer: Layer, path: object, *arguments: object, **options: object
) -> object:
    function = partial(layer.real[f"os.{name}"], path, *arguments, **options)
    place = layer.locate(path, options.get("dir_fd"))
    if place is None:
        return function()
    return layer.run(kind, function, path, partial(getattr(layer.changes, noted), place))


def _of_descriptor(name: str, kind: str, layer: Layer, fd: object, *arguments: object) -> object:
    function = partial(layer.real[f"os.{name}"], fd, *arguments)
    opened = layer.opened(fd if isinstance(fd, int) else fd.fileno())
    return function() if opened is None else layer.run(kind, function, opened.path)


def _rename(name: str, layer: Layer, src: object, dst: object, *, src_dir_fd: int | None = None,
            dst_dir_fd: int | None = None) -> None:
    function = partial(layer.real[f"os.{name}"], src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    source, target = layer.locate(src, src_dir_fd), layer.locate(dst, dst_dir_fd)
    if source is None and target is None:
        return function()
    if source is None or target is None:
        # Drive is a file system of its own.
        raise layer.error("EXDEV", src)
    return layer.run("rename", function, src, partial(layer.changes.before_rename, source, target))


def _link(name: str, layer: Layer, src: object, dst: object, *arguments: object, **options: object) -> None:
    if layer.locate(dst, options.get("dst_dir_fd", options.get("dir_fd"))) is not None:
        layer.strike(layer.begin("attribute", dst), late=False)
        raise layer.error("EOPNOTSUPP", dst)
    layer.real[f"os.{name}"](src, dst, *arguments, **options)


def _truncate(layer: Layer, path: object, length: int) -> None:
    function, place = partial(layer.real["os.truncate"], path, length), layer.locate(path)
    if place is None:
        return function()
    if isinstance(path, int):
        return layer.run("truncate", function, place)

    def before() -> None:
        layer.changes.before_write(place)
        layer.changes.closed(place)

    return layer.run("truncate", function, path, before)


def _getxattr(layer: Layer, path: object, attribute: object, *, follow_symlinks: bool = True) -> bytes:
    function = partial(layer.real["os.getxattr"], path, attribute, follow_symlinks=follow_symlinks)
    place = layer.locate(path)
    if place is None:
        return function()
    if os.fsdecode(attribute) != ID_ATTRIBUTE:
        return layer.run("attribute", function, path)
    return layer.run("attribute", partial(_drive_id, layer, path, place), path)


def _drive_id(layer: Layer, path: object, place: str) -> bytes:
    inode = layer.real["os.stat"](path).st_ino
    with layer.state.locked():
        row = layer.state.row(place)
    # A file that was only changed, or only moved, is known in the cloud already and keeps its id.
    if row and (row["kind"] == "mkdir" or (row["kind"] == "write" and (row["replaced"] or not row["old"]))):
        return b"local-%d" % row["n"]
    return b"1-stub-%d" % inode


def _statvfs(layer: Layer, path: object) -> os.statvfs_result:
    function = partial(layer.real["os.statvfs"], path)
    if layer.locate(path) is None:
        return function()
    result, quota = layer.run("stat", function, path), layer.settings.quota_bytes
    if quota is None:
        return result
    block = 4096
    free = max(0, quota - layer.state.used_bytes()) // block
    return os.statvfs_result((block, block, quota // block, free, free, *result[5:]))


# --- bytes ------------------------------------------------------------------------------------------------------------


def _close(layer: Layer, fd: int) -> None:
    opened, function = layer.opened(fd), partial(layer.real["os.close"], fd)
    if opened is None:
        function()
    else:
        layer.close(opened, function)


def _read(layer: Layer, fd: int, length: int) -> bytes:
    opened, function = layer.opened(fd), partial(layer.real["os.read"], fd, length)
    return function() if opened is None else layer.read(opened, function)


def _pread(layer: Layer, fd: int, length: int, offset: int) -> bytes:
    opened, function = layer.opened(fd), partial(layer.real["os.pread"], fd, length, offset)
    return function() if opened is None else layer.read(opened, function)


def _write(layer: Layer, fd: int, data: object) -> int:
    opened, real = layer.opened(fd), layer.real["os.write"]
    if opened is None:
        return real(fd, data)
    view = memoryview(data).cast("B")
    return layer.write(opened, len(view), lambda count: real(fd, view[:count]))


def _pwrite(layer: Layer, fd: int, data: object, offset: int) -> int:
    opened, real = layer.opened(fd), layer.real["os.pwrite"]
    if opened is None:
        return real(fd, data, offset)
    view = memoryview(data).cast("B")
    return layer.write(opened, len(view), lambda count: real(fd, view[:count], offset))


def _sendfile(layer: Layer, out_fd: int, in_fd: int, offset: int, count: int) -> int:
    real = layer.real["os.sendfile"]
    return _copy(layer, in_fd, out_fd, count, offset, lambda part: real(out_fd, in_fd, offset, part))


def _copy_file_range(layer: Layer, src: int, dst: int, count: int, offset_src: int | None = None,
                     offset_dst: int | None = None) -> int:
    real = layer.real["os.copy_file_range"]
    return _copy(layer, src, dst, count, offset_src, lambda part: real(src, dst, part, offset_src, offset_dst))


def _copy(
    layer: Layer, source: int, target: int, count: int, offset: int | None, copy: Callable[[int], int]
) -> int:
    """Copy between two descriptors, of which either may be the Drive's."""
    reading, writing = layer.opened(source), layer.opened(target)
    if writing:
        start = os.lseek(source, 0, os.SEEK_CUR) if offset is None else offset
        count = min(count, max(0, layer.real["os.fstat"](source).st_size - start))
        if not count:
            return 0
    put = copy if reading is None else lambda part: layer.read(reading, partial(copy, part), int)
    return put(count) if writing is None else layer.write(writing, count, put)


# --- folders ----------------------------------------------------------------------------------------------------------


class Entry:
    """As ``os.DirEntry``; asking for more than it was listed with is an operation."""

    def __init__(self, layer: Layer, entry: os.DirEntry) -> None:
        self._layer, self._entry = layer, entry
        self.name, self.path = entry.name, entry.path
        self.inode, self.is_symlink = entry.inode, entry.is_symlink
        self.is_dir, self.is_file = entry.is_dir, entry.is_file

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self._layer.run("stat", partial(self._entry.stat, follow_symlinks=follow_symlinks), self.path)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return repr(self._entry)


class Listing:
    """As the iterator of ``os.scandir``."""

    def __init__(self, layer: Layer, listing: Iterator[os.DirEntry]) -> None:
        self._layer, self._listing = layer, listing

    def __iter__(self) -> "Listing":
        return self

    def __next__(self) -> Entry:
        return Entry(self._layer, next(self._listing))

    def __enter__(self) -> "Listing":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._listing.close()


def _scandir(layer: Layer, path: object = ".") -> object:
    function = partial(layer.real["os.scandir"], path)
    if layer.locate(path) is None:
        return function()
    return Listing(layer, layer.run("list", function, path))
