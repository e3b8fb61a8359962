"""Class tables: what is read from the file, and what each mistake in it is called."""

import errno
import json
import os
import unicodedata
from pathlib import Path

import pytest

from npylabel.base import disks, places
from npylabel.base.classes import (
    UNKNOWN_NAME,
    ClassTable,
    change_mark,
    classes_text,
    load_classes,
    mixes_alphabets,
    read_classes,
    read_other_fields,
)
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import project_dir

NFD_KOVER = unicodedata.normalize("NFD", "ковёр")


def load(folder: Path, text: str | bytes) -> ClassTable:
    path = folder / "classes.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return load_classes(path)


def error_of(folder: Path, text: str | bytes) -> NpyLabelError:
    with pytest.raises(NpyLabelError) as caught:
        load(folder, text)
    assert str(folder / "classes.json") in caught.value.what
    return caught.value


def long_form(*names: str) -> str:
    return json.dumps({str(i): {"name": name, "id": i} for i, name in enumerate(names)}, ensure_ascii=False)


def test_the_projects_own_table_has_a_hundred_classes() -> None:
    table = load_classes(project_dir() / "classes.json")
    assert table.ids == tuple(range(100))
    assert (table.names[0], table.names[12], table.names[99]) == ("глаза", "дом", "неопределённый_объект")
    assert table.unknown_id == 99


def test_both_forms_give_the_same_table(tmp_path: Path) -> None:
    long = load(tmp_path, '{"0": {"name": "глаза", "id": 0}, "5": {"name": "неопределённый_объект", "id": 5}}')
    short = load(tmp_path, '{"глаза": 0, "неопределённый_объект": 5}')
    assert long == short
    assert long.names == {0: "глаза", 5: UNKNOWN_NAME} and long.unknown_id == 5


def test_a_signature_at_the_beginning_is_passed_over(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + '{"глаза": 3}').names == {3: "глаза"}


def test_names_are_read_in_form_c(tmp_path: Path) -> None:
    table = load(tmp_path, long_form(NFD_KOVER))
    assert table.names[0] == "ковёр"
    assert table.find(NFD_KOVER) == 0


def test_ids_may_have_gaps_and_any_order_in_the_file(tmp_path: Path) -> None:
    table = load(tmp_path, '{"рыба": 1003, "глаза": 7, "дом": 40}')
    assert table.ids == (7, 40, 1003)
    assert table.unknown_id is None
    assert table.find("1003") == 1003 and table.find("8") is None


def test_bad_json_is_shown_with_line_and_column(tmp_path: Path) -> None:
    error = error_of(tmp_path, '{\n  "0": {"name": "глаза", "id": 0},\n  "1": oops\n}')
    assert error.code == "classes_json"
    assert "line 3, column 8" in error.what


@pytest.mark.parametrize("text", ["", "[1, 2]", "5", '"глаза"', "null", b"\xe3\xeb\xe0\xe7\xe0", b"\xff\xfe{\0}\0"])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str | bytes) -> None:
    assert error_of(tmp_path, text).code == "classes_json"


@pytest.mark.parametrize(("text", "named"), [
    ('{"глаза": 4, "рот": 4}', "4"),
    (long_form("дом", "рот", "дом"), "дом"),
    (long_form("ковёр", NFD_KOVER), "ковёр"),
    (long_form("Дом", "дом"), "дом"),
    ('{"глаза": 0, "глаза": 1}', "глаза"),
    ('{"0": {"name": "глаза", "id": 0}, "0": {"name": "рот", "id": 0}}', "0"),
    ('{"0": {"name": "а", "id": 0, "unknown": true}, "1": {"name": "неопределённый_объект", "id": 1}}', "unknown"),
])
def test_what_stands_twice_is_refused(tmp_path: Path, text: str, named: str) -> None:
    error = error_of(tmp_path, text)
    assert error.code == "classes_double"
    assert named in error.what.removeprefix(str(tmp_path))


@pytest.mark.parametrize("text", [
    '{"0": {"name": "глаза", "id": 1}}',
    '{"00": {"name": "глаза", "id": 0}}',
    '{"0": {"name": "глаза", "id": "0"}}',
    '{"0": {"name": "глаза"}}',
    '{"0": {"id": 0}}',
    '{"0": {"name": 5, "id": 0}}',
    '{"0": {}}',
    '{"0": []}',
    '{"0": [1, 2]}',
    '{"глаза": -1}',
    '{"глаза": true}',
    '{"глаза": "0"}',
    '{"глаза": 1.0}',
    '{"глаза": null}',
    '{"": 0}',
    '{" дом": 0}',
    '{"дом/двор": 0}',
    '{"..": 0}',
    '{"дом\\n": 0}',
])
def test_wrong_entries_are_refused(tmp_path: Path, text: str) -> None:
    assert error_of(tmp_path, text).code == "classes_entry"


