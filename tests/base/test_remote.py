"""A folder that is slow, late and sometimes gone: what is tried again, what is an error, and which."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from npylabel.base import patience as patience_module
from npylabel.base import remote as remote_module
from npylabel.base.errors import NpyLabelError
from npylabel.base.patience import Patience
from npylabel.base.remote import DamagedCopyError, RemoteFolder


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses do not last, but are noted and count against the patience."""
    taken: list[float] = []
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "60")
    monkeypatch.setattr(patience_module.time, "monotonic", lambda: sum(taken))
    monkeypatch.setattr(threading.Event, "wait", lambda _self, pause: taken.append(pause))
    return taken


@pytest.fixture
def folder(tmp_path: Path) -> RemoteFolder:
    (tmp_path / "drive").mkdir()
    return RemoteFolder(tmp_path / "drive" / "saved")


def local(tmp_path: Path, data: bytes = b"data") -> Path:
    (tmp_path / "local").write_bytes(data)
    return tmp_path / "local"


def failing(monkeypatch: pytest.MonkeyPatch, code: int, times: int, *, mode: str = "wb") -> list[Path]:
    """Opening files in this mode below ``drive`` fails so many times."""
    real, failed = Path.open, []

    def open_file(path: Path, *arguments: object, **keywords: object) -> object:
        if mode in (*arguments, *keywords.values()) and "drive" in path.parts and len(failed) < times:
            failed.append(path)
            raise OSError(code, os.strerror(code), str(path))
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", open_file)
    return failed


def test_a_file_goes_there_and_back(folder: RemoteFolder, tmp_path: Path, naps: list[float]) -> None:
    assert folder.sizes() == {}
    assert not folder.folder.exists()
    sha256 = folder.store("a.tar", local(tmp_path))
    assert sha256 == hashlib.sha256(b"data").hexdigest()
    assert folder.sizes() == {"a.tar": 4} and folder.read("a.tar") == b"data"
    folder.fetch("a.tar", tmp_path / "back", sha256)
    assert (tmp_path / "back").read_bytes() == b"data"
    assert folder.holds("a.tar", 4, sha256)
    assert not folder.holds("a.tar", 5, sha256) and not folder.holds("a.tar", 4, "") and not folder.holds("b", 4, "")
    folder.remove("a.tar")
    folder.remove("a.tar")
    assert folder.sizes() == {} and naps == []


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE, errno.EBUSY])
def test_a_fault_that_passes_is_waited_for(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float], code: int
) -> None:
    failing(monkeypatch, code, 3)
    folder.store("a", local(tmp_path))
    assert naps == [0.5, 1, 2] and folder.read("a") == b"data"


@pytest.mark.parametrize(("code", "name", "cure"), [
    (errno.EDQUOT, "drive_full", "trash"), (errno.ENOSPC, "drive_full", "trash"),
    (errno.EROFS, "drive_readonly", "right"),
    (errno.EACCES, "drive_readonly", "save_dir"), (errno.EPERM, "drive_readonly", "save_dir")])
def test_a_fault_that_stays_is_told_at_once(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float], code: int, name: str,
    cure: str,
) -> None:
    failed = failing(monkeypatch, code, 99)
    with pytest.raises(NpyLabelError) as caught:
        folder.store("a", local(tmp_path))
    assert (caught.value.code, len(failed), naps) == (name, 1, [])
    assert cure in caught.value.fix and "safe on this machine" in caught.value.what


@pytest.mark.parametrize(("code", "name"), [
    (errno.EIO, "drive_fault"), (errno.ENOTCONN, "drive_gone"), (errno.ESTALE, "drive_gone"),
    (errno.ETIMEDOUT, "drive_fault")])
def test_patience_ends(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float], code: int, name: str
) -> None:
    failing(monkeypatch, code, 99)
    with pytest.raises(NpyLabelError) as caught:
        folder.store("a", local(tmp_path))
    assert caught.value.code == name and "setup cell" in caught.value.fix
    assert sum(naps) == 60 and max(naps) == 15


