"""The local side: what changed, what is packed and unpacked, and in which order a living folder is read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base import mirror as mirror_module
from npylabel.base import packing
from npylabel.base.groups import Rank, group_of, is_bulk, is_extra, rank_of
from npylabel.base.mirror import Mirror, hash_of
from npylabel.base.packing import batches, pack, unpack
from npylabel.base.store import SavedFile
from tests.base.courier_kit import Machine, machines


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk."""
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


def file_of(path: Path, archive: str = "x") -> SavedFile:
    return SavedFile(hash_of(path), path.stat().st_size, path.stat().st_mtime_ns, archive)


def test_the_state_is_kept(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    mirror.base, mirror.pending = {"\udce9": SavedFile("s", 1, 2, "x")}, {"b": SavedFile("t", 1, 2, "y", "z", "m")}
    mirror.given_up, mirror.working = "index", True
    mirror.damaged, mirror.frees_room = {("x.tar", "a")}, True
    mirror.write()
    again = Mirror(tmp_path)
    assert vars(again) == vars(mirror)
    assert again.scan() == {}


def test_a_file_is_hashed_only_where_it_looks_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = Mirror(tmp_path)
    for name in "abc":
        (tmp_path / name).write_text(name)
        mirror.base[name] = file_of(tmp_path / name)
    os.utime(tmp_path / "b", (1, 1))
    (tmp_path / "c").write_text("longer")
    hashed = []
    monkeypatch.setattr(mirror_module, "hash_of", lambda path: hashed.append(path.name) or hash_of(path))
    changed, gone = mirror.changes({})
    assert (list(changed), gone, hashed) == (["c"], set(), ["b"])
    assert mirror.changes({})[0].keys() == {"c"} and hashed == ["b"]
    (tmp_path / "a").unlink()
    assert mirror.changes({})[1] == {"a"}
    assert not mirror.is_changed_here("b") and mirror.is_changed_here("a") and not mirror.is_changed_here("never")


def test_archives_keep_names_times_and_bytes(tmp_path: Path) -> None:
    names = ["a", "ю" * 120 + "/" + "é" * 100, "empty", "deep/" * 60 + "x"]
    for number, name in enumerate(names):
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_bytes(b"" if name == "empty" else os.urandom(3_000_000 * (number == 3) + 9))
        os.utime(tmp_path / "one" / name, ns=(1, 10**18 + number))
    (tmp_path / "one/folder").mkdir()
    packed = pack(tmp_path / "one", [*names, "gone", "folder", "a/below"], tmp_path / "t.tar")
    assert packed == {name: file_of(tmp_path / "one" / name, "") for name in names}
    assert unpack(tmp_path / "two", tmp_path / "t.tar", packed) == packed
    assert {name: file_of(tmp_path / "two" / name, "") for name in names} == packed
    other = {"b/c": packed["a"]._replace(member="a"), "a": packed["a"]}
    assert unpack(tmp_path / "three", tmp_path / "t.tar", {**other, "not there": packed["a"]}) == other
    assert (tmp_path / "three/b/c").read_bytes() == (tmp_path / "one/a").read_bytes()


def test_a_file_that_grows_while_it_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    fstat = os.fstat

    def grow(handle: int) -> os.stat_result:
        status = fstat(handle)
        with (tmp_path / "a").open("ab") as file:
            file.write(b"y" * 10)
        return status

    with monkeypatch.context() as patch:
        patch.setattr(packing.os, "fstat", grow)
        packed = pack(tmp_path, ["a"], tmp_path / "t.tar")
    unpack(tmp_path / "two", tmp_path / "t.tar", packed)
    assert (tmp_path / "two/a").read_bytes() == b"x" * 10
    assert packed["a"].sha256 == hash_of(tmp_path / "two/a")


def test_batches_are_full_but_not_too_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "ARCHIVE_BYTES", 10)
    sizes = {"d/color/1.png": 6, "a.csv": 1, "d/color/2.png": 4, "m.pth": 50, "d/color/3.png": 1, "b.csv": 9,
             "n.pth": 1}
    assert batches(sizes) == [
        ("d/color", ["d/color/1.png", "d/color/2.png"]), ("tables", ["a.csv", "b.csv"]), ("models", ["m.pth"]),
        ("d/color", ["d/color/3.png"]), ("models", ["n.pth"])]