def test_a_name_in_two_alphabets_is_refused(tmp_path: Path) -> None:
    latin_a = "глaза"
    error = error_of(tmp_path, long_form("дом", latin_a))
    assert error.code == "classes_alphabets"
    assert repr(latin_a) in error.what


def test_names_of_one_alphabet_with_digits_are_taken(tmp_path: Path) -> None:
    table = load(tmp_path, long_form("дом_2", "tree 3", "звёзды"))
    assert list(table.names.values()) == ["дом_2", "tree 3", "звёзды"]
    assert mixes_alphabets("дom") and not mixes_alphabets("tree_3")


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    assert error_of(tmp_path, "{}").code == "classes_empty"


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        load_classes(tmp_path / "no.json")
    assert caught.value.code == "classes_missing"
    assert str(tmp_path / "no.json") in caught.value.what


def test_a_folder_in_place_of_the_table_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        load_classes(tmp_path)
    assert caught.value.code == "classes_json"


def test_the_unknown_class_may_have_any_name(tmp_path: Path) -> None:
    table = load(tmp_path, '{"3": {"name": "прочее", "id": 3, "unknown": true}, "4": {"name": "дом", "id": 4}}')
    assert table.unknown_id == 3
    marked_false = load(tmp_path, '{"3": {"name": "прочее", "id": 3, "unknown": false}}')
    assert marked_false.unknown_id is None


def test_the_checksum_is_that_of_the_content_alone(tmp_path: Path) -> None:
    base = load(tmp_path, '{"0": {"name": "глаза", "id": 0}, "1": {"name": "рот", "id": 1}}')
    spaced = load(tmp_path, '\ufeff{\n\n "1": {"id": 1, "name": "рот"},\n "0": {"id": 0, "name": "глаза"}}\n')
    short = load(tmp_path, '{"рот": 1, "глаза": 0}')
    assert base.sha256 == spaced.sha256 == short.sha256
    assert len(base.sha256) == 64


def test_the_checksum_sees_every_difference(tmp_path: Path) -> None:
    tables = [
        load(tmp_path, '{"глаза": 0, "рот": 1}'),
        load(tmp_path, '{"глаза": 1, "рот": 0}'),
        load(tmp_path, '{"глаза": 0, "нос": 1}'),
        load(tmp_path, '{"глаза": 0}'),
        load(tmp_path, '{"0": {"name": "глаза", "id": 0, "unknown": true}, "1": {"name": "рот", "id": 1}}'),
    ]
    assert len({table.sha256 for table in tables}) == len(tables)


def test_a_table_travels_through_json(tmp_path: Path) -> None:
    table = load(tmp_path, '{"рыба": 1003, "неопределённый_объект": 7}')
    again = ClassTable.from_json(json.loads(json.dumps(table.to_json())))
    assert again == table and again.sha256 == table.sha256


def test_the_difference_shows_ids_and_both_names() -> None:
    ours, theirs = ClassTable({0: "глаза", 1: "рот", 2: "дом"}), ClassTable({0: "глаза", 1: "нос", 3: "лес"}, 3)
    assert ours.difference(theirs) == "1: рот / нос; 2: дом / -; 3: - / лес; unknown: None / 3"
    assert ours.difference(ClassTable({0: "глаза", 1: "рот", 2: "дом"})) == ""


def test_a_long_difference_is_cut() -> None:
    ours, theirs = ClassTable({i: f"а{i}" for i in range(9)}), ClassTable({i: f"б{i}" for i in range(9)})
    text = ours.difference(theirs)
    assert text.count("/") == 5 and text.endswith("4: а4 / б4 ...")


@pytest.mark.parametrize(("folder", "class_id"), [
    ("дом", 12), ("ДОМ", 12), (" дом ", 12), ("12", 12), ("012", 12), ("домик", None), ("", None), ("100", None),
    ("-1", None), ("1.0", None), ("١٢", None), ("1²", None),
])
def test_a_folders_name_is_a_class_name_or_an_id(folder: str, class_id: int | None) -> None:
    assert load_classes(project_dir() / "classes.json").find(folder) == class_id


# Other names of a class, and ids that are not given out any more

WITH_ALIASES = ('{"4": {"name": "здание", "id": 4, "aliases": ["дом", "КОВЁР"], "replaces": [7, 2]}, '
                '"9": {"name": "прочее", "id": 9, "unknown": true}}')


@pytest.mark.parametrize(("folder", "class_id"), [
    ("здание", 4), ("дом", 4), ("ДОМ", 4), (NFD_KOVER, 4), ("4", 4), ("7", 4), ("2", 4), ("прочее", 9), ("1", None),
])
def test_a_class_is_found_by_its_other_names_and_ids(tmp_path: Path, folder: str, class_id: int | None) -> None:
    assert load(tmp_path, WITH_ALIASES).find(folder) == class_id


