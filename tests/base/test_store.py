"""The index: its names, its file, and how two machines' indexes become one."""

import gzip
import json
import random
import time

import pytest

from npylabel.base import store
from npylabel.base.errors import NpyLabelError
from npylabel.base.store import (
    Archive,
    Index,
    SavedFile,
    archive_name,
    decode_index,
    encode_index,
    generation_of,
    healed,
    index_name,
    index_names,
    merge,
)

ONE, TWO = "1" * 8, "2" * 8


def saved(base: Index, generation: int, session: str, **texts: str | None) -> Index:
    """The index after a push of files (None removes one)."""
    name = archive_name(generation, session, 0)
    new = {path: SavedFile(text, len(text), 1, name) for path, text in texts.items() if text is not None}
    kept = {path: file for path, file in base.files.items() if path not in texts}
    after = base.with_files({**kept, **new}, {name: Archive("sha", 9, "tables")} if new else {})
    return Index(index_name(generation, session), after.history, after.files, after.archives, after.retired,
                 after.missing)


def packed_anew(base: Index, generation: int, session: str) -> Index:
    name = archive_name(generation, session, 9)
    files = {path: file._replace(archive=name, born=file.origin) for path, file in base.files.items()}
    after = base.with_files(files, {name: Archive("sha", 9, "tables")})
    return Index(index_name(generation, session), after.history, after.files, after.archives, after.retired)


def texts(index: Index) -> dict[str, str]:
    return {path: file.sha256 for path, file in sorted(index.files.items())}


BASE = saved(Index(), 1, ONE, a="a", b="b")


def test_names_sort_by_generation_on_every_machine() -> None:
    names = [index_name(2, TWO), index_name(2, ONE), index_name(1_000_000, ONE), index_name(999_999, TWO)]
    assert index_names(dict.fromkeys([*names, archive_name(9, ONE, 1), "index-1.json"], 0)) == [
        names[2], names[3], names[0], names[1]]
    assert [generation_of(name) for name in (*names, archive_name(7, ONE, 1234), "x.tar")] == [
        2, 2, 1_000_000, 999_999, 7, -1]


def test_an_index_is_read_as_it_was_written() -> None:
    index = packed_anew(saved(BASE, 2, ONE, **{"ковёр/\udce9.png": "x"}), 3, ONE)
    index = index.present({})
    assert len(index.missing) == 3
    index = saved(index, 4, ONE, c="c")
    assert decode_index(index.name, encode_index(index)) == index


@pytest.mark.parametrize("change", [
    {"files": {"../a": ["s", 1, 1, "x"]}}, {"files": {"/a": ["s", 1, 1, "x"]}}, {"files": {"a": ["s"]}},
    {"files": {"a": ["s", 1, 1, "unknown"]}}, {"missing": {"a": ["s", 1, 1, "unknown"]}}, {"files": None},
    {"archives": 1}, {"retired": None}])
def test_a_damaged_index_is_none(change: dict) -> None:
    content = json.loads(gzip.decompress(encode_index(BASE)))
    content["archives"]["x"] = ["sha", 1, "tables"]
    good = gzip.compress(json.dumps(content).encode())
    assert decode_index("n", good)
    assert decode_index("n", gzip.compress(json.dumps(content | change).encode())) is None
    for data in (b"", good[:-4], good[:50], b"x" + good, gzip.compress(b"[]"), gzip.compress(b"{}")):
        assert decode_index("n", data) is None


def test_an_index_of_a_later_version_is_an_error() -> None:
    data = gzip.compress(b'{"format": "npylabel-saved/2"}')
    with pytest.raises(NpyLabelError) as caught:
        decode_index("n", data)
    assert caught.value.code == "saved_newer"


def test_both_sides_changes_are_kept() -> None:
    mine, theirs = saved(BASE, 2, ONE, a="mine", c="c"), saved(BASE, 2, TWO, b=None, d="d")
    for one, other in ((mine, theirs), (theirs, mine)):
        both, conflicts = merge(one, other)
        assert texts(both) == {"a": "mine", "c": "c", "d": "d"} and conflicts == []
        assert both.name == one.name and both.follows(other.name) and both.follows(BASE.name)
        assert set(both.needed()) == set(both.archives)
        assert merge(both, other)[0].files == both.files


