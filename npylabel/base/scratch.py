"""Temporary folders that do not outlive their process, even when it is killed."""

import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# With the machine's name: in a folder that machines share, a process number says nothing to the others.
_MACHINE = re.sub("[^A-Za-z0-9]", "_", platform.node())
_PREFIX = f"npylabel-scratch-{_MACHINE}-"
# Where a process cannot be asked for, what it left is taken for abandoned after this time.
_ABANDONED_AFTER_S = 2 * 86_400.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the local disk that is removed with the block; those that killed processes left go first."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=owned_prefix("npylabel-scratch")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> int:
    """How many folders of processes that live no more were removed."""
    found = abandoned(Path(tempfile.gettempdir()), "npylabel-scratch")
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return len(found)


def owned_prefix(kind: str) -> str:
    """How the names of files and folders of this process begin that only its life keeps."""
    return f"{kind}-{_MACHINE}-{os.getpid()}-"


def abandoned(folder: Path, kind: str) -> list[Path]:
    """What lies in the folder under ``owned_prefix`` names of processes of this machine that live no more."""
    of_a_process = re.compile(re.escape(f"{kind}-{_MACHINE}-") + r"(\d+)-")
    owners = [(path, of_a_process.match(path.name)) for path in folder.iterdir()]
    return [path for path, owner in owners if owner and not _lives(int(owner[1]), path)]


def _lives(process_id: int, path: Path) -> bool:
    if os.name == "nt":  # Signal 0 is Ctrl+C there: it would stop the process that is only asked for.
        return time.time() - path.stat().st_mtime < _ABANDONED_AFTER_S
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:  # It is another user's, or this system cannot tell.
        return True
    return True
