"""The board of colored photos without a browser: a click ends in journal, picture, table and tile."""

import base64
import html
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base.files import write_text
from npylabel.colorizer.model import Colorizer, save_colorizer
from npylabel.colorizer.networks import create_colorizer
from npylabel.dataset.decisions import CLEAR, LABEL
from npylabel.ui.cells import review_colors
from npylabel.ui.color_board import ColorBoard
from npylabel.ui.tile_grid import BUSY, CHOSEN, DOUBT, ONE
from tests.colorizer.color_kit import GRASS, SKY, TABLE, UNKNOWN, file_bytes, gray_photo, lay, lay_label, pixels
from tests.photos.collect_kit import tree
from tests.photos.pictures import texture
from tests.ui.color_board_kit import ColorWorld


@pytest.fixture
def world(tmp_path: Path) -> ColorWorld:
    """Three light photos (sky, the network says), two dark ones (it is unsure), one in color and one damaged."""
    found = ColorWorld(tmp_path)
    for number, name in enumerate(("a.png", "b.png", "album/c.png")):
        lay(found.old / name, gray_photo(number, low=150 - 20 * number))
    lay(found.old / "d.png", gray_photo(6, low=0, high=60))
    lay(found.old / "e.png", gray_photo(7, low=0, high=60))
    lay(found.old / "beach.png", texture(4, 96, 64))
    (found.old / "torn.jpg").write_bytes(file_bytes(gray_photo(5), "JPEG")[:900])
    lay_label(tmp_path / "labels", "c", GRASS)
    found.run(labels_dir=tmp_path / "labels")
    return found


@pytest.fixture
def board(world: ColorWorld) -> Iterator[ColorBoard]:
    made = world.board()
    yield made
    world.painter.may_paint.set()
    made.finish()


def names(board: ColorBoard) -> list[str]:
    return [photo.name.rpartition("/")[2] for photo in board.pages.photos]


def click(board: ColorBoard, *places: int) -> None:
    for place in places:
        button = board.grid.children[-1].children[place]
        button.value = not button.value


def captions(board: ColorBoard) -> list[str]:
    return [tile.caption for tile in board.grid.tiles]


def marks(board: ColorBoard) -> list[str]:
    return [tile.mark for tile in board.grid.tiles]


def text(board: ColorBoard) -> str:
    """What is said about the large photo."""
    return html.unescape(board.detail.value)


def after_pixels(board: ColorBoard) -> np.ndarray:
    """Mean red, green and blue of the large photo as the board shows it in color."""
    data = board.pair.value.split("base64,")[2].partition("'")[0]
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB"), float).mean((0, 1))


def test_the_unsure_photos_come_first_and_each_says_who_named_it(board: ColorBoard) -> None:
    assert names(board) == ["d.png", "e.png", "b.png", "a.png"]
    assert [caption.partition(" ")[0] for caption in captions(board)] == ["unsure", "unsure", "небо", "небо"]
    assert marks(board) == [DOUBT, DOUBT, "", ""] and board.grid.selected == [0]
    assert "d.png" in text(board) and "without a class" in text(board) and "the network is unsure 34 %" in text(board)
    head = html.unescape(board.head.value)
    assert "5 photos in color · 1 had colors already · 1 could not be read · the network is unsure about 2" in head
    assert "all photos are colored" in head
    assert [button.description for button in board.tops] == ["небо · 34 %", "трава · 33 %", ""]
    board.buttons["next"].click()
    assert names(board) == ["c.png"] and captions(board) == ["трава"] and "from its label" in text(board)
    assert board.tops[1].description.startswith("✓ трава")


def test_a_click_shows_a_photo_and_no_other_stays_selected(board: ColorBoard) -> None:
    click(board, 2)
    assert board.grid.selected == [2] and "b.png" in text(board)
    assert board.pair.value.count("<img") == 2 and "before" in board.pair.value
    click(board, 2)
    assert board.grid.selected == [2] and "b.png" in text(board)
    click(board, 1)
    assert board.grid.selected == [1] and "e.png" in text(board)


def test_a_class_is_journaled_then_colored_and_shown(world: ColorWorld, board: ColorBoard) -> None:
    originals = tree(world.old)
    click(board, 2)
    blue, tile = after_pixels(board), board.grid.tiles[2].picture
    assert blue[2] > blue[1]
    board.tops[1].click()
    assert board.worker.wait()
    assert world.words() == [("b.png", LABEL, "трава")]
    assert world.classes()["b.png"] == ("трава", "person")
    painted = pixels(world.out / "b.jpg")
    assert (painted[..., 1] > painted[..., 2]).mean() > 0.95
    assert (captions(board)[2], marks(board)[2], board.grid.selected) == ("✓ трава", CHOSEN, [2])
    assert "b.png" in text(board) and "you chose it" in text(board)
    green = after_pixels(board)
    assert green[1] > green[2], "the large picture follows"
    assert board.grid.tiles[2].picture != tile, "and so does the small one"
    assert board.said.value.count("b.png is colored: трава.") == 1 and board.here.value.split("</span>")[0].endswith(
        ": 1")
    assert tree(world.old) == originals
    before = tree(world.out)
    world.run(labels_dir=world.root / "labels")
    assert tree(world.out) == before, "a run over the folder finds nothing to do"


