"""The verifier: silent about whole datasets, and for each thing that is broken it says what, and where."""

import pickle
import shutil
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.dataset import faults
from npylabel.dataset.faults import CODES
from npylabel.dataset.labels import label_bytes
from npylabel.dataset.step import made_size
from npylabel.dataset.verify import verify_dataset, write_findings
from npylabel.photos.manifest import LEFT_OUT, PhotoRow
from tests.dataset import faults_kit as kit
from tests.dataset.faults_kit import Fault

PHOTO, HEDGEHOG, OTHER = "photo_0000", "ёжик_й_0001", "дом_0002"
COLOR, BW, LABEL = f"color/{PHOTO}.png", f"bw/{PHOTO}.png", f"labels/{PHOTO}.npy"
JPG_COLOR, JPG_BW = f"color/{PHOTO}.jpg", f"bw/{PHOTO}.jpg"
NFD = unicodedata.normalize("NFD", HEDGEHOG)
TRANSPOSE = Image.Transpose
# Steps 01 and 04 wrote down the checksum of the color file: whoever changes it is found out twice.
TOUCHED = frozenset({"changed_since", "label_photo_changed"})
UNREADABLE = "<< /Type /Catalog >> is no picture".encode("utf-16")


def names(*values: str) -> frozenset[str]:
    return frozenset(values)


def rotated(how: Image.Transpose) -> Fault:
    return Fault(f"bw {how.name.lower()}", "gray_turned", BW, kit.redraw(BW, kit.turn(how)))


