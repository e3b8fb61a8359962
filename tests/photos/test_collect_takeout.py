"""Step 01 on exports of Google Photos: times, edited copies, the videos of Live Photos."""

import json
from pathlib import Path

from tests.photos.collect_kit import assert_agree, collect, lay_file, lay_photos, photo, rows, tree

SIDECAR = json.dumps({"photoTakenTime": {"timestamp": "1752488102"}}).encode()


def test_times_come_from_the_sidecar_only_where_the_photo_has_none(tmp_path: Path) -> None:
    source = tmp_path / "Takeout"
    lay_file(source / "with.jpg", photo("with", "2020:01:02 03:04:05"))
    lay_photos(source, "without(1).jpg", "alone.jpg")
    for name in ("with.jpg.json", "without.jpg.supplemental-metad(1).json"):
        lay_file(source / name, SIDECAR)
    report = collect(source, tmp_path / "set")
    taken = {row["name"]: row["taken"] for row in rows(tmp_path / "set").values()}
    assert taken == {"with": "2020-01-02T03:04:05", "without(1)": "2025-07-14T10:15:02", "alone": ""}
    assert report.facts["other_files"] == 0


def test_the_original_is_used_and_not_its_edited_copy(tmp_path: Path) -> None:
    names = ("IMG_1.jpg", "IMG_1-edited.jpg", "IMG_2(1).jpg", "IMG_2-измененный(1).jpg", "IMG_3-edited.jpg")
    source = lay_photos(tmp_path / "Takeout", *names)
    lay_file(source / "IMG_1.mov", b"video")
    report = collect(source, tmp_path / "set")
    assert report.facts["reasons"] == {"edited_copy": 2} and report.facts["live_photo_videos"] == 1
    assert_agree(tmp_path / "set")
    used = {row["name"] for row in rows(tmp_path / "set").values() if row["status"] == "ok"}
    assert used == {"IMG_1", "IMG_2(1)", "IMG_3-edited"}
    before = tree(tmp_path / "set")
    assert collect(source, tmp_path / "set").measured["done_now"] == 0
    assert tree(tmp_path / "set") == before


def test_the_edited_copy_stands_in_for_a_broken_original_until_that_is_mended(tmp_path: Path) -> None:
    source, dataset = lay_photos(tmp_path / "Takeout", "IMG_1-edited.jpg", "b.jpg"), tmp_path / "set"
    lay_file(source / "IMG_1.jpg", photo("IMG_1")[:500])
    for done in (3, 0):
        report = collect(source, dataset)
        assert report.measured["done_now"] == done
        assert report.facts["left_out"] == 1 and report.facts["photos"] == 2
        assert_agree(dataset)
    lay_file(source / "IMG_1.jpg", photo("IMG_1"))
    assert collect(source, dataset).facts["reasons"] == {"edited_copy": 1}
    assert_agree(dataset)


def test_a_copy_of_an_edited_copy_is_settled_in_one_run(tmp_path: Path) -> None:
    source = lay_photos(tmp_path / "Takeout", "IMG_1.jpg", "IMG_1-edited.jpg", "IMG_1-edited-edited.jpg")
    collect(source, tmp_path / "set")
    before = tree(tmp_path / "set")
    collect(source, tmp_path / "set")
    assert tree(tmp_path / "set") == before
    assert_agree(tmp_path / "set")
