"""The review board and the threshold's slider without a browser: what the widgets do ends in journal and labels."""

import html
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import npylabel_core as core
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.places import DEMO_MARK, find_places
from npylabel.base.tables import write_csv
from npylabel.dataset.decisions import ASSIGN, LABEL, LEAVE_OUT, SKIP, TAKE_BACK
from npylabel.dataset.thumbnails import Thumbnails, placeholder
from npylabel.labeler.calibration import Judged
from npylabel.labeler.doubts import COLUMNS
from npylabel.labeler.explorer import NearPhoto, ThresholdExplorer
from npylabel.labeler.review import Review
from npylabel.ui.review_board import ReviewBoard
from npylabel.ui.review_looks import large_picture
from npylabel.ui.review_tabs import review_tabs
from npylabel.ui.threshold_explorer import ThresholdView
from npylabel.ui.tile_grid import DONE, OUT, SKIPPED
from tests.labeler import kit
from tests.labeler.label_kit import save_changed
from tests.labeler.review_kit import World

SKY, HOUSE, MELON, FOREST, UNKNOWN = (kit.TABLE.names[class_id] for class_id in (3, 17, 40, 50, 99))


@pytest.fixture
def world(tmp_path: Path, trained: kit.Trained) -> World:
    """Nine photos of three shapes, all of them below the threshold."""
    modest = save_changed(trained.model_path, tmp_path / "models" / "tiny_cnn.pth", temperature=40.0)
    found = World(tmp_path, modest, trained.data_path)
    found.label(threshold=0.999)
    return found


@pytest.fixture
def board(world: World) -> ReviewBoard:
    """Pages of four."""
    return ReviewBoard(world.review(), Thumbnails(None), accept_text="accept {count}", rows=2, columns=2)


def select(board: ReviewBoard, *places: int) -> None:
    for place in places:
        button = board.grid.children[-1].children[place]
        button.value = not button.value


def press(board: ReviewBoard, name: str) -> None:
    board.buttons[name].click()


def marks(board: ReviewBoard) -> list[str]:
    return [tile.mark for tile in board.grid.tiles]


def shown(board: ReviewBoard) -> str:
    """The name of the photo that is shown large."""
    return next((photo.name for photo in board.review.photos if photo.name in board.detail.value), "")


def test_the_first_photo_is_large_with_all_that_helps(board: ReviewBoard) -> None:
    photo = board.pages.photos[0]
    question = board.review.question(photo)
    assert shown(board) == photo.name and UNKNOWN in board.detail.value and "below the threshold" in board.detail.value
    assert [button.description.partition(" · ")[0] for button in board.tops] == [
        guess.class_name for guess in question.top]
    assert board.near.value.count("<img") == 5 and photo.guess in board.near.value
    assert board.buttons["accept"].description == "accept 1"


def test_a_click_on_a_class_decides_and_goes_on(world: World, board: ReviewBoard) -> None:
    first, second = board.pages.photos[:2]
    board.tops[1].click()
    chosen = board.review.question(first).top[1].class_name
    assert world.words() == [(first.name, ASSIGN, chosen)]
    assert world.files()[first.name] == kit.TABLE.find_name(chosen) and world.agree()
    assert marks(board) == [DONE, "", "", ""] and shown(board) == second.name
    assert "1 of 9" in board.head.value and "1" in board.here.value


def test_selected_photos_are_decided_together_by_typing(world: World, board: ReviewBoard) -> None:
    photos = board.pages.photos[1:3]
    select(board, 1, 2)
    assert shown(board) == photos[1].name and board.buttons["accept"].description == "accept 2"
    board.train.value = False
    board.picker.text.value = f"{FOREST}\n"
    assert world.words() == [(photo.name, LABEL, FOREST) for photo in photos]
    assert [world.files()[photo.name] for photo in photos] == [50, 50] and world.agree()
    assert marks(board) == ["", DONE, DONE, ""] and board.grid.selected == []


