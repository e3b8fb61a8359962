"""Ugly zips: members that are locked, cut, or named so that unpacking them would write elsewhere."""

import io
import stat
import zipfile
from pathlib import Path

from tests.photos.ugly_kit import IGNORED, OK, flip, jpeg

ZIP_NAME = "trip.zip"
# Each member of the zip (its last part is unique in the corpus) and the outcomes that are right for it.
ZIP_MEMBERS: dict[str, frozenset[str]] = {
    "zipped.jpg": frozenset({OK}),
    "day 1/zipped deeper.jpg": frozenset({OK}),
    "день 2/в архиве.jpg": frozenset({OK}),
    "../zip up.jpg": frozenset({"unsafe_name"}),
    "day 1/../../zip up twice.jpg": frozenset({"unsafe_name"}),
    "/zip absolute.jpg": frozenset({"unsafe_name"}),
    "C:/zip drive.jpg": frozenset({"unsafe_name"}),
    "zip link.jpg": frozenset({"unsafe_name"}),
    "zip locked.jpg": frozenset({"encrypted"}),
    "zip flipped.jpg": frozenset({"damaged", "broken_archive"}),
    "zip cut photo.jpg": frozenset({"truncated", "damaged"}),
    "zip empty.jpg": frozenset({"empty_file"}),
    "__MACOSX/._zipped.jpg": frozenset({IGNORED}),
}
_LOCKED_FLAG = 1


def write_zip(folder: Path) -> Path:
    """Writes the zip of `ZIP_MEMBERS` and returns its path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in ZIP_MEMBERS:
            archive.writestr(_info(member), _content(member))
        flipped_at = archive.getinfo("zip flipped.jpg").header_offset + 1000
    path = folder / ZIP_NAME
    path.write_bytes(_locked(flip(buffer.getvalue(), flipped_at), b"zip locked.jpg"))
    return path


def write_cut_zip(folder: Path) -> Path:
    """Writes half a zip: its directory, at the end, is lost."""
    whole = write_zip(folder)
    path = folder / "cut.zip"
    path.write_bytes(whole.read_bytes()[:9000])
    return path


def _info(member: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(member)
    kind = stat.S_IFLNK if member == "zip link.jpg" else stat.S_IFREG
    info.external_attr = (kind | 0o644) << 16
    return info


def _content(member: str) -> bytes:
    if member == "zip link.jpg":
        return b"/etc/hostname"
    data = jpeg(member)
    return {"zip empty.jpg": b"", "zip cut photo.jpg": data[:3000]}.get(member, data)


def _locked(data: bytes, member: bytes) -> bytes:
    """The zip with the member's two headers saying that it is encrypted (APPNOTE 4.3.7, 4.3.12)."""
    changed = bytearray(data)
    local = data.index(member) - 30
    central = data.rindex(member) - 46
    changed[local + 6] |= _LOCKED_FLAG
    changed[central + 8] |= _LOCKED_FLAG
    return bytes(changed)
