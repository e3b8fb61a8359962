"""Ways to do the same work, measured in turn in one run, because machines differ and are shared."""

import contextlib
import inspect
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import npylabel_core

ROUNDS = 3


def compare(title: str, count: int, ways: Mapping[str, Callable[[Path], object]], *, rounds: int = ROUNDS) -> None:
    """Print the rate of each way, and the median and range of its ratio to the first one.

    Args:
        title: of the row.
        count: how many things each way does.
        ways: by name; each gets the path of a folder that does not exist yet.
        rounds: how often all of them are measured.
    """
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _round in range(rounds):
        for name, way in ways.items():
            rates[name].append(count / seconds(way))
    print_rates(title, rates)


def print_rates(title: str, rates: Mapping[str, Sequence[float]]) -> None:
    """Print the median of each way's rates by round, and the median and range of its ratio to the first one."""
    first, *others = rates
    cells = [f"{title:34} {first} {statistics.median(rates[first]):7.1f}/s"]
    for name in others:
        ratios = [own / plain for own, plain in zip(rates[name], rates[first], strict=True)]
        cells.append(f"{name} {statistics.median(rates[name]):7.1f}/s {statistics.median(ratios):5.1f} times "
                     f"({min(ratios):.1f}-{max(ratios):.1f})")
    print("   ".join(cells), flush=True)


def seconds(way: Callable[[Path], object]) -> float:
    """How long a way takes."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()):
        started = time.perf_counter()
        way(Path(name) / "out")
        return time.perf_counter() - started


def train_defaults() -> dict[str, object]:
    """What step 03 does where the user says nothing, by keyword."""
    return {name: each.default for name, each in inspect.signature(npylabel_core.train).parameters.items()}
