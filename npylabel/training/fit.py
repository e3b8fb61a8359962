"""One training from its job to its models, which a kill at any moment only delays."""

import time

from npylabel.base.files import remove_leftovers
from npylabel.base.i18n import translated
from npylabel.base.report import StepReport
from npylabel.training.course import run
from npylabel.training.devices import pick_device, run_on_devices
from npylabel.training.job import FitJob, Fitted
from npylabel.training.keeper import stopped_early, write_models
from npylabel.training.plan import Plan
from npylabel.training.planning import plan_of, trained_s
from npylabel.training.resuming import resume_point, write_run
from npylabel.training.states import load_state


def fit(job: FitJob, report: StepReport) -> Fitted:
    """The model of a job, trained from random weights or from where its files say that it stopped.

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
    plan, state = resume_point(job.files, job.identity, job.resume, report, job.task)
    before = plan.epochs(state["step"]) if state else 0
    if state:
        write_models(job, state)
    enough = _has_enough(job, plan, state)
    if not enough:
        plan = plan_of(job, plan, state, device, job.spent_s + time.monotonic() - started, report)
    write_run(job.files, job.identity, plan)
    if not enough and job.settings.devices > 1:
        run_on_devices(job, plan, device)
        state = load_state(job.files, job.identity, report)
    elif not enough:
        state = run(job, plan, state, device)
    return _fitted(job, plan, state, before, report)


def _fitted(job: FitJob, plan: Plan, state: dict, before: float, report: StepReport) -> Fitted:
    if state["step"] < plan.total and _stopped_early(job, plan, state):
        report.messages.append(translated(job.task.said_no_better).format(count=job.settings.patience))
    epochs = plan.epochs(state["step"])
    now = round(epochs - before, 4)
    return Fitted(job.task.load(job.files.save_path), job.task.load(job.files.last), state["history"], plan, epochs,
                  int(now) if now == int(now) else now)


def _has_enough(job: FitJob, plan: Plan | None, state: dict | None) -> bool:
    """Whether what is asked is done."""
    if not state:
        return False
    if plan.asked == job.settings.asked:
        return state["step"] >= plan.total or _stopped_early(job, plan, state)
    if job.settings.minutes:
        return trained_s(state) >= 60 * job.settings.minutes
    return job.settings.epochs * plan.epoch_steps <= state["step"]


def _stopped_early(job: FitJob, plan: Plan, state: dict) -> bool:
    return stopped_early(job.task, state["history"], plan, job.settings.patience, job.settings.input_px)
