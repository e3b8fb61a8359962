"""Coloring a folder beside the plain way, for small, large and very large scans: photos per second and peak memory.

Prints a table; asserts nothing. The plain way takes a photo at a time with Pillow and scikit-image: Lab of all its
pixels, the network's colors stretched over them, and back. The network is untrained: speed does not depend on what it
learned, but its colors are pale: few lie outside of what a screen shows, and those take longest.

Run: ``python -m tests.bench.coloring_folder [sides in pixels, such as 512 4000]``.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import color, transform

from npylabel.base.classes import load_classes
from npylabel.base.places import project_dir
from npylabel.colorizer.colorize import colorize_photos
from npylabel.colorizer.model import Colorizer, load_colorizer, save_colorizer
from npylabel.colorizer.network_painter import NetworkPainter
from npylabel.colorizer.networks import create_colorizer
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from tests.bench.side_by_side import seconds

NETWORK, INPUT_PX = "joint_light", 224
# Width and height, and how many photos: the work of each kind takes some seconds.
KINDS = {(512, 512): 96, (4000, 3000): 12, (8000, 6000): 6}
# The plain way holds 64-bit floats of the whole photo, many times.
MOST_PLAIN_PX, PLAIN_PHOTOS = 4000, {512: 32, 4000: 2}
ROUNDS = 3


def write_scans(folder: Path, size: tuple[int, int], count: int) -> None:
    """Gray JPEG files with the grain of film."""
    folder.mkdir()
    grain = np.random.default_rng(0).normal(0, 3, (size[1], size[0])).astype(np.float32)
    for index in range(count):
        drawn = draw_photo(DEMO_CLASSES[index % len(DEMO_CLASSES)], random_seed=index, size=(1000, 1000))
        pixels = np.asarray(drawn.convert("L").resize(size, Image.Resampling.BICUBIC)) + np.roll(grain, 97 * index)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03}.jpg", quality=92)


def write_model(path: Path) -> None:
    """A colorizer with random weights."""
    table = load_classes(project_dir() / "classes.json")
    network = create_colorizer(NETWORK, len(table.ids))
    save_colorizer(path, Colorizer(network.state_dict(), NETWORK, INPUT_PX, table.to_json(), table.sha256,
                                   list(table.ids), "own", ""))


def ours(source: Path, out: Path, painter: NetworkPainter) -> None:
    """The step."""
    colorize_photos([source], out, painter, load_classes(project_dir() / "classes.json"))


def plain(source: Path, out: Path, painter: NetworkPainter) -> None:
    """A photo at a time, all of its pixels at once."""
    out.mkdir()
    Image.MAX_IMAGE_PIXELS = None
    for path in sorted(source.iterdir())[:PLAIN_PHOTOS[int(source.name)]]:
        lab = color.rgb2lab(np.asarray(Image.open(path).convert("RGB")))
        small = transform.resize(lab[..., 0] / 100, (INPUT_PX, INPUT_PX))
        ab = painter.see(torch.tensor(small, dtype=torch.float32)[None, None]).paint(torch.tensor([-1]))
        lab[..., 1:] = transform.resize(ab[0].permute(1, 2, 0).numpy() * 128, lab.shape[:2])
        pixels = (color.lab2rgb(lab) * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(out / path.name, quality=95)


WAYS: dict[str, Callable[[Path, Path, NetworkPainter], None]] = {"plain": plain, "ours": ours}


def peak_mb() -> float:
    """The most memory that this process ever had, MB; Linux only (what ``resource`` says includes the parent's)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def color_and_tell(way: str, source: Path, model: Path) -> None:
    """In a process of its own: color a folder, and print how long it took, and the memory before and at most."""
    painter = NetworkPainter(load_colorizer(model), torch.device("cpu"))
    painter.see(torch.zeros(1, 1, INPUT_PX, INPUT_PX)).paint(torch.tensor([-1]))
    before = peak_mb()
    taken = seconds(lambda out: WAYS[way](source, out, painter))
    print(taken, before, peak_mb())


def compare_ways(title: str, source: Path, model: Path, counts: dict[str, int]) -> None:
    """Print the rates and the memory of some ways with a folder, each time in a fresh process."""
    rates: dict[str, list[float]] = {way: [] for way in counts}
    memory: dict[str, tuple[float, float]] = {}
    for _round in range(ROUNDS):
        for way, count in counts.items():
            command = [sys.executable, "-m", "tests.bench.coloring_folder", way, str(source), str(model)]
            told = subprocess.run(command, cwd=project_dir(), capture_output=True, text=True, check=True).stdout
            taken, before, most = map(float, told.splitlines()[-1].split())
            rates[way].append(count / taken)
            memory[way] = max(memory.get(way, (0.0, 0.0)), (most, before))
    for way, (most, before) in memory.items():
        median, first = statistics.median(rates[way]), next(iter(counts))
        beside = "" if way == first else f"{median / statistics.median(rates[first]):.1f} times"
        print(f"{title:34} {way:5} {median:8.3f}/s {beside:12} {most:6.0f} MB at most, "
              f"{before:.0f} MB before the first photo", flush=True)


def main(*sides: int) -> None:
    """Run all of it, or the kinds of these widths."""
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "model.pth"
        write_model(model)
        for size, count in KINDS.items():
            if sides and size[0] not in sides:
                continue
            source = Path(name) / str(size[0])
            write_scans(source, size, count)
            counts = {"plain": PLAIN_PHOTOS[size[0]]} if size[0] <= MOST_PLAIN_PX else {}
            compare_ways(f"colorize, {size[0]}x{size[1]} jpg", source, model, {**counts, "ours": count})


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in WAYS:
        color_and_tell(sys.argv[1], *map(Path, sys.argv[2:]))
    else:
        main(*map(int, sys.argv[1:]))
