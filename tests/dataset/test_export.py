"""The second layout: complete, without a scene on two sides, the same each time, and never over someone's files."""

import os
import shutil
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.dataset import export
from npylabel.dataset.export import export_dataset, link_or_copy, zip_folder
from npylabel.dataset.verify import Verification
from tests.dataset import faults_kit as kit

COUNT = 42
SIDES = ("train", "val", "test")
PARTS = {"color": "color", "grayscale": "bw", "labels": "labels"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.make_dataset(tmp_path_factory.mktemp("dataset"), COUNT)


@pytest.fixture(scope="module")
def verification(dataset: Path) -> Verification:
    return kit.verified(dataset)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data"


def exported(verification: Verification, folder: Path, random_seed: int = 42, test: float = 0.2) -> dict[str, int]:
    return export_dataset(verification, folder, val_fraction=0.2, test_fraction=test, random_seed=random_seed)


def stems(folder: Path, side: str, part: str) -> set[str]:
    return {path.stem for path in (folder / side / part).iterdir()}


def side_by_stem(folder: Path) -> dict[str, str]:
    return {stem: side for side in SIDES for stem in stems(folder, side, "color")}


def test_each_photo_is_on_one_side_with_all_its_files(verification: Verification, target: Path) -> None:
    counts = exported(verification, target)
    names = {kit.name_of(index) for index in range(COUNT)}
    for part in PARTS:
        sides = [stems(target, side, part) for side in SIDES]
        assert [len(side) for side in sides] == [counts[side] for side in SIDES]
        assert set.union(*sides) == names
    for side in SIDES:
        assert stems(target, side, "color") == stems(target, side, "grayscale") == stems(target, side, "labels")


def test_the_files_are_those_of_the_dataset(dataset: Path, verification: Verification, target: Path) -> None:
    exported(verification, target)
    files = [path for side in SIDES for part in PARTS for path in (target / side / part).iterdir()]
    assert len(files) == 3 * COUNT
    for path in files:
        source = dataset / PARTS[path.parent.name] / path.name
        assert path.samefile(source)
        assert not path.is_symlink()


def test_the_shares_are_those_asked_for_in_each_class(verification: Verification, target: Path) -> None:
    counts = exported(verification, target)
    assert sum(counts.values()) == COUNT
    assert abs(counts["val"] - 0.2 * COUNT) <= 4
    assert abs(counts["test"] - 0.2 * COUNT) <= 4
    for side in ("val", "test"):
        assert {verification.class_ids[stem] for stem in stems(target, side, "color")} == {0, 3, 6, 9}


def test_no_test_side_where_none_is_asked_for(verification: Verification, target: Path) -> None:
    counts = exported(verification, target, test=0)
    assert counts["test"] == 0 < counts["val"]
    assert list((target / "test/color").iterdir()) == []


def test_near_duplicates_stay_on_one_side(verification: Verification, tmp_path: Path) -> None:
    sides_used = set()
    for random_seed in range(6):
        exported(verification, tmp_path / str(random_seed), random_seed)
        side = side_by_stem(tmp_path / str(random_seed))
        for first in range(5, COUNT - 1, 5):
            assert side[kit.name_of(first)] == side[kit.name_of(first + 1)]
            sides_used.add(side[kit.name_of(first)])
    assert sides_used == set(SIDES)


def test_another_seed_is_another_split(verification: Verification, tmp_path: Path) -> None:
    exported(verification, tmp_path / "a", 1)
    exported(verification, tmp_path / "b", 2)
    assert side_by_stem(tmp_path / "a") != side_by_stem(tmp_path / "b")


def test_a_second_export_changes_nothing(verification: Verification, target: Path) -> None:
    counts = exported(verification, target)
    before = kit.checksums(target)
    assert exported(verification, target) == counts
    assert kit.checksums(target) == before


def test_the_order_of_the_listing_does_not_matter(verification: Verification, tmp_path: Path) -> None:
    backwards = replace(verification, class_ids=dict(reversed(verification.class_ids.items())),
                        rows=dict(reversed(verification.rows.items())))
    exported(verification, tmp_path / "a")
    exported(backwards, tmp_path / "b")
    assert kit.checksums(tmp_path / "a") == kit.checksums(tmp_path / "b")


def test_one_photo_less_leaves_the_others_where_they_are(verification: Verification, tmp_path: Path) -> None:
    exported(verification, tmp_path / "a")
    fewer = replace(verification, class_ids={k: v for k, v in verification.class_ids.items() if k != kit.name_of(0)})
    exported(fewer, tmp_path / "b")
    before, after = side_by_stem(tmp_path / "a"), side_by_stem(tmp_path / "b")
    assert sum(before[stem] != side for stem, side in after.items()) <= 3


def test_the_table_says_where_each_photo_is(verification: Verification, target: Path) -> None:
    exported(verification, target)
    rows = read_csv(target / "export.csv")
    assert {row["name"]: row["split"] for row in rows} == side_by_stem(target)
    assert [row["class_id"] for row in rows if row["name"] == "дом_0002"] == ["6"]


def test_a_disk_without_links_gets_copies(
    dataset: Path, verification: Verification, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_paths: Path) -> None:
        raise OSError("this file system has no hard links")
    monkeypatch.setattr(os, "link", no_links)
    exported(verification, target)
    copies = [path for side in SIDES for path in (target / side / "color").iterdir()]
    assert len(copies) == COUNT
    for path in copies:
        assert path.read_bytes() == (dataset / "color" / path.name).read_bytes()
        assert not path.samefile(dataset / "color" / path.name)


def test_what_is_not_wanted_any_more_is_removed(verification: Verification, target: Path) -> None:
    exported(verification, target, 1)
    gone = next(iter(stems(target, "train", "color")))
    fewer = replace(verification, class_ids={k: v for k, v in verification.class_ids.items() if k != gone})
    exported(fewer, target, 2)
    exported(fewer, target.with_name("fresh"), 2)
    assert kit.checksums(target) == kit.checksums(target.with_name("fresh"))
    assert gone not in side_by_stem(target)


def test_the_dataset_is_not_changed(dataset: Path, verification: Verification, target: Path) -> None:
    before = kit.checksums(dataset)
    exported(verification, target, 1)
    exported(verification, target, 2)
    assert kit.checksums(dataset) == before


def test_a_replaced_file_of_the_dataset_is_exported_again(dataset: Path, target: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "dataset")
    exported(kit.verified(copy), target)
    label = copy / "labels/дом_0002.npy"
    label.unlink()
    kit.label("дом_0002", [33])(copy)
    exported(kit.verified(copy), target)
    side = side_by_stem(target)["дом_0002"]
    assert (target / side / "labels/дом_0002.npy").samefile(label)


@pytest.mark.parametrize("content", ["holiday.jpg", "train/color/mine.png"])
def test_a_folder_with_other_files_is_refused(content: str, verification: Verification, target: Path) -> None:
    (target / content).parent.mkdir(parents=True)
    (target / content).write_bytes(b"mine")
    with pytest.raises(NpyLabelError) as error:
        exported(verification, target)
    assert error.value.code == "export_not_empty"
    assert kit.checksums(target).keys() == {content}


@pytest.mark.parametrize(("val", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.2, -0.1), (float("nan"), 0.1)])
def test_shares_that_leave_nothing_to_train_are_refused(
    val: float, test: float, verification: Verification, target: Path
) -> None:
    with pytest.raises(NpyLabelError) as error:
        export_dataset(verification, target, val_fraction=val, test_fraction=test, random_seed=1)
    assert error.value.code == "bad_parameter"
    assert not target.exists()


