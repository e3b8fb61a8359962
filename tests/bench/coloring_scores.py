"""How good the colors of a training are, beside gray and one color for all, and which recipe brings what.

Photos below ``valid`` are both what the best epoch is chosen by and what is scored here: all rows share that.
"""

import contextlib
import io
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from npylabel.base.classes import ClassTable, load_classes
from npylabel.colorizer.lab import lab_to_rgb, pixels_to_rgb, rgb_to_lab, rgb_to_pixels
from npylabel.colorizer.metrics import color_scores, frechet_distance
from npylabel.colorizer.model import load_colorizer
from npylabel.colorizer.network_painter import NetworkPainter
from npylabel.colorizer.painter import Painter, Sight
from npylabel.colorizer.recipe import BINS, CLASS_WEIGHTS, ColorRecipe
from npylabel.colorizer.task import ColorizerTask
from npylabel.colorizer.train import train_on_dataset
from npylabel.dataset.folders import TRAIN, VAL, scan_class_folders
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.training_data import TrainingData, TrainPhoto
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.predict import Predictor
from npylabel.photos.manifest import OWN
from npylabel.training.settings import TrainSettings
from npylabel.ui.sheets import INK, captioned_sheet

# By name: what is another than in ``ColorRecipe`` or ``TrainSettings``.
RECIPES: dict[str, dict] = {
    "default": {},
    "l1": {"color_loss": "l1", "class_weight": CLASS_WEIGHTS["l1"]},
    "huber": {"color_loss": "huber", "class_weight": CLASS_WEIGHTS["huber"]},
    "bins": {"color_loss": BINS, "class_weight": CLASS_WEIGHTS[BINS]},
    "bins, no rebalancing": {"color_loss": BINS, "class_weight": CLASS_WEIGHTS[BINS], "uniform": 1.0},
    "colorfulness": {"colorfulness_weight": 0.1},
    "kernels 3, 5": {"kernels": [3, 5]},
    "kernel 3 alone": {"kernels": [3]},
    "group norm": {"norm": "group"},
    "labels always told": {"label_dropout": 0.0},
    "labels never told": {"label_dropout": 1.0},
    "no class loss": {"class_weight": 0.0},
    "names alone": {"class_weight": 1000.0},
    "no tones": {"tone": 0.0},
    "whole photos": {"smallest_crop": 1.0, "rotation_degrees": 0.0},
    "one size": {"sizes": [[1.0, 1.0]]},
}
NOTHING = -1
# What a network knows of photos before it colors them.
_SEEING = ("encoder.", "name.", "classifier.")
_AT_ONCE, _SHEET_PHOTOS, _MEAN_PHOTOS = 32, 8, 500
_MEASURES = ("mse_ab", "psnr", "ssim", "ciede2000", "colorfulness")


class FlatPainter:
    """Paints everything in one color and knows no class.

    Args:
        ab: a and b / 128, ``(2,)``.
    """

    table, class_ids, side_px, sha256 = ClassTable({NOTHING: ""}), (NOTHING,), 0, ""

    def __init__(self, ab: torch.Tensor) -> None:
        self.ab = ab

    def see(self, lightness: torch.Tensor) -> Sight:
        """See ``Painter``."""
        count, _one, height, width = lightness.shape
        return Sight(torch.ones(count, 1), lambda _ids: self.ab.view(1, 2, 1, 1).expand(count, 2, height, width))


