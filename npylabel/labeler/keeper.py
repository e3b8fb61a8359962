"""What happens at each stop of a training: it is judged, its best is noted, and all is saved."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.labeler.calibration import fit_temperature
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.engine import JUDGED_AT_ONCE, LabelerModule, judge, weights_of
from npylabel.labeler.feed import PixelFeed
from npylabel.labeler.job import FitJob
from npylabel.labeler.plan import Plan
from npylabel.labeler.recipe import Recipe, train_px
from npylabel.labeler.refit import weights_sha256
from npylabel.labeler.resuming import run_values
from npylabel.labeler.states import save_state

HISTORY_COLUMNS = ("epoch", "seconds", "px", "train_loss", "val_loss", "val_accuracy", "val_macro_f1")
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
        self.temperature = state["temperature"] if state else 1.0
        self.saved: dict = {}
        self._seconds = self._work = 0.0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: LabelerModule) -> None:
        if self.loaded:
            trainer.optimizers[0].load_state_dict(self.loaded["optimizer"])
            trainer.strategy.precision_plugin.load_state_dict(self.loaded["precision"])

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: LabelerModule) -> None:
        before = self._step_before(pl_module)
        logits, targets = self._logits(trainer, pl_module), self.job.targets[self.job.val_rows]
        row = pl_module.close_row(judge(logits, targets, pl_module.class_ids))
        self.temperature = fit_temperature(logits, torch.from_numpy(targets)) if len(logits) else 1.0
        if pl_module.best["row"] is row:
            pl_module.best["temperature"] = self.temperature
        ended = pl_module.step >= self.plan.total or stopped_early(
            pl_module.history, self.plan, self.job.settings.patience, self.job.template.input_px)
        if trainer.is_global_zero:
            self._tell(pl_module, row, before)
            if trainer.logger:
                trainer.logger.log_metrics(dict(row), step=pl_module.step)
            self._keep_epoch(pl_module, row)
            if ended or self.plan.is_save(pl_module.step):
                self._save(trainer, pl_module)
        trainer.should_stop = ended

    def _step_before(self, module: LabelerModule) -> int:
        return round(module.history[-1]["epoch"] * self.plan.epoch_steps) if module.history else 0

    @torch.no_grad()
    def _logits(self, trainer: lightning.Trainer, module: LabelerModule) -> torch.Tensor:
        """Logits ``(n, k)`` of the photos to judge by, in the precision of the training, on the CPU."""
        rows, (rank, processes) = self.job.val_rows, module.share
        logits = torch.zeros(len(rows), len(module.columns), device=module.device)
        starts = range(0, len(rows), JUDGED_AT_ONCE)
        with trainer.precision_plugin.forward_context():
            for start in starts[rank::processes]:
                part = slice(start, start + JUDGED_AT_ONCE)
                logits[part] = module.logits(self.feed.take(rows[part]))
        if processes > 1:
            torch.distributed.all_reduce(logits)
        return logits.cpu()

    def _tell(self, module: LabelerModule, row: dict, before: int) -> None:
        self._seconds += row["seconds"]
        self._work += self._work_of(before, module.step, module.recipe)
        left_s = self._seconds / self._work * self._work_of(module.step, self.plan.total, module.recipe)
        print(row_text(row, left_s), flush=True)

    def _work_of(self, start: int, end: int, recipe: Recipe) -> float:
        """Work of the steps, in pixels of training pictures."""
        steps = np.linspace(start, max(start, end - 1), _POINTS)
        sides = [train_px(recipe, self.job.template.input_px, self.plan.done(int(step))) for step in steps]
        return (end - start) * float(np.mean(np.square(sides, dtype=np.float64)))

    def _keep_epoch(self, module: LabelerModule, row: dict) -> None:
        every = self.job.keep_every
        if every and row["epoch"] % every == 0:
            save_checkpoint(self.job.files.epoch(int(row["epoch"])), checkpoint_of(
                self.job.template, weights_of(module.averaged), row, self.temperature))

    def _save(self, trainer: lightning.Trainer, module: LabelerModule) -> None:
        """The state first: all other files can be made from it."""
        state = {**module.state(), "optimizer": trainer.optimizers[0].state_dict(),
                 "precision": trainer.strategy.precision_plugin.state_dict(), "temperature": self.temperature,
                 "run": run_values(self.job.identity, self.plan)}
        save_state(self.job.files, state)
        write_models(self.job, state)
        self.saved = state


def write_models(job: FitJob, state: dict) -> None:
    """Write the models and the history that a state tells of, where they are not there in just this way."""
    best, last = state["best"], state["history"][-1]
    for path, checkpoint in (
            (job.files.save_path, checkpoint_of(job.template, best["weights"], best["row"], best["temperature"])),
            (job.files.last, checkpoint_of(job.template, state["averaged"], last, state["temperature"]))):
        if not _is_there(path, checkpoint):
            save_checkpoint(path, checkpoint)
    text = history_csv(state["history"])
    history = job.files.beside(".history.csv")
    if not history.is_file() or history.read_text(encoding="utf-8") != text:
        write_text(history, text)


def _is_there(path: Path, checkpoint: Checkpoint) -> bool:
    """Whether a file has the weights and the table of a checkpoint, or is the refit of it.

    Its temperature may have been set anew since.
    """
    try:
        found = load_checkpoint(path)
    except NpyLabelError:
        return False
    if (found.epoch, found.classes_sha256) != (checkpoint.epoch, checkpoint.classes_sha256):
        return False
    if found.refit_of:
        return found.refit_of == weights_sha256(checkpoint.state_dict)
    return (found.state_dict.keys() == checkpoint.state_dict.keys()
            and all(torch.equal(value, checkpoint.state_dict[name]) for name, value in found.state_dict.items()))


def checkpoint_of(template: Checkpoint, weights: dict, row: dict, temperature: float) -> Checkpoint:
    """The labeler with these weights, as it was when the row was written."""
    return replace(template, state_dict=weights, temperature=temperature, epoch=row["epoch"], input_px=row["px"],
                   metrics={name: value for name, value in row.items() if name not in ("seconds", "px")})


def stopped_early(history: Sequence[dict], plan: Plan, patience: int, input_px: int) -> bool:
    """Whether so many whole epochs of this segment brought no better macro-F1; 0 is never.

    Only epochs with pictures of the last size count: before, the best is still to come.
    """
    judged = [row for row in history if row["px"] == input_px]
    if not patience or not judged or "val_macro_f1" not in judged[-1]:
        return False
    best = max(judged, key=lambda row: row["val_macro_f1"])  # The first of equal ones.
    since = max(best["epoch"], plan.epochs(plan.segments[-1].start))
    return history[-1]["epoch"] - since >= patience


def row_text(row: dict, left_s: float) -> str:
    """A line on one row of the history, with the time that is left."""
    text = _("epoch {epoch}: {seconds} s, training loss {loss}").format(
        epoch=row["epoch"], seconds=row["seconds"], loss=row["train_loss"])
    if "val_macro_f1" in row:
        text += _(", validation loss {loss}, accuracy {accuracy}, macro-F1 {f1}").format(
            loss=row["val_loss"], accuracy=row["val_accuracy"], f1=row["val_macro_f1"])
    return text + (_("; about {time} left").format(time=time_text(left_s)) if left_s else "")


def time_text(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return _("{count} s").format(count=round(seconds))
    if seconds < 90 * 60:
        return _("{count} min").format(count=round(seconds / 60))
    return _("{hours} h {minutes} min").format(hours=int(seconds // 3600), minutes=round(seconds % 3600 // 60))


def history_csv(history: Sequence[dict]) -> str:
    """The history as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HISTORY_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()
