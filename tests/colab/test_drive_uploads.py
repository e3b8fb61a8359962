"""What of a machine's changes the next machine finds on the tests' Drive."""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.colab import slow_drive
from tests.colab.slow_drive import DriveSettings, installed, machine_dies, machine_ends, pending

NEVER_UPLOADED = 1e9


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "drive"
    folder.mkdir()
    return folder


def on_machine(root: Path, **settings: object) -> object:
    return installed(DriveSettings(str(root), **{"lag_ops": NEVER_UPLOADED, **settings}))


def drive_id(path: Path) -> bytes:
    return os.getxattr(path, "user.drive.id")


def files(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_changes_are_seen_at_once_and_uploaded_later(root: Path) -> None:
    with on_machine(root, lag_ops=10):
        (root / "a").write_text("a")
        assert (root / "a").read_text() == "a"
        assert drive_id(root / "a").startswith(b"local-")
        with open(root / "a", "r+") as file:
            os.fsync(file.fileno())
        assert pending(root) == {"a": "write"}
        assert drive_id(root / "a").startswith(b"local-")
        # At most one and a half times ten operations after the close.
        for _ in range(15):
            (root / "a").exists()
        assert pending(root) == {}
        uploaded = drive_id(root / "a")
        assert not uploaded.startswith(b"local-")
        (root / "a").rename(root / "b")
        assert pending(root) == {"b": "move"}
        assert drive_id(root / "b") == uploaded
        with pytest.raises(OSError, match=r"No data|not supported"):
            os.getxattr(root / "b", "user.else")


def test_an_id_does_not_tell_of_a_change_in_place(root: Path) -> None:
    (root / "a").write_text("old")
    with on_machine(root):
        before = drive_id(root / "a")
        (root / "a").write_text("new")
        assert pending(root) == {"a": "write"}
        assert drive_id(root / "a") == before
        (root / "b").write_text("newer")
        (root / "b").replace(root / "a")
        assert drive_id(root / "a").startswith(b"local-")


def test_uploads_take_seconds_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with on_machine(root, lag_ops=0, lag_s=100):
        (root / "a").touch()
        (root / "a").exists()
        assert pending(root) == {"a": "write"}
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 151)
        (root / "a").exists()
        assert pending(root) == {}


def test_uploads_are_in_no_order(root: Path) -> None:
    order: list[str] = []
    with on_machine(root, lag_ops=40):
        for number in range(20):
            (root / str(number)).touch()
        for _ in range(100):
            (root / "0").exists()
            order += sorted({str(number) for number in range(20)} - set(pending(root)) - set(order))
    assert sorted(order) == sorted(map(str, range(20)))
    assert order != sorted(order, key=int)


def test_an_open_file_is_not_uploaded(root: Path) -> None:
    with on_machine(root, lag_ops=2):
        with open(root / "a", "w") as file:
            file.write("a")
            for _ in range(20):
                (root / "a").exists()
            assert pending(root) == {"a": "write"}
        for _ in range(4):
            (root / "a").exists()
        assert pending(root) == {}


def test_a_clean_end_uploads_all(root: Path) -> None:
    with on_machine(root):
        (root / "a").write_text("a")
        (root / "b").mkdir()
    machine_ends(root)
    assert pending(root) == {}
    assert machine_dies(root, random.Random(1)) == []
    assert files(root) == {"a": "a"}
    assert (root / "b").is_dir()


def write_all_ways(root: Path) -> None:
    """New, changed in place, emptied and written, appended, replaced, deleted and made again."""
    (root / "new").write_text("new")
    (root / "changed").write_text("changed")
    with open(root / "appended", "a") as file:
        file.write("+new")
    (root / ".tmp").write_text("replaced")
    (root / ".tmp").replace(root / "replaced")
    (root / "again").unlink()
    (root / "again").write_text("again")


OLD = {"changed": "old1", "appended": "old2", "replaced": "old3", "again": "old4", "kept": "kept"}
NEW = {"new": "new", "changed": "changed", "appended": "old2+new", "replaced": "replaced", "again": "again",
       "kept": "kept"}


