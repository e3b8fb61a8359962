"""Step 01: pairs and tables from folders of photos, and runs that follow other runs."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.errors import NpyLabelError
from npylabel.base.parallel import WorkerDiedError
from npylabel.photos import prepare
from npylabel.photos.prepare import PhotoJob
from tests.photos.collect_kit import assert_agree, collect, lay_file, lay_photos, photo, rows, times, tree

NAMES = ("a.jpg", "b.JPG", "x/a.jpg", "x/c.jpeg", "y/d.jpg")
Harm = Callable[[Path], object]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return lay_photos(tmp_path / "phone", *NAMES)


@pytest.fixture
def dataset(source: Path, tmp_path: Path) -> Path:
    """The dataset of a first run."""
    collect(source, tmp_path / "set")
    return tmp_path / "set"


def names_of(dataset_dir: Path) -> dict[str, str]:
    return {source: row["name"] for source, row in rows(dataset_dir).items()}


def test_each_photo_becomes_a_pair_and_a_row(source: Path, tmp_path: Path) -> None:
    before = tree(source), {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    report = collect(source, tmp_path / "set")
    assert_agree(tmp_path / "set")
    assert names_of(tmp_path / "set") == {
        "phone/a.jpg": "a", "phone/b.JPG": "b", "phone/x/a.jpg": "a_2", "phone/x/c.jpeg": "c", "phone/y/d.jpg": "d"}
    facts = {name: report.facts[name] for name in ("photos", "duplicates", "left_out", "made_from", "leftovers")}
    assert facts == {"photos": 5, "duplicates": 0, "left_out": 0, "made_from": "own", "leftovers": 0}
    assert report.measured["done_now"] == 5 and report.exit_code == 0
    assert (tree(source), {path: path.stat().st_mtime_ns for path in source.rglob("*")}) == before


def test_the_table_begins_as_agreed_and_holds_checksums_of_the_originals(source: Path, dataset: Path) -> None:
    header = (dataset / "manifest.csv").read_text("utf-8").splitlines()[0]
    assert header.startswith("name,source,sha256,status,reason,")
    originals = {f"phone/{name}": checksum for name, checksum in tree(source).items()}
    found = rows(dataset)
    assert {name: row["sha256"] for name, row in found.items()} == originals
    assert {(row["width"], row["height"], row["settings"]) for row in found.values()} == {("96", "72", "64 crop png")}
    pictures = tree(dataset)
    assert all(pictures[f"color/{row['name']}.png"] == row["color_sha256"] for row in found.values())
    assert all(pictures[f"bw/{row['name']}.png"] == row["bw_sha256"] for row in found.values())


def test_a_second_run_does_nothing(source: Path, dataset: Path) -> None:
    before = tree(dataset), times(dataset)
    report = collect(source, dataset)
    assert report.measured["done_now"] == 0 and report.facts["photos"] == 5
    assert (tree(dataset), times(dataset)) == before


@pytest.mark.parametrize("workers", [0, 3])
def test_the_number_of_workers_changes_nothing(source: Path, dataset: Path, tmp_path: Path, workers: int) -> None:
    lay_file(source / "broken.jpg", photo("broken")[:900])
    collect(source, dataset)
    collect(source, tmp_path / "other", workers=workers)
    assert tree(tmp_path / "other") == tree(dataset)


@pytest.mark.parametrize("harm", [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:-40]),
    lambda path: Image.new("RGB", (64, 64)).save(path),
])
@pytest.mark.parametrize("folder", ["color", "bw"])
def test_harmed_results_are_made_again(source: Path, dataset: Path, folder: str, harm) -> None:
    before, written = tree(dataset), times(dataset)
    harm(dataset / folder / "a_2.png")
    report = collect(source, dataset)
    assert report.measured["done_now"] == 1
    assert tree(dataset) == before
    changed = {name for name, time in times(dataset).items() if time != written[name]}
    assert changed == {"color/a_2.png", "bw/a_2.png"}


def test_a_changed_original_is_done_again_under_its_name(source: Path, dataset: Path) -> None:
    before = tree(dataset)
    lay_file(source / "x/a.jpg", photo("another picture"))
    assert collect(source, dataset).measured["done_now"] == 1
    assert_agree(dataset)
    after = tree(dataset)
    assert {name for name in after if before.get(name) != after[name]} == {
        "color/a_2.png", "bw/a_2.png", "manifest.csv"}
    assert names_of(dataset)["phone/x/a.jpg"] == "a_2"


def test_an_original_that_breaks_takes_its_old_results_along(source: Path, dataset: Path) -> None:
    lay_file(source / "x/a.jpg", photo("x/a.jpg")[:700])
    report = collect(source, dataset)
    assert report.facts["reasons"] == {"truncated": 1} and report.facts["photos"] == 4
    assert_agree(dataset)


def test_an_original_that_was_mended_comes_in(source: Path, dataset: Path) -> None:
    lay_file(source / "late.jpg", b"")
    assert collect(source, dataset).facts["reasons"] == {"empty_file": 1}
    lay_file(source / "late.jpg", photo("late"))
    report = collect(source, dataset)
    assert report.facts["left_out"] == 0 and report.measured["done_now"] == 1
    assert names_of(dataset)["phone/late.jpg"] == "late"
    assert_agree(dataset)


def test_only_added_photos_are_done(source: Path, dataset: Path) -> None:
    written, names = times(dataset), names_of(dataset)
    lay_photos(source, "0.jpg", "0/a.jpg", "z.jpg")
    report = collect(source, dataset)
    assert report.measured["done_now"] == 3 and report.facts["photos"] == 8
    assert {name: time for name, time in times(dataset).items() if name in written} == written
    assert {name: stem for name, stem in names_of(dataset).items() if name in names} == names
    assert_agree(dataset)


@pytest.mark.parametrize("change", [{"image_format": "jpg"}, {"size_px": 48}, {"fit": "pad"}])
def test_other_settings_make_everything_anew(source: Path, dataset: Path, tmp_path: Path, change: dict) -> None:
    assert collect(source, dataset, **change).measured["done_now"] == 5
    assert_agree(dataset)
    collect(source, tmp_path / "fresh", **change)
    assert tree(dataset) == tree(tmp_path / "fresh")


def test_originals_that_are_gone_keep_their_results(source: Path, dataset: Path) -> None:
    before = tree(dataset)
    for name in ("a.jpg", "x/c.jpeg"):
        (source / name).unlink()
    report = collect(source, dataset)
    assert report.facts["photos"] == 5 and report.measured["done_now"] == 0
    assert tree(dataset) == before


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_a_gray_picture_without_its_original_is_made_again_from_its_color(
    source: Path, tmp_path: Path, harm: Harm, image_format: str
) -> None:
    dataset = tmp_path / "set"
    collect(source, dataset, image_format=image_format)
    before = tree(dataset)
    (source / "a.jpg").unlink()
    harm(dataset / f"bw/a.{image_format}")
    report = collect(source, dataset, image_format=image_format)
    assert tree(dataset) == before
    assert (report.facts["photos"], report.facts["left_out"]) == (5, 0)
    assert any(line.startswith("1 grayscale pictures") for line in report.messages)


@pytest.mark.parametrize("gray_too", [False, True])
@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-40])])
def test_nothing_of_a_pair_without_its_color_and_original_is_removed(
    source: Path, dataset: Path, tmp_path: Path, harm: Harm, gray_too: bool
) -> None:
    """The color files may come back: from the trash, with a late archive."""
    before, names = tree(dataset), names_of(dataset)
    pair = {path: path.read_bytes() for path in (dataset / "color/a.png", dataset / "bw/a.png")}
    (source / "a.jpg").unlink()
    for path in list(pair)[: 1 + gray_too]:
        harm(path)
    harmed = {name: sum_ for name, sum_ in tree(dataset).items() if name.endswith(".png")}
    lay_photos(tmp_path / "card", "b/a.jpg")
    for portion, photos in ((source, 4), (tmp_path / "card", 5)):
        report = collect(portion, dataset)
        assert report.facts["reasons"] == {"picture_lost": 1} and report.facts["photos"] == photos
        assert harmed.items() <= tree(dataset).items()
        assert (names_of(dataset)["phone/a.jpg"], rows(dataset)["phone/a.jpg"]["status"]) == ("a", "left_out")
    assert names_of(dataset)["card/b/a.jpg"] == "a_3"
    for path, data in pair.items():
        path.write_bytes(data)
    assert collect(source, dataset).facts["reasons"] == {}
    assert before.items() - {("manifest.csv", before["manifest.csv"])} <= tree(dataset).items()
    assert names.items() <= names_of(dataset).items()
    assert_agree(dataset)


def test_a_color_picture_that_came_back_alone_gets_its_gray_one(source: Path, dataset: Path) -> None:
    before, data = tree(dataset), (dataset / "color/a.png").read_bytes()
    (source / "a.jpg").unlink()
    for folder in ("color", "bw"):
        (dataset / folder / "a.png").unlink()
    collect(source, dataset)
    (dataset / "color/a.png").write_bytes(data)
    collect(source, dataset)
    assert tree(dataset) == before


def test_an_original_that_came_back_replaces_what_was_lost(source: Path, dataset: Path) -> None:
    before, original = tree(dataset), (source / "a.jpg").read_bytes()
    (source / "a.jpg").unlink()
    (dataset / "color/a.png").unlink()
    collect(source, dataset)
    lay_file(source / "a.jpg", original)
    assert collect(source, dataset).facts["reasons"] == {}
    after = tree(dataset)
    assert {name: sum_ for name, sum_ in after.items() if name.endswith(".png")} == {
        name: sum_ for name, sum_ in before.items() if name.endswith(".png")}
    assert_agree(dataset)


def test_the_same_bytes_give_one_pair(source: Path, tmp_path: Path) -> None:
    for name in ("0/copy.jpg", "z.jpg"):
        lay_file(source / name, photo("x/c.jpeg"))
    report = collect(source, tmp_path / "set")
    assert (report.facts["photos"], report.facts["duplicates"]) == (5, 2)
    assert_agree(tmp_path / "set")
    found = rows(tmp_path / "set")
    assert (found["phone/0/copy.jpg"]["status"], found["phone/0/copy.jpg"]["name"]) == ("ok", "copy")
    for name in ("phone/x/c.jpeg", "phone/z.jpg"):
        assert [found[name][key] for key in ("status", "reason", "name", "color_sha256")] == [
            "duplicate", "exact_duplicate", "copy", ""]
    before = tree(tmp_path / "set")
    assert collect(source, tmp_path / "set").measured["done_now"] == 0
    assert tree(tmp_path / "set") == before


def test_a_duplicate_takes_over_where_the_first_is_gone_and_harmed(source: Path, tmp_path: Path) -> None:
    lay_file(source / "z.jpg", photo("a.jpg"))
    collect(source, tmp_path / "set")
    (source / "a.jpg").unlink()
    assert collect(source, tmp_path / "set").facts["photos"] == 5
    assert names_of(tmp_path / "set")["phone/z.jpg"] == "a"
    assert_agree(tmp_path / "set")


def test_a_duplicate_takes_over_where_the_first_is_another_photo_now(source: Path, tmp_path: Path) -> None:
    lay_file(source / "z.jpg", photo("a.jpg"))
    collect(source, tmp_path / "set")
    lay_file(source / "a.jpg", photo("quite another"))
    assert collect(source, tmp_path / "set").facts["photos"] == 6
    assert_agree(tmp_path / "set")


def test_a_folder_that_was_moved_is_known_again(source: Path, dataset: Path, tmp_path: Path) -> None:
    before = tree(dataset), times(dataset)
    (tmp_path / "drive").mkdir()
    report = collect(source.rename(tmp_path / "drive" / "phone"), dataset)
    assert report.measured["done_now"] == 0
    assert (tree(dataset), times(dataset)) == before


def test_a_folder_with_a_new_name_keeps_files_and_duplicates(source: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "set"
    lay_file(source / "z.jpg", photo("a.jpg"))
    collect(source, dataset)
    names, written = names_of(dataset), times(dataset)
    report = collect(source.rename(tmp_path / "Camera"), dataset)
    assert (report.facts["photos"], report.facts["duplicates"]) == (5, 1)
    assert times(dataset) == written
    assert names_of(dataset) == {name.replace("phone", "Camera"): stem for name, stem in names.items()}
    before = tree(dataset)
    assert collect(tmp_path / "Camera", dataset).measured["done_now"] == 0
    assert tree(dataset) == before


def test_a_copy_of_the_folder_with_new_times_is_known_again(source: Path, dataset: Path, tmp_path: Path) -> None:
    written = times(dataset)
    for path in (path for path in source.rglob("*") if path.is_file()):
        copy = lay_file(tmp_path / "Copy" / path.relative_to(source), path.read_bytes())
        os.utime(copy, (10**9, 10**9))
    for done in (5, 0):
        assert collect(tmp_path / "Copy", dataset).measured["done_now"] == done
        assert times(dataset) == written


def test_a_new_name_and_other_settings_at_once(source: Path, dataset: Path, tmp_path: Path) -> None:
    moved = source.rename(tmp_path / "Camera")
    collect(moved, dataset, image_format="jpg")
    assert {row["settings"] for row in rows(dataset).values()} == {"64 crop jpg"}
    assert_agree(dataset)
    assert collect(moved, dataset, image_format="jpg").measured["done_now"] == 0


def test_the_results_may_lie_among_the_photos(source: Path) -> None:
    for _ in range(2):
        report = collect(source, source / "out")
        assert report.facts["photos"] == 5
    assert_agree(source / "out")


def test_drawn_and_own_photos_never_mix(source: Path, dataset: Path) -> None:
    before = tree(dataset)
    with pytest.raises(NpyLabelError) as caught:
        collect(source, dataset, made_from="demo")
    assert caught.value.code == "mixed_worlds" and str(dataset) in caught.value.what
    assert tree(dataset) == before


@pytest.mark.parametrize("wrong", [{"fit": "fill"}, {"image_format": "jpeg"}, {"size_px": 31}, {"size_px": 5000}])
def test_settings_without_meaning_are_refused(source: Path, tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(NpyLabelError) as caught:
        collect(source, tmp_path / "set", **wrong)
    assert caught.value.code == "bad_parameter" and str(*wrong.values()) in caught.value.what
    assert not (tmp_path / "set").exists()


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    lay_file(tmp_path / "phone" / "a.mp4", b"video")
    with pytest.raises(NpyLabelError) as caught:
        collect(tmp_path / "phone", tmp_path / "set")
    assert caught.value.code == "no_photos" and ".mp4 1" in caught.value.what


def test_frames_of_a_burst_are_one_group(tmp_path: Path) -> None:
    source = lay_photos(tmp_path / "phone", "a.jpg", "z.jpg")
    with Image.open(source / "z.jpg") as image:
        image.save(source / "m.jpg", quality=60)
    report = collect(source, tmp_path / "set")
    assert report.facts["groups_of_alike"] == 1 and report.facts["photos"] == 3
    assert {row["name"]: row["group"] for row in rows(tmp_path / "set").values()} == {"a": "", "m": "m", "z": "m"}


def test_leftovers_of_a_killed_run_are_removed(source: Path, dataset: Path) -> None:
    before = tree(dataset)
    for folder in ("color", "bw", "."):
        lay_file(dataset / folder / ".tmp-npylabel-abc.png", b"half")
    assert collect(source, dataset).facts["leftovers"] == 0
    assert tree(dataset) == before


def test_a_table_that_was_harmed_is_named(source: Path, dataset: Path) -> None:
    (dataset / "manifest.csv").write_text("some,other\n1,2\n", "utf-8")
    with pytest.raises(NpyLabelError) as caught:
        collect(source, dataset)
    assert caught.value.code == "manifest_damaged" and os.fspath(dataset / "manifest.csv") in caught.value.what


def test_a_photo_that_crashes_the_decoder_costs_only_itself_and_is_tried_again(source: Path, tmp_path: Path) -> None:
    def crash(function: Callable, jobs: list[PhotoJob], **_options: object) -> Iterator[tuple[PhotoJob, object]]:
        for job in jobs:
            yield job, WorkerDiedError() if job.ref.source == "phone/x/a.jpg" else function(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "run_jobs", crash)
        report = collect(source, tmp_path / "set")
    assert report.facts["reasons"] == {"decoder_crashed": 1} and report.facts["photos"] == 4
    assert_agree(tmp_path / "set")
    report = collect(source, tmp_path / "set")
    assert report.measured["done_now"] == 1 and report.facts["left_out"] == 0
    assert_agree(tmp_path / "set")


def test_photos_that_could_not_be_read_are_tried_again(source: Path, tmp_path: Path) -> None:
    (source / "late.jpg").symlink_to(tmp_path / "not yet.jpg")
    assert collect(source, tmp_path / "set").facts["reasons"] == {"dangling_link": 1}
    lay_file(tmp_path / "not yet.jpg", photo("late"))
    assert collect(source, tmp_path / "set").facts["photos"] == 6
    assert_agree(tmp_path / "set")
