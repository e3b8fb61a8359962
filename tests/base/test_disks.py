"""Slow disks: which they are, and what a fault on them costs."""

import errno
from pathlib import Path

import pytest

from npylabel.base import disks, places
from npylabel.base.disks import is_slow_disk, patiently
from npylabel.base.errors import NpyLabelError

MOUNTS = """/dev/vda / ext4 rw 0 0
server:/x /mnt/nas nfs4 rw 0 0
/dev/sdb /mnt/nas/local\\040disk ext4 rw 0 0
drive /home/me/gdrive fuse.rclone rw 0 0
"""


@pytest.mark.parametrize(("path", "slow"), [
    ("/home/me/photos", False), ("/mnt/nas/photos/a.jpg", True), ("/mnt/nas/local disk/a.jpg", False),
    ("/home/me/gdrive", True), ("/mnt/nasty", False)])
def test_network_disks_are_slow(path: str, slow: bool) -> None:
    assert is_slow_disk(Path(path), MOUNTS) is slow


def test_drive_is_slow_whatever_it_is_mounted_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "DRIVE", tmp_path / "drive")
    assert is_slow_disk(tmp_path / "drive/MyDrive/a.jpg", MOUNTS)
    assert not is_slow_disk(tmp_path / "drivel/a.jpg", MOUNTS)


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(places, "DRIVE", tmp_path)
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "1")
    disks.is_slow_folder.cache_clear()
    yield tmp_path
    disks.is_slow_folder.cache_clear()


class Faults:
    """An action that fails so often before it works."""

    def __init__(self, times: int, code: int = errno.EIO) -> None:
        self.left, self.code, self.calls = times, code, 0

    def __call__(self) -> str:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise OSError(self.code, "fault")
        return "read"


def test_a_passing_fault_is_waited_for(drive: Path) -> None:
    action = Faults(3)
    assert patiently(drive / "a.jpg", action) == "read"
    assert action.calls == 4


def test_a_file_that_is_not_there_is_not_waited_for(drive: Path) -> None:
    action = Faults(3, errno.ENOENT)
    with pytest.raises(FileNotFoundError):
        patiently(drive / "a.jpg", action)
    assert action.calls == 1


def test_one_bad_file_is_given_up_and_a_dead_disk_stops_the_work(
    drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OSError, match="fault"):
        patiently(drive / "a.jpg", Faults(10**9))

    def dead(path: Path) -> list[str]:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(disks.os, "listdir", dead)
    with pytest.raises(NpyLabelError) as caught:
        patiently(drive / "a.jpg", Faults(10**9, errno.ENOTCONN))
    assert caught.value.code == "source_gone"


def test_a_local_disk_is_believed_at_once(tmp_path: Path) -> None:
    action = Faults(1)
    with pytest.raises(OSError, match="fault"):
        patiently(tmp_path / "a.jpg", action)
    assert action.calls == 1
