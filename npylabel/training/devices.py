"""One training on several devices: a process for each, which Lightning joins (distributed data parallel)."""

import gc
import mmap
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _, language_in_use, set_language
from npylabel.base.parallel import cpu_count, end_with_parent
from npylabel.base.report import StepReport
from npylabel.training.course import run
from npylabel.training.job import FitJob
from npylabel.training.plan import Plan
from npylabel.training.states import load_state


@dataclass(frozen=True)
class _MappedPixels:
    """Where the pixels of a job lie, instead of the pixels themselves."""

    path: Path
    shape: tuple[int, ...]
    offset: int

    def open(self) -> np.ndarray:
        return np.memmap(self.path, np.uint8, "r", self.offset, self.shape)


def pick_device(device: str) -> torch.device:
    """The device for "auto" (a GPU where there is one), "cpu", "cuda" or "mps".

    Raises:
        NpyLabelError: ``bad_parameter`` for another name, ``no_such_device`` where it is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if device not in there:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="device", value=device),
                            _("Use one of: {allowed}.").format(allowed="auto, cpu, cuda, mps"))
    if not there[device]:
        raise NpyLabelError("no_such_device", _("This machine has no {device}.").format(device=device),
                            _('Use device="auto". In Colab: Runtime, Change runtime type, T4 GPU.'))
    return torch.device(device)


def refuse_impossible_devices(device: torch.device, devices: int) -> None:
    """Raise ``NpyLabelError`` (``no_such_device``) where there are not so many."""
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device.type, devices)
    if devices > there:
        raise NpyLabelError(
            "no_such_device", _("This machine has {count} devices of the kind {device}, not {asked}.").format(
                count=there, device=device.type, asked=devices),
            _("Use devices={count}.").format(count=there))


def run_on_devices(job: FitJob, plan: Plan, device: torch.device) -> None:
    """Follow the plan from the job's state to its end, in as many processes as the settings tell.

    Everything that a training leaves is in the job's files then; only the first process writes them.

    Raises:
        NpyLabelError: what a process raised, or ``process_died``.
    """
    context, port = get_context("spawn"), _free_port()
    light = replace(job, pixels=_light(job.pixels), watch=None)
    workers = {}
    for rank in range(job.settings.devices):
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(there, light, plan, device.type, rank, port, language_in_use()), daemon=True)
        process.start()
        there.close()
        workers[here] = process
    try:
        _listen(workers)
    finally:
        for process in workers.values():
            process.kill()
            process.join()


def _light(pixels: np.ndarray) -> np.ndarray | _MappedPixels:
    """What travels to another process: where the pixels lie, if they are a mapped file that still has its name."""
    if isinstance(pixels, np.memmap) and isinstance(pixels.base, mmap.mmap) and Path(pixels.filename).is_file():
        return _MappedPixels(Path(pixels.filename), pixels.shape, pixels.offset)
    return np.asarray(pixels)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _listen(workers: dict[Connection, object]) -> None:
    """Print what the processes print, until all say that they are done."""
    talking = dict(workers)
    while talking:
        for connection in wait(list(talking)):
            try:
                kind, value = connection.recv()
            except EOFError:
                talking[connection].join()
                raise NpyLabelError(
                    "process_died", _("A process of the training ended with status {status}.").format(
                        status=talking[connection].exitcode),
                    _("Run the step again: the training goes on where it stopped. devices=1 needs less memory."),
                ) from None
            if kind == "print":
                print(value, end="", flush=True)
            elif kind == "error":
                raise value
            else:
                del talking[connection]


class _Speaker:
    """A standard output that speaks through a connection: a notebook does not see what other processes print."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, text: str) -> int:
        self._connection.send(("print", text))
        return len(text)

    def flush(self) -> None:
        """Everything is sent already."""


def _work(
    connection: Connection, job: FitJob, plan: Plan, device: str, rank: int, port: int, language: str
) -> None:
    """The life of one of the processes."""
    # A Ctrl-C in the terminal reaches every process; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    set_language(language)
    sys.stdout, count = _Speaker(connection), job.settings.devices
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count), "NODE_RANK": "0",
                   "LOCAL_RANK": str(rank)}
    if device == "cpu":
        torch.set_num_threads(max(1, cpu_count() // count))
    pixels = job.pixels.open() if isinstance(job.pixels, _MappedPixels) else job.pixels
    try:
        run(replace(job, pixels=pixels), plan, load_state(job.files, job.identity, StepReport("")),
            torch.device(device, rank if device == "cuda" else None), (rank, count))
        _leave_group()
    except NpyLabelError as error:
        connection.send(("error", error))
    else:
        connection.send(("done", None))


def _leave_group() -> None:
    """End the talk between the processes in an order in which torch does not abort."""
    gc.collect()
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