def test_a_page_is_accepted_at_once_and_the_next_one_comes(world: World, board: ReviewBoard) -> None:
    photos = [*board.pages.photos]
    board.grid.all_button.click()
    press(board, "accept")
    assert {word[0]: word[2] for word in world.words()} == {photo.name: photo.guess for photo in photos}
    assert board.pages.number == 1 and not {*photos} & {*board.pages.photos} and marks(board) == [""] * 4
    press(board, "undo")
    assert board.pages.number == 0 and marks(board) == [""] * 4 and {*world.files().values()} == {99}
    press(board, "redo")
    assert len({decision.time for decision in world.decisions()[-4:]}) == 1 and world.agree()


def test_the_other_buttons(world: World, board: ReviewBoard) -> None:
    a, b, c = (photo.name for photo in board.pages.photos[:3])
    press(board, "skip")
    press(board, "reject")
    press(board, "unknown")
    assert world.words() == [(a, SKIP, ""), (b, LEAVE_OUT, ""), (c, LABEL, UNKNOWN)]
    assert marks(board) == [SKIPPED, OUT, DONE, ""]
    select(board, 1)
    press(board, "reject")
    assert world.words()[-1] == (b, TAKE_BACK, "") and marks(board)[1] == ""
    select(board, 2)
    press(board, "clear")
    assert marks(board)[2] == "" and world.rows()[c].source == "model"


def test_filters_of_kind_and_class(board: ReviewBoard) -> None:
    press(board, "skip")
    board.which.value = "skipped"
    assert len(board.pages.photos) == 1 and marks(board) == [SKIPPED]
    board.which.value = "all"
    name = board.class_filter.options[1][1]
    board.class_filter.value = name
    assert {photo.guess for photo in board.pages.photos} == {name}
    assert board.class_filter.options[1][0] == f"{name} · {len(board.pages.chosen)}"
    board.which.value = "out"
    assert board.pages.photos == [] and board.detail.value == "" and "no photos" in board.said.value
    press(board, "skip")
    press(board, "accept")
    board.tops[0].click()


def test_what_fails_is_said_and_nothing_is_shown_as_done(
    world: World, board: ReviewBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise NpyLabelError("disk_full", "The disk is full.", "Free some room.")

    monkeypatch.setattr(Review, "_answer", full)
    board.tops[0].click()
    assert "The disk is full." in board.said.value and marks(board) == [""] * 4 and world.words() == []


def test_another_notebook_s_answers_are_seen_with_the_next_page(world: World, board: ReviewBoard) -> None:
    photo = board.pages.photos[0]
    other = world.review([board.review.question(photo)])
    other.correct([photo], FOREST)
    press(board, "next")
    press(board, "back")
    assert marks(board) == [DONE, "", "", ""]


def test_a_name_cannot_break_the_page(world: World) -> None:
    questions = world.questions()
    photo = questions[0].photo
    named = type(photo)("<b>&'x", photo.path, photo.sha256, guess=photo.guess, confidence=photo.confidence)
    question = type(questions[0])(named, **{name: value for name, value in vars(questions[0]).items()
                                            if name != "photo"})
    board = ReviewBoard(world.review([question]), Thumbnails(None), accept_text="{count}")
    assert "<b>&'" not in board.detail.value and html.escape("<b>&'x") in board.detail.value


def test_a_photo_that_cannot_be_read_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"none")
    assert large_picture(tmp_path / "a.png") == large_picture(tmp_path / "b.png") == placeholder()
    Image.fromarray(np.zeros((900, 300, 3), np.uint8)).save(tmp_path / "c.png")
    (tmp_path / "d.jpg").write_bytes(large_picture(tmp_path / "c.png"))
    assert Image.open(tmp_path / "d.jpg").size == (140, 420)


def explorer() -> ThresholdExplorer:
    photos = [NearPhoto(Path(f"{name}"), name, confidence, name if confidence > 0.4 else "?")
              for name, confidence in ((SKY, 0.3), (HOUSE, 0.5), (SKY, 0.6), (SKY, 0.9))]
    judged = Judged(np.array([0.3, 0.5, 0.6, 0.9], np.float32), np.array([False, True, True, True]))
    return ThresholdExplorer(judged, photos, photos, 0.5)


