"""Files that never exist half-way, and their checksums."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMP_PREFIX = ".tmp-npylabel-"


@contextmanager
def atomic_path(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    Args:
        path: the final file; its folder is made when missing.
        durable: wait until the bytes are on the disk (for the files that others depend on;
            too slow for tens of thousands of pictures, which are checked before they are trusted).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMP_PREFIX, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        if durable:
            _flush(temporary)
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all, and on the disk when this returns."""
    write_bytes(path, text.encode("utf-8"), durable=True)


def sha256_file(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink()) if folder.is_dir() else []


def leftovers(folder: Path) -> list[Path]:
    """Temporary files that a killed run left directly in ``folder``."""
    return sorted(folder.glob(TEMP_PREFIX + "*")) if folder.is_dir() else []


def remove_leftovers(*folders: Path) -> int:
    """How many temporary files of killed runs were removed from the folders."""
    found = [path for folder in folders for path in leftovers(folder)]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _umask() -> int:
    # The only portable way to read the mask is to set it; mkstemp's 0600 would lock out other users of a shared folder.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
