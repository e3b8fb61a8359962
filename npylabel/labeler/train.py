"""Step 03: train a labeler from scratch on the user's own photos."""

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers, write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.base.tables import write_csv
from npylabel.dataset.folders import TEST, TRAIN, VAL, FolderScan, scan_class_folders
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.training_data import TrainingData, TrainPhoto, class_counts, load_training_data
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from npylabel.labeler.engine import (
    EpochKeeper,
    LabelerModule,
    PixelDataset,
    class_weights,
    loader,
    pixel_statistics,
    time_is_up,
)
from npylabel.labeler.networks import create_network, refuse_impossible_network
from npylabel.labeler.predict import CHUNK, Predictor, pick_device
from npylabel.labeler.run_files import RunFiles, history_of, resume_point
from npylabel.labeler.scores import Scores, fit_temperature, score
from npylabel.photos.sources import Listing

KEEP_EVERY = 5
# With a time box there is no last epoch; nobody waits for this one.
NO_LIMIT = 100_000


@dataclass(frozen=True)
class TrainSettings:
    """What a training run is; see ``train_labeler``."""

    network: str
    depth: int
    input_px: int
    epochs: int
    batch_size: int
    minutes: float
    device: str
    random_seed: int

    def __post_init__(self) -> None:
        limits = {"input_px": (32, 512), "epochs": (1, 10_000), "batch_size": (2, 4096), "minutes": (0, 100_000)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                                    _("Use a number from {low} to {high}.").format(low=low, high=high))


def train_labeler(
    data_path: Path, save_path: Path, table: ClassTable, settings: TrainSettings, *, test_dir: Path | None = None,
    resume: bool = True, val_fraction: float = 0.15,
) -> StepReport:
    """The report on a trained labeler: ``save_path`` (best epoch) and its metrics, history and checkpoints beside it.

    Args:
        data_path: folder of class folders, with or without ``split.csv``.
        save_path: the model file.
        table: the only source of class ids.
        settings: of the run.
        test_dir: class folders with photos for an honest score, never trained or tuned on.
        resume: go on with an unfinished or finished run of the same table, split and network.
        val_fraction: for a folder without ``split.csv``.

    Raises:
        NpyLabelError: ``bad_parameter``, ``no_train_data``, ``one_class``, ``unknown_folder``, ``network_unknown``,
            ``no_such_device``.
    """
    device = pick_device(settings.device)
    # All that can be wrong is looked at before anything is moved or trained.
    refuse_impossible_network(settings.network, settings.depth, settings.input_px)
    test_photos = _test_photos(test_dir, table) if test_dir else []
    report = StepReport("train")
    with report.timed("list"):
        data = load_training_data(data_path, table, val_fraction=val_fraction, random_seed=settings.random_seed)
    photos = [*data.of(TRAIN), *data.of(VAL)]
    with PixelStore([photo.ref for photo in photos], settings.input_px, data.fit) as store:
        run = _Run(settings, table, data, RunFiles(save_path), photos, store)
        with report.timed("train"):
            run.train(device, resume, report)
    with report.timed("score"):
        run.finish(report, device, test_photos)
    return report


def _identity(settings: TrainSettings, table: ClassTable, data: TrainingData) -> dict:
    """What has to be the same for a run to go on."""
    return {
        "classes_sha256": table.sha256, "split_sha256": data.split_sha256, "network": settings.network,
        "depth": settings.depth, "input_px": settings.input_px, "batch_size": settings.batch_size,
        "random_seed": settings.random_seed, "made_from": data.made_from, "fit": data.fit,
    }


