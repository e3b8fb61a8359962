"""A person reviews labels in a real browser: types, accepts, undoes, and moves the threshold."""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from npylabel.dataset.decisions import ASSIGN, CLEAR
from tests.browser.lab import BoardDriver, Notebook, open_page, write_notebook
from tests.labeler import kit
from tests.labeler.review_kit import World

FOREST, UNKNOWN = "лес", 99
HANDLE = ".npl-threshold .noUi-handle, .npl-threshold .ui-slider-handle"
CELLS = (
    "import ipywidgets, npylabel_core as core\nprint('widgets', ipywidgets.__version__)",
    "core.review_labels(work_dir={work!r}, input_dir='dataset/color', output_dir='dataset/labels', data_path={data!r}, "
    "model_path={model!r}, device='cpu', language='ru')",
)


@pytest.fixture(scope="module")
def labeler(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A labeler of three shapes after two epochs, and what it was trained on."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("labeler")
    data, model = kit.class_folders(root / "data", 8), root / "models" / "tiny_cnn.pth"
    kit.train(data, model)
    return SimpleNamespace(data=data, model=model)


@pytest.fixture
def world(lab: SimpleNamespace, labeler: SimpleNamespace, request: pytest.FixtureRequest) -> World:
    """Nine photos in JupyterLab's folder, all labeled as unknown, and a notebook that opens their review."""
    folder = lab.folder / re.sub(r"\W", "_", request.node.name)
    found = World(folder / "work", labeler.model, labeler.data)
    found.label(threshold=0.999)
    table = {name: class_id for class_id, name in kit.TABLE.names.items()}
    (found.root / "classes.json").write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    values = {"work": str(found.root), "data": str(labeler.data), "model": str(labeler.model)}
    write_notebook(folder / "review.ipynb", *(cell.format(**values) for cell in CELLS))
    return found


@pytest.fixture
def board(lab: SimpleNamespace, world: World) -> Iterator[BoardDriver]:
    """The review, from a notebook that was just opened."""
    with open_page(1280, 800) as page:
        notebook = Notebook(page, lab.address, f"{world.root.parent.name}/review.ipynb")
        notebook.run_all()
        page.wait_for_selector(".npl-review .npl-t0", timeout=120_000)
        assert f"widgets {lab.version}" in notebook.text()
        yield BoardDriver(page)


def test_labels_follow_what_is_typed_accepted_and_undone(board: BoardDriver, world: World) -> None:
    asked = world.questions()
    first, other = asked[0].photo, asked[3].photo
    assert board.tiles.count() == len(asked) == 9 and {*world.files().values()} == {UNKNOWN}
    assert first.name in board.page.locator(".npl-qtext").inner_text()

    board.type_class(FOREST)
    board.wait_saved(1)
    assert world.words() == [(first.name, ASSIGN, FOREST)]
    assert (world.files()[first.name], world.rows()[first.name].source) == (50, "human") and world.agree()
    assert board.captions()[0] == f"✓ {FOREST}"

    board.click_tiles(3)
    board.page.wait_for_function("name => document.querySelector('.npl-qtext').innerText.includes(name)",
                                 arg=other.name)
    board.press("accept")
    board.wait_saved(2)
    assert world.words()[1:] == [(other.name, ASSIGN, other.guess)] and board.captions()[3] == f"✓ {other.guess}"
    assert world.files()[other.name] == kit.TABLE.find_name(other.guess) and world.agree()

    board.press("undo")
    board.wait_saved(3)
    assert world.words()[2:] == [(other.name, CLEAR, "")] and "✓" not in board.captions()[3]
    assert (world.files()[other.name], world.rows()[other.name].source) == (UNKNOWN, "model") and world.agree()
    assert world.files()[first.name] == 50


def test_the_threshold_is_tried_and_all_fits_a_phone(board: BoardDriver, world: World) -> None:
    page = board.page
    before = world.files()
    page.get_by_text("Порог", exact=True).first.click()
    page.wait_for_selector(HANDLE)
    assert shown(board) == ("0 %", ["0"] * 3)
    box = page.locator(HANDLE).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 600, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    # The table of classes comes last.
    page.wait_for_function("document.querySelector('.npl-table td:nth-child(3)').innerText.startsWith('3 ')")
    assert shown(board) == ("100 %", ["3"] * 3)
    assert page.locator(".npl-side-of:last-child figure").count() == 6
    assert world.files() == before and world.words() == []

    page.set_viewport_size({"width": 390, "height": 844})
    fits = """name => { const box = document.querySelector(name);
        return box.offsetWidth > 100 && box.offsetWidth < 390 && box.scrollWidth <= box.clientWidth }"""
    for name in (".npl-threshold", ".npl-table"):
        page.wait_for_function(fits, arg=name)
    page.get_by_text(re.compile("^Проверка: 9$")).first.click()
    page.wait_for_function(fits, arg=".npl-review")


def shown(board: BoardDriver) -> tuple[str, list[str]]:
    """(the share of photos that get a class, how many of each class do)."""
    cells = board.page.locator(".npl-table td:nth-child(3)").all_inner_texts()
    return board.page.locator(".npl-number b").first.inner_text(), [text.partition(" · ")[0] for text in cells]
