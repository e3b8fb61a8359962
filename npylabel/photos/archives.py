"""Zips as sources: names repaired, nothing unpacked, nothing trusted."""

import math
import stat
import struct
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

# How often each letter occurs in Russian texts, percent (national corpus).
_RUSSIAN_PERCENT = dict(zip("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", (
    10.97, 8.45, 8.01, 7.35, 6.70, 6.26, 5.47, 4.73, 4.54, 4.40, 3.49, 3.21, 2.98, 2.81, 2.62, 2.01, 1.90, 1.74, 1.70,
    1.65, 1.59, 1.44, 1.21, 0.97, 0.94, 0.73, 0.64, 0.48, 0.36, 0.32, 0.26, 0.04, 0.04), strict=True))
_UTF8_FLAG = 0x800
_ENCRYPTED_FLAG = 0x1
_UNICODE_PATH = 0x7075
MAX_MEMBER_BYTES = 512 * 2**20
# What a broken or foreign zip makes zipfile raise.
ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, struct.error, ValueError)


@dataclass(frozen=True)
class Member:
    """One file in a zip: its index, repaired name, size, checksum, and a reason code if it cannot be used."""

    index: int
    name: str
    size_bytes: int
    fingerprint: str
    code: str


def list_members(path: Path) -> list[Member]:
    """The files of one zip, folders left out.

    Raises:
        zipfile.BadZipFile: or another of ``ZIP_ERRORS`` where its directory cannot be read.
        OSError: where the file cannot be read.
    """
    members = []
    for index, info in enumerate(_open(path).infolist()):
        name = member_name(info)
        if not info.is_dir() and not name.endswith("/"):
            mark = f"{info.file_size}-{info.CRC:08x}"
            members.append(Member(index, name, info.file_size, mark, _code(info, name)))
    return members


def read_member(path: Path, index: int, limit: int = MAX_MEMBER_BYTES) -> bytes:
    """The first ``limit`` bytes of one member.

    Raises:
        zipfile.BadZipFile: or another of ``ZIP_ERRORS`` where the data is damaged.
    """
    archive = _open(path)
    info = archive.infolist()[index]
    with archive.open(info) as file:
        # The size in the header may lie; more than it says is never read. One byte more makes the CRC count.
        return file.read(min(info.file_size + 1, limit))


def member_name(info: zipfile.ZipInfo) -> str:
    """The member's path as it was meant: UTF-8, Unicode extra field, cp866 (DOS) or cp1251 (Windows)."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            raw = b""
        name = _unicode_path(info.extra, raw) or _decode(raw) or name
    name = name.split("\0")[0].replace("\\", "/")
    return unicodedata.normalize("NFC", name)


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """The name in the Info-ZIP Unicode Path field, if it belongs to this name (APPNOTE 4.6.9)."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4:4 + size], extra[4 + size:]
        is_name = kind == _UNICODE_PATH and len(body) > 5 and body[0] == 1
        if is_name and int.from_bytes(body[1:5], "little") == zlib.crc32(raw):
            return body[5:].decode("utf-8", "replace")
    return ""


def _decode(raw: bytes) -> str:
    """The name in the encoding that makes it read most like a name."""
    if raw.isascii():
        return raw.decode("ascii")
    guesses = {encoding: raw.decode(encoding, "replace") for encoding in ("cp866", "cp1251")}
    with suppress(UnicodeDecodeError):
        guesses["utf-8"] = raw.decode("utf-8")
    return max(guesses.items(), key=lambda guess: _likeness(guess[1], is_utf8=guess[0] == "utf-8"))[1]


def _likeness(text: str, *, is_utf8: bool) -> float:
    """How much a text reads like a name: letters by their frequency in Russian, odd capitals and symbols against.

    Frequencies alone tell cp866 from cp1251 for names of lower-case letters, which are letters in both.
    """
    score = 0.0
    for before, letter in zip(" " + text, text, strict=False):
        small = letter.lower()
        if small in _RUSSIAN_PERCENT:
            score += math.log(_RUSSIAN_PERCENT[small]) + 2
            score -= 6 if letter != small and before.islower() else 0
        elif not letter.isascii():
            # Other alphabets are only ever right in UTF-8.
            score += (8 if is_utf8 else 0) if letter.isalpha() else -6
    return score


def _code(info: zipfile.ZipInfo, name: str) -> str:
    path = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or stat.S_ISLNK(info.external_attr >> 16):
        return "unsafe_name"
    if info.flag_bits & _ENCRYPTED_FLAG:
        return "encrypted"
    return "too_large" if info.file_size > MAX_MEMBER_BYTES else ""


@lru_cache(maxsize=8)
def _opened(path: Path, mark: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _open(path: Path) -> zipfile.ZipFile:
    # Reading the directory of a zip of 10,000 members takes longer than a photo: it stays open in each process.
    return _opened(path, _file_mark(path))


def _file_mark(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