def dead_after_writing(root: Path, seed: int, outcome: str, **options: object) -> dict[str, str]:
    """The files after a machine that wrote and died with one outcome for all."""
    for name, text in OLD.items():
        (root / name).write_text(text)
    with on_machine(root):
        write_all_ways(root)
        assert files(root) == NEW
    fates = machine_dies(root, random.Random(seed), writes=[outcome], **options)
    assert {path for path, _fate in fates} == set(NEW) - {"kept"}
    return files(root)


def test_what_arrives_whole(root: Path) -> None:
    assert dead_after_writing(root, 1, "whole") == NEW


def test_what_never_arrives(root: Path) -> None:
    found = dead_after_writing(root, 2, "never")
    assert "new" not in found
    assert all(found[name] == OLD[name] for name in ("changed", "appended", "kept"))
    assert all(found.get(name, OLD[name]) == OLD[name] for name in ("replaced", "again"))


def test_a_replaced_file_may_be_lost_with_its_successor(root: Path) -> None:
    found = Counter()
    for seed in range(24):
        folder = root / str(seed)
        folder.mkdir()
        left = dead_after_writing(folder, seed, "never")
        found.update(name for name in ("replaced", "again", "changed") if name in left)
    assert found["changed"] == 24
    assert 3 < found["replaced"] < 21
    assert 3 < found["again"] < 21


def test_what_arrives_cut_short(root: Path) -> None:
    found = dead_after_writing(root, 3, "short")
    assert set(found) == set(NEW)
    for name, text in NEW.items():
        assert found[name] == text if name == "kept" else found[name] != text
        assert text.startswith(found[name])


def test_what_arrives_late(root: Path) -> None:
    found = dead_after_writing(root, 4, "late", late_ops=10)
    assert found == OLD
    with on_machine(root):
        for _ in range(10):
            root.exists()
    assert files(root) == NEW


def test_late_files_can_be_settled(root: Path) -> None:
    with on_machine(root):
        (root / "a.txt").write_text("a")
    machine_dies(root, random.Random(1), writes=["late"], late_ops=1e9)
    with on_machine(root):
        assert not (root / "a.txt").exists()
        (root / "a.txt").write_text("mine")
        slow_drive.settle_late(root)
        assert files(root) == {"a.txt": "mine", "a (1).txt": "a"}


def test_a_late_change_meets_another_one(root: Path) -> None:
    (root / "a").write_text("old")
    with on_machine(root):
        (root / "a").write_text("late")
    machine_dies(root, random.Random(1), writes=["late"], late_ops=1e9)
    with on_machine(root):
        assert (root / "a").read_text() == "old"
        (root / "a").write_text("new")
        slow_drive.settle_late(root)
    assert files(root) == {"a": "new", "a (1)": "late"}


@pytest.mark.parametrize("outcome", ["happened", "comes_back"])
def test_deletions_and_renames(root: Path, outcome: str) -> None:
    for name in ("deleted", "moved", "twice", "onto", "target"):
        (root / name).write_text(name)
    (root / "emptied").mkdir()
    (root / "emptied" / "x").write_text("x")
    with on_machine(root):
        (root / "deleted").unlink()
        (root / "moved").rename(root / "moved 2")
        (root / "twice").rename(root / "twice 2")
        (root / "twice 2").rename(root / "twice 3")
        (root / "onto").rename(root / "target")
        (root / "emptied" / "x").unlink()
        (root / "emptied").rmdir()
        (root / "made").mkdir()
        (root / "passing").write_text("x")
        (root / "passing").unlink()
        assert "passing" not in pending(root)
    machine_dies(root, random.Random(1), deletions=[outcome])
    happened = outcome == "happened"
    assert files(root) == (
        {"moved 2": "moved", "twice 3": "twice", "target": "onto"} if happened else
        {name: name.removeprefix("emptied/") for name in ("deleted", "moved", "twice", "onto", "target", "emptied/x")})
    assert (root / "made").is_dir() == happened
    assert (root / "emptied").is_dir() != happened


