"""Zips as foreign programs write them: names in old encodings, flags and sizes that lie."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

LOCAL_NAME_AT, CENTRAL_NAME_AT = 30, 46  # where the name stands in the two headers, APPNOTE 4.3.7 and 4.3.12
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 1


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    """A zip as Python writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_raw_zip(path: Path, names: Sequence[bytes], *, flags: int = 0, extra: bytes = b"") -> Path:
    """A zip whose members have exactly these bytes as names (4 or more each); each holds its number as text."""
    buffer = io.BytesIO()
    stand_ins = [f"@{index:02d}".ljust(len(name), "@") for index, name in enumerate(names)]
    with zipfile.ZipFile(buffer, "w") as archive:
        for index, stand_in in enumerate(stand_ins):
            info = zipfile.ZipInfo(stand_in)
            info.extra = extra
            archive.writestr(info, str(index))
    data = bytearray(buffer.getvalue())
    for name, stand_in in zip(names, stand_ins, strict=True):
        for position, flags_at in _headers(data, stand_in.encode()):
            data[position:position + len(name)] = name
            data[flags_at] |= flags & 0xFF
            data[flags_at + 1] |= flags >> 8
    path.write_bytes(data)
    return path


def claim_size(path: Path, member: str, size: int) -> None:
    """Let both headers of a member claim another size of the unpacked data."""
    data = bytearray(path.read_bytes())
    (local, _), (central, _) = _headers(data, member.encode())
    struct.pack_into("<I", data, local - LOCAL_NAME_AT + 22, size)
    struct.pack_into("<I", data, central - CENTRAL_NAME_AT + 24, size)
    path.write_bytes(data)


def unicode_path(raw: bytes, name: str) -> bytes:
    """The Info-ZIP Unicode Path extra field of a name whose bytes are ``raw`` (APPNOTE 4.6.9)."""
    body = b"\1" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def _headers(data: bytes, name: bytes) -> list[tuple[int, int]]:
    """Where the name, and where the flags stand, in the local and in the central header."""
    local, central = data.index(name), data.rindex(name)
    return [(local, local - LOCAL_NAME_AT + 6), (central, central - CENTRAL_NAME_AT + 8)]