STRUCTURE = (
    Fault("folder bw gone", "folder_missing", "bw", kit.drop("bw"), names("bw_missing")),
    Fault("folder color gone", "folder_missing", "color", kit.drop("color"), names("color_missing")),
    Fault("folder labels gone", "folder_missing", "labels", kit.drop("labels"), names("label_missing")),
    Fault("bw file gone", "bw_missing", COLOR, kit.drop(BW)),
    Fault("color file gone", "color_missing", BW, kit.drop(COLOR)),
    Fault("label gone", "label_missing", PHOTO, kit.drop(LABEL)),
    Fault("label without photo", "label_extra", LABEL, kit.drop(COLOR, BW), names("label_row_extra")),
    Fault("bw of nobody", "color_missing", "bw/guest.png", kit.copy(BW, "bw/guest.png"), names("label_missing")),
    Fault("color of nobody", "bw_missing", "color/guest.png",
          kit.redraw("color/guest.png", kit.turn(TRANSPOSE.ROTATE_90), COLOR), names("label_missing")),
    Fault("label of nobody", "label_extra", "labels/guest.npy", kit.copy(LABEL, "labels/guest.npy"),
          names("label_unlisted")),
    Fault("bw .png beside color .jpg", "suffix_mismatch", BW,
          kit.both(kit.redraw(BW, kit.convert("L"), JPG_COLOR), kit.drop(JPG_BW)), image_format="jpg"),
    Fault("color .PNG", "suffix_case", f"color/{PHOTO}.PNG", kit.move(COLOR, f"color/{PHOTO}.PNG")),
    Fault("bw .JPG", "suffix_case", f"bw/{PHOTO}.JPG", kit.move(JPG_BW, f"bw/{PHOTO}.JPG"), image_format="jpg"),
    Fault("label .NPY", "suffix_case", f"labels/{PHOTO}.NPY", kit.move(LABEL, f"labels/{PHOTO}.NPY")),
    Fault("bw .jpeg", "suffix_not_read", f"bw/{PHOTO}.jpeg", kit.move(JPG_BW, f"bw/{PHOTO}.jpeg"),
          names("bw_missing"), image_format="jpg"),
    Fault("color name in NFD", "name_not_nfc", f"color/{NFD}.png",
          kit.move(f"color/{HEDGEHOG}.png", f"color/{NFD}.png")),
    Fault("all names in NFD", "name_not_nfc", names(f"color/{NFD}.png", f"bw/{NFD}.png", f"labels/{NFD}.npy"),
          kit.both(*(kit.move(f"{folder}/{HEDGEHOG}.{suffix}", f"{folder}/{NFD}.{suffix}")
                     for folder, suffix in (("color", "png"), ("bw", "png"), ("labels", "npy"))))),
    Fault("label in NFC and NFD", "same_stem", f"labels/{HEDGEHOG}.npy",
          kit.copy(f"labels/{HEDGEHOG}.npy", f"labels/{NFD}.npy"), names("name_not_nfc")),
    Fault("bw in capitals", "name_case", "PHOTO_0000", kit.move(BW, "bw/PHOTO_0000.png"),
          names("bw_missing", "color_missing", "label_missing")),
    Fault("bw .png and .jpg", "same_stem", BW, kit.redraw(JPG_BW, kit.convert("L"), BW), names("suffix_mismatch")),
    Fault("color .png and .jpg", "same_stem", COLOR, kit.redraw(JPG_COLOR, kit.convert("RGB"), COLOR),
          TOUCHED | {"suffix_mismatch"}),
    *(Fault(f"the name {name}", "name_breaks_loader", f"color/{name}.png", kit.rename_triplet(PHOTO, name))
      for name in ("kubwaba_3", "scan.jpg.7", "scan.png.7")),
    *(Fault(f"the name {name}", "name_unsafe", f"color/{name}.png", kit.rename_triplet(PHOTO, name))
      for name in ("photo[1]", "what*", "-rf", "100%", "два  слова?")),
    Fault("stray text", "stray_file", "color/notes.txt", kit.put("color/notes.txt", b"milk, bread")),
    Fault("table among labels", "stray_file", "labels/labels.csv", kit.copy("labels.csv", "labels/labels.csv")),
    Fault("subfolder", "subfolder", "bw/more", kit.make_folder("bw/more")),
    Fault("folder named like a picture", "subfolder", "color/more.png", kit.make_folder("color/more.png")),
    Fault("our temporary file", "leftover", "bw/.tmp-npylabel-k3v9.png", kit.copy(BW, "bw/.tmp-npylabel-k3v9.png")),
    Fault("half a download", "stray_file", "color/x.png.part", kit.copy(COLOR, "color/x.png.part")),
    Fault("dangling link", "link_broken", "color/guest.png", kit.link_to_nowhere("color/guest.png")),
    Fault("dangling link for bw", "link_broken", BW, kit.link_to_nowhere(BW), names("bw_missing")),
)
PICTURES = (
    Fault("color empty", "picture_empty", COLOR, kit.put(COLOR, b"")),
    Fault("bw empty", "picture_empty", BW, kit.put(BW, b"")),
    Fault("color PNG cut", "picture_damaged", COLOR, kit.change(COLOR, lambda data: data[:len(data) // 2])),
    Fault("end of bw PNG cut", "picture_damaged", BW, kit.change(BW, lambda data: data[:-1])),
    Fault("a byte of a PNG flipped", "picture_damaged", COLOR,
          kit.change(COLOR, lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:])),
    Fault("JPEG cut", "picture_damaged", JPG_COLOR, kit.change(JPG_COLOR, lambda data: data[:-200]),
          image_format="jpg"),
    Fault("no picture at all", "picture_damaged", BW, kit.put(BW, UNREADABLE)),
    Fault("JPEG named .png", "format_wrong", COLOR, kit.redraw(COLOR, kit.convert("RGB"), image_format="JPEG"),
          TOUCHED | {"gray_differs"}),
    Fault("PNG named .jpg", "format_wrong", JPG_BW, kit.redraw(JPG_BW, kit.convert("L"), image_format="PNG"),
          image_format="jpg"),
    Fault("PPM named .png", "picture_damaged", BW, kit.redraw(BW, kit.convert("L"), image_format="PPM")),
    Fault("half the size", "size_wrong", names(COLOR, BW),
          kit.both(kit.redraw(COLOR, kit.shrink), kit.redraw(BW, kit.convert("L"), COLOR)), TOUCHED),
    Fault("bw of another size", "size_differs", BW, kit.redraw(BW, kit.shrink), names("size_wrong")),
    *(Fault(f"color of mode {mode}", "color_mode", COLOR, kit.redraw(COLOR, kit.convert(mode)),
            names("label_photo_changed")) for mode in ("L", "P", "RGBA")),
    Fault("color of mode CMYK", "color_mode", JPG_COLOR, kit.redraw(JPG_COLOR, kit.convert("CMYK")),
          names("label_photo_changed"), image_format="jpg"),
    Fault("color of 16 bits", "color_mode", COLOR,
          kit.both(kit.put(COLOR, kit.wide_png()), kit.redraw(BW, kit.convert("L"), COLOR)),
          names("label_photo_changed")),
    *(Fault(f"bw of mode {mode}", "bw_mode", BW, kit.redraw(BW, kit.convert(mode)))
      for mode in ("RGB", "LA", "1", "I;16")),
    Fault("bw as RGB JPEG", "bw_mode", JPG_BW, kit.redraw(JPG_BW, kit.convert("RGB")), image_format="jpg"),
    Fault("bw by Rec. 709", "gray_rec709", BW, kit.redraw(BW, kit.rec709, COLOR)),
    *(rotated(how) for how in TRANSPOSE),
    Fault("bw JPEG rotated", "gray_turned", JPG_BW, kit.redraw(JPG_BW, kit.turn(TRANSPOSE.ROTATE_180)),
          image_format="jpg"),
    Fault("bw of another photo", "gray_differs", BW, kit.copy(f"bw/{OTHER}.png", BW)),
    Fault("bw one level off", "gray_differs", BW, kit.redraw(BW, kit.one_level_off)),
    Fault("gray color file", "color_is_gray", COLOR,
          kit.redraw(COLOR, lambda image: image.convert("L").convert("RGB")), TOUCHED),
    Fault("EXIF in a JPEG", "metadata_left", JPG_COLOR,
          kit.add_jpeg_segment(JPG_COLOR, 0xE1, b"Exif\0\0" + kit.exif(6)), TOUCHED, "jpg"),
    Fault("comment in a JPEG", "metadata_left", JPG_BW, kit.add_jpeg_segment(JPG_BW, 0xFE, b"at home"),
          image_format="jpg"),
    Fault("place in a PNG", "metadata_left", COLOR, kit.add_png_chunk(COLOR, b"eXIf", kit.exif(gps=True)), TOUCHED),
    Fault("text in a PNG", "metadata_left", BW, kit.add_png_chunk(BW, b"tEXt", b"Author\0me")),
    Fault("text at the end of a PNG", "metadata_left", BW,
          kit.add_png_chunk(BW, b"tEXt", b"Author\0me", at_the_end=True)),
    Fault("time in a PNG", "metadata_left", BW, kit.add_png_chunk(BW, b"tIME", bytes((7, 234, 7, 14, 10, 15, 2)))),
    Fault("one picture twice", "same_picture", PHOTO, kit.copy_triplet(PHOTO, "photo_copy")),
    Fault("not what step 01 wrote", "changed_since", COLOR, kit.remanifest(PHOTO, color_sha256="0" * 64)),
)
LABELS = (
    Fault("empty", "label_empty", LABEL, kit.put(LABEL, b"")),
    Fault("value cut", "label_truncated", LABEL, kit.change(LABEL, lambda data: data[:-3])),
    Fault("header cut", "label_truncated", LABEL, kit.change(LABEL, lambda data: data[:40])),
    Fault("a second value behind", "label_trailing", LABEL, kit.change(LABEL, lambda data: data + data[-8:])),
    Fault("a text", "label_not_npy", LABEL, kit.put(LABEL, "глаза\n".encode())),
    Fault("pickle", "label_pickle", LABEL, kit.trap_label(PHOTO)),
    Fault("array of objects", "label_pickle", LABEL,
          kit.trap_label(PHOTO, lambda trap: kit.npy_bytes(np.array([trap], dtype=object)))),
    Fault("npz", "label_not_npy", LABEL, kit.put(LABEL, kit.npz_bytes(np.array([3])))),
    *(Fault(f"type {dtype}", "label_dtype", LABEL, kit.label(PHOTO, [0], dtype))
      for dtype in ("<i4", "<f8", ">i8", "<u8", "bool", "<U2")),
    *(Fault(f"shape {np.shape(value)}", "label_shape", LABEL, kit.label(PHOTO, value))
      for value in (0, [0, 0], [[0]], [])),
    *(Fault(f"class {value}", "label_not_in_table", LABEL, kit.label(PHOTO, [value])) for value in (-1, 100)),
    Fault("a header of 7 PB", "label_truncated", LABEL,
          kit.put(LABEL, kit.npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000,), }"))),
    Fault("a header that ends too soon", "label_truncated", LABEL,
          kit.put(LABEL, kit.npy_header("{'descr': '<i8', 'fortran_order': False, 'shape': (1,"))),
    Fault("file and table disagree", "label_disagrees", LABEL, kit.label(PHOTO, [6])),
    Fault("row missing", "label_unlisted", LABEL, kit.relist(lambda rows: rows.pop(PHOTO))),
    Fault("another class table", "label_other_table", LABEL, kit.reset(PHOTO, classes_sha256="0" * 64)),
    Fault("photo changed since", "label_photo_changed", LABEL, kit.reset(PHOTO, photo_sha256="0" * 64)),
    Fault("no table", "labels_csv_missing", "labels.csv", kit.drop("labels.csv")),
    Fault("row of nobody", "label_row_extra", "guest",
          kit.relist(lambda rows: rows.update(guest=replace(rows[PHOTO], name="guest")))),
    Fault("mostly unknown", "unknown_share", "labels.csv", kit.everything_unknown),
    Fault("drawn and own photos", "mixed_worlds", "manifest.csv", kit.remanifest(PHOTO, made_from="demo")),
)
FAULTS = (*STRUCTURE, *PICTURES, *LABELS)


def params(group: Iterable[Fault]) -> list:
    return [pytest.param(fault, id=fault.title) for fault in group]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small dataset without a fault, by format."""
    folder = tmp_path_factory.mktemp("whole")
    return {kind: kit.make_dataset(folder / kind, 7, image_format=kind) for kind in ("png", "jpg")}


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.make_dataset(tmp_path_factory.mktemp("thousand"), 1000)


@pytest.fixture
def dataset(whole: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(whole["png"], tmp_path / "dataset")


def broken(whole: dict[str, Path], fault: Fault, folder: Path) -> Path:
    shutil.copytree(whole[fault.image_format], folder)
    fault.act(folder)
    return folder


def test_a_thousand_whole_triplets_have_no_findings(thousand: Path) -> None:
    verification = kit.verified(thousand, workers=0)
    assert verification.findings == []
    assert len(verification.class_ids) == len(verification.files.color) == 1000
    assert list(verification.class_ids.values())[:3] == [0, 9, 6]  # photo_0000, photo_0003, photo_0006


def test_one_pixel_in_a_thousand_triplets_is_found(thousand: Path) -> None:
    name = f"bw/{kit.name_of(500)}.png"
    before = (thousand / name).read_bytes()
    kit.redraw(name, kit.one_level_off)(thousand)
    findings = kit.verified(thousand).findings
    (thousand / name).write_bytes(before)
    assert [(finding.code, finding.name, finding.detail) for finding in findings] == [("gray_differs", name, "1")]


def test_a_hundred_whole_jpeg_triplets_have_no_findings(tmp_path: Path) -> None:
    assert kit.found(kit.make_dataset(tmp_path, 100, image_format="jpg", noise=4)) == set()


def test_noisy_jpeg_triplets_have_no_findings(tmp_path: Path) -> None:
    assert kit.found(kit.make_dataset(tmp_path, 30, image_format="jpg", noise=60)) == set()


@pytest.mark.parametrize("fault", params(FAULTS))
def test_a_fault_is_found_by_its_code_and_place(fault: Fault, whole: dict[str, Path], tmp_path: Path) -> None:
    found = kit.found(broken(whole, fault, tmp_path / "dataset"))
    assert {code for code, _name in found} == {fault.code} | fault.implied
    assert {name for code, name in found if code == fault.code} == (
        fault.names if isinstance(fault.names, frozenset) else {fault.names})


def test_every_code_of_the_list_is_injected_and_no_other() -> None:
    assert {fault.code for fault in FAULTS} == CODES
    assert len(CODES) > 40


def test_every_code_is_explained_in_words() -> None:
    for code in sorted(CODES):
        severity, meaning, cure = faults.explain(code)
        assert severity in ("fault", "warning")
        assert len(meaning) > 10 and len(cure) > 5, code


@pytest.mark.parametrize("fault", [fault for fault in LABELS if fault.code == "label_pickle"], ids=lambda f: f.title)
def test_a_pickle_is_not_opened(fault: Fault, whole: dict[str, Path], tmp_path: Path) -> None:
    folder = broken(whole, fault, tmp_path / "dataset")
    kit.verified(folder)
    assert not (folder / "trapped").exists()


def test_the_pickle_would_have_done_harm(dataset: Path) -> None:
    kit.trap_label(PHOTO)(dataset)
    pickle.loads((dataset / LABEL).read_bytes())
    assert (dataset / "trapped").is_dir()


def test_a_picture_in_postscript_starts_no_other_program(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript",
                        lambda *arguments, **_options: started.append(arguments) or kit.draw(5).im)
    (dataset / BW).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n")
    kit.verified(dataset)
    assert started == []


def wreck(dataset: Path) -> None:
    """Break one photo in each of several ways."""
    for act in (kit.drop(BW), kit.move(f"color/{HEDGEHOG}.png", f"color/{NFD}.png"), kit.label("дом_0002", [6, 6]),
                kit.put("color/photo_0003.png", b""), kit.redraw(f"bw/{kit.name_of(4)}.png", kit.rec709,
                f"color/{kit.name_of(4)}.png"), kit.link_to_nowhere("bw/guest.png"),
                kit.remanifest(kit.name_of(5), color_sha256="0" * 64)):
        act(dataset)


def test_findings_are_sorted_faults_first(dataset: Path) -> None:
    wreck(dataset)
    findings = kit.verified(dataset).findings
    assert [finding.code for finding in findings] == [
        "bw_missing", "gray_rec709", "label_shape", "link_broken", "name_not_nfc", "picture_empty", "changed_since"]
    assert [finding.severity for finding in findings] == ["fault"] * 6 + ["warning"]


def test_the_table_is_the_same_whatever_the_number_of_workers(dataset: Path, tmp_path: Path) -> None:
    wreck(dataset)
    for workers in (1, 2):
        write_findings(tmp_path / f"{workers}.csv", kit.verified(dataset, workers))
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_the_detail_of_no_picture_is_the_same_in_each_run(dataset: Path) -> None:
    (dataset / BW).write_bytes(UNREADABLE)
    assert "0x" not in kit.verified(dataset).findings[0].detail


def test_the_table_explains_each_finding(dataset: Path, tmp_path: Path) -> None:
    wreck(dataset)
    verification = kit.verified(dataset)
    write_findings(tmp_path / "verify.csv", verification)
    rows = read_csv(tmp_path / "verify.csv")
    assert [(row["code"], row["name"]) for row in rows] == [(f.code, f.name) for f in verification.findings]
    assert [row["name"] for row in rows if row["code"] == "name_not_nfc"] == [f"color/{NFD}.png"]
    assert all(row["severity"] and row["meaning"] and row["cure"] for row in rows)
    assert rows[0]["meaning"] == "a color file has no grayscale partner"


def test_counts_by_severity_and_code(dataset: Path) -> None:
    wreck(dataset)
    kit.drop(f"bw/{kit.name_of(5)}.png")(dataset)
    verification = kit.verified(dataset)
    assert (verification.count("fault"), verification.count("warning")) == (7, 1)
    assert verification.codes["bw_missing"] == 2


def test_nothing_on_the_disk_changes(dataset: Path) -> None:
    wreck(dataset)
    before = kit.checksums(dataset)
    kit.verified(dataset)
    assert kit.checksums(dataset) == before


def test_hidden_and_system_files_are_passed_over(dataset: Path) -> None:
    for name in ("color/.DS_Store", "bw/Thumbs.db", "labels/.gitkeep", "color/._photo_0000.png"):
        (dataset / name).write_bytes(b"\0")
    assert kit.found(dataset) == set()


def test_a_label_id_of_a_table_with_gaps_is_found(dataset: Path) -> None:
    table = kit.ClassTable({0: "кот", 3: "дом", 9: "лес"})
    codes = verify_dataset(dataset, table, size_px=kit.SIZE_PX).codes
    assert codes == {"label_not_in_table": 2, "label_other_table": 5}


def test_photos_of_another_size_are_wrong_each(dataset: Path) -> None:
    assert verify_dataset(dataset, kit.TABLE, size_px=512).codes == {"size_wrong": 14}


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_a_dataset_is_refused(folder: str, tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as error:
        verify_dataset(tmp_path / folder, kit.TABLE)
    assert error.value.code == "dataset_missing"


def test_a_manifest_of_another_program_is_refused(dataset: Path) -> None:
    (dataset / "manifest.csv").write_bytes("имя;размер\nфото;7\n".encode("cp1251"))
    with pytest.raises(NpyLabelError) as error:
        kit.verified(dataset)
    assert error.value.code == "table_damaged"


def test_a_label_table_saved_by_excel_stops_nothing(dataset: Path) -> None:
    (dataset / "labels.csv").write_bytes("name;class_name\nphoto_0000;глаза\n".encode("cp1251"))
    with suppress(NpyLabelError):
        kit.verified(dataset)


def test_a_name_of_broken_bytes_can_be_written_down(dataset: Path, tmp_path: Path) -> None:
    shutil.copyfile(dataset / LABEL, dataset / "labels/m\udcfcll.npy")
    write_findings(tmp_path / "verify.csv", kit.verified(dataset))
    assert "labels/m\\udcfcll.npy" in (tmp_path / "verify.csv").read_text(encoding="utf-8")


def test_a_dataset_without_a_manifest_is_whole(dataset: Path) -> None:
    kit.drop("manifest.csv", "quarantine.csv")(dataset)
    assert kit.found(dataset) == set()


def test_a_label_file_of_the_wanted_bytes_is_whole(dataset: Path) -> None:
    (dataset / LABEL).write_bytes(label_bytes(0))
    assert kit.found(dataset) == set()


@pytest.mark.parametrize(("settings", "size_px"), [
    (["128 crop png"] * 3, 128), (["128 crop png", "512 crop png"], 512), ([], 512), ([""], 512)])
def test_the_size_is_the_one_that_the_pictures_were_made_with(settings: list[str], size_px: int) -> None:
    left_out = PhotoRow("", "z.jpg", status=LEFT_OUT, settings="64 crop png")
    rows = [PhotoRow(f"p{number}", f"{number}.jpg", settings=text) for number, text in enumerate(settings)]
    assert made_size([*rows, left_out]) == size_px
