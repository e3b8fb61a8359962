"""Training beside the plain loop and beside a bare loop: ``python -m tests.bench.training``.

Prints tables; asserts nothing, because machines differ and are shared. The plain loop is what the training script of
the original NpyLabelNet does: photos opened one by one with Pillow at 512 pixels, float32, Adam, no augmentation.

Arguments, all optional: ``--source_dir`` (a folder with ``train`` and ``valid``, each of class folders, and
``classes.json``) and ``--minutes`` for the score that both reach in the same time; with ``--networks`` (``name`` or
``name:px``, separated by commas) for the scores of several networks in that time. Without a folder only speeds.
"""

import argparse
import contextlib
import io
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.places import project_dir
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.folders import TRAIN, VAL
from npylabel.dataset.training_data import load_training_data
from npylabel.labeler.networks import create_network
from npylabel.labeler.scores import score
from npylabel.labeler.train import train_labeler
from npylabel.photos.demo import write_demo_classes
from npylabel.training.settings import TrainSettings
from tests.bench.side_by_side import ROUNDS, print_rates, train_defaults

PLAIN_PX, PLAIN_BATCH = 512, 32
DRAWN_PER_CLASS = 160


def default_settings(**changes: object) -> TrainSettings:
    """The settings of step 03 as a user gets them, with some changed."""
    names = TrainSettings.__dataclass_fields__
    values = {name: value for name, value in train_defaults().items() if name in names}
    return TrainSettings(**{**values, "device": "cpu", **changes})


class PlainLoop:
    """The plain way to train; ``photos`` are (file, target)."""

    def __init__(self, photos: list[tuple[Path, int]], classes: int) -> None:
        torch.manual_seed(0)
        self.photos = photos
        self.network = self.new_network(classes)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)

    @staticmethod
    def new_network(classes: int) -> torch.nn.Module:
        """What is trained."""
        return create_network("minicnn", classes)

    @staticmethod
    def load(path: Path) -> torch.Tensor:
        """One photo, ``(3, 512, 512)`` float32 in 0-1."""
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB").resize((PLAIN_PX, PLAIN_PX))) / 255.0
        return torch.from_numpy(pixels).permute(2, 0, 1).float()

    def epoch(self, seed: int) -> Iterator[int]:
        """Train once on all photos; yields the photos of each step."""
        order = list(self.photos)
        random.Random(seed).shuffle(order)
        self.network.train()
        for start in range(0, len(order), PLAIN_BATCH):
            chosen = order[start:start + PLAIN_BATCH]
            loss = self.loss([path for path, _target in chosen], torch.tensor([target for _path, target in chosen]))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            yield len(chosen)

    def loss(self, paths: list[Path], targets: torch.Tensor) -> torch.Tensor:
        """What one step makes smaller."""
        return functional.cross_entropy(self.network(torch.stack([self.load(path) for path in paths])), targets)

    def run(self, seconds: float) -> float:
        """Train for so long; photos a second."""
        started, seen, seed = time.perf_counter(), 0, 0
        while True:
            for count in self.epoch(seed):
                seen += count
                if time.perf_counter() - started > seconds:
                    return seen / (time.perf_counter() - started)
            seed += 1

    @torch.no_grad()
    def logits(self, paths: list[Path]) -> torch.Tensor:
        """Logits ``(n, classes)`` of photos that were not trained on."""
        self.network.eval()
        return torch.cat([self.network(self.load(path).unsqueeze(0)) for path in paths])


def labeled_photos(data_path: Path, table: ClassTable, split: str) -> tuple[list[tuple[Path, int]], list[int]]:
    """((file, target) of one side of a training folder, class ids of the targets)."""
    data = load_training_data(data_path, table, val_fraction=0.15, random_seed=42)
    ids = sorted({photo.class_id for photo in data.of(TRAIN)})
    return [(photo.path, ids.index(photo.class_id)) for photo in data.of(split) if photo.class_id in ids], ids


def our_speed(train: Callable[[Path], StepReport]) -> float:
    """Photos a second of a whole training, judging and saving between the epochs included, decoding not.

    Args:
        train: trains a model into the file that it is given.
    """
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        save_path = Path(name) / "m.pth"
        report = train(save_path)
        seconds = sum(float(row["seconds"]) for row in read_csv(save_path.with_suffix(".history.csv")))
    counts = {**report.measured, **report.facts}
    return counts["epochs"] * counts["train"] / seconds


