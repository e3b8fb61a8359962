"""Training states on the disk: the newest and the one before, so that damage to one file loses no training."""

import io
import os
import shutil
from contextlib import suppress
from pathlib import Path

import torch

from npylabel.base.files import TEMP_PREFIX, atomic_path
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.training.model_files import LOAD_ERRORS, canonical, read_weights
from npylabel.training.run_files import RunFiles

FORMAT = "npylabel-training/2"


def save_state(files: RunFiles, state: dict) -> None:
    """Write the state as the newest, whole or not at all; the one that was the newest is the one before."""
    # Through memory: torch writes the file's name into it, and equal states would differ.
    content = io.BytesIO()
    torch.save(canonical({**state, "format": FORMAT}), content)
    with atomic_path(files.resume, durable=True) as temporary:
        temporary.write_bytes(content.getbuffer())
        _keep_before(files)


def _keep_before(files: RunFiles) -> None:
    """Give the newest state a second name, if it is whole: there is no moment without a newest one."""
    if read_state(files.resume) is None:
        return
    second = files.resume.with_name(f"{TEMP_PREFIX}{os.getpid()}.before.ckpt")
    try:
        os.link(files.resume, second)
    except OSError:  # Drive and some other disks have no links.
        shutil.copyfile(files.resume, second)
    second.replace(files.before)


def load_state(files: RunFiles, identity: dict, report: StepReport) -> dict | None:
    """The newest whole state of the run, or None; where it is not the newest of all, that is said.

    Args:
        files: of the run.
        identity: of the run; the names of classes may be others.
        report: gets what there is to say.
    """
    if _is_of(state := read_state(files.resume), identity):
        return state
    if not _is_of(state := read_state(files.before), identity):
        return None
    if files.resume.exists():
        report.messages.append(_(
            "The newest training state {path} is damaged: the training goes on from the one before it, epoch "
            "{epoch}.").format(path=files.resume.name, epoch=state["history"][-1]["epoch"]))
    return state


def _is_of(state: dict | None, identity: dict) -> bool:
    return state is not None and all(
        state["run"].get(name) == value for name, value in identity.items() if name != "classes_sha256")


def read_state(path: Path) -> dict | None:
    """The state in a file, or None where it is damaged or of another kind."""
    with suppress(*LOAD_ERRORS):
        state = read_weights(path)
        return state if isinstance(state, dict) and state.get("format") == FORMAT else None
    return None