def test_digits_are_no_name(tmp_path: Path) -> None:
    table = load(tmp_path, WITH_ALIASES)
    assert [table.find_name(name) for name in ("4", "7", "дом", "здание")] == [None, None, 4, 4]
    assert [table.id_now(class_id) for class_id in (4, 7, 9, 8)] == [4, 4, 9, None]


def test_an_almost_right_alias_suggests_the_name_of_today(tmp_path: Path) -> None:
    table = load(tmp_path, WITH_ALIASES)
    assert table.suggestion("домм") == "здание" and table.suggestion("ковер") == "здание"


def test_other_names_are_no_part_of_the_checksum(tmp_path: Path) -> None:
    plain = load(tmp_path, '{"4": {"name": "здание", "id": 4}, "9": {"name": "прочее", "id": 9, "unknown": true}}')
    table = load(tmp_path, WITH_ALIASES)
    assert table.sha256 == plain.sha256 and table.to_json() == plain.to_json() and table != plain


@pytest.mark.parametrize(("aliases", "replaces", "code"), [
    ('["рот"]', "[]", "classes_double"), ('["РОТ"]', "[]", "classes_double"), ('["дом"]', "[]", "classes_double"),
    ('["а", "а"]', "[]", "classes_double"), ('["дoм"]', "[]", "classes_alphabets"), ('["a/b"]', "[]", "classes_entry"),
    ('[5]', "[]", "classes_entry"), ('"нос"', "[]", "classes_entry"), ('{"нос": 1}', "[]", "classes_entry"),
    ("[]", "[1]", "classes_double"), ("[]", "[3, 3]", "classes_double"), ("[]", "[-1]", "classes_entry"),
    ("[]", "[true]", "classes_entry"), ("[]", '["3"]', "classes_entry"), ("[]", "3", "classes_entry"),
])
def test_wrong_aliases_are_refused(tmp_path: Path, aliases: str, replaces: str, code: str) -> None:
    text = '{"0": {"name": "дом", "id": 0, "aliases": %s, "replaces": %s}, "1": {"name": "рот", "id": 1}}'
    assert error_of(tmp_path, text % (aliases, replaces)).code == code


def test_an_alias_of_two_classes_is_refused(tmp_path: Path) -> None:
    first = '{"0": {"name": "дом", "id": 0, "aliases": ["ковёр"]}, '
    second = '"1": {"name": "рот", "id": 1, "aliases": ["NFD"]}}'
    assert error_of(tmp_path, first + second.replace("NFD", NFD_KOVER)).code == "classes_double"


@pytest.mark.parametrize("text", [WITH_ALIASES, '{"рот": 7, "неопределённый_объект": 3}', long_form("дом", "рот")])
def test_what_is_written_is_read_back(tmp_path: Path, text: str) -> None:
    table = load(tmp_path, text)
    (tmp_path / "again.json").write_text(classes_text(table), encoding="utf-8")
    again = load_classes(tmp_path / "again.json")
    assert again == table and again.sha256 == table.sha256
    assert classes_text(again) == (tmp_path / "again.json").read_text("utf-8") == classes_text(table)


def test_the_projects_table_is_written_as_it_stands_there() -> None:
    path = project_dir() / "classes.json"
    assert classes_text(load_classes(path)) == path.read_text("utf-8")


def test_fields_of_a_persons_own_are_written_again(tmp_path: Path) -> None:
    table = load(tmp_path, '{"4": {"name": "дом", "id": 4, "color": [1, {"a": 2}], "aliases": ["хата"]}}')
    others = read_other_fields(tmp_path / "classes.json")
    assert others == {4: {"color": [1, {"a": 2}]}}
    assert json.loads(classes_text(table, others)) == {
        "4": {"name": "дом", "id": 4, "aliases": ["хата"], "color": [1, {"a": 2}]}}


def test_a_half_changed_table_is_refused_in_words(tmp_path: Path) -> None:
    load(tmp_path, '{"дом": 4}')
    change_mark(tmp_path / "classes.json").write_text("{}")
    with pytest.raises(NpyLabelError) as error:
        load_classes(tmp_path / "classes.json")
    assert error.value.code == "classes_changing" and "--action classes --confirm" in error.value.fix
    assert read_classes(tmp_path / "classes.json").names == {4: "дом"}


def test_a_table_on_a_bad_drive_is_read_patiently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "DRIVE", tmp_path)
    disks.is_slow_folder.cache_clear()
    path = tmp_path / "classes.json"
    path.write_text('{"дом": 0}', encoding="utf-8")
    left, stat = {change_mark(path): 3}, Path.stat

    def faulty(file: Path, **options: object) -> os.stat_result:
        if left.get(file, 0):
            left[file] -= 1
            raise OSError(errno.EIO, "Input/output error")
        return stat(file, **options)

    monkeypatch.setattr(Path, "stat", faulty)
    assert load_classes(path).names == {0: "дом"}
    assert left == {change_mark(path): 0}
    disks.is_slow_folder.cache_clear()
