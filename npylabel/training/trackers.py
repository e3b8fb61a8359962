"""Where the rows of a training go besides its history: nowhere, TensorBoard's files, or Weights & Biases."""

import hashlib
import importlib.util
import json
import os
from pathlib import Path

from lightning.pytorch.loggers import Logger

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

TRACKERS = ("csv", "tensorboard", "wandb")


def refuse_impossible_tracker(tracker: str) -> None:
    """Raise ``NpyLabelError`` (``bad_parameter``, ``tracker_missing``) where a tracker is none or is not installed."""
    if tracker not in TRACKERS:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="tracker", value=tracker),
                            _("Use one of: {allowed}.").format(allowed=", ".join(TRACKERS)))
    if tracker != "csv" and importlib.util.find_spec(tracker) is None:
        raise NpyLabelError("tracker_missing", _("The library {name} is not installed.").format(name=tracker),
                            _("Install it with: pip install {name} - or use tracker=csv.").format(name=tracker))


def make_logger(tracker: str, folder: Path, identity: dict, step: int) -> Logger | None:
    """The logger of a training, or None for "csv", whose history is written in any case.

    Args:
        tracker: one of ``TRACKERS``, installed.
        folder: of the logs; a resumed training goes on in the same.
        identity: what the training is, as plain values; shown as its parameters.
        step: steps done.
    """
    if tracker == "csv":
        return None
    folder.mkdir(parents=True, exist_ok=True)
    if tracker == "tensorboard":
        from lightning.pytorch.loggers import TensorBoardLogger

        # The row after so many steps counts; those after more are of a half that a kill made void.
        return TensorBoardLogger(
            folder.parent, name=folder.name, version="", default_hp_metric=False, purge_step=step + 1)
    return _wandb_logger(folder, identity)


def _wandb_logger(folder: Path, identity: dict) -> Logger:
    """A logger that asks nothing and logs in nowhere, unless the user's own environment says online."""
    from lightning.pytorch.loggers import WandbLogger

    if os.environ.get("WANDB_MODE") != "online":
        os.environ["WANDB_MODE"] = "offline"
    os.environ.setdefault("WANDB_SILENT", "true")
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return WandbLogger(
        project="npylabel", name=folder.name.removesuffix(".logs"), save_dir=folder, id=name, resume="allow",
        offline=os.environ["WANDB_MODE"] == "offline", config=identity)


def end_logging(logger: Logger | None) -> None:
    """Write what is still in memory, and end the process that Weights & Biases started."""
    if logger is None:
        return
    logger.finalize("success")
    finish = getattr(logger.experiment, "finish", None)
    if finish:
        finish()
