"""Old photos, a painter that needs no training, and what a run leaves behind."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from npylabel.base.classes import ClassTable
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.colorizer.bins import ColorBins
from npylabel.colorizer.colorize import colorize_photos
from npylabel.colorizer.painter import Sight
from npylabel.dataset.labels import write_label
from npylabel.photos.sources import PhotoRef, list_photos
from tests.photos.pictures import texture

SKY, GRASS, UNKNOWN = 3, 7, 9
TABLE = ClassTable({SKY: "небо", GRASS: "трава", 8: "лошадь", UNKNOWN: "неизвестное"}, UNKNOWN, {"луг": GRASS},
                   {5: SKY})
# ab of what is painted, by class; -1 is nothing known.
COLORS = {SKY: (0.0, -0.25), GRASS: (-0.2, 0.2), -1: (0.08, 0.12)}


class FakePainter:
    """Paints all of a photo in the color of its class; light photos look like sky to it, dark ones like nothing.

    Attributes:
        seen: (side lengths, class id) of all that was painted.
    """

    table, class_ids = TABLE, (SKY, GRASS, UNKNOWN)

    def __init__(self, sha256: str = "model1", side_px: int = 64) -> None:
        self.sha256, self.side_px = sha256, side_px
        self.seen: list[tuple[tuple[int, int], int]] = []

    def see(self, lightness: torch.Tensor) -> Sight:
        sure = lightness.mean((1, 2, 3)).clamp(0.34, 1)[:, None]
        rest = (1 - sure) / 2
        return Sight(torch.cat([sure, rest, rest], 1), partial(self.paint, lightness))

    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> torch.Tensor:
        count, _one, height, width = lightness.shape
        self.seen += [((height, width), int(class_id)) for class_id in class_ids]
        colors = torch.tensor([COLORS[int(class_id)] for class_id in class_ids])
        return colors[:, :, None, None].expand(count, 2, height, width)


def encoded(bins: ColorBins, ab: torch.Tensor) -> torch.Tensor:
    """The shares of all bins, (n, k, h, w)."""
    indices, shares = bins.neighbors(ab)
    return torch.zeros(len(ab), len(bins), *ab.shape[2:]).scatter_(1, indices, shares)


def gray_photo(seed: int = 0, width: int = 96, height: int = 64, low: int = 150, high: int = 250) -> Image.Image:
    """A grayscale picture with structure, mode L; as light as asked."""
    gray = np.asarray(texture(seed, width, height).convert("L"), np.float32) / 255
    return Image.fromarray((low + gray * (high - low)).astype(np.uint8))


def sepia(gray: Image.Image) -> Image.Image:
    """The picture as an old print: brown in the shadows, cream in the lights."""
    tone = np.asarray(gray, np.float32)[..., None] / 255
    toned = tone * (1.0, 0.93, 0.72) + (1 - tone) * tone * (0.35, 0.16, 0.0)
    return Image.fromarray((toned.clip(0, 1) * 255).astype(np.uint8))


def file_bytes(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def lay(path: Path, image: Image.Image, **options: object) -> Path:
    """The picture in a file of the format that its suffix tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def lay_label(folder: Path, stem: str, class_id: int) -> None:
    """A label file."""
    folder.mkdir(parents=True, exist_ok=True)
    write_label(folder / f"{stem}.npy", class_id)


def color(source: Path, out: Path, painter: FakePainter | None = None, **options: object) -> StepReport:
    """A run over a folder or zip."""
    return colorize_photos([source], out, painter or FakePainter(), TABLE, **options)


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The rows of the table by the originals' file names."""
    return {row["source"].partition("/")[2] or row["source"]: row for row in read_csv(out / "colorized.csv")}


def pixels(path: Path) -> np.ndarray:
    """Pixels of a file, float."""
    with Image.open(path) as image:
        assert image.mode == "RGB"
        return np.asarray(image, np.float32)


def written(out: Path) -> dict[str, int]:
    """When each picture was written."""
    return {path.name: path.stat().st_mtime_ns for path in sorted(out.iterdir()) if path.suffix in (".jpg", ".png")}


def refs_of(folder: Path) -> dict[str, PhotoRef]:
    """The photos of a folder by source."""
    return {ref.source: ref for ref in list_photos([folder]).refs}
