"""The whole path in a small world: a Drive of 150 MB and a local disk of 200 MB for 80 phone photos of 280 MB.

``python -m tests.colab.room`` is 15 GB, 20 GB and 8,000 photos to the scale of 1 to 100, with photos of real size. The
originals are brought to Drive in the portions that ``plan_path`` proposes and taken away when a step has said that all
is saved; each step runs on a fresh local disk. Drive refuses what goes beyond its quota; the local disk is a file
system of that size where this program may mount one, and is measured otherwise. Prints the peaks beside the plan's
numbers.

To the scale of the world are also: the plan's slack and smallest portion, the size of the archives, what 01 reads ahead
and keeps free. A model cannot be made smaller: from step 03 on both disks have the room for it that the plan gives it,
unscaled, on top.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

# First: it says where Drive is, which the package reads when it is imported.
from tests.colab.forks import COMMON, DRIVE, LOCAL_DISK, ROOT, SAVE, STATE, Ended, forked  # isort: skip
import npylabel_core as core
from npylabel.base import packing
from npylabel.care import plan as planning
from npylabel.photos import portions, preflight
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from tests.colab import slow_drive
from tests.colab.slow_drive import DriveSettings

MB = 1e6
NOISE, TEXTURE = 5.6, 8.0


@dataclass(frozen=True)
class World:
    """8,000 photos, 5,000 of them to train on, 15 GB of Drive and 20 GB of local disk, to a scale.

    Attributes:
        scale: all of that is divided by it.
        photo_px: width of the photos, which are 4 by 3.
    """

    scale: int = 100
    photo_px: int = 4000

    @property
    def photos(self) -> int:
        """How many photos there are."""
        return 8000 // self.scale

    @property
    def training(self) -> int:
        """How many of them are also in class folders."""
        return 5000 // self.scale

    @property
    def drive_bytes(self) -> float:
        """Room on Drive."""
        return 15e9 / self.scale

    @property
    def local_bytes(self) -> float:
        """Room on the local disk."""
        return 20e9 / self.scale


@dataclass
class Peaks:
    """The most bytes that lay anywhere at once."""

    drive: int = 0
    local: int = 0

    def look(self) -> None:
        """Measure once more."""
        self.drive, self.local = max(self.drive, _used(DRIVE)), max(self.local, _used(LOCAL_DISK))


def _used(folder: Path) -> int:
    """Bytes of all files; of several links to one, of one."""
    sizes = {}
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(f"{parent}/{name}")
            except FileNotFoundError:
                continue
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def write_photos(folder: Path, world: World) -> list[Path]:
    """JPEG photos with noise and texture, of about 3.5 MB at 12 megapixels, the same each time.

    The texture is what is left in a square of 512 pixels: its pair of PNG files has 2.4 bytes per pixel, as a phone's.
    """
    folder.mkdir(parents=True)
    rng, written = np.random.default_rng(0), []
    width, height = size = world.photo_px, world.photo_px * 3 // 4
    texture = Image.fromarray(rng.normal(128, TEXTURE, (height // 8, width // 8, 3)).clip(0, 255).astype(np.uint8))
    noise = rng.normal(0, NOISE, (height, width, 1)) + np.asarray(texture.resize(size)).astype(float) - 128
    noise = noise.astype(np.int16)
    for number in range(world.photos):
        class_name = DEMO_CLASSES[number % len(DEMO_CLASSES)]
        drawn = draw_photo(class_name, random_seed=number, size=(width // 4, height // 4))
        pixels = np.asarray(drawn.resize(size, Image.Resampling.BILINEAR)) + np.roll(noise, 97 * number, 0)
        path = folder / f"IMG_{number:04}_{class_name}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=90)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        written.append(path)
    return written


@contextmanager
def disk_of(size_bytes: float) -> Iterator[bool]:
    """A fresh local disk of that size; whether it is a real one."""
    LOCAL_DISK.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={int(size_bytes)}", "tmpfs", str(LOCAL_DISK)]
    is_real = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    try:
        yield is_real
    finally:
        if is_real:
            subprocess.run(["umount", "-l", str(LOCAL_DISK)], check=True)
        shutil.rmtree(LOCAL_DISK, ignore_errors=True)


def shrink(scale: int) -> None:
    """Bring the constants that are bytes to the scale of the world."""
    planning._SAVE_SLACK_BYTES /= scale
    planning._LEAST_PORTION_BYTES /= scale
    packing.ARCHIVE_BYTES //= scale
    portions._AHEAD_BYTES //= scale
    preflight._RESERVE_BYTES //= scale
    os.environ["NPYLABEL_SAVE_EVERY_S"] = "0.5"


class SmallPath:
    """The path through all steps; each notebook on a machine of its own.

    Args:
        world: how large everything is.
    """

    def __init__(self, world: World) -> None:
        shutil.rmtree(ROOT, ignore_errors=True)
        STATE.mkdir(parents=True)
        SAVE.mkdir(parents=True)
        self.world = world
        self.photos = write_photos(ROOT / "phone", world)
        self.photo_bytes = sum(path.stat().st_size for path in self.photos)
        work = planning.Work(world.photos, self.photo_bytes, world.training, epochs=2)
        scaled_model = planning._MODEL_BYTES / world.scale
        # Planned with a model to scale, then done with a real one and the room for it.
        self.model_bytes = planning._MODEL_BYTES - scaled_model
        planning._MODEL_BYTES = scaled_model
        machine = planning.Machine(world.local_bytes, world.drive_bytes, 1, has_gpu=False)
        self.plan = planning.plan_path(work, machine)
        self.rows: list[dict] = []

    def portions(self, photos: list[Path]) -> list[list[Path]]:
        """The photos in portions that the plan allows."""
        found: list[list[Path]] = [[]]
        for path in photos:
            if sum(other.stat().st_size for other in [*found[-1], path]) > self.plan.portion_bytes and found[-1]:
                found.append([])
            found[-1].append(path)
        return found

    def play(self) -> None:
        """All steps; a row of peaks for each."""
        same = {"image_format": self.plan.image_format, "workers": 1}
        for number, photos in enumerate(self.portions(self.photos), start=1):
            self._with_originals("01", f"portion_{number}", photos, lambda path: path.name, lambda name: (
                core.collect_and_grayscale(photos_dir=name, **same, **COMMON)))
        training = self.photos[: self.world.training]
        for number, photos in enumerate(self.portions(training), start=1):
            self._with_originals("02", f"classes_{number}", photos, _class_path, lambda name: (
                core.build_train_data(source_dir=name, workers=1, **COMMON)))
        self._step("03", lambda: core.train(epochs=2, batch_size=16, device="cpu", **COMMON), self.model_bytes)
        self._step("04", lambda: core.auto_label(device="cpu", threshold=0.0, **COMMON), self.model_bytes)
        self._step("05", lambda: core.verify_tintora(workers=1, export_dir="export", **COMMON), self.model_bytes)

    def _with_originals(self, step: str, name: str, photos: list[Path], place: Callable[[Path], str],
                        run: Callable[[str], object]) -> None:
        """A step on a portion that is brought before it and taken away after it."""
        for path in photos:
            target = SAVE / name / place(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        assert _used(DRIVE) <= self.world.drive_bytes, f"{step} {name}: the portion does not fit on Drive"
        self._step(step, lambda: run(name), 0, portion_bytes=_used(SAVE / name))
        shutil.rmtree(SAVE / name)

    def _step(self, step: str, run: Callable[[], object], more_bytes: float, portion_bytes: int = 0) -> None:
        quota = int(self.world.drive_bytes + 2 * more_bytes)
        settings = DriveSettings(str(DRIVE), str(STATE), quota_bytes=quota)
        peaks, size = Peaks(), self.world.local_bytes + more_bytes
        with disk_of(size) as is_real:
            ended = forked(run, settings, watch=peaks.look)
            if peaks.local > size or peaks.drive > quota:
                ended = Ended("disk full", str(peaks))
            slow_drive.machine_ends(DRIVE, state=STATE)
        assert ended.how == "done", f"{step}: {ended.how}: {ended.text}"
        assert ended.all_saved, f"{step}: {ended.text}"
        self.rows.append({
            "step": step, "portion_mb": round(portion_bytes / MB, 1), "drive_peak_mb": round(peaks.drive / MB, 1),
            "drive_mb": round(quota / MB, 1), "kept_mb": round((_used(DRIVE) - portion_bytes) / MB, 1),
            "local_peak_mb": round(peaks.local / MB, 1), "local_mb": round(size / MB, 1), "real_disk": is_real,
            "facts": json.loads(ended.text.splitlines()[-1])})

    def summary(self) -> dict:
        """The peaks by step beside what the plan said, in MB."""
        planned = {need.step: need for need in self.plan.needs}
        table = []
        for step, need in planned.items():
            rows = [row for row in self.rows if row["step"] == step]
            unscaled = self.model_bytes if step == "03" else 0
            table.append({
                "step": step, "runs": len(rows),
                "local_peak": max(row["local_peak_mb"] for row in rows),
                "local_planned": round((need.local_bytes + unscaled) / MB, 1), "local_disk": rows[0]["local_mb"],
                "drive_peak": max(row["drive_peak_mb"] for row in rows), "drive_quota": rows[0]["drive_mb"],
                "kept_after": rows[-1]["kept_mb"],
                "kept_planned": round(sum(other.drive_bytes for other in self.plan.needs if other.step <= step) / MB
                                      + (self.model_bytes / MB if step >= "03" else 0), 1)})
        return {"photos": len(self.photos), "photo_mb": round(self.photo_bytes / MB, 1),
                "image_format": self.plan.image_format, "fits": self.plan.fits,
                "portion_mb": round(self.plan.portion_bytes / MB, 1), "steps": table,
                "facts": self.rows[-1]["facts"]}


def _class_path(path: Path) -> str:
    """IMG_0001_sea.jpg in the folder of its class."""
    return f"{path.stem.split('_', 2)[2]}/{path.name}"


def room(world: World) -> dict:
    """The summary of one path."""
    torch.set_num_threads(1)
    shrink(world.scale)
    try:
        path = SmallPath(world)
        path.play()
        return path.summary()
    finally:
        shutil.rmtree(ROOT, ignore_errors=True)


def main() -> int:
    """Go the path that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", type=int, default=100)
    parser.add_argument("--photo_px", type=int, default=4000)
    options = parser.parse_args()
    summary = room(World(options.scale, options.photo_px))
    print(json.dumps({**summary, "steps": []}, ensure_ascii=False))
    for row in summary["steps"]:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
