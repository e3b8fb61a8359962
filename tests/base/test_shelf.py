"""Which index is the newest that holds, and for how long one that may be on its way is waited for."""

import errno
import os
import threading
from pathlib import Path

import pytest

from npylabel.base import patience as patience_module
from npylabel.base import remote as remote_module
from npylabel.base.errors import NpyLabelError
from npylabel.base.remote import RemoteFolder
from npylabel.base.shelf import Shelf
from tests.base.courier_kit import Machine, archives, indexes, machines, saved


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses do not last, but are noted and count against the patience."""
    taken: list[float] = []
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "60")
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    monkeypatch.setattr(patience_module.time, "monotonic", lambda: sum(taken))
    monkeypatch.setattr(threading.Event, "wait", lambda _self, pause: taken.append(pause))
    return taken


def shelf(folder: Path) -> Shelf:
    return Shelf(RemoteFolder(saved(folder)))


def two_saves(folder: Path) -> Machine:
    one, _two = machines(folder, 2)
    one.push({"a.csv": "a"})
    one.push({"b.csv": "b"})
    return one


def test_nothing_is_saved_yet(tmp_path: Path, naps: list[float]) -> None:
    machines(tmp_path, 1)
    assert not shelf(tmp_path).head().files and naps == []


def test_the_newest_is_taken_at_once(tmp_path: Path, naps: list[float]) -> None:
    two_saves(tmp_path)
    assert sorted(shelf(tmp_path).head().files) == ["a.csv", "b.csv"] and naps == []


@pytest.mark.parametrize("late", ["index", "archive"])
def test_what_is_on_its_way_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    two_saves(tmp_path)
    path, waits = (indexes(tmp_path) if late == "index" else archives(tmp_path))[-1], []
    data = path.read_bytes()
    path.write_bytes(data[:100])

    def wait(_event: object, pause: float) -> None:
        waits.append(pause)
        if len(waits) == 3:
            path.write_bytes(data)

    monkeypatch.setattr(threading.Event, "wait", wait)
    found = shelf(tmp_path)
    assert sorted(found.head().files) == ["a.csv", "b.csv"]
    assert waits == [0.5, 1, 2] and found.notes == []


def test_patience_ends_and_the_next_look_does_not_wait_again(tmp_path: Path, naps: list[float]) -> None:
    one = two_saves(tmp_path)
    newest = indexes(tmp_path)[-1]
    newest.write_bytes(b"")
    found = shelf(tmp_path)
    assert sorted(found.head().files) == ["a.csv"]
    assert sum(naps) == 60 and newest.name in found.notes[0]
    assert found.head().files and sum(naps) == 60 and len(found.notes) == 1
    two = Machine(tmp_path / "two", one.save_dir)
    two.pull()
    assert sum(naps) == 120
    assert two.restart().pull() == 0
    assert sum(naps) == 120 and newest.name in two.notes


def test_an_index_that_cannot_be_read_is_passed_over_unless_it_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_saves(tmp_path)
    broken = {indexes(tmp_path)[-1]}
    real = remote_module._part

    def read(path: Path, offset: int) -> bytes:
        if path in broken:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, offset)

    monkeypatch.setattr(remote_module, "_part", read)
    assert sorted(shelf(tmp_path).head().files) == ["a.csv"]
    broken.update(indexes(tmp_path))
    with pytest.raises(NpyLabelError) as caught:
        shelf(tmp_path).head()
    assert caught.value.code == "drive_fault"


def test_a_first_save_that_is_cut_is_nothing_and_is_said(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    data = indexes(tmp_path)[0].read_bytes()
    indexes(tmp_path)[0].write_bytes(data[:-1])
    found = shelf(tmp_path)
    assert not found.head().files and "did not arrive" in found.notes[0]
    two.push({"b.csv": "b"})
    indexes(tmp_path)[0].write_bytes(data)
    assert sorted(shelf(tmp_path).head().files) == ["a.csv", "b.csv"]


def test_an_index_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_saves(tmp_path)
    found, read, real = shelf(tmp_path), [], RemoteFolder.read
    monkeypatch.setattr(RemoteFolder, "read", lambda self, name: read.append(name) or real(self, name))
    assert found.head() == found.head()
    assert read == [indexes(tmp_path)[-1].name]
    found.keep_only("other")
    found.head()
    assert len(read) == 2


def test_a_later_version_is_an_error(tmp_path: Path) -> None:
    one = two_saves(tmp_path)
    import gzip

    (saved(tmp_path) / indexes(tmp_path)[-1].name.replace("000002", "000003")).write_bytes(
        gzip.compress(b'{"format": "npylabel-saved/2"}'))
    for action in (one.courier.push, one.pull):
        one.write({"a.csv": "x"})
        with pytest.raises(NpyLabelError) as caught:
            action()
        assert caught.value.code == "saved_newer"
