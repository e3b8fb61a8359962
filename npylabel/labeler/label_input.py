"""The photos that are to be labeled: which there are, and what is in one of them."""

import os
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from npylabel.base.classes import nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.dataset.pixels import decode_pixels
from npylabel.photos.decode import PhotoError
from npylabel.photos.sources import is_hidden

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


def list_label_photos(input_dir: Path) -> tuple[list[str], list[str], list[str]]:
    """Names of (photos, sub-folders, other files), each sorted.

    Raises:
        NpyLabelError: ``input_missing``, ``no_pictures``, ``same_stem``.
    """
    if not input_dir.is_dir():
        raise NpyLabelError("input_missing", _("There is no folder {path}.").format(path=input_dir),
                            _("Run notebook 01 first, or set input_dir to the folder of your color photos."))
    photos, folders, others = [], [], []
    with os.scandir(input_dir) as entries:
        for entry in entries:
            if not is_hidden(entry.name):
                is_picture = Path(entry.name).suffix.lower() in PICTURE_SUFFIXES
                (folders if entry.is_dir() else photos if is_picture else others).append(entry.name)
    for names in (photos, folders, others):
        names.sort()
    if not photos:
        raise NpyLabelError(
            "no_pictures",
            _("There are no .jpg, .jpeg or .png photos directly in {path}; folders there: {folders}.").format(
                path=input_dir, folders=", ".join(folders[:5]) or "-"),
            _("Set input_dir to the folder that holds the photos themselves."))
    stems = Counter(label_name(name).casefold() for name in photos)
    double = sorted(name for name in photos if stems[label_name(name).casefold()] > 1)
    if double:
        raise NpyLabelError(
            "same_stem", _("These photos would share one label file: {names}.").format(names=", ".join(double[:6])),
            _("Rename one of each pair."))
    return photos, folders, others


def label_name(photo: str) -> str:
    """The name in the tables of the photo of this file name."""
    return nfc(Path(photo).stem)


@dataclass(frozen=True)
class LoadedPhoto:
    """A photo as read: its pixels, or the reason code why there are none."""

    name: str
    photo_sha256: str
    pixels: np.ndarray | None
    code: str = ""


def load_photo(folder: Path, name: str, input_px: int, fit: str) -> LoadedPhoto:
    """The photo of this file name as the network sees it."""
    try:
        data = (folder / name).read_bytes()
        return LoadedPhoto(name, sha256(data).hexdigest(), decode_pixels(data, input_px, fit))
    except PhotoError as error:
        return LoadedPhoto(name, "", None, error.code)
    except OSError:
        return LoadedPhoto(name, "", None, "unreadable")
