"""A colorizer and old photos in color, as far as their files go."""

from hashlib import sha256
from pathlib import Path

from npylabel.colorizer.color_table import ALREADY_COLOR, ColorRow, write_color_rows
from npylabel.training.run_files import SUFFIXES
from tests.photos.collect_kit import lay_file

MODEL_FILES = ["colorizer.pth", *(f"colorizer{suffix}" for suffix in SUFFIXES), "colorizer.logs/events.0",
               "colorizer_checkpoint_epoch_5.pth", "colorizer_checkpoint_epoch_10.pth",
               "colorizer.samples/epoch_0001.jpg", "colorizer.samples/epoch_0002.jpg"]
PAGES = ["before_after.html", "before_after_2.html", "colorized_sheet.jpg"]
PICTURES = ["0.jpg", "1.jpg", "2.jpg"]


def colored(number: int, **changes: str) -> ColorRow:
    """The row of a colored photo, whose file holds its name."""
    return ColorRow(str(number), f"old/{number}.png", image_format="jpg",
                    picture_sha256=sha256(f"{number}.jpg".encode()).hexdigest(), **changes)


def lay_colorizer(root: Path) -> None:
    """Step 06 in a work folder: three photos in color, and one that had colors."""
    for name in MODEL_FILES:
        lay_file(root / "models" / name, name.encode())
    lay_file(root / "models/archive/colorizer_1/colorizer.pth", b"earlier")
    for name in (*PICTURES, *PAGES):
        lay_file(root / "colorized" / name, name.encode())
    write_color_rows(root / "colorized", [
        *map(colored, range(3)), ColorRow("", "old/9.png", status=ALREADY_COLOR)])
