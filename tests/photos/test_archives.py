"""Zips: names as they were meant, nothing trusted, nothing unpacked."""

import io
import json
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest

from npylabel.base.places import project_dir
from npylabel.photos import archives
from npylabel.photos.archives import ZIP_ERRORS, list_members, read_member
from tests.photos.zip_kit import ENCRYPTED_FLAG, UTF8_FLAG, claim_size, unicode_path, write_raw_zip, write_zip

NAMES = ["Отпуск/Дом у моря.jpg", "ёлка (2).png", "МОРЕ/IMG_0001.JPG", "фото/Ночь.jpeg", "снег.jpg"]
CLASS_NAMES = [entry["name"] for entry in json.loads((project_dir() / "classes.json").read_text("utf-8")).values()]


def names_in(path: Path) -> list[str]:
    return [member.name for member in list_members(path)]


@pytest.mark.parametrize(("encoding", "flags"), [("utf-8", UTF8_FLAG), ("utf-8", 0), ("cp866", 0), ("cp1251", 0)])
def test_russian_names_are_read_in_any_encoding(tmp_path: Path, encoding: str, flags: int) -> None:
    path = write_raw_zip(tmp_path / "a.zip", [name.encode(encoding) for name in NAMES], flags=flags)
    assert names_in(path) == NAMES
    assert [read_member(path, index) for index in range(len(NAMES))] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("encoding", ["cp866", "cp1251"])
def test_all_class_folders_are_recognized_in_old_encodings(tmp_path: Path, encoding: str) -> None:
    names = [f"{name}/1.jpg" for name in CLASS_NAMES]
    assert names_in(write_raw_zip(tmp_path / "a.zip", [name.encode(encoding) for name in names])) == names


def test_the_unicode_field_wins_over_the_old_name(tmp_path: Path) -> None:
    raw = b"?????.jpg"
    path = write_raw_zip(tmp_path / "a.zip", [raw], extra=b"\x99\x99\x02\0zz" + unicode_path(raw, "вид 📷.jpg"))
    assert names_in(path) == ["вид 📷.jpg"]


def test_a_unicode_field_of_another_name_is_not_believed(tmp_path: Path) -> None:
    path = write_raw_zip(tmp_path / "a.zip", ["дом.jpg".encode("cp866")], extra=unicode_path(b"x", "чужое.jpg"))
    assert names_in(path) == ["дом.jpg"]


def test_names_from_a_mac_are_brought_to_form_c(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "ковёр/й.jpg")
    assert names_in(write_zip(tmp_path / "a.zip", {name: b"x"})) == ["ковёр/й.jpg"]


@pytest.mark.parametrize("name", [
    "../up.jpg", "a/../../up.jpg", "/abs.jpg", "C:/drive.jpg", "c:drive.jpg", "..\\up.jpg", "\\abs.jpg", "a\\..\\b.jpg",
])
def test_names_that_point_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    (member,) = list_members(write_raw_zip(tmp_path / "a.zip", [name.encode()]))
    assert member.code == "unsafe_name"


@pytest.mark.parametrize(("name", "meant"), [
    ("a\\b\\c.jpg", "a/b/c.jpg"), ("..a..b.jpg", "..a..b.jpg"), ("a/b:c.jpg", "a/b:c.jpg"), ("a.jpg\0.exe", "a.jpg"),
])
def test_harmless_names_are_taken(tmp_path: Path, name: str, meant: str) -> None:
    (member,) = list_members(write_raw_zip(tmp_path / "a.zip", [name.encode()]))
    assert (member.name, member.code) == (meant, "")


def test_links_are_refused_and_folders_left_out(tmp_path: Path) -> None:
    link, folder = zipfile.ZipInfo("link.jpg"), zipfile.ZipInfo("folder/")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/hostname")
        archive.writestr(folder, "")
        archive.writestr("folder/a.jpg", b"x")
    found = [(member.name, member.code) for member in list_members(tmp_path / "a.zip")]
    assert found == [("link.jpg", "unsafe_name"), ("folder/a.jpg", "")]


def test_locked_members_are_known_beforehand(tmp_path: Path) -> None:
    path = write_raw_zip(tmp_path / "a.zip", [b"a.jpg"], flags=ENCRYPTED_FLAG)
    assert [member.code for member in list_members(path)] == ["encrypted"]
    with pytest.raises(ZIP_ERRORS):
        read_member(path, 0)


def test_a_wrong_checksum_is_seen(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"picture " * 100, "b.jpg": b"whole"})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"picture picture", b"picture pictyre", 1))
    with pytest.raises(ZIP_ERRORS):
        read_member(path, 0)
    assert read_member(path, 1) == b"whole"


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.6, 0.95])
def test_a_cut_zip_is_an_expected_error(tmp_path: Path, fraction: float) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{number}.jpg": bytes(200) for number in range(9)})
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * fraction)])
    with pytest.raises(ZIP_ERRORS):
        list_members(path)


@pytest.mark.parametrize("claimed", [0, 10, 999, 1001, 10**6])
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_false_size_is_damage_or_changes_nothing(tmp_path: Path, claimed: int, packing: int) -> None:
    content = bytes(range(250)) * 4
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        archive.writestr("lie.jpg", content)
        archive.writestr("true.jpg", b"whole")
    claim_size(tmp_path / "a.zip", "lie.jpg", claimed)
    if claimed < len(content):
        with pytest.raises(ZIP_ERRORS):
            read_member(tmp_path / "a.zip", 0)
    else:
        assert read_member(tmp_path / "a.zip", 0) == content
    assert read_member(tmp_path / "a.zip", 1) == b"whole"


def test_members_larger_than_is_safe_are_known_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 10)
    path = write_zip(tmp_path / "a.zip", {"a.jpg": bytes(10), "b.jpg": bytes(11)})
    assert [member.code for member in list_members(path)] == ["", "too_large"]


def test_only_the_beginning_is_read_when_that_is_asked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"0123456789" * 9000})
    assert read_member(path, 0, 15) == b"012345678901234"


def test_a_zip_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"old"})
    first = list_members(path)
    write_zip(path, {"a.jpg": b"newer"})
    assert read_member(path, 0) == b"newer"
    assert list_members(path)[0].fingerprint != first[0].fingerprint


def test_the_fingerprint_sees_the_content_and_not_the_time(tmp_path: Path) -> None:
    marks = []
    for content, year in ((b"one", 2001), (b"one", 2002), (b"two", 2001)):
        path = tmp_path / f"{len(marks)}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.jpg", (year, 1, 1, 0, 0, 0)), content)
        marks.append(list_members(path)[0].fingerprint)
    assert marks[0] == marks[1] != marks[2]


def test_nothing_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.jpg", b"x")
    path = write_zip(tmp_path / "a.zip", {"d/a.jpg": b"x", "../b.jpg": b"y", "inner.zip": inner.getvalue()})
    for member in list_members(path):
        read_member(path, member.index)
    assert [found.name for found in tmp_path.rglob("*")] == ["a.zip"]
    assert not (tmp_path.parent / "b.jpg").exists()