def test_hurry_ends_patience(folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = failing(monkeypatch, errno.EIO, 99)
    folder.hurry.set()
    with pytest.raises(NpyLabelError):
        folder.store("a", local(tmp_path))
    assert len(failed) == 1 and not Patience(folder.hurry).wait()


def test_a_full_drive_keeps_no_part_of_a_file(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = remote_module._send

    def full(source: Path, target: Path) -> None:
        send(source, target)
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(remote_module, "_send", full)
    with pytest.raises(NpyLabelError) as caught:
        folder.store("a", local(tmp_path))
    assert caught.value.code == "drive_full" and folder.sizes() == {}


def test_an_interrupted_store_leaves_nothing(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        (folder.folder / "a").write_bytes(b"da")
        raise KeyboardInterrupt

    monkeypatch.setattr(remote_module, "_send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        folder.store("a", local(tmp_path))
    assert folder.sizes() == {}


def test_what_is_read_back_otherwise_is_written_again(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    send, calls = remote_module._send, []

    def send_badly(source: Path, target: Path) -> None:
        send(source, target)
        calls.append(target)
        if len(calls) < 3:
            target.write_bytes(b"dota")

    monkeypatch.setattr(remote_module, "_send", send_badly)
    folder.store("a", local(tmp_path))
    assert len(calls) == 3 and folder.read("a") == b"data" and naps == [0.5, 1]


def test_one_bad_part_costs_only_itself(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setattr(remote_module, "_CHUNK_BYTES", 10)
    write_at, offsets, source = remote_module._write_at, [], tmp_path / "long"
    source.write_bytes(bytes(range(100)))

    def write_badly(file: object, offset: int, data: bytes) -> None:
        offsets.append(offset)
        if offset == 50 and offsets.count(50) < 4:
            write_at(file, offset, data[:3])  # What a broken write leaves is written over.
            raise OSError(errno.EIO, "Input/output error")
        write_at(file, offset, data)

    monkeypatch.setattr(remote_module, "_write_at", write_badly)
    folder.store("a", source)
    assert folder.read("a") == source.read_bytes()
    assert offsets == [0, 10, 20, 30, 40, 50, 50, 50, 50, 60, 70, 80, 90]


def test_one_bad_read_costs_only_itself(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setattr(remote_module, "_CHUNK_BYTES", 10)
    part, offsets, source = remote_module._part, [], tmp_path / "long"
    source.write_bytes(bytes(range(35)))
    sha256 = folder.store("a", source)

    def read_badly(path: Path, offset: int) -> bytes:
        offsets.append(offset)
        if offset == 20 and offsets.count(20) < 3:
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        return part(path, offset)

    monkeypatch.setattr(remote_module, "_part", read_badly)
    folder.fetch("a", tmp_path / "copy", sha256)
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert offsets == [0, 10, 20, 20, 20, 30, 35]


def test_a_lost_mount_is_not_made_anew(folder: RemoteFolder, tmp_path: Path, naps: list[float]) -> None:
    folder.folder.parent.rmdir()
    for action in (folder.sizes, lambda: folder.store("a", local(tmp_path))):
        naps.clear()
        with pytest.raises(NpyLabelError) as caught:
            action()
        assert caught.value.code == "drive_gone" and sum(naps) == 60
    assert not folder.folder.parent.exists()


def test_a_missing_file_is_told_at_once_by_read_and_waited_for_by_fetch(
    folder: RemoteFolder, tmp_path: Path, naps: list[float]
) -> None:
    folder.store("a", local(tmp_path))
    with pytest.raises(NpyLabelError) as caught:
        folder.read("b")
    assert caught.value.code == "drive_file_missing" and naps == []
    with pytest.raises(DamagedCopyError):
        folder.fetch("b", tmp_path / "back", "")
    assert sum(naps) == 60


def test_a_file_that_is_late_or_cut_is_waited_for(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256, waits = folder.store("a", local(tmp_path)), []
    (folder.folder / "a").write_bytes(b"da")

    def wait(_event: object, pause: float) -> None:
        waits.append(pause)
        if len(waits) == 2:
            (folder.folder / "a").write_bytes(b"data")

    monkeypatch.setattr(threading.Event, "wait", wait)
    folder.fetch("a", tmp_path / "back", sha256)
    assert len(waits) == 2 and (tmp_path / "back").read_bytes() == b"data"


@pytest.mark.parametrize(("code", "name"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"),
                                            (errno.EACCES, "disk_fault"), (errno.EIO, "disk_fault")])
@pytest.mark.parametrize("where", ["open", "write"])
def test_a_fault_of_the_local_disk_is_not_one_of_drive(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float], code: int, name: str,
    where: str,
) -> None:
    sha256 = folder.store("a", local(tmp_path))

    def full(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    target = tmp_path / "back"
    if where == "write":
        monkeypatch.setattr(remote_module, "_write", full)
    else:
        real = Path.open
        monkeypatch.setattr(Path, "open", lambda path, *arguments, **keywords: (
            full() if path == target else real(path, *arguments, **keywords)))
    with pytest.raises(NpyLabelError) as caught:
        folder.fetch("a", target, sha256)
    assert caught.value.code == name and str(target) in caught.value.what and naps == []


def test_names_that_vanish_while_they_are_listed_are_left_out(
    folder: RemoteFolder, tmp_path: Path, naps: list[float]
) -> None:
    folder.store("a", local(tmp_path))
    (folder.folder / "zombie").symlink_to(tmp_path / "nowhere")
    (folder.folder / "folder").mkdir()
    assert folder.sizes() == {"a": 4} and naps == []


def test_what_drive_is_still_sending(folder: RemoteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {"sent": b"1x", "waits": b"local-7", "plain": OSError(errno.ENODATA, ""), "other": OSError(errno.ENOTSUP, ""),
           "gone": OSError(errno.ENOENT, ""), "dropped": OSError(errno.ENOTCONN, ""), "mac": AttributeError()}

    def attribute(path: Path, name: str) -> bytes:
        assert name == "user.drive.id"
        if isinstance(ids[path.name], Exception):
            raise ids[path.name]
        return ids[path.name]

    monkeypatch.setattr(os, "getxattr", attribute, raising=False)
    assert folder.uploading(ids) == ["waits", "gone", "dropped"]


def test_removing_empties_first_and_never_fails(
    folder: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.store("a", local(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda _path: (_ for _ in ()).throw(OSError(errno.EIO, "")))
        folder.remove("a")
    assert folder.sizes() == {"a": 0}
