"""Pictures of a training: curves, and who is taken for whom."""

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from npylabel.base.files import write_bytes
from npylabel.base.i18n import _

# More classes than this and nobody can read the names.
NAMED_CLASSES = 40


def plot_curves(history: Sequence[dict[str, str]], path: Path) -> Path:
    """Loss and scores by epoch as a PNG.

    Args:
        history: rows of ``<stem>.history.csv``.
        path: of the picture.
    """
    return _plot_history(history, path, (
        {"train_loss": _("training loss"), "val_loss": _("validation loss")},
        {"val_accuracy": _("accuracy"), "val_macro_f1": _("macro-F1")}))


def plot_color_curves(history: Sequence[dict[str, str]], path: Path) -> Path:
    """Errors of the colors, and the accuracy of the names, by epoch of a colorizer as a PNG; arguments as above."""
    return _plot_history(history, path, (
        {"val_mse": _("error without the label"), "val_mse_label": _("error with the label")},
        {"val_accuracy": _("accuracy of the names")}))


def _plot_history(history: Sequence[dict[str, str]], path: Path, sides: Sequence[dict[str, str]]) -> Path:
    """A PNG of two pictures: columns of the history by epoch, with their captions; the second shows shares."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    both = figure.subplots(1, 2)
    for axes, lines in zip(both, sides, strict=True):
        for column, label in lines.items():
            points = [(float(row["epoch"]), float(row[column])) for row in history if row.get(column)]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".", label=label)
    both[1].set_ylim(0, 1)
    for axes in both:
        axes.set_xlabel(_("epoch"))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if axes.has_data():
            axes.legend()
    return save_figure(figure, path)


def plot_confusion(table: Sequence[dict[str, str]], names: dict[int, str], path: Path) -> Path:
    """The confusion matrix as a PNG: rows true, columns predicted, shares of each row.

    Args:
        table: rows of ``<stem>.confusion.csv``.
        names: class name by id.
        path: of the picture.
    """
    ids = [int(row["true"]) for row in table]
    counts = [[int(row[str(class_id)]) for class_id in ids] for row in table]
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    side = min(3 + 0.28 * len(ids), 11)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, shrink=0.8)
    axes.set_xlabel(_("predicted"))
    axes.set_ylabel(_("true"))
    if len(ids) <= NAMED_CLASSES:
        labels = [names[class_id] for class_id in ids]
        axes.set_xticks(range(len(ids)), labels, rotation=90)
        axes.set_yticks(range(len(ids)), labels)
    return save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write the figure as a PNG to ``path``."""
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file)
    write_bytes(path, file.getvalue())
    return path
