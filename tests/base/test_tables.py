"""CSV tables: what is written is read back, whatever the cells hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import iterate_columns, printable, read_csv, write_csv

ODD = ["", "ковёр", 'a "quoted", cell', "two\nlines", "win\r\nlines", " spaces ", "a;b", "=1+1", "0012", "\u2028"]


@pytest.mark.parametrize("value", ODD)
def test_a_cell_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    write_csv(tmp_path / "t.csv", ("name", "value"), [{"name": "1", "value": value}, {"name": "2", "value": "x"}])
    assert read_csv(tmp_path / "t.csv") == [{"name": "1", "value": value}, {"name": "2", "value": "x"}]


def test_the_file_is_plain_utf8_with_a_header(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ("имя", "n"), [{"имя": "ё", "n": 1, "other": 5}, {"n": 2}])
    assert (tmp_path / "t.csv").read_bytes() == "имя,n\nё,1\n,2\n".encode()


def test_a_table_without_rows_has_its_header(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ("a", "b"), [])
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n"
    assert read_csv(tmp_path / "t.csv") == []


def test_a_table_saved_by_excel_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("\ufeffname,n\r\nё,1\r\n".encode())
    assert read_csv(tmp_path / "t.csv") == [{"name": "ё", "n": "1"}]


def test_a_missing_table_has_no_rows(tmp_path: Path) -> None:
    assert read_csv(tmp_path / "no.csv") == []


def test_rows_that_fail_half_way_leave_the_old_table(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        yield {"a": 2}
        raise RuntimeError

    write_csv(tmp_path / "t.csv", ("a",), [{"a": 1}])
    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "t.csv", ("a",), rows())
    assert read_csv(tmp_path / "t.csv") == [{"a": "1"}]
    assert len(list(tmp_path.iterdir())) == 1


def test_names_of_broken_bytes_can_be_written(tmp_path: Path) -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert printable(name) == "caf\\udce9.jpg"
    assert printable("ковёр 📷") == "ковёр 📷"
    write_csv(tmp_path / "t.csv", ("a",), [{"a": printable(name)}])
    assert read_csv(tmp_path / "t.csv") == [{"a": "caf\\udce9.jpg"}]


@pytest.mark.parametrize("value", ODD)
def test_some_columns_are_read_as_whole_rows_are(tmp_path: Path, value: str) -> None:
    write_csv(tmp_path / "t.csv", ("a", "b", "c"), [{"a": "1", "b": "2", "c": value}, {"a": value}])
    assert list(iterate_columns(tmp_path / "t.csv", ("c", "a"))) == [(value, "1"), ("", value)]


def test_a_column_or_cell_that_is_not_there_is_empty(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("\ufeffname;n\r\nё;1\r\nshort\r\n\r\nlong;2;3;4\r\n".encode())
    assert list(iterate_columns(tmp_path / "t.csv", ("n", "name", "no"))) == [
        ("1", "ё", ""), ("", "short", ""), ("2", "long", "")]
    assert list(iterate_columns(tmp_path / "no.csv", ("n", "name"))) == []
    (tmp_path / "empty.csv").write_bytes(b"")
    assert list(iterate_columns(tmp_path / "empty.csv", ("n", "name"))) == []


def test_columns_of_a_damaged_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n\xff,3\n")
    with pytest.raises(NpyLabelError) as caught:
        list(iterate_columns(tmp_path / "t.csv", ("a", "b")))
    assert caught.value.code == "table_damaged"
