"""A folder on a disk that is slow, late and sometimes gone: Google Drive in Colab, a network disk elsewhere."""

import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.patience import PASSING, Patience, retry

Result = TypeVar("Result")
_NO_ROOM = {errno.EDQUOT, errno.ENOSPC, errno.EFBIG}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM}
# A disk that knows no such attribute, or a file that has none.
_NO_ATTRIBUTE = {errno.ENODATA, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, *_NO_RIGHT}
_CHUNK_BYTES = 8 * 2**20
# A part that fails for longer is sent with the whole file again.
_ONE_PART_S = 5.0


class DamagedCopyError(Exception):
    """A file on the remote folder is missing or is not what was written."""


class RemoteFolder:
    """A flat folder of files.

    Every operation is tried again with growing pauses while the fault may pass.

    Args:
        folder: made with the first file; its parent has to be there.

    Attributes:
        hurry: while it is set, nothing is tried again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hurry = threading.Event()

    def sizes(self) -> dict[str, int]:
        """Size in bytes by name of the files that are visible now; {} where the folder does not exist.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``drive_readonly``.
        """
        # Each file is asked for by itself: on a bad Drive, one of many questions fails every time.
        found = {entry.name: self._patiently(lambda entry=entry: _size(entry))
                 for entry in self._patiently(self._entries, wait_for_name=True)}
        return {name: size for name, size in found.items() if size is not None}

    def _entries(self) -> list[os.DirEntry]:
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except FileNotFoundError:
            # A mount that dropped looks like a folder that was never there.
            os.stat(self.folder.parent)  # noqa: PTH116
            return []

    def refuse_readonly(self) -> None:
        """Raise ``NpyLabelError`` (``drive_readonly``) where nothing can be saved: before the work, not after it."""
        # A disk that does not answer may look so for a moment, and is another fault.
        if all(_forbids_writing(self.folder.parent) for _try in range(3)):
            raise self._error(OSError(errno.EROFS, os.strerror(errno.EROFS)))

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            NpyLabelError: ``drive_file_missing`` (at once), ``drive_gone``, ``drive_fault``, ``drive_readonly``.
        """
        return b"".join(self._parts(name))

    def _parts(self, name: str) -> Iterator[bytes]:
        """The bytes of a file in parts, each read patiently: hundreds of reads in a row do not succeed."""
        offset = 0
        while part := self._patiently(lambda: _part(self.folder / name, offset)):  # noqa: B023 - called at once
            yield part
            offset += len(part)

    def age_s(self, name: str) -> float:
        """Seconds since a file was last written; 0 where that is not known."""
        try:
            return max(0.0, time.time() - (self.folder / name).stat().st_mtime)
        except OSError:
            return 0.0

    def fetch(self, name: str, target: Path, sha256: str) -> None:
        """Copy a file here and compare it with its checksum.

        Raises:
            DamagedCopyError: where it is missing or still differs after all patience.
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``drive_readonly``, ``disk_full``, ``disk_fault``.
        """
        patience = Patience(self.hurry)
        while True:
            with suppress(_MissingError):
                if self._copy_here(name, target) == sha256:
                    return
            if not patience.wait():
                raise DamagedCopyError(name)

    def _copy_here(self, name: str, target: Path) -> str:
        digest = hashlib.sha256()
        with _here(target, lambda: target.open("wb", buffering=0)) as writer:
            for part in self._parts(name):
                digest.update(part)
                _here(target, lambda part=part: _write(writer, part))
        return digest.hexdigest()

    def _sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        for part in self._parts(name):
            digest.update(part)
        return digest.hexdigest()

    def store(self, name: str, source: Path) -> str:
        """Copy a file there, read it back and compare; its SHA-256.

        Raises:
            NpyLabelError: ``drive_full``, ``drive_readonly``, ``drive_gone``, ``drive_fault``, ``disk_fault``. What
                was written is removed then, unless the folder is out of reach.
        """
        wanted = _here(source, lambda: _sha256(source))
        done = False

        def put() -> None:
            # Not missing parents: a folder made under a lost mount would hide the mount that comes back.
            with suppress(FileExistsError):
                self.folder.mkdir()
            # Drive keeps the id of a file that is written over: it could not tell that the new bytes are not sent.
            (self.folder / name).unlink(missing_ok=True)
            _send(source, self.folder / name)
            with suppress(_MissingError):
                if self._sha256(name) == wanted:
                    return
            raise OSError(errno.EIO, "what was read back differs from what was written")

        try:
            self._patiently(put, wait_for_name=True)
            done = True
        finally:
            if not done:
                self.remove(name)
        return wanted

    def holds(self, name: str, size: int, sha256: str) -> bool:
        """Whether a file is there with this content; False where that cannot be told now."""
        path = self.folder / name
        try:
            return path.stat().st_size == size and _sha256(path) == sha256
        except OSError:
            return False

    def differs(self, name: str, sha256: str) -> bool:
        """Whether a file is there with another content.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``drive_readonly``.
        """
        try:
            return self._sha256(name) != sha256
        except _MissingError:
            return False

    def rename(self, name: str, target: str) -> None:
        """Give a file another name.

        Raises:
            NpyLabelError: ``drive_file_missing``, ``drive_gone``, ``drive_fault``, ``drive_readonly``.
        """
        self._patiently(lambda: (self.folder / name).rename(self.folder / target))

    def remove(self, name: str) -> None:
        """Remove a file; where that fails it stays, which costs room and nothing else."""
        path = self.folder / name
        with suppress(OSError):
            # Drive moves what is deleted into its trash, which counts for the quota: an empty file does not.
            os.truncate(path, 0)
        with suppress(OSError):
            path.unlink()

    def uploading(self, names: Iterable[str]) -> list[str]:
        """Those of the files that Drive has taken but not sent yet, or cannot tell about.

        Drive for desktop shows the id ``local-...`` until a file has one on the server. On disks that know no such
        ids every file that is there counts as sent.
        """
        return [name for name in names if _drive_id(self.folder / name).startswith(b"local")]

    def _patiently(self, action: Callable[[], Result], *, wait_for_name: bool = False) -> Result:
        patience = Patience(self.hurry)
        while True:
            try:
                return action()
            except OSError as error:
                passing = error.errno in PASSING or (wait_for_name and error.errno == errno.ENOENT)
                if not passing or not patience.wait():
                    raise self._error(error) from error

    def _error(self, error: OSError) -> NpyLabelError:
        what = _("{path} cannot be used: {reason}.").format(path=self.folder, reason=error.strerror or error)
        safe = _("What is done is safe on this machine until its session ends.")
        if error.errno in _NO_ROOM:
            return NpyLabelError("drive_full", f"{what} {safe}", _(
                "Make room on Drive and empty its trash (what lies there counts), then run the cell again: it only "
                "saves what is missing."))
        if error.errno in _NO_RIGHT:
            return NpyLabelError("drive_readonly", f"{what} {safe}", _(
                "Connect Drive with the right to write, or set save_dir to a folder that you may write to."))
        if error.errno == errno.ENOENT and self.folder.is_dir():
            return _MissingError("drive_file_missing", what, _(
                "Check that Drive is connected, then run the cell again."))
        code = "drive_gone" if error.errno in (errno.ENOENT, errno.ENOTCONN, errno.ESTALE) else "drive_fault"
        return NpyLabelError(code, f"{what} {safe}", _(
            "Run the setup cell again to connect Drive, then this cell: it goes on and saves what is missing."))