def dying_after(count: int) -> Callable[[Path, Path], None]:
    done = []

    def link(source: Path, target: Path) -> None:
        if len(done) == count:
            raise KeyboardInterrupt
        done.append(target)
        link_or_copy(source, target)
    return link


@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_killed_export_is_completed_by_the_next(
    count: int, verification: Verification, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(export, "link_or_copy", dying_after(count))
        exported(verification, target)
    (target / "train/color/.tmp-npylabel-9z8y.png").write_bytes(b"half")
    counts = exported(verification, target)
    assert counts == exported(verification, target.with_name("fresh"))
    assert kit.checksums(target) == kit.checksums(target.with_name("fresh"))


def test_the_zip_holds_exactly_the_files(verification: Verification, target: Path) -> None:
    exported(verification, target)
    path = zip_folder(target, target.with_suffix(".zip"))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(target.with_name("unpacked"))
    assert kit.checksums(target.with_name("unpacked") / "data") == kit.checksums(target)
    assert [entry.name for entry in target.with_name("unpacked").iterdir()] == ["data"]


def test_a_new_zip_takes_the_place_of_the_old_one(verification: Verification, target: Path) -> None:
    exported(verification, target)
    path = target.with_suffix(".zip")
    path.write_bytes(b"an older zip")
    zip_folder(target, path)
    assert len(zipfile.ZipFile(path).namelist()) == 3 * COUNT + 1
    assert sorted(entry.name for entry in target.parent.iterdir()) == ["data", "data.zip"]


def test_a_zip_inside_the_folder_does_not_hold_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    with zipfile.ZipFile(zip_folder(tmp_path, tmp_path / "all.zip")) as archive:
        assert [Path(name).name for name in archive.namelist()] == ["a.txt"]


def test_a_file_without_a_time_is_zipped(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.txt").write_bytes(b"a")
    os.utime(tmp_path / "data/a.txt", (0, 0))
    with zipfile.ZipFile(zip_folder(tmp_path / "data", tmp_path / "data.zip")) as archive:
        assert archive.namelist() == ["data/a.txt"]


def test_the_rights_of_the_dataset_are_not_changed(tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes(b"p")
    (tmp_path / "private.png").chmod(0o600)
    link_or_copy(tmp_path / "private.png", tmp_path / "linked.png")
    assert stat.S_IMODE((tmp_path / "private.png").stat().st_mode) == 0o600


def test_a_name_of_broken_bytes_is_exported(dataset: Path, target: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset, tmp_path / "dataset")
    for folder, suffix in (("color", "png"), ("bw", "png"), ("labels", "npy")):
        (copy / folder / f"photo_0000.{suffix}").rename(copy / folder / f"m\udcfcll.{suffix}")
    assert sum(exported(kit.verified(copy), target).values()) == COUNT
