"""Label files are NumPy's own bytes and nothing else is taken for one; the table comes back as it was written."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from npylabel.dataset.labels import (
    HUMAN,
    LabelError,
    LabelRow,
    label_bytes,
    read_label,
    read_label_rows,
    read_labels_now,
    table_path,
    write_label,
    write_label_rows,
)
from tests.dataset import faults_kit as kit

ONE = np.array([1], dtype=np.int64)
HEADER = "{'descr': '<i8', 'fortran_order': False, 'shape': (%s,), }"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ёлка.npy"


def code_of(path: Path, data: bytes) -> str:
    """The code of the fault that a file of these bytes has."""
    path.write_bytes(data)
    with pytest.raises(LabelError) as error:
        read_label(path)
    return error.value.code


@pytest.mark.parametrize("class_id", [0, 7, 99, 2**40])
def test_a_label_is_the_bytes_of_numpy(class_id: int) -> None:
    file = io.BytesIO()
    np.save(file, np.array([class_id], dtype=np.int64))
    assert label_bytes(class_id) == file.getvalue()


def test_a_label_is_read_by_numpy(path: Path) -> None:
    write_label(path, 42)
    value = np.load(path)
    assert (value.dtype.str, value.shape, value.tolist()) == ("<i8", (1,), [42])
    assert path.stat().st_size == 136


@pytest.mark.parametrize("class_id", [0, 99, -1, 2**62])
def test_a_label_comes_back(class_id: int, path: Path) -> None:
    write_label(path, class_id)
    assert read_label(path) == class_id


def test_a_label_takes_the_place_of_another_and_leaves_nothing_behind(path: Path) -> None:
    write_label(path, 1)
    write_label(path, 2)
    assert read_label(path) == 2
    assert list(path.parent.iterdir()) == [path]


def test_a_label_in_the_second_version_of_the_format_is_read(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, ONE, version=(2, 0))
    assert read_label(path) == 1


@pytest.mark.parametrize(("data", "code"), [
    (b"", "label_empty"),
    (b"7\n", "label_not_npy"),
    (b"\x89PNG\r\n\x1a\n", "label_not_npy"),
    (kit.npz_bytes(ONE), "label_not_npy"),
    (b"\x80\x04K\x07.", "label_pickle"),
    (kit.npy_bytes(np.array([None], dtype=object)), "label_pickle"),
    (kit.npy_bytes(ONE.astype(np.int32)), "label_dtype"),
    (kit.npy_bytes(ONE.astype(">i8")), "label_dtype"),
    (kit.npy_bytes(ONE.astype("m8[s]")), "label_dtype"),
    (kit.npy_bytes(ONE[0]), "label_shape"),
    (kit.npy_bytes(ONE[:, None]), "label_shape"),
    (kit.npy_bytes(ONE[:0]), "label_shape"),
    (kit.npy_bytes(np.zeros(512, np.int64)), "label_shape"),
    (label_bytes(1) + b"\0", "label_trailing"),
    (label_bytes(1) * 2, "label_trailing"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_no_label_is_named(data: bytes, code: str, path: Path) -> None:
    assert code_of(path, data) == code


@pytest.mark.parametrize("length", [8, 10, 60, 127, 128, 135])
def test_a_label_that_is_cut_off_is_named(length: int, path: Path) -> None:
    assert code_of(path, label_bytes(5)[:length]) == "label_truncated"


def test_a_label_is_never_read_wrong_when_a_byte_of_its_header_is_another(path: Path) -> None:
    """Each byte of the header turned into a space: a fault of the closed list, or the same value."""
    for position in range(10, 70):
        path.write_bytes(label_bytes(5)[:position] + b" " + label_bytes(5)[position + 1:])
        try:
            assert read_label(path) == 5
        except LabelError as error:
            assert error.code.startswith("label_")


@pytest.mark.parametrize("header", [
    pytest.param(HEADER % (10**15), id="7 PB"),
    pytest.param(HEADER % (10**20), id="too many for a C integer"),
    pytest.param((HEADER % 1)[:-4], id="a bracket that stays open"),
])
def test_a_header_that_lies_is_a_fault(header: str, path: Path) -> None:
    assert code_of(path, kit.npy_header(header)) == "label_truncated"


def test_a_missing_label_is_not_a_faulty_one(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_label(path)


def rows_of(*names: str) -> dict[str, LabelRow]:
    row = LabelRow("", 99, "неопределённый_объект", "0.4211", "model", "3", "волосы", "0.5", "ab" * 32, "cd" * 32,
                   "ef" * 32)
    return {name: replace(row, name=name) for name in names}


def test_the_table_comes_back_with_russian_names(tmp_path: Path) -> None:
    rows = rows_of("ёлка, новая", 'говорит "мяу"', "photo_1", "две\nстроки", "№ 7;8")
    rows["photo_1"] = LabelRow("photo_1", 0, "глаза", source=HUMAN)
    write_label_rows(tmp_path / "labels.csv", rows)
    assert read_label_rows(tmp_path / "labels.csv") == rows


def test_the_table_is_sorted_and_starts_with_the_fixed_columns(tmp_path: Path) -> None:
    write_label_rows(tmp_path / "labels.csv", rows_of("б", "a", "а"))
    lines = (tmp_path / "labels.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("name,class_id,class_name,confidence,source,")
    assert [line.split(",")[0] for line in lines[1:]] == ["a", "а", "б"]
    assert lines[1].startswith("a,99,неопределённый_объект,0.4211,model,3,волосы,0.5,")


def test_a_table_with_a_signature_and_fewer_columns_is_read(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("\ufeffclass_id,name\r\n7,ёлка\r\n".encode())
    assert read_label_rows(tmp_path / "labels.csv") == {"ёлка": LabelRow("ёлка", 7, "", source="")}


def test_rows_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,class_id\na,\n,7\nb,seven\nc,7.0\nd\ne,-1\nf,7,more\n", encoding="utf-8")
    assert {name: row.class_id for name, row in read_label_rows(tmp_path / "labels.csv").items()} == {
        "c": 7, "e": -1, "f": 7}


def test_ids_that_a_spreadsheet_wrote_with_decimals_are_nobodys_decision(tmp_path: Path) -> None:
    """With an empty cell in a column, all its numbers are saved as 5.0."""
    (tmp_path / "labels.csv").write_text(
        "name,class_id,source,best_class_id,written_id\na,5.0,model,7.0,5.0\nb,6.0,model,,5.0\n", encoding="utf-8")
    rows = read_label_rows(tmp_path / "labels.csv")
    assert (rows["a"].class_id, rows["a"].best_class_id, rows["a"].written_id) == (5, "7", "5")
    assert rows["a"].decision(5, {"5"}) is None and rows["b"].decision(5, {"5"}) == 6


@pytest.mark.parametrize("value", ["--5", "²", "9" * 5000], ids=["two signs", "a small two", "5000 digits"])
def test_a_row_with_a_number_that_is_none_is_left_out(value: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"name,class_id\na,{value}\nb,7\n", encoding="utf-8")
    assert set(read_label_rows(tmp_path / "labels.csv")) == {"b"}


def test_no_table_has_no_rows(tmp_path: Path) -> None:
    assert read_label_rows(tmp_path / "labels.csv") == {}


def test_the_table_is_beside_the_labels(tmp_path: Path) -> None:
    assert table_path(tmp_path / "labels") == tmp_path / "labels.csv"


def test_what_many_rows_share_is_in_memory_once(tmp_path: Path) -> None:
    rows = {name: LabelRow(name, 7, "дом", "0.5000", model_sha256="f" * 64, written_id="7") for name in "abc"}
    write_label_rows(tmp_path / "labels.csv", rows)
    found, ours = read_labels_now(tmp_path / "labels")
    assert found == rows and ours == {name: {"7"} for name in "abc"}
    assert found["a"].model_sha256 is found["c"].model_sha256 and ours["a"] is ours["c"]
