"""How long a training takes on this machine, measured on a copy of it that is thrown away."""

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from npylabel.base.files import TEMP_PREFIX
from npylabel.training.engine import TrainingModule
from npylabel.training.feed import PartBatches
from npylabel.training.plan import Plan, Segment
from npylabel.training.precision import autocast
from npylabel.training.recipe import Recipe, train_px

# Batches that are measured at the first size of the pictures, at the others, and before either for warming up.
_BATCHES, _BATCHES_MORE, _WARM_UP = 20, 6, 2
# Enough for one size, and share of the minutes that it may take; slow machines are measured by fewer batches.
_ENOUGH_S, _ENOUGH_SHARE = 15.0, 0.02
# A training of so many steps is not worth more than one measured batch.
_STEPS_PER_BATCH = 50
# Points of the course at which a plan is added up.
_POINTS = 200
# Of the minutes: speed varies, and the end has to be written.
_SAFETY = 0.95


@dataclass(frozen=True)
class Speed:
    """Seconds of the parts of a training.

    Attributes:
        step_s: of a step by side of the pictures.
        judge_s: of judging the network once.
        save_s: of saving everything once.
        refit_s: of what follows the training, where the best network looks at all its photos once more.
    """

    step_s: dict[int, float]
    judge_s: float
    save_s: float
    refit_s: float = 0.0

    def mean_step_s(self, recipe: Recipe, input_px: int, done: float = 0.0) -> float:
        """Mean seconds of a step from the share ``done`` of the course of picture sizes to its end."""
        points = done + (1 - done) * np.arange(_POINTS) / _POINTS
        return statistics.fmean(self._step_s(train_px(recipe, input_px, float(point))) for point in points)

    def _step_s(self, px: int) -> float:
        if px in self.step_s:
            return self.step_s[px]
        near = min(self.step_s, key=lambda known: abs(known - px))
        return self.step_s[near] * (px / near) ** 2

    def epoch_s(self, plan: Plan, recipe: Recipe, input_px: int, done: float = 0.0) -> float:
        """Mean seconds of an epoch with judging and saving."""
        saves = plan.parts / plan.epochs_per_save
        return (plan.epoch_steps * self.mean_step_s(recipe, input_px, done) + plan.parts * self.judge_s
                + saves * self.save_s)

    def steps_in(self, seconds: float, plan: Plan, recipe: Recipe, input_px: int, done: float = 0.0) -> int:
        """How many steps of a course that begins at ``done`` fit into the time, with judging and saving; 0 is none."""
        seconds = _SAFETY * seconds - self.judge_s - self.save_s - self.refit_s
        return max(0, int(seconds / self.epoch_s(plan, recipe, input_px, done) * plan.epoch_steps))


def measure(
    module: TrainingModule, batches: PartBatches, judged_rows: np.ndarray, folder: Path, precision: str, steps: int,
    minutes: float
) -> Speed:
    """The speed of this training on this machine; random states are left as they were.

    Args:
        module: like the one that will be trained, on its device; this one is spoiled.
        batches: what it will be fed with.
        judged_rows: photos by which it will be judged.
        folder: where it will be saved.
        precision: of the training.
        steps: of the training, where they are known; a short one is measured shortly.
        minutes: of the training where these are known; 0 where they are not.
    """
    module.plan = Plan({}, 1000, (Segment(0, 1000),))
    optimizer = module.configure_optimizers()
    count = min(_BATCHES, max(1, steps // _STEPS_PER_BATCH)) if steps else _BATCHES
    enough_s = min(_ENOUGH_S, _ENOUGH_SHARE * 60 * minutes) if minutes else _ENOUGH_S
    devices = [module.device] if module.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        step_s, start = {}, 0.0
        for until, _share in module.recipe.sizes:
            module.step = int(1000 * start)
            px = train_px(module.recipe, module.input_px, module.plan.done(module.step))
            if px not in step_s:
                step_s[px] = _step_s(module, batches, optimizer, precision, count, enough_s)
                count = min(count, _BATCHES_MORE)
            start = until
        judge_s = _judge_s(module, batches, judged_rows, precision)
    again = module.task.looks_again and len(judged_rows)
    return Speed(step_s, judge_s, _save_s(module, optimizer, folder),
                 judge_s * len(batches.rows) / len(judged_rows) if again else 0.0)


def _step_s(
    module: TrainingModule, batches: PartBatches, optimizer: torch.optim.Optimizer, precision: str, count: int,
    enough_s: float
) -> float:
    """Mean seconds of a step at the size of the module's present step."""
    times: list[float] = []
    chosen, warm_up = batches.order.batches(0), min(_WARM_UP, count)
    # Scaled as in training, so that half precision stays finite; what it learns is thrown away.
    scaler = torch.amp.GradScaler(module.device.type, enabled=precision == "16-mixed")

    def step(index: int) -> None:
        module.prepare_step(optimizer)
        pixels, targets = batches.batch(chosen[index % len(chosen)])
        with autocast(module.device, precision):
            loss = module.loss(pixels, targets)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        module.average()

    for index in range(warm_up + count):
        times.append(_seconds(lambda index=index: step(index), module.device))
        if sum(times) > enough_s:
            break
    return statistics.fmean(times[warm_up:] or times[-1:])


def _judge_s(module: TrainingModule, batches: PartBatches, rows: np.ndarray, precision: str) -> float:
    if not len(rows):
        return 0.0
    some = rows[:module.judged_at_once]
    targets = torch.from_numpy(batches.targets[some]).to(module.device)

    def judge() -> None:
        with autocast(module.device, precision):
            module.measured(batches.feed.take(some), targets).cpu()

    judge()
    return _seconds(judge, module.device) * len(rows) / len(some)


def _save_s(module: TrainingModule, optimizer: torch.optim.Optimizer, folder: Path) -> float:
    """Seconds of a save: the state, and two models that are read back."""
    content = io.BytesIO()

    def save() -> None:
        torch.save({**module.state(), "optimizer": optimizer.state_dict()}, content)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=TEMP_PREFIX) as file:
            file.write(content.getbuffer())

    return 2 * _seconds(save, module.device)


def _seconds(action: Callable[[], None], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started
