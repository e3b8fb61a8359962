"""Pairs that are not whole any more and whose originals are not here: what can be mended, and what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from npylabel.base.files import write_bytes
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import encode_gray
from npylabel.photos.manifest import LEFT_OUT, OK, PhotoRow
from npylabel.photos.reasons import EXACT_DUPLICATE, PICTURE_LOST


def mended(row: PhotoRow, files: Sequence[Path]) -> tuple[PhotoRow, bool]:
    """(row of a photo whose files are not as they were written, whether a file was made again); nothing is removed.

    Pictures may have been edited by a person: they stay as they are. A grayscale file that is missing or damaged is
    made again from its color file. Without the color file the row waits in the quarantine, with its name, for the
    file or the original to come back.

    Args:
        row: of the photo.
        files: the color file, then the grayscale file if any.
    """
    color, *rest = files
    if not _is_picture(color):
        return replace(row, status=LEFT_OUT, reason=PICTURE_LOST, group=""), False
    row = replace(row, status=OK, reason="")
    lost = [path for path in rest if not _is_picture(path)]
    for gray in lost:
        data = gray_file(color)
        write_bytes(gray, data)
        row.bw_sha256 = sha256(data).hexdigest()
    return row, bool(lost)


def passed_on(rows: Sequence[PhotoRow], fingerprints: Mapping[str, str]) -> list[PhotoRow]:
    """The rows, with the pairs of originals that are other photos by now given to copies that are not here.

    Args:
        rows: of the tables.
        fingerprints: of the originals that are here, by source.
    """
    copies = {row.sha256: row for row in rows if row.reason == EXACT_DUPLICATE and row.source not in fingerprints}
    heirs = {row.source: copies.pop(row.sha256) for row in rows
             if row.status == OK and row.sha256 in copies and fingerprints.get(row.source, row.fingerprint)
             != row.fingerprint}
    gone = {copy.source for copy in heirs.values()}
    return [replace(row, source=heirs[row.source].source, fingerprint=heirs[row.source].fingerprint)
            if row.source in heirs and row.status == OK else row for row in rows if row.source not in gone]


def gray_file(color: Path) -> bytes:
    """The grayscale file that belongs to a color file, in the same format.

    Raises:
        OSError, SyntaxError, ValueError: where the color file cannot be decoded.
    """
    with Image.open(color) as image:
        return encode_gray(image.convert("RGB").convert("L"), color.suffix.lower())


def _is_picture(path: Path) -> bool:
    try:
        decode_photo(path.read_bytes())
    except (OSError, PhotoError):
        return False
    return True
