"""A person gives an old photo another class in a real browser: picture, tile, table and journal follow, and go back."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from npylabel.dataset.decisions import CLEAR, LABEL
from tests.browser.lab import BoardDriver, Notebook, open_page, write_notebook
from tests.colorizer.color_kit import gray_photo, lay
from tests.ui.color_board_kit import ColorWorld

CELLS = (
    "import ipywidgets\nprint('widgets', ipywidgets.__version__)\n"
    "from npylabel.base.i18n import set_language\n_ = set_language('en')",
    "import pathlib\nfrom tests.ui.color_board_kit import ColorWorld\n"
    "ColorWorld(pathlib.Path({work!r})).board(columns=3)",
)
# Mean red, green and blue of the large photo in color, as the page shows it.
SEEN = """() => { const image = document.querySelector('.npl-pair figure:nth-child(2) img');
    const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
    const context = canvas.getContext('2d'); context.drawImage(image, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3) }"""


@pytest.fixture
def world(lab: SimpleNamespace, request: pytest.FixtureRequest) -> ColorWorld:
    """Six light photos, which are colored as sky, and a notebook that opens their board."""
    folder = lab.folder / re.sub(r"\W", "_", request.node.name)
    found = ColorWorld(folder / "work")
    for number in range(6):
        lay(found.old / f"{number}.jpg", gray_photo(number, 480, 320, low=150 - number))
    found.run()
    write_notebook(folder / "colors.ipynb", *(cell.format(work=str(found.root)) for cell in CELLS))
    return found


@pytest.fixture
def board(lab: SimpleNamespace, world: ColorWorld) -> Iterator[BoardDriver]:
    """The board, from a notebook that was just opened."""
    with open_page(1280, 800) as page:
        notebook = Notebook(page, lab.address, f"{world.root.parent.name}/colors.ipynb")
        notebook.run_all()
        page.wait_for_selector(".npl-colors .npl-t0", timeout=120_000)
        assert f"widgets {lab.version}" in notebook.text()
        yield BoardDriver(page)


def wait_colored(board: BoardDriver, text: str) -> None:
    """Wait until all is colored and the large photo says this of its class."""
    board.page.wait_for_function(
        "text => document.querySelector('.npl-light').innerText === 'all photos are colored' "
        "&& document.querySelector('.npl-class').innerText.startsWith(text)", arg=text, timeout=30_000)


def shown(board: BoardDriver) -> str:
    return board.page.locator(".npl-name").inner_text()


def test_another_class_for_a_photo_and_back(board: BoardDriver, world: ColorWorld) -> None:
    page = board.page
    first = shown(board)
    page.locator(".npl-t2").click(force=True)
    page.wait_for_function("first => document.querySelector('.npl-name').innerText !== first", arg=first)
    wait_colored(board, "Colored as: небо")
    name = shown(board)
    assert board.selected() == [2]
    red, green, blue = page.evaluate(SEEN)
    assert blue > green > red and board.captions()[2].startswith("небо")

    page.get_by_role("button", name="трава").first.click()
    wait_colored(board, "Colored as: трава")
    assert shown(board) == name and board.captions()[2] == "✓ трава"
    red, green, blue = page.evaluate(SEEN)
    assert green > blue
    assert world.classes()[name] == ("трава", "person") and world.words() == [(name, LABEL, "трава")]

    board.press("undo")
    wait_colored(board, "Colored as: небо")
    red, green, blue = page.evaluate(SEEN)
    assert blue > green > red and board.captions()[2].startswith("небо")
    assert world.classes()[name] == ("небо", "network") and world.words()[1:] == [(name, CLEAR, "")]

    # By typing, for two photos at once.
    page.get_by_text("several photos", exact=True).click()
    board.click_tiles(4)
    page.wait_for_function("document.querySelector('.npl-ask').innerText.includes('all 2 selected')")
    board.type_class("луг")
    wait_colored(board, "Colored as: трава")
    page.wait_for_function("document.querySelector('.npl-light').innerText === 'all photos are colored'")
    assert [caption.startswith("✓ трава") for caption in board.captions()] == [False, False, True, False, True, False]
    assert sum(label == ("трава", "person") for label in world.classes().values()) == 2

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("""() => { const box = document.querySelector('.npl-colors');
        return box.offsetWidth > 100 && box.offsetWidth < 390 && box.scrollWidth <= box.clientWidth }""")
