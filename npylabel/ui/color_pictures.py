"""Pictures of a colorizer's training: its errors by epoch, and how a few photos got their colors."""

import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from npylabel.base.i18n import _
from npylabel.base.tables import read_csv
from npylabel.colorizer.samples import GRAY, TRUE
from npylabel.training.run_files import RunFiles
from npylabel.ui.plots import plot_color_curves
from npylabel.ui.sheets import GAP_PX, INK, PAPER, save_sheet, sheet_font

# Rows of the sheet between the gray photos and the true ones.
_EPOCHS = 5
_CAPTION_PX = 90


def color_pictures(files: RunFiles) -> dict[str, Path]:
    """The pictures of a training by caption, those that can be made.

    Args:
        files: of the run.
    """
    pictures, history = {}, read_csv(files.beside(".history.csv"))
    if sheet := samples_sheet(files.samples, files.beside(".samples_sheet.jpg")):
        pictures[_("Photos that were not trained on: gray, colored at some of the epochs, and as they are")] = sheet
    if history:
        pictures[_("Training")] = plot_color_curves(history, files.beside(".curves.png"))
    return pictures


def samples_sheet(folder: Path, path: Path) -> Path | None:
    """A JPEG with the strips of the folder below each other: gray, some of the epochs, true; None where there are none.

    Args:
        folder: of ``<stem>.samples``.
        path: of the sheet.
    """
    epochs = {int(match[1]): file for file in (folder.iterdir() if folder.is_dir() else ())
              if (match := re.fullmatch(r"epoch_(\d+)\.jpg", file.name))}
    rows = [(_("epoch {epoch}").format(epoch=epoch), epochs[epoch]) for epoch in spread(sorted(epochs), _EPOCHS)]
    rows = [(_("gray"), folder / GRAY), *rows, (_("as it was"), folder / TRUE)]
    strips = [(caption, strip) for caption, file in rows if (strip := _opened(file))]
    if not epochs or not strips:
        return None
    width, height = max(strip.width for _caption, strip in strips), strips[0][1].height + GAP_PX
    sheet = Image.new("RGB", (_CAPTION_PX + width + GAP_PX, len(strips) * height + GAP_PX), PAPER)
    draw, font = ImageDraw.Draw(sheet), sheet_font(12)
    for row, (caption, strip) in enumerate(strips):
        sheet.paste(strip, (_CAPTION_PX, GAP_PX + row * height))
        draw.text((GAP_PX, GAP_PX + row * height + strip.height // 2 - 8), caption, INK, font)
    return save_sheet(sheet, path)


def spread(numbers: Sequence[int], most: int) -> list[int]:
    """So many of the numbers at most, evenly from the first to the last."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[round(place * (len(numbers) - 1) / (most - 1))] for place in range(most)]


def _opened(path: Path) -> Image.Image | None:
    """The picture, or None where it cannot be read: a sheet never makes a training look failed."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError):
        return None