@dataclass(frozen=True)
class Run:
    """What is trained on what, and scored on which photos.

    Attributes:
        data: the photos below ``train`` and ``valid``.
        table: of the classes.
        settings: of the training.
        true: pixels of the photos below ``valid``, ``(n, px, px, 3)`` uint8.
        class_ids: what is on them, int64 ``(n,)``.
        labeler: a model of step 03 that looks at the results, or None.
        encoder: a colorizer with whose encoder and names trainings begin, or None for random ones.
    """

    data: TrainingData
    table: ClassTable
    settings: TrainSettings
    true: np.ndarray
    class_ids: np.ndarray
    labeler: Path | None = None
    encoder: Path | None = None

    @classmethod
    def of(
        cls, source_dir: Path, settings: TrainSettings, per_class: int = 0, labeler: Path | None = None,
        encoder: Path | None = None,
    ) -> "Run":
        """The run on the class folders below ``train`` and ``valid``.

        Args:
            source_dir: has them and ``classes.json``.
            settings: of the training.
            per_class: at most so many training photos of each class; 0 is all.
            labeler: see above.
            encoder: see above.
        """
        table = load_classes(source_dir / "classes.json")
        data = source_data(source_dir, table, per_class)
        judged = data.of(VAL)
        with PixelStore([photo.ref for photo in judged], settings.input_px, data.fit) as store:
            rows = store.readable()
            class_ids = np.array([judged[i].class_id for i in rows], np.int64)
            return cls(data, table, settings, np.array(store.pixels[rows]), class_ids, labeler, encoder)

    def train(
        self, recipe: ColorRecipe, settings: TrainSettings, save_path: Path | None = None
    ) -> tuple[NetworkPainter, str]:
        """(what was trained, how long it took in words); the model is kept in ``save_path`` where that is given."""
        with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
            path = save_path or Path(name) / "colorizer.pth"
            with begun_with(self.encoder):
                report = train_on_dataset(self.data, path, self.table, settings, recipe)
            history = json.loads(path.with_suffix(".metrics.json").read_text())["history"]
            painter = NetworkPainter(load_colorizer(path), torch.device("cpu"))
        seconds = sum(row["seconds"] for row in history)
        rate = report.facts["epochs"] * report.measured["train"] / seconds
        return painter, f"{report.facts['epochs']} epochs, {seconds:.0f} s, {rate:.0f} photos/s"


@contextlib.contextmanager
def begun_with(encoder: Path | None) -> Iterator[None]:
    """New networks have the encoder and the names of this colorizer; all else of them is random."""
    weights = load_colorizer(encoder).state_dict if encoder else {}
    seeing = {name: value for name, value in weights.items() if name.startswith(_SEEING)}
    new_network = ColorizerTask.new_network

    def begun(task: ColorizerTask) -> torch.nn.Module:
        network = new_network(task)
        network.load_state_dict({**network.state_dict(), **seeing})
        return network

    with mock.patch.object(ColorizerTask, "new_network", begun):
        yield


def source_data(source_dir: Path, table: ClassTable, per_class: int = 0) -> TrainingData:
    """The photos below ``train`` and ``valid``, from their folders as they are."""
    photos, counts = [], {}
    for photo in scan_class_folders(source_dir, table).photos:
        key = photo.class_id, photo.given_split
        counts[key] = counts.get(key, 0) + 1
        if photo.given_split == VAL or (photo.given_split == TRAIN and counts[key] <= (per_class or counts[key])):
            # Nothing is resumed here, so a name is enough to know a photo by.
            photos.append(TrainPhoto(photo.ref, photo.class_id, photo.given_split, photo.ref.source))
    return TrainingData(photos, OWN, "crop", 0, [])