@pytest.mark.parametrize(("path", "bulk", "group", "rank"), [
    ("tintora_dataset/color/x.png", True, "tintora_dataset/color", Rank.CONTENT),
    ("tintora_dataset/labels/x.npy", True, "tintora_dataset/labels", Rank.CONTENT),
    ("tintora_dataset/labels_replaced/x.npy", True, "tintora_dataset", Rank.JOURNAL),
    ("train_data/небо/x.PNG", True, "train_data", Rank.CONTENT),
    ("demo/train_data/небо/x.png", True, "demo/train_data", Rank.CONTENT),
    ("runs/2026/01.ipynb", True, "runs", Rank.CONTENT), ("demo/runs/2026/01.html", True, "demo/runs", Rank.CONTENT),
    ("tintora_dataset/contact_sheet.jpg", False, "tables", Rank.CONTENT),
    ("models/tiny_cnn.curves.png", False, "tables", Rank.CONTENT), ("x.png", True, "loose", Rank.CONTENT),
    ("models/tiny_cnn.pth", True, "models", Rank.CONTENT),
    ("models/tiny_cnn.resume.ckpt", True, "models", Rank.STATE),
    ("export.zip", True, "loose", Rank.CONTENT), ("takeout/IMG_1.HEIC", True, "takeout", Rank.CONTENT),
    ("takeout/a.mp4", True, "takeout", Rank.CONTENT), ("demo/.npylabel-demo", False, "tables", Rank.CONTENT),
    (".classes.json.change", False, "tables", Rank.CONTENT), ("set_aside/1/a.NPY", True, "set_aside", Rank.CONTENT),
    ("models/tiny_cnn.run.json", False, "tables", Rank.LEDGER),
    ("models/tiny_cnn.per_class.png", False, "tables", Rank.CONTENT),
    ("models/tiny_cnn.predictions.csv", False, "tables", Rank.CONTENT),
    ("models/tiny_cnn.history.csv", False, "tables", Rank.CONTENT),
    ("models/tiny_cnn.metrics.json", False, "tables", Rank.CONTENT),
    ("tintora_dataset/.photos.jsonl", False, "tables", Rank.JOURNAL),
    ("decisions/1.jsonl", False, "tables", Rank.JOURNAL),
    ("tintora_dataset/manifest.csv", False, "tables", Rank.LEDGER),
    ("colorized/aunt.jpg", True, "colorized", Rank.CONTENT),
    ("demo/colorized/a.jpg", True, "demo/colorized", Rank.CONTENT),
    ("colorized/colorized.csv", False, "tables", Rank.LEDGER),
    ("colorized/.colorized.jsonl", False, "tables", Rank.JOURNAL),
    ("colorized/colorized_sheet.jpg", False, "tables", Rank.CONTENT),
    # Each holds two dozen pictures; there may be many.
    ("colorized/before_after.html", True, "colorized", Rank.CONTENT),
    ("colorized/before_after_12.html", True, "colorized", Rank.CONTENT),
    ("colorized/not_before_after.html", False, "tables", Rank.CONTENT),
    ("models/colorizer.samples/epoch_0003.jpg", True, "models", Rank.CONTENT),
    ("models/colorizer.samples_sheet.jpg", False, "tables", Rank.CONTENT),
    ("models/colorizer_checkpoint_epoch_5.pth", True, "models", Rank.CONTENT),
    ("models/colorizer.run.json", False, "tables", Rank.LEDGER),
])
def test_what_a_path_tells(path: str, bulk: bool, group: str, rank: Rank) -> None:
    assert (is_bulk(path), group_of(path), rank_of(path)) == (bulk, group, rank)


@pytest.mark.parametrize(("path", "extra"), [
    ("models/colorizer.samples/epoch_0001.jpg", True), ("models/colorizer.samples_sheet.jpg", True),
    ("colorized/before_after.html", True), ("models/tiny_cnn.history.csv", True), ("runs/1/01.ipynb", True),
    ("colorized/a.jpg", False), ("colorized/colorized.csv", False), ("models/colorizer.pth", False),
    ("models/colorizer.run.json", False)])
def test_what_is_only_to_be_looked_at_may_be_missing(path: str, extra: bool) -> None:
    assert is_extra(path) is extra


def while_packing(monkeypatch: pytest.MonkeyPatch, *actions: tuple[str, Callable[[], object]]) -> list[list[str]]:
    """Each action happens once, right after the named file was packed; what was packed together."""
    todo, packed, real = list(actions), [], packing.pack

    def pack_and_act(root: Path, paths: list[str], archive: Path) -> dict:
        files = real(root, paths, archive)
        packed.append(list(files))
        for action in [action for action in todo if action[0] in files]:
            todo.remove(action)
            action[1]()
        return files

    monkeypatch.setattr(packing, "pack", pack_and_act)
    return packed


