"""Work of an earlier version of this project, which lay as loose files where it is kept packed now."""

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX, atomic_path
from npylabel.base.i18n import _
from npylabel.base.patience import patience_s, retry
from npylabel.base.progress import track
from npylabel.base.remote import local_fault

# What the steps wrote, by its usual names, and what tells it from other folders of these names.
_FOLDERS = {"tintora_dataset": ("manifest.csv", ".photos.jsonl"), "train_data": ("split.csv", ".photos.jsonl"),
            "models": ("tiny_cnn.*", "*.run.json"), "decisions": ("*.jsonl",), "demo": (".npylabel-demo",)}
# Each file of Drive takes long and most of that is waiting.
_AT_ONCE = 8


def earlier_work(save_dir: Path) -> list[str]:
    """The folders of loose work in a folder that is to keep work packed.

    Raises:
        NpyLabelError: ``drive_fault``.
    """
    return [name for name, marks in _FOLDERS.items()
            if any(fnmatch(each, mark) for each in _names(save_dir / name) for mark in marks)]


def _names(folder: Path) -> list[str]:
    try:
        return retry(lambda: os.listdir(folder), patience_s())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _fault(folder, error) from error


def _fault(path: Path, error: OSError) -> NpyLabelError:
    return NpyLabelError(
        "drive_fault", _("{path} cannot be used: {reason}.").format(
            path=error.filename or path, reason=error.strerror or error),
        _("Run this cell again: it goes on with the files that are not copied yet."))


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
        raise _fault(save_dir, error) from error
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
