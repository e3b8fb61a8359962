"""Contact sheets: many photos on one picture."""

import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from npylabel.base.classes import nfc
from npylabel.base.files import write_bytes
from npylabel.dataset.labels import read_label_rows, table_path

TILE_PX = 128
GAP_PX = 6
CAPTION_PX = 18
COLUMNS = 8
PAPER, INK = (250, 250, 248), (40, 40, 40)

Color = tuple[int, int, int]


def contact_sheet(tiles: Sequence[tuple[Path, str]], path: Path, *, columns: int = COLUMNS) -> Path:
    """A JPEG of the pictures with their captions, written to ``path``.

    Args:
        tiles: (picture file, caption); a picture that cannot be read leaves its place empty.
        path: of the sheet.
        columns: pictures in a row.
    """
    return captioned_sheet([(picture, [(caption, INK)]) for picture, caption in tiles], path, columns=columns)


def captioned_sheet(
    tiles: Sequence[tuple[Path, Sequence[tuple[str, Color]]]], path: Path, *, columns: int = COLUMNS
) -> Path:
    """A JPEG of the pictures above their lines of text, written to ``path``.

    Args:
        tiles: (picture file, its lines as text and color); a picture that cannot be read leaves its place empty.
        path: of the sheet.
        columns: pictures in a row.
    """
    columns = max(1, min(columns, len(tiles)))
    rows, lines = max(1, -(-len(tiles) // columns)), max((len(text) for _picture, text in tiles), default=1)
    width, height = TILE_PX + GAP_PX, TILE_PX + GAP_PX + lines * CAPTION_PX
    sheet = Image.new("RGB", (columns * width + GAP_PX, rows * height + GAP_PX), PAPER)
    draw, font = ImageDraw.Draw(sheet), sheet_font(11)
    for index, (picture, text) in enumerate(tiles):
        left, top = GAP_PX + index % columns * width, GAP_PX + index // columns * height
        if small := thumbnail(picture, TILE_PX):
            sheet.paste(small, (left, top))
        for line, (words, color) in enumerate(text):
            place = (left, top + TILE_PX + 2 + line * (CAPTION_PX - 2))
            draw.text(place, shortened(words, draw, font, TILE_PX), color, font)
    return save_sheet(sheet, path)


def save_sheet(sheet: Image.Image, path: Path) -> Path:
    """Write the sheet as a JPEG to ``path``."""
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=88)
    write_bytes(path, file.getvalue())
    return path


def pair_tiles(dataset_dir: Path, names: Sequence[str], most: int = 16) -> list[tuple[Path, str]]:
    """Tiles of color and grayscale files side by side, of some of the names (file names in both folders)."""
    return [(dataset_dir / folder / name, Path(name).stem if folder == "color" else "")
            for name in pick(names, most) for folder in ("color", "bw")]


def pick(names: Sequence[str], most: int) -> list[str]:
    """Some of the names, in their order: a sample that is the same every time and follows no rhythm of the names."""
    chosen = set(sorted(names, key=lambda name: sha256(name.encode("utf-8", "replace")).hexdigest())[:most])
    return [name for name in names if name in chosen]


def class_tiles(data_path: Path) -> list[tuple[Path, str]]:
    """Tiles of the first photo of each class folder of a training folder."""
    folders = sorted(path for path in data_path.iterdir() if path.is_dir())
    firsts = [(folder, next(iter(sorted(folder.glob("*.png"))), None)) for folder in folders]
    return [(first, folder.name) for folder, first in firsts if first]


def label_tiles(color_dir: Path, labels_dir: Path, most: int = 32) -> list[tuple[Path, str]]:
    """Tiles of some photos with class name and confidence."""
    rows = read_label_rows(table_path(labels_dir))
    names = [path.name for path in sorted(color_dir.iterdir()) if nfc(path.stem) in rows]
    tiles = []
    for name in pick(names, most):
        row = rows[nfc(Path(name).stem)]
        tiles.append((color_dir / name, f"{row.class_name} {row.confidence}".strip()))
    return tiles


def thumbnail(path: Path, side: int) -> Image.Image | None:
    """The picture as a square of this side, or None where it cannot be read."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (side, side))
            return image.convert("RGB").resize((side, side), Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError):
        return None


def sheet_font(size: int) -> ImageFont.ImageFont:
    """A font with Cyrillic letters: Matplotlib brings one, Pillow's own has none."""
    from matplotlib import font_manager

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def shortened(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont, width: int) -> str:
    """The text, cut to a width in pixels."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text + "…"
