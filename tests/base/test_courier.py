"""The courier on one machine and on several: nothing lost, nothing done twice, never a partial success."""

import os
import unicodedata
from pathlib import Path

import pytest

from npylabel.base import courier as courier_module
from npylabel.base import packing, sending, store
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX
from npylabel.base.remote import RemoteFolder
from tests.base.courier_kit import Machine, archives, everything, flip, indexes, machines, saved


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    be_impatient(monkeypatch)


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


def fresh(folder: Path) -> dict[str, str]:
    """What a new machine gets."""
    number = len(list(folder.glob("fresh*")))
    machine = Machine(folder / f"fresh{number}", folder / "drive")
    machine.pull()
    return machine.read()


def test_a_fresh_machine_gets_everything_as_it_was(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    long = "demo/" + "ю" * 60 + "/" + "é" * 100 + ".json"
    files = {
        "a.csv": "table", "tintora_dataset/color/x.png": "x", "empty.json": "", long: "long",
        unicodedata.normalize("NFC", "train_data/ковёр/й.png"): "nfc",
        unicodedata.normalize("NFD", "train_data/ковёр/й.png"): "nfd",
    }
    assert one.push(files) == 6
    os.utime(one.root / "a.csv", ns=(1_234_567_890_123_456_789,) * 2)
    assert one.push() == 0
    os.utime(one.root / "a.csv", ns=(1_234_567_891_123_456_789,) * 2)
    one.push({"a.csv": "table 2"})
    os.utime(one.root / "a.csv", ns=(1_234_567_892_123_456_789,) * 2)
    one.push({"a.csv": "table 3"})
    assert two.pull() == 6
    assert two.read() == one.read() == {**files, "a.csv": "table 3"}
    assert (two.root / "a.csv").stat().st_mtime_ns == (one.root / "a.csv").stat().st_mtime_ns
    assert two.pull() == two.push() == 0


def test_names_of_broken_bytes_travel(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    name = b"caf\xe9.json"
    path = os.path.join(os.fsencode(one.root), name)  # noqa: PTH118
    with open(path, "wb") as file:
        file.write(b"x")
    one.push()
    assert two.pull() == 1
    assert os.listdir(os.fsencode(two.root)) in ([name, b".courier"], [b".courier", name])
    assert two.restart().push() == 0


def test_only_what_is_wanted_comes(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "tintora_dataset/color/x.png": "x", "tintora_dataset/bw/x.png": "y"})
    assert two.pull(lambda path: "color" not in path) == 2
    assert sorted(two.read()) == ["a.csv", "tintora_dataset/bw/x.png"]
    assert two.push({"b.csv": "b"}) == 1
    assert len(fresh(tmp_path)) == 4


def test_what_does_not_travel(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({
        "a.csv": "a", f"models/{TEMP_PREFIX}x.pth": "t", "export/export.csv": "", "export/train/color/x.png": "x",
        "export/mine.txt": "m", "export.csv": "my own", ".git/config": "c", ".photos.jsonl": "j"})
    (one.root / "link.csv").symlink_to(one.root / "a.csv")
    (one.root / "loop").symlink_to(one.root)
    assert one.push() == 0
    assert sorted(fresh(tmp_path)) == [".photos.jsonl", "a.csv", "export.csv", "export/mine.txt"]


def test_changes_and_removals_follow(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b", "d/c.csv": "c"})
    two.pull()
    (one.root / "d/c.csv").unlink()
    (one.root / "d").rmdir()
    assert one.push({"a.csv": "A"}) == 1
    assert two.pull() == 1
    assert two.read() == {"a.csv": "A", "b.csv": "b"}
    (two.root / "b.csv").unlink()
    assert two.pull() == 0
    assert two.push() == 0
    assert one.pull() == 0
    assert one.read() == fresh(tmp_path) == {"a.csv": "A"}


def test_what_was_changed_here_is_not_removed_nor_written_over(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    two.pull()
    two.write({"a.csv": "mine", "b.csv": "mine too"})
    (one.root / "b.csv").unlink()
    one.push({"a.csv": "theirs"})
    assert two.pull() == 0
    assert two.read() == {"a.csv": "mine", "b.csv": "mine too"}
    two.push()
    aside = f"conflicts/{archives(tmp_path)[-2].stem}/a.csv"
    assert fresh(tmp_path) == {"a.csv": "mine", "b.csv": "mine too", aside: "theirs"}
    assert "a.csv" in two.notes and "b.csv" not in two.notes
    one.pull()
    assert one.read() == fresh(tmp_path)


def test_what_one_removes_and_the_other_changes_stays(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    two.pull()
    (two.root / "a.csv").unlink()
    one.push({"a.csv": "changed"})
    two.push({"c.csv": "c"})
    assert fresh(tmp_path) == {"a.csv": "changed", "b.csv": "b", "c.csv": "c"}
    (one.root / "b.csv").unlink()
    two.write({"b.csv": "changed"})
    one.push()
    two.pull()
    two.push()
    assert fresh(tmp_path) == {"a.csv": "changed", "b.csv": "changed", "c.csv": "c"}


def test_two_machines_that_push_without_seeing_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "same.csv": "s", "gone.csv": "g"})
    two.pull()
    before = {path.name for path in saved(tmp_path).iterdir()}
    (one.root / "gone.csv").unlink()
    one.push({"a.csv": "one", "one.csv": "1"})
    blind_to = {path.name for path in saved(tmp_path).iterdir()} - before
    sizes = RemoteFolder.sizes
    monkeypatch.setattr(RemoteFolder, "sizes", lambda self: {
        name: size for name, size in sizes(self).items() if name not in blind_to})
    two.push({"a.csv": "two", "two.csv": "2"})
    assert len(indexes(tmp_path)) == 3
    monkeypatch.undo()
    be_impatient(monkeypatch)
    got = fresh(tmp_path)
    assert {path: got[path] for path in ("same.csv", "one.csv", "two.csv")} == {
        "same.csv": "s", "one.csv": "1", "two.csv": "2"}
    assert "gone.csv" not in got
    assert {text for path, text in got.items() if path.endswith("a.csv")} == {"one", "two"}
    one.pull()
    two.pull()
    one.push({"after.csv": "x"})
    two.pull()
    assert one.read() == two.read() == fresh(tmp_path)


def test_saves_of_others_survive_that_their_archives_were_packed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One machine saves in the old state, unseen; the other packs everything anew and removes the old archives."""
    one, two = machines(tmp_path, 2)
    for number in range(sending._MANY_SMALL - 1):
        one.push({f"{number}.csv": f"{number}"})
    two.pull()
    before = {path.name for path in saved(tmp_path).iterdir()}
    two.push({"two.csv": "2", "0.csv": "changed by two"})
    hidden = {path.name for path in saved(tmp_path).iterdir()} - before
    sizes = RemoteFolder.sizes
    monkeypatch.setattr(RemoteFolder, "sizes", lambda self: {
        name: size for name, size in sizes(self).items() if name not in hidden})
    for number in range(10, 14):
        one.push({f"{number}.csv": "x"})
    assert {path.name for path in archives(tmp_path)} & before == set()
    monkeypatch.undo()
    be_impatient(monkeypatch)
    got = fresh(tmp_path)
    assert got["two.csv"] == "2" and got["0.csv"] == "changed by two" and got["13.csv"] == "x" and got["1.csv"] == "1"
    two.push({"three.csv": "3"})  # It still knows the old archives only.
    got = fresh(tmp_path)
    assert got["three.csv"] == "3" and got["0.csv"] == "changed by two" and got["12.csv"] == "x"
    assert not [path for path in got if path.startswith("conflicts")]


def test_a_save_that_did_not_arrive_is_said_and_added_later(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    one.push({"a.csv": "A", "new.csv": "n"})
    late = archives(tmp_path)[-1]
    late.rename(tmp_path / "late")
    assert two.pull() == 2
    assert two.read() == {"a.csv": "a", "b.csv": "b"}
    assert indexes(tmp_path)[-1].name in two.notes
    two.push({"two.csv": "2"})
    (tmp_path / "late").rename(late)
    assert fresh(tmp_path) == {"a.csv": "A", "b.csv": "b", "new.csv": "n", "two.csv": "2"}
    assert two.restart().pull() == 2
    assert two.read() == fresh(tmp_path) and not two.notes


@pytest.mark.parametrize("harm", ["cut", "missing", "empty", "garbled"])
def test_the_index_before_is_used_where_the_newest_is_not_whole(tmp_path: Path, harm: str) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    one.push({"b.csv": "b"})
    newest = indexes(tmp_path)[-1]
    data = newest.read_bytes()
    if harm == "missing":
        newest.unlink()
    else:
        newest.write_bytes({"cut": data[:-3], "empty": b"", "garbled": data[:20] + b"\0\0" + data[22:]}[harm])
    two.pull()
    assert two.read() == {"a.csv": "a"}
    assert ("did not arrive" in two.notes) == (harm != "missing")
    # The machine that saved it still has all: nothing of it is removed, and it is saved again.
    one.restart().pull()
    assert one.read() == {"a.csv": "a", "b.csv": "b"}
    assert one.push() == 1
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "b"}


def test_a_newer_file_stays_where_its_save_did_not_arrive(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "old"})
    one.push({"a.csv": "newer"})
    indexes(tmp_path)[-1].unlink()
    one.restart().pull()
    assert one.read() == {"a.csv": "newer"}
    one.push()
    assert fresh(tmp_path)["a.csv"] == "newer"


def test_an_archive_that_every_index_needs_is_missing(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "models/m.pth": "m"})
    lost = next(path for path in archives(tmp_path) if b"m.pth" in path.read_bytes())
    lost.rename(tmp_path / "lost")
    assert two.pull() == 1
    assert lost.name in two.notes and "1 saved files" in two.notes
    two.push({"two.csv": "2"})
    assert fresh(tmp_path) == {"a.csv": "a", "two.csv": "2"}
    (tmp_path / "lost").rename(lost)
    assert fresh(tmp_path) == {"a.csv": "a", "two.csv": "2", "models/m.pth": "m"}
    lost.rename(tmp_path / "lost")
    # Who has the file saves it again; its own copy is never removed.
    one.restart().pull()
    assert one.read()["models/m.pth"] == "m"
    assert one.push() == 1
    assert fresh(tmp_path)["models/m.pth"] == "m"


def test_a_version_that_is_missing_is_kept_beside_the_one_that_takes_its_place(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    two.write({"a.csv": "two"})
    one.push({"a.csv": "one"})
    two.pull()
    lost = archives(tmp_path)[0]
    lost.rename(tmp_path / "lost")
    two.push()
    assert fresh(tmp_path) == {"a.csv": "two"}
    (tmp_path / "lost").rename(lost)
    assert fresh(tmp_path) == {"a.csv": "two", f"conflicts/{lost.stem}/a.csv": "one"}


def test_an_archive_that_vanishes_between_two_saves_is_sent_again(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    archives(tmp_path)[0].unlink()
    one.push({"c.csv": "c"})
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "b", "c.csv": "c"}


def test_other_bytes_of_the_same_number_are_an_error(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a" * 3000, "models/m.pth": "m"})
    damaged = next(path for path in archives(tmp_path) if b"a.csv" in path.read_bytes())
    flip(damaged)
    with pytest.raises(NpyLabelError) as caught:
        two.pull()
    assert caught.value.code == "saved_damaged" and damaged.name in caught.value.what and "a.csv" in caught.value.what
    assert not (two.root / "a.csv").exists()
    damaged.unlink()
    two.restart().pull()
    assert two.read() == {"models/m.pth": "m"}


def test_archives_that_are_packed_anew_while_a_machine_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = machines(tmp_path, 2)
    for number in range(sending._MANY_SMALL):
        one.push({f"{number}.csv": f"{number}"})
    fetch, pushed = RemoteFolder.fetch, []

    def fetch_late(self: RemoteFolder, name: str, target: Path, sha256: str) -> None:
        if not pushed:
            pushed.append([one.push({f"{number}.csv": "x"}) for number in (20, 21)])
        fetch(self, name, target, sha256)

    monkeypatch.setattr(RemoteFolder, "fetch", fetch_late)
    assert two.pull() == 10
    assert two.read() == one.read()


def test_an_emptied_folder_takes_everything_anew_and_removes_nothing(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "tintora_dataset/color/x.png": "x"})
    for path in saved(tmp_path).iterdir():
        path.unlink()
    saved(tmp_path).rmdir()
    one.restart().pull()
    assert len(one.read()) == 2
    assert one.push() == 2
    assert len(fresh(tmp_path)) == 2


def test_another_folder_removes_nothing_here_and_loses_nothing(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "one", "b.csv": "b"})
    other = Machine(tmp_path / "other", tmp_path / "other_drive")
    other.push({"a.csv": "other", "c.csv": "c"})
    (tmp_path / "drive").rename(tmp_path / "old")
    (tmp_path / "other_drive").rename(tmp_path / "drive")
    one.restart().pull()
    assert one.read() == {"a.csv": "one", "b.csv": "b", "c.csv": "c"}
    one.push()
    two.pull()
    assert sorted(two.read().values()) == ["b", "c", "one", "other"]


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b'{"files": {"a": 1}}', b'{"files": 3, "pending": 1}'])
def test_a_damaged_state_is_compared_by_content_and_nothing_is_sent_twice(tmp_path: Path, state: bytes) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "tintora_dataset/color/x.png": "x"})
    (one.root / ".courier/state.json").write_bytes(state)
    one.restart().pull(lambda path: path.endswith(".csv"))
    assert one.push() == 0
    assert len(indexes(tmp_path)) == 1
    (one.root / "a.csv").unlink()
    one.push()
    assert sorted(fresh(tmp_path)) == ["tintora_dataset/color/x.png"]


def test_a_kill_between_unpacking_and_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})

    def killed(_self: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("npylabel.base.mirror.Mirror.write", killed)
        two.pull()
    assert len(two.read()) == 2
    assert two.restart().pull() == 0
    assert two.push() == 0
    (two.root / "a.csv").unlink()
    two.push()
    assert sorted(fresh(tmp_path)) == ["b.csv"]


def test_a_kill_between_the_index_and_the_state_makes_no_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "gone.csv": "g"})
    (one.root / "gone.csv").unlink()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("npylabel.base.sending.Sender.forget", killed_now)
        patch.setattr("npylabel.base.mirror.Mirror.write", only_with_pending)
        one.push({"a.csv": "second"})
    one.write({"a.csv": "third"})
    one.restart().pull()
    one.push()
    assert fresh(tmp_path) == {"a.csv": "third"}
    assert not one.notes


def killed_now(_self: object) -> None:
    raise KeyboardInterrupt


def only_with_pending(self: object, write: object = courier_module.Mirror.write) -> None:
    if self.pending:
        write(self)


@pytest.mark.parametrize("broken", ["archive", "index"])
def test_what_reached_drive_in_a_failed_push_is_not_sent_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    one, _two = machines(tmp_path, 2)
    sent, fails = [], [True]
    store_file = RemoteFolder.store

    def recording(self: RemoteFolder, name: str, source: Path) -> str:
        if fails and (name.startswith("index") if broken == "index" else len(sent) == 2):
            raise NpyLabelError("drive_fault", "x", "y")
        sent.append((name, source.read_bytes()))
        return store_file(self, name, source)

    monkeypatch.setattr(RemoteFolder, "store", recording)
    files = {"tintora_dataset/color/x.png": "xxx", "tintora_dataset/bw/x.png": "yyy", "a.csv": "a", "b.csv": "b"}
    with pytest.raises(NpyLabelError):
        one.push(files)
    fails.clear()
    one.push({"tintora_dataset/bw/x.png": "changed", "a.csv": "a again"})
    for text in (b"xxx", b"yyy", b"changed"):
        assert sum(text in data for _name, data in sent) == 1
    assert len({name for name, _data in sent}) == len(sent)
    assert fresh(tmp_path) == {**files, "tintora_dataset/bw/x.png": "changed", "a.csv": "a again"}
    one.push({"c.csv": "c"})
    assert fresh(tmp_path) == one.read()
    one.push({"d.csv": "d"})
    needed = one.courier.parent.needed()
    assert [path.name for path in archives(tmp_path) if path.name not in needed] == []


def test_what_was_sent_and_changed_back_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    with monkeypatch.context() as patch, pytest.raises(NpyLabelError):
        patch.setattr(courier_module.Courier, "_publish", failing)
        one.push({"a.csv": "X"})
    one.push({"a.csv": "a", "b.csv": "B"})
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "B"}


def failing(*_arguments: object) -> None:
    raise NpyLabelError("drive_fault", "x", "y")


def test_an_archive_that_drive_loses_at_once_is_an_error_and_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _two = machines(tmp_path, 2)
    store_file = RemoteFolder.store

    def losing(self: RemoteFolder, name: str, source: Path) -> str:
        sha256 = store_file(self, name, source)
        (self.folder / name).unlink()
        return sha256

    with monkeypatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(RemoteFolder, "store", losing)
        one.push({"a.csv": "a"})
    assert caught.value.code == "drive_fault" and indexes(tmp_path) == []
    assert one.push() == 1
    assert fresh(tmp_path) == {"a.csv": "a"}


@pytest.mark.parametrize("lost", ["gone", "not listed"])
def test_what_a_failed_push_sent_and_drive_lost_is_sent_again_under_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    one, _two = machines(tmp_path, 2)
    with monkeypatch.context() as patch, pytest.raises(NpyLabelError):
        patch.setattr(courier_module.Courier, "_write_index", failing)
        one.push({"a.csv": "a"})
    first = archives(tmp_path)[0]
    if lost == "gone":
        first.unlink()
    sizes = RemoteFolder.sizes
    monkeypatch.setattr(RemoteFolder, "sizes", lambda self: {
        name: size for name, size in sizes(self).items() if name != first.name})
    assert one.push({"b.csv": "b"}) == 2
    assert one.courier.parent.needed() == [archives(tmp_path)[-1].name] != [first.name]
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "b"}


def test_an_archive_without_what_it_should_hold_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    with monkeypatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(courier_module, "unpack", lambda *_arguments: {})
        two.pull()
    assert caught.value.code == "saved_damaged"
    assert two.pull() == 2


def test_touched_files_are_not_sent(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    os.utime(one.root / "a.csv")
    assert one.push() == 0
    assert one.push({"b.csv": "c"}) == 1
    assert b"a.csv" not in archives(tmp_path)[-1].read_bytes()


def test_an_unmounted_work_folder_is_no_decision_to_remove_everything(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    (one.root / "a.csv").unlink()
    assert one.push() == 0
    assert fresh(tmp_path) == {"a.csv": "a"}


def test_a_folder_that_cannot_be_read_is_an_error_and_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "d/b.csv": "b"})
    scan = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "d":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    with monkeypatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(os, "scandir", refusing)
        one.push({"a.csv": "changed"})
    assert caught.value.code == "disk_fault"
    assert len(fresh(tmp_path)) == 2


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


def test_a_push_without_a_pull_looks_first(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b"})
    assert two.push({"b.csv": "b", "c.csv": "c"}) == 1
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "b", "c.csv": "c"}
    indexes(tmp_path)[-1].write_bytes(b"")
    two.restart().push({"d.csv": "d"})
    assert "did not arrive" in two.notes
    assert fresh(tmp_path) == {"a.csv": "a", "b.csv": "b", "c.csv": "c", "d.csv": "d"}


def test_two_processes_on_one_folder_save_the_same(tmp_path: Path) -> None:
    one, _two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    other = Machine(one.root, one.save_dir)
    other.pull()
    one.write({"a.csv": "b"})
    assert other.push() == 1
    assert one.push() == 0
    assert fresh(tmp_path) == {"a.csv": "b"}
    assert not one.notes and not other.notes


def test_an_empty_archive_group_needs_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that vanishes before it is packed is as if it had never been there."""
    one, _two = machines(tmp_path, 2)
    pack = packing.pack

    def vanishing(root: Path, paths: list[str], archive: Path) -> dict:
        (root / "models/m.pth").unlink(missing_ok=True)
        return pack(root, paths, archive)

    monkeypatch.setattr(packing, "pack", vanishing)
    assert one.push({"models/m.pth": "m", "a.csv": "a"}) == 1
    assert fresh(tmp_path) == {"a.csv": "a"}
    assert len(archives(tmp_path)) == 1


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
