"""Sheets of validation photos: the hardest, those taken for another class, and where the network looked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from npylabel.base.i18n import _
from npylabel.labeler.calibration import percent
from npylabel.ui.sheets import GAP_PX, INK, PAPER, pick, save_sheet, sheet_font, shortened, thumbnail

HARDEST, PAIRS, WRONG_OF_PAIR, LOOKED_AT = 32, 10, 4, 16
GREEN, RED, GRAY = (47, 133, 90), (197, 48, 48), (130, 130, 130)
_TILE_PX, _LINE_PX, _FRAME_PX = 128, 17, 3

Row = dict[str, str]


@dataclass(frozen=True)
class Tile:
    """A picture with its frame and lines of text below.

    Attributes:
        pictures: side by side; None leaves a place empty.
        lines: (text, color).
        frame: color around the pictures.
        badge: short text on the frame.
    """

    pictures: Sequence[Image.Image | None]
    lines: Sequence[tuple[str, tuple[int, int, int]]]
    frame: tuple[int, int, int]
    badge: str = ""


def hardest_sheet(rows: Sequence[Row], data_path: Path, path: Path) -> Path:
    """A JPEG of the photos with the highest loss: the class, and what the labeler said instead or too timidly.

    Args:
        rows: of ``<stem>.predictions.csv``, the hardest first.
        data_path: the folder of the photos.
        path: of the sheet.
    """
    tiles = [_photo_tile(row, [thumbnail(data_path / row["path"], _TILE_PX)]) for row in rows[:HARDEST]]
    return save_sheet(_grid(tiles, columns=8), path)


def activation_sheet(
    rows: Sequence[Row], data_path: Path, path: Path, heat_of: Callable[[Sequence[Row]], Sequence[np.ndarray | None]]
) -> Path:
    """A JPEG of photos right and wrong, each beside a picture of where the network looked.

    Args:
        rows: of ``<stem>.predictions.csv``.
        data_path: the folder of the photos.
        path: of the sheet.
        heat_of: heat maps ``(h, w)`` in 0-1 of photos, None where one is gone.
    """
    chosen = looked_at(rows)
    tiles = []
    for row, heat in zip(chosen, heat_of(chosen), strict=True):
        photo = thumbnail(data_path / row["path"], _TILE_PX)
        tiles.append(_photo_tile(row, [photo, None if photo is None or heat is None else _overlay(photo, heat)]))
    return save_sheet(_grid(tiles, columns=4), path)


def looked_at(rows: Sequence[Row]) -> list[Row]:
    """Half right photos, a sample of different classes, and half wrong ones, those that the labeler was surest of."""
    right = _one_by_class([row for row in rows if row["true_id"] == row["predicted_id"]])
    wrong = sorted((row for row in rows if row["true_id"] != row["predicted_id"]),
                   key=lambda row: (-float(row["confidence"]), row["path"]))
    wrong = wrong[:max(LOOKED_AT // 2, LOOKED_AT - len(right))]
    names = set(pick([row["path"] for row in right], LOOKED_AT - len(wrong)))
    return [*(row for row in right if row["path"] in names), *wrong]


def _one_by_class(rows: Sequence[Row]) -> list[Row]:
    by_class: dict[str, list[str]] = {}
    for row in rows:
        by_class.setdefault(row["true_id"], []).append(row["path"])
    names = {name for paths in by_class.values() for name in pick(paths, 1)}
    return [row for row in rows if row["path"] in names]


def pairs_sheet(rows: Sequence[Row], data_path: Path, path: Path) -> Path:
    """A JPEG of the pairs that are mistaken most often: a row for each, between an example of either class.

    Args:
        rows: of ``<stem>.predictions.csv``; some are wrong.
        data_path: the folder of the photos.
        path: of the sheet.
    """
    pairs = confused_pairs(rows)
    across, down = _TILE_PX + GAP_PX, _TILE_PX + _LINE_PX + 3 * GAP_PX
    text_px = 210
    sheet = Image.new("RGB", (text_px + (WRONG_OF_PAIR + 2) * across + 3 * GAP_PX, len(pairs) * down + GAP_PX), PAPER)
    for number, (true_id, predicted_id, wrong) in enumerate(pairs):
        top = GAP_PX + number * down
        _write_pair(sheet, top, text_px, wrong, sum(row["true_id"] == true_id for row in rows))
        shown = [(_example(rows, true_id), wrong[0]["true"], GREEN, GAP_PX)]
        shown += [(row, percent(float(row["confidence"])), RED, 2 * GAP_PX) for row in wrong[:WRONG_OF_PAIR]]
        for place, (row, caption, color, shift) in enumerate(shown):
            _paste(sheet, _pair_tile(row, data_path, caption, color), text_px + place * across + shift, top)
        _paste(sheet, _pair_tile(_example(rows, predicted_id), data_path, wrong[0]["predicted"], GREEN),
               text_px + (WRONG_OF_PAIR + 1) * across + 3 * GAP_PX, top)
        ImageDraw.Draw(sheet).line((GAP_PX, top + down - GAP_PX, sheet.width - GAP_PX, top + down - GAP_PX),
                                   (225, 225, 222))
    return save_sheet(sheet, path)


def confused_pairs(rows: Sequence[Row]) -> list[tuple[str, str, list[Row]]]:
    """(true id, predicted id, their photos) of the pairs that are mistaken most often, surest photos first."""
    wrong = [row for row in rows if row["true_id"] != row["predicted_id"]]
    counts = Counter((row["true_id"], row["predicted_id"]) for row in wrong)
    pairs = sorted(counts, key=lambda pair: (-counts[pair], int(pair[0]), int(pair[1])))[:PAIRS]
    return [(*pair, sorted((row for row in wrong if (row["true_id"], row["predicted_id"]) == pair),
                           key=lambda row: (-float(row["confidence"]), row["path"]))) for pair in pairs]


def _example(rows: Sequence[Row], class_id: str) -> Row | None:
    """The photo of a class that the labeler is surest of; None where no validation photo shows it."""
    own = [row for row in rows if row["true_id"] == class_id]
    return min(own, key=lambda row: float(row["loss"]), default=None)


def _write_pair(sheet: Image.Image, top: int, width: int, wrong: Sequence[Row], photos: int) -> None:
    draw, large, small = ImageDraw.Draw(sheet), sheet_font(13), sheet_font(11)
    count = _("{wrong} of {photos} photos").format(wrong=len(wrong), photos=photos)
    lines = ((wrong[0]["true"], large, INK), (_("taken for"), small, GRAY), (wrong[0]["predicted"], large, INK),
             (count, small, RED))
    for number, (text, font, color) in enumerate(lines):
        draw.text((2 * GAP_PX, top + 22 + 22 * number), shortened(text, draw, font, width - 3 * GAP_PX), color, font)


def _pair_tile(row: Row | None, data_path: Path, caption: str, color: tuple[int, int, int]) -> Tile:
    photo = thumbnail(data_path / row["path"], _TILE_PX) if row else None
    return Tile([photo], [(caption, color)], color)


def _photo_tile(row: Row, pictures: Sequence[Image.Image | None]) -> Tile:
    right = row["true_id"] == row["predicted_id"]
    color = GREEN if right else RED
    said = f"{'✓' if right else '→'} {row['predicted']}"
    return Tile(pictures, [(row["true"], INK), (said, color)], color, percent(float(row["confidence"])))


def _overlay(photo: Image.Image, heat: np.ndarray) -> Image.Image:
    """The photo in gray under the heat in color, stronger where it is hotter."""
    from matplotlib import colormaps

    large = Image.fromarray(np.round(heat * 255).astype(np.uint8)).resize(photo.size, Image.Resampling.BICUBIC)
    share = np.asarray(large, np.float32)[..., None] / 255
    gray = np.asarray(photo.convert("L"), np.float32)[..., None]
    color = colormaps["turbo"](share[..., 0])[..., :3] * 255
    return Image.fromarray((gray * (1 - 0.6 * share) + color * 0.6 * share).astype(np.uint8))


def _grid(tiles: Sequence[Tile], columns: int) -> Image.Image:
    columns = max(1, min(columns, len(tiles)))
    rows = max(1, -(-len(tiles) // columns))
    wide = max((len(tile.pictures) for tile in tiles), default=1)
    lines = max((len(tile.lines) for tile in tiles), default=0)
    across, down = wide * _TILE_PX + 2 * GAP_PX, _TILE_PX + lines * _LINE_PX + 2 * GAP_PX
    sheet = Image.new("RGB", (columns * across + GAP_PX, rows * down + GAP_PX), PAPER)
    for index, tile in enumerate(tiles):
        _paste(sheet, tile, GAP_PX + index % columns * across, GAP_PX + index // columns * down)
    return sheet


def _paste(sheet: Image.Image, tile: Tile, left: int, top: int) -> None:
    draw, font = ImageDraw.Draw(sheet), sheet_font(10)
    width = len(tile.pictures) * _TILE_PX
    for place, picture in enumerate(tile.pictures):
        box = (left + place * _TILE_PX, top)
        if picture:
            sheet.paste(picture, box)
        else:
            draw.rectangle((*box, box[0] + _TILE_PX - 1, top + _TILE_PX - 1), (232, 232, 228))
    draw.rectangle((left, top, left + width - 1, top + _TILE_PX - 1), outline=tile.frame, width=_FRAME_PX)
    if tile.badge:
        room = draw.textlength(tile.badge, font) + 8
        draw.rectangle((left, top, left + room, top + _LINE_PX), fill=tile.frame)
        draw.text((left + 4, top + 2), tile.badge, PAPER, font)
    for number, (text, color) in enumerate(tile.lines):
        draw.text((left, top + _TILE_PX + 2 + number * _LINE_PX), shortened(text, draw, font, width), color, font)
