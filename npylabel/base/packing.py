"""Archives: tar files in which some hundred files travel as one."""

import hashlib
import os
import shutil
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from npylabel.base.files import atomic_path
from npylabel.base.groups import group_of
from npylabel.base.store import SavedFile

# Large enough that a whole dataset is some dozen files, small enough to be sent again after a fault.
ARCHIVE_BYTES = 200 * 2**20


class _Hashed:
    """A file that is read once, with the checksum of what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


def pack(root: Path, paths: Iterable[str], archive: Path) -> dict[str, SavedFile]:
    """What was packed, by path; files that are gone meanwhile are left out. The archive's name is to be given.

    A file that is replaced meanwhile is packed as it was before or after; one that grows, as it was when it was
    opened.
    """
    packed = {}
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            try:
                file = (root / path).open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            with file:
                status, hashed = os.fstat(file.fileno()), _Hashed(file)
                entry = tarfile.TarInfo(path)
                entry.size, entry.mtime = status.st_size, status.st_mtime_ns // 10**9
                tar.addfile(entry, hashed)
            packed[path] = SavedFile(hashed.digest.hexdigest(), status.st_size, status.st_mtime_ns, "")
    return packed


def unpack(root: Path, archive: Path, files: Mapping[str, SavedFile]) -> dict[str, SavedFile]:
    """The files that were taken out of an archive, by path; each appears whole or not at all, with its time."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, file in files.items():
        paths[file.member or path].append(path)
    unpacked = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            for path in paths[member.name] if member.isreg() else ():
                with atomic_path(root / path) as temporary:
                    with temporary.open("wb") as target:
                        shutil.copyfileobj(tar.extractfile(member), target, 2**20)
                    os.utime(temporary, ns=(files[path].mtime_ns, files[path].mtime_ns))
                unpacked[path] = files[path]
    return unpacked


def batches(sizes: Mapping[str, int]) -> list[tuple[str, list[str]]]:
    """(group, paths) of each archive for files of these sizes; within a group the order of the paths is kept."""
    found: list[tuple[str, list[str]]] = []
    open_batch: dict[str, tuple[list[str], int]] = {}
    for path, size in sizes.items():
        group = group_of(path)
        batch, filled = open_batch.get(group, ([], 0))
        if not batch or filled + size > ARCHIVE_BYTES:
            batch, filled = [], 0
            found.append((group, batch))
        batch.append(path)
        open_batch[group] = (batch, filled + size)
    return found
