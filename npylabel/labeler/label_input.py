"""The photos that are to be labeled: which there are, and their pixels, read ahead of the network."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from npylabel.base.classes import nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.dataset.pixels import decode_pixels
from npylabel.photos.decode import PhotoError
from npylabel.photos.sources import is_hidden

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


def list_label_photos(input_dir: Path) -> tuple[list[Path], list[str], list[str]]:
    """(photos, names of sub-folders, names of other files), each sorted.

    Raises:
        NpyLabelError: ``input_missing``, ``no_pictures``, ``same_stem``.
    """
    if not input_dir.is_dir():
        raise NpyLabelError("input_missing", _("There is no folder {path}.").format(path=input_dir),
                            _("Run notebook 01 first, or set input_dir to the folder of your color photos."))
    entries = sorted(path for path in input_dir.iterdir() if not is_hidden(path.name))
    folders = [path.name for path in entries if path.is_dir()]
    photos = [path for path in entries if path.suffix.lower() in PICTURE_SUFFIXES and not path.is_dir()]
    taken = set(photos)
    others = [path.name for path in entries if not path.is_dir() and path not in taken]
    if not photos:
        raise NpyLabelError(
            "no_pictures",
            _("There are no .jpg, .jpeg or .png photos directly in {path}; folders there: {folders}.").format(
                path=input_dir, folders=", ".join(folders[:5]) or "-"),
            _("Set input_dir to the folder that holds the photos themselves."))
    stems = Counter(nfc(path.stem).casefold() for path in photos)
    double = sorted(path.name for path in photos if stems[nfc(path.stem).casefold()] > 1)
    if double:
        raise NpyLabelError(
            "same_stem", _("These photos would share one label file: {names}.").format(names=", ".join(double[:6])),
            _("Rename one of each pair."))
    return photos, folders, others


@dataclass(frozen=True)
class LoadedPhoto:
    """A photo as read: its pixels, or the reason code why there are none."""

    path: Path
    photo_sha256: str
    pixels: np.ndarray | None
    code: str = ""


def load_ahead(chunks: Sequence[list[Path]], input_px: int, fit: str, ahead: int) -> Iterator[list[LoadedPhoto]]:
    """The chunks in order, decoded by threads while the network works; at most ``ahead`` wait in memory."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        waiting: list[list[Future]] = []
        for chunk in chunks:
            waiting.append([pool.submit(_load, path, input_px, fit) for path in chunk])
            if len(waiting) > ahead:
                yield [future.result() for future in waiting.pop(0)]
        for futures in waiting:
            yield [future.result() for future in futures]


def _load(path: Path, input_px: int, fit: str) -> LoadedPhoto:
    try:
        data = path.read_bytes()
        return LoadedPhoto(path, sha256(data).hexdigest(), decode_pixels(data, input_px, fit))
    except PhotoError as error:
        return LoadedPhoto(path, "", None, error.code)
    except OSError:
        return LoadedPhoto(path, "", None, "unreadable")
