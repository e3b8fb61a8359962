"""Everything that programs do to files, through the libraries that they use: what it returns and leaves behind."""

# What the layer stands before is called by its own name here.
# ruff: noqa: PTH102, PTH104, PTH105, PTH106, PTH108, PTH116, PTH202, SIM115

import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

DATA = bytes(range(256)) * 1000


def through_pathlib(root: Path) -> list[object]:
    """Write, read, list, rename and remove."""
    folder = root / "один" / "deep"
    folder.mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.txt").write_text("ёлка\nx\r\n", encoding="utf-8")
    (folder / "b.bin").write_bytes(DATA)
    (folder / "c").touch()
    (folder / "a.txt").rename(folder / "z.txt")
    (folder / "z.txt").replace(folder / "c")
    (folder / "d").write_bytes(b"1")
    (folder / "d").unlink()
    (folder / "gone").unlink(missing_ok=True)
    return [
        (folder / "c").read_text(encoding="utf-8"), (folder / "b.bin").read_bytes() == DATA,
        sorted(path.name for path in folder.iterdir()), sorted(path.name for path in root.rglob("*")),
        (folder / "b.bin").stat().st_size, (folder / "b.bin").is_file(), folder.is_dir(), (folder / "x").exists(),
        [len(names) for _folder, _folders, names in os.walk(root)], os.path.getsize(folder / "b.bin"),
    ]


def through_open(root: Path) -> list[object]:
    """Every mode of ``open``."""
    path, found = root / "modes", []
    with open(path, "x", newline="\r\n") as file:
        found += [file.write("one\ntwo\n"), file.mode, file.name == str(path)]
    with open(str(path), "ab") as file:
        found += [file.tell(), file.write(b"three"), file.tell()]
    with open(os.fsencode(path), "r+b") as file:
        found += [file.read(4), file.seek(2), file.write(b"E"), file.seek(0, io.SEEK_END), file.truncate(10)]
    with open(path, "rb", buffering=0) as file:
        found += [file.read(3), file.readinto(bytearray(4)), file.readall(), file.readable(), file.writable()]
    with open(path, "w+", encoding="utf-8") as file:
        found += [file.write("ж" * 9000), file.flush(), file.seek(0), file.read() == "ж" * 9000]
    with open(path, encoding="utf-8") as file:
        found += [len(line) for line in file]
    with path.open("rb") as file:
        found += [file.peek(2)[:2], file.read(2), os.pread(file.fileno(), 2, 4), os.fstat(file.fileno()).st_size]
    return found


def through_descriptors(root: Path) -> list[object]:
    """``os.open`` and those that take what it gives."""
    fd = os.open(root / "fd", os.O_RDWR | os.O_CREAT, 0o644)
    found = [os.write(fd, b"abcdef"), os.lseek(fd, 1, 0), os.read(fd, 2), os.pwrite(fd, b"X", 0), os.fsync(fd)]
    os.ftruncate(fd, 5)
    with os.fdopen(fd, "rb+") as file:
        file.seek(0)
        found.append(file.read())
    os.truncate(root / "fd", 2)
    folder = os.open(root, os.O_RDONLY)
    inner = os.open("fd", os.O_RDONLY, dir_fd=folder)
    found += [os.read(inner, 9), os.stat("fd", dir_fd=folder).st_size, sorted(os.listdir(folder))]
    os.close(inner)
    os.rename("fd", "fe", src_dir_fd=folder, dst_dir_fd=folder)
    os.close(folder)
    with os.scandir(root) as entries:
        found += sorted((entry.name, entry.is_file(), entry.is_dir(), entry.stat().st_size) for entry in entries)
    return found


