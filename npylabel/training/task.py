"""What a network is to learn: the one place in which trainings differ."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import N_
from npylabel.training.recipe import Recipe
from npylabel.training.run_files import RunFiles


class Task(ABC):
    """What is learned. Time, steps, files, resuming and devices are the engine's; see ``fit.fit``.

    It travels to other processes, so it holds plain values only. A model is a dataclass with its weights by name in
    ``state_dict`` and its ``epoch``. A row is one of the history: epoch, seconds, px (side of the pictures),
    train_loss and ``columns``.

    Attributes:
        columns: of the history, of what ``judge`` gives.
        best_by: of these, those by which rows compare, the weightiest first: 1 where more is better, -1 where less is.
            By the first a training that gets no better ends early.
        measures: how many numbers ``measure`` gives of a photo.
        looks_again: whether the model looks at all its photos once more after the training, which takes time.
        samples: photos that ``write_sample`` gets, each time that the network is judged; 0 is none.
        said_no_better: that it ended early, after so many epochs ({count}).
    """

    columns: ClassVar[tuple[str, ...]]
    best_by: ClassVar[Mapping[str, int]]
    measures: int
    looks_again: ClassVar[bool] = False
    samples: ClassVar[int] = 0
    said_no_better: ClassVar[str] = N_(
        "The training ended before its time: it had not become better for {count} epochs.")

    @abstractmethod
    def recipe(self, epochs: float = 0) -> Recipe:
        """How to train for so many epochs in all; 0 is a short training."""

    @abstractmethod
    def new_network(self) -> nn.Module:
        """The network with random weights; what else it needs on its device is in its buffers."""

    @abstractmethod
    def prepare(self, pixels: torch.Tensor, targets: torch.Tensor, px: int, recipe: Recipe) -> tuple[torch.Tensor, ...]:
        """What ``loss`` compares, a row for each photo: everything that is random in the photos is drawn here.

        Args:
            pixels: ``(b, h, w, 3)`` uint8.
            targets: ``(b,)`` int64, as in ``FitJob.targets``.
            px: side of the training pictures at this step.
            recipe: of the training.
        """

    @abstractmethod
    def loss(self, network: nn.Module, recipe: Recipe, *prepared: torch.Tensor) -> torch.Tensor:
        """The mean loss of rows of what ``prepare`` gave: of all, or of a share where several processes train."""

    @abstractmethod
    def measure(self, network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, px: int) -> torch.Tensor:
        """What photos are judged by, ``(b, measures)`` float32; of each photo by itself.

        Args:
            network: in evaluation.
            pixels: ``(b, h, w, 3)`` uint8, unchanged photos.
            targets: ``(b,)`` int64.
            px: side of the pictures that the network knows at this step.
        """

    @abstractmethod
    def judge(self, measures: torch.Tensor, targets: torch.Tensor) -> tuple[dict[str, float], dict]:
        """(rounded numbers by ``columns``, plain values by name that ``model`` needs besides).

        Args:
            measures: of all photos to judge by, ``(n, measures)`` on the CPU; without any (n is 0) there are no
                numbers, and the last model is the best.
            targets: ``(n,)`` int64.
        """

    @abstractmethod
    def model(self, weights: dict[str, torch.Tensor], row: dict, kept: Mapping) -> Any:
        """The model with these weights, as it was when the row was written.

        Args:
            weights: by name, on the CPU.
            row: of the history.
            kept: has the values of ``judge``'s second part at that time, among others.
        """

    @abstractmethod
    def save(self, path: Path, model: Any) -> None:
        """Write a model, whole or not at all; equal models are equal files."""

    @abstractmethod
    def load(self, path: Path) -> Any:
        """The model of ``save``; raises ``NpyLabelError`` where there is none."""

    def same(self, found: Any, model: Any) -> bool:
        """Whether the model in a file needs not be written anew."""
        return found.epoch == model.epoch and same_weights(found.state_dict, model.state_dict)

    def write_sample(self, network: nn.Module, pixels: torch.Tensor, px: int, path: Path) -> None:  # noqa: B027
        """Show in a picture file what the network makes of some photos; where ``samples`` is 0, nobody asks.

        Args:
            network: in evaluation.
            pixels: ``(samples, h, w, 3)`` uint8, the same photos each time.
            px: side of the pictures that the network knows at this step.
            path: of the picture, in a folder of this training alone.
        """

    def goes_on(self, files: RunFiles, known: dict, identity: dict) -> str:
        """Why an earlier run goes on although its identity was another one, to say it; "" where it does not."""
        return ""

    def judged_text(self, row: dict) -> str:
        """How a line on a row ends that begins with epoch, seconds and training loss; "" where it was not judged."""
        return "".join(f", {name} {row[name]}" for name in self.columns if name in row)

    def expectation(self, photos: int, epochs: float) -> str:
        """What to expect of a training on so many photos, to say it before; "" where nobody knows."""
        return ""

    def is_there(self, path: Path, model: Any) -> bool:
        """Whether a file holds a model already."""
        try:
            return self.same(self.load(path), model)
        except NpyLabelError:
            return False


def same_weights(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> bool:
    """Whether weights have the same names and values."""
    return found.keys() == wanted.keys() and all(torch.equal(value, wanted[name]) for name, value in found.items())