def compare_speeds(data_path: Path, table: ClassTable) -> None:
    """Rows of photos a second: the plain loop, ours with the same network and size, ours by default."""
    photos, ids = labeled_photos(data_path, table, TRAIN)
    same = default_settings(network="minicnn", input_px=PLAIN_PX, batch_size=PLAIN_BATCH, epochs=1)
    default = default_settings(epochs=5)
    rates: dict[str, list[float]] = {"plain": [], "same": [], "default": []}
    for _round in range(ROUNDS):
        rates["plain"].append(PlainLoop(photos, len(ids)).run(20))
        rates["same"].append(our_speed(lambda path: train_labeler(data_path, path, table, same)))
        rates["default"].append(our_speed(lambda path: train_labeler(data_path, path, table, default)))
    for title, name in (("minicnn, 512 px", "same"), ("default network and size", "default")):
        print_rates(f"03, {title}", {"plain": rates["plain"], "ours": rates[name]})


def our_score(data_path: Path, table: ClassTable, settings: TrainSettings) -> str:
    """What a training came to, for a row: scores on the photos that it was judged by, epochs, photos a second."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        save_path = Path(name) / "m.pth"
        started = time.perf_counter()
        report = train_labeler(data_path, save_path, table, settings)
        seconds = time.perf_counter() - started
        metrics = json.loads(save_path.with_suffix(".metrics.json").read_text())
    last, spent = metrics["history"][-1], sum(row["seconds"] for row in metrics["history"])
    return (f"macro-F1 {metrics['best']['val_macro_f1']:.4f} at the best epoch, {last['val_macro_f1']:.4f} at the "
            f"last, {metrics['epochs']} epochs, {metrics['epochs'] * report.facts['train'] / spent:.0f} photos/s, "
            f"{seconds:.0f} s in all")


def plain_score(data_path: Path, table: ClassTable, minutes: float) -> str:
    """The same of the plain loop."""
    photos, ids = labeled_photos(data_path, table, TRAIN)
    held_out, _ids = labeled_photos(data_path, table, VAL)
    loop = PlainLoop(photos, len(ids))
    rate = loop.run(60 * minutes)
    logits = loop.logits([path for path, _target in held_out])
    f1 = score(logits, torch.tensor([target for _path, target in held_out]), ids).macro_f1
    return f"macro-F1 {f1:.4f}, {rate * 60 * minutes / len(photos):.2f} epochs, {rate:.0f} photos/s"


def compare_scores(source_dir: Path, minutes: float, networks: str) -> None:
    """Rows of macro-F1 on the photos below ``valid`` after the same minutes, decoding included on both sides.

    Args:
        source_dir: class folders below ``train`` and ``valid``, and ``classes.json``.
        minutes: for each row.
        networks: ``name`` or ``name:px``, separated by commas; "" is the default beside the plain loop.
    """
    table = load_classes(source_dir / "classes.json")
    with tempfile.TemporaryDirectory() as name:
        data_path = Path(name) / "train_data"
        with contextlib.redirect_stdout(io.StringIO()):
            build_training_data(source_dir, data_path, table, size_px=PLAIN_PX)
        for row in networks.split(",") if networks else [default_settings().network]:
            network, _colon, px = row.partition(":")
            settings = default_settings(minutes=minutes, network=network, input_px=int(px or 0))
            print(f"{row:24} {our_score(data_path, table, settings)}", flush=True)
        if not networks:
            print(f"{'plain loop':24} {plain_score(data_path, table, minutes)}", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source_dir", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--networks", default="")
    options = parser.parse_args(arguments)
    if options.source_dir:
        compare_scores(options.source_dir, options.minutes, options.networks)
        return
    table = load_classes(project_dir() / "classes.json")
    with tempfile.TemporaryDirectory() as name:
        with contextlib.redirect_stdout(io.StringIO()):
            write_demo_classes(Path(name) / "photos", photos_per_class=DRAWN_PER_CLASS)
            build_training_data(Path(name) / "photos", Path(name) / "data", table, size_px=PLAIN_PX)
        compare_speeds(Path(name) / "data", table)


if __name__ == "__main__":
    main()
