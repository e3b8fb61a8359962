"""Step 01 keeps out what a person left out, however it comes, and takes in what came back."""

import os
from pathlib import Path

import pytest

from npylabel.base.journal import RunJournal
from npylabel.photos import manifest, prepare
from npylabel.photos.manifest import PhotoRow, kept_out, read_rows, write_rows
from npylabel.photos.reasons import BY_PERSON, describe
from tests.photos.collect_kit import (
    assert_agree,
    collect,
    failing_write,
    lay_file,
    lay_photos,
    photo,
    rows,
    tree,
)
from tests.photos.test_collect_stops import keep_journal

NAMES = ("a.jpg", "x/a.jpg", "x/c.jpg", "y/d.jpg")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    lay_file(tmp_path / "phone" / "z" / "copy.jpg", photo("a.jpg"))
    return lay_photos(tmp_path / "phone", *NAMES)


@pytest.fixture
def out(source: Path) -> set[str]:
    """What is left out: the photo that has a copy."""
    return {tree(source)["a.jpg"]}


def stems(dataset: Path) -> list[str]:
    return sorted(path.stem for path in (dataset / "color").iterdir())


def test_a_photo_that_was_never_made_is_not_made(source: Path, tmp_path: Path, out: set[str]) -> None:
    for _run in range(2):
        report = collect(source, tmp_path / "set", left_out=out)
        assert (report.facts["photos"], report.facts["reasons"]) == (3, {"by_person": 2})
        assert any(line == f"by_person: 2 - {describe(BY_PERSON)}" for line in report.messages)
        assert_agree(tmp_path / "set")
    assert report.measured["done_now"] == 0
    assert {name: row["reason"] for name, row in rows(tmp_path / "set").items() if row["reason"]} == {
        "phone/a.jpg": "by_person", "phone/z/copy.jpg": "by_person"}


