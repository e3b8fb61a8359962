"""Work of an earlier version of this project, which lay as loose files where it is kept packed now."""

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX, atomic_path
from npylabel.base.i18n import _
from npylabel.base.patience import patience_s, retry
from npylabel.base.progress import track
from npylabel.base.remote import local_fault

# What the steps wrote, by its usual names.
_FOLDERS = ("tintora_dataset", "train_data", "models", "decisions", "demo")
# Each file of Drive takes long and most of that is waiting.
_AT_ONCE = 8


def earlier_work(save_dir: Path) -> list[str]:
    """The folders of loose work in a folder that is to keep work packed."""
    # Unlike Path.is_dir, this answers False whatever is wrong with the disk.
    return [name for name in _FOLDERS if os.path.isdir(save_dir / name)]  # noqa: PTH112


def bring_earlier_work(save_dir: Path, root: Path) -> int:
    """How many loose files were copied to the work folder; what is there already stays, so a stop costs little.

    Raises:
        NpyLabelError: ``drive_fault``, ``disk_full``.
    """
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        files = [path for name in earlier_work(save_dir) for path in _files(save_dir / name)
                 if not (root / path.relative_to(save_dir)).exists()]
        copies = pool.map(lambda path: _copy(path, root / path.relative_to(save_dir)), files)
        return sum(1 for _copied in track(copies, total=len(files), label=_("From Drive")))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise local_fault(root, error) from error
        raise NpyLabelError(
            "drive_fault", _("{path} cannot be used: {reason}.").format(
                path=error.filename or save_dir, reason=error.strerror or error),
            _("Run this cell again: it goes on with the files that are not copied yet.")) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        retry(lambda: shutil.copyfile(source, temporary), patience_s())
        changed_ns = source.stat().st_mtime_ns
        os.utime(temporary, ns=(changed_ns, changed_ns))


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(retry(lambda: list(os.scandir(folder)), patience_s()), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        elif entry.is_file() and not entry.name.startswith(TEMP_PREFIX):
            yield Path(entry.path)
