"""Training of the colorizer beside the plain loop, and what it brings: ``python -m tests.bench.coloring``.

Prints tables; asserts nothing, because machines differ and are shared. The plain loop is what scripts of the original's
kind do: photos opened one by one with Pillow at 224 pixels, scikit-image's Lab, float32, Adam, no augmentation. Without
``--source_dir`` only speeds are measured, on drawn photos; with it, see ``coloring_scores``.
"""

import argparse
import contextlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch.nn import functional

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.places import project_dir
from npylabel.colorizer.networks import colorizer_names, create_colorizer
from npylabel.colorizer.recipe import ColorRecipe
from npylabel.colorizer.train import train_on_dataset
from npylabel.dataset.build import build_training_data
from npylabel.dataset.folders import TRAIN
from npylabel.dataset.training_data import load_training_data
from npylabel.photos.demo import write_demo_classes
from tests.bench.coloring_scores import Run, compare_recipes, named_recipes, tell_scores
from tests.bench.side_by_side import ROUNDS, print_rates
from tests.bench.training import PlainLoop, default_settings, labeled_photos, our_speed

NETWORK, PX, BATCH = "joint_light", 224, 32
# As step 01 writes them.
_FILE_PX = 512
_DRAWN_PER_CLASS, _PLAIN_S, _EPOCHS = 80, 20, 3


class PlainColorLoop(PlainLoop):
    """The plain way to train a colorizer; ``photos`` are (file, target)."""

    @staticmethod
    def new_network(classes: int) -> torch.nn.Module:
        return create_colorizer(NETWORK, classes)

    @staticmethod
    def load(path: Path) -> torch.Tensor:
        """One photo, ``(3, 224, 224)`` float32: L / 100, a / 128 and b / 128."""
        with Image.open(path) as image:
            lab = rgb2lab(np.array(image.convert("RGB").resize((PX, PX))))
        return torch.from_numpy(lab / (100, 128, 128)).permute(2, 0, 1).float()

    def loss(self, paths: list[Path], targets: torch.Tensor) -> torch.Tensor:
        lab = torch.stack([self.load(path) for path in paths])
        color, class_logits = self.network(lab[:, :1])
        error = functional.mse_loss(self.network.ab(color), lab[:, 1:])
        return error + functional.cross_entropy(class_logits, targets) / 300


def compare_speeds(data_path: Path, table: ClassTable) -> None:
    """Rows of photos a second: the plain loop, ours at one size of pictures, ours with pictures that grow."""
    photos, ids = labeled_photos(data_path, table, TRAIN)
    data = load_training_data(data_path, table, val_fraction=0.15, random_seed=42)
    settings = default_settings(network=NETWORK, input_px=PX, batch_size=BATCH, epochs=1)
    growing = ColorRecipe()
    ways = {"ours": (settings, replace(growing, sizes=((1.0, 1.0),))),
            "with growing pictures": (replace(settings, epochs=_EPOCHS), growing)}
    rates: dict[str, list[float]] = {"plain": [], **{name: [] for name in ways}}
    for _round in range(ROUNDS):
        rates["plain"].append(PlainColorLoop(photos, len(ids)).run(_PLAIN_S))
        for name, (asked, recipe) in ways.items():
            rates[name].append(our_speed(
                lambda path, asked=asked, recipe=recipe: train_on_dataset(data, path, table, asked, recipe)))
    print_rates(f"06, {NETWORK}, {PX} px", rates)


def speeds_on_drawn_photos() -> None:
    """Print the speeds."""
    table = load_classes(project_dir() / "classes.json")
    with tempfile.TemporaryDirectory() as name:
        with contextlib.redirect_stdout(io.StringIO()):
            write_demo_classes(Path(name) / "photos", photos_per_class=_DRAWN_PER_CLASS)
            build_training_data(Path(name) / "photos", Path(name) / "data", table, size_px=_FILE_PX)
        compare_speeds(Path(name) / "data", table)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source_dir", type=Path, help="class folders below train and valid, and classes.json")
    parser.add_argument("--minutes", type=float, default=10, help="of each training")
    parser.add_argument("--epochs", type=int, default=0, help="above 0 they replace the minutes")
    parser.add_argument("--network", default=NETWORK, choices=colorizer_names())
    parser.add_argument("--px", type=int, default=PX)
    parser.add_argument("--per_class", type=int, default=0, help="at most so many training photos of each class")
    parser.add_argument("--labeler", type=Path, help="a model of step 03, which looks at the results")
    parser.add_argument("--encoder", type=Path, help="a colorizer with whose encoder and names the trainings begin")
    parser.add_argument("--picture", type=Path, help="a sheet of some photos, JPEG")
    parser.add_argument("--save_path", type=Path, help="where the model stays; a killed training goes on from there")
    parser.add_argument("--save_dir", type=Path, help="where the models of the recipes stay")
    parser.add_argument("--recipes", action="store_true", help="a row for each recipe of the table in this benchmark")
    parser.add_argument("--recipe", action="append", default=[], help='NAME={"color_loss": "l1"}, as often as wanted')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the comparisons."""
    options = parsed(arguments)
    if not options.source_dir:
        speeds_on_drawn_photos()
        return
    length = {"epochs": options.epochs, "minutes": 0} if options.epochs else {"minutes": options.minutes}
    settings = default_settings(network=options.network, input_px=options.px, batch_size=BATCH, **length)
    run = Run.of(options.source_dir, settings, options.per_class, options.labeler, options.encoder)
    recipes = named_recipes(options.recipe, all_known=options.recipes)
    if recipes:
        compare_recipes(run, recipes, options.save_dir)
    else:
        tell_scores(run, options.picture, options.save_path)


if __name__ == "__main__":
    main()