def test_what_is_being_colored_is_seen_and_decided_already(world: ColorWorld, board: ColorBoard) -> None:
    world.painter.may_paint.clear()
    click(board, 2)
    board.tops[1].click()
    assert world.words() == [("b.png", LABEL, "трава")] and world.classes()["b.png"][0] == "небо"
    assert marks(board)[2] == BUSY and "coloring: 1 left" in board.head.value
    assert "npl-busy" in board.pair._dom_classes and "being colored" in text(board)
    click(board, 3)
    assert "npl-busy" not in board.pair._dom_classes
    board.buttons["undo"].click()
    board.tops[1].click()
    world.painter.may_paint.set()
    assert board.worker.wait()
    assert marks(board)[2] == CHOSEN and "all photos are colored" in board.head.value
    assert "npl-busy" not in board.pair._dom_classes


def test_several_photos_get_a_class_together(world: ColorWorld, board: ColorBoard) -> None:
    board.grid.modes.value = ONE
    click(board, 1, 2)
    assert board.grid.selected == [0, 1, 2] and "all 3 selected" in board.asked.value
    board.picker.text.value = "тра\n"
    assert board.worker.wait()
    assert sorted(world.words()) == [(f"{name}.png", LABEL, "трава") for name in "bde"]
    assert {world.classes()[f"{name}.png"] for name in "bde"} == {("трава", "person")}
    assert captions(board)[:3] == ["✓ трава"] * 3


def test_a_class_that_the_network_does_not_know_is_refused(world: ColorWorld, board: ColorBoard) -> None:
    board.picker.text.value = "лош"
    assert [button.description for button in board.picker.buttons] == ["лошадь (not taught)"]
    board.picker.text.value = "лошадь\n"
    assert "was not taught the class" in board.said.value and "npl-bad" in board.said.value
    assert world.words() == [] and not board.worker.waiting and marks(board)[0] == DOUBT


def test_freely_by_the_network_back_and_again(world: ColorWorld, board: ColorBoard) -> None:
    click(board, 2)
    board.buttons["unknown"].click()
    assert board.worker.wait()
    assert world.classes()["b.png"] == ("", "person") and captions(board)[2] == "✓ without a class"
    painted = pixels(world.out / "b.jpg")
    assert (painted[..., 0] > painted[..., 2]).mean() > 0.95, "what nothing is known of is brown"
    board.buttons["clear"].click()
    assert board.worker.wait()
    assert world.classes()["b.png"] == ("небо", "network")
    board.buttons["clear"].click()
    assert "Nothing changes" in board.said.value
    board.buttons["undo"].click()
    assert board.worker.wait()
    assert world.classes()["b.png"] == ("", "person")
    board.buttons["undo"].click()
    assert board.worker.wait()
    assert world.classes()["b.png"] == ("небо", "network") and board.buttons["undo"].disabled
    board.buttons["redo"].click()
    assert board.worker.wait()
    assert captions(board)[2] == "✓ without a class"
    assert [action for _name, action, _class in world.words()] == [LABEL, CLEAR, LABEL, CLEAR, LABEL]


def test_only_what_was_chosen_on_this_board_is_taken_back(world: ColorWorld, board: ColorBoard) -> None:
    board.tops[0].click()
    assert board.worker.wait()
    again = world.board(columns=4)
    assert captions(again)[-1] == "✓ небо" and again.buttons["undo"].disabled
    again.buttons["undo"].click()
    assert world.words() == [("d.png", LABEL, "небо")]
    again.finish()


def test_undo_goes_to_the_page_of_the_photo(board: ColorBoard) -> None:
    board.tops[1].click()
    board.buttons["next"].click()
    assert board.worker.wait() and names(board) == ["c.png"]
    board.buttons["undo"].click()
    assert board.worker.wait()
    assert board.pages.number == 0 and "d.png" in text(board) and marks(board)[0] == DOUBT


def test_a_person_goes_from_photo_to_photo_over_all_pages(board: ColorBoard) -> None:
    seen = [board._shown.name]
    while not board.steps[1].disabled:
        board.steps[1].click()
        assert len(board.grid.selected) == 1
        seen.append(board._shown.name)
    assert seen == [photo.name for photo in board.desk.photos] and "photo 5 of 5" in board.place.value
    board.steps[0].click()
    assert board.pages.number == 0 and board.grid.selected == [3] and "a.png" in text(board)
    click(board, 1)
    board.steps[1].click()
    click(board, 1)
    assert board.grid.selected == [1] and "e.png" in text(board)