def test_the_tables_alone_keep_it_out(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set", left_out=out)
    before = tree(tmp_path / "set")
    assert collect(source, tmp_path / "set").measured["done_now"] == 0
    assert tree(tmp_path / "set") == before
    for change in ({"size_px": 48}, {"fit": "pad"}, {"image_format": "jpg"}):
        assert collect(source, tmp_path / "set", **change).facts["photos"] == 3
        assert_agree(tmp_path / "set")


def test_other_photos_are_as_without_it(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set", left_out=out)
    (source / "a.jpg").unlink()
    (source / "z" / "copy.jpg").unlink()
    collect(source, tmp_path / "fresh")
    assert stems(tmp_path / "set") == ["a_2", "c", "d"] and stems(tmp_path / "fresh") == ["a", "c", "d"]
    taken = {row.sha256 for row in read_rows(tmp_path / "set") if row.status == "ok"}
    assert taken == {row.sha256 for row in read_rows(tmp_path / "fresh")}


def test_what_was_made_goes_where_it_can_be_made_again(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set")
    collect(source, tmp_path / "set", left_out=out)
    assert stems(tmp_path / "set") == ["a_2", "c", "d"]
    assert_agree(tmp_path / "set")
    kept = rows(tmp_path / "set")["phone/a.jpg"]
    assert (kept["name"], kept["status"], bool(kept["color_sha256"])) == ("a", "left_out", True)


def test_what_cannot_be_made_again_waits_for_the_person(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set")
    (source / "a.jpg").unlink()
    (source / "z" / "copy.jpg").unlink()
    before = tree(tmp_path / "set")
    collect(source, tmp_path / "set", left_out=out)
    assert {name: sum_ for name, sum_ in tree(tmp_path / "set").items() if name.endswith(".png")} == {
        name: sum_ for name, sum_ in before.items() if name.endswith(".png")}


def test_a_copy_with_another_time_or_place_stays_out(source: Path, tmp_path: Path, out: set[str]) -> None:
    dataset = tmp_path / "set"
    collect(source, dataset)
    collect(source, dataset, left_out=out)
    os.utime(source / "a.jpg", (10**9, 10**9))
    collect(source, dataset)
    assert (rows(dataset)["phone/a.jpg"]["name"], rows(dataset)["phone/a.jpg"]["reason"]) == ("a", "by_person")
    assert rows(dataset)["phone/a.jpg"]["fingerprint"].endswith(f"-{10**18}")
    collect(source.rename(tmp_path / "Camera"), dataset)
    assert stems(dataset) == ["a_2", "c", "d"]
    assert_agree(dataset)


def test_another_photo_in_its_place_comes_in(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set", left_out=out)
    lay_file(source / "a.jpg", photo("new"))
    collect(source, tmp_path / "set", left_out=out)
    assert rows(tmp_path / "set")["phone/a.jpg"]["status"] == "ok" and len(stems(tmp_path / "set")) == 4
    assert rows(tmp_path / "set")["phone/z/copy.jpg"]["reason"] == "by_person"


def test_the_name_of_what_was_left_out_is_not_given_away(source: Path, tmp_path: Path, out: set[str]) -> None:
    dataset = tmp_path / "set"
    collect(source, dataset)
    collect(source, dataset, left_out=out)
    lay_photos(source, "0/a.jpg")
    collect(source, dataset)
    assert rows(dataset)["phone/0/a.jpg"]["name"] == "a_3"


@pytest.mark.parametrize("made", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(0, 10, 2))
def test_a_run_stopped_at_any_file_ends_the_same(
    source: Path, tmp_path: Path, out: set[str], at: int, after: bool, made: bool
) -> None:
    options = {"left_out": out, "image_format": "jpg" if made else "png"}
    for name in ("unbroken", "set") if made else ():
        collect(source, tmp_path / name)
    collect(source, tmp_path / "unbroken", **options)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=after, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set", **options)
        raise KeyboardInterrupt
    collect(source, tmp_path / "set", **options)
    assert_agree(tmp_path / "set")
    assert tree(tmp_path / "set") == tree(tmp_path / "unbroken")


def test_the_journal_of_a_killed_run_does_not_outlive_the_way_back(
    source: Path, tmp_path: Path, out: set[str]
) -> None:
    dataset = tmp_path / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunJournal, "__exit__", keep_journal)
        collect(source, dataset, left_out=out)
    write_rows(dataset, [row for row in read_rows(dataset) if row.reason != BY_PERSON])
    collect(source, dataset)
    assert len(stems(dataset)) == 4
    assert_agree(dataset)


@pytest.mark.parametrize("out_first", [True, False])
def test_between_two_writes_a_row_is_in_both_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out_first: bool
) -> None:
    row = PhotoRow("a", "phone/a.jpg", "1")
    before, after = ([row], [kept_out(row)]) if out_first else ([kept_out(row)], [row])
    write_rows(tmp_path, before)
    written, write = [], manifest._write

    def stop(path: Path, *values: object) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write(path, *values)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest, "_write", stop)
        write_rows(tmp_path, after, aside_first=out_first)
    assert [found.source for found in read_rows(tmp_path)] == ["phone/a.jpg"] * 2


def test_a_portion_without_it_does_not_bring_it_back(source: Path, tmp_path: Path, out: set[str]) -> None:
    collect(source, tmp_path / "set", left_out=out)
    for portion in (lay_photos(tmp_path / "card", "other.jpg"), source):
        collect(portion, tmp_path / "set")
        assert_agree(tmp_path / "set")
    assert stems(tmp_path / "set") == ["a_2", "c", "d", "other"]
    assert rows(tmp_path / "set")["phone/a.jpg"]["reason"] == "by_person"


def test_an_empty_checksum_leaves_nobody_out(source: Path, tmp_path: Path) -> None:
    """Rows without a checksum are those of broken photos and of Google's edited copies."""
    lay_file(source / "broken.jpg", b"x")
    lay_photos(source, "G.jpg", "G-edited.jpg")
    for _run in range(2):
        report = collect(source, tmp_path / "set", left_out={""})
        assert report.facts["photos"] == 5 and "by_person" not in report.facts["reasons"]
