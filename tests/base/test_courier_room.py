"""The shared folder does not grow: what is dead goes, one generation later, and nothing else."""

import os
from pathlib import Path

import pytest

from npylabel.base import packing, sending, store
from npylabel.base.errors import NpyLabelError
from npylabel.base.remote import RemoteFolder
from tests.base.courier_kit import archives, be_impatient, everything, fresh, indexes, machines, saved


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    be_impatient(monkeypatch)


def test_zombies_are_ignored_and_removed_again(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "gone.csv": "g"})
    zombies = {path: path.read_bytes() for path in saved(tmp_path).iterdir()}
    (one.root / "gone.csv").unlink()
    for number in range(4):
        one.push({"a.csv": f"a{number}"})
    assert not any(path.exists() for path in zombies)
    for path, data in zombies.items():
        path.write_bytes(data)
    assert fresh(tmp_path) == {"a.csv": "a3"}
    one.push({"a.csv": "a4"})
    one.push({"a.csv": "a5"})
    assert not any(path.exists() for path in zombies)
    assert fresh(tmp_path) == {"a.csv": "a5"}


def test_what_is_dead_goes_one_generation_later(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    first = [*archives(tmp_path), *indexes(tmp_path)]
    one.push({"a.csv": "b"})
    assert all(path.exists() for path in first)
    one.push({"a.csv": "c"})
    assert not any(path.exists() for path in first)


def test_nothing_is_removed_while_drive_is_sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = machines(tmp_path, 2)
    monkeypatch.setattr(os, "getxattr", lambda *_: b"local-1", raising=False)
    for text in "abc":
        one.push({"a.csv": text})
    assert (len(archives(tmp_path)), len(indexes(tmp_path))) == (3, 3)
    assert one.courier.unsent() == [one.courier.parent.name, *one.courier.parent.needed()]
    monkeypatch.setattr(os, "getxattr", lambda *_: b"1abc", raising=False)
    one.push({"a.csv": "d"})
    assert (len(archives(tmp_path)), len(indexes(tmp_path))) == (2, 2)
    assert one.courier.unsent() == []


def test_strays_go_when_they_are_old_and_what_another_machine_sends_stays(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    young, old = (saved(tmp_path) / store.archive_name(1, session, 0) for session in ("0" * 8, "1" * 8))
    foreign = saved(tmp_path) / "mine.txt"
    for path in (young, old, foreign):
        path.write_bytes(b"x")
    for path in (old, foreign):
        os.utime(path, (1, 1))
    for number in range(12):
        one.push({"a.csv": f"{number}"})
    assert (young.exists(), old.exists(), foreign.exists()) == (True, False, True)


def test_the_folder_does_not_grow(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.write({f"tintora_dataset/labels/{number}.npy": "0" * 100 for number in range(50)})
    most = sent = 0
    for number in range(200):
        one.push({"labels.csv": f"{number}", f"tintora_dataset/labels/{number % 50}.npy": f"{number:0100}",
                  f"new/{number % 40}.json": f"{number}"})
        most = max(most, len(archives(tmp_path)))
        sent += sum(path.stat().st_size for path in archives(tmp_path) if path.name.startswith(f"{number + 1:06d}"))
    assert most <= 5 * sending._MANY_SMALL and len(indexes(tmp_path)) == 2
    assert sum(path.stat().st_size for path in archives(tmp_path)) < 3 * 10_240 * (most + 100)
    two.pull()
    assert two.read() == one.read()
    print(f"200 pushes: at most {most} archives, {sent} bytes sent")


def test_archives_that_are_not_here_are_not_packed_anew_for_ever(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    for number in range(sending._MANY_SMALL - 1):
        one.push({f"tintora_dataset/color/{number}{letter}.png": letter for letter in "ab"})
    two.pull(lambda path: path.endswith("a.png"))
    for number in range(3):
        two.push({f"tintora_dataset/color/new{number}.png": "n"})
        assert len([path for path in archives(tmp_path) if path.name.startswith(f"{8 + number:06d}")]) == 1
        newest = archives(tmp_path)[-1].name
        assert [path for path, file in two.courier.parent.files.items() if file.archive == newest] == [
            f"tintora_dataset/color/new{number}.png"]


def test_large_archives_that_are_mostly_dead_are_packed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ARCHIVE_BYTES", 100_000)
    one, _two = machines(tmp_path, 2)
    one.push({f"tintora_dataset/color/{number:02}.png": "x" * 10_000 for number in range(20)})
    first = archives(tmp_path)
    assert len(first) == 2
    for number in range(20):
        if number % 10:
            (one.root / f"tintora_dataset/color/{number:02}.png").unlink()
    for text in "abcd":
        one.push({"a.csv": text})
    assert not set(first) & set(archives(tmp_path))
    assert sorted(fresh(tmp_path)) == ["a.csv", "tintora_dataset/color/00.png", "tintora_dataset/color/10.png"]


def test_history_longer_than_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_HISTORY", 5)
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "gone.csv": "g"})
    two.pull()
    zombie = indexes(tmp_path)[0]
    data = zombie.read_bytes()
    (one.root / "gone.csv").unlink()
    for number in range(20):
        one.push({"b.csv": f"{number}"})
    assert len(one.courier.parent.history) == 5
    zombie.write_bytes(data)
    for path in one.courier.parent.needed()[:1]:
        assert (saved(tmp_path) / path).exists()
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "19"}
    two.write({"a.csv": "two"})
    two.restart().pull()
    two.push()
    assert fresh(tmp_path)["a.csv"] == "two"


def test_operations_on_drive_do_not_grow_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = machines(tmp_path, 2)
    drive, calls = str(tmp_path / "drive"), []

    def counted(name: str, real: object) -> object:
        def call(path: object, *arguments: object, **keywords: object) -> object:
            if isinstance(path, str | Path) and str(path).startswith(drive):
                calls.append(name)
            return real(path, *arguments, **keywords)
        return call

    for name in ("open", "stat", "unlink", "mkdir"):
        monkeypatch.setattr(Path, name, counted(name, getattr(Path, name)))
    for name in ("scandir", "truncate", "getxattr", "stat"):
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)), raising=False)
    counts = {}
    for many in (10, 400):
        one.write({f"tintora_dataset/color/{many}_{number}.png": f"{number}" for number in range(many)})
        for name, action in (("push", one.push), ("pull", lambda: two.pull(everything)), ("idle push", one.push),
                             ("idle pull", lambda: two.pull(everything))):
            calls.clear()
            action()
            counts[many, name] = len(calls)
    print(counts)
    assert counts[400, "push"] <= 30 and counts[400, "pull"] <= 10
    assert counts[400, "idle push"] == 0 and counts[400, "idle pull"] <= 3