def through_archives(root: Path) -> list[object]:
    """Tar, zip and gzip, written there and read from there."""
    (root / "in").mkdir()
    for number in range(5):
        (root / "in" / f"{number}.bin").write_bytes(DATA[: number * 50_000])
    for mode in ("w", "w:gz"):
        with tarfile.open(root / "t.tar", mode) as tar:
            tar.add(root / "in", "in")
        with tarfile.open(root / "t.tar") as tar:
            tar.extractall(root / mode.replace(":", "-"), filter="data")
    with zipfile.ZipFile(root / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(root / "in" / "3.bin", "3.bin")
        archive.writestr("text", "text")
    with zipfile.ZipFile(root / "z.zip", "a") as archive:
        archive.writestr("more", "more")
        archive.extractall(root / "unzipped")
    with gzip.open(root / "g.gz", "wb") as file:
        file.write(DATA)
    with gzip.open(root / "g.gz") as file:
        found = [file.read() == DATA]
    (root / "g.gz").unlink()
    (root / "t.tar").unlink()
    (root / "z.zip").unlink()
    return [*found, Path(shutil.make_archive(str(root / "made"), "tar", root / "in")).stat().st_size > 500_000]


def through_shutil(root: Path) -> list[object]:
    """Copies, moves and removals, also across the border."""
    with tempfile.TemporaryDirectory() as name:
        outside = Path(name)
        (outside / "big").write_bytes(DATA * 9)
        found = [shutil.copy2(outside / "big", root / "big") == str(root / "big") or True]
        shutil.copyfile(root / "big", outside / "back")
        found.append((outside / "back").read_bytes() == DATA * 9)
        shutil.copytree(root, outside / "tree")
        shutil.copytree(outside / "tree", root / "tree")
        shutil.move(outside / "tree" / "big", root / "moved in")
        shutil.move(root / "big", outside / "moved out")
        found.append(sorted(path.name for path in outside.iterdir()))
    shutil.copytree(root / "tree", root / "tree 2")
    shutil.move(root / "tree 2", root / "tree 3")
    shutil.rmtree(root / "tree")
    with tempfile.NamedTemporaryFile(dir=root, suffix=".tmp") as file:
        found += [file.write(b"x"), Path(file.name).suffix]
    fd, name = tempfile.mkstemp(dir=root)
    os.close(fd)
    Path(name).replace(root / "made")
    return found


def errors(root: Path) -> list[object]:
    """The exceptions of wrong calls."""
    (root / "file").touch()
    (root / "folder").mkdir()
    calls: list[Callable] = [
        lambda: open(root / "none"), lambda: open(root / "folder"), lambda: open(root / "file", "x"),
        lambda: open(root / "file", "rw"), lambda: open(root / "file", "rb", encoding="utf-8"),
        lambda: os.mkdir(root / "folder"), lambda: os.mkdir(root / "a" / "b"), lambda: os.rmdir(root / "file"),
        lambda: os.unlink(root / "folder"), lambda: os.unlink(root / "none"), lambda: os.listdir(root / "file"),
        lambda: os.rename(root / "none", root / "x"), lambda: os.replace(root / "folder", root / "file"),
        lambda: os.stat(root / "file" / "x"), lambda: os.scandir(root / "none"),
        lambda: open(root / "file").write("x"), lambda: open(root / "file", "w").read(), lambda: os.stat("\0"),
    ]
    found = []
    for call in calls:
        try:
            found.append(call())
        except OSError as error:
            found.append((type(error).__name__, error.errno, str(error).replace(str(root), "")))
        except ValueError as error:
            found.append(type(error).__name__)
    return found


PARTS = (through_pathlib, through_open, through_descriptors, through_archives, through_shutil, errors)


def exercise(root: Path) -> dict[str, object]:
    """The results of all parts, each in a folder of its own below ``root``."""
    found = {}
    for part in PARTS:
        (root / part.__name__).mkdir()
        found[part.__name__] = part(root / part.__name__)
    return found


def tree(root: Path) -> dict[str, bytes | None]:
    """The bytes of every file below ``root``, and None for a folder; without archives, which hold the time."""
    return {path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(root.rglob("*")) if path.name != "made.tar"}
