"""Step 01 on one portion of photos after the other: what is known of those whose originals are away stays known."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from npylabel.base.journal import RunJournal
from npylabel.photos import collect as step
from npylabel.photos import manifest, prepare
from npylabel.photos.collect import collect_photos
from tests.photos.collect_kit import (
    assert_agree,
    collect,
    failing_write,
    lay_file,
    lay_photos,
    photo,
    rows,
    times,
    tree,
)
from tests.photos.test_collect_stops import keep_journal

SMALL = {"size_px": 48}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A portion with two broken photos and a copy."""
    lay_file(tmp_path / "first" / "bad.jpg", photo("bad")[:700])
    lay_file(tmp_path / "first" / "text.jpg", b"words")
    lay_file(tmp_path / "first" / "copy.jpg", photo("b.jpg"))
    return lay_photos(tmp_path / "first", "a.jpg", "b.jpg")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return lay_photos(tmp_path / "second", "c.jpg", "d.jpg")


@pytest.fixture
def dataset(first: Path, tmp_path: Path) -> Path:
    """The dataset of the first portion, which is away by now."""
    collect(first, tmp_path / "set")
    first.rename(tmp_path / "away")
    return tmp_path / "set"


def names_of(dataset_dir: Path) -> dict[str, str]:
    return {source: row["name"] for source, row in rows(dataset_dir).items() if row["status"] == "ok"}


def test_the_tables_tell_what_of_earlier_portions_is_missing(second: Path, dataset: Path) -> None:
    before = rows(dataset)
    for _run in range(2):
        report = collect(second, dataset)
        assert before.items() <= rows(dataset).items()
        facts = {name: report.facts[name] for name in ("photos", "duplicates", "left_out", "reasons")}
        assert facts == {"photos": 4, "duplicates": 0, "left_out": 0, "reasons": {}}
        assert any(line.startswith("2 photos of earlier runs could not be used") for line in report.messages)
    assert_agree(dataset)


def test_they_are_forgotten_when_the_same_bytes_come_in(dataset: Path, tmp_path: Path, second: Path) -> None:
    """As after an update that reads more: the same photo from another folder can be used now."""
    path = dataset / "quarantine.csv"
    sha256 = tree(tmp_path / "away")["a.jpg"]
    path.write_text(path.read_text("utf-8").replace(rows(dataset)["first/bad.jpg"]["sha256"], sha256), "utf-8")
    collect(second, dataset)
    assert "first/bad.jpg" not in rows(dataset) and "first/text.jpg" in rows(dataset)


@pytest.mark.parametrize("new_times", [False, True])
def test_a_folder_that_comes_again_elsewhere_leaves_no_rows_behind(
    dataset: Path, tmp_path: Path, new_times: bool
) -> None:
    lay_file(tmp_path / "away" / "late.jpg", b"")
    (tmp_path / "away" / "link.jpg").symlink_to(tmp_path / "nothing")
    lay_photos(tmp_path / "away", "IMG.jpg", "IMG-edited.jpg")
    collect((tmp_path / "away").rename(tmp_path / "first"), dataset)
    before = {name.partition("/")[2] for name in rows(dataset)}
    for path in (tmp_path / "first").glob("*") if new_times else ():
        if path.is_file():
            os.utime(path, (10**9, 10**9))
    report = collect((tmp_path / "first").rename(tmp_path / "renamed"), dataset)
    assert {name.partition("/")[2] for name in rows(dataset)} == before
    assert {name.partition("/")[0] for name in rows(dataset)} == {"renamed"}
    assert report.facts["reasons"] == {
        "dangling_link": 1, "edited_copy": 1, "empty_file": 1, "exact_duplicate": 1, "not_an_image": 1, "truncated": 1}


def test_a_portion_that_is_on_a_slow_disk_says_which_originals_are_still_needed(
    first: Path, second: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "is_slow_disk", lambda path: True)
    words = " ".join(collect(first, tmp_path / "set").messages)
    assert "3 of 5 photos here are in the dataset" in words
    assert "Keep the originals of these 2, which are not in the dataset: first/bad.jpg, first/text.jpg." in words
    shutil.rmtree(first)
    words = " ".join(collect(second, tmp_path / "set").messages)
    assert "2 of 2 photos here" in words and "Keep the originals" not in words


@pytest.fixture
def third(dataset: Path, tmp_path: Path) -> Path:
    """A portion that holds one photo of the first and a new one with the name of the other."""
    portion = lay_photos(tmp_path / "third", "z.jpg")
    shutil.copy(tmp_path / "away" / "a.jpg", portion / "a.jpg")
    lay_file(portion / "b.jpg", photo("another b"))
    return portion