@pytest.mark.parametrize(("mine", "theirs", "result"), [
    ("x", "y", {"a": "x", "b": "b", f"conflicts/000002-{TWO}-000/a": "y"}), ("x", "x", {"a": "x", "b": "b"}),
    ("x", None, {"a": "x", "b": "b"}), (None, "y", {"a": "y", "b": "b"}), (None, None, {"b": "b"})])
def test_one_file_on_two_machines(mine: str | None, theirs: str | None, result: dict) -> None:
    both, conflicts = merge(saved(BASE, 2, ONE, a=mine), saved(BASE, 2, TWO, a=theirs))
    assert texts(both) == result
    assert conflicts == ["a"] * (len(result) == 3)
    aside = [file for path, file in both.files.items() if path.startswith("conflicts")]
    assert [file.member for file in aside] == conflicts


def test_what_is_packed_anew_is_no_change() -> None:
    anew = packed_anew(BASE, 2, TWO)
    for mine in (saved(BASE, 2, ONE, a="x"), saved(BASE, 2, ONE, a=None), packed_anew(BASE, 2, ONE)):
        both, conflicts = merge(mine, anew)
        assert texts(both) == texts(mine) and conflicts == []
        assert BASE.needed()[0] not in both.needed() and BASE.needed()[0] in both.retired
        assert texts(merge(anew, mine)[0]) == texts(mine)


def test_machines_that_choose_differently_lose_nothing_and_agree_later() -> None:
    one, two = saved(BASE, 2, ONE, a="1"), saved(BASE, 2, TWO, a="2")
    here, there = saved(merge(one, two)[0], 3, ONE), saved(merge(two, one)[0], 3, TWO)
    both = merge(here, there)[0]
    assert set(texts(both).values()) == {"1", "2", "b"}


def test_archives_that_mine_dropped_do_not_hide_what_theirs_added() -> None:
    theirs = saved(BASE, 2, TWO, new="n")
    mine = saved(packed_anew(BASE, 2, ONE), 3, ONE, a="changed", b=None)
    sizes = dict.fromkeys([*mine.archives, archive_name(2, TWO, 0)], 9)
    assert theirs.lost_archives(sizes) == {archive_name(1, ONE, 0)}
    whole = healed(theirs, mine, sizes)
    assert not whole.lost_archives(sizes)
    assert texts(merge(mine, whole)[0]) == {"a": "changed", "new": "n"}
    assert healed(theirs, mine, dict.fromkeys(mine.archives, 9)) is None


def test_missing_files_come_back_with_their_archive() -> None:
    index = saved(BASE, 2, ONE, c="c")
    rest = index.present({archive_name(2, ONE, 0): 9})
    assert (texts(rest), sorted(rest.missing)) == ({"c": "c"}, ["a", "b"])
    later = saved(rest, 3, TWO, a="made again")
    assert sorted(later.missing) == ["b"]
    assert texts(later.present(dict.fromkeys(later.archives, 9))) == {"a": "made again", "b": "b", "c": "c"}
    rest_of_both = merge(saved(index, 3, ONE, a="changed"), rest)[0]
    assert (texts(rest_of_both)["a"], dict(rest_of_both.missing)) == ("changed", {})
    unseen = merge(saved(Index(), 9, TWO, a="theirs"), rest)[0].present(dict.fromkeys(index.archives, 9))
    assert texts(unseen) == {"c": "c", "b": "b", f"conflicts/{index.files['a'].archive[:-4]}/a": "a"}
    assert texts(merge(later, index)[0]) == {"a": "made again", "b": "b", "c": "c"}
    assert texts(merge(saved(index, 3, ONE, d="d"), rest)[0]) == {"a": "a", "b": "b", "c": "c", "d": "d"}


def test_what_is_older_than_all_history_counts_as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_HISTORY", 3)
    index = BASE
    for generation in range(2, 9):
        index = saved(index, generation, ONE, a=f"{generation}")
    assert [generation_of(name) for name in index.history] == [5, 6, 7]
    assert all(index.follows(index_name(generation, ONE)) for generation in range(1, 9))
    assert not index.follows(index_name(6, TWO)) and not index.follows("")