def mean_color(run: Run) -> torch.Tensor:
    """Mean a and b / 128 of about 500 of the training photos, ``(2,)``."""
    photos = run.data.of(TRAIN)
    refs = [photo.ref for photo in photos[::max(1, len(photos) // _MEAN_PHOTOS)]]
    with PixelStore(refs, run.settings.input_px, run.data.fit) as store:
        rows = store.readable()
        means = [rgb_to_lab(pixels_to_rgb(torch.tensor(store.pixels[rows[start:start + _AT_ONCE]])))[1].mean((2, 3))
                 for start in range(0, len(rows), _AT_ONCE)]
    return torch.cat(means).mean(0)


def wrong_labels(class_ids: Sequence[int], taught: Sequence[int], most: int = 2, random_seed: int = 0) -> np.ndarray:
    """Other classes than each photo's own, drawn at random from those taught, int64 ``(n, most)``; none twice in a row.

    Raises:
        ValueError: where there are not so many.
    """
    draw = random.Random(random_seed)
    return np.array([draw.sample([other for other in taught if other != own], most) for own in class_ids], np.int64)


def painted(true: np.ndarray, painter: Painter, class_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photos colored from their lightness, ``(n, h, w, 3)`` uint8, and the classes that the painter names ``(n,)``.

    Args:
        true: the photos, ``(n, h, w, 3)`` uint8.
        painter: colors them.
        class_ids: what it is told, ``(n,)``; -1 for nothing.
    """
    colored, named = np.empty_like(true), np.empty(len(true), np.int64)
    for start in range(0, len(true), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        lightness, _ab = rgb_to_lab(pixels_to_rgb(torch.from_numpy(true[part])))
        probabilities, paint = painter.see(lightness)
        ab = functional.interpolate(paint(torch.from_numpy(class_ids[part])), lightness.shape[2:], mode="bilinear")
        colored[part] = rgb_to_pixels(lab_to_rgb(lightness, ab)).numpy()
        named[part] = np.array(painter.class_ids)[probabilities.argmax(1).numpy()]
    return colored, named


class Onlooker:
    """A labeler that looks at the results: how far they are from others in its features, and what it names them.

    Args:
        path: of the model.
        true: the true photos.
        gray: the same in gray.
    """

    def __init__(self, path: Path, true: np.ndarray, gray: np.ndarray) -> None:
        self._labeler = Predictor(load_checkpoint(path), torch.device("cpu"))
        (self._names, self._true), (_names, self._gray) = self._look(true), self._look(gray)

    def _look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, features = self._labeler.logits_and_features(pixels)
        return logits.argmax(1).numpy(), features

    def cells(self, pixels: np.ndarray) -> str:
        """Distance to the true photos, to the gray ones, and share of those named as the true ones."""
        names, features = self._look(pixels)
        return (f"{frechet_distance(features, self._true):12.3f} {frechet_distance(features, self._gray):12.3f} "
                f"{(names == self._names).mean():12.3f}")


def ways_of(run: Run, ours: Painter) -> dict[str, tuple[Painter, np.ndarray]]:
    """By row of the table: who paints, and what it is told of each photo."""
    nothing = np.full(len(run.true), NOTHING, np.int64)
    return {"gray": (FlatPainter(torch.zeros(2)), nothing),
            "one mean color": (FlatPainter(mean_color(run)), nothing),
            "ours, no label": (ours, nothing),
            "ours, right label": (ours, run.class_ids),
            "ours, wrong label": (ours, wrong_labels(run.class_ids, ours.class_ids)[:, 0])}


class Table:
    """Prints all measures of colored photos, a row at a time.

    Args:
        run: has the true photos, and the labeler that looks at the others.
    """

    def __init__(self, run: Run) -> None:
        gray = painted(run.true, FlatPainter(torch.zeros(2)), run.class_ids)[0]
        self._true, self._onlooker = run.true, Onlooker(run.labeler, run.true, gray) if run.labeler else None
        heads = [*_MEASURES, *(("to true", "to gray", "same name") if self._onlooker else ())]
        print(f"{'':34}" + " ".join(f"{head:>12}" for head in heads), flush=True)

    def row(self, name: str, pixels: np.ndarray) -> None:
        """Print the means over photos ``(n, h, w, 3)`` uint8."""
        means = color_scores(pixels, self._true).means()
        cells = [f"{means[measure]:12.4f}" for measure in _MEASURES]
        cells += [self._onlooker.cells(pixels)] if self._onlooker else []
        print(f"{name:34}" + " ".join(cells), flush=True)


def tell_scores(run: Run, picture: Path | None, save_path: Path | None) -> None:
    """Train once and print all measures of all ways to color the photos below ``valid``.

    Args:
        run: what to train on what.
        picture: where a sheet of some photos goes, or None.
        save_path: where the model stays, or None.
    """
    ours, length = run.train(ColorRecipe(), run.settings, save_path)
    print(f"{run.settings.network}, {run.settings.input_px} px, {length}; {len(run.true)} photos")
    results = {name: painted(run.true, *way) for name, way in ways_of(run, ours).items()}
    table = Table(run)
    for name, pixels in {"true": run.true, **{name: pixels for name, (pixels, _named) in results.items()}}.items():
        table.row(name, pixels)
    print(f"class head: {(results['ours, no label'][1] == run.class_ids).mean():.3f} of the photos named right")
    if picture:
        draw_sheet(run, ours, results, picture)


def draw_sheet(
    run: Run, ours: Painter, results: Mapping[str, tuple[np.ndarray, np.ndarray]], picture: Path
) -> None:
    """A row for each of some photos: true, gray, without a label, with the right one, with two wrong ones."""
    rows = np.linspace(0, len(run.true) - 1, _SHEET_PHOTOS).round().astype(int)
    names, wrong = run.table.names, wrong_labels(run.class_ids, ours.class_ids)[rows]
    told = [run.class_ids[rows], wrong[:, 0], wrong[:, 1]]
    columns = [run.true[rows], *(results[name][0][rows] for name in ("gray", "ours, no label"))]
    columns += [painted(run.true[rows], ours, class_ids)[0] for class_ids in told]
    captions = [[f"true: {names[own]}", "gray", "no label", *(f"as {names[class_ids[row]]}" for class_ids in told)]
                for row, own in enumerate(run.class_ids[rows])]
    with tempfile.TemporaryDirectory() as folder:
        tiles = []
        for row, texts in enumerate(captions):
            for column, text in enumerate(texts):
                path = Path(folder) / f"{row}-{column}.png"
                Image.fromarray(columns[column][row]).save(path)
                tiles.append((path, [(text, INK)]))
        captioned_sheet(tiles, picture, columns=len(columns))


def named_recipes(asked: Sequence[str], *, all_known: bool) -> dict[str, dict]:
    """Changes by name: the table's where all are wanted, and those asked for as ``NAME={"field": value}``."""
    pairs = [text.partition("=") for text in asked]
    return {**(RECIPES if all_known else {}), **{name: json.loads(values) for name, _equals, values in pairs}}


def changed(settings: TrainSettings, changes: Mapping[str, object]) -> tuple[ColorRecipe, TrainSettings]:
    """Recipe and settings with changes; a name that neither has is a ``TypeError``."""
    plain = {name: _tuples(value) for name, value in changes.items()}
    of_settings = {field.name for field in fields(TrainSettings)} & set(plain)
    recipe = replace(ColorRecipe(), **{name: value for name, value in plain.items() if name not in of_settings})
    return recipe, replace(settings, **{name: plain[name] for name in of_settings})


def _tuples(value: object) -> object:
    """JSON has lists only; recipes hold tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def compare_recipes(
    run: Run, recipes: Mapping[str, Mapping[str, object]], save_dir: Path | None = None
) -> None:
    """Train with each of some changes, and print two rows for each: without a label and with the right one.

    Args:
        run: what to train on what.
        recipes: what is changed, by name.
        save_dir: where the models stay, under these names, or None.
    """
    # A wrong name is found before anything is trained.
    trainings = {name: changed(run.settings, changes) for name, changes in recipes.items()}
    nothing, table = np.full(len(run.true), NOTHING, np.int64), Table(run)
    for name, (recipe, settings) in trainings.items():
        ours, length = run.train(recipe, settings, save_dir and save_dir / f"{name}.pth")
        for told, class_ids in (("no label", nothing), ("right label", run.class_ids)):
            pixels, named = painted(run.true, ours, class_ids)
            table.row(f"{name}, {told}", pixels)
        print(f"    names {(named == run.class_ids).mean():.3f} right; {length}", flush=True)
