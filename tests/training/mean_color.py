"""A task without classes: a network learns the mean color of a picture. Also a program that trains and kills itself.

Arguments of the program: the folder of the results, and after how many saves the process shall die; 0 is never.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from npylabel.base.report import StepReport
from npylabel.training import engine, keeper, plan, planning
from npylabel.training.feed import to_input
from npylabel.training.fit import fit
from npylabel.training.job import FitJob, Fitted
from npylabel.training.model_files import Kind, load_weights_file, model_in, save_model, versions_here
from npylabel.training.recipe import Recipe
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings
from npylabel.training.speed import Speed
from npylabel.training.task import Task
from npylabel.training.views import views

KIND = Kind("npylabel-colorizer/1", "train it", "train it again", "train one", "give the file that was trained")


@dataclass
class MeanColor:
    """The model."""

    state_dict: dict
    epoch: int | float
    metrics: dict
    versions: dict = field(default_factory=versions_here)


class MeanColorTask(Task):
    """Say the mean color of a picture; the nearer, the better."""

    columns = ("val_error",)
    best_by = {"val_error": -1}  # noqa: RUF012
    measures = 1

    def recipe(self, epochs: float = 0) -> Recipe:
        return Recipe(learning_rate=0.03, sizes=((1.0, 1.0),))

    def new_network(self) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1),
                             nn.Linear(8, 3))

    def prepare(
        self, pixels: torch.Tensor, targets: torch.Tensor, px: int, recipe: Recipe
    ) -> tuple[torch.Tensor, ...]:
        images = views(pixels, px, recipe)
        return images, images.mean((2, 3))

    def loss(self, network: nn.Module, recipe: Recipe, images: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(network(images).float(), wanted)

    def measure(self, network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, px: int) -> torch.Tensor:
        images = to_input(pixels, pixels.device, px)
        return (network(images).float() - images.mean((2, 3))).square().mean(1, keepdim=True)

    def judge(self, measures: torch.Tensor, targets: torch.Tensor) -> tuple[dict[str, float], dict]:
        return ({"val_error": round(float(measures.mean()), 6)} if len(measures) else {}), {}

    def model(self, weights: dict[str, torch.Tensor], row: dict, kept: Mapping) -> MeanColor:
        return MeanColor(weights, row["epoch"], {name: row[name] for name in self.columns if name in row})

    def save(self, path: Path, model: MeanColor) -> None:
        save_model(path, model, KIND)

    def load(self, path: Path) -> MeanColor:
        return model_in(path, load_weights_file(path, KIND), KIND, MeanColor)


def job(folder: Path, **changes: object) -> FitJob:
    """Forty noisy pictures of forty colors, of which nobody says a class."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 60, (40, 40, 40, 3))
    pixels = (random.integers(0, 195, (40, 1, 1, 3)) + noise).astype(np.uint8)
    values = {"network": "mean_color", "depth": 0, "input_px": 32, "epochs": 6, "batch_size": 8, "minutes": 0,
              "device": "cpu", "random_seed": 7}
    settings = TrainSettings(**{**values, **changes})
    return FitJob(MeanColorTask(), pixels, np.full(40, -1), np.arange(30), np.arange(30, 40), settings,
                  RunFiles(folder / "m.pth"), {"task": "mean_color", "random_seed": settings.random_seed})


def train(folder: Path, **changes: object) -> tuple[Fitted, StepReport]:
    """(what came of the job, the report on it)."""
    report = StepReport("train")
    return fit(job(folder, **changes), report), report


def main(folder: Path, saves: int) -> None:
    """Train with a clock that stands still, and die right after so many saves."""
    torch.set_num_threads(1)
    engine.time = SimpleNamespace(monotonic=lambda: 0.0)
    plan.SAVING_SHARE = float("inf")
    planning.measure = lambda *_arguments: Speed({32: 1.0}, 1.0, 1.0)
    write, count = keeper.save_state, []

    def save_state(*given: object) -> None:
        write(*given)
        count.append(1)
        if len(count) == saves:
            os.kill(os.getpid(), signal.SIGKILL)

    keeper.save_state = save_state
    train(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
