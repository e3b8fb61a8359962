"""What happens at each stop of a training: it is judged, its best is noted, and all is saved."""

import csv
import io
import math
from collections.abc import Sequence

import lightning
import numpy as np
import torch

from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.training.engine import TrainingModule, weights_of
from npylabel.training.feed import PixelFeed
from npylabel.training.job import FitJob
from npylabel.training.plan import Plan
from npylabel.training.recipe import Recipe, train_px
from npylabel.training.resuming import run_values
from npylabel.training.states import save_state
from npylabel.training.task import Task

# Of the history, before those of the task.
COLUMNS = ("epoch", "seconds", "px", "train_loss")
# Steps at which the work that is left is added up.
_POINTS = 100


class Keeper(lightning.Callback):
    """Judges and saves at the stops of the plan, and ends the training.

    Args:
        job: what is trained.
        plan: of the training.
        feed: has the photos to judge by.
        state: to go on from, or None.

    Attributes:
        saved: the state that was saved last.
    """

    def __init__(self, job: FitJob, plan: Plan, feed: PixelFeed, state: dict | None) -> None:
        self.job, self.plan, self.feed, self.loaded = job, plan, feed, state
        self.saved: dict = {}
        self._kept: dict = {}
        self._seconds = self._work = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: TrainingModule) -> None:
        if self.loaded:
            trainer.optimizers[0].load_state_dict(self.loaded["optimizer"])
            trainer.strategy.precision_plugin.load_state_dict(self.loaded["precision"])

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: TrainingModule) -> None:
        before = self._step_before(pl_module)
        targets = torch.from_numpy(self.job.targets[self.job.val_rows])
        judged, self._kept = self.job.task.judge(self._measures(trainer, pl_module, targets), targets)
        row = pl_module.close_row(judged, self._kept)
        ended = pl_module.step >= self.plan.total or stopped_early(
            self.job.task, pl_module.history, self.plan, self.job.settings.patience, self.job.settings.input_px)
        if trainer.is_global_zero:
            self._tell(pl_module, row, before)
            if trainer.logger:
                trainer.logger.log_metrics(dict(row), step=pl_module.step)
            self._keep_epoch(pl_module, row)
            self._keep_sample(trainer, pl_module, row)
            if ended or self.plan.is_save(pl_module.step):
                self._save(trainer, pl_module)
        trainer.should_stop = ended

    def _step_before(self, module: TrainingModule) -> int:
        return round(module.history[-1]["epoch"] * self.plan.epoch_steps) if module.history else 0

    @torch.no_grad()
    def _measures(self, trainer: lightning.Trainer, module: TrainingModule, targets: torch.Tensor) -> torch.Tensor:
        """What the photos to judge by are judged by, in the precision of the training, on the CPU."""
        rows, (rank, processes) = self.job.val_rows, module.share
        measures = torch.zeros(len(rows), self.job.task.measures, device=module.device)
        at_once = module.judged_at_once
        starts = range(0, len(rows), at_once)
        with trainer.precision_plugin.forward_context():
            for start in starts[rank::processes]:
                part = slice(start, start + at_once)
                measures[part] = module.measured(self.feed.take(rows[part]), targets[part].to(module.device))
        if processes > 1:
            torch.distributed.all_reduce(measures)
        return measures.cpu()

    def _tell(self, module: TrainingModule, row: dict, before: int) -> None:
        self._seconds += row["seconds"]
        self._work += self._work_of(before, module.step, module.recipe)
        left_s = self._seconds / self._work * self._work_of(module.step, self.plan.total, module.recipe)
        print(row_text(self.job.task, row, left_s), flush=True)

    def _work_of(self, start: int, end: int, recipe: Recipe) -> float:
        """Work of the steps, in pixels of training pictures."""
        steps = np.linspace(start, max(start, end - 1), _POINTS)
        sides = [train_px(recipe, self.job.settings.input_px, self.plan.done(int(step))) for step in steps]
        return (end - start) * float(np.mean(np.square(sides, dtype=np.float64)))

    def _keep_epoch(self, module: TrainingModule, row: dict) -> None:
        every = self.job.keep_every
        if every and row["epoch"] % every == 0:
            task = self.job.task
            task.save(self.job.files.epoch(int(row["epoch"])), task.model(
                weights_of(module.averaged), row, self._kept))

    @torch.no_grad()
    def _keep_sample(self, trainer: lightning.Trainer, module: TrainingModule, row: dict) -> None:
        job, rows = self.job, some_rows(self.job)
        if not len(rows):
            return
        # Parts of an epoch share its picture.
        path = job.files.samples / f"epoch_{math.ceil(row['epoch']):04}.jpg"
        with trainer.precision_plugin.forward_context():
            job.task.write_sample(module.averaged, self.feed.take(rows), module.judged_px, path)
        if job.watch:
            job.watch(path)

    def _save(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        """The state first: all other files can be made from it."""
        state = {**module.state(), "optimizer": trainer.optimizers[0].state_dict(),
                 "precision": trainer.strategy.precision_plugin.state_dict(), **self._kept,
                 "run": run_values(self.job.identity, self.plan)}
        save_state(self.job.files, state)
        write_models(self.job, state)
        self.saved = state


def some_rows(job: FitJob) -> np.ndarray:
    """The photos that the task shows what it does with, spread over those to judge by, or else to train on."""
    rows = job.val_rows if len(job.val_rows) else job.train_rows
    # In the middle of equal parts: photos are in the order of their names, and their ends are alike.
    places = (np.arange(job.task.samples) + 0.5) / max(1, job.task.samples) * len(rows)
    return rows[np.unique(places.astype(np.int64))]


def write_models(job: FitJob, state: dict) -> None:
    """Write the models and the history that a state tells of, where they are not there in just this way."""
    task, best = job.task, state["best"]
    for path, model in ((job.files.save_path, task.model(best["weights"], best["row"], best)),
                        (job.files.last, task.model(state["averaged"], state["history"][-1], state))):
        if not task.is_there(path, model):
            task.save(path, model)
    text = history_csv(state["history"], task.columns)
    history = job.files.beside(".history.csv")
    if not history.is_file() or history.read_text(encoding="utf-8") != text:
        write_text(history, text)


def stopped_early(task: Task, history: Sequence[dict], plan: Plan, patience: int, input_px: int) -> bool:
    """Whether so many whole epochs of this segment brought nothing better for the task; 0 is never.

    Only epochs with pictures of the last size count: before, the best is still to come.
    """
    name, sign = next(iter(task.best_by.items()))
    judged = [row for row in history if row["px"] == input_px]
    if not patience or not judged or name not in judged[-1]:
        return False
    best = max(judged, key=lambda row: sign * row[name])  # The first of equal ones.
    since = max(best["epoch"], plan.epochs(plan.segments[-1].start))
    return history[-1]["epoch"] - since >= patience


def row_text(task: Task, row: dict, left_s: float) -> str:
    """A line on one row of the history, with the time that is left."""
    text = _("epoch {epoch}: {seconds} s, training loss {loss}").format(
        epoch=row["epoch"], seconds=row["seconds"], loss=row["train_loss"]) + task.judged_text(row)
    return text + (_("; about {time} left").format(time=time_text(left_s)) if left_s else "")


def time_text(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return _("{count} s").format(count=round(seconds))
    if seconds < 90 * 60:
        return _("{count} min").format(count=round(seconds / 60))
    return _("{hours} h {minutes} min").format(hours=int(seconds // 3600), minutes=round(seconds % 3600 // 60))


def history_csv(history: Sequence[dict], columns: Sequence[str]) -> str:
    """The history as CSV text, with these columns of the task."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*COLUMNS, *columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()
