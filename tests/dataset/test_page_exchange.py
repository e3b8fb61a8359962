"""Photos that are sorted on a page or in Excel: what comes back is taken once, and never against what is decided."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import set_language
from npylabel.dataset.decisions import ASSIGN, CLEAR, LEAVE_OUT, SKIP, read_decisions
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import Guess
from npylabel.dataset.page_exchange import MOST_PHOTOS, Conflict, export_page, import_page
from tests.dataset.class_kit import TABLE
from tests.dataset.desk_kit import decided, named, open_desk
from tests.photos.collect_kit import lay_file, photo

UNKNOWN = TABLE.names[TABLE.unknown_id]


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    yield set_language(request.param)
    set_language("en")


def exported(desk: Desk, folder: Path) -> list[dict[str, str]]:
    """The rows of the table that a desk exports of all its photos."""
    _html, table = export_page(desk, desk.photos, folder)
    text = table.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","))


def filled(rows: list[dict[str, str]], **classes: str) -> bytes:
    """The table as somebody saves it who gives photos these classes."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows({**each, "class": classes.get(each["name"], each["class"])} for each in rows)
    return file.getvalue().encode("utf-8-sig")


def page_data(html: Path) -> dict:
    """The data in a page."""
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html.read_text("utf-8"), re.DOTALL)
    return json.loads(text)


def codes(conflicts: list[Conflict]) -> list[tuple[str, str, str, str]]:
    return [(conflict.code, conflict.name, conflict.class_name, conflict.other) for conflict in conflicts]


def test_the_table_opens_in_excel(tmp_path: Path, language: str) -> None:
    desk = open_desk(tmp_path, "ab", guesses={"a": Guess("дом", 0.875)})
    desk.decide(named(desk, "b"), ASSIGN, "ковёр")
    _html, table = export_page(desk, desk.photos, tmp_path / "out")
    mark, text = ";" if language == "ru" else ",", table.read_bytes().decode("utf-8")
    lines = text.split("\r\n")
    assert text.startswith("\ufeffname") and lines[0][1:].split(mark) == [
        "name", "class", "guess", "confidence", "sha256", "state_sha"]
    assert lines[1].split(mark)[:5] == ["a", "", "дом", "0.88", "sha-a"]
    assert lines[2].split(mark)[:5] == ["b", "ковёр", "", "", "sha-b"] and lines[3:] == [""]


def test_the_page_holds_all_it_needs(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "abc", guesses={"a": Guess("дом", 0.9)})
    lay_file(desk.photos[0].path, photo("a"))
    lay_file(named(desk, "b")[0].path, b"no picture")
    desk.decide(named(desk, "c"), ASSIGN, "небо")
    html, table = export_page(desk, desk.photos, tmp_path / "out")
    assert html.stem == table.stem and not re.search(r"https?:|@import|url\(|import\s", html.read_text("utf-8"))
    data = page_data(html)
    pictures = {each["name"]: each["picture"] for each in data["photos"]}
    with Image.open(io.BytesIO(base64.b64decode(pictures["a"]))) as image:
        assert image.format == "JPEG" and image.size == (256, 256)
    assert pictures["b"] == pictures["c"] == ""
    assert {each["name"]: each["class"] for each in data["photos"]} == {"a": "", "b": "", "c": "небо"}
    assert [each[:2] for each in data["classes"]] == [list(pair) for pair in TABLE.names.items()]
    assert data["recents"] == ["небо"] and all(data["texts"].values())


def test_names_cannot_break_the_page(tmp_path: Path) -> None:
    table = ClassTable({0: "</script><b>", 1: 'quote"'})
    open_desk(tmp_path, "a").close()
    desk = Desk(tmp_path / "tintora_dataset", tmp_path / "decisions", table)
    html, _table = export_page(desk, desk.photos, tmp_path / "out")
    assert html.read_text("utf-8").count("</script>") == 2 and page_data(html)["classes"][0] == [0, "</script><b>", []]


def test_what_was_filled_is_taken_as_one_batch(tmp_path: Path, language: str) -> None:
    desk = open_desk(tmp_path, "abcde")
    desk.decide(named(desk, "d"), ASSIGN, "лес")
    _html, path = export_page(desk, desk.photos, tmp_path)
    text = path.read_text("utf-8-sig").replace("\r\n", "\n")
    for name, class_name in (("a", "дом"), ("b", "0"), ("c", UNKNOWN)):
        text = re.sub(rf"^{name}([;,])", rf"{name}\g<1>{class_name}", text, flags=re.MULTILINE)
    path.write_text(text, "utf-8-sig")
    report = import_page(desk, path)
    assert (report.taken, report.same, report.empty, list(report.conflicts)) == (3, 1, 1, [])
    assert decided(desk) == {"a": "дом*", "b": f"{TABLE.names[0]}*", "c": UNKNOWN, "d": "лес*"}
    last = read_decisions(tmp_path / "decisions")[-3:]
    assert {decision.source for decision in last} == {"import"} and len({decision.time for decision in last}) == 1
    assert import_page(desk, path).taken == 0
    assert desk.undo() == 3 and decided(desk) == {"d": "лес*"}


