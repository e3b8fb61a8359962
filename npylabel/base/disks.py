"""Disks: which of them are slow, and reading from one that is sometimes gone."""

import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from npylabel.base import places
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.patience import PASSING, patience_s, retry

Result = TypeVar("Result")
_NETWORK = ("nfs", "cifs", "smb", "fuse.", "9p", "afs", "davfs", "sshfs")
# One file that cannot be read is left out after this; a disk that is gone is waited for with all patience.
_ONE_FILE_S = 10.0


def is_slow_disk(path: Path, mounts: str | None = None) -> bool:
    """Whether a path lies on Drive or on another disk that is reached through a network.

    Args:
        path: absolute.
        mounts: text of ``/proc/mounts``; None reads it.
    """
    if path.is_relative_to(places.DRIVE):
        return True
    kinds = {}
    for line in (_mounts() if mounts is None else mounts).splitlines():
        fields = line.split(" ")
        if len(fields) > 2 and path.is_relative_to(fields[1].replace("\\040", " ")):
            kinds[len(fields[1])] = fields[2]
    return bool(kinds) and kinds[max(kinds)].startswith(_NETWORK)


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:  # Another system than Linux.
        return ""


def patiently(path: Path, action: Callable[[], Result]) -> Result:
    """What ``action`` reads at ``path``; on a slow disk a fault that may pass is waited for.

    Raises:
        OSError: of the action, where this one thing cannot be read.
        NpyLabelError: ``source_gone`` where the disk itself does not answer any more.
    """
    if not is_slow_folder(path.absolute().parent):
        return action()
    try:
        return retry(action, min(_ONE_FILE_S, patience_s()))
    except OSError as error:
        if error.errno in PASSING:
            _wait_for_disk(path.absolute().parent, error)
        raise


def room_on(folder: Path) -> tuple[int, int] | None:
    """(free, all) bytes of the disk with the folder, or None where it does not tell."""
    try:
        usage = retry(lambda: shutil.disk_usage(folder), min(_ONE_FILE_S, patience_s()))
    except OSError:
        return None
    return usage.free, usage.total


@lru_cache(maxsize=4096)
def is_slow_folder(folder: Path) -> bool:
    """Whether a folder lies on a slow disk: the system is asked once, not for each photo."""
    return is_slow_disk(folder)


def _wait_for_disk(folder: Path, cause: OSError) -> None:
    try:
        retry(lambda: os.listdir(folder), patience_s())
    except OSError as error:
        raise NpyLabelError(
            "source_gone",
            _("The disk with the photos does not answer any more ({path}: {reason}).").format(
                path=folder, reason=cause.strerror or cause),
            _("Run the setup cell again to connect Drive, then this cell: what is done stays.")) from error
