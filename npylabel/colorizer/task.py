"""What the engine has to know of colorizers: how they learn colors, how they are judged, and their files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from npylabel.base.i18n import _
from npylabel.colorizer.bins import gamut_bins
from npylabel.colorizer.lab import rgb_to_lab
from npylabel.colorizer.losses import ab_loss, bins_loss, class_loss, colorfulness_loss
from npylabel.colorizer.model import Colorizer, load_colorizer, save_colorizer
from npylabel.colorizer.recipe import BINS, ColorRecipe
from npylabel.colorizer.samples import write_samples
from npylabel.training.feed import to_input
from npylabel.training.task import Task
from npylabel.training.views import draw, views

# Photos seen in all, each as often as it comes, below which photos of 100 kinds had an error of more than 0.018: one
# mean color for all of them has 0.0204.
_FEW_SEEN = 10_000


class ColorizerTask(Task):
    """Give photos their colors back, and name them.

    The targets of a job are places in the ``class_ids`` of the template, -1 where the class is not known.

    Args:
        template: all of the colorizer but its weights, epoch and metrics.
        recipe: how to train.
        bin_weights: how much each color counts, by bin; empty for a network that says one color.
        learns_labels: what is told teaches something: labels are known, and not all of them are held back.
    """

    columns = ("val_mse", "val_mse_label", "val_accuracy")
    best_by = {"val_mse": -1, "val_mse_label": -1}  # noqa: RUF012
    # Squared error without and with the true label, whether the class is right, and whether it is known.
    measures = 4
    samples = 8

    def __init__(
        self, template: Colorizer, recipe: ColorRecipe, bin_weights: Sequence[float] = (), *, learns_labels: bool = True
    ) -> None:
        self.template, self._recipe, self._bin_weights = template, recipe, bin_weights
        self._learns_labels = learns_labels

    def recipe(self, epochs: float = 0) -> ColorRecipe:
        return self._recipe

    def new_network(self) -> nn.Module:
        network = self.template.new_network()
        if not self._learns_labels:
            # Else a label that is told later would be noise.
            nn.init.zeros_(network.label.weight)
        if self._bin_weights:
            network.bin_centers.copy_(gamut_bins().centers)
            network.bin_weights.copy_(torch.tensor(self._bin_weights))
        return network

    def prepare(
        self, pixels: torch.Tensor, targets: torch.Tensor, px: int, recipe: ColorRecipe
    ) -> tuple[torch.Tensor, ...]:
        lightness, ab = rgb_to_lab(views(pixels, px, recipe).clamp(0, 1))
        exponent = 1 + draw(len(pixels), -recipe.tone, recipe.tone).to(lightness.device).view(-1, 1, 1, 1)
        is_told = (torch.rand(len(pixels)) >= recipe.label_dropout).to(targets.device)
        return lightness.clamp(0, 1) ** exponent, ab, targets, torch.where(is_told, targets, -1)

    def loss(
        self, network: nn.Module, recipe: ColorRecipe, lightness: torch.Tensor, ab: torch.Tensor,
        targets: torch.Tensor, told: torch.Tensor,
    ) -> torch.Tensor:
        color, class_logits = network(lightness, told)
        loss = self._color_loss(network, recipe, color, ab) + recipe.class_weight * class_loss(
            class_logits, targets, recipe.label_smoothing)
        if recipe.colorfulness_weight:
            loss = loss + recipe.colorfulness_weight * colorfulness_loss(network.ab(color), ab)
        return loss

    @staticmethod
    def _color_loss(network: nn.Module, recipe: ColorRecipe, color: torch.Tensor, ab: torch.Tensor) -> torch.Tensor:
        if recipe.color_loss != BINS:
            return ab_loss(recipe.color_loss, network.ab(color), ab)
        small = functional.adaptive_avg_pool2d(ab, color.shape[2:])
        return bins_loss(color, small, gamut_bins(str(ab.device)), network.bin_weights)

    def measure(self, network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, px: int) -> torch.Tensor:
        lightness, ab = rgb_to_lab(to_input(pixels, pixels.device, px))
        seen = network.see(lightness)
        errors = [(network.ab(network.paint(seen, known)) - ab).square().mean((1, 2, 3)) for known in (None, targets)]
        return torch.stack([*errors, (seen.class_logits.argmax(1) == targets).float(), (targets >= 0).float()], 1)

    def write_sample(self, network: nn.Module, pixels: torch.Tensor, px: int, path: Path) -> None:
        write_samples(network, pixels, px, path)

    def judge(self, measures: torch.Tensor, targets: torch.Tensor) -> tuple[dict[str, float], dict]:
        if not len(measures):
            return {}, {}
        free, told, right, known = measures.double().mean(0).tolist()
        return {"val_mse": round(free, 6), "val_mse_label": round(told, 6),
                "val_accuracy": round(right / known, 4) if known else 0.0}, {}

    def judged_text(self, row: dict) -> str:
        if "val_mse" not in row:
            return ""
        return _(", error {free} without a label and {told} with it, names {right} % right").format(
            free=row["val_mse"], told=row["val_mse_label"], right=round(100 * row["val_accuracy"]))

    def expectation(self, photos: int, epochs: float) -> str:
        seen = round(photos * epochs)
        if seen >= _FEW_SEEN:
            return ""
        return _("The network sees {seen} photos in all, the same ones again and again. Where photos show many kinds "
                 "of things, colors are little more than brown below {few}: collect more photos, or set minutes or "
                 "more epochs.").format(seen=seen, few=_FEW_SEEN)

    def model(self, weights: dict[str, torch.Tensor], row: dict, kept: Mapping) -> Colorizer:
        return replace(self.template, state_dict=weights, epoch=row["epoch"], input_px=row["px"],
                       metrics={name: value for name, value in row.items() if name not in ("seconds", "px")})

    def save(self, path: Path, model: Colorizer) -> None:
        save_colorizer(path, model)

    def load(self, path: Path) -> Colorizer:
        return load_colorizer(path)
