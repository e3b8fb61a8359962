"""The sorting board without a browser: what its widgets do ends in the journal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset.decisions import Decision, photo_states, read_decisions
from npylabel.dataset.desk import Guess
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board import Board
from npylabel.ui.board_exchange import exchange_row, uploaded
from npylabel.ui.tile_grid import DONE, OUT, SKIPPED
from tests.dataset.class_kit import TABLE
from tests.dataset.desk_kit import decided, open_desk, row, write_dataset

FIRST, SECOND = list(TABLE.names.values())[:2]
UNKNOWN = TABLE.names[TABLE.unknown_id]


def open_board(root: Path, names: str = "abcdefgh", **options: object) -> Board:
    """Pages of four."""
    return Board(open_desk(root, names, **options), Thumbnails(None), rows=2, columns=2)


def select(board: Board, *places: int) -> None:
    for place in places:
        button = board.grid.children[-1].children[place]
        button.value = not button.value


def press(board: Board, name: str) -> None:
    board.buttons[name].click()


def journal(root: Path) -> list[Decision]:
    return read_decisions(root / "decisions")


def captions(board: Board) -> list[str]:
    return [tile.caption for tile in board.grid.tiles]


def marks(board: Board) -> list[str]:
    return [tile.mark for tile in board.grid.tiles]


def test_selected_photos_get_the_class_that_is_typed(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    select(board, 0, 2)
    board.picker.text.value = f"{FIRST}\n"
    assert [(line.name, line.class_name, line.source) for line in journal(tmp_path)] == [
        ("a", FIRST, "board"), ("c", FIRST, "board")]
    assert (captions(board), marks(board)) == ([f"✓ {FIRST}", "", f"✓ {FIRST}", ""], [DONE, "", DONE, ""])
    assert board.grid.selected == []
    assert board.here.value.split("</span>")[0].endswith(": 2")


def test_nothing_selected_decides_nothing_and_says_so(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    board.picker.text.value = f"{FIRST}\n"
    for name in ("skip", "unknown", "reject", "clear"):
        press(board, name)
    assert journal(tmp_path) == []
    assert "select" in board.said.value


@pytest.mark.parametrize(("button", "wanted", "mark"), [
    ("skip", {"b": "skip"}, SKIPPED), ("unknown", {"b": UNKNOWN}, DONE), ("reject", {"b": "-"}, OUT)])
def test_buttons_decide_about_what_is_selected(
    tmp_path: Path, button: str, wanted: dict[str, str], mark: str
) -> None:
    board = open_board(tmp_path)
    select(board, 1)
    press(board, button)
    assert decided(board.desk) == wanted
    assert marks(board) == ["", mark, "", ""]
    select(board, 1)
    press(board, "clear" if button != "reject" else "reject")
    assert decided(board.desk) == {}


def test_photos_keep_their_places_until_the_page_is_done(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    select(board, 0, 1, 3)
    press(board, "skip")
    assert [photo.name for photo in board.pages.photos] == list("abcd")
    select(board, 2)
    press(board, "reject")
    assert [photo.name for photo in board.pages.photos] == list("efgh")
    # What was passed over comes when the last page is done.
    press(board, "undo")
    assert [photo.name for photo in board.pages.photos] == list("abcd")
    press(board, "next")
    select(board, 0, 1, 2, 3)
    press(board, "skip")
    assert [photo.name for photo in board.pages.photos] == list("abcd")
    select(board, 2)
    press(board, "skip")
    assert board.pages.photos == []


def test_undo_and_redo_show_the_photos_that_they_change(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    select(board, 0)
    press(board, "skip")
    press(board, "next")
    press(board, "undo")
    assert (board.pages.number, marks(board), board.buttons["undo"].disabled) == (0, ["", "", "", ""], True)
    press(board, "redo")
    assert (marks(board), board.buttons["redo"].disabled) == ([SKIPPED, "", "", ""], True)


def test_guesses_are_accepted_for_the_page_or_for_what_is_selected(tmp_path: Path) -> None:
    guesses = {name: Guess(FIRST, 0.9) for name in "abc"} | {"d": Guess(SECOND, 0.4)}
    board = open_board(tmp_path, guesses=guesses)
    assert captions(board) == [f"{FIRST} 90%"] * 3 + [f"{SECOND} 40%"]
    select(board, 3)
    assert board.buttons["accept"].description.endswith(": 1")
    board.picker.text.value = f"{FIRST}\n"
    assert board.buttons["accept"].description.endswith(": 3")
    press(board, "accept")
    assert decided(board.desk) == dict.fromkeys("abcd", f"{FIRST}*")
    assert board.buttons["accept"].disabled


def test_look_alikes_say_how_many_they_are(tmp_path: Path) -> None:
    write_dataset(tmp_path, [row("a"), row("b", group="b"), row("c", group="b"), row("d")])
    board = open_board(tmp_path)
    assert [(tile.group, tile.badge) for tile in board.grid.tiles] == [("", ""), ("b", "≈ 2"), ("b", ""), ("", "")]


def test_filters_show_what_is_decided(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    select(board, 0, 1)
    board.picker.text.value = f"{FIRST}\n"
    select(board, 2)
    board.picker.text.value = f"{SECOND}\n"
    board.which.value = "decided"
    assert len(board.pages.photos) == 3
    board.class_filter.value = SECOND
    assert [photo.name for photo in board.pages.photos] == ["c"]
    # A decision in another view does not turn the page.
    select(board, 0)
    press(board, "clear")
    assert [photo.name for photo in board.pages.photos] == ["c"]


def test_a_disk_that_is_full_is_said_and_nothing_is_shown_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = open_board(tmp_path)

    def full(_decisions: Sequence[Decision]) -> list[Decision]:
        raise NpyLabelError("disk_full", "No room.", "Make room.")

    monkeypatch.setattr(board.desk, "decide_each", full)
    select(board, 0)
    press(board, "skip")
    assert (marks(board), board.grid.selected) == (["", "", "", ""], [0])
    assert "No room." in board.said.value
    assert board.here.value.split("</span>")[0].endswith("saved here")


def test_another_board_goes_on_with_what_is_left(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    select(board, 0, 1)
    board.picker.text.value = f"{FIRST}\n"
    again = open_board(tmp_path)
    assert [photo.name for photo in again.pages.photos] == list("cdef")
    press(again, "undo")
    assert decided(again.desk) == {}
    assert {state.class_name for state in photo_states(journal(tmp_path)).values()} <= {""}


def test_a_name_with_markup_is_only_a_name(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    board.say("<b>x</b>")
    assert "<b>" not in board.said.value


def test_a_page_goes_out_and_a_filled_table_comes_back(tmp_path: Path) -> None:
    board = open_board(tmp_path)
    send, take = exchange_row(board, tmp_path / "pages").children
    select(board, 1, 2)
    send.click()
    table = next((tmp_path / "pages").glob("*.csv"))
    lines = table.read_text("utf-8-sig").splitlines()
    assert [line.split(lines[0][4])[0] for line in lines[1:]] == ["b", "c"]
    filled = "\n".join([lines[0], lines[1].replace("b" + lines[0][4], f"b{lines[0][4]}{FIRST}", 1), lines[2]])
    content, now = filled.encode(), datetime.now(UTC)
    old = {"t.csv": {"metadata": {}, "content": content}}
    new = ({"name": "t.csv", "type": "text/csv", "size": 1, "content": memoryview(content), "last_modified": now},)
    # In ipywidgets 7 the value is the front end's alone.
    take.set_trait("value", old if isinstance(take.value, dict) else new)
    assert [(line.name, line.source) for line in journal(tmp_path)] == [("b", "import")]
    assert captions(board)[1] == f"✓ {FIRST}"


def test_uploads_of_both_versions_are_read() -> None:
    assert uploaded({"a.csv": {"content": b"1"}}) == uploaded(({"content": memoryview(b"1")},)) == [b"1"]


def test_the_pictures_of_the_next_page_are_made_meanwhile(tmp_path: Path) -> None:
    asked = []

    class Slow(Thumbnails):
        def page(self, paths: Sequence[Path]) -> list[bytes]:
            asked.append([path.stem for path in paths])
            return super().page(paths)

    board = Board(open_desk(tmp_path, "abcdefgh"), Slow(tmp_path / "cache"), rows=2, columns=2)
    board._made.making.join()
    assert asked == [list("abcd"), list("efgh")]
    press(board, "next")
    assert asked == [list("abcd"), list("efgh"), list("efgh")]
