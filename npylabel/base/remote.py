"""A folder on a disk that is slow, late and sometimes gone: Google Drive in Colab, a network disk elsewhere."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

Result = TypeVar("Result")
# What a mounted Drive says while it reconnects. A name that is not there yet may be late.
_PASSING = {errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR,
            errno.ECONNRESET, errno.ECONNABORTED, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENOENT}
_NO_ROOM = {errno.EDQUOT, errno.ENOSPC, errno.EFBIG}
_NO_RIGHT = {errno.EROFS, errno.EACCES, errno.EPERM}
_CHUNK_BYTES = 8 * 2**20
_LONGEST_WAIT_S = 15.0


class DamagedCopyError(Exception):
    """A file on the remote folder is missing or is not what was written."""


def patience_s() -> float:
    """Seconds for which a failing operation is tried again; ``NPYLABEL_DRIVE_PATIENCE_S`` changes them."""
    return float(os.environ.get("NPYLABEL_DRIVE_PATIENCE_S", "60"))


class RemoteFolder:
    """A flat folder of files that are written once and never changed.

    Every operation is tried again with growing pauses while the fault may pass.

    Args:
        folder: made with the first file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sizes(self) -> dict[str, int]:
        """Size in bytes by name of the files that are visible now; {} where the folder does not exist.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``.
        """
        return self._patiently(self._sizes)

    def _sizes(self) -> dict[str, int]:
        try:
            entries = list(os.scandir(self.folder))
        except FileNotFoundError:
            # A mount that dropped looks like a folder that was never there.
            os.stat(self.folder.parent)  # noqa: PTH116
            return {}
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            NpyLabelError: ``drive_gone``, ``drive_fault``.
        """
        return self._patiently((self.folder / name).read_bytes)

    def fetch(self, name: str, target: Path, sha256: str) -> None:
        """Copy a file here and compare it with its checksum.

        Raises:
            DamagedCopyError: where it still differs after all patience.
            NpyLabelError: ``drive_gone``, ``drive_fault``, ``disk_full``.
        """
        deadline, pause = time.monotonic() + patience_s(), 0.5
        while True:
            try:
                if self._patiently(lambda: _copy(self.folder / name, target)) == sha256:
                    return
            except NpyLabelError as error:
                if error.code != "drive_file_missing":
                    raise
            if time.monotonic() > deadline:
                raise DamagedCopyError(name)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT_S)

    def store(self, name: str, source: Path) -> str:
        """Copy a file there, read it back and compare; its SHA-256.

        Raises:
            NpyLabelError: ``drive_full``, ``drive_readonly``, ``drive_gone``, ``drive_fault``. Nothing whole is left
                behind under the name then.
        """
        wanted = _sha256(source)

        def put() -> None:
            # Not missing parents: a folder made under a lost mount would hide the mount that comes back.
            with suppress(FileExistsError):
                self.folder.mkdir()
            _copy(source, self.folder / name)
            if _sha256(self.folder / name) != wanted:
                raise OSError(errno.EIO, "what was read back differs from what was written")

        try:
            self._patiently(put)
        except NpyLabelError:
            with suppress(OSError):
                (self.folder / name).unlink()
            raise
        return wanted

    def remove(self, name: str) -> None:
        """Remove a file; where that fails it stays, which costs room and nothing else."""
        path = self.folder / name
        with suppress(OSError):
            # Drive moves what is deleted into its trash, which counts for the quota: an empty file does not.
            os.truncate(path, 0)
            path.unlink()

    def uploading(self, names: list[str]) -> list[str]:
        """Those of the files that Drive has taken but not sent yet; [] on disks that do not tell.

        Drive for desktop shows the id ``local-...`` until a file has one on the server.
        """
        return [name for name in names if _drive_id(self.folder / name).startswith(b"local")]

    def _patiently(self, action: Callable[[], Result]) -> Result:
        deadline, pause = time.monotonic() + patience_s(), 0.5
        while True:
            try:
                return action()
            except OSError as error:
                if error.errno not in _PASSING or time.monotonic() > deadline:
                    raise self._error(error) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT_S)

    def _error(self, error: OSError) -> NpyLabelError:
        what = _("{path} cannot be used: {reason}.").format(path=self.folder, reason=error.strerror or error)
        safe = _("What is done is safe on this machine as long as its session lives.")
        if error.errno in _NO_ROOM and not str(error.filename or self.folder).startswith(str(self.folder.parent)):
            return NpyLabelError("disk_full", what, _("Free some room on this machine, then run the cell again."))
        if error.errno in _NO_ROOM:
            return NpyLabelError("drive_full", f"{what} {safe}", _(
                "Make room on Drive and empty its trash (what lies there counts), then run the cell again: it only "
                "saves what is missing."))
        if error.errno in _NO_RIGHT:
            return NpyLabelError("drive_readonly", f"{what} {safe}", _(
                "Mount Drive with the right to write, or set save_dir to a folder that you may write to."))
        if error.errno == errno.ENOENT:
            return NpyLabelError("drive_file_missing", what, _(
                "Look whether Drive is mounted, then run the cell again."))
        code = "drive_gone" if error.errno in (errno.ENOTCONN, errno.ESTALE) else "drive_fault"
        return NpyLabelError(code, f"{what} {safe}", _(
            "Run the setup cell again to connect Drive, then this cell: it goes on and saves what is missing."))


def _copy(source: Path, target: Path) -> str:
    """SHA-256 of what was copied."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _drive_id(path: Path) -> bytes:
    try:
        return os.getxattr(path, "user.drive.id")
    except (OSError, AttributeError):  # Another disk, or a system without extended attributes.
        return b""