def test_filters_of_who_and_of_class(board: ColorBoard) -> None:
    board.which.value = "unsure"
    assert names(board) == ["d.png", "e.png"]
    board.which.value = "label"
    assert names(board) == ["c.png"]
    board.which.value = "person"
    assert names(board) == [] and "no photos of this kind" in board.said.value and board.detail.value == ""
    board.tops[0].click()
    board.buttons["clear"].click()
    board.which.value = "all"
    board.class_filter.value = "небо"
    assert names(board) == ["b.png", "a.png"]
    assert [name for name, _value in board.class_filter.options] == ["any class", "небо", "трава"]


def test_what_was_not_colored_before_a_kill_is_colored_by_the_next_board_or_run(world: ColorWorld) -> None:
    killed = world.board()
    killed.worker.close()
    for place in (0, 1):
        click(killed, *[place] * (killed.grid.selected != [place]))
        killed.tops[1].click()
    assert len(world.words()) == 2 and world.classes()["e.png"] == world.classes()["d.png"] == ("", "")
    killed.desk.close()
    (world.old / "e.png").rename(world.root / "e.png")
    board = world.board()
    assert board.worker.wait() and not board.worker.waiting
    board.finish()
    assert (world.classes()["d.png"], world.classes()["e.png"]) == (("трава", "person"), ("", ""))
    (world.root / "e.png").rename(world.old / "e.png")
    world.run(labels_dir=world.root / "labels")
    assert world.classes()["e.png"] == ("трава", "person")


def test_a_class_that_a_run_gave_to_all_is_left_until_somebody_chooses(world: ColorWorld) -> None:
    board = world.board()
    board.tops[0].click()
    assert board.worker.wait()
    board.finish()
    world.run(label="трава")
    board = world.board()
    # What was decided about a photo is the stronger word.
    assert board.worker.waiting == [] and set(captions(board)) == {"✓ небо", "✓ трава"}
    other = next(name for name in names(board) if name != "d.png")
    assert world.classes()["d.png"] == ("небо", "person") and world.classes()[other] == ("трава", "given")
    click(board, names(board).index(other))
    board.tops[0].click()
    assert board.worker.wait() and world.classes()[other] == ("небо", "person")
    assert world.words() == [("d.png", LABEL, "небо"), (other, LABEL, "небо")]
    board.finish()


def test_a_photo_that_lies_in_two_folders_follows_in_both(world: ColorWorld) -> None:
    shutil.copy(world.old / "b.png", world.old / "album" / "copy of b.png")
    world.run(labels_dir=world.root / "labels")
    board = world.board(columns=4)
    click(board, names(board).index("b.png"))
    board.tops[1].click()
    assert board.worker.wait()
    assert world.classes()["b.png"] == world.classes()["copy of b.png"] == ("трава", "person")
    assert captions(board).count("✓ трава") == 2
    board.finish()


def test_a_choice_for_a_photo_whose_original_is_away_is_kept_and_said(world: ColorWorld) -> None:
    (world.old / "b.png").rename(world.root / "b.png")
    board = world.board()
    click(board, 2)
    assert "The original is not here." in board.pair.value
    board.tops[1].click()
    assert board.worker.wait()
    assert "The original of b.png is not here" in html.unescape(board.said.value) and captions(board)[2] == "небо 77 %"
    (world.root / "b.png").rename(world.old / "b.png")
    board.finish()
    board = world.board()
    assert board.worker.wait() and world.classes()["b.png"] == ("трава", "person")
    board.finish()


def test_a_name_cannot_break_the_page(tmp_path: Path) -> None:
    world, evil = ColorWorld(tmp_path), "<b>&'x{class_name}.png"
    lay(world.old / evil, gray_photo(1))
    world.run()
    board = world.board()
    assert "<b>&" not in board.detail.value and evil in text(board) and "<b>&" not in board.pair.value
    board.finish()


def cell(world: ColorWorld, **options: object) -> ColorBoard | None:
    return review_colors(input_dir="old", output_dir="colorized", model_path="models/colorizer.pth", device="cpu",
                         work_dir=str(world.root), language="en", **options)


def test_the_cell(world: ColorWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(1)
    table = {name: {"name": name, "id": class_id} for class_id, name in TABLE.names.items()}
    write_text(world.root / "classes.json", json.dumps(
        {str(entry["id"]): entry | ({"unknown": True} if entry["id"] == UNKNOWN else {}) for entry in table.values()},
        ensure_ascii=False))
    network = create_colorizer("joint_light", 2)
    save_colorizer(world.root / "models" / "colorizer.pth", Colorizer(
        network.state_dict(), "joint_light", 64, TABLE.to_json(), TABLE.sha256, [SKY, GRASS], "own", ""))
    first = cell(world)
    first.tops[1].click()
    assert first.worker.wait() and world.classes()["d.png"] == ("трава", "person")
    second = cell(world)
    assert first.comm is None and second.comm and len(second.desk.photos) == 5
    monkeypatch.setenv("NPYLABEL_HEADLESS", "1")
    capsys.readouterr()
    assert cell(world) is None
    assert capsys.readouterr().out.count("\n") == 1
    shutil.rmtree(world.out)
    assert cell(world) is None and "no colored photos" in capsys.readouterr().out
