"""What arrives late, cut, in another order or not at all, and machines that do not see each other."""

from pathlib import Path

import pytest

from npylabel.base import courier as courier_module
from npylabel.base import sending
from npylabel.base.errors import NpyLabelError
from npylabel.base.remote import RemoteFolder
from tests.base.courier_kit import (
    Machine,
    archives,
    be_impatient,
    failing,
    flip,
    fresh,
    indexes,
    machines,
    saved,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    be_impatient(monkeypatch)


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
    one.push({"a.csv": "a" * 8000, "models/m.pth": "m"})
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


LEDGER = "tintora_dataset/manifest.csv"
PICTURES = {"tintora_dataset/color/p1.png": "1", "tintora_dataset/bw/p1.png": "b1"}


def test_pictures_stay_hidden_for_a_lost_table_when_a_new_one_is_there(tmp_path: Path) -> None:
    one, two, three = machines(tmp_path, 3)
    one.push({LEDGER: "row of p1", **PICTURES})
    lost = saved(tmp_path) / one.courier.parent.files[LEDGER].archive
    lost.rename(tmp_path / "lost")
    two.pull()
    assert two.read() == {}
    two.push({LEDGER: "row of p2", "tintora_dataset/color/p2.png": "2"})
    for _machine in range(2):
        assert fresh(tmp_path) == {LEDGER: "row of p2", "tintora_dataset/color/p2.png": "2"}
    three.pull()
    three.push({LEDGER: "rows of p2, p3", "tintora_dataset/color/p3.png": "3"})
    assert sorted(fresh(tmp_path)) == [
        "tintora_dataset/color/p2.png", "tintora_dataset/color/p3.png", LEDGER]
    assert {"tintora_dataset/color/p1.png"} <= three.courier.parent.hidden()
    (tmp_path / "lost").rename(lost)
    kept = f"conflicts/{lost.stem}/"
    got = fresh(tmp_path)
    assert {path: text for path, text in got.items() if path.startswith("conflicts")} == {
        kept + path: text for path, text in {LEDGER: "row of p1", **PICTURES}.items()}
    assert got[LEDGER] == "rows of p2, p3" and "tintora_dataset/color/p1.png" not in got


def test_pictures_that_are_made_again_are_missing_no_more(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({LEDGER: "row of p1", **PICTURES})
    (saved(tmp_path) / one.courier.parent.files[LEDGER].archive).unlink()
    two.pull()
    two.push({LEDGER: "row of p2"})
    two.push({LEDGER: "rows of p2, p1", **PICTURES})
    assert fresh(tmp_path) == {LEDGER: "rows of p2, p1", **PICTURES}
    assert [path for path in two.courier.parent.missing if path.endswith(".png")] == []


def test_a_machine_that_has_what_is_hidden_brings_it_back_beside_the_newer_state(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({LEDGER: "row of p1", **PICTURES})
    lost = saved(tmp_path) / one.courier.parent.files[LEDGER].archive
    lost.unlink()
    two.pull()
    two.push({LEDGER: "row of p2", "tintora_dataset/color/p2.png": "2"})
    whole = {LEDGER: "row of p2", "tintora_dataset/color/p2.png": "2"} | {
        f"conflicts/{lost.stem}/{path}": text for path, text in {LEDGER: "row of p1", **PICTURES}.items()}
    one.restart().pull()
    assert one.read() == whole
    assert one.push() == 3
    assert fresh(tmp_path) == whole and not one.courier.parent.missing


def test_new_pictures_are_not_hidden_for_an_older_table(tmp_path: Path) -> None:
    """Those of a step at work, whose table comes last, are not sent again with each save."""
    one, two = machines(tmp_path, 2)
    one.push({LEDGER: "row of p1", **PICTURES})
    (saved(tmp_path) / one.courier.parent.files[LEDGER].archive).unlink()
    two.pull()
    assert two.push({"tintora_dataset/color/p2.png": "2", "tintora_dataset/.photos.jsonl": "p2"}) == 2
    assert two.push({"tintora_dataset/color/p3.png": "3"}) == 1
    assert fresh(tmp_path) == {"tintora_dataset/color/p2.png": "2", "tintora_dataset/color/p3.png": "3",
                               "tintora_dataset/.photos.jsonl": "p2"}


def test_what_is_whole_in_a_damaged_archive_is_brought(tmp_path: Path) -> None:
    """What only people look at is left out, said, and made again by its step."""
    one, two = machines(tmp_path, 2)
    files = {"a.csv": "a", "d/contact_sheet.jpg": "s" * 3000, "e.csv": "e"}
    one.push(files)
    archive = archives(tmp_path)[0]
    archive.write_bytes(archive.read_bytes().replace(b"s" * 3000, b"s" * 1500 + b"x" + b"s" * 1499))
    assert two.pull() == 2
    assert two.read() == {"a.csv": "a", "e.csv": "e"} and "contact_sheet.jpg" in two.notes
    assert two.restart().pull() == 0 and not two.notes
    assert two.push({"d/contact_sheet.jpg": "again"}) == 1
    assert fresh(tmp_path) == {**files, "d/contact_sheet.jpg": "again"}
    assert "conflicts" not in str(two.courier.parent.missing)


@pytest.mark.parametrize(("whole_bytes", "brought"), [(1024, {"a.csv": "a"}), (0, {})])
def test_a_damaged_archive_stops_who_needs_what_is_lost(tmp_path: Path, whole_bytes: int, brought: dict) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a", "b.csv": "b" * 2000})
    archive = archives(tmp_path)[0]
    data = archive.read_bytes()
    archive.write_bytes(data[:whole_bytes] + b"\xff" * (len(data) - whole_bytes))
    with pytest.raises(NpyLabelError) as caught:
        two.pull()
    assert caught.value.code == "saved_damaged"
    assert two.read() == brought
