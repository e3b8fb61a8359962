"""What is to be trained on what, and what came of it."""

from dataclasses import dataclass, field

import numpy as np
import torch

from npylabel.base.classes import ClassTable
from npylabel.dataset.training_data import TrainingData
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.labeler.engine import pixel_statistics
from npylabel.labeler.plan import Plan
from npylabel.labeler.recipe import ZOOM
from npylabel.labeler.run_files import RunFiles
from npylabel.labeler.settings import TrainSettings


@dataclass(frozen=True)
class FitJob:
    """One training on some rows of the pixels; see ``fit.fit``.

    Attributes:
        table: of the classes, with their earlier names.
        template: all of the labeler but its weights, epoch, metrics and temperature.
        pixels: ``(n, px, px, 3)`` uint8, of ``recipe.stored_px`` or any other side.
        targets: ``(n,)`` int64, places in ``template.trained_ids``; -1 where a row is in no use.
        train_rows: to train on, int64.
        val_rows: to choose the best epoch by, int64; may be empty, then the last is the best.
        settings: how and how long.
        files: where everything goes; no two jobs share them.
        identity: what has to be the same for a run to go on; plain values.
        resume: go on with what is there.
        keep_every: a model of each epoch that this divides is kept; 0 is none.
        spent_s: seconds that the step took before, which count into ``settings.minutes``.
    """

    table: ClassTable
    template: Checkpoint
    pixels: np.ndarray
    targets: np.ndarray
    train_rows: np.ndarray
    val_rows: np.ndarray
    settings: TrainSettings
    files: RunFiles
    identity: dict
    resume: bool = True
    keep_every: int = 0
    spent_s: float = 0.0


@dataclass(frozen=True)
class Fitted:
    """What a training came to; the same is in the files of its job.

    Attributes:
        best: the labeler of the best time that it was judged.
        last: the labeler at the end.
        val_logits: of ``best`` on ``val_rows``, ``(m, k)`` float32 on the CPU, before the temperature.
        history: a row for each time that it was judged.
        plan: that was followed.
        epochs: done in all.
        epochs_now: of those in this call.
    """

    best: Checkpoint
    last: Checkpoint
    val_logits: torch.Tensor
    history: list[dict] = field(repr=False)
    plan: Plan
    epochs: int | float
    epochs_now: int | float


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
