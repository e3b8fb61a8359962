"""The tests' Drive: a plain folder where nothing is wrong; slow, faulty, full or gone where the test says so."""

# What the layer stands before is called by its own name here.
# ruff: noqa: PTH102, PTH104, PTH108, PTH110, PTH116, PTH211, SIM115

import errno
import os
import shutil
import tarfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.colab import exercise, slow_drive
from tests.colab.slow_drive import DriveSettings, installed, usage


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "drive"
    folder.mkdir()
    return folder


def test_without_faults_it_is_a_folder(root: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    expected = exercise.exercise(plain)
    with installed(DriveSettings(str(root), lag_ops=30, fault_rate=0)):
        found = exercise.exercise(root)
        seen = exercise.tree(root)
    for part in expected:
        assert found[part] == expected[part], part
    assert seen == exercise.tree(root) == exercise.tree(plain)
    assert len(seen) > 40


def test_afterwards_python_is_its_own_again(root: Path) -> None:
    before = (os.stat, open, tarfile.bltn_open, shutil.os.rename, os.supports_dir_fd)
    with installed(DriveSettings(str(root))):
        assert os.stat is not before[0]
        assert tarfile.bltn_open is open is not before[1]
        assert {os.open, os.stat, os.unlink, os.rmdir} <= os.supports_dir_fd
    assert (os.stat, open, tarfile.bltn_open, shutil.os.rename, os.supports_dir_fd) == before
    (root / "x").touch()
    assert usage(root).total == 0


def test_operations_and_bytes_are_counted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(DriveSettings(str(root))):
        (root / "a").write_bytes(b"12345")
        (root / "a").read_bytes()
        (root / "a").rename(root / "b")
        (root / "folder").mkdir()
        list(root.iterdir())
        monkeypatch.chdir(root)
        assert os.path.exists("b")
        assert (Path("folder") / ".." / "b").stat().st_size == 5
        shutil.copyfile("b", "c")
        (root / "c").unlink()
        assert not (root.parent / "drive2").exists()
        found = usage(root)
        assert (root.parent / "drive.drive-state").exists()
        assert usage(root) == found
    operations = dict(found.operations)
    # How often a library looks at a file is its own affair.
    assert operations.pop("stat") >= 2
    assert operations == {"create": 2, "write": 2, "close": 2, "open": 2, "read": 2, "rename": 1, "mkdir": 1, "list": 1,
                          "remove": 1}
    assert (found.written, found.read) == (10, 10)


def test_every_operation_waits(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    (root / "there").write_bytes(b"x" * 1000)
    monkeypatch.setattr(time, "sleep", slept.append)
    with installed(DriveSettings(str(root), delay_s=0.05)):
        (root / "there").read_bytes()
        assert slept == [0.05]
        (root / "there").unlink()
        assert slept == [0.05, 0.05]
        (root.parent / "elsewhere").write_bytes(b"x")
        assert len(slept) == 2
        assert sum((root / "new").write_bytes(b"x") for _ in range(3)) == 3
        assert slept == [0.05] * 8
    slept.clear()
    with installed(DriveSettings(str(root), delay_s=0.05, delay_data=True, bytes_per_s=1000)):
        (root / "new").write_bytes(b"x" * 500)
    assert slept == [0.05, 0.05, 0.5, 0.05]


def failures(root: Path, seed: int, **settings: object) -> list[tuple[int, int]]:
    """Which of 600 looks at a file failed, and with what."""
    found = []
    with installed(DriveSettings(str(root), fault_rate=0.2, seed=seed, **settings)):
        for number in range(600):
            try:
                os.stat(root)
            except OSError as error:
                found.append((number, error.errno))
    slow_drive.machine_ends(root)
    return found


def test_faults_come_at_their_rate_and_by_the_seed(root: Path) -> None:
    found = failures(root, 1)
    assert 85 < len(found) < 155
    kinds = Counter(number for _place, number in found)
    assert set(kinds) == {errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ESTALE}
    assert min(kinds.values()) > 12
    assert failures(root, 1) == found
    assert failures(root, 2) != found
    assert {number for _place, number in failures(root, 1, fault_errors=("EACCES",))} == {errno.EACCES}
    assert failures(root, 1, fault_on=("write", "rename")) == []


def test_a_failed_write_leaves_a_part(root: Path) -> None:
    sizes = set()
    with installed(DriveSettings(str(root), fault_rate=1, fault_on=("write",))):
        for number in range(12):
            with pytest.raises(OSError, match=r"Errno"):
                (root / str(number)).write_bytes(b"x" * 100_000)
        # One write and no more: the error is seen at the close.
        fd = os.open(root / "once", os.O_WRONLY | os.O_CREAT)
        assert 0 < os.write(fd, b"x" * 100_000) < 100_000
        with pytest.raises(OSError, match=r"Errno"):
            os.close(fd)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.close(fd)
        with pytest.raises(OSError, match=r"Errno"):
            shutil.copyfile(__file__, root / "copy")
    sizes = {path.stat().st_size for path in root.iterdir()}
    assert len(sizes) > 10
    assert max(sizes) < 100_000


def test_a_file_is_closed_also_where_its_close_fails(root: Path) -> None:
    with installed(DriveSettings(str(root), fault_rate=1, fault_on=("close",))):
        fd = os.open(root / "a", os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError, match=r"Errno") as caught:
            os.close(fd)
        assert caught.value.errno != errno.EBADF
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.close(fd)
    with installed(DriveSettings(str(root))):
        assert (root / "a").stat().st_size == 0


@pytest.mark.parametrize(("share", "done"), [(0.0, False), (1.0, True)])
def test_a_failed_change_may_be_done(root: Path, share: float, done: bool) -> None:
    (root / "a").touch()
    (root / "c").touch()
    with installed(DriveSettings(str(root), fault_rate=1, fault_after=share, fault_on=("rename", "remove", "mkdir"))):
        for call in (lambda: os.rename(root / "a", root / "b"), lambda: os.unlink(root / "c"),
                     lambda: os.mkdir(root / "d")):
            with pytest.raises(OSError, match=r"Errno"):
                call()
    assert sorted(path.name for path in root.iterdir()) == (["b", "d"] if done else ["a", "c"])


@pytest.mark.parametrize("name", ["EDQUOT", "ENOSPC"])
def test_beyond_the_quota_a_part_is_written(root: Path, name: str) -> None:
    (root / "before").write_bytes(b"x" * 30_000)
    with installed(DriveSettings(str(root), quota_bytes=100_000, quota_error=name)):
        assert shutil.disk_usage(root)[::2] == (98_304, 69_632)
        (root / "fits").write_bytes(b"x" * 60_000)
        for number in range(2):
            with pytest.raises(OSError, match=r"Errno") as caught:
                (root / f"more{number}").write_bytes(b"x" * 20_000)
            assert caught.value.errno == getattr(errno, name)
        (root / "before").unlink()
        (root / "fits again").write_bytes(b"x" * 30_000)
    assert (root / "more0").stat().st_size == 10_000
    assert (root / "more1").stat().st_size == 0
    assert shutil.disk_usage(root).total > 10**9


def test_a_mount_that_drops_fails_until_it_is_back(root: Path) -> None:
    with installed(DriveSettings(str(root), drop_at=4)):
        (root / "a").write_bytes(b"x")
        file = open(root.parent / "outside", "wb")
        for call in (lambda: (root / "a").exists(), lambda: os.listdir(root), lambda: (root / "b").write_bytes(b"x"),
                     lambda: list(root.rglob("*"))):
            with pytest.raises(OSError, match="Transport endpoint is not connected") as caught:
                call()
            assert caught.value.errno == errno.ENOTCONN
        file.close()
        slow_drive.remount(root)
        assert (root / "a").read_bytes() == b"x"
        with pytest.raises(OSError, match="Transport endpoint"), open(root / "c", "wb") as file:
            file.write(b"lost")
            slow_drive.drop(root)
        slow_drive.remount(root)
        assert os.listdir(root) == ["a", "c"] or set(os.listdir(root)) == {"a", "c"}


def test_what_drive_cannot(root: Path) -> None:
    (root.parent / "outside").touch()
    with installed(DriveSettings(str(root))):
        for call in (lambda: os.symlink("x", root / "l"), lambda: os.link(root.parent / "outside", root / "l")):
            with pytest.raises(OSError, match="not supported"):
                call()
        with pytest.raises(OSError, match="cross-device"):
            (root.parent / "outside").rename(root / "inside")
    assert list(root.iterdir()) == []


def test_another_name_of_the_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "MyDrive").symlink_to(root)
    with installed(DriveSettings(str(root), aliases=(str(tmp_path / "MyDrive"),), lag_ops=99)):
        (tmp_path / "MyDrive" / "a").touch()
        assert os.getxattr(root / "a", "user.drive.id").startswith(b"local-")
    assert usage(root).operations["create"] == 1
