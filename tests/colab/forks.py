"""A fresh machine for each step, fast: processes forked from one that has imported everything, on the tests' Drive.

Importing this says where Drive is (``CONTENT``), which the package reads when it is imported; so it comes first.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(tempfile.gettempdir()) / f"drill-{os.getpid()}"
CONTENT = ROOT / "content"
os.environ |= {"NPYLABEL_CONTENT": str(CONTENT), "NPYLABEL_SAVE_EVERY_S": "0.3", "NPYLABEL_HEADLESS": "1"}

from npylabel.base.errors import NpyLabelError  # noqa: E402
from npylabel.base.report import StepReport  # noqa: E402
from tests.colab import slow_drive  # noqa: E402
from tests.colab.slow_drive import DriveSettings  # noqa: E402

# What the steps import when they run; forked processes have it already.
for _name in ("base.courier", "dataset.build", "dataset.step", "labeler.label", "care.status", "labeler.train",
              "photos.collect", "ui.plots", "ui.sheets", "ui.verify_page"):
    importlib.import_module(f"npylabel.{_name}")

# How much faster than in reality the waiting is.
SPEED, LONGEST_S = 40, 120
# What is below it is gone with each machine.
LOCAL_DISK = ROOT / "disk"
DRIVE, STATE, WORK = CONTENT / "drive" / "MyDrive", ROOT / "state", LOCAL_DISK / "work"
SAVE = DRIVE / "npylabel"
COMMON = {"work_dir": str(WORK), "save_dir": str(SAVE), "language": "en"}


class FastClock:
    """Python's ``time`` for code that waits."""

    def sleep(self, seconds: float) -> None:
        """Wait for a part of the time."""
        time.sleep(seconds / SPEED)

    def monotonic(self) -> float:
        """Seconds that pass faster."""
        return time.monotonic() * SPEED

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)


class FastEvent(threading.Event):
    """Ends each wait after a part of the time."""

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is set."""
        return super().wait(timeout and timeout / SPEED)


def hasten() -> None:
    """Make whatever waits for Drive in this process wait for a part of the time; the saves keep their pace."""
    clock = FastClock()
    for name in ("patience", "remote", "shelf", "courier", "disks"):
        module = sys.modules[f"npylabel.base.{name}"]
        if hasattr(module, "time"):
            module.time = clock
        if hasattr(module, "threading"):
            module.threading = SimpleNamespace(Event=FastEvent, Lock=threading.Lock)


@dataclass
class Ended:
    """How an attempt ended: ``how`` is done, killed, or an error's code; and what the report said."""

    how: str
    text: str = ""

    @property
    def all_saved(self) -> bool:
        """Whether the report said that the tab may be closed."""
        return "Everything is saved on Drive" in self.text or "All that is here is saved on Drive" in self.text


def forked(step: Callable[[], StepReport], settings: DriveSettings, kill_after_s: float = 0.0,
           watch: Callable[[], object] = lambda: None) -> Ended:
    """How a step ends in a forked process on the Drive, which may be killed; ``watch`` is called again and again."""
    told = ROOT / "told.json"
    told.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        _in_child(step, settings, told)
    deadline, hung = time.monotonic() + (kill_after_s or LONGEST_S), False
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline, hung = float("inf"), not kill_after_s
        watch()
        time.sleep(0.005)
    if os.WIFSIGNALED(ended[1]):
        return Ended("hung" if hung else "killed")
    return Ended(**json.loads(told.read_text(encoding="utf-8")))


def _in_child(step: Callable[[], StepReport], settings: DriveSettings, told: Path) -> None:
    try:
        log = os.open(ROOT / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        tempfile.tempdir = str(LOCAL_DISK / "tmp")
        Path(tempfile.tempdir).mkdir(exist_ok=True, parents=True)
        hasten()
        slow_drive.install(settings)
        told.write_text(json.dumps(asdict(_run(step))), encoding="utf-8")
    finally:
        os._exit(0)


def _run(step: Callable[[], StepReport]) -> Ended:
    try:
        report = step()
        print(report.messages, flush=True)
        # With faults in its result a step is not done: the person does again what it says. Labels may only be late.
        text = "\n".join([*report.messages, json.dumps(report.facts, ensure_ascii=False)])
        return Ended("faulty" if report.faulty else "done", text)
    except NpyLabelError as error:
        print(error, flush=True)
        return Ended(error.code, str(error))
    except BaseException:  # noqa: BLE001 - whatever else a person would see is a defect, and is told
        traceback.print_exc()
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(sys.exc_info()[2])]
        return Ended("traceback", f"{traceback.format_exc().splitlines()[-1]} at {' '.join(places[-8:])}")
