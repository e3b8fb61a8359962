"""The newest picture of a training takes the place of the one before, in a notebook only."""

from pathlib import Path

import IPython.display
import pytest
from PIL import Image

from npylabel.ui import live_picture
from npylabel.ui.color_pictures import samples_sheet, spread


class Shown:
    """Stands for the front end: what it shows now, and how many places it gave."""

    def __init__(self) -> None:
        self.html, self.places = "", 0

    def display(self, picture: IPython.display.HTML, *, display_id: bool) -> "Shown":
        assert display_id
        self.places += 1
        self.update(picture)
        return self

    def update(self, picture: IPython.display.HTML) -> None:
        self.html = picture.data


def strip(folder: Path, name: str, color: str = "gray") -> Path:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (256, 128), color).save(folder / name)
    return folder / name


def test_one_picture_is_shown_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, paths = Shown(), [strip(tmp_path, f"epoch_{number:04}.jpg") for number in (1, 2)]
    monkeypatch.setattr(IPython.display, "display", shown.display)
    live = live_picture.LivePicture()
    live(paths[0])
    assert shown.places == 0, "a terminal shows no pictures"
    monkeypatch.setattr(live_picture, "in_notebook", lambda: True)
    for path in paths:
        live(path)
    assert shown.places == 1 and "epoch 0002" in shown.html and "epoch 0001" not in shown.html


def test_a_sheet_shows_gray_some_epochs_and_the_truth(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    assert samples_sheet(folder, tmp_path / "sheet.jpg") is None
    for number in range(1, 12):
        strip(folder, f"epoch_{number:04}.jpg", "red" if number == 11 else "blue")
    strip(folder, "gray.jpg")
    strip(folder, "true.jpg", "white")
    (folder / "epoch_0006.jpg").write_bytes(b"cut off")
    strip(folder, "copy of epoch_0001.jpg", "black")
    sheet = Image.open(samples_sheet(folder, tmp_path / "sheet.jpg"))
    rows = [sheet.getpixel((200, 6 + row * 134 + 64)) for row in range(sheet.height // 134)]
    names = ["red" if red > 200 > green else "blue" if blue > 200 > green else "white" if green > 200 else "gray"
             for red, green, blue in rows]
    # The middle one of five cannot be read.
    assert names == ["gray", "blue", "blue", "blue", "red", "white"]


def test_the_first_and_the_last_are_always_among_the_chosen() -> None:
    assert spread([1, 2, 3], 5) == [1, 2, 3]
    assert spread([*range(1, 41)], 5) == [1, 11, 21, 30, 40]
