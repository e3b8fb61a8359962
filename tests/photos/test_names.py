"""Output names: safe everywhere, unique even where case does not count, and the same in every run."""

import random
import unicodedata

import pytest

from npylabel.photos.names import NamePool, safe_stem

ALPHABET = "abwABWbwё ЁйЙß._-~#%&'()[]{}+,;=!@$^`:*?\"<>|\\/\t\n\0\u0301\u200b📷日本"
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}
FORBIDDEN = set('<>:"/\\|?*%#\'') | {chr(code) for code in range(32)}


def flood(random_seed: int, count: int = 2000) -> list[str]:
    """Stems as no phone would give them, many of them alike."""
    rng = random.Random(random_seed)
    stems = ["".join(rng.choices(ALPHABET, k=rng.randrange(0, 7))) for _ in range(count - 60)]
    stems += rng.choices(["con", "NUL", "Com1", "lpt9", "aux ", "...", "-rf", "bwbw", "BW", "IMG", "img"], k=50)
    stems += ["я" * rng.randrange(50, 300) for _ in range(10)]
    rng.shuffle(stems)
    return stems


def assert_safe(name: str) -> None:
    assert name and name == name.strip(" ._") + name[len(name.rstrip("._")):], repr(name)
    assert not FORBIDDEN & set(name) and "." not in name and "bw" not in name, repr(name)
    assert name.casefold() not in RESERVED and name[0] not in "- _" and name[-1] != " ", repr(name)
    assert unicodedata.is_normalized("NFC", name) and len(name.encode()) <= 130, repr(name)


@pytest.mark.parametrize("random_seed", [1, 2])
def test_a_flood_of_names_is_safe_and_unique(random_seed: int) -> None:
    pool = NamePool([])
    names = [pool.give(stem) for stem in flood(random_seed)]
    for name in names:
        assert_safe(name)
    assert len({name.casefold() for name in names}) == 2000


def test_the_same_flood_gives_the_same_names() -> None:
    first, second = NamePool([]), NamePool([])
    assert [first.give(stem) for stem in flood(3)] == [second.give(stem) for stem in flood(3)]


@pytest.mark.parametrize(("stem", "name"), [
    ("IMG_2031", "IMG_2031"),
    ("Дом у моря (2)", "Дом у моря (2)"),
    (unicodedata.normalize("NFD", "ковёр"), "ковёр"),
    ("a.jpg", "a_jpg"),
    ("bw", "b-w"),
    ("abwbw", "ab-wb-w"),
    ("BW", "BW"),
    ("  x  ", "x"),
    ("CON", "photo_CON"),
    ("", "photo"),
    ("...", "photo"),
    ("-rf", "photo_-rf"),
    ("../../etc/passwd", "etc_passwd"),
    ("a\nb", "a_b"),
    ("caf\udce9", "caf"),
])
def test_a_stem_stays_as_readable_as_it_can(stem: str, name: str) -> None:
    assert safe_stem(stem) == name


def test_a_safe_name_is_left_alone() -> None:
    for stem in flood(4, 300):
        assert safe_stem(safe_stem(stem)) == safe_stem(stem)


def test_names_that_are_taken_are_numbered() -> None:
    pool = NamePool(["IMG", "img_2"])
    assert [pool.give(stem) for stem in ("img", "IMG", "Img", "other", "IMG_3")] == [
        "img_3", "IMG_4", "Img_5", "other", "IMG_3_2"]


def test_folders_have_names_of_their_own() -> None:
    pool = NamePool(["дом/a"])
    assert [pool.give("a", "дом"), pool.give("a", "лес"), pool.give("A", "дом"), pool.give("a")] == [
        "дом/a_2", "лес/a", "дом/A_3", "a"]
