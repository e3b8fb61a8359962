"""The sudden end of a machine: SIGKILL for each of its processes, kernels and workers too."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.colab.drive_state import bypass

# All processes of one machine carry the same value of this environment variable.
MACHINE_VARIABLE = "COLAB_STUB_MACHINE"
# Names a file that exists as soon as the machine is being killed: a process that starts then ends at once.
TOMB_VARIABLE = "COLAB_STUB_TOMB"


def processes_of(machine: str) -> list[int]:
    """The processes that carry the mark of a machine in their environment."""
    mark, found = f"{MACHINE_VARIABLE}={machine}".encode(), []
    with bypass():
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def kill_machine(machine: str, tomb: str | Path) -> None:
    """SIGKILL for all processes of a machine, until none is left; the caller is none of them."""
    with bypass():
        Path(tomb).touch()
    while _kill(processes_of(machine)):
        time.sleep(0.005)


def _kill(processes: list[int]) -> int:
    """How many there were."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(processes)


def die() -> None:
    """End this machine at once; outside of a machine, this process."""
    machine = os.environ.get(MACHINE_VARIABLE)
    if machine:
        with bypass():
            Path(os.environ[TOMB_VARIABLE]).touch()
        # Once: a pool of this process starts new workers for ever, and those end at the tomb.
        _kill([pid for pid in processes_of(machine) if pid != os.getpid()])
    os.kill(os.getpid(), signal.SIGKILL)
