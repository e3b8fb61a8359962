"""The machine: what is installed, whether there is a GPU, and what to do about it."""

import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from npylabel.base import places
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import in_colab, project_dir


def missing_requirements(path: Path) -> list[str]:
    """The lines of a requirements file that this interpreter does not meet."""
    # Comes with ipykernel and pip's own dependencies, so it is there before anything of ours is.
    from packaging.requirements import Requirement

    missing = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate():
                missing += [] if _is_met(requirement.name, requirement.specifier) else [text]
    return missing


def _is_met(name: str, specifier: object) -> bool:
    try:
        return specifier.contains(importlib.metadata.version(name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def install_missing() -> list[str]:
    """What was installed of ``requirements.txt``; nothing that meets it already is touched.

    Raises:
        NpyLabelError: ``install_failed``.
    """
    missing = missing_requirements(project_dir() / "requirements.txt")
    if missing:
        print(_("Installing: {names}").format(names=", ".join(missing)), flush=True)
        command = [sys.executable, "-m", "pip", "install", "-qq", *missing]
        if subprocess.run(command, check=False).returncode:
            raise NpyLabelError(
                "install_failed", _("pip could not install {names}.").format(names=", ".join(missing)),
                _("Check the connection and run the cell again; in Colab, Runtime, Restart session may help."))
        importlib.invalidate_caches()
    return missing


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU, without importing torch."""
    return bool(shutil.which("nvidia-smi")) or Path("/dev/nvidia0").exists()


def gpu_hint() -> str:
    """A sentence about the GPU."""
    if has_gpu():
        return _("This machine has a GPU.")
    if in_colab():
        return _("This runtime has no GPU: training is slow. Runtime, Change runtime type, T4 GPU switches it on.")
    return _("This machine has no GPU: training runs on the processor.")


# Drive's mount reads the whole root folder first and gives up on a crowded one (Colab's FAQ on Drive time-outs).
CROWDED_ROOT = 2000


def drive_hint() -> str:
    """What to do about a root folder of Drive that will soon be too crowded to mount; "" where there is nothing."""
    try:
        entries = len(os.listdir(places.DRIVE / "MyDrive"))
    except OSError:
        return ""
    if entries <= CROWDED_ROOT:
        return ""
    return _("{count} files lie directly in My Drive, which makes it slow and hard to mount: move them into "
             "folders.").format(count=entries)
