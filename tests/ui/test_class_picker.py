"""Choosing a class by a few letters: what each state that the front end may send means."""

from collections.abc import Sequence

import pytest

from npylabel.ui.class_picker import ClassPicker

NAMES = {3: "вилка", 7: "виноград", 8: "дом", 12: "ёлка"}


def find(text: str) -> Sequence[int]:
    return [8, 3] if not text else [class_id for class_id, name in NAMES.items() if name.startswith(text)]


@pytest.fixture
def picker() -> ClassPicker:
    picker = ClassPicker(NAMES, find, limit=3)
    picker.picked = []
    picker.on_pick(picker.picked.append)
    return picker


def type_states(picker: ClassPicker, *states: str) -> None:
    """The states of the field as they arrive: each key, or several at once from a busy front end."""
    for state in states:
        picker.text.value = state


def shown(picker: ClassPicker) -> list[str]:
    return [button.description for button in picker.children[-1].children if button is not picker.hint]


def test_suggestions_follow_the_letters(picker: ClassPicker) -> None:
    assert shown(picker) == ["дом", "вилка"]
    type_states(picker, "в", "ви")
    assert shown(picker) == ["вилка", "виноград"]
    assert picker.picked == []


def test_enter_takes_the_first_and_empties_the_field(picker: ClassPicker) -> None:
    type_states(picker, "в", "ви", "ви\n")
    assert (picker.picked, picker.text.value, shown(picker)) == ([3], "", ["дом", "вилка"])
    type_states(picker, "\n")
    assert picker.picked == [3, 8]


def test_letters_that_arrive_with_enter_count(picker: ClassPicker) -> None:
    """A busy front end sends one state for several keys: what was typed before Enter is what is taken."""
    type_states(picker, "в", "вин\n")
    assert picker.picked == [7]


def test_what_is_typed_after_enter_is_kept_and_enter_not_taken_twice(picker: ClassPicker) -> None:
    type_states(picker, "вил\n", "вил\nд", "вил\nдо\n")
    assert picker.picked == [3, 8]
    type_states(picker, "вил\nви")
    assert (picker.picked, picker.text.value) == ([3, 8, 3], "ви")


def test_the_same_class_can_be_typed_again(picker: ClassPicker) -> None:
    type_states(picker, "вил\n", "вил\n")
    assert picker.picked == [3, 3]


def test_a_text_that_means_nothing_stays_to_be_mended(picker: ClassPicker) -> None:
    type_states(picker, "виклa\n")
    assert (picker.picked, picker.text.value) == ([], "виклa")
    assert picker.hint in picker.children[-1].children
    type_states(picker, "ви")
    assert picker.hint not in picker.children[-1].children


def test_a_click_means_the_class_that_was_seen(picker: ClassPicker) -> None:
    """Also one that arrives when other suggestions are shown already."""
    type_states(picker, "ви")
    fork, grapes = picker.buttons
    type_states(picker, "вин")
    fork.click()
    assert (picker.picked, picker.text.value) == ([3], "")
    grapes.click()
    assert picker.picked == [3, 7]


def test_recent_classes_keep_their_places(picker: ClassPicker) -> None:
    recents = [8, 3]
    picker._find = lambda text: recents if not text else find(text)
    picker.refresh()
    recents[:] = [3, 8]
    picker.refresh()
    assert picker.offered == [8, 3]
    recents[:] = [12, 3, 8]
    picker.refresh()
    assert picker.offered == [8, 3, 12]
    # A fourth one takes the place of the one that was used longest ago.
    recents[:] = [7, 12, 3, 8]
    picker.refresh()
    type_states(picker, "в", "")
    assert picker.offered == [7, 3, 12]