def test_a_renamed_file_is_deleted(root: Path) -> None:
    (root / "a").write_text("a")
    (root / "b").write_text("b")
    with on_machine(root):
        (root / "a").replace(root / "b")
        (root / "b").unlink()
        assert pending(root) == {"a": "delete", "b": "delete"}
    machine_dies(root, random.Random(1), deletions=["comes_back"])
    assert files(root) == {"a": "a", "b": "b"}


def test_a_name_that_is_used_again_ends_the_rename(root: Path) -> None:
    for name in "acd":
        (root / name).write_text(name)
    with on_machine(root):
        (root / "a").rename(root / "b")
        (root / "a").write_text("new")
        assert pending(root) == {"a": "write"}
        (root / "c").rename(root / "e")
        (root / "d").rename(root / "c")
        assert pending(root) == {"a": "write", "c": "move"}


def test_a_renamed_folder_is_many_renamed_files(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    for number in range(20):
        (root / "a" / "b" / str(number)).write_text(str(number))
    with on_machine(root):
        (root / "a").rename(root / "z")
        assert Counter(pending(root).values()) == {"move": 20, "mkdir": 2, "rmdir": 2}
    machine_dies(root, random.Random(5))
    found = files(root)
    assert sorted(found.values()) == sorted(map(str, range(20)))
    assert {name.partition("/")[0] for name in found} == {"a", "z"}


def random_work(root: Path, rng: random.Random, versions: dict[str, set[str]]) -> None:
    """Forty changes; ``versions`` gets every whole text that a name ever had."""
    for number in range(40):
        present = sorted(path for path in root.iterdir() if path.is_file())
        target = root / rng.choice("abcdef")
        if rng.random() < 0.5 or not present:
            text = f"{number}-" * rng.randrange(1, 9)
            target.write_text(text)
            versions.setdefault(target.name, set()).add(text)
        elif rng.random() < 0.6:
            source = rng.choice(present)
            versions.setdefault(target.name, set()).add(source.read_text())
            source.replace(target)
        else:
            rng.choice(present).unlink()


@pytest.mark.parametrize("lag_ops", [3, 40, NEVER_UPLOADED])
def test_whatever_a_machine_did_only_pending_changes_are_lost(tmp_path: Path, lag_ops: float) -> None:
    for seed in range(5):
        rng, versions = random.Random(seed), {}
        root = tmp_path / str(seed) / "drive"
        root.mkdir(parents=True)
        for _machine in range(3):
            with on_machine(root, lag_ops=lag_ops):
                random_work(root, rng, versions)
            touched, before = slow_drive.touched(root), files(root)
            machine_dies(root, rng)
            slow_drive.settle_late(root)
            found = files(root)
            for name in set(before) - touched:
                assert found[name] == before[name]
            for name, text in found.items():
                name = name.partition(" ")[0]
                assert any(version.startswith(text) for version in versions[name]), (seed, name)
                versions[name].add(text)


def test_files_of_the_machine_before_are_seen_late(root: Path) -> None:
    (root / "changed").write_text("old")
    with on_machine(root, lag_ops=0):
        (root / "a").write_text("a")
        (root / "changed").write_text("new")
    machine_ends(root)
    with on_machine(root, late_ops=20):
        found = [files(root) for _ in range(6)]
        assert found[0] == {"changed": "old"}
        assert files(root) == {"a": "a", "changed": "new"}
    machine_ends(root)
    with on_machine(root, late_ops=5):
        assert "a" in files(root)


def test_a_file_from_elsewhere(root: Path) -> None:
    with on_machine(root):
        slow_drive.put_from_elsewhere(root, "new/photo.jpg", b"photo", late_ops=3)
        assert [(root / "new" / "photo.jpg").exists() for _ in range(5)] == [False, False, True, True, True]
        assert pending(root) == {}