def copy_of(machine: Machine) -> dict[str, str]:
    fresh = Machine(machine.root.parent / "fresh", machine.save_dir)
    fresh.pull()
    return fresh.read()


def test_files_are_read_state_first_and_tables_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machines(tmp_path, 1)[0]
    packed = while_packing(monkeypatch)
    one.push({"models/m.resume.ckpt": "", "models/m.pth": "", "classes.json": "", "d/color/x.png": "", "d/bw/x.png": "",
              "d/.photos.jsonl": "", "d/manifest.csv": "", "models/m.run.json": "", "d/labels_replaced/x.npy": ""})
    assert packed == [["models/m.resume.ckpt"], ["classes.json"], ["d/bw/x.png"], ["d/color/x.png"], ["models/m.pth"],
                      ["d/.photos.jsonl"], ["d/labels_replaced/x.npy"], ["d/manifest.csv", "models/m.run.json"]]


def test_what_guards_this_disk_alone_stays_here(tmp_path: Path) -> None:
    one = machines(tmp_path, 1)[0]
    one.push({"models/m.resume.ckpt": "new", "models/m.resume.before.ckpt": "old"})
    assert copy_of(one) == {"models/m.resume.ckpt": "new"}
    assert one.read()["models/m.resume.before.ckpt"] == "old"


def test_a_training_state_is_never_newer_than_its_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best model did not change when the push began, and an epoch ends while the state is read."""
    one = machines(tmp_path, 1)[0]
    one.push({"models/m.pth": "best 5", "models/m.resume.ckpt": "epoch 5"})
    one.write({"models/m.resume.ckpt": "epoch 6"})
    while_packing(monkeypatch, ("models/m.resume.ckpt", lambda: one.write(
        {"models/m.pth": "best 7", "models/m.resume.ckpt": "epoch 7"})))
    one.push()
    assert copy_of(one) == {"models/m.pth": "best 7", "models/m.resume.ckpt": "epoch 6"}


def test_a_label_never_looks_like_a_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step ends between the reading of the labels and that of the table."""
    one = machines(tmp_path, 1)[0]
    one.push({"d/labels/x.npy": "5", "d/.labels.jsonl": "x 5", "d/labels.csv": ""})

    def finish() -> None:
        one.write({"d/labels/x.npy": "7", "d/labels.csv": "x 7"})
        (one.root / "d/.labels.jsonl").unlink()

    while_packing(monkeypatch, ("d/labels/y.npy", finish))
    one.push({"d/labels/y.npy": "1"})
    assert copy_of(one) == {"d/labels/x.npy": "7", "d/labels.csv": "x 7", "d/labels/y.npy": "1"}


def test_a_table_that_changes_meanwhile_is_read_with_what_it_speaks_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = machines(tmp_path, 1)[0]
    one.push({"d/labels/x.npy": "5", "d/labels.csv": "x 5"})
    while_packing(monkeypatch, ("d/labels/y.npy", lambda: one.write({"d/labels/x.npy": "7", "d/labels.csv": "x 7"})))
    one.push({"d/labels/y.npy": "1"})
    assert copy_of(one) == {"d/labels/x.npy": "7", "d/labels.csv": "x 7", "d/labels/y.npy": "1"}


def test_what_is_moved_while_the_folder_is_read_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machines(tmp_path, 1)[0]
    one.push({"models/m.pth": "old", "models/m.run.json": "old", "a.json": "a"})

    def start_anew() -> None:
        (one.root / "models/archive").mkdir()
        (one.root / "models/m.pth").rename(one.root / "models/archive/m.pth")
        one.write({"models/m.run.json": "new"})

    while_packing(monkeypatch, ("z.json", start_anew))
    one.push({"z.json": "z"})
    assert copy_of(one) == {"models/archive/m.pth": "old", "models/m.run.json": "new", "a.json": "a", "z.json": "z"}


def test_a_folder_without_a_quiet_moment_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = machines(tmp_path, 1)[0]
    one.push({f"{number}.json": "x" for number in range(9)})
    real, calls = packing.pack, []

    def moving(root: Path, paths: list[str], archive: Path) -> dict:
        files = real(root, paths, archive)
        (root / f"{len(calls)}.json").rename(root / f"moved{len(calls)}.json")
        calls.append(1)
        return files

    monkeypatch.setattr(packing, "pack", moving)
    one.push({"start.json": "s"})
    assert len(calls) == 3
    got = copy_of(one)
    assert all(f"{number}.json" in got or f"moved{number}.json" in got for number in range(9))
    monkeypatch.setattr(packing, "pack", real)
    one.push()
    assert {path: text for path, text in copy_of(one).items() if path in one.read()} == one.read()
