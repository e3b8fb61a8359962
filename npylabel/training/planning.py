"""Which plan a training follows: its own of before, a longer one, or a new one for this machine."""

import time
from dataclasses import replace

import numpy as np
import torch

from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.training.course import new_module
from npylabel.training.feed import PartBatches, PixelFeed
from npylabel.training.job import FitJob
from npylabel.training.keeper import time_text
from npylabel.training.plan import Plan, Segment, longer, saving_rhythm
from npylabel.training.precision import choose_precision
from npylabel.training.speed import Speed, measure


def plan_of(
    job: FitJob, plan: Plan | None, state: dict | None, device: torch.device, spent_s: float, report: StepReport
) -> Plan:
    """The plan to follow: the one that is there, made longer where more is asked, or a new one."""
    if plan and plan.asked == job.settings.asked:
        if plan.device != device.type:
            plan = replace(plan, device=device.type, precision=choose_precision(device))
        return plan
    if not plan or not state:
        return _new_plan(job, device, spent_s)
    return _longer_plan(job, plan, state, device, spent_s, report)


def _new_plan(job: FitJob, device: torch.device, spent_s: float) -> Plan:
    started, settings, steps = time.monotonic(), job.settings, job.order().steps
    total = 0 if settings.minutes else settings.epochs * steps
    plan = Plan(settings.asked, steps, (Segment(0, max(1, total)),), precision=choose_precision(device),
                device=device.type)
    speed, recipe, px = _speed(job, plan, None, device, total), job.task.recipe(), settings.input_px
    parts, epochs_per_save = saving_rhythm(speed.epoch_s(plan, recipe, px) - speed.save_s, speed.save_s)
    plan = replace(plan, parts=min(parts, steps), epochs_per_save=epochs_per_save)
    if settings.minutes:
        left_s = 60 * settings.minutes - spent_s - (time.monotonic() - started)
        plan = replace(plan, segments=(Segment(0, max(1, speed.steps_in(left_s, plan, recipe, px))),))
    _tell(job, plan, plan.epochs(plan.total) * speed.epoch_s(plan, recipe, px))
    return plan


def _longer_plan(
    job: FitJob, plan: Plan, state: dict, device: torch.device, spent_s: float, report: StepReport
) -> Plan:
    started, settings, step = time.monotonic(), job.settings, state["step"]
    recipe, px = job.task.recipe(), settings.input_px
    total = settings.epochs * plan.epoch_steps
    speed = _speed(job, plan, state, device, max(0, total - step))
    done = plan.done(min(step, plan.total - 1))
    if settings.minutes:
        left_s = 60 * settings.minutes - trained_s(state) - spent_s - (time.monotonic() - started)
        total = step + max(1, speed.steps_in(left_s, plan, recipe, px, done))
    new = longer(plan, step, total, settings.asked, recipe.warmup)
    text = (_("The finished training goes on from epoch {epoch} to {total}, at a lower learning rate.")
            if step >= plan.total else
            _("The training was planned for {planned} epochs and had done {epoch}: from there it goes to {total}."))
    report.messages.append(text.format(epoch=plan.epochs(step), total=new.epochs(total),
                                       planned=plan.epochs(plan.total)))
    _tell(job, new, (total - step) / plan.epoch_steps * speed.epoch_s(plan, recipe, px, done))
    return new


def _speed(job: FitJob, plan: Plan, state: dict | None, device: torch.device, steps: int) -> Speed:
    feed = PixelFeed(job.pixels, np.concatenate([job.train_rows, job.val_rows]), device)
    batches = PartBatches(feed, job.targets, job.train_rows, job.order(), plan, 0)
    module = new_module(job, plan)
    module.share = (0, job.settings.devices)
    if state:
        module.load(state)
    return measure(module.to(device), batches, job.val_rows, job.files.save_path.parent, plan.precision, steps,
                   job.settings.minutes)


def _tell(job: FitJob, plan: Plan, seconds: float) -> None:
    """Say before the training how long it will take, and what to expect."""
    print(_("Epochs: {epochs}, steps in each: {steps}; about {time} on this machine.").format(
        epochs=plan.epochs(plan.total), steps=plan.epoch_steps, time=time_text(seconds)), flush=True)
    if plan.total < plan.epoch_steps:
        print(_("That is less than one epoch: a model of so short a training knows hardly anything."), flush=True)
    if text := job.task.expectation(len(job.train_rows), plan.epochs(plan.total)):
        print(text, flush=True)


def trained_s(state: dict) -> float:
    """Seconds that a training has taken, by its state."""
    return sum(row["seconds"] for row in state["history"])