class _MissingError(NpyLabelError):
    """``drive_file_missing``: the folder is there, the file is not."""


def local_fault(path: Path, error: OSError) -> NpyLabelError:
    """The error for a fault of the local disk: ``disk_full`` or ``disk_fault``."""
    what = _("{path} cannot be used: {reason}.").format(path=error.filename or path, reason=error.strerror or error)
    if error.errno in _NO_ROOM:
        return NpyLabelError("disk_full", what, _("Free some room on this machine, then run the cell again."))
    return NpyLabelError("disk_fault", what, _("Check the folder and its rights, then run the cell again."))


def _forbids_writing(folder: Path) -> bool:
    try:
        return folder.is_dir() and not os.access(folder, os.W_OK)
    except OSError:
        return False


def _part(path: Path, offset: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(_CHUNK_BYTES)


def _here(path: Path, action: Callable[[], Result]) -> Result:
    """The result of something done on the local disk, whose faults are not those of the remote folder."""
    try:
        return action()
    except OSError as error:
        raise local_fault(path, error) from error


def _send(source: Path, target: Path) -> None:
    """Write a file there in parts, each tried a few times, so that one fault does not cost them all."""
    offset = 0
    with _here(source, lambda: source.open("rb")) as reader, target.open("wb", buffering=0) as writer:
        while part := _here(source, lambda: reader.read(_CHUNK_BYTES)):
            retry(lambda: _write_at(writer, offset, part), _ONE_PART_S)  # noqa: B023 - called at once
            offset += len(part)
        retry(lambda: os.fsync(writer.fileno()), _ONE_PART_S)


def _write_at(file: BinaryIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    _write(file, data)


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of the data to a file without a buffer, so that a full disk is told here and not on closing."""
    view = memoryview(data)
    while view:
        view = view[file.write(view):]


def _size(entry: os.DirEntry) -> int | None:
    """Size of a file; None for other things, and for one that was removed, or that Drive has not forgotten yet."""
    try:
        return entry.stat().st_size if entry.is_file() else None
    except FileNotFoundError:
        return None


def _sha256(path: Path) -> str:
    # In large pieces: each question to Drive takes long.
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _drive_id(path: Path) -> bytes:
    try:
        return os.getxattr(path, "user.drive.id")
    except AttributeError:  # A system without extended attributes.
        return b""
    except OSError as error:
        return b"" if error.errno in _NO_ATTRIBUTE else b"local"