def test_the_slider_tells_what_a_threshold_does() -> None:
    view = ThresholdView(explorer(), Thumbnails(None))
    assert "75 %" in view.summary.value and "100 %" in view.summary.value and "1 of 4" in view.summary.value
    assert "run the notebook again" not in view.summary.value
    view.slider.value = 0.2
    assert "0 of 4" in view.summary.value and "set threshold to 0.2" in view.summary.value
    view.slider.value = 0.7
    assert "3 of 4" in view.summary.value
    below, above = view.near.value.split("just above")
    assert (below.count("<figure>"), above.count("<figure>")) == (3, 1) and "✓" in above and "✗" in below
    assert view.classes.value.count("<tr>") == 3
    view.used.click()
    assert view.slider.value == 0.5 and view.advised.disabled


def test_no_validation_photos() -> None:
    view = ThresholdView(ThresholdExplorer(None, (), explorer().labeled), Thumbnails(None))
    assert "nobody can tell" in view.summary.value and "<svg" not in view.summary.value


def test_the_cell_of_notebook_04(world: World) -> None:
    write_text(world.root / "classes.json", kit_json())
    where = {"work_dir": str(world.root), "input_dir": "dataset/color", "output_dir": "dataset/labels",
             "data_path": str(world.data_path), "device": "cpu", "language": "en"}
    tabs = core.review_labels(**where)
    board, view = tabs.children
    board.tops[0].click()
    assert world.words() and world.agree() and view.slider.value == 0.999
    assert [tabs.get_title(place) for place in (0, 1)] == ["Review: 9", "Threshold"]
    again = core.review_labels(**where)
    assert again.get_title(0) == "Review: 8" and again.comm
    assert [part.comm for part in (tabs, board, view, view.slider)] == [None] * 4


def kit_json() -> str:
    """The class table of the tests as a user writes it."""
    return json.dumps({name: class_id for class_id, name in kit.TABLE.names.items()}, ensure_ascii=False)


def test_the_cells_return_at_once_where_nobody_sits(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(world.root / "classes.json", kit_json())
    monkeypatch.setenv("NPYLABEL_HEADLESS", "1")
    monkeypatch.setattr("npylabel.labeler.feature_cache.look_at", None)
    where = {"work_dir": str(world.root), "language": "en"}
    assert core.review_labels(input_dir="dataset/color", output_dir="dataset/labels", **where) is None
    assert "9 of 9 photos" in capsys.readouterr().out
    assert core.review_label_errors(**where) is None
    assert "folds=3" in capsys.readouterr().out


def test_the_cell_of_notebook_03(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text(world.root / "classes.json", kit_json())
    data_path = kit.class_folders(tmp_path / "train_data", 2)
    row = {"path": f"{SKY}/3_000.png", "class_name": SKY, "suggested_name": HOUSE, "confidence": "0.1", "kept": 0,
           "suggested_confidence": "0.8", "score": "0.9", "probably_wrong": 1, "source": ""}
    table = world.model_path.with_name("tiny_cnn.label_errors.csv")
    where = {"work_dir": str(world.root), "device": "cpu", "language": "en"}
    write_csv(table, COLUMNS, [row | {"probably_wrong": 0}])
    assert core.review_label_errors(**where) is None and "No label is probably wrong" in capsys.readouterr().out
    write_csv(table, COLUMNS, [row])
    board = core.review_label_errors(**where)
    assert board.buttons["accept"].description == "the label is right: 1" and SKY in board.detail.value
    press(board, "accept")
    assert world.words() == [("3_000", "keep_label", SKY)] and (data_path / SKY / "3_000.png").is_file()
    assert core.review_label_errors(**where).pages.photos == [] and board.comm is None


def test_nothing_to_review_is_said(world: World) -> None:
    review = world.review([])
    widget = review_tabs(review, find_places(str(world.root)), "{count}")
    assert "Nothing is left" in widget.children[0].value
    assert not (world.root / DEMO_MARK).exists()
