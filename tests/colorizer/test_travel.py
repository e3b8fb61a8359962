"""Old photos are colored on machines that come and go: nothing is colored twice, and nothing is lost."""

import os
from pathlib import Path

import pytest

from npylabel.base.places import find_places
from npylabel.base.report import StepReport
from npylabel.base.trip import carried
from npylabel.colorizer import colorize as module
from tests.base.courier_kit import archives
from tests.colorizer.color_kit import GRASS, FakePainter, color, gray_photo, lay, lay_label, rows
from tests.photos.collect_kit import tree

PAINTERS: list[FakePainter] = []


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk; no saves in between unless a test wants them."""
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@carried
def colorize(
    *, input_dir: str = "old_photos", output_dir: str = "colorized", model_path: str = "models/colorizer.pth",
    labels_dir: str = "tintora_dataset/labels", work_dir: str = "", save_dir: str = "", language: str = "en",
) -> StepReport:
    """Color as step 06 does, with a model that is only a name."""
    places = find_places(work_dir, save_dir)
    PAINTERS.append(FakePainter(places.path(model_path).read_text()))
    return color(places.path(input_dir), places.path(output_dir), PAINTERS[-1], labels_dir=places.path(labels_dir))


def machine(folder: Path, name: str) -> dict[str, str]:
    (folder / "drive").mkdir(exist_ok=True)
    return {"work_dir": str(folder / name), "save_dir": str(folder / "drive")}


def first(folder: Path) -> dict[str, str]:
    """A machine with old photos, a label and a model."""
    for number in range(6):
        lay(folder / f"a/old_photos/{number}.png", gray_photo(number))
    lay_label(folder / "a/tintora_dataset/labels", "1", GRASS)
    (folder / "a/models").mkdir()
    (folder / "a/models/colorizer.pth").write_text("model")
    (folder / "a/models/tiny_cnn.pth").write_text("labeler")
    (folder / "a/tintora_dataset/color").mkdir()
    (folder / "a/tintora_dataset/color/x.png").write_text("x")
    return machine(folder, "a")


def test_a_fresh_machine_colors_nothing_again(tmp_path: Path) -> None:
    report = colorize(**first(tmp_path))
    assert report.measured["done_now"] == 6 and report.measured["labels_from"] == {"labels": 1, "network": 5}
    done, sent = tree(tmp_path / "a/colorized"), archives(tmp_path)
    report = colorize(**machine(tmp_path, "b"))
    assert report.facts["colored"] == 6 and report.measured["done_now"] == 0 and PAINTERS[-1].seen == []
    assert tree(tmp_path / "b/colorized") == done and archives(tmp_path) == sent
    assert not (tmp_path / "b/models/tiny_cnn.pth").exists() and not (tmp_path / "b/tintora_dataset/color").exists()
    # The next photo joins them.
    lay(tmp_path / "b/old_photos/7.png", gray_photo(7))
    assert colorize(**machine(tmp_path, "b")).measured["done_now"] == 1
    assert colorize(**machine(tmp_path, "c")).facts["colored"] == 7 and PAINTERS[-1].seen == []


def test_a_person_has_painted_over_one_and_laid_another_there(tmp_path: Path) -> None:
    colorize(**first(tmp_path))
    picture = lay(tmp_path / "a/colorized/2.jpg", gray_photo(50).convert("RGB"))
    lay(tmp_path / "a/colorized/mine.jpg", gray_photo(51).convert("RGB"))
    edited = picture.read_bytes()
    assert colorize(**machine(tmp_path, "a")).measured["done_now"] == 0
    (tmp_path / "a/models/colorizer.pth").write_text("better model")
    colorize(**machine(tmp_path, "a"))
    report = colorize(**machine(tmp_path, "b"))
    assert report.measured["done_now"] == 0 and (tmp_path / "b/colorized/2.jpg").read_bytes() == edited
    assert rows(tmp_path / "b/colorized")["2.png"]["name"] == "2_2"
    assert tree(tmp_path / "b/colorized") == tree(tmp_path / "a/colorized")


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_machine_that_dies_leaves_what_it_had_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """What is saved at any time is a state that a kill could have left: nothing in it looks like a person's."""
    write, written = module.write_bytes, []
    where = first(tmp_path)

    def dying(path: Path, data: bytes) -> None:
        if len(written) == at:
            raise KeyboardInterrupt
        written.append(path.name)
        write(path, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "write_bytes", dying)
        patch.setattr(module, "cpu_count", lambda: 1)
        colorize(**where)
    assert (tmp_path / "a/colorized/.colorized.jsonl").is_file()
    report = colorize(**machine(tmp_path, "b"))
    assert report.facts["colored"] == 6 and report.measured["done_now"] <= 6 - at + 1
    assert sorted(path.name for path in (tmp_path / "b/colorized").iterdir()) == [
        *(f"{number}.jpg" for number in range(6)), "colorized.csv"]


def test_without_the_table_the_photos_are_made_again_and_those_of_before_are_kept(tmp_path: Path) -> None:
    colorize(**first(tmp_path))
    colorize(**machine(tmp_path, "b"))
    for archive in archives(tmp_path):
        if b"colorized/colorized.csv" in archive.read_bytes():
            archive.unlink()
    report = colorize(**machine(tmp_path, "c"))
    assert report.facts["colored"] == report.measured["done_now"] == 6
    assert sorted(path.name for path in (tmp_path / "c/colorized").iterdir()) == [
        *(f"{number}.jpg" for number in range(6)), "colorized.csv"]
