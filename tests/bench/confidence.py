"""How honest confidence is, and what becomes of photos of no trained class: ``python -m tests.bench.confidence``.

Trains on most classes of a folder of class folders (drawn photos by default), with some classes and a fifth of the
photos of the others held back, and prints what the model says of both. Asserts nothing.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.places import project_dir
from npylabel.dataset.pixels import PixelStore
from npylabel.labeler.calibration import at_threshold, calibration_error, error_by_chance, judge
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint
from npylabel.labeler.predict import Predictor
from npylabel.labeler.train import train_labeler
from npylabel.photos.demo import write_demo_classes
from npylabel.photos.sources import list_photos
from npylabel.training.settings import TrainSettings

TEST_SHARE = 0.2
NEIGHBORS = 5


def lay_out(source: Path, root: Path, leave_out: int, per_class: int, random_seed: int) -> dict[str, Path]:
    """Folders of links: "train" and "test" with the same classes, and "other" with those that were left out."""
    random = np.random.default_rng(random_seed)
    classes = sorted(path for path in source.iterdir() if path.is_dir())
    others = set(random.permutation(len(classes))[:leave_out].tolist())
    for number, folder in enumerate(classes):
        photos = sorted(path for path in folder.iterdir() if path.is_file())
        chosen = [photos[i] for i in random.permutation(len(photos))[:per_class or None]]
        tests = len(chosen) if number in others else round(TEST_SHARE * len(chosen))
        for index, photo in enumerate(chosen):
            part = "other" if number in others else "test" if index < tests else "train"
            (root / part / folder.name).mkdir(parents=True, exist_ok=True)
            (root / part / folder.name / photo.name).symlink_to(photo.resolve())
    return {part: root / part for part in ("train", "test", "other")}


@dataclass(frozen=True)
class Outputs:
    """What a model makes of photos.

    Attributes:
        logits: ``(n, k)``.
        features: ``(n, d)``, what the last layer sees.
        columns: ``(n,)`` of the true classes, -1 for one that was not trained.
    """

    logits: torch.Tensor
    features: torch.Tensor
    columns: torch.Tensor


def outputs_of(best: Checkpoint, folder: Path) -> Outputs:
    """What the model makes of all photos below a folder of class folders."""
    refs = list_photos([folder]).refs
    predictor = Predictor(best, torch.device("cpu"))
    with PixelStore(refs, best.photo_px, best.fit) as store:
        logits, features = predictor.logits_and_features(store.pixels)
    known = {best.table.names[class_id]: k for k, class_id in enumerate(best.trained_ids)}
    return Outputs(logits, torch.from_numpy(features),
                   torch.tensor([known.get(ref.path.parent.name, -1) for ref in refs]))


def roc_area(higher: np.ndarray, lower: np.ndarray) -> float:
    """The share of pairs in which the first is higher."""
    ranks = np.argsort(np.argsort(np.concatenate([higher, lower]))) + 1
    return float((ranks[:len(higher)].sum() - len(higher) * (len(higher) + 1) / 2) / len(higher) / len(lower))


def compare_temperatures(best: Checkpoint, test: Outputs, other: Outputs) -> None:
    """Print calibration and the threshold 0.5 for the plain softmax, the old rule and the fitted temperature."""
    print(f"{'':16} {'T':>6} {'error':>7} {'chance':>7} {'unknown':>8} {'right of rest':>14} {'others unknown':>15}")
    rules = {"plain softmax": 1.0, "never below 1": max(best.temperature, 1.0), "fitted": best.temperature}
    for name, t in rules.items():
        judged, outside = (judge(part.logits, part.columns, t) for part in (test, other))
        at = at_threshold(judged, 0.5)
        print(f"{name:16} {t:6.2f} {calibration_error(judged):7.3f} {error_by_chance(judged.confidence):7.3f} "
              f"{at.unknown:8.1%} {at.right or 0:14.1%} {at_threshold(outside, 0.5).unknown:15.1%}")


def compare_scores(best: Checkpoint, train: Outputs, test: Outputs, other: Outputs) -> None:
    """Print how well scores tell right from wrong photos, and trained classes from others (area under the ROC)."""
    right = (test.logits.argmax(1) == test.columns).numpy()
    print(f"\n{'area under ROC':24} {'right/wrong':>12} {'trained/other':>14} {'right/other':>12}")
    for name, scored in scores(best, train).items():
        inside, outside = (scored(part.logits, part.features).numpy() for part in (test, other))
        print(f"{name:24} {roc_area(inside[right], inside[~right]):12.3f} {roc_area(inside, outside):14.3f} "
              f"{roc_area(inside[right], outside):12.3f}")


def scores(best: Checkpoint, train: Outputs) -> dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]:
    """Scores of (logits, features), higher for photos that are known better; some compare with training photos."""
    features, labels = train.features, train.columns
    means = torch.stack([features[labels == k].mean(0) for k in range(len(best.trained_ids))])
    inside, whole = (_precision(features - middle) for middle in (means[labels], features.mean(0)))

    def entropy(logits: torch.Tensor, _x: torch.Tensor) -> torch.Tensor:
        shares = torch.softmax(logits / best.temperature, 1)
        return (shares * shares.clamp(min=1e-12).log()).sum(1)

    def mahalanobis(_logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return -torch.stack([_distance(x - mean, inside) for mean in means]).amin(0)

    def neighbors(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        likeness = functional.normalize(x) @ functional.normalize(features).T
        likeness[logits.argmax(1)[:, None] != labels] = -1
        return likeness.topk(NEIGHBORS)[0].mean(1)

    return {
        "plain softmax": lambda logits, _x: torch.softmax(logits, 1).amax(1),
        "with temperature": lambda logits, _x: torch.softmax(logits / best.temperature, 1).amax(1),
        "entropy": entropy, "energy": lambda logits, _x: logits.logsumexp(1), "Mahalanobis": mahalanobis,
        "relative Mahalanobis": lambda logits, x: mahalanobis(logits, x) + _distance(x - features.mean(0), whole),
        f"{NEIGHBORS} neighbors": neighbors,
    }


def _precision(centered: torch.Tensor) -> torch.Tensor:
    covariance = centered.T @ centered / len(centered)
    return torch.linalg.inv(covariance + 1e-3 * covariance.diagonal().mean() * torch.eye(len(covariance)))


def _distance(x: torch.Tensor, precision: torch.Tensor) -> torch.Tensor:
    return ((x @ precision) * x).sum(1)


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="", help="class folders; empty draws photos")
    parser.add_argument("--leave_out", type=int, default=4, help="classes that are not trained")
    parser.add_argument("--per_class", type=int, default=0, help="photos of each class, 0 for all")
    parser.add_argument("--network", default="smallresnet")
    parser.add_argument("--input_px", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--random_seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = Path(chosen.folder) if chosen.folder else root / "drawn"
        if not chosen.folder:
            write_demo_classes(source, photos_per_class=40)
        folders = lay_out(source, root / "laid", chosen.leave_out, chosen.per_class, chosen.random_seed)
        names = {number: path.name for number, path in enumerate(sorted(folders["train"].iterdir()))}
        table = ClassTable(names, None) if chosen.folder else load_classes(project_dir() / "classes.json")
        settings = TrainSettings(chosen.network, 0, chosen.input_px, chosen.epochs, 32, 0, "auto", chosen.random_seed)
        print(train_labeler(folders["train"], root / "m.pth", table, settings))
        best = load_checkpoint(root / "m.pth")
        train, test, other = (outputs_of(best, folders[part]) for part in ("train", "test", "other"))
        compare_temperatures(best, test, other)
        compare_scores(best, train, test, other)


if __name__ == "__main__":
    main()
