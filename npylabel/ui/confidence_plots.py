"""Pictures of how honest a labeler is and how good in each class."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from npylabel.base.i18n import _
from npylabel.labeler.calibration import WANTED_RIGHT
from npylabel.labeler.reports import AFTER, BEFORE
from npylabel.ui.plots import save_figure

BLUE, ORANGE, GRAY, GREEN, RED = "#2b6cb0", "#dd7a1f", "#8a8f98", "#2f855a", "#c53030"
# Classes in one column of bars; more go into the next column.
_ROWS, _MOST_COLUMNS = 34, 3
_NAME_LETTERS = 26


def plot_confidence(
    reliability: Sequence[dict[str, str]], thresholds: Sequence[dict[str, str]], path: Path
) -> Path:
    """Accuracy by confidence before and after the temperature, and what each threshold does, as a PNG.

    Args:
        reliability: rows of ``<stem>.reliability.csv``.
        thresholds: rows of ``<stem>.thresholds.csv``.
        path: of the picture.
    """
    figure = Figure(figsize=(12.5, 4), layout="constrained")
    before, after, explorer = figure.subplots(1, 3)
    _draw_reliability(before, [row for row in reliability if row["temperature"] == BEFORE], _("before the temperature"))
    _draw_reliability(after, [row for row in reliability if row["temperature"] == AFTER], _("after the temperature"))
    _draw_thresholds(explorer, [row for row in thresholds if not row["class_id"]])
    return save_figure(figure, path)


def _draw_reliability(axes: Axes, rows: Sequence[dict[str, str]], title: str) -> None:
    """Bars of accuracy with a mark at the mean confidence; honest ones end on the diagonal."""
    values = [{name: float(row[name]) for name in ("low", "high", "photos", "confidence", "accuracy")} for row in rows]
    total = sum(row["photos"] for row in values)
    error = sum(row["photos"] * abs(row["confidence"] - row["accuracy"]) for row in values) / max(total, 1)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1)
    for row in values:
        width = row["high"] - row["low"]
        axes.bar(row["low"], row["accuracy"], width, align="edge", color=BLUE, edgecolor="white", alpha=0.85)
        # The distance to honesty.
        axes.plot([row["confidence"]] * 2, sorted((row["confidence"], row["accuracy"])), color=ORANGE, linewidth=2)
        axes.plot(row["confidence"], row["confidence"], "o", color=ORANGE, markersize=4)
        axes.text(row["low"] + width / 2, -0.025, f"{row['photos']:.0f}", ha="center", va="top", fontsize=6.5,
                  color=GRAY)
    axes.set(xlim=(0, 1), ylim=(-0.09, 1.02), xlabel=_("confidence (below the bars: photos)"), ylabel=_("share right"))
    axes.set_title(f"{title}: {_('error')} {error:.3f}", fontsize=11)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)


def _draw_thresholds(axes: Axes, rows: Sequence[dict[str, str]]) -> None:
    """Share unknown and share right of the rest, by threshold."""
    at = [float(row["threshold"]) for row in rows]
    right = [(x, float(row["right_share"])) for x, row in zip(at, rows, strict=True) if row["right_share"]]
    axes.plot(at, [float(row["unknown_share"]) for row in rows], color=ORANGE, marker=".", label=_("become unknown"))
    if right:
        axes.plot(*zip(*right, strict=True), color=GREEN, marker=".", label=_("right of the rest"))
    axes.axvline(0.5, color=GRAY, linestyle="--", linewidth=1)
    axes.axhline(WANTED_RIGHT, color=GREEN, linestyle=":", linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=_("threshold"))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_title(_("what each threshold does"), fontsize=11)
    axes.grid(alpha=0.25)
    axes.legend(loc="best", framealpha=0.9, fontsize=9)


def plot_per_class(rows: Sequence[dict[str, str]], path: Path) -> Path:
    """F1 by class as bars, the worst first, as a PNG.

    Args:
        rows: of ``<stem>.per_class.csv``, the worst first.
        path: of the picture.
    """
    columns = min(_MOST_COLUMNS, -(-len(rows) // _ROWS))
    height = -(-len(rows) // columns)
    figure = Figure(figsize=(4.2 * max(columns, 2), 1 + 0.2 * height), layout="constrained")
    panels = figure.subplots(1, columns, squeeze=False)[0]
    for number, axes in enumerate(panels):
        _draw_bars(axes, rows[number * height:(number + 1) * height], height)
    figure.supxlabel(_("F1 on validation photos (bar) and number of photos"), fontsize=10)
    return save_figure(figure, path)


def _draw_bars(axes: Axes, rows: Sequence[dict[str, str]], height: int) -> None:
    scores = [float(row["f1"]) for row in rows]
    colors = [RED if score < 0.5 else ORANGE if score < 0.8 else GREEN for score in scores]
    axes.barh(range(len(rows)), scores, height=0.75, color=colors, alpha=0.85)
    for place, (score, row) in enumerate(zip(scores, rows, strict=True)):
        axes.text(score + 0.015, place, f"{score:.2f} ({row['photos']})", va="center", fontsize=7.5, color="#404040")
    axes.set_yticks(range(len(rows)), [_shortened(row["class_name"]) for row in rows], fontsize=8)
    # Room for the numbers to the right of a full bar.
    axes.set(xlim=(0, 1.28), ylim=(height - 0.4, -0.6), xticks=[0, 0.5, 1])
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right"]].set_visible(False)


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LETTERS else name[: _NAME_LETTERS - 1] + "…"