def test_random_machines_lose_no_content() -> None:
    """What nobody replaced having seen it, and nobody removed, is in the merged index."""
    for seed in range(100):
        dice = random.Random(seed)
        heads, written, replaced = [BASE, BASE, BASE], {"a", "b"}, set()
        for generation in range(2, 40):
            side = dice.randrange(3)
            if dice.random() < 0.3:
                heads[side] = saved(merge(heads[side], heads[dice.randrange(3)])[0], generation, str(side) * 8)
                continue
            if dice.random() < 0.2:
                heads[side] = packed_anew(heads[side], generation, str(side) * 8)
                continue
            path, text = dice.choice("abcd"), f"{seed}/{generation}"
            if path in heads[side].files:
                replaced.add(heads[side].files[path].sha256)
            written.add(text)
            heads[side] = saved(heads[side], generation, str(side) * 8, **{path: text})
        both = merge(merge(heads[0], heads[1])[0], heads[2])[0]
        assert written - replaced <= set(texts(both).values())


def test_thirty_thousand_files() -> None:
    names = [archive_name(1, ONE, number) for number in range(40)]
    files = {f"d/color/{number}.png": SavedFile(f"{number:064x}", number, number, names[number % 40])
             for number in range(30_000)}
    index = Index("n", (), files, {name: Archive("s", 9, "g") for name in names})
    started = time.perf_counter()
    data = encode_index(index)
    encoded = time.perf_counter()
    again = decode_index("n", data)
    decoded = time.perf_counter()
    both, conflicts = merge(saved(index, 2, ONE, a="1"), saved(again, 2, TWO, a="2"))
    merged = time.perf_counter()
    assert again == index and len(both.files) == 30_002 and conflicts == ["a"]
    print(f"30,000 files: {len(data)} bytes; encode {encoded - started:.2f} s, decode {decoded - encoded:.2f} s, "
          f"merge {merged - decoded:.2f} s")


TABLE, COLOR, OTHER = "tintora_dataset/manifest.csv", "tintora_dataset/color/a.png", "train_data/дом/b.png"


def in_archives(**archives: dict[str, str]) -> Index:
    files = {path: SavedFile(text, 1, 1, name) for name, texts in archives.items() for path, text in texts.items()}
    return Index("", (), files, {name: Archive("sha", 9, "") for name in archives})


LABEL, COLORED, PAGE = "tintora_dataset/labels/a.npy", "colorized/a.jpg", "colorized/before_after.html"


@pytest.mark.parametrize(("table", "missing"), [
    (TABLE, [COLOR, LABEL]), ("tintora_dataset/.photos.jsonl", [COLOR, LABEL]), ("train_data/split.csv", [OTHER]),
    ("tintora_dataset/labels.csv", [LABEL]), ("tintora_dataset/.labels.jsonl", [LABEL]),
    ("colorized/colorized.csv", [COLORED, PAGE]), ("colorized/.colorized.jsonl", [COLORED, PAGE]),
    ("tintora_dataset/verify.csv", [])])
def test_pictures_are_missing_with_the_tables_that_speak_of_them(table: str, missing: list[str]) -> None:
    whole = in_archives(a={COLOR: "x", OTHER: "y", LABEL: "z", COLORED: "c", PAGE: "p"}, b={table: "t"})
    without = whole.present({"a": 9})
    assert sorted(without.missing) == sorted([*missing, table])
    assert {*without.files, *without.missing} == {*whole.files}
    # The pictures are there all the time, but come back with the table only.
    assert without.present({"a": 9}) is without
    assert dict(without.present({"a": 9, "b": 9}).files) == dict(whole.files)


def test_tables_stay_without_their_pictures() -> None:
    whole = in_archives(a={COLOR: "x"}, b={TABLE: "t"}, c={"models/m.per_class.csv": "p", "models/m.pth": "m"})
    assert sorted(whole.present({"b": 9, "c": 9}).files) == ["models/m.per_class.csv", "models/m.pth", TABLE]
