"""The page of tiles: what a click means, and how little is sent."""

import pytest
from ipywidgets import HTML

from npylabel.ui.css import css_string
from npylabel.ui.tile_grid import DONE, GROUP, RANGE, ROW, Tile, TileGrid


def tiles(count: int, *, groups: dict[int, str] | None = None) -> list[Tile]:
    return [Tile(b"jpeg%d" % place, f"photo {place}", group=(groups or {}).get(place, "")) for place in range(count)]


@pytest.fixture
def grid() -> TileGrid:
    grid = TileGrid(rows=3, columns=4)
    grid.show(tiles(10, groups={4: "a", 5: "a", 6: "a"}))
    return grid


def click(grid: TileGrid, place: int) -> None:
    """What the front end does: the button has its new value."""
    button = grid.children[-1].children[place]
    button.value = not button.value


def test_a_click_selects_one_and_the_next_click_lets_it_go(grid: TileGrid) -> None:
    seen = []
    grid.on_change(seen.append)
    for place in (7, 2, 7):
        click(grid, place)
    assert seen == [[7], [2, 7], [2]]


def test_a_row_ends_where_the_tiles_end(grid: TileGrid) -> None:
    grid.modes.value = ROW
    click(grid, 9)
    assert grid.selected == [8, 9]
    click(grid, 5)
    click(grid, 8)
    assert grid.selected == [4, 5, 6, 7]


@pytest.mark.parametrize("ends", [(2, 6), (6, 2)])
def test_a_range_is_between_two_clicks_in_any_order(grid: TileGrid, ends: tuple[int, int]) -> None:
    grid.modes.value = RANGE
    for place in (*ends, 8):
        click(grid, place)
    # The third click begins another range.
    assert grid.selected == [2, 3, 4, 5, 6, 8]
    click(grid, 9)
    assert grid.selected == [2, 3, 4, 5, 6, 8, 9]


def test_another_mode_forgets_where_a_range_began(grid: TileGrid) -> None:
    for mode, place in ((RANGE, 0), (ROW, 4), (RANGE, 9)):
        grid.modes.value = mode
        click(grid, place)
    assert grid.selected == [0, 4, 5, 6, 7, 9]


def test_look_alikes_come_together_and_a_photo_alone_alone(grid: TileGrid) -> None:
    grid.modes.value = GROUP
    click(grid, 5)
    click(grid, 0)
    assert grid.selected == [0, 4, 5, 6]
    click(grid, 4)
    assert grid.selected == [0]


def test_all_and_none_mean_the_tiles_that_are_there(grid: TileGrid) -> None:
    seen = []
    grid.on_change(seen.append)
    grid.all_button.click()
    grid.none_button.click()
    assert seen == [list(range(10)), []]


def test_another_page_is_not_selected_and_the_program_is_no_person(grid: TileGrid) -> None:
    seen = []
    grid.on_change(seen.append)
    grid.select([1, 2])
    grid.show(tiles(3), keep_selected=True)
    assert grid.selected == [1, 2]
    grid.show(tiles(2))
    assert (grid.selected, seen) == ([], [])
    with pytest.raises(ValueError, match="13 tiles for 12 places"):
        grid.show(tiles(13))


def test_a_page_is_two_messages_and_its_captions_one(grid: TileGrid) -> None:
    """Each change of a widget is a message."""
    sent = []
    for widget in [*grid.children, *grid.children[-1].children]:
        widget.observe(lambda change: sent.append(type(change["owner"])))
    grid.show([Tile(b"other%d" % place) for place in range(12)])
    assert sent == [HTML, HTML]
    sent.clear()
    grid.show([Tile(b"other%d" % place, mark=DONE) for place in range(12)])
    assert sent == [HTML]


@pytest.mark.parametrize("text", ['</style><script>alert(1)</script>', 'a"b\\c', "line\nbreak", "я }{ ё"])
def test_no_name_breaks_the_style_sheet(text: str) -> None:
    written = css_string(text)
    assert not set('<>"{}\n') & set(written[1:-1])
    read = "".join(chr(int(part[:part.index(" ")], 16)) + part[part.index(" ") + 1:] if number else part
                   for number, part in enumerate(written[1:-1].split("\\")))
    assert read == text
