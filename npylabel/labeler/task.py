"""What the engine has to know of labelers: how they learn classes, how they are judged, and their files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import N_, _
from npylabel.dataset.training_data import TrainingData
from npylabel.labeler.augment import augment, mix
from npylabel.labeler.calibration import fit_temperature
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.expectation import expected_macro_f1
from npylabel.labeler.networks import create_network
from npylabel.labeler.predict import middle
from npylabel.labeler.recipe import ZOOM, LabelerRecipe, recipe_of
from npylabel.labeler.scores import Scores, score
from npylabel.training.feed import normalized, pixel_statistics, to_input
from npylabel.training.model_files import weights_sha256
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings
from npylabel.training.task import Task, same_weights


class LabelerTask(Task):
    """Tell the classes of photos apart.

    Args:
        table: of the classes, with their earlier names.
        template: all of the labeler but its weights, epoch, metrics and temperature. The targets of a job are places in
            its ``trained_ids``.
    """

    columns = ("val_loss", "val_accuracy", "val_macro_f1")
    best_by = {"val_macro_f1": 1, "val_loss": -1}  # noqa: RUF012
    looks_again = True
    said_no_better = N_("The training ended before its time: macro-F1 had not improved for {count} epochs.")

    def __init__(self, table: ClassTable, template: Checkpoint) -> None:
        self.table, self.template = table, template
        self.columns_of_ids = [table.ids.index(class_id) for class_id in template.trained_ids]
        self.measures = len(self.columns_of_ids)

    def recipe(self, epochs: float = 0) -> LabelerRecipe:
        return recipe_of(self.template.network, epochs)

    def new_network(self) -> nn.Module:
        return create_network(self.template.network, len(self.table.ids), self.template.depth)

    def prepare(
        self, pixels: torch.Tensor, targets: torch.Tensor, px: int, recipe: LabelerRecipe
    ) -> tuple[torch.Tensor, ...]:
        images, wanted = augment(pixels, px, recipe), functional.one_hot(targets, self.measures).float()
        return mix(images, wanted, recipe)

    def loss(
        self, network: nn.Module, recipe: LabelerRecipe, images: torch.Tensor, wanted: torch.Tensor
    ) -> torch.Tensor:
        return functional.cross_entropy(self._logits(network, images), wanted, label_smoothing=recipe.label_smoothing)

    def measure(self, network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, px: int) -> torch.Tensor:
        return self._logits(network, middle(to_input(pixels, pixels.device, round(ZOOM * px)), px))

    def _logits(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Logits of the trained classes, float32, for images in 0-1."""
        return network(normalized(images, self.template.mean, self.template.std))[:, self.columns_of_ids].float()

    def judge(self, measures: torch.Tensor, targets: torch.Tensor) -> tuple[dict[str, float], dict]:
        scores = judge(measures, targets.numpy(), self.template.trained_ids)
        values = {f"val_{name}": value for name, value in scores.summary().items()} if scores else {}
        return values, {"temperature": fit_temperature(measures, targets) if scores else 1.0}

    def model(self, weights: dict[str, torch.Tensor], row: dict, kept: Mapping) -> Checkpoint:
        return replace(self.template, state_dict=weights, temperature=kept["temperature"], epoch=row["epoch"],
                       input_px=row["px"],
                       metrics={name: value for name, value in row.items() if name not in ("seconds", "px")})

    def save(self, path: Path, model: Checkpoint) -> None:
        save_checkpoint(path, model)

    def load(self, path: Path) -> Checkpoint:
        return load_checkpoint(path)

    def same(self, found: Checkpoint, model: Checkpoint) -> bool:
        """The temperature of the file may have been set anew since, or its last layer (see ``refit``)."""
        if (found.epoch, found.classes_sha256) != (model.epoch, model.classes_sha256):
            return False
        if found.refit_of:
            return found.refit_of == weights_sha256(model.state_dict)
        return same_weights(found.state_dict, model.state_dict)

    def goes_on(self, files: RunFiles, known: dict, identity: dict) -> str:
        """A run that differs in the names of classes alone goes on: each id stands for the class it stood for."""
        if {**known, "classes_sha256": identity["classes_sha256"]} != identity:
            return ""
        try:
            before = self.load(files.save_path).table
        except NpyLabelError:
            return ""
        if before.ids != self.table.ids or any(self.table.find_name(name) != i for i, name in before.names.items()):
            return ""
        return _("Some classes have other names now; the training is the same and goes on.")

    def judged_text(self, row: dict) -> str:
        if "val_macro_f1" not in row:
            return ""
        return _(", validation loss {loss}, accuracy {accuracy}, macro-F1 {f1}").format(
            loss=row["val_loss"], accuracy=row["val_accuracy"], f1=row["val_macro_f1"])

    def expectation(self, photos: int, epochs: float) -> str:
        f1 = expected_macro_f1(photos / len(self.template.trained_ids), epochs)
        text = _("Trainings of such a length on so many photos reached a macro-F1 of about {f1}.")
        return "" if f1 is None else text.format(f1=f1)


def judge(logits: torch.Tensor, targets: np.ndarray, class_ids: list[int]) -> Scores | None:
    """The scores of logits ``(n, k)`` on the CPU; none where there are no photos to judge by."""
    return score(logits, torch.from_numpy(targets), class_ids) if len(logits) else None


def template_of(
    settings: TrainSettings, data: TrainingData, table: ClassTable, trained_ids: list[int], pixels: np.ndarray,
    train_rows: np.ndarray,
) -> Checkpoint:
    """All that is known of a labeler before it is trained; its normalization is that of the photos to train on.

    Args:
        settings: of the training.
        data: that the photos are of.
        table: of the classes.
        trained_ids: of the classes that have photos to train on, ascending.
        pixels: ``(n, px, px, 3)`` uint8.
        train_rows: to train on, int64.
    """
    mean, std = pixel_statistics(pixels, train_rows)
    return Checkpoint(
        state_dict={}, network=settings.network, depth=settings.depth, input_px=settings.input_px, fit=data.fit,
        mean=mean, std=std, classes=table.to_json(), classes_sha256=table.sha256, trained_ids=trained_ids,
        made_from=data.made_from, split_sha256=data.split_sha256, mixed_precision=True, zoom=ZOOM)
