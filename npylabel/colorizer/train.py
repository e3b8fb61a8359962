"""Step 06: train a colorizer from scratch on the user's own dataset."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.colorizer.bins import gamut_bins
from npylabel.colorizer.evaluation import FREE, GRAY, TOLD, Namer, evaluate
from npylabel.colorizer.lab import pixels_to_rgb, rgb_to_lab
from npylabel.colorizer.model import Colorizer
from npylabel.colorizer.networks import create_colorizer, refuse_impossible_side
from npylabel.colorizer.recipe import BINS, ColorRecipe
from npylabel.colorizer.task import ColorizerTask
from npylabel.dataset.dataset_photos import NO_CLASS
from npylabel.dataset.folders import TEST, TRAIN, VAL
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.training_data import TrainingData, TrainPhoto
from npylabel.training.devices import pick_device, refuse_impossible_devices
from npylabel.training.fit import fit
from npylabel.training.job import FitJob, Fitted
from npylabel.training.recipe import stored_px
from npylabel.training.run_files import RunFiles
from npylabel.training.settings import TrainSettings
from npylabel.training.trackers import refuse_impossible_tracker

KEEP_EVERY = 5
# As in the step: colors ask for larger pictures than names do.
DEFAULT_PX = 224
# Root mean square of a*b* below which a photo has no colors to learn; noise and JPEG stay below it.
_GRAY_CHROMA, _LOOKED_AT_PX = 2.0, 64
_AT_ONCE = 64
# Photos that cannot be read and are named.
_NAMED = 10
# Photos, and their side, in which colors are counted.
_COUNTED, _COUNTED_PX = 2000, 32


def train_on_dataset(
    data: TrainingData, save_path: Path, table: ClassTable, settings: TrainSettings, recipe: ColorRecipe, *,
    resume: bool = True, watch: Callable[[Path], None] | None = None, namer: Namer | None = None,
) -> StepReport:
    """The report on a trained colorizer: ``save_path`` (best epoch) and its metrics, history and checkpoints beside it.

    Args:
        data: the photos, see ``load_dataset_photos``.
        save_path: the model file.
        table: of the classes.
        settings: of the run; an ``input_px`` of 0 is 224.
        recipe: how to train.
        resume: go on with an unfinished or finished run of the same data, network and recipe.
        watch: see ``FitJob``.
        namer: of a labeler, for the scores of the test photos.

    Raises:
        NpyLabelError: ``bad_parameter``, ``network_unknown``, ``no_such_device``, ``no_color``.
    """
    started = time.monotonic()
    settings = replace(settings, input_px=settings.input_px or DEFAULT_PX)
    device = pick_device(settings.device)
    # All that can be wrong is looked at before anything is moved or trained.
    refuse_impossible_side(settings.input_px)
    create_colorizer(settings.network, 1, **network_options(recipe))
    refuse_impossible_devices(device, settings.devices)
    refuse_impossible_tracker(settings.tracker)
    report = StepReport("train_colorizer")
    with report.timed("read"):
        store = PixelStore([photo.ref for photo in data.photos], stored_px(settings.input_px), data.fit)
    with store:
        run = _Run(data, store, table, settings, recipe, RunFiles(save_path, own_epochs=True))
        with report.timed("train"):
            fitted = fit(run.job(resume, time.monotonic() - started, watch), report)
        with report.timed("score"):
            run.finish(fitted, report, device, namer)
    return report


class _Run:
    """One training run on the photos that can be read and have colors."""

    def __init__(
        self, data: TrainingData, store: PixelStore, table: ClassTable, settings: TrainSettings, recipe: ColorRecipe,
        files: RunFiles,
    ) -> None:
        readable = store.readable()
        self.gray = without_colors(store.pixels, readable)
        used = sorted(set(readable.tolist()) - set(self.gray))
        self.unreadable = {data.photos[i].path.name: code for i, code in sorted(store.unreadable.items())}
        self.data = replace(data, photos=[data.photos[i] for i in used])
        self.photos, self.pixels, self.table, self.settings = data.photos, store.pixels, table, settings
        self.recipe, self.files = recipe, files
        self.rows = {side: _rows(data.photos, used, side) for side in (TRAIN, VAL, TEST)}
        if len(self.rows[TRAIN]) < 2:
            raise NpyLabelError(
                "no_color", _("There are {count} color photos to learn colors from; {gray} have no colors.").format(
                    count=len(self.rows[TRAIN]), gray=len(self.gray)),
                _("Collect more color photos with notebook 01."))
        known = {data.photos[i].class_id for i in self.rows[TRAIN]} - {NO_CLASS}
        # A network has to have a class: where nothing is known it is the one for photos of none.
        self.learns_labels = bool(known) and recipe.label_dropout < 1
        self.class_ids = sorted(known) or [table.ids[0] if table.unknown_id is None else table.unknown_id]
        places = {class_id: place for place, class_id in enumerate(sorted(known))}
        self.targets = np.array([places.get(photo.class_id, NO_CLASS) for photo in data.photos], np.int64)

    def job(self, resume: bool, spent_s: float, watch: Callable[[Path], None] | None) -> FitJob:
        """What the engine is to do, after so many seconds of other work."""
        settings = self.settings
        # Not the class table: only the ids that the labels have matter, and classes may get other names.
        identity = json.loads(json.dumps({
            "class_ids": self.class_ids, "split_sha256": self.data.split_sha256, "network": settings.network,
            "input_px": settings.input_px, "batch_size": settings.batch_size, "random_seed": settings.random_seed,
            "made_from": self.data.made_from, "recipe": asdict(self.recipe),
        }))
        template = Colorizer(
            {}, settings.network, settings.input_px, self.table.to_json(), self.table.sha256, self.class_ids,
            self.data.made_from, self.data.split_sha256, parameters=identity, options=network_options(self.recipe))
        weights = bin_weights(self.pixels, self.rows[TRAIN], self.recipe) if self.recipe.color_loss == BINS else ()
        # Colors are everywhere: no class needs to be filled up.
        return FitJob(
            ColorizerTask(template, self.recipe, weights, learns_labels=self.learns_labels), self.pixels, self.targets,
            self.rows[TRAIN], self.rows[VAL], replace(settings, fill_to=1), self.files, identity, resume=resume,
            keep_every=KEEP_EVERY, spent_s=spent_s, watch=watch)

    def finish(self, fitted: Fitted, report: StepReport, device: torch.device, namer: Namer | None) -> None:
        """Score the run on photos that it has never seen, beside all gray, and describe it."""
        best = fitted.best
        metrics = {"epochs": fitted.epochs, "best_epoch": best.epoch, "best": best.metrics, "history": fitted.history}
        rows = self.rows[TEST]
        if len(rows) > 1:
            metrics["test"] = evaluate(best, self.pixels[rows], self.targets[rows], device, namer)
        write_text(self.files.beside(".metrics.json"), json.dumps(metrics, indent=1))
        report.facts |= {
            "epochs": fitted.epochs, "network": self.settings.network, "input_px": self.settings.input_px,
            "photos": len(self.data.photos), "without_colors": len(self.gray), "unreadable": self.unreadable,
            "made_from": self.data.made_from,
        }
        # Labels that a network gave, and the sides that are drawn by them, differ between machines.
        report.measured |= {"classes": len(self.class_ids), **{side: len(rows) for side, rows in self.rows.items()}}
        report.measured |= {"epochs_now": fitted.epochs_now, "best_epoch": best.epoch, **best.metrics}
        report.measured |= {f"test_{way}": scores for way, scores in metrics.get("test", {}).items()}
        report.messages += self._messages(fitted, metrics.get("test", {}))
        report.files |= {"model": self.files.save_path, **{
            name[1:]: self.files.beside(name) for name in (".last.pth", ".history.csv", ".metrics.json", ".samples")}}
        report.next_step = _("Next: color old photos with colorize.")

    def _messages(self, fitted: Fitted, test: Mapping[str, Mapping[str, float]]) -> list[str]:
        """What there is to say about the photos and the scores."""
        texts = []
        if test:
            texts.append(_("On {count} photos that it never saw, the colors differ from the true ones by {free} on "
                           "average, by {told} where the label is told, and gray by {gray} (CIEDE2000; 1 is just "
                           "seen).").format(count=len(self.rows[TEST]), **{
                               way: f"{test[key]['ciede2000']:.1f}"
                               for way, key in (("free", FREE), ("told", TOLD), ("gray", GRAY))}))
        unlabeled = int((self.targets[self.rows[TRAIN]] < 0).sum())
        if unlabeled:
            texts.append(_("{count} of the {all} photos to train on have no label: they teach colors, but not what "
                           "things are called.").format(count=unlabeled, all=len(self.rows[TRAIN])))
        if self.gray:
            texts.append(_("{count} photos have no colors; nothing was learned from them.").format(
                count=len(self.gray)))
        texts += [_("Left out: {path} ({code})").format(path=name, code=code)
                  for name, code in list(self.unreadable.items())[:_NAMED]]
        if not fitted.epochs_now:
            texts.append(_("The model has its {count} epochs already; ask for more to go on.").format(
                count=fitted.epochs))
        return texts


def network_options(recipe: ColorRecipe) -> dict[str, object]:
    """What a recipe wants of its network, as keywords of ``create_colorizer`` and plain values."""
    bins = len(gamut_bins()) if recipe.color_loss == BINS else 0
    return {"bins": bins, "kernels": list(recipe.kernels), "norm": recipe.norm, "dropout": recipe.dropout}


def bin_weights(pixels: np.ndarray, rows: np.ndarray, recipe: ColorRecipe) -> list[float]:
    """How much each color counts in the loss, by bin: rare ones more; counted in some of the photos of these rows."""
    bins, counts = gamut_bins(), torch.zeros(len(gamut_bins()), dtype=torch.int64)
    chosen = rows[::max(1, len(rows) // _COUNTED)]
    for start in range(0, len(chosen), _AT_ONCE):
        small = functional.interpolate(pixels_to_rgb(torch.tensor(pixels[chosen[start:start + _AT_ONCE]])),
                                       (_COUNTED_PX, _COUNTED_PX), mode="bilinear", antialias=True)
        counts += bins.counts(rgb_to_lab(small)[1])
    return bins.weights(bins.prior(counts), recipe.uniform).tolist()


def without_colors(pixels: np.ndarray, rows: np.ndarray) -> list[int]:
    """Those of the rows whose photos are gray, ascending.

    Args:
        pixels: of all photos, ``(n, h, w, 3)`` uint8.
        rows: of the photos to look at, int64.
    """
    # Every fourth pixel of a photo of 256 tells as much as all of them.
    step = max(1, pixels.shape[1] // _LOOKED_AT_PX)
    parts = [rows[start:start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]
    return [int(row) for part in parts for row in part[chroma(pixels[part, ::step, ::step]) < _GRAY_CHROMA]]


def chroma(pixels: np.ndarray) -> np.ndarray:
    """Root mean square of the chroma of photos ``(n, h, w, 3)`` uint8, in units of Lab, ``(n,)``; gray ones have 0."""
    _lightness, ab = rgb_to_lab(pixels_to_rgb(torch.tensor(pixels)))
    return (ab * 128).square().sum(1).mean((1, 2)).sqrt().numpy()


def _rows(photos: Sequence[TrainPhoto], used: Sequence[int], side: str) -> np.ndarray:
    return np.array([i for i in used if photos[i].split == side], dtype=np.int64)
