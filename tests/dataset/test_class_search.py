"""Finding a class while its name is typed."""

import pytest

from npylabel.base.classes import ClassTable
from npylabel.dataset.class_search import find_classes
from tests.dataset.class_kit import ID_OF, TABLE

SMALL = ClassTable(
    {3: "ёлка", 4: "лента", 5: "новогодняя_ёлка", 7: "щёлка", 12: "елань", 120: "вилка", 99: "неопределённый_объект"},
    unknown_id=99, aliases={"сосна": 3, "ель": 12}, retired={8: 120})


def found(text: str, *recents: str, limit: int = 8) -> list[str]:
    return [SMALL.names[class_id] for class_id in find_classes(SMALL, text, recents, limit)]


@pytest.mark.parametrize(("text", "names"), [
    ("ёл", ["ёлка", "елань", "новогодняя_ёлка", "щёлка", "неопределённый_объект"]),
    ("ЕЛ", ["ёлка", "елань", "новогодняя_ёлка", "щёлка", "неопределённый_объект"]),
    ("елка", ["ёлка", "новогодняя_ёлка", "щёлка"]),
    ("е\u0308лка", ["ёлка", "новогодняя_ёлка", "щёлка"]),
    ("объ", ["неопределённый_объект"]),
    ("новогодняя ёл", ["новогодняя_ёлка"]),
    ("сос", ["ёлка"]),
    ("12", ["елань"]), ("120", ["вилка"]), ("8", ["вилка"]), ("1", []),
    ("  лент ", ["лента"]),
    ("dbkrf", ["вилка"]), ("DBKRF", ["вилка"]), ("`krf", ["ёлка", "новогодняя_ёлка", "щёлка"]),
    ("вилкаа", ["вилка"]), ("лннта", ["лента"]),
    ("zzzz", []), ("?", []),
])
def test_the_best_match_comes_first(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_nothing_typed_gives_the_recent_classes() -> None:
    assert found("", "вилка", "сосна", "gone", "ёлка") == ["вилка", "ёлка"]
    assert found("  ", *SMALL.names.values(), limit=2) == ["ёлка", "лента"] and found("") == []


def test_among_equals_the_class_that_was_used_last_comes_first() -> None:
    assert found("л") == ["лента", "ёлка", "новогодняя_ёлка", "щёлка", "елань", "неопределённый_объект", "вилка"]
    assert found("л", "щёлка", "вилка")[:3] == ["лента", "щёлка", "вилка"]
    assert found("л", "щёлка", limit=2) == ["лента", "щёлка"]


def test_every_class_of_the_real_table_is_found_by_name_id_and_wrong_layout() -> None:
    to_keys = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`")
    for name, class_id in ID_OF.items():
        assert find_classes(TABLE, name)[0] == find_classes(TABLE, str(class_id))[0] == class_id
        assert find_classes(TABLE, name.translate(to_keys))[0] == class_id