@pytest.mark.parametrize("options", [{}, {"image_format": "jpg"}, SMALL, {"fit": "pad"}])
def test_a_photo_that_comes_again_keeps_its_name(dataset: Path, third: Path, options: dict) -> None:
    report = collect(third, dataset, **options)
    assert names_of(dataset) == {"third/a.jpg": "a", "first/b.jpg": "b", "third/b.jpg": "b_2", "third/z.jpg": "z"}
    assert rows(dataset)["first/copy.jpg"]["name"] == "b"
    assert_agree(dataset)
    older = [line for line in report.messages if "stay as they were made" in line]
    assert [line.partition(":")[0] for line in older] == (
        ["1 photos stay as they were made (64 crop png)"] if options else [])
    before = tree(dataset), times(dataset)
    assert collect(third, dataset, **options).measured["done_now"] == 0
    assert (tree(dataset), times(dataset)) == before


def test_a_new_copy_takes_no_name_away(first: Path, tmp_path: Path) -> None:
    collect(first, tmp_path / "set")
    names, before = names_of(tmp_path / "set"), times(tmp_path / "set")
    shutil.copy(first / "a.jpg", first / "0.jpg")
    collect(first, tmp_path / "set")
    assert names_of(tmp_path / "set") == names and times(tmp_path / "set") == before
    collect(first, tmp_path / "set", **SMALL)
    assert names_of(tmp_path / "set") == names
    assert_agree(tmp_path / "set")


def test_a_file_of_a_person_under_the_old_name_stays(dataset: Path, third: Path) -> None:
    own = lay_file(dataset / "color" / "a.jpg", b"a person's")
    collect(third, dataset, image_format="jpg")
    assert own.read_bytes() == b"a person's"
    assert names_of(dataset)["third/a.jpg"] == "a_2"


def test_a_lost_photo_that_comes_again_elsewhere_gets_its_name_and_place_back(dataset: Path, third: Path) -> None:
    before = tree(dataset)
    (dataset / "color" / "a.png").unlink()
    (dataset / "color" / "b.png").unlink()
    assert collect(third, dataset).facts["reasons"] == {"picture_lost": 1}
    after = tree(dataset)
    assert {after[f"{folder}/a.png"] for folder in ("color", "bw")} == {
        before[f"{folder}/a.png"] for folder in ("color", "bw")}
    assert names_of(dataset)["third/a.jpg"] == "a" and "first/a.jpg" not in rows(dataset)


def test_a_copy_stands_in_for_what_got_lost(first: Path, tmp_path: Path) -> None:
    collect(first, tmp_path / "set")
    before = tree(tmp_path / "set")
    (first / "b.jpg").unlink()
    (tmp_path / "set" / "color" / "b.png").unlink()
    collect(first, tmp_path / "set")
    assert names_of(tmp_path / "set") == {"first/a.jpg": "a", "first/copy.jpg": "b"}
    assert {name: sum_ for name, sum_ in tree(tmp_path / "set").items() if name.endswith(".png")} == {
        name: sum_ for name, sum_ in before.items() if name.endswith(".png")}


class Stopped(BaseException):
    """As a kill at this moment."""


@pytest.mark.parametrize("options", [{"image_format": "jpg"}, SMALL])
@pytest.mark.parametrize("other", [{}, {"fit": "pad"}])
@pytest.mark.parametrize("at", range(8))
def test_a_run_stopped_while_names_change_ends_the_same(
    dataset: Path, third: Path, tmp_path: Path, options: dict, other: dict, at: int
) -> None:
    shutil.copytree(dataset, tmp_path / "unbroken")
    collect(third, tmp_path / "unbroken", **options)
    steps = iter(range(100))

    def stopping(function):
        def run(path: Path, *values: object, **named: object) -> object:
            if dataset in path.parents and not path.name.startswith(".") and next(steps) == at:
                raise Stopped
            return function(path, *values, **named)
        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunJournal, "__exit__", keep_journal)
        patch.setattr(Path, "replace", stopping(Path.replace))
        patch.setattr(Path, "unlink", stopping(Path.unlink))
        with suppress(Stopped):
            collect(third, dataset, **options)
    if other:
        collect(third, dataset, **other)
        assert_agree(dataset)
    collect(third, dataset, **options)
    assert_agree(dataset)
    if not other:
        assert tree(dataset) == tree(tmp_path / "unbroken")


def test_a_changed_picture_gives_way_to_its_original_that_comes_again(dataset: Path, third: Path) -> None:
    """As after a run under other settings that was killed behind a new name."""
    before = tree(dataset)
    for folder in ("color", "bw"):
        shutil.copy(dataset / folder / "b.png", dataset / folder / "a.png")
    collect(third, dataset)
    assert tree(dataset).items() >= {name: sum_ for name, sum_ in before.items() if name.endswith(".png")}.items()
    assert names_of(dataset)["third/a.jpg"] == "a"
    assert_agree(dataset)


