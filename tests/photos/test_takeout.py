"""Google Takeout: which sidecar belongs to which photo, edited copies, and times."""

import json
import unicodedata

import pytest

from npylabel.photos.takeout import edited_copies, edited_original, sidecar_key, sidecar_taken, sidecar_target

WORD = "supplemental-metadata"
LONGEST = 46  # characters of a sidecar's name before ".json"


def belongs(sidecar: str, media: str) -> bool:
    return sidecar_target(sidecar) == sidecar_key(media)


@pytest.mark.parametrize("media", ["IMG_1.jpg", "PXL_20230922_061936921.MP.jpg", "дом.HEIC", "a.b.c.png", "no suffix"])
def test_both_kinds_of_sidecar_belong_to_their_photo(media: str) -> None:
    assert belongs(f"{media}.json", media)
    assert belongs(f"{media}.{WORD}.json", media)


@pytest.mark.parametrize("length", range(len(WORD) + 1))
def test_the_word_may_be_cut_anywhere(length: int) -> None:
    assert belongs(f"IMG_1.jpg.{WORD[:length]}.json", "IMG_1.jpg")
    assert belongs(f"IMG_1.jpg.{WORD[:length]}(3).json", "IMG_1(3).jpg")


@pytest.mark.parametrize("length", range(15, 48))
def test_long_names_are_cut_as_google_cuts_them(length: int) -> None:
    media = "abcdefghij" * 5
    media = f"{media[:length]}.jpg"
    for whole in (media, f"{media}.{WORD}"):
        assert belongs(f"{whole[:LONGEST]}.json", media), whole[:LONGEST]


def test_numbered_photos_have_their_own_sidecars() -> None:
    assert belongs("IMG_1.jpg(2).json", "IMG_1(2).jpg")
    assert belongs(f"IMG_1.jpg.{WORD}(2).json", "IMG_1(2).jpg")
    assert not belongs("IMG_1.jpg(2).json", "IMG_1.jpg")
    assert not belongs("IMG_1.jpg.json", "IMG_1(2).jpg")
    assert not belongs("IMG_1.jpg(2).json", "IMG_1(3).jpg")


@pytest.mark.parametrize("sidecar", ["IMG_2.jpg.json", "IMG_1.png.json", "IMG_1.jpg.other.json", "metadata.json"])
def test_sidecars_of_others_do_not_belong(sidecar: str) -> None:
    assert not belongs(sidecar, "IMG_1.jpg")


def test_the_time_is_that_of_the_shot_in_utc() -> None:
    taken = {"photoTakenTime": {"timestamp": "1752488102"}, "creationTime": {"timestamp": "1"}}
    assert sidecar_taken(json.dumps(taken).encode()) == "2025-07-14T10:15:02"
    taken["photoTakenTime"]["timestamp"] = "-86400"
    assert sidecar_taken(json.dumps(taken).encode()) == "1969-12-31T00:00:00"


@pytest.mark.parametrize("text", [
    b"", b"[]", b"5", b"{}", b'{"photoTakenTime": 5}', b'{"photoTakenTime": {"timestamp": "soon"}}', b"\xff\xfe",
    b'{"photoTakenTime": {"timestamp": "99999999999999999"}}', b'{"photoTakenTime": {"timestamp": null}}',
])
def test_a_sidecar_without_a_time_costs_nothing(text: bytes) -> None:
    assert sidecar_taken(text) == ""


@pytest.mark.parametrize(("stem", "original"), [
    ("IMG_1-edited", "IMG_1"),
    ("IMG_1-измененный", "IMG_1"),
    ("IMG_1-изменено", "IMG_1"),
    ("IMG_1-отредактировано", "IMG_1"),
    ("IMG_1-EDITED", "IMG_1"),
    ("IMG_1-edited(2)", "IMG_1(2)"),
    ("IMG_1-измененный(12)", "IMG_1(12)"),
    (unicodedata.normalize("NFD", "дом-измененный"), unicodedata.normalize("NFD", "дом")),
    ("IMG_1", ""),
    ("edited", ""),
    ("IMG_1 edited", ""),
    ("IMG_1-edited-2", ""),
    ("IMG_1(2)", ""),
])
def test_edited_copies_tell_their_original(stem: str, original: str) -> None:
    assert edited_original(stem) == original


def test_an_edited_copy_counts_only_beside_its_original() -> None:
    sources = ["a/IMG_1.jpg", "a/IMG_1-edited.jpg", "b/IMG_1-edited.jpg", "a/IMG_2.HEIC", "a/IMG_2-edited.jpg",
               "a/IMG_3(1).jpg", "a/IMG_3-edited(1).jpg", "a/IMG_3-edited.jpg", "img_4.JPG", "IMG_4-edited.jpg"]
    assert edited_copies(sources) == {
        "a/IMG_1-edited.jpg": "a/IMG_1.jpg",
        "a/IMG_2-edited.jpg": "a/IMG_2.HEIC",
        "a/IMG_3-edited(1).jpg": "a/IMG_3(1).jpg",
        "IMG_4-edited.jpg": "img_4.JPG",
    }


def test_edited_copies_in_two_formats_are_both_copies() -> None:
    copies = edited_copies(["IMG_1.jpg", "IMG_1-edited.jpg", "IMG_1-edited.png"])
    assert sorted(copies) == ["IMG_1-edited.jpg", "IMG_1-edited.png"]
