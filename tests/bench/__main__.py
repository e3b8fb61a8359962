"""Speed of the steps, the desk and the courier beside the plain ways, measured in one run: ``python -m tests.bench``.

Prints a table; asserts nothing, because machines differ and are shared. The plain ways are what the dataset guide and
the labeling script of the original NpyLabelNet do: one photo at a time, with Pillow and a batch of one.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from npylabel.photos.collect import collect_photos
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from tests.bench import coloring, courier, labeling, sorting, training
from tests.bench.side_by_side import compare

LARGE_PHOTOS, LARGE_PX = 60, (4000, 3000)


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


def main() -> None:
    """Run all comparisons."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large").mkdir()
        write_large_photos(folder / "large")
        for image_format in ("png", "jpg"):
            compare(f"01, 12-megapixel JPEG to {image_format}", LARGE_PHOTOS, {
                "plain": lambda out: plain_collect(folder / "large", out),
                "ours": lambda out, kind=image_format: collect_photos([folder / "large"], out, image_format=kind)})
    training.main([])
    coloring.main([])
    labeling.main()
    sorting.main()
    courier.main()


if __name__ == "__main__":
    main()
