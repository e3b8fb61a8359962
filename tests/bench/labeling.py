"""Step 04 beside the original's loop and beside decoding alone; its memory; the pixel cache of step 03.

Run alone: ``python -m tests.bench.labeling [number of photos for the speed] [most photos for the memory]``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from npylabel.base.classes import load_classes
from npylabel.base.parallel import run_threads
from npylabel.base.places import project_dir
from npylabel.dataset.pixels import PixelStore, decode_pixels
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.label import label_photos
from npylabel.labeler.networks import create_network, default_px
from npylabel.labeler.recipe import ZOOM
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from npylabel.photos.fit import encode_pair
from npylabel.photos.sources import list_photos
from tests.bench.side_by_side import compare, seconds, train_defaults

PHOTOS = 640
MEMORY_COUNTS = (1_000, 10_000, 100_000)
# Labels the folder that it is given in a process of its own, and tells the most memory that it ever had.
_LABEL_AND_TELL = """
import resource, sys
from pathlib import Path
from npylabel.base.classes import load_classes
from npylabel.base.places import project_dir
from npylabel.labeler.label import label_photos
source, out, model = map(Path, sys.argv[1:])
label_photos(source, out, model, load_classes(project_dir() / "classes.json"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write_photos(folder: Path, suffix: str, count: int) -> None:
    """512x512 files."""
    folder.mkdir()
    for index in range(count):
        drawn = draw_photo(DEMO_CLASSES[index % len(DEMO_CLASSES)], random_seed=index // 8, size=(512, 512))
        # PNG files as step 01 writes them; Pillow's own take longer to read.
        data = encode_pair(drawn.rotate(index % 8), suffix)[0]
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


def default_model(path: Path, input_px: int = 0) -> Path:
    """A labeler as step 03 makes it by default, untrained: speed does not depend on what was learned.

    Args:
        path: where it goes.
        input_px: another side of the pictures than the default.
    """
    defaults = train_defaults()
    network, table = defaults["network"], load_classes(project_dir() / "classes.json")
    px = input_px or defaults["input_px"] or default_px(network)
    save_checkpoint(path, Checkpoint(
        create_network(network, 100).state_dict(), network, 0, px, "crop", [0.5] * 3, [0.25] * 3,
        table.to_json(), table.sha256, list(table.ids), "own", "", mixed_precision=True, zoom=ZOOM))
    return path


def decode_all(source: Path, px: int) -> None:
    """Read and decode as step 04 does, and nothing else: no labeling can be faster."""
    for _pixels in run_threads(lambda path: decode_pixels(path.read_bytes(), px, "crop"), sorted(source.iterdir())):
        pass


def speed(folder: Path, model: Path, count: int) -> None:
    """Print how fast step 04 is."""
    table, checkpoint = load_classes(project_dir() / "classes.json"), load_checkpoint(model)
    print(f"04 with {checkpoint.network} at {checkpoint.input_px} pixels", flush=True)
    for suffix in ("png", "jpg"):
        write_photos(folder / suffix, suffix, count)
        compare(f"04, 512x512 {suffix}", count, {
            "plain": lambda out, source=folder / suffix: plain_label(source, out),
            "ours": lambda out, source=folder / suffix: label_photos(source, out, model, table),
            "decoding alone": lambda _out, source=folder / suffix: decode_all(source, checkpoint.photo_px)})


def peak_memory(folder: Path, model: Path, most: int) -> None:
    """Print the most memory of labeling small photos, which are few files under many names."""
    folder.mkdir()
    data = [encode_pair(draw_photo(DEMO_CLASSES[0], random_seed=i, size=(64, 64)), "png")[0] for i in range(10)]
    for count in (count for count in MEMORY_COUNTS if count <= most):
        source = folder / str(count) / "color"
        source.mkdir(parents=True)
        firsts = {}
        for index in range(count):
            path = source / f"IMG_{index:07}.png"
            # A file system takes some ten thousand names for one file.
            key = (index % len(data), index // 100_000)
            if key in firsts:
                os.link(firsts[key], path)
            else:
                path.write_bytes(data[key[0]])
                firsts[key] = path
        for run in ("first run", "second run"):
            command = [sys.executable, "-c", _LABEL_AND_TELL, str(source), str(source.parent / "labels"), str(model)]
            told = subprocess.run(command, cwd=project_dir(), capture_output=True, text=True, check=True).stdout
            print(f"04, {count:7} photos, {run:10}         {int(told.splitlines()[-1]) / 1024:7.0f} MB at most",
                  flush=True)


def pixel_cache(folder: Path, photos: Path, px: int) -> None:
    """Print how long the first and the second start of a training take to have their pixels."""
    os.environ["NPYLABEL_CACHE"] = str(folder)
    refs = list_photos([photos]).refs
    for start in ("first", "second"):
        taken = seconds(lambda _out: PixelStore(refs, px, "crop").__exit__())
        print(f"03, {len(refs)} photos, {start:6} start          {taken:8.3f} s", flush=True)


def main(photos: int = PHOTOS, most: int = MEMORY_COUNTS[-1]) -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = default_model(folder / "model.pth")
        speed(folder, model, photos)
        pixel_cache(folder / "cache", folder / "jpg", load_checkpoint(model).input_px)
        # What grows with the number of photos does not depend on their size; the time does.
        peak_memory(folder / "memory", default_model(folder / "small.pth", 32), most)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