def used(folder: Path) -> int:
    return sum(path.stat().st_size for path in saved(folder).iterdir())


BIG = b"x" * 2_000_000


def test_removing_much_gives_room_at_once(tmp_path: Path) -> None:
    """Also where the removed file shares its archive with others."""
    one, _two = machines(tmp_path, 2)
    one.push({"models/m.pth": "m", "models/archive/old.pth": BIG, "a.csv": "a"})
    (one.root / "models/archive/old.pth").unlink()
    one.push()
    assert used(tmp_path) < 100_000
    assert fresh(tmp_path) == {"models/m.pth": "m", "a.csv": "a"}
    assert len(indexes(tmp_path)) == 1


def test_room_is_given_back_when_drive_has_sent_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"models/m.pth": "m", "models/archive/old.pth": BIG, "a.csv": "a"})
    (one.root / "models/archive/old.pth").unlink()
    monkeypatch.setattr(os, "getxattr", lambda *_: b"local-1", raising=False)
    one.push()
    one.restart().pull()
    assert one.push() == 0 and used(tmp_path) > 2_000_000
    monkeypatch.setattr(os, "getxattr", lambda *_: b"1abc", raising=False)
    assert one.restart().push() == 0
    assert used(tmp_path) < 100_000 and fresh(tmp_path) == {"models/m.pth": "m", "a.csv": "a"}


def test_a_full_drive_still_gives_the_room_that_needs_no_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"models/old.pth": BIG})
    one.push({"models/m.pth": "m", "models/other.pth": BIG})
    for name in ("old", "other"):
        (one.root / f"models/{name}.pth").unlink()
    store_file = RemoteFolder.store

    def full(self: RemoteFolder, name: str, source: Path) -> str:
        if name.endswith(".tar"):
            raise NpyLabelError("drive_full", "x", "y")
        return store_file(self, name, source)

    with monkeypatch.context() as patch:
        patch.setattr(RemoteFolder, "store", full)
        one.push()
    assert 2_000_000 < used(tmp_path) < 2_100_000
    one.push()
    assert used(tmp_path) < 100_000 and fresh(tmp_path) == {"models/m.pth": "m"}
