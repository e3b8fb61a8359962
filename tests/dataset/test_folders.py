"""Class folders: 100 of 100 ids right, in whatever order, form or place the folders come."""

import os
import random
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.dataset.folders import make_class_folders, scan_class_folders
from tests.dataset.class_kit import ID_OF, TABLE, lay_ids, random_names, wrong_ids
from tests.photos.collect_kit import lay_file
from tests.photos.zip_kit import write_raw_zip, write_zip


def nfd(name: str) -> str:
    return unicodedata.normalize("NFD", name)


def assert_right(root: Path, count: int, table: ClassTable = TABLE) -> None:
    scan = scan_class_folders(root, table)
    assert wrong_ids(scan) == [] and scan.strays == []
    assert len(scan.photos) == count


def zipped(path: Path, folders: dict[str, int], above: str = "") -> Path:
    return write_zip(path, {f"{above}{name}/{class_id}_0.jpg": b"x" for name, class_id in folders.items()})


def test_a_hundred_folders_have_a_hundred_right_ids(tmp_path: Path) -> None:
    assert_right(lay_ids(tmp_path, ID_OF, files=2), 200)


@pytest.mark.parametrize(("random_seed", "count"), [(1, 1), (2, 2), (3, 10), (4, 37), (5, 99)])
def test_any_part_of_the_folders_has_the_same_ids(tmp_path: Path, random_seed: int, count: int) -> None:
    assert_right(lay_ids(tmp_path, {name: ID_OF[name] for name in random_names(random_seed, count)}), count)


@pytest.mark.parametrize("order", ["backwards", 1, 2])
def test_the_order_of_the_file_system_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str | int
) -> None:
    root, scandir = lay_ids(tmp_path / "root", ID_OF), os.scandir

    def shuffled(path: Path) -> list[os.DirEntry]:
        entries = sorted(scandir(path), key=lambda entry: entry.name, reverse=True)
        return entries if order == "backwards" else random.Random(order).sample(entries, len(entries))

    monkeypatch.setattr(os, "scandir", shuffled)
    assert_right(root, 100)


def test_folders_from_a_mac_are_recognized(tmp_path: Path) -> None:
    assert sum(nfd(name) != name for name in ID_OF) >= 3
    assert_right(lay_ids(tmp_path / "root", {nfd(name): class_id for name, class_id in ID_OF.items()}), 100)
    assert_right(zipped(tmp_path / "a.zip", {nfd(name): class_id for name, class_id in ID_OF.items()}), 100)


def test_hidden_and_system_entries_shift_nothing(tmp_path: Path) -> None:
    root = lay_ids(tmp_path / "root", ID_OF)
    for name in (".ipynb_checkpoints/a.jpg", "__MACOSX/дом/._1.jpg", ".DS_Store", "Thumbs.db", ".hidden/дом/1.jpg"):
        lay_file(root / name, b"x")
        lay_file(root / "глаза" / name, b"x")
    assert_right(root, 100)


def test_folders_may_be_named_by_their_ids(tmp_path: Path) -> None:
    assert_right(lay_ids(tmp_path / "plain", {str(class_id): class_id for class_id in range(100)}), 100)
    assert_right(lay_ids(tmp_path / "padded", {f"{class_id:03d}": class_id for class_id in range(100)}), 100)


@pytest.mark.parametrize("form", [str.upper, str.capitalize, lambda name: f" {name} "])
def test_case_and_spaces_around_do_not_matter(tmp_path: Path, form: Callable[[str], str]) -> None:
    assert_right(lay_ids(tmp_path / "root", {form(name): class_id for name, class_id in ID_OF.items()}), 100)


@pytest.mark.parametrize(("above", "side"), [
    ("train", "train"), ("valid", "val"), ("validation", "val"), ("Val", "val"), ("test", "test"), ("TRAIN", "train")])
def test_folders_below_a_side_keep_it(tmp_path: Path, above: str, side: str) -> None:
    root = lay_ids(tmp_path / "root", {f"{above}/{name}": class_id for name, class_id in ID_OF.items()})
    lay_ids(root, {"train/дом": 12}, files=3)
    assert wrong_ids(scan_class_folders(root, TABLE)) == []
    sides = [photo.given_split for photo in scan_class_folders(root, TABLE).photos if f"/{above}/" in photo.ref.source]
    assert sides.count(side) == len(sides) >= 100


def test_photos_in_folders_below_a_class_belong_to_it(tmp_path: Path) -> None:
    root = lay_ids(tmp_path / "root", {"дом/лес": 12, "дом/a/b": 12, "лес/лето 2024!": ID_OF["лес"], "дом/train": 12})
    assert_right(root, 4)


def test_a_zip_is_read_as_a_folder(tmp_path: Path) -> None:
    assert_right(zipped(tmp_path / "a.zip", ID_OF), 100)
    assert_right(zipped(tmp_path / "wrapped.zip", ID_OF, above="мои фото/"), 100)
    assert_right(zipped(tmp_path / "sides.zip", ID_OF, above="train/"), 100)
    assert_right(zipped(tmp_path / "both.zip", ID_OF, above="photos/valid/"), 100)


