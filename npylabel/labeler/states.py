"""Training states on the disk: the newest and the one before, so that damage to one file loses no training."""

import io
import os
import shutil
from contextlib import suppress
from pathlib import Path

import torch

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX, atomic_path
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.labeler.checkpoint import load_weights_file
from npylabel.labeler.run_files import RunFiles

FORMAT = "npylabel-training/2"


def save_state(files: RunFiles, state: dict) -> None:
    """Write the state as the newest, whole or not at all; the one that was the newest is the one before."""
    # Through memory: torch writes the file's name into it, and equal states would differ.
    content = io.BytesIO()
    torch.save({**state, "format": FORMAT}, content)
    with atomic_path(files.resume, durable=True) as temporary:
        temporary.write_bytes(content.getbuffer())
        _keep_before(files)


def _keep_before(files: RunFiles) -> None:
    """Give the newest state a second name: there is no moment without a newest one."""
    if not files.resume.exists():
        return
    second = files.resume.with_name(f"{TEMP_PREFIX}{os.getpid()}.before.ckpt")
    try:
        os.link(files.resume, second)
    except OSError:  # Drive and some other disks have no links.
        shutil.copyfile(files.resume, second)
    second.replace(files.before)


def load_state(files: RunFiles, report: StepReport) -> dict | None:
    """The newest whole state, or None; a damaged one is removed, and that is said."""
    damaged = []
    for path in (files.resume, files.before):
        if not path.exists():
            continue
        state = read_state(path)
        if state is None:
            damaged.append(path)
            continue
        for name in damaged:
            # Kept, it would take the place of the whole one at the next save.
            name.unlink()
            report.messages.append(_(
                "The newest training state {path} is damaged: the training goes on from the one before it, epoch "
                "{epoch}.").format(path=name.name, epoch=state["history"][-1]["epoch"]))
        return state
    return None


def read_state(path: Path) -> dict | None:
    """The state in a file, or None where it is damaged or of another kind."""
    with suppress(NpyLabelError):
        state = load_weights_file(path)
        return state if state.get("format") == FORMAT else None
    return None
