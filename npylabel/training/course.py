"""One process follows a plan: from a state, or from random weights, to the end."""

import logging
import warnings

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.environments import LightningEnvironment

from npylabel.training.engine import TrainingModule
from npylabel.training.feed import PartBatches, PixelFeed
from npylabel.training.job import FitJob
from npylabel.training.keeper import Keeper
from npylabel.training.plan import Plan
from npylabel.training.trackers import end_logging, make_logger


def new_module(job: FitJob, plan: Plan) -> TrainingModule:
    """The job's network with its first random weights."""
    torch.manual_seed(job.settings.random_seed)
    network = job.task.new_network().to(memory_format=torch.channels_last)
    return TrainingModule(job.task, network, job.task.recipe(plan.epochs(plan.total)), plan, job.settings.input_px,
                          job.settings.random_seed)


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
    batches = PartBatches(feed, job.targets, job.train_rows, job.order(), plan, module.step)
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
