"""Speed of steps 01 and 04 and of the courier beside the plain ways, measured in one run: ``python -m tests.bench``.

Prints a table; asserts nothing, because machines differ and are shared. The plain ways are what the dataset guide and
the labeling script of the original NpyLabelNet do: one photo at a time, with Pillow and a batch of one.
"""

import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from npylabel.base.classes import load_classes
from npylabel.base.places import project_dir
from npylabel.labeler.checkpoint import Checkpoint, save_checkpoint
from npylabel.labeler.label import label_photos
from npylabel.labeler.networks import create_network
from npylabel.photos.collect import collect_photos
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from npylabel.photos.fit import encode_pair
from tests.bench import courier

ROUNDS = 3
LARGE_PHOTOS, LARGE_PX = 60, (4000, 3000)
SMALL_PHOTOS = 640


def write_large_photos(folder: Path) -> None:
    """12-megapixel JPEG files with the noise of a camera."""
    noise = np.random.default_rng(0).normal(0, 3, (LARGE_PX[1], LARGE_PX[0], 1))
    for index in range(LARGE_PHOTOS):
        drawn = draw_photo(DEMO_CLASSES[index % len(DEMO_CLASSES)], random_seed=index, size=(1000, 750))
        pixels = np.asarray(drawn.resize(LARGE_PX, Image.Resampling.BICUBIC)) + np.roll(noise, 97 * index, axis=0)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03}.jpg", quality=92)


def plain_collect(source: Path, out: Path) -> None:
    """The guide's loop: open, resize, save, open again, gray, save."""
    for name in ("color", "bw"):
        (out / name).mkdir(parents=True)
    for path in sorted(source.iterdir()):
        color = out / "color" / f"{path.stem}.png"
        Image.open(path).convert("RGB").resize((512, 512)).save(color)
        Image.open(color).convert("L").save(out / "bw" / color.name)


def write_small_photos(folder: Path, suffix: str) -> None:
    """512x512 files."""
    folder.mkdir()
    for index in range(SMALL_PHOTOS):
        drawn = draw_photo(DEMO_CLASSES[index % len(DEMO_CLASSES)], random_seed=index // 8, size=(512, 512))
        # PNG files as step 01 writes them; Pillow's own take longer to read.
        photo = drawn.rotate(index % 8)
        data = encode_pair(photo, suffix)[0]
        (folder / f"{index:04}.{suffix}").write_bytes(data)


@torch.no_grad()
def plain_label(source: Path, out: Path) -> None:
    """The original's loop: MiniCNN at 512 pixels, one photo at a time."""
    out.mkdir()
    network = create_network("minicnn", 100).eval()
    for path in sorted(source.iterdir()):
        pixels = np.array(Image.open(path).convert("RGB")) / 255.0
        image = torch.from_numpy(pixels).permute(2, 0, 1).float().unsqueeze(0)
        confidence, class_id = torch.softmax(network(image), 1).max(1)
        np.save(out / f"{path.stem}.npy", np.array([class_id.item() if confidence.item() >= 0.5 else 99], np.int64))


def our_model(path: Path) -> None:
    """A labeler as step 03 makes it by default, untrained: speed does not depend on what was learned."""
    table = load_classes(project_dir() / "classes.json")
    save_checkpoint(path, Checkpoint(
        create_network("smallresnet", 100).state_dict(), "smallresnet", 0, 128, "crop", [0.5] * 3, [0.25] * 3,
        table.to_json(), table.sha256, list(table.ids), "own", ""))


def compare(title: str, count: int, plain: Callable[[Path], None], ours: Callable[[Path], None]) -> None:
    """Print the rates of both ways, measured in turn, and the median of the ratios."""
    rates: list[tuple[float, float]] = []
    for _round in range(ROUNDS):
        rates.append(tuple(count / _seconds(way) for way in (plain, ours)))
    medians = [statistics.median(rate[i] for rate in rates) for i in (0, 1)]
    ratios = [ours_rate / plain_rate for plain_rate, ours_rate in rates]
    print(f"{title:34} plain {medians[0]:7.1f}/s   ours {medians[1]:7.1f}/s   {statistics.median(ratios):5.1f} times "
          f"({min(ratios):.1f}-{max(ratios):.1f})", flush=True)


def _seconds(way: Callable[[Path], None]) -> float:
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        way(Path(name) / "out")
        return time.perf_counter() - started


def main() -> None:
    """Run all comparisons."""
    table = load_classes(project_dir() / "classes.json")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large").mkdir()
        write_large_photos(folder / "large")
        for image_format in ("png", "jpg"):
            compare(f"01, 12-megapixel JPEG to {image_format}", LARGE_PHOTOS,
                    lambda out: plain_collect(folder / "large", out),
                    lambda out, kind=image_format: collect_photos([folder / "large"], out, image_format=kind))
        our_model(folder / "model.pth")
        for suffix in ("png", "jpg"):
            write_small_photos(folder / suffix, suffix)
            compare(f"04, 512x512 {suffix}", SMALL_PHOTOS,
                    lambda out, source=folder / suffix: plain_label(source, out),
                    lambda out, source=folder / suffix: label_photos(source, out, folder / "model.pth", table))
    courier.main()


if __name__ == "__main__":
    main()
