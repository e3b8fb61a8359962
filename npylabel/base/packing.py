"""Archives: tar files in which some hundred files travel as one."""

import hashlib
import os
import shutil
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from npylabel.base.files import atomic_path, sha256_file
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
    return dict(_unpacked(root, archive, files))


def salvage(root: Path, archive: Path, files: Mapping[str, SavedFile]) -> dict[str, SavedFile]:
    """The same for a damaged archive: those of the files that are whole in it."""
    unpacked = {}
    with suppress(tarfile.TarError, ValueError, FileNotFoundError):
        for path, file in _unpacked(root, archive, files, checked=True):
            unpacked[path] = file
    return unpacked


def _unpacked(
    root: Path, archive: Path, files: Mapping[str, SavedFile], *, checked: bool = False
) -> Iterator[tuple[str, SavedFile]]:
    paths: dict[str, list[str]] = defaultdict(list)
    for path, file in files.items():
        paths[file.member or path].append(path)
    with tarfile.open(archive) as tar:
        for member in tar:
            for path in paths[member.name] if member.isreg() else ():
                try:
                    with atomic_path(root / path) as temporary:
                        _extract(tar, member, temporary, files[path], checked=checked)
                except _DamagedError:
                    continue
                yield path, files[path]


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, file: SavedFile, *, checked: bool) -> None:
    with target.open("wb") as writer:
        shutil.copyfileobj(tar.extractfile(member), writer, 2**20)
    if checked and sha256_file(target) != file.sha256:
        raise _DamagedError
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))


class _DamagedError(Exception):
    """A file in an archive is not what was packed."""


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
