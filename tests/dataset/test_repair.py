"""The repair: grayscale files and names are set right, everything else stays as it is."""

import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npylabel.dataset.repair import REPLACED, repair_dataset
from tests.dataset import faults_kit as kit

HEDGEHOG = "ёжик_й_0001"
NFD = unicodedata.normalize("NFD", HEDGEHOG)
ROTATED = kit.turn(Image.Transpose.ROTATE_90)
BW = tuple(f"bw/{kit.name_of(index)}.png" for index in range(8))
COLOR = tuple(f"color/{kit.name_of(index)}.png" for index in range(8))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    return {kind: kit.make_dataset(folder / kind, 8, image_format=kind) for kind in ("png", "jpg")}


@pytest.fixture
def dataset(whole: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(whole["png"], tmp_path / "dataset")


def repaired(dataset: Path, *actions: kit.Action) -> int:
    """How many files the repair of a dataset mended after it was broken."""
    for act in actions:
        act(dataset)
    return repair_dataset(dataset, kit.verified(dataset))


def kept(dataset: Path) -> dict[str, str]:
    """Checksums of color files and labels by name in NFC and lower case, which a repair may change."""
    return {unicodedata.normalize("NFC", name).lower(): value for name, value in kit.checksums(dataset).items()
            if name.startswith(("color/", "labels/"))}


REPAIRABLE = {
    "gone": kit.drop(BW[0]),
    "rotated": kit.redraw(BW[0], ROTATED),
    "by Rec. 709": kit.redraw(BW[0], kit.rec709, COLOR[0]),
    "one level off": kit.redraw(BW[0], kit.one_level_off),
    "of another photo": kit.copy(BW[1], BW[0]),
    "of mode RGB": kit.redraw(BW[0], kit.convert("RGB")),
    "of another size": kit.redraw(BW[0], kit.shrink),
    "empty": kit.put(BW[0], b""),
    "cut": kit.change(BW[0], lambda data: data[:-20]),
    "another suffix": kit.both(kit.redraw("bw/photo_0000.jpg", kit.convert("L"), BW[0]), kit.drop(BW[0])),
    "two suffixes": kit.redraw("bw/photo_0000.jpg", kit.convert("L"), BW[0]),
    "a suffix not read": kit.move(BW[0], "bw/photo_0000.jpeg"),
    "a dangling link": kit.link_to_nowhere(BW[0]),
    "upper-case suffix": kit.move(BW[0], "bw/photo_0000.PNG"),
}


@pytest.mark.parametrize("title", REPAIRABLE)
def test_a_wrong_grayscale_file_is_set_right(title: str, dataset: Path) -> None:
    before = kept(dataset)
    assert repaired(dataset, REPAIRABLE[title]) == 1
    assert kit.found(dataset) == set()
    assert kept(dataset) == before


def test_a_grayscale_file_is_made_again_as_step_01_made_it(dataset: Path) -> None:
    before = kit.checksums(dataset)
    repaired(dataset, kit.drop(BW[0]), kit.redraw(BW[1], ROTATED))
    after = kit.checksums(dataset)
    assert {name: value for name, value in after.items() if not name.startswith(REPLACED)} == before


def test_a_grayscale_jpeg_beside_a_color_jpeg_is_made_again(whole: dict[str, Path], tmp_path: Path) -> None:
    dataset = shutil.copytree(whole["jpg"], tmp_path / "dataset")
    mended = repaired(dataset, kit.drop("bw/photo_0000.jpg"), kit.redraw(BW[1], kit.convert("L"), f"bw/{HEDGEHOG}.jpg"),
                      kit.drop(f"bw/{HEDGEHOG}.jpg"))
    assert mended == 2
    assert kit.found(dataset) == set()
    assert sorted(path.name for path in (dataset / REPLACED / "bw").iterdir()) == [f"{HEDGEHOG}.png"]


def test_a_replaced_grayscale_file_is_kept(dataset: Path) -> None:
    kit.redraw(BW[0], ROTATED)(dataset)
    wrong = (dataset / BW[0]).read_bytes()
    repaired(dataset)
    assert (dataset / REPLACED / BW[0]).read_bytes() == wrong
    assert (dataset / BW[0]).read_bytes() != wrong


def test_names_are_set_right_in_all_folders(dataset: Path) -> None:
    before = kept(dataset)
    moves = [kit.move(f"{folder}/{HEDGEHOG}.{suffix}", f"{folder}/{NFD}.{suffix.upper()}")
             for folder, suffix in (("color", "png"), ("bw", "png"), ("labels", "npy"))]
    assert repaired(dataset, *moves) == 3
    assert kit.found(dataset) == set()
    assert kept(dataset) == before


def test_leftovers_are_removed_and_nothing_else(dataset: Path) -> None:
    before = kit.checksums(dataset)
    leftovers = (kit.copy(BW[0], "bw/.tmp-npylabel-a1b2.png"), kit.put("labels/.tmp-npylabel-x.npy", b"\x93"))
    assert repaired(dataset, *leftovers) == 2
    assert kit.checksums(dataset) == before


def test_a_name_is_not_set_right_over_another_file(dataset: Path) -> None:
    kit.copy("labels/дом_0002.npy", "labels/photo_0000.NPY")(dataset)
    before = kit.checksums(dataset)
    assert ("suffix_case", "labels/photo_0000.NPY") in kit.found(dataset)
    assert repaired(dataset) == 0
    assert kit.checksums(dataset) == before


STAYS = {
    "label_shape": kit.label("photo_0000", [0, 0]),
    "label_missing": kit.drop("labels/photo_0000.npy"),
    "label_not_in_table": kit.label("photo_0000", [100]),
    # A wrong checksum only, which Pillow reads over.
    "picture_damaged": kit.change(COLOR[0], lambda data: data[:-13] + bytes([data[-13] ^ 1]) + data[-12:]),
    "picture_empty": kit.put(COLOR[0], b""),
    "color_missing": kit.drop(COLOR[0]),
    "color_mode": kit.redraw(COLOR[0], kit.convert("L")),
    "same_picture": kit.copy_triplet("photo_0000", "photo_copy"),
    "stray_file": kit.put("bw/notes.txt", b"milk"),
    "mixed_worlds": kit.remanifest("photo_0000", made_from="demo"),
}


@pytest.mark.parametrize("code", STAYS)
def test_what_only_a_person_can_mend_stays(code: str, dataset: Path) -> None:
    STAYS[code](dataset)
    findings, files = kit.found(dataset), kit.checksums(dataset)
    assert repaired(dataset, kit.redraw(BW[5], ROTATED)) == 1
    assert code in {found for found, _name in findings}
    assert kit.found(dataset) == findings
    assert {name: kit.checksums(dataset)[name] for name in files} == files


def test_no_grayscale_file_is_made_of_a_color_file_that_cannot_be_read(dataset: Path) -> None:
    assert repaired(dataset, kit.change(COLOR[0], lambda data: data[:900]), kit.drop(BW[0])) == 0
    assert kit.found(dataset) == {("picture_damaged", COLOR[0]), ("bw_missing", COLOR[0])}


def test_a_second_repair_has_nothing_to_do(dataset: Path) -> None:
    repaired(dataset, REPAIRABLE["rotated"], kit.move(BW[1], f"bw/{NFD}.png"))
    before = kit.checksums(dataset)
    assert repaired(dataset) == 0
    assert kit.checksums(dataset) == before


def test_a_gray_picture_of_a_transparent_color_file_has_its_size(dataset: Path) -> None:
    repaired(dataset, kit.redraw(COLOR[0], kit.convert("RGBA")), kit.drop(BW[0]))
    with Image.open(dataset / BW[0]) as gray, Image.open(dataset / COLOR[0]) as color:
        assert (gray.mode, color.mode) == ("L", "RGBA")
        assert np.array_equal(np.asarray(gray), np.asarray(color.convert("RGB").convert("L")))


def test_all_grayscale_files_are_made_again(dataset: Path) -> None:
    before = kit.checksums(dataset)
    assert repaired(dataset, kit.drop("bw")) == 8
    assert kit.checksums(dataset) == before


def test_without_color_files_nothing_is_mended(dataset: Path) -> None:
    assert repaired(dataset, kit.drop("color"), kit.put(BW[0], b"")) == 0


def test_two_replaced_files_of_one_name_are_both_kept(dataset: Path) -> None:
    wrong = []
    for how in (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180):
        kit.redraw(BW[0], kit.turn(how))(dataset)
        wrong.append((dataset / BW[0]).read_bytes())
        repaired(dataset)
    replaced = [path.read_bytes() for path in (dataset / REPLACED).rglob("*") if path.is_file()]
    assert sorted(replaced) == sorted(wrong)
