"""The networks that look for wrong labels: like the one that is trained to label, but small, quick and by fold."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.report import StepReport
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.training_data import TrainingData, TrainPhoto
from npylabel.labeler.doubts import LabelCheck, find_wrong_labels
from npylabel.labeler.networks import refuse_impossible_network
from npylabel.labeler.predict import Predictor
from npylabel.labeler.recipe import recipe_of
from npylabel.labeler.task import LabelerTask, template_of
from npylabel.training.devices import pick_device
from npylabel.training.fit import fit
from npylabel.training.job import FitJob
from npylabel.training.recipe import stored_px
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings

# Twice the epochs found no more of the planted errors that ``label_errors`` tells of.
FOLD_EPOCHS, FOLD_PX = 10, 64


def fold_settings(settings: TrainSettings) -> TrainSettings:
    """What the networks of the folds are, for a training of these settings."""
    quick = replace(settings, epochs=FOLD_EPOCHS, minutes=0, patience=0, tracker="csv", devices=1,
                    input_px=min(settings.input_px, FOLD_PX))
    try:
        refuse_impossible_network(quick.network, quick.depth, quick.input_px)
    except NpyLabelError:
        return replace(quick, input_px=settings.input_px)
    return quick


def check_labels(
    check: LabelCheck, data: TrainingData, photos: Sequence[TrainPhoto], table: ClassTable, settings: TrainSettings,
    files: RunFiles, report: StepReport,
) -> None:
    """Write and describe ``<stem>.label_errors.csv``; does nothing for 0 folds.

    Args:
        check: how to look for wrong labels.
        data: that the photos are of.
        photos: to train and to validate on.
        table: the class table.
        settings: of the training that the photos are for.
        files: of that training.
        report: gets what was found.
    """
    if not check.folds:
        return
    quick = fold_settings(settings)
    with PixelStore([photo.ref for photo in photos], stored_px(quick.input_px), data.fit) as store:
        readable = store.readable()
        trainer = _FoldTrainer(store.pixels, readable, [photos[i].class_id for i in readable], data, table, quick)
        find_wrong_labels(
            check, [photos[i] for i in readable], table, files, trainer.identity, settings.random_seed, trainer, report)


class _FoldTrainer:
    """Trains the network of one fold and asks it about the photos that it has not seen.

    Args:
        pixels: of all photos.
        rows: of those that can be read.
        class_ids: of these.
        data: that they are of.
        table: the class table.
        settings: of ``fold_settings``.

    Attributes:
        identity: what the networks depend on besides the photos, as plain values.
    """

    def __init__(
        self, pixels: np.ndarray, rows: np.ndarray, class_ids: Sequence[int], data: TrainingData, table: ClassTable,
        settings: TrainSettings,
    ) -> None:
        self.pixels, self.rows, self.data, self.table, self.settings = pixels, rows, data, table, settings
        self.ids, self.class_ids = sorted(set(class_ids)), np.array(class_ids)
        self.identity = json.loads(json.dumps({
            "network": settings.network, "depth": settings.depth, "input_px": settings.input_px,
            "epochs": settings.epochs, "batch_size": settings.batch_size, "fill_to": settings.fill_to,
            "fit": data.fit, "recipe": asdict(recipe_of(settings.network)),
        }))

    def __call__(self, train: np.ndarray, held_out: np.ndarray, files: RunFiles) -> np.ndarray:
        """The probabilities of the held-out photos; see ``FitFold``."""
        trained_ids = sorted(set(self.class_ids[train].tolist()))
        targets = np.full(len(self.pixels), -1, np.int64)
        targets[self.rows[train]] = np.searchsorted(trained_ids, self.class_ids[train])
        settings = self.settings
        template = template_of(settings, self.data, self.table, trained_ids, self.pixels, self.rows[train])
        # The folder of the files is that of one fold of one identity.
        job = FitJob(LabelerTask(self.table, template), self.pixels, targets, self.rows[train], np.zeros(0, np.int64),
                     settings, files, identity=self.identity)
        fitted = fit(job, StepReport("train"))
        logits = Predictor(fitted.last, pick_device(settings.device)).logits(self.pixels, self.rows[held_out])
        result = np.full((len(held_out), len(self.ids)), np.nan, np.float32)
        result[:, np.searchsorted(self.ids, trained_ids)] = torch.softmax(logits, 1).numpy()
        return result
