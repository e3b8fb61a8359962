"""All pictures of a finished training, made from its tables, its photos and its model."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import read_csv
from npylabel.dataset.pixels import decode_pixels
from npylabel.labeler.activation import class_activation
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.predict import Predictor
from npylabel.labeler.reports import PREDICTIONS, RELIABILITY, THRESHOLD_TABLE
from npylabel.photos.decode import PhotoError
from npylabel.training.run_files import RunFiles
from npylabel.ui.confidence_plots import plot_confidence, plot_per_class
from npylabel.ui.photo_sheets import Row, activation_sheet, hardest_sheet, pairs_sheet
from npylabel.ui.plots import plot_confusion, plot_curves

# What drawing may meet after a training that is done and saved: it never makes that training look failed.
_DRAWING_ERRORS = (OSError, NpyLabelError, ValueError, KeyError, RuntimeError)


def training_pictures(files: RunFiles, data_path: Path, names: dict[int, str]) -> dict[str, Path]:
    """The pictures of a training by caption; one that cannot be made is left out.

    Args:
        files: of the run.
        data_path: the folder of its photos.
        names: class name by id.
    """
    drawings: dict[str, Callable[[], Path | None]] = {
        _("Training"): lambda: _if(plot_curves, files, ".history.csv", ".curves.png"),
        _("Honesty: how often the labeler is right when it is so sure, and what a threshold does"):
            lambda: _confidence(files),
        _("F1 by class, the worst first"): lambda: _if(plot_per_class, files, ".per_class.csv", ".per_class.png"),
        _("Who is taken for whom"): lambda: _if(
            lambda rows, path: plot_confusion(rows, names, path), files, ".confusion.csv", ".confusion.png"),
        _("Mistaken most often: an example of the class, photos taken for the other (how sure), an example of that"):
            lambda: _if(lambda rows, path: pairs_sheet(rows, data_path, path) if _has_wrong(rows) else None,
                        files, PREDICTIONS, ".pairs_sheet.jpg"),
        _("The hardest validation photos: the class, and what the labeler said"):
            lambda: _if(lambda rows, path: hardest_sheet(rows, data_path, path), files, PREDICTIONS,
                        ".hardest_sheet.jpg"),
        _("Where the network looked (Grad-CAM), right and wrong"):
            lambda: _if(lambda rows, path: activation_sheet(rows, data_path, path, _heat(files, data_path)), files,
                        PREDICTIONS, ".activation_sheet.jpg"),
    }
    pictures = {caption: _drawn(draw) for caption, draw in drawings.items()}
    return {caption: path for caption, path in pictures.items() if path}


def _drawn(draw: Callable[[], Path | None]) -> Path | None:
    try:
        return draw()
    except _DRAWING_ERRORS:
        return None


def _if(draw: Callable[[Sequence[Row], Path], Path | None], files: RunFiles, table: str, picture: str) -> Path | None:
    """The picture of a table, where that has rows."""
    rows, path = read_csv(files.beside(table)), files.beside(picture)
    # One of an earlier epoch would lie.
    path.unlink(missing_ok=True)
    return draw(rows, path) if rows else None


def _confidence(files: RunFiles) -> Path | None:
    reliability, thresholds = read_csv(files.beside(RELIABILITY)), read_csv(files.beside(THRESHOLD_TABLE))
    return plot_confidence(reliability, thresholds, files.beside(".confidence.png")) if reliability else None


def _has_wrong(rows: Sequence[Row]) -> bool:
    return any(row["true_id"] != row["predicted_id"] for row in rows)


def _heat(files: RunFiles, data_path: Path) -> Callable[[Sequence[Row]], list[np.ndarray | None]]:
    """The function that gives heat maps of photos for what the labeler said; None for a photo that is gone."""
    def heat_of(rows: Sequence[Row]) -> list[np.ndarray | None]:
        checkpoint = load_checkpoint(files.save_path)
        found = [_pixels(data_path / row["path"], checkpoint.photo_px, checkpoint.fit) for row in rows]
        there = [place for place, pixels in enumerate(found) if pixels is not None]
        if not there:
            return [None] * len(rows)
        # A processor is quick enough for so few, and gives the same on every machine.
        heat = class_activation(
            Predictor(checkpoint, torch.device("cpu")), np.stack([found[place] for place in there]),
            [int(rows[place]["predicted_id"]) for place in there])
        maps: list[np.ndarray | None] = [None] * len(rows)
        for place, one in zip(there, heat, strict=True):
            maps[place] = one
        return maps
    return heat_of


def _pixels(path: Path, input_px: int, fit: str) -> np.ndarray | None:
    try:
        return decode_pixels(path.read_bytes(), input_px, fit)
    except (OSError, PhotoError):
        return None
