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

# With the machine's name: on a temporary folder that machines share, a process number says nothing to the others.
_PREFIX = f"npylabel-scratch-{re.sub('[^A-Za-z0-9]', '_', platform.node())}-"
# Where a process cannot be asked for, its folder is taken for abandoned after this time.
_ABANDONED_AFTER_S = 2 * 86_400.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder on the local disk that is removed with the block; those that killed processes left go first."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> int:
    """How many folders of processes that live no more were removed."""
    name_of_ours = re.compile(re.escape(_PREFIX) + r"(\d+)-")
    owners = [(path, name_of_ours.match(path.name)) for path in Path(tempfile.gettempdir()).iterdir()]
    abandoned = [path for path, owner in owners if owner and not _lives(int(owner[1]), path)]
    for path in abandoned:
        shutil.rmtree(path, ignore_errors=True)
    return len(abandoned)


def _lives(process_id: int, folder: Path) -> bool:
    if os.name == "nt":  # Signal 0 is Ctrl+C there: it would stop the process that is only asked for.
        return time.time() - folder.stat().st_mtime < _ABANDONED_AFTER_S
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:  # It is another user's, or this system cannot tell.
        return True
    return True
