"""Two machines that work on one dataset at once: the later one steps aside, loses nothing, and does its work again."""

from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from tests.base.courier_kit import Machine, fresh, machines

TABLE, JOURNAL = "tintora_dataset/manifest.csv", "tintora_dataset/.photos.jsonl"
COLOR, LABEL = "tintora_dataset/color/{}.png", "tintora_dataset/labels/{}.npy"


def portion(name: str) -> dict[str, str]:
    return {TABLE: f"rows of {name}", COLOR.format(name): name, LABEL.format(name): f"label of {name}"}


def late(machine: Machine) -> NpyLabelError:
    with pytest.raises(NpyLabelError) as caught:
        machine.courier.push(at_rest=True)
    assert caught.value.code == "newer_work"
    return caught.value


def test_the_later_machine_steps_aside(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"models/m.pth": "model", "train_data/дом/x.png": "x"})
    two.pull()
    one.push(portion("a"))
    two.write({**portion("b"), "train_data/дом/y.png": "y"})
    error = late(two)
    assert TABLE in error.what and "again" in error.fix
    # What is saved is the work of the first, whole.
    saved = {**portion("a"), "models/m.pth": "model", "train_data/дом/x.png": "x"}
    assert fresh(tmp_path) == saved
    two.pull()
    here = two.read()
    assert {path: text for path, text in here.items() if not path.startswith("conflicts/")} == {
        **saved, "train_data/дом/y.png": "y"}
    # Tables and labels of the second are kept, its picture is made again.
    kept = {path.partition("/")[2].partition("/")[2]: text for path, text in here.items()
            if path.startswith("conflicts/")}
    assert kept == {TABLE: "rows of b", LABEL.format("b"): "label of b"}
    two.courier.push(at_rest=True)
    two.write({TABLE: "rows of a and b", COLOR.format("b"): "b", LABEL.format("b"): "label of b"})
    assert two.courier.push(at_rest=True) == 3
    after = fresh(tmp_path)
    assert after[TABLE] == "rows of a and b" and after[COLOR.format("a")] == "a" and after[COLOR.format("b")] == "b"


def test_of_old_photos_only_the_table_of_the_second_is_kept_on_drive(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push({"a.csv": "a"})
    two.pull()
    out = {name: f"colorized/{name}" for name in ("colorized.csv", "aunt.jpg", "before_after.html")}
    one.push(dict.fromkeys(out.values(), "one's"))
    two.write(dict.fromkeys(out.values(), "two's"))
    late(two)
    two.pull()
    here = two.read()
    assert {here[path] for path in out.values()} == {"one's"}
    assert [path.rpartition("/")[2] for path in here if path.startswith("conflicts/")] == ["colorized.csv"]


def test_what_the_step_removed_comes_back(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    one.push(portion("a"))
    two.pull()
    one.push({TABLE: "newer"})
    (two.root / COLOR.format("a")).unlink()
    two.write({TABLE: "without a"})
    late(two)
    two.pull()
    assert two.read()[COLOR.format("a")] == "a" and two.read()[TABLE] == "newer"


def test_nothing_is_moved_while_a_step_works(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    two.pull()
    one.push({JOURNAL: "of one"})
    two.write({JOURNAL: "of two", COLOR.format("b"): "b"})
    before = two.read()
    with pytest.raises(NpyLabelError) as caught:
        two.push()
    assert caught.value.code == "newer_work"
    assert two.read() == before


def test_work_on_other_things_goes_on_side_by_side(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    two.pull()
    one.push(portion("a"))
    two.write({"train_data/split.csv": "split", "train_data/дом/x.png": "x"})
    assert two.courier.push(at_rest=True) == 2
    assert fresh(tmp_path) == {**portion("a"), "train_data/split.csv": "split", "train_data/дом/x.png": "x"}


def test_the_same_work_done_twice_is_no_clash(tmp_path: Path) -> None:
    one, two = machines(tmp_path, 2)
    two.pull()
    one.push(portion("a"))
    two.write(portion("a"))
    assert two.courier.push(at_rest=True) == 0
    assert fresh(tmp_path) == portion("a")
