"""One training from its job to its models, which a kill at any moment only delays."""

import logging
import time
import warnings
from dataclasses import replace

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.environments import LightningEnvironment

from npylabel.base.files import remove_leftovers
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.labeler.checkpoint import load_checkpoint, save_checkpoint
from npylabel.labeler.devices import run_on_devices
from npylabel.labeler.engine import LabelerModule
from npylabel.labeler.expectation import expected_macro_f1
from npylabel.labeler.feed import PartBatches, PixelFeed
from npylabel.labeler.job import FitJob, Fitted
from npylabel.labeler.keeper import Keeper, stopped_early, time_text, write_models
from npylabel.labeler.networks import create_network
from npylabel.labeler.order import EpochOrder
from npylabel.labeler.plan import Plan, Segment, longer, saving_rhythm
from npylabel.labeler.precision import choose_precision
from npylabel.labeler.predict import Predictor, pick_device
from npylabel.labeler.recipe import recipe_of
from npylabel.labeler.refit import refitted
from npylabel.labeler.resuming import resume_point, write_run
from npylabel.labeler.speed import Speed, measure
from npylabel.labeler.states import load_state
from npylabel.labeler.trackers import end_logging, make_logger


def fit(job: FitJob, report: StepReport) -> Fitted:
    """The labeler of a job, trained from random weights or from where its files say that it stopped.

    Args:
        job: what to train on what.
        report: gets what there is to say.

    Raises:
        NpyLabelError: ``no_such_device``, ``bad_parameter``.
    """
    started = time.monotonic()
    device = pick_device(job.settings.device)
    job.files.save_path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(job.files.save_path.parent)
    plan, state = resume_point(job.files, job.identity, job.resume, report, job.table)
    before = plan.epochs(state["step"]) if state else 0
    if state:
        write_models(job, state)
    enough = _has_enough(job, plan, state)
    if not enough:
        plan = _plan_of(job, plan, state, device, job.spent_s + time.monotonic() - started, report)
    write_run(job.files, job.identity, plan)
    if not enough and job.settings.devices > 1:
        run_on_devices(job, plan, device)
        state = load_state(job.files, job.identity, report)
    elif not enough:
        state = run(job, plan, state, device)
    return _fitted(job, plan, state, before, device, report)


def _fitted(
    job: FitJob, plan: Plan, state: dict, before: float, device: torch.device, report: StepReport
) -> Fitted:
    if state["step"] < plan.total and _stopped_early(job, plan, state):
        report.messages.append(_("The training ended before its time: macro-F1 had not improved for {count} epochs."
                                 ).format(count=job.settings.patience))
    best, last = load_checkpoint(job.files.save_path), load_checkpoint(job.files.last)
    if not best.refit_of and (better := refitted(best, job, device)).refit_of:
        best = better
        save_checkpoint(job.files.save_path, best)
    epochs = plan.epochs(state["step"])
    logits = Predictor(best, device).logits(job.pixels, job.val_rows)
    now = round(epochs - before, 4)
    return Fitted(best, last, logits, state["history"], plan, epochs, int(now) if now == int(now) else now)


def order_of(job: FitJob) -> EpochOrder:
    """The order in which the job's photos are shown."""
    return EpochOrder(job.targets[job.train_rows], job.settings.batch_size, job.settings.fill_to,
                      job.settings.random_seed)


def new_module(job: FitJob, plan: Plan) -> LabelerModule:
    """The job's network with its first random weights."""
    template, table = job.template, job.table
    torch.manual_seed(job.settings.random_seed)
    network = create_network(template.network, len(table.ids), template.depth)
    columns = [table.ids.index(class_id) for class_id in template.trained_ids]
    return LabelerModule(
        network.to(memory_format=torch.channels_last), columns, template.trained_ids, template.mean, template.std,
        template.input_px, recipe_of(template.network, plan.epochs(plan.total)), plan, job.settings.random_seed)


def run(job: FitJob, plan: Plan, state: dict | None, device: torch.device, share: tuple[int, int] = (0, 1)) -> dict:
    """The state at the end of the plan; what it needs in between is in the job's files.

    Args:
        job: what to train on what.
        plan: to follow.
        state: to go on from, or None.
        device: to compute on.
        share: (rank, number of processes) of this process.
    """
    module, feed = new_module(job, plan), PixelFeed(job.pixels, np.concatenate([job.train_rows, job.val_rows]), device)
    module.share = share
    if state:
        module.load(state)
    keeper = Keeper(job, plan, feed, state)
    batches = PartBatches(feed, job.targets, job.train_rows, order_of(job), plan, module.step)
    # Only the first of several processes speaks.
    tracker = "csv" if share[0] else job.settings.tracker
    logger = make_logger(tracker, job.files.logs, job.identity, module.step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _trainer(plan, device, keeper, logger, share[1]).fit(module, batches)
        except SystemExit as error:  # What Lightning makes of Ctrl-C.
            raise KeyboardInterrupt from error
        finally:
            end_logging(logger)
    return keeper.saved


def _trainer(
    plan: Plan, device: torch.device, keeper: Keeper, logger: Logger | None, processes: int
) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    on_gpu = device.type == "cuda"
    many = {"strategy": "ddp", "sync_batchnorm": on_gpu, "plugins": [LightningEnvironment()]} if processes > 1 else {}
    return lightning.Trainer(
        max_epochs=-1, accelerator="gpu" if on_gpu else device.type, devices=processes, callbacks=[keeper],
        logger=logger or False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, benchmark=on_gpu, use_distributed_sampler=False, precision=plan.precision, **many)


def _has_enough(job: FitJob, plan: Plan | None, state: dict | None) -> bool:
    """Whether what is asked is done."""
    if not state:
        return False
    if plan.asked == job.settings.asked:
        return state["step"] >= plan.total or _stopped_early(job, plan, state)
    if job.settings.minutes:
        return _trained_s(state) >= 60 * job.settings.minutes
    return job.settings.epochs * plan.epoch_steps <= state["step"]


def _stopped_early(job: FitJob, plan: Plan, state: dict) -> bool:
    return stopped_early(state["history"], plan, job.settings.patience, job.template.input_px)


def _trained_s(state: dict) -> float:
    return sum(row["seconds"] for row in state["history"])


def _plan_of(
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
    started, settings, steps = time.monotonic(), job.settings, order_of(job).steps
    total = 0 if settings.minutes else settings.epochs * steps
    plan = Plan(settings.asked, steps, (Segment(0, max(1, total)),), precision=choose_precision(device),
                device=device.type)
    speed, recipe, px = _speed(job, plan, None, device, total), recipe_of(settings.network), job.template.input_px
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
    recipe, px = recipe_of(settings.network), job.template.input_px
    total = settings.epochs * plan.epoch_steps
    speed = _speed(job, plan, state, device, max(0, total - step))
    done = plan.done(min(step, plan.total - 1))
    if settings.minutes:
        left_s = 60 * settings.minutes - _trained_s(state) - spent_s - (time.monotonic() - started)
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
    batches = PartBatches(feed, job.targets, job.train_rows, order_of(job), plan, 0)
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
    f1 = expected_macro_f1(len(job.train_rows) / len(job.template.trained_ids), plan.epochs(plan.total))
    if f1 is not None:
        print(_("Trainings of such a length on so many photos reached a macro-F1 of about {f1}.").format(f1=f1),
              flush=True)
