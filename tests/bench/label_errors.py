"""Wrong labels planted in class folders, and how many are found: ``python -m tests.bench.label_errors FOLDER``.

The folder holds class folders and ``classes.json``, or is left out: then 10 classes are drawn. A share of the photos
gets the folder of any other class. Prints the rule of this project beside that of confident learning (Northcutt et al.
2021) on the same probabilities; asserts nothing.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.places import project_dir
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.folders import scan_class_folders
from npylabel.dataset.training_data import load_training_data
from npylabel.labeler import fold_training
from npylabel.labeler.doubts import LABEL_ERRORS, LabelCheck
from npylabel.labeler.folds import assign_folds
from npylabel.photos.demo import write_demo_classes
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings


def plant(source: Path, data: Path, table: ClassTable, share: float) -> set[str]:
    """Copy the photos to class folders, some to a wrong one; the paths of these."""
    random, planted = np.random.default_rng(0), set()
    photos = scan_class_folders(source, table).photos
    ids = sorted({photo.class_id for photo in photos})
    wrong = set(random.choice(len(photos), round(share * len(photos)), replace=False).tolist())
    for index, photo in enumerate(photos):
        class_id = ids[(ids.index(photo.class_id) + random.integers(1, len(ids))) % len(ids)] if index in wrong \
            else photo.class_id
        path = data / table.names[class_id] / f"{index:05}{photo.ref.path.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo.ref.path, path)
        if index in wrong:
            planted.add(path.relative_to(data).as_posix())
    return planted


def off_diagonal(probabilities: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Whether each label is off the diagonal of the confident joint, ``(n,)`` bool."""
    rows, k = np.arange(len(given)), probabilities.shape[1]
    thresholds = np.array([probabilities[given == column, column].mean() for column in range(k)])
    reached = np.where(probabilities >= thresholds, probabilities, 0)
    return (reached.max(1) > 0) & (reached.argmax(1) != given) & (reached[rows, given] < reached.max(1))


def measure(data: Path, out: Path, table: ClassTable, planted: set[str], options: argparse.Namespace) -> None:
    """Look for the planted errors and print what was found."""
    fold_training.FOLD_EPOCHS, fold_training.FOLD_PX = options.epochs, options.px
    training = load_training_data(data, table, val_fraction=0.15, random_seed=42)
    files, started = RunFiles(out / "m.pth"), time.process_time()
    settings = TrainSettings(options.network, 0, 128, 1, 64, 0, options.device, 42)
    fold_training.check_labels(
        LabelCheck(options.folds), training, training.photos, table, settings, files, StepReport("train"))
    seconds = time.process_time() - started
    rows = read_csv(files.beside(LABEL_ERRORS))
    wrong = np.array([row["path"] in planted for row in rows])
    ours = np.array([row["probably_wrong"] == "1" for row in rows])
    print(f"{len(rows)} labels, {len(planted)} planted errors; {options.folds} folds, {options.epochs} epochs at "
          f"{options.px} px, {options.network}: {seconds:.0f} s of processor time")
    print(f"of the 100 most doubtful {wrong[:100].sum()} are planted, of the 200 most doubtful {wrong[:200].sum()}")
    _print_rule("this project", ours, wrong)
    probabilities, given = _probabilities(files, training, options.folds)
    judged = ~np.isnan(probabilities).any(1)
    paths = [photo.ref.source.partition("/")[2] in planted for photo in training.photos]
    _print_rule("confident learning", off_diagonal(probabilities[judged], given[judged]), np.array(paths)[judged])


def _probabilities(files: RunFiles, training: object, folds: int) -> tuple[np.ndarray, np.ndarray]:
    photos = training.photos
    ids = sorted({photo.class_id for photo in photos})
    given = np.array([ids.index(photo.class_id) for photo in photos])
    fold_of = assign_folds(
        given.tolist(), [photo.sha256 for photo in photos], [photo.group for photo in photos], folds, 42)
    result = np.zeros((len(photos), len(ids)), np.float32)
    for fold in range(folds):
        with np.load(files.folds / f"fold_{fold + 1}.npz") as content:
            result[fold_of == fold] = content["probabilities"]
    return result, given


def _print_rule(name: str, called: np.ndarray, wrong: np.ndarray) -> None:
    right = int((called & wrong).sum())
    print(f"{name}: {called.sum()} called wrong, {right} of them planted ({right / max(called.sum(), 1):.0%}; "
          f"{right / max(wrong.sum(), 1):.0%} of all planted)", flush=True)


def main() -> None:
    """Plant, look, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--share", type=float, default=0.04)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=fold_training.FOLD_EPOCHS)
    parser.add_argument("--px", type=int, default=fold_training.FOLD_PX)
    parser.add_argument("--network", default="smallresnet")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = options.folder or root / "drawn"
        if not options.folder:
            write_demo_classes(source, photos_per_class=40)
        classes = source / "classes.json"
        table = load_classes(classes if classes.is_file() else project_dir() / "classes.json")
        planted = plant(source / "train" if (source / "train").is_dir() else source, root / "data", table,
                        options.share)
        measure(root / "data", root / "out", table, planted, options)


if __name__ == "__main__":
    main()
