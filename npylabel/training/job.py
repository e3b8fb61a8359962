"""What is to be trained on what, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from npylabel.training.order import EpochOrder
from npylabel.training.plan import Plan
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings
from npylabel.training.task import Task


@dataclass(frozen=True)
class FitJob:
    """One training on some rows of the pixels; see ``fit.fit``.

    Attributes:
        task: what is learned.
        pixels: ``(n, px, px, 3)`` uint8, of ``recipe.stored_px`` or any other side.
        targets: ``(n,)`` int64: the classes by which an epoch is filled (see ``order``); -1 where a photo has none.
        train_rows: to train on, int64.
        val_rows: to choose the best epoch by, int64; may be empty, then the last is the best.
        settings: how and how long; its ``input_px`` is not 0.
        files: where everything goes; no two jobs share them.
        identity: what has to be the same for a run to go on; plain values.
        resume: go on with what is there.
        keep_every: a model of each epoch that this divides is kept; 0 is none.
        spent_s: seconds that the step took before, which count into ``settings.minutes``.
        watch: is called with each picture that the task writes of what the network does, by the process that trains
            where there is one alone.
    """

    task: Task
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
    watch: Callable[[Path], None] | None = None

    def order(self) -> EpochOrder:
        """The order in which the photos are shown."""
        return EpochOrder(self.targets[self.train_rows], self.settings.batch_size, self.settings.fill_to,
                          self.settings.random_seed)


@dataclass(frozen=True)
class Fitted:
    """What a training came to; the same is in the files of its job.

    Attributes:
        best: the model of the best time that it was judged.
        last: the model at the end.
        history: a row for each time that it was judged.
        plan: that was followed.
        epochs: done in all.
        epochs_now: of those in this call.
    """

    best: Any
    last: Any
    history: list[dict] = field(repr=False)
    plan: Plan
    epochs: int | float
    epochs_now: int | float
