"""The notebook doctor: what a helper asks first, in one text to copy, with nothing private in it."""

import errno
import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from npylabel import __version__
from npylabel.base import places as where
from npylabel.base.courier import Courier
from npylabel.base.disks import room_on
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.places import Places, in_colab, is_headless, project_dir
from npylabel.base.report import StepReport
from npylabel.base.runtime import CROWDED_ROOT, missing_requirements
from npylabel.care.status import describe_status
from npylabel.photos.preflight import size_text

_LIBRARIES = ("torch", "torchvision", "lightning", "torchmetrics", "numpy", "pillow", "pillow-heif", "simplejpeg",
              "isal", "matplotlib", "ipywidgets", "ipykernel", "papermill", "nbconvert")


def doctor_report(places: Places) -> StepReport:
    """Versions, machine, disks, Drive and counts; no names, no paths."""
    report = StepReport("manage")
    facts = {**_versions(), **_machine(), **_disks(places), **_saved(places)}
    counts = describe_status(places)
    facts |= {f"{world} {name}": value for world, done in counts.facts.items() for name, value in done.items()}
    report.messages.append(_("Copy this into your question:"))
    report.messages += [f"{name}: {value}" for name, value in facts.items()]
    report.facts |= {"action": "doctor", "done": True}
    report.next_step = counts.next_step
    return report


def _versions() -> dict[str, str]:
    found = {"npylabel": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "-"
    missing = missing_requirements(project_dir() / "requirements.txt")
    return found | {"missing": ", ".join(missing) or "-"}


def _machine() -> dict[str, str]:
    release = os.environ.get("COLAB_RELEASE_TAG", "-")
    return {"system": f"{platform.system()} {platform.machine()}", "colab": release, "headless": str(is_headless()),
            "cores": str(cpu_count()), "memory": _memory(), "gpu": _gpu()}


def _memory() -> str:
    try:
        return size_text(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError, AttributeError):  # Windows.
        return "-"


def _gpu() -> str:
    if not shutil.which("nvidia-smi"):
        return "-"
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return result.stdout.strip().replace("\n", "; ") or "-"


def _disks(places: Places) -> dict[str, str]:
    found = {"disk free": _room(places.work_dir)}
    if in_colab() or places.save_dir:
        found["drive root"] = _drive_root(where.DRIVE / "MyDrive")
    if not places.save_dir:
        return found | {"kept elsewhere": "-"}
    writable = os.access(places.save_dir, os.W_OK)
    return found | {"kept elsewhere": "yes", "room there": _room(places.save_dir), "writable there": str(writable)}


def _room(folder: Path) -> str:
    room = room_on(folder)
    return f"{size_text(room[0])} / {size_text(room[1])}" if room else "-"


def _drive_root(folder: Path) -> str:
    """How many entries lie there, and how long it took to ask: a crowded or dying Drive is what a doctor looks for."""
    started = time.monotonic()
    try:
        entries = len(os.listdir(folder))
    except OSError as error:
        return _("not mounted") if error.errno == errno.ENOENT else str(error.strerror)
    crowded = " " + _("(crowded: move files into folders)") if entries > CROWDED_ROOT else ""
    return f"{entries}{crowded}, {time.monotonic() - started:.1f} s"


def _saved(places: Places) -> dict[str, str]:
    if not places.save_dir:
        return {}
    try:
        courier = Courier(places.root, places.save_dir)
        index = courier.shelf.head()
    except NpyLabelError as error:
        return {"saved": error.code}
    size = size_text(sum(archive.size for archive in index.archives.values()))
    waiting = len(courier.remote.uploading(list(index.archives)))
    return {"saved": f"{len(index.files)} files, {len(index.archives)} archives, {size}", "save": index.name or "-",
            "still sending": str(waiting), "notes": str(len(courier.shelf.notes))}
