"""A person sorts 200 photos in a real browser, and the kernel dies in the middle."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from npylabel.dataset.decisions import photo_states, read_decisions
from npylabel.dataset.desk import Desk
from tests.browser.lab import BoardDriver, Notebook, open_page

PAGE = 60


def opened(page: object, lab: SimpleNamespace, folder: Path) -> BoardDriver:
    """The board, from a notebook that was just opened."""
    notebook = Notebook(page, lab.address, f"{folder.name}/sort.ipynb")
    notebook.run_all()
    board = BoardDriver(page)
    assert f"widgets {lab.version}" in notebook.text()
    return board


def names_left(folder: Path, table: object) -> list[str]:
    """The photos in the order of a board that is opened now."""
    desk = Desk(folder / "work/tintora_dataset", folder / "work/decisions", table)
    return [photo.name for photo in desk.shown()]


def in_journal(folder: Path) -> dict[str, str]:
    """Class by name of the photos that the journal has one for."""
    decisions = read_decisions(folder / "work/decisions")
    name_of = {decision.sha256: decision.name for decision in decisions}
    return {name_of[sha256]: state.class_name for sha256, state in photo_states(decisions).items() if state.class_name}


class Sorter:
    """Sorts what the board shows, and knows what it was told is saved.

    Args:
        board: in the browser.
        names: of the photos, in the order of the board.
        truth: class by name.
    """

    def __init__(self, board: BoardDriver, names: list[str], truth: dict[str, str]) -> None:
        self.board, self.truth, self.saved = board, truth, 0
        self.pages = [names[start:start + PAGE] for start in range(0, len(names), PAGE)]
        self.acknowledged: dict[str, str] = {}

    def steps(self) -> Iterator[int]:
        """Decide class by class and page by page; gives the number of each decision when it is acknowledged."""
        for page in self.pages:
            for class_name in dict.fromkeys(self.truth[name] for name in page):
                self.decide([place for place, name in enumerate(page) if self.truth[name] == class_name], class_name)
                self.acknowledged |= {name: class_name for name in page if self.truth[name] == class_name}
                yield len(self.acknowledged)

    def decide(self, places: list[int], class_name: str) -> None:
        """Select these photos, choose the class with a click or by typing, and wait until it is saved."""
        self.board.click_tiles(*places)
        self.choose(class_name)
        self.wait(len(places))

    def choose(self, class_name: str) -> None:
        """Click the class where it is suggested, or type it."""
        suggested = self.board.page.locator(".npl-suggestion:visible", has_text=f"{class_name} ·")
        if suggested.count():
            suggested.first.click()
        else:
            self.board.type_class(class_name)

    def wait(self, count: int) -> None:
        """Wait until the board says that so many more decisions are saved."""
        self.saved += count
        self.board.wait_saved(self.saved)


def test_all_photos_are_sorted_although_the_kernel_is_killed(
    lab: SimpleNamespace, workspace: Path, dataset: SimpleNamespace
) -> None:
    with open_page(1280, 800) as page:
        sorter = Sorter(opened(page, lab, workspace), names_left(workspace, dataset.table), dataset.truth)
        for count in sorter.steps():
            assert in_journal(workspace) == sorter.acknowledged
            if count > len(dataset.truth) // 2:
                break
        # One click is taken back and given again.
        last = [name for name in sorter.acknowledged if name not in names_left(workspace, dataset.table)][-1:]
        sorter.board.press("undo")
        sorter.board.page.wait_for_selector(".npl-redo:enabled")
        assert last[0] not in in_journal(workspace)
        sorter.board.press("redo")
        sorter.board.page.wait_for_selector(".npl-redo:disabled")
        assert in_journal(workspace) == sorter.acknowledged
        # The kernel dies while a decision is on its way.
        left = names_left(workspace, dataset.table)
        sorter.board.page.wait_for_selector(".npl-t59")
        first_open = next(place for place, text in enumerate(sorter.board.captions()) if "✓" not in text)
        sorter.board.click_tiles(first_open)
        sorter.choose(dataset.truth[left[0]])
        os.kill(int((workspace / "kernel.pid").read_text()), signal.SIGKILL)
    found = in_journal(workspace)
    assert sorter.acknowledged.items() <= found.items()
    assert found.items() - sorter.acknowledged.items() <= {(left[0], dataset.truth[left[0]])}
    with open_page(1280, 800) as page:
        board = opened(page, lab, workspace)
        rest = Sorter(board, names_left(workspace, dataset.table), dataset.truth)
        for _count in rest.steps():
            pass
        page.wait_for_function("document.querySelectorAll('.npl-tile').length && ![...document.querySelectorAll("
                               "'.npl-tile')].some(tile => tile.offsetWidth)")
    assert in_journal(workspace) == dataset.truth


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["laptop", "phone"])
def test_a_page_fits_the_screen_and_a_slow_line(
    lab: SimpleNamespace, workspace: Path, size: tuple[int, int]
) -> None:
    width, height = size
    with open_page(width, height, touch=width < 600) as page:
        frames: list[int] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(len(data))))
        board = opened(page, lab, workspace)
        measured = page.evaluate("""() => { const box = document.querySelector('.npl-board');
            const tile = document.querySelector('.npl-t0').getBoundingClientRect();
            return {page: document.documentElement.scrollWidth, wider: box.scrollWidth - box.clientWidth,
                    height: box.getBoundingClientRect().height, tile: tile.width} }""")
        assert board.tiles.count() == PAGE
        pictures = page.evaluate("""() => [...document.querySelectorAll('.npl-tile')]
            .map(tile => getComputedStyle(tile).backgroundImage)""")
    assert (measured["page"], measured["wider"]) == (width, 0)
    assert measured["tile"] > 55
    assert measured["height"] < (700 if width > 600 else 950)
    assert len(set(pictures)) == PAGE
    assert sum(frames) < 1_000_000


def test_a_click_selects_look_alikes_and_rows_as_chosen(lab: SimpleNamespace, workspace: Path) -> None:
    with open_page(1280, 800) as page:
        board = opened(page, lab, workspace)
        modes = page.locator(".npl-modes .widget-toggle-button")
        modes.nth(3).click()
        board.click_tiles(12)
        page.wait_for_function("document.querySelectorAll('.npl-tile.mod-active').length == 10")
        modes.nth(2).click()
        board.click_tiles(25, 31)
        page.wait_for_function("document.querySelectorAll('.npl-tile.mod-active').length == 17")
        selected = page.evaluate("""() => [...document.querySelectorAll('.npl-tile')]
            .flatMap((tile, place) => tile.classList.contains('mod-active') ? [place] : [])""")
    assert selected == [*range(10, 20), *range(25, 32)]