@pytest.mark.parametrize(("encoding", "mark", "first"), [
    ("utf-8", ",", ""), ("utf-8-sig", ";", ""), ("cp1251", ";", ""), ("utf-16", "\t", ""), ("utf-8", ";", "sep=;\r\n"),
    ("utf-8-sig", ",", "\r\n"),
])
def test_every_way_in_which_excel_saves_is_read(tmp_path: Path, encoding: str, mark: str, first: str) -> None:
    desk = open_desk(tmp_path, "ab")
    text = first + "Name;CLASS;sha256\r\na; дом ;sha-a\r\nb;;sha-b\r\n;;\r\n".replace(";", mark)
    report = import_page(desk, lay_file(tmp_path / "t.csv", text.encode(encoding)))
    assert (report.taken, report.empty) == (1, 1) and decided(desk) == {"a": "дом*"}


def test_photos_are_known_by_name_where_there_is_no_checksum(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "ab")
    assert import_page(desk, "name;class\na;дом\n".encode()).taken == 1
    report = import_page(desk, "name;class;sha256\nb;дом;sha-of-another\n".encode())
    assert (report.taken, codes(report.conflicts)) == (0, [("unknown_photo", "b", "дом", "")])


@pytest.mark.parametrize("data", [
    b"", b"\n", b"class\nx\n", b"name,group\na,b\n", b"name|class\na|b\n", b"\x00\x01", b"\x89PNG\r\n\x1a\n"])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    desk = open_desk(tmp_path, "ab")
    with pytest.raises(NpyLabelError) as caught:
        import_page(desk, lay_file(tmp_path / "t.csv", data))
    assert caught.value.code == "page_unusable" and str(tmp_path / "t.csv") in caught.value.what
    with pytest.raises(NpyLabelError) as caught:
        import_page(desk, tmp_path / "no.csv")
    assert caught.value.code == "page_missing"


def test_conflicts_are_listed_and_left_as_they_are(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "abcdefgh")
    desk.decide(named(desk, "abc"), ASSIGN, "лес")
    rows = exported(desk, tmp_path / "out")
    other = open_desk(tmp_path)
    other.decide(named(other, "ad"), ASSIGN, "небо")
    other.decide(named(other, "e"), LEAVE_OUT)
    other.decide(named(other, "f"), SKIP)
    other.decide(named(other, "c"), CLEAR)
    table = filled(rows, **dict.fromkeys("abcdef", "дом"), g="домм", h="небо")
    report = import_page(desk, table + "h,дом,,,sha-h,\r\ngone,дом,,,sha-gone,\r\n".encode())
    # b was decided when the table was made, and is so still: who filled it saw that; c and f are free again.
    assert decided(desk) == {"a": "небо*", "b": "дом*", "c": "дом*", "d": "небо*", "e": "-", "f": "дом*"}
    assert codes(report.conflicts) == [
        ("decided_here", "a", "дом", "небо"), ("decided_here", "d", "дом", "небо"), ("decided_here", "e", "дом", ""),
        ("unknown_class", "g", "домм", "дом"), ("twice", "h", "небо", "небо, дом"), ("twice", "h", "дом", "небо, дом"),
        ("unknown_photo", "gone", "дом", "")]
    assert [conflict.line for conflict in report.conflicts] == [2, 5, 6, 8, 9, 10, 11]
    assert report.taken == 3 and "3 photos taken" in report.lines[0]
    assert report.lines[1] == "line 2: a: the file says дом, but it was decided here meanwhile: небо"
    assert all(line.strip() and "{" not in line for line in report.lines) and len(report.lines) == 8


def test_a_row_that_nobody_touched_is_no_conflict(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "ab")
    desk.decide(named(desk, "ab"), ASSIGN, "лес")
    rows = exported(desk, tmp_path / "out")
    desk.decide(named(desk, "a"), ASSIGN, "небо")
    desk.decide(named(desk, "b"), LEAVE_OUT)
    report = import_page(desk, filled(rows))
    assert (report.taken, report.same, codes(report.conflicts)) == (0, 2, [])
    assert decided(desk) == {"a": "небо*", "b": "лес*-"}


def test_the_same_row_twice_is_taken_once(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "a")
    rows = exported(desk, tmp_path / "out")
    report = import_page(desk, filled([*rows, *rows], a="дом"))
    assert (report.taken, codes(report.conflicts), decided(desk)) == (1, [], {"a": "дом*"})


def test_a_page_of_none_or_too_many_is_refused(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, "a")
    for photos, code in (([], "page_empty"), (desk.photos * (MOST_PHOTOS + 1), "page_too_large")):
        with pytest.raises(NpyLabelError) as caught:
            export_page(desk, photos, tmp_path / "out")
        assert caught.value.code == code and not (tmp_path / "out").exists()