@pytest.mark.parametrize("at", [0, 1, 3, 100])
def test_a_pair_goes_over_to_a_copy_that_is_away_where_its_original_was_replaced(
    first: Path, tmp_path: Path, at: int
) -> None:
    collect(first, tmp_path / "set")
    before = tree(tmp_path / "set")
    (first / "copy.jpg").unlink()
    lay_file(first / "b.jpg", photo("another b"))
    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=True, error=KeyboardInterrupt()))
        collect(first, tmp_path / "set")
    for _run in range(2):
        assert collect(first, tmp_path / "set").facts["photos"] == 3
    assert names_of(tmp_path / "set") == {"first/a.jpg": "a", "first/copy.jpg": "b", "first/b.jpg": "b_2"}
    assert {name: sum_ for name, sum_ in before.items() if name.endswith(".png")}.items() <= (
        tree(tmp_path / "set").items())
    assert_agree(tmp_path / "set")


def test_a_dataset_whose_table_got_lost_is_known_again(tmp_path: Path) -> None:
    source = lay_photos(tmp_path / "phone", "a.jpg", "x/a.jpg", "y/a.jpg", "scan_2.jpg")
    lay_file(source / "z" / "a.jpg", photo("x/a.jpg"))
    collect(source, tmp_path / "set")
    before = tree(tmp_path / "set")
    (tmp_path / "set" / "manifest.csv").unlink()
    lay_photos(source, "0/a.jpg")
    collect(source, tmp_path / "set")
    after = tree(tmp_path / "set")
    assert {name: sum_ for name, sum_ in before.items() if name.endswith(".png")}.items() <= after.items()
    assert len(after) == len(before) + 2
    assert_agree(tmp_path / "set")


@pytest.mark.parametrize("at", range(0, 9, 2))
def test_a_run_over_a_lost_table_that_is_stopped_ends_the_same(tmp_path: Path, at: int) -> None:
    source = lay_photos(tmp_path / "phone", "a.jpg", "x/a.jpg", "y/a.jpg", "b.jpg")
    collect(source, tmp_path / "set")
    before = tree(tmp_path / "set")
    (tmp_path / "set" / "manifest.csv").unlink()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=True, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set")
        raise KeyboardInterrupt
    collect(source, tmp_path / "set")
    assert tree(tmp_path / "set") == before


def test_a_gray_picture_that_is_another_one_is_a_persons(tmp_path: Path) -> None:
    source = lay_photos(tmp_path / "phone", "a.jpg")
    collect(source, tmp_path / "set")
    (tmp_path / "set" / "manifest.csv").unlink()
    own = lay_file(tmp_path / "set" / "bw" / "a.png", b"a person's")
    collect_photos([source], tmp_path / "set", size_px=64, workers=1)
    assert own.read_bytes() == b"a person's"
    assert names_of(tmp_path / "set") == {"phone/a.jpg": "a_2"}


def test_pictures_of_a_lost_table_outlive_a_stopped_run_and_other_settings(tmp_path: Path) -> None:
    source = lay_photos(tmp_path / "phone", "a.jpg", "b.jpg", "c.jpg")
    collect(source, tmp_path / "set")
    pictures = {name: sum_ for name, sum_ in tree(tmp_path / "set").items() if name.endswith(".png")}
    (tmp_path / "set" / "manifest.csv").unlink()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(4, after=True, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set")
    (source / "a.jpg").unlink()
    collect(source, tmp_path / "set", image_format="jpg")
    assert pictures.items() <= tree(tmp_path / "set").items()


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize("returns", [False, True])
def test_a_run_stopped_between_the_tables_forgets_no_photo(
    second: Path, dataset: Path, at: int, returns: bool
) -> None:
    path = dataset / "color" / "a.png"
    picture = path.read_bytes()
    path.unlink()
    if returns:
        collect(second, dataset)
        path.write_bytes(picture)
    writes, write = iter(range(100)), manifest._write

    def stop(*values: object) -> None:
        if next(writes) == at:
            raise Stopped
        write(*values)

    with pytest.MonkeyPatch.context() as patch, suppress(Stopped):
        patch.setattr(RunJournal, "__exit__", keep_journal)
        patch.setattr(manifest, "_write", stop)
        collect(second, dataset)
    report = collect(second, dataset)
    assert report.facts["reasons"] == ({} if returns else {"picture_lost": 1})
    assert rows(dataset)["first/a.jpg"]["status"] == ("ok" if returns else "left_out")