class _Run:
    """One training run on the photos that can be read."""

    def __init__(
        self, settings: TrainSettings, table: ClassTable, data: TrainingData, files: RunFiles,
        photos: Sequence[TrainPhoto], store: PixelStore,
    ) -> None:
        readable = store.readable()
        # A photo that is repaired makes it another run: its class may not have been trained at all.
        self.data = replace(data, photos=[*(photos[i] for i in readable), *data.of(TEST)])
        self.settings, self.table, self.files = settings, table, files
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
        column = {class_id: k for k, class_id in enumerate(self.trained_ids)}
        targets = np.array([column.get(photo.class_id, -1) for photo in photos], dtype=np.int64)
        self.train_set, self.val_set = (PixelDataset(store.pixels, targets, np.array(chosen, dtype=np.int64))
                                        for chosen in (train, val))
        self.mean, self.std = pixel_statistics(store.pixels, self.train_set.chosen)
        self.identity = _identity(settings, table, self.data)
        self.before: list[dict] = []

    def train(self, device: torch.device, resume: bool, report: StepReport) -> None:
        """Train until the epochs or the minutes are done."""
        settings = self.settings
        self.files.save_path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.files.save_path.parent)
        resume_from = resume_point(self.files, self.identity, resume, report, self.table)
        self.before = history_of(resume_from)
        torch.manual_seed(settings.random_seed)
        network = create_network(settings.network, len(self.table.ids), settings.depth)
        columns = [self.table.ids.index(class_id) for class_id in self.trained_ids]
        weights = class_weights(self.train_set.targets[self.train_set.chosen], len(columns))
        self.module = LabelerModule(
            network.to(memory_format=torch.channels_last), columns, self.trained_ids, self.mean, self.std, weights,
            settings.random_seed)
        enough = time_is_up(self.before, settings.minutes) if settings.minutes else len(self.before) >= settings.epochs
        if enough:
            self.module.history = self.before
            return
        keeper = EpochKeeper(self.files.resume, self.files.beside(".history.csv"), self._keep, settings.minutes)
        trainer = _trainer(settings, device, keeper)
        train = loader(self.train_set, settings.batch_size, settings.random_seed)
        val = loader(self.val_set, CHUNK, None) if len(self.val_set) else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                trainer.fit(self.module, train, val, ckpt_path=resume_from, weights_only=True)
            except SystemExit as error:  # What Lightning makes of Ctrl-C.
                raise KeyboardInterrupt from error

    def _keep(self, module: LabelerModule, row: dict) -> None:
        """Write the model files of one epoch."""
        print(self._line(row), flush=True)
        checkpoint = self._checkpoint(module, row)
        better = (row.get("val_macro_f1", 0.0), -row.get("val_loss", row["train_loss"]))
        if not module.best or better >= (module.best["macro_f1"], -module.best["loss"]):
            module.best = {"macro_f1": better[0], "loss": -better[1], "epoch": row["epoch"]}
            save_checkpoint(self.files.save_path, checkpoint)
            if module.scores:
                self._write_scores(module.scores)
        if row["epoch"] % KEEP_EVERY == 0:
            save_checkpoint(self.files.epoch(row["epoch"]), checkpoint)
        save_checkpoint(self.files.last, checkpoint)

    def _line(self, row: dict) -> str:
        text = _("epoch {epoch}: {seconds} s, training loss {loss}").format(
            epoch=row["epoch"], seconds=row["seconds"], loss=row["train_loss"])
        if "val_macro_f1" not in row:
            return text
        return text + _(", validation loss {loss}, accuracy {accuracy}, macro-F1 {f1}").format(
            loss=row["val_loss"], accuracy=row["val_accuracy"], f1=row["val_macro_f1"])

    def _checkpoint(self, module: LabelerModule, row: dict) -> Checkpoint:
        weights = {name: value.detach().cpu().contiguous() for name, value in module.network.state_dict().items()}
        temperature = fit_temperature(module.logits, module.targets) if module.scores else 1.0
        return Checkpoint(
            state_dict=weights, network=self.settings.network, depth=self.settings.depth,
            input_px=self.settings.input_px, fit=self.data.fit, mean=self.mean, std=self.std,
            classes=self.table.to_json(), classes_sha256=self.table.sha256, trained_ids=self.trained_ids,
            made_from=self.data.made_from, split_sha256=self.data.split_sha256, temperature=temperature,
            epoch=row["epoch"], metrics={name: value for name, value in row.items() if name != "seconds"},
            parameters=dict(self.identity))

    def _write_scores(self, scores: Scores) -> None:
        rows = scores.per_class(self.table.names)
        write_csv(self.files.beside(".per_class.csv"), list(rows[0]), rows)
        ids = scores.class_ids
        write_csv(self.files.beside(".confusion.csv"), ["true", *map(str, ids)], [
            {"true": i, **dict(zip(map(str, ids), row, strict=True))}
            for i, row in zip(ids, scores.confusion.tolist(), strict=True)])

    def finish(self, report: StepReport, device: torch.device, test_photos: Sequence[TrainPhoto]) -> None:
        """Describe the run, and score it on photos that it has never seen."""
        best = load_checkpoint(self.files.save_path)
        metrics = {"epochs": len(self.module.history), "best_epoch": best.epoch, "best": best.metrics,
                   "temperature": best.temperature, "history": self.module.history}
        test_photos = test_photos or self.data.of(TEST)
        if test_photos:
            metrics["test"], unusable = _test_scores(best, test_photos, device)
            self.unusable += unusable
        write_text(self.files.beside(".metrics.json"), json.dumps(metrics, indent=1))
        self._describe(report, metrics)

    def _describe(self, report: StepReport, metrics: dict) -> None:
        data, network = self.data, self.module.network
        report.facts |= {
            "epochs": metrics["epochs"], "classes": len(self.trained_ids), "train": len(self.train_set),
            "val": len(self.val_set), "network": self.settings.network,
            "weights": sum(value.numel() for value in network.parameters()), "input_px": self.settings.input_px,
            "made_from": data.made_from, "checkpoints": [path.name for path in self.files.epochs()],
        }
        report.measured |= {"epochs_now": metrics["epochs"] - len(self.before), "best_epoch": metrics["best_epoch"],
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
        names = (".last.pth", ".metrics.json", ".history.csv", ".per_class.csv", ".confusion.csv")
        report.files |= {"model": self.files.save_path, **{
            name[1:]: self.files.beside(name) for name in names if self.files.beside(name).exists()}}
        report.next_step = _("Next: notebook 04, auto_label.")


def _trainer(settings: TrainSettings, device: torch.device, keeper: EpochKeeper) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return lightning.Trainer(
        max_epochs=NO_LIMIT if settings.minutes else settings.epochs,
        accelerator={"cuda": "gpu"}.get(device.type, device.type), devices=1, callbacks=[keeper], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        # Half precision pays on a GPU; on a CPU it depends on the model of the processor.
        precision="16-mixed" if device.type == "cuda" else "32-true")


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
    with PixelStore([photo.ref for photo in photos], best.input_px, best.fit) as store:
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

