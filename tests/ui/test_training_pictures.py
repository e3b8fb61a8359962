"""The pictures of a training show what its tables say, stay readable, and never fail a training that is done."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from npylabel.base.tables import read_csv, write_csv
from npylabel.training.run_files import SUFFIXES, RunFiles
from npylabel.ui import confidence_plots, photo_sheets, plots
from npylabel.ui.photo_sheets import (
    GREEN,
    RED,
    activation_sheet,
    confused_pairs,
    hardest_sheet,
    looked_at,
    pairs_sheet,
)
from npylabel.ui.training_pictures import training_pictures
from tests.labeler import kit

TILE = 128
COLORS = {"3": (40, 90, 200), "17": (200, 60, 40), "40": (60, 180, 60)}
NAMES = {"3": "небо", "17": "дом", "40": "арбуз"}


def row(true_id: str, predicted_id: str, number: int, confidence: float = 0.9) -> dict[str, str]:
    """A row of the table of predictions."""
    loss = -np.log(confidence) if true_id == predicted_id else -np.log(1 - confidence)
    return {"path": f"{NAMES[true_id]}/{number}.png", "true_id": true_id, "true": NAMES[true_id],
            "predicted_id": predicted_id, "predicted": NAMES[predicted_id], "confidence": f"{confidence:.4f}",
            "loss": f"{loss:.4f}"}


ROWS = [row("17", "3", 0, 0.95), row("17", "3", 1, 0.8), row("17", "40", 2, 0.7), row("40", "17", 0, 0.6),
        row("3", "3", 0, 0.6), row("3", "3", 1, 0.99), row("40", "40", 1, 0.7), row("17", "17", 3, 0.9)]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Plain pictures for the rows, in the color of their class."""
    for entry in ROWS:
        path = tmp_path / "data" / entry["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), COLORS[entry["true_id"]]).save(path)
    return tmp_path / "data"


def near(sheet: Image.Image, place: tuple[int, int], color: tuple[int, int, int]) -> bool:
    """Whether the color at a place is this one, as JPEG keeps it."""
    return np.abs(np.array(sheet.getpixel(place)) - color).max() < 12


# --- sheets ----------------------------------------------------------------------------------------------------------


def test_pairs_are_counted_and_the_surest_come_first() -> None:
    found = confused_pairs(ROWS)
    assert [(true, said, [entry["path"] for entry in rows]) for true, said, rows in found] == [
        ("17", "3", ["дом/0.png", "дом/1.png"]), ("17", "40", ["дом/2.png"]), ("40", "17", ["арбуз/0.png"])]


def test_a_pair_stands_between_examples_of_both_classes(photos: Path, tmp_path: Path) -> None:
    sheet = Image.open(pairs_sheet(ROWS, photos, tmp_path / "s.jpg"))
    across = TILE + 6
    middle = 6 + TILE // 2
    assert near(sheet, (210 + 6 + TILE // 2, middle), COLORS["17"])
    assert near(sheet, (210 + across + 12 + TILE // 2, middle), COLORS["17"])
    assert near(sheet, (210 + 5 * across + 18 + TILE // 2, middle), COLORS["3"])
    # Only two photos are mistaken: the third place stays paper.
    assert near(sheet, (210 + 3 * across + 12 + TILE // 2, middle), (250, 250, 248))
    down = TILE + 17 + 18
    assert sheet.height == 3 * down + 6
    assert near(sheet, (210 + 5 * across + 18 + TILE // 2, 2 * down + middle), COLORS["17"])


def test_the_hardest_come_in_their_order_with_frames(photos: Path, tmp_path: Path) -> None:
    sheet = Image.open(hardest_sheet(ROWS, photos, tmp_path / "s.jpg"))
    across = TILE + 12
    for place, entry in enumerate(ROWS):
        assert near(sheet, (6 + place * across + TILE // 2, 6 + TILE // 2), COLORS[entry["true_id"]])
        # Below the badge, on the frame.
        frame = GREEN if entry["true_id"] == entry["predicted_id"] else RED
        assert np.abs(np.array(sheet.getpixel((6 + place * across + 1, 100))) - frame).max() < 60


def test_captions_show_cyrillic(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that a font lacks all look like one box: different letters have to look different."""
    monkeypatch.setitem(NAMES, "3", "жжжж")
    one = Image.open(hardest_sheet([row("3", "3", 0)], photos.parent, tmp_path / "a.jpg"))
    monkeypatch.setitem(NAMES, "3", "шшшш")
    other = Image.open(hardest_sheet([row("3", "3", 0)], photos.parent, tmp_path / "b.jpg"))
    caption = (0, 6 + TILE, TILE, one.height)
    assert np.abs(np.asarray(one.crop(caption), int) - np.asarray(other.crop(caption), int)).max() > 50


def test_a_photo_that_is_gone_leaves_its_tile_empty(photos: Path, tmp_path: Path) -> None:
    (photos / "дом" / "0.png").unlink()
    (photos / "дом" / "1.png").write_bytes(b"no picture")
    sheet = Image.open(hardest_sheet(ROWS, photos, tmp_path / "s.jpg"))
    assert [near(sheet, (6 + place * (TILE + 12) + TILE // 2, 70), (232, 232, 228)) for place in range(3)] == [
        True, True, False]


def test_looked_at_are_right_ones_of_different_classes_and_the_surest_wrong_ones() -> None:
    many = [row("3", "17", number, 0.5 + number / 100) for number in range(20)]
    right = [row(class_id, class_id, number) for class_id in ("3", "17", "40") for number in range(5)]
    chosen = looked_at([*many, *right])
    assert [entry["predicted"] for entry in chosen[:3]] == ["небо", "дом", "арбуз"]
    assert [entry["path"] for entry in chosen[3:]] == [f"небо/{number}.png" for number in range(19, 6, -1)]
    assert len(chosen) == 16


def test_heat_lies_beside_its_photo(photos: Path, tmp_path: Path) -> None:
    def left_half(rows: list) -> list:
        heat = np.zeros((8, 8), np.float32)
        heat[:, :4] = 1
        return [heat if index else None for index in range(len(rows))]

    sheet = Image.open(activation_sheet(ROWS, photos, tmp_path / "s.jpg", left_half))
    chosen = looked_at(ROWS)
    across = 2 * TILE + 12
    assert near(sheet, (6 + TILE + 64, 70), (232, 232, 228))
    assert near(sheet, (6 + across + 64, 70), COLORS[chosen[1]["true_id"]])
    hot, cold = (sheet.getpixel((6 + across + TILE + x, 70)) for x in (30, 100))
    assert hot[0] > hot[2] + 40 and max(cold) - min(cold) < 12


# --- charts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn."""
    kept: list[Figure] = []

    def keep(figure: Figure, path: Path) -> Path:
        kept.append(figure)
        return path

    for module in (confidence_plots, plots):
        monkeypatch.setattr(module, "save_figure", keep)
    return kept


def test_parts_of_epochs_lie_between_the_epochs(figures: list[Figure]) -> None:
    plots.plot_curves([{"epoch": epoch, "train_loss": "0.5"} for epoch in ("0.5", "1", "1.5")], Path("x.png"))
    assert figures[0].axes[0].lines[0].get_xdata().tolist() == [0.5, 1, 1.5]


@pytest.mark.parametrize(("classes", "columns"), [(3, 1), (34, 1), (35, 2), (100, 3)])
def test_every_class_has_its_bar_and_name(figures: list[Figure], classes: int, columns: int) -> None:
    rows = [{"class_name": f"class {k}", "f1": str(k / classes), "photos": "5"} for k in range(classes)]
    confidence_plots.plot_per_class(rows, Path("x.png"))
    panels = figures[0].axes
    assert len(panels) == columns
    names = [label.get_text() for axes in panels for label in axes.get_yticklabels()]
    assert names == [f"class {k}" for k in range(classes)]
    widths = [bar.get_width() for axes in panels for bar in axes.patches]
    assert widths == pytest.approx([k / classes for k in range(classes)])
    # The worst is on top.
    assert panels[0].get_ylim()[0] > panels[0].get_ylim()[1]


def test_reliability_bars_and_thresholds_are_those_of_the_tables(figures: list[Figure]) -> None:
    bins = [{"low": "0.4667", "high": "0.5333", "photos": "30", "confidence": "0.5", "accuracy": "0.9"},
            {"low": "0.9333", "high": "1.0", "photos": "10", "confidence": "1.0", "accuracy": "0.8"}]
    reliability = [{"temperature": when, **values} for when in ("before", "after") for values in bins]
    thresholds = [{"threshold": "0.5", "class_id": "", "unknown_share": "0.25", "right_share": "0.9"},
                  {"threshold": "0.95", "class_id": "", "unknown_share": "1.0", "right_share": ""},
                  {"threshold": "0.5", "class_id": "3", "unknown_share": "0.1", "right_share": "0.1"}]
    confidence_plots.plot_confidence(reliability, thresholds, Path("x.png"))
    before, _after, explorer = figures[0].axes
    assert [bar.get_height() for bar in before.patches] == [0.9, 0.8]
    assert before.get_title().endswith("0.350")
    assert [text.get_text() for text in before.texts] == ["30", "10"]
    unknown, right = explorer.lines[:2]
    assert list(unknown.get_ydata()) == [0.25, 1.0]
    assert (list(right.get_xdata()), list(right.get_ydata())) == ([0.5], [0.9])


# --- all of them -----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(trained: kit.Trained, tmp_path: Path) -> RunFiles:
    """A copy of a finished training, one of whose validation photos was taken for another class."""
    models = shutil.copytree(trained.model_path.parent, tmp_path / "models")
    found = RunFiles(models / "tiny_cnn.pth")
    path = found.beside(".predictions.csv")
    rows = read_csv(path)
    other = next(entry for entry in rows if entry["true_id"] != rows[0]["true_id"])
    rows[0] |= {"predicted_id": other["true_id"], "predicted": other["true"]}
    write_csv(path, list(rows[0]), rows)
    return found


def test_a_training_has_all_its_pictures(trained: kit.Trained, files: RunFiles) -> None:
    pictures = training_pictures(files, trained.data_path, kit.TABLE.names)
    names = [path.name for path in pictures.values()]
    assert names == [f"tiny_cnn.{end}" for end in (
        "curves.png", "confidence.png", "per_class.png", "confusion.png", "pairs_sheet.jpg", "hardest_sheet.jpg",
        "activation_sheet.jpg")]
    assert {name.removeprefix("tiny_cnn") for name in names} <= set(SUFFIXES)
    for path in pictures.values():
        with Image.open(path) as picture:
            assert picture.width > 300 and np.asarray(picture.convert("L")).std() > 5


def test_a_picture_that_cannot_be_drawn_is_left_out(trained: kit.Trained, files: RunFiles) -> None:
    files.save_path.write_bytes(b"")
    files.beside(".per_class.csv").write_text("class_name,f1\nнебо,much\n", encoding="utf-8")
    names = [path.name for path in training_pictures(files, trained.data_path, kit.TABLE.names).values()]
    assert names == [f"tiny_cnn.{end}" for end in (
        "curves.png", "confidence.png", "confusion.png", "pairs_sheet.jpg", "hardest_sheet.jpg")]


def test_photos_that_are_all_gone_leave_sheets_of_empty_tiles(files: RunFiles, tmp_path: Path) -> None:
    pictures = training_pictures(files, tmp_path / "nowhere", kit.TABLE.names)
    assert len(pictures) == 7


def test_no_mistakes_no_pairs(trained: kit.Trained, files: RunFiles) -> None:
    path = files.beside(".predictions.csv")
    rows = [entry | {"predicted_id": entry["true_id"], "predicted": entry["true"]} for entry in read_csv(path)]
    write_csv(path, list(rows[0]), rows)
    files.beside(".pairs_sheet.jpg").write_bytes(b"of an earlier epoch")
    names = [path.name for path in training_pictures(files, trained.data_path, kit.TABLE.names).values()]
    assert "tiny_cnn.pairs_sheet.jpg" not in names and "tiny_cnn.hardest_sheet.jpg" in names
    assert not files.beside(".pairs_sheet.jpg").exists()
    assert photo_sheets.confused_pairs(rows) == []
