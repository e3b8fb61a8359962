"""The courier and the local side: nothing lost, nothing done twice, whatever is killed or changed by hand."""

import os
import unicodedata
from pathlib import Path

import pytest

from npylabel.base import courier as courier_module
from npylabel.base import packing
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX
from npylabel.base.remote import RemoteFolder
from tests.base.courier_kit import Machine, archives, be_impatient, failing, fresh, indexes, machines


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    be_impatient(monkeypatch)


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
