"""Step 03: train a labeler from scratch on the user's own photos."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.base.tables import write_csv
from npylabel.dataset.folders import TEST, TRAIN, VAL, FolderScan, scan_class_folders
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.training_data import TrainingData, TrainPhoto, class_counts, load_training_data
from npylabel.labeler.checkpoint import Checkpoint, save_checkpoint
from npylabel.labeler.doubts import NO_CHECK, LabelCheck
from npylabel.labeler.fold_training import check_labels
from npylabel.labeler.networks import create_network, default_px, refuse_impossible_network
from npylabel.labeler.predict import Predictor
from npylabel.labeler.recipe import recipe_of
from npylabel.labeler.refit import fit_labeler
from npylabel.labeler.reports import PREDICTIONS, RELIABILITY, THRESHOLD_TABLE, write_reports
from npylabel.labeler.scores import Scores, score
from npylabel.labeler.task import LabelerTask, judge, template_of
from npylabel.photos.sources import Listing
from npylabel.training.devices import pick_device, refuse_impossible_devices
from npylabel.training.job import FitJob, Fitted
from npylabel.training.recipe import stored_px
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings
from npylabel.training.trackers import refuse_impossible_tracker

KEEP_EVERY = 5


def train_labeler(
    data_path: Path, save_path: Path, table: ClassTable, settings: TrainSettings, *, test_dir: Path | None = None,
    resume: bool = True, val_fraction: float = 0.15, check: LabelCheck = NO_CHECK,
) -> StepReport:
    """The report on a trained labeler: ``save_path`` (best epoch) and its metrics, history and checkpoints beside it.

    Args:
        data_path: folder of class folders, with or without ``split.csv``.
        save_path: the model file.
        table: the only source of class ids.
        settings: of the run; an ``input_px`` of 0 is the network's own.
        test_dir: class folders with photos for an honest score, never trained or tuned on.
        resume: go on with an unfinished or finished run of the same table, split and network.
        val_fraction: for a folder without ``split.csv``.
        check: how to look for wrong labels when the labeler is trained.

    Raises:
        NpyLabelError: ``bad_parameter``, ``no_train_data``, ``one_class``, ``unknown_folder``, ``network_unknown``,
            ``no_such_device``.
    """
    started = time.monotonic()
    settings = replace(settings, input_px=settings.input_px or default_px(settings.network))
    device = pick_device(settings.device)
    # All that can be wrong is looked at before anything is moved or trained.
    refuse_impossible_network(settings.network, settings.depth, settings.input_px)
    refuse_impossible_devices(device, settings.devices)
    refuse_impossible_tracker(settings.tracker)
    test_photos = _test_photos(test_dir, table) if test_dir else []
    report = StepReport("train")
    with report.timed("list"):
        data = load_training_data(data_path, table, val_fraction=val_fraction, random_seed=settings.random_seed)
    photos = [*data.of(TRAIN), *data.of(VAL)]
    with report.timed("read"):
        store = PixelStore([photo.ref for photo in photos], stored_px(settings.input_px), data.fit)
    with store:
        run = _Run(settings, table, data, RunFiles(save_path), photos, store, data_path)
        with report.timed("train"):
            fitted, logits = fit_labeler(run.job(resume, time.monotonic() - started), report, device)
        with report.timed("score"):
            run.finish(fitted, logits, report, device, test_photos)
    check_labels(check, data, photos, table, settings, RunFiles(save_path), report)
    return report


def _identity(settings: TrainSettings, table: ClassTable, data: TrainingData) -> dict:
    """What has to be the same for a run to go on, as plain values."""
    identity = {
        "classes_sha256": table.sha256, "split_sha256": data.split_sha256, "network": settings.network,
        "depth": settings.depth, "input_px": settings.input_px, "batch_size": settings.batch_size,
        "fill_to": settings.fill_to, "random_seed": settings.random_seed, "made_from": data.made_from, "fit": data.fit,
        "recipe": asdict(recipe_of(settings.network)),
    }
    return json.loads(json.dumps(identity))


class _Run:
    """One training run on the photos that can be read."""

    def __init__(
        self, settings: TrainSettings, table: ClassTable, data: TrainingData, files: RunFiles,
        photos: Sequence[TrainPhoto], store: PixelStore, data_path: Path,
    ) -> None:
        readable = store.readable()
        # A photo that is repaired makes it another run: its class may not have been trained at all.
        self.data = replace(data, photos=[*(photos[i] for i in readable), *data.of(TEST)])
        self.settings, self.table, self.files = settings, table, files
        self.photos, self.pixels, self.data_path = photos, store.pixels, data_path
        self.unusable = [*data.unusable, *((photos[i].path, code) for i, code in sorted(store.unreadable.items()))]
        train = [i for i in readable if photos[i].split == TRAIN]
        self.train_counts = class_counts([photos[i] for i in train])
        self.trained_ids = list(self.train_counts)
        if len(self.trained_ids) < 2:
            raise NpyLabelError(
                "one_class", _("Photos to train on were found for {count} classes only.").format(
                    count=len(self.trained_ids)),
                _("Add photos of at least two classes and run notebook 02 again."))
        val = [i for i in readable if photos[i].split == VAL and photos[i].class_id in self.train_counts]
        self.train_rows, self.val_rows = (np.array(rows, dtype=np.int64) for rows in (train, val))
        column = {class_id: k for k, class_id in enumerate(self.trained_ids)}
        self.targets = np.array([column.get(photo.class_id, -1) for photo in photos], dtype=np.int64)

    def job(self, resume: bool, spent_s: float) -> FitJob:
        """What the engine is to do, after so many seconds of other work."""
        settings, identity = self.settings, _identity(self.settings, self.table, self.data)
        template = template_of(settings, self.data, self.table, self.trained_ids, self.pixels, self.train_rows)
        task = LabelerTask(self.table, replace(template, parameters=identity))
        return FitJob(
            task, self.pixels, self.targets, self.train_rows, self.val_rows, settings, self.files, identity,
            resume=resume, keep_every=KEEP_EVERY, spent_s=spent_s)

    def finish(
        self, fitted: Fitted, val_logits: torch.Tensor, report: StepReport, device: torch.device,
        test_photos: Sequence[TrainPhoto],
    ) -> None:
        """Describe the run, and score it on photos that it has never seen."""
        best, targets = fitted.best, self.targets[self.val_rows]
        if scores := judge(val_logits, targets, self.trained_ids):
            self._write_scores(scores)
        metrics = {"epochs": fitted.epochs, "best_epoch": best.epoch, "best": best.metrics,
                   "temperature": best.temperature, "history": fitted.history}
        test_photos = test_photos or self.data.of(TEST)
        if test_photos:
            metrics["test"], unusable = _test_scores(best, test_photos, device)
            self.unusable += unusable
        findings = write_reports(
            self.files, best, [self.photos[i] for i in self.val_rows], self.data_path, val_logits,
            torch.from_numpy(targets), self.table)
        if best.judged != findings.judged:
            save_checkpoint(self.files.save_path, replace(best, judged=findings.judged))
        write_text(self.files.beside(".metrics.json"), json.dumps(metrics | findings.metrics, indent=1))
        self._describe(report, metrics, fitted)
        report.messages += findings.messages

    def _write_scores(self, scores: Scores) -> None:
        rows = scores.per_class(self.table.names)
        write_csv(self.files.beside(".per_class.csv"), list(rows[0]), rows)
        ids = scores.class_ids
        write_csv(self.files.beside(".confusion.csv"), ["true", *map(str, ids)], [
            {"true": i, **dict(zip(map(str, ids), row, strict=True))}
            for i, row in zip(ids, scores.confusion.tolist(), strict=True)])

    def _describe(self, report: StepReport, metrics: dict, fitted: Fitted) -> None:
        data = self.data
        report.facts |= {
            "epochs": metrics["epochs"], "classes": len(self.trained_ids), "train": len(self.train_rows),
            "val": len(self.val_rows), "network": self.settings.network,
            "weights": _weights(self.settings, len(self.table.ids)), "input_px": self.settings.input_px,
            "made_from": data.made_from, "checkpoints": [path.name for path in self.files.epochs()],
        }
        report.measured |= {"epochs_now": fitted.epochs_now, "best_epoch": metrics["best_epoch"],
                            **metrics["best"], "temperature": metrics["temperature"]}
        report.measured |= {f"test_{name}": value for name, value in metrics.get("test", {}).items()}
        if "val_macro_f1" in metrics["best"]:
            text = _("Best epoch {epoch}: macro-F1 {f1}, accuracy {accuracy} on validation photos.")
            report.messages.append(text.format(
                epoch=metrics["best_epoch"], f1=metrics["best"]["val_macro_f1"],
                accuracy=metrics["best"]["val_accuracy"]))
        if metrics.get("test", {}).get("photos"):
            report.messages.append(_("Test photos: macro-F1 {f1}, accuracy {accuracy}.").format(
                f1=metrics["test"]["macro_f1"], accuracy=metrics["test"]["accuracy"]))
        if not report.measured["epochs_now"]:
            report.messages.append(_("The model has its {count} epochs already; ask for more to go on.").format(
                count=metrics["epochs"]))
        if data.by_hand:
            report.messages.append(_("{count} photos were laid here by hand; they are split in the same way.").format(
                count=data.by_hand))
        for path, code in self.unusable[:10]:
            report.messages.append(_("Left out: {path} ({code})").format(path=path, code=code))
        few = [self.table.names[i] for i, count in self.train_counts.items() if count < 10]
        if few:
            report.messages.append(_("Fewer than 10 photos to train on: {names}.").format(names=", ".join(few)))
        names = (".last.pth", ".metrics.json", ".history.csv", ".per_class.csv", ".confusion.csv", PREDICTIONS,
                 THRESHOLD_TABLE, RELIABILITY)
        report.files |= {"model": self.files.save_path, **{
            name[1:]: self.files.beside(name) for name in names if self.files.beside(name).exists()}}
        report.next_step = _("Next: notebook 04, auto_label.")


def _weights(settings: TrainSettings, outputs: int) -> int:
    return sum(value.numel() for value in create_network(settings.network, outputs, settings.depth).parameters())


def _test_photos(test_dir: Path, table: ClassTable) -> list[TrainPhoto]:
    scan = scan_class_folders(test_dir, table) if test_dir.exists() else FolderScan(Listing(), [], [])
    if not scan.photos:
        raise NpyLabelError(
            "no_class_photos", _("There are no photos in folders named by class in {path}.").format(path=test_dir),
            _("Set test_dir to a folder of class folders, or leave it empty."))
    return [TrainPhoto(photo.ref, photo.class_id, TEST, "") for photo in scan.photos]


def _test_scores(
    best: Checkpoint, photos: Sequence[TrainPhoto], device: torch.device
) -> tuple[dict, list[tuple[Path, str]]]:
    """(scores on photos never trained or tuned on, those that cannot be read); untrained classes count as wrong."""
    predictor = Predictor(best, device)
    with PixelStore([photo.ref for photo in photos], best.photo_px, best.fit) as store:
        unusable = [(photos[i].path, code) for i, code in sorted(store.unreadable.items())]
        readable = store.readable()
        logits = predictor.logits(store.pixels)[readable]
    photos = [photos[i] for i in readable]
    if not photos:
        return {"photos": 0}, unusable
    ids = sorted({*best.trained_ids, *(photo.class_id for photo in photos)})
    full = torch.full((len(photos), len(ids)), -1e4)
    full[:, [ids.index(class_id) for class_id in best.trained_ids]] = logits
    targets = torch.tensor([ids.index(photo.class_id) for photo in photos])
    confident = torch.softmax(logits / best.temperature, 1).amax(1) >= 0.5
    summary = score(full, targets, ids).summary()
    right = (full.argmax(1) == targets)[confident]
    return {"photos": len(photos), "accuracy": summary["accuracy"], "macro_f1": summary["macro_f1"],
            "below_0.5": round(1 - float(confident.float().mean()), 4),
            "right_of_the_rest": round(float(right.float().mean()), 4) if len(right) else 0.0}, unusable

