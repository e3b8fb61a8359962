"""What is not the run's own is never written over: a person's files, other cards' photos, earlier results."""

from pathlib import Path

import pytest
from PIL import Image

import npylabel_core as core
from npylabel.base.errors import NpyLabelError
from npylabel.photos.sources import list_photos
from tests.photos.collect_kit import collect, lay_photos, photo, rows, tree


def test_a_file_that_a_person_laid_there_stays(tmp_path: Path) -> None:
    own = tmp_path / "set" / "color" / "a.png"
    own.parent.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(own)
    before = own.read_bytes()
    collect(lay_photos(tmp_path / "photos", "a.jpg"), tmp_path / "set")
    assert own.read_bytes() == before
    assert [row["name"] for row in rows(tmp_path / "set").values()] == ["a_2"]


def test_a_photo_that_fails_under_a_persons_name_takes_nothing_along(tmp_path: Path) -> None:
    own = lay_photos(tmp_path / "set" / "color", "a.png") / "a.png"
    lay_photos(tmp_path / "photos", "b.jpg")
    (tmp_path / "photos" / "a.jpg").write_bytes(photo("a")[:200])
    collect(tmp_path / "photos", tmp_path / "set")
    assert own.is_file()


def test_the_dataset_is_no_source_of_itself(tmp_path: Path) -> None:
    collect(lay_photos(tmp_path / "photos", "a.jpg"), tmp_path / "set")
    before = tree(tmp_path / "set")
    for source in (tmp_path / "set", tmp_path / "set" / "color"):
        with pytest.raises(NpyLabelError) as error:
            collect(source, tmp_path / "set")
        assert error.value.code == "source_is_result"
    assert tree(tmp_path / "set") == before


def test_another_card_with_the_same_folder_name_adds_its_photos(tmp_path: Path) -> None:
    """Portions: the first card is away when the second one, with the same names on it, is read."""
    first, second = tmp_path / "p1" / "DCIM", tmp_path / "p2" / "DCIM"
    lay_photos(first, "1.jpg", "2.jpg")
    (second / "x").mkdir(parents=True)
    for name in ("1.jpg", "2.jpg"):
        (second / name).write_bytes(photo("second" + name))
    collect(first, tmp_path / "set")
    done = tree(tmp_path / "set" / "color")
    collect(second, tmp_path / "set")
    after = tree(tmp_path / "set" / "color")
    assert {name: after[name] for name in done} == done
    assert len(after) == 4


def test_folders_given_in_another_order_are_known_again(tmp_path: Path) -> None:
    folders = [lay_photos(tmp_path / name / "D", f"{name}.jpg", "same.jpg") for name in ("x", "y")]
    (folders[1] / "same.jpg").write_bytes(photo("other"))
    collect(folders, tmp_path / "set")
    before = tree(tmp_path / "set")
    report = collect(folders[::-1], tmp_path / "set")
    assert report.measured["done_now"] == 0
    assert tree(tmp_path / "set") == before


def test_results_below_the_photos_are_not_photos(tmp_path: Path) -> None:
    """The work folder lies inside the folder of photos, as on a Drive."""
    lay_photos(tmp_path, "a.jpg")
    work = tmp_path / "npylabel"
    core.collect_and_grayscale(work_dir=str(work), demo_per_class=1, size_px=64, workers=1, language="en")
    report = core.collect_and_grayscale(
        photos_dir=str(tmp_path), work_dir=str(work), size_px=64, workers=1, language="en")
    assert report.facts["photos"] == 1
    assert [ref.source.rpartition("/")[2] for ref in list_photos([tmp_path], [work / "demo"]).refs] == ["a.jpg"]


def test_a_folder_called_demo_may_hold_own_photos(tmp_path: Path) -> None:
    lay_photos(tmp_path / "photos", "a.jpg")
    report = core.collect_and_grayscale(
        photos_dir=str(tmp_path / "photos"), work_dir=str(tmp_path / "demo"), size_px=64, workers=1, language="en")
    assert report.facts["made_from"] == "own"
