"""Photos from a slow disk: read a little ahead of the work by several threads, and released when they are done."""

import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, chdir
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from npylabel.base.disks import is_slow_folder
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.scratch import scratch_folder
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.sources import PhotoRef

# A slow disk answers late, not little: many questions at a time keep the workers busy.
_THREADS = 8
_AHEAD = 48
_AHEAD_BYTES = 512 * 2**20


class Portions:
    """Local copies of the photos that are next, in a temporary folder; never more than fit.

    Args:
        refs: the photos, in the order of the work.
    """

    def __init__(self, refs: Sequence[PhotoRef]) -> None:
        self.refs = refs
        self._scratch = ExitStack()
        self._folder = self._scratch.enter_context(scratch_folder())
        self._budget = min(_AHEAD_BYTES, shutil.disk_usage(self._folder).free // 4)
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> "Portions":
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._scratch.close()

    def __iter__(self) -> Iterator[PhotoRef]:
        """The photos in order, each with a local copy where it could be read.

        Raises:
            NpyLabelError: ``source_gone``.
        """
        waiting: deque[tuple[Future, int]] = deque()
        size = 0
        for number, ref in enumerate(self.refs):
            while waiting and (len(waiting) >= _AHEAD or size + ref.size_bytes > self._budget):
                future, length = waiting.popleft()
                size -= length
                yield future.result()
            waiting.append((self._pool.submit(self._copy, ref, str(number)), ref.size_bytes))
            size += ref.size_bytes
        while waiting:
            yield waiting.popleft()[0].result()

    def _copy(self, ref: PhotoRef, name: str) -> PhotoRef:
        """The photo with a local copy; where it is already (known to be unusable, local, or larger than the room)."""
        if ref.code or ref.size_bytes > self._budget or not is_slow_folder(ref.path.absolute().parent):
            return ref
        copy = self._folder / name
        try:
            copy.write_bytes(ref.read())
        except (OSError, *ZIP_ERRORS):
            return ref  # The worker finds the same and names it.
        sidecar = self._copy(replace(ref.sidecar, sidecar=None), f"{name}.json") if ref.sidecar else None
        return replace(ref, path=copy, member=None, sidecar=sidecar)

    def release(self, ref: PhotoRef) -> None:
        """Remove the local copies of a photo that is done."""
        for path in (ref.path, ref.sidecar.path if ref.sidecar else ref.path):
            if path.parent == self._folder:
                path.unlink(missing_ok=True)


def browser_files(*, headless: bool) -> ModuleType:
    """What asks the browser for files.

    Raises:
        NpyLabelError: ``upload_impossible`` outside Colab or where nobody can choose.
    """
    try:
        from google.colab import files
    except ImportError:
        files = None
    if files is None or headless:
        raise NpyLabelError(
            "upload_impossible", _("Only a person can upload files, in a notebook in Colab."),
            _("Set photos_dir to a folder or zip; a folder that is called upload is ./upload."))
    return files


def receive_uploads(folder: Path, *, headless: bool) -> Path:
    """The folder with the files that a person chose in the browser.

    Raises:
        NpyLabelError: ``no_photos``, and that of ``browser_files``.
    """
    files = browser_files(headless=headless)
    folder.mkdir(parents=True, exist_ok=True)
    # Colab writes into the current folder; older versions know no other.
    with chdir(folder):
        files.upload()
    if not any(folder.iterdir()):
        raise NpyLabelError("no_photos", _("No file was chosen."), _("Run the cell again and choose your photos."))
    return folder


def release_uploads(folder: Path) -> None:
    """Remove what the browser sent: copies, whose photos are in the dataset now."""
    shutil.rmtree(folder, ignore_errors=True)
