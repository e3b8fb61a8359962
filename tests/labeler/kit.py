"""Tiny class folders of colored shapes, quick training runs, and an independent MiniCNN."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from npylabel.base.classes import UNKNOWN_NAME, ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.labeler.train import train_labeler
from npylabel.training.settings import TrainSettings

# Sparse ids whose order is not that of the sorted names; nobody ever gives "лес" a photo.
TABLE = ClassTable({3: "небо", 17: "дом", 40: "арбуз", 50: "лес", 99: UNKNOWN_NAME}, 99)
SHOWN = (3, 17, 40)
_COLORS = {3: (60, 130, 250), 17: (220, 60, 40), 40: (50, 200, 60), 50: (250, 220, 40), 99: (128, 128, 128)}


def draw(class_id: int, index: int, size: tuple[int, int] = (48, 48)) -> Image.Image:
    """A shape in the color of its class, over a dim background that no other index has."""
    random = np.random.default_rng(1000 * class_id + index)
    spots = Image.fromarray(random.integers(0, 110, (5, 5, 3), dtype=np.uint8))
    image = spots.resize(size, Image.Resampling.BICUBIC)
    width, height = size
    left, top = random.uniform(0.05, 0.25, 2) * size
    box = (left, top, left + 0.6 * width, top + 0.6 * height)
    pen = ImageDraw.Draw(image)
    shape = {3: pen.ellipse, 17: pen.rectangle}.get(class_id)
    if shape:
        shape(box, fill=_COLORS[class_id])
    else:
        pen.polygon([(box[0], box[3]), (box[2], box[3]), (left + 0.3 * width, top)], fill=_COLORS[class_id])
    return image


def class_folders(
    root: Path, per_class: int, table: ClassTable = TABLE, ids: Iterable[int] = SHOWN, first: int = 0
) -> Path:
    """The folder, now with one folder of PNG photos for each of the classes."""
    for class_id in ids:
        folder = root / table.names[class_id]
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(first, first + per_class):
            draw(class_id, index).save(folder / f"{class_id}_{index:03}.png")
    return root


def photo_folder(folder: Path, per_class: int, ids: Iterable[int] = SHOWN, first: int = 500) -> Path:
    """The folder, now with photos ``<class_id>_<index>.png`` to label, none of which ``class_folders`` makes."""
    folder.mkdir(parents=True, exist_ok=True)
    for class_id in ids:
        for index in range(first, first + per_class):
            draw(class_id, index).save(folder / f"{class_id}_{index}.png")
    return folder


def true_id(stem: str) -> int:
    """The class that a photo of ``photo_folder`` shows, by its name."""
    return int(stem.partition("_")[0])


def settings(**changes: object) -> TrainSettings:
    """Settings of a run that takes a second."""
    values = {"network": "minicnn", "depth": 0, "input_px": 32, "epochs": 2, "batch_size": 8, "minutes": 0,
              "device": "cpu", "random_seed": 7}
    return TrainSettings(**{**values, **changes})


def train(data_path: Path, save_path: Path, table: ClassTable = TABLE, *, resume: bool = True,
          test_dir: Path | None = None, **changes: object) -> StepReport:
    """The report of a quick run."""
    return train_labeler(data_path, save_path, table, settings(**changes), test_dir=test_dir, resume=resume)


def train_error(data_path: Path, model_path: Path, **changes: object) -> str:
    """The code of the error that training gives."""
    with pytest.raises(NpyLabelError) as error:
        train(data_path, model_path, **changes)
    return error.value.code


def files_below(folder: Path) -> dict[str, bytes]:
    """Content by name of all files in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def epochs_in(model_path: Path) -> list[int]:
    """The epochs that the history of a model lists."""
    return [int(row["epoch"]) for row in read_csv(model_path.with_suffix(".history.csv"))]


@dataclass(frozen=True)
class Trained:
    """A labeler that knows the three shapes.

    Attributes:
        data_path: what it was trained on.
        model_path: the best epoch.
        report: of the run.
    """

    data_path: Path
    model_path: Path
    report: StepReport


def original_logits(weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """What the original MiniCNN computes outside of training, from its weights alone."""
    for name in ("conv1", "conv2", "conv3"):
        images = functional.conv2d(images, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
        images = functional.max_pool2d(images.clamp(min=0), kernel_size=2, stride=2)
    flat = functional.adaptive_avg_pool2d(images, (8, 8)).reshape(len(images), 64 * 8 * 8)
    hidden = (flat @ weights["fc1.weight"].T + weights["fc1.bias"]).clamp(min=0)
    return hidden @ weights["fc2.weight"].T + weights["fc2.bias"]


def original_weights(outputs: int, side: int = 64) -> dict[str, torch.Tensor]:
    """Random weights of the original MiniCNN by which different outputs win for different ``spots`` of this side."""
    return dict(_original_weights(outputs, side))


@cache
def _original_weights(outputs: int, side: int) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = {"conv1": (16, 3, 3, 3), "conv2": (32, 16, 3, 3), "conv3": (64, 32, 3, 3), "fc1": (512, 4096),
              "fc2": (outputs, 512)}
    weights = {}
    for name, shape in shapes.items():
        inputs = int(np.prod(shape[1:]))
        weights[f"{name}.weight"] = torch.randn(shape, generator=random) * (2 / inputs) ** 0.5
        weights[f"{name}.bias"] = torch.randn(shape[:1], generator=random) * 0.1
    logits = original_logits(weights, torch.stack([spots(index, side) for index in range(8)]))
    weights["fc2.bias"] -= logits.mean(0)
    return weights


def spots(index: int, side: int) -> torch.Tensor:
    """A picture of random colored fields, coarse or fine, ``(3, side, side)`` in 0-1."""
    random = torch.Generator().manual_seed(index)
    fields = torch.rand(1, 3, 2 + 3 * index, 2 + 2 * index, generator=random)
    return functional.interpolate(fields, size=(side, side))[0]