@pytest.mark.parametrize("encoding", ["utf-8", "cp866", "cp1251"])
def test_a_zip_of_an_old_program_is_read_too(tmp_path: Path, encoding: str) -> None:
    names = [f"{name}/{class_id}_0.jpg".encode(encoding) for name, class_id in ID_OF.items()]
    assert_right(write_raw_zip(tmp_path / "a.zip", names), 100)


def test_a_zip_in_a_folder_is_read_too(tmp_path: Path) -> None:
    zipped(tmp_path / "root" / "a.zip", ID_OF)
    assert_right(tmp_path / "root", 100)


def test_one_folder_around_all_of_them_is_seen_through(tmp_path: Path) -> None:
    lay_ids(tmp_path / "root" / "мои классы", {name: ID_OF[name] for name in random_names(7, 5)})
    assert_right(tmp_path / "root", 5)


def test_a_table_with_other_ids_decides(tmp_path: Path) -> None:
    table = ClassTable({5: "лес", 70: "train", 1003: "дом"})
    root = lay_ids(tmp_path / "root", {"дом": 1003, "лес": 5, "train": 70, "1003": 1003})
    assert_right(root, 4, table)
    assert [photo.given_split for photo in scan_class_folders(root, table).photos] == [""] * 4


def test_an_unknown_folder_stops_with_the_nearest_name(tmp_path: Path) -> None:
    lay_ids(tmp_path / "root", {"дом": 12, "дерев": 0, "qqqq": 0, "собакаа": 0}, files=2)
    with pytest.raises(NpyLabelError) as caught:
        scan_class_folders(tmp_path / "root", TABLE)
    assert caught.value.code == "unknown_folder"
    assert "'дерев' (2 photos) - did you mean 'дерево'?" in caught.value.what
    assert "'собакаа' (2 photos) - did you mean 'собака'?" in caught.value.what
    assert "'qqqq' (2 photos);" in caught.value.what and "'дом'" not in caught.value.what


@pytest.mark.parametrize(("name", "meant"), [("дoм", "дом"), ("pот", "рот"), ("Hос", "нос"), ("нeбо", "небо")])
def test_latin_letters_that_look_cyrillic_are_named(tmp_path: Path, name: str, meant: str) -> None:
    lay_ids(tmp_path / "root", {name: 0, "лес": ID_OF["лес"]})
    with pytest.raises(NpyLabelError) as caught:
        scan_class_folders(tmp_path / "root", TABLE)
    assert "Latin" in caught.value.what and f"rename it to {meant!r}" in caught.value.what


@pytest.mark.parametrize("name", ["100", "-1", "12a", "1.0"])
def test_a_number_that_is_no_id_is_unknown(tmp_path: Path, name: str) -> None:
    with pytest.raises(NpyLabelError) as caught:
        scan_class_folders(lay_ids(tmp_path / "root", {name: 0, "дом": 12}), TABLE)
    assert caught.value.code == "unknown_folder" and repr(name) in caught.value.what


def test_unknown_folders_without_photos_do_not_matter(tmp_path: Path) -> None:
    root = lay_ids(tmp_path / "root", {"дом": 12})
    (root / "empty").mkdir()
    lay_file(root / "notes" / "a.txt", b"words")
    assert_right(root, 1)


def test_photos_outside_of_class_folders_are_strays(tmp_path: Path) -> None:
    root = lay_ids(tmp_path / "root", {"дом": 12, "train/лес": ID_OF["лес"]})
    lay_file(root / "cover.jpg", b"x")
    lay_file(root / "train" / "other.jpg", b"x")
    scan = scan_class_folders(root, TABLE)
    assert scan.strays == ["root/cover.jpg", "root/train/other.jpg"] and len(scan.photos) == 2


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        scan_class_folders(tmp_path / "nowhere", TABLE)
    assert caught.value.code == "photos_missing"


def test_folders_are_made_by_name_and_id(tmp_path: Path) -> None:
    assert make_class_folders(tmp_path / "new", "небо, Дом,12,,  99 ", TABLE) == [
        "небо", "дом", "дом", "неопределённый_объект"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["дом", "небо", "неопределённый_объект"]


def test_all_folders_are_made_and_nothing_in_them_is_touched(tmp_path: Path) -> None:
    lay_file(tmp_path / "дом" / "a.jpg", b"mine")
    make_class_folders(tmp_path, "all", TABLE)
    assert {path.name for path in tmp_path.iterdir()} == set(ID_OF)
    assert (tmp_path / "дом" / "a.jpg").read_bytes() == b"mine"


def test_one_unknown_name_makes_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        make_class_folders(tmp_path / "new", "небо,домм", TABLE)
    assert caught.value.code == "unknown_folder" and "'дом'" in caught.value.what
    assert not (tmp_path / "new").exists()


def test_folders_cannot_be_made_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("дом/12_0.jpg", b"x")
    with pytest.raises(NpyLabelError):
        make_class_folders(tmp_path / "a.zip", "небо", TABLE)
