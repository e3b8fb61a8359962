"""What is written as a change of the classes: understood, or refused with the cure."""

import pytest

from npylabel.base.classes import UNKNOWN_NAME, ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import set_language
from npylabel.dataset.changes_text import ADDED, MERGED, RENAMED, TableChange, parse_changes

TABLE = ClassTable({0: "глаза", 1: "рот", 2: "дом", 5: "небо", 99: UNKNOWN_NAME}, 99, {"хата": 2, "изба": 5},
                   {3: 2, 6: 5})


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


def parse(text: str, **options: object) -> TableChange:
    return parse_changes(text, TABLE, **options)


def test_all_three_kinds() -> None:
    change = parse(" +  кот ;рот>уста; дом > небо ;; ")
    assert [(c.what, c.old, c.new, c.old_id, c.new_id) for c in change.changes] == [
        (ADDED, "", "кот", None, 4), (RENAMED, "рот", "уста", 1, 1), (MERGED, "дом", "небо", 2, 5)]
    assert change.new_ids == {2: 5}
    assert change.after == ClassTable(
        {0: "глаза", 1: "уста", 4: "кот", 5: "небо", 99: UNKNOWN_NAME}, 99,
        {"хата": 5, "изба": 5, "рот": 1, "дом": 5}, {3: 5, 6: 5, 2: 5})


def test_new_classes_get_the_lowest_ids_that_never_were() -> None:
    assert [c.new_id for c in parse("+ а; + б; + в; + г").changes] == [4, 7, 8, 9]
    assert [c.new_id for c in parse("+ а; + б", used_ids={4, 7, 9}).changes] == [8, 10]
    full = ClassTable({i: f"к{i}" for i in range(99)} | {99: UNKNOWN_NAME}, 99)
    assert parse_changes("+ кот", full).changes[0].new_id == 100


def test_an_id_that_was_merged_away_is_not_given_in_the_same_text() -> None:
    assert parse("дом > небо; + кот").changes[1].new_id == 4
    after = parse("дом > небо").after
    assert [c.new_id for c in parse_changes("+ а; + б; + в", after).changes] == [4, 7, 8]


def test_a_class_may_have_its_name_of_before_again() -> None:
    after = parse("дом > хата").after
    assert after.names[2] == "хата" and after.aliases == {"дом": 2, "изба": 5}


def test_two_classes_may_go_into_one_and_lines_separate() -> None:
    change = parse("дом > рот\nглаза > рот")
    assert change.new_ids == {2: 1, 0: 1} and change.after.aliases["глаза"] == 1


def test_capitals_and_ids_name_a_class() -> None:
    assert parse("ДОМ > РОТ").changes[0].old == "дом" and parse("ДОМ > РОТ").changes[0].new == "рот"
    assert parse("2 > 5").new_ids == {2: 5}


@pytest.mark.parametrize("text", ["+ дом", "хата > дом", "хата > дом; + небо"])
def test_what_is_so_already_is_no_change(text: str) -> None:
    assert parse(text).changes == () and parse(text).after is TABLE


def test_a_table_may_get_its_unknown_class() -> None:
    table = ClassTable({0: "дом"})
    assert parse_changes(f"+ {UNKNOWN_NAME}", table).after.unknown_id == 1


@pytest.mark.parametrize(("text", "reason"), [
    ("", "nothing"), (" ; ", "nothing"), ("дом", "neither"), ("дом > ", "one name stands"),
    ("> дом", "one name stands"),
    ("дом > а > б", "one name stands"), ("дома > небо", "did you mean 'дом'"), ("кит > а", "no class 'кит'"),
    ("дoм > а", "did you mean 'дом'"), ("дом > дом", "already"), ("дом > Дом", "capitals"), ("+", "cannot be a folder"),
    ("дом > рот; рот > дом", "more than one change: рот, дом"), ("дом > рот; рот > уста", "more than one change: рот"),
    ("дом > а; небо > а", "more than one change"), ("дом > а; дом > б", "more than one change"),
    ("дом > рот; дом > небо", "more than one change"), ("+ а; + А", "more than one change"),
    ("+ а; рот > а", "more than one change"), ("+ дом; рот > уста", "stands for the class 'дом'"),
    ("+ изба", "stands for the class 'небо'"), ("рот > изба", "'изба' is 'небо' today"),
    ("хата > сени", "'хата' is 'дом' today"), ("3 > сени", "'3' is 'дом' today"),
    ("+ 5", "stands for the class 'небо'"),
    ("+ 7", "taken for an id"), ("рот > 77", "taken for an id"), ("+ Train", "side of the split"), ("+ .х", "folder"),
    ("+ Thumbs.db", "hidden"), ("+ дoм", "mixes"), ("рот > а/б", "folder"), ("+ а+б", "could not be written"),
    (f"{UNKNOWN_NAME} > а", "unsure"), (f"дом > {UNKNOWN_NAME}", "unsure"), ("99 > дом", "unsure"),
    (f"+ {UNKNOWN_NAME}", "stands for"), (f"дом > {UNKNOWN_NAME.upper()}", "unsure"),
])
def test_what_cannot_be_done_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        parse(text)
    assert error.value.code == "bad_changes" and reason in error.value.what


def test_another_unknown_class_is_refused() -> None:
    table = ClassTable({0: "дом", 1: "прочее"}, 1)
    for text in (f"+ {UNKNOWN_NAME}", f"дом > {UNKNOWN_NAME}"):
        with pytest.raises(NpyLabelError, match="bad_changes"):
            parse_changes(text, table)
