"""A cell that is run again has one board: the one before is closed, and nothing that was decided on it is lost."""

from pathlib import Path

import pytest
from ipywidgets import Tab, VBox

import npylabel_core as core
from npylabel.base.saver import Saving
from npylabel.dataset.desk import Desk
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board import Board
from npylabel.ui.board_cells import one_board
from npylabel.ui.class_picker import ClassPicker
from tests.base.courier_kit import Machine
from tests.dataset.class_kit import TABLE
from tests.dataset.desk_kit import open_desk, row, write_dataset


def open_again(root: Path) -> Board:
    """Run the cell."""
    return core.sort_photos(work_dir=str(root / "work"), save_dir=str(root / "drive"), language="en")


def skip(board: Board, place: int) -> None:
    """Decide about one photo."""
    board.grid.select([place])
    board.buttons["skip"].click()


def test_the_board_before_carries_on_what_was_decided_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    write_dataset(tmp_path / "work", [row("a"), row("b")])
    (tmp_path / "drive").mkdir()
    first = open_again(tmp_path)
    skip(first, 0)
    saving, thread = first._saving, first._saving._thread
    assert thread.is_alive() and saving.state is not Saving.SAVED
    second = open_again(tmp_path)
    assert not thread.is_alive() and saving.state is Saving.SAVED
    elsewhere = Machine(tmp_path / "elsewhere", tmp_path / "drive")
    elsewhere.pull()
    assert any('"skip"' in text for name, text in elsewhere.read().items() if name.startswith("decisions/"))
    assert [photo.name for photo in second.pages.photos] == ["b"]
    skip(second, 0)
    assert second.desk.progress().skipped == 2
    second.finish()


def test_all_that_a_board_is_made_of_is_closed(tmp_path: Path) -> None:
    @one_board
    def cell(names: str) -> Tab:
        return Tab([VBox([Board(open_desk(tmp_path, names), Thumbnails(None), rows=2, columns=2)])])

    first = cell(names="ab")
    board = first.children[0].children[0]
    second = cell(names="ab")
    parts = [first, board, board.grid, board.grid.children[-1].children[3], board.layout, board.buttons["undo"],
             board.buttons["undo"].style, board.which, board.picker.text]
    assert [part.comm for part in parts] == [None] * len(parts)
    assert second.comm and second.children[0].children[0].buttons["undo"].comm


def test_a_suggestion_that_is_not_shown_is_closed_too() -> None:
    picker = ClassPicker(TABLE.names, lambda text: [*TABLE.names][:2] if text else [*TABLE.names][2:4])
    hidden = picker.buttons
    picker.text.value = "a"
    assert hidden[0] not in picker.buttons

    @one_board
    def cell() -> ClassPicker:
        return picker

    cell()
    cell()
    assert hidden[0].comm is None


def test_a_cell_that_shows_no_board_closes_the_one_before(tmp_path: Path) -> None:
    boards = [Board(open_desk(tmp_path, "a"), Thumbnails(None), rows=1, columns=1), "nothing to do", None]

    @one_board
    def cell() -> object:
        """Doc."""
        return boards.pop(0)

    first = cell()
    assert (cell(), first.comm, cell(), cell.__name__) == ("nothing to do", None, None, "cell")
    assert isinstance(first.desk, Desk)
