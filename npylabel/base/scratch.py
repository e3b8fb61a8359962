"""Temporary folders that do not outlive their process, even when it is killed."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "npylabel-scratch-"


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
    owners = [(path, re.match(_PREFIX + r"(\d+)-", path.name)) for path in Path(tempfile.gettempdir()).iterdir()]
    abandoned = [path for path, owner in owners if owner and not _lives(int(owner[1]))]
    for path in abandoned:
        shutil.rmtree(path, ignore_errors=True)
    return len(abandoned)


def _lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:  # It is another user's, or this system cannot tell.
        return True
    return True
