"""Progress that suits the place: a bar for a person, a line every 10 % for a log."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from npylabel.base.i18n import _, in_notebook
from npylabel.base.places import is_headless

Item = TypeVar("Item")


def track(items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """The items, while the progress is shown.

    Args:
        items: anything to go through.
        total: how many there will be.
        label: what is being done, translated.
    """
    if is_headless() or not (in_notebook() or sys.stderr.isatty()):
        yield from _lines(items, total, label)
        return
    from tqdm.auto import tqdm

    yield from tqdm(items, total=total, desc=label)


def _lines(items: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    started, shown = time.monotonic(), 0
    for done, item in enumerate(items, start=1):
        yield item
        tenth = 10 * done // max(total, 1)
        # Short work needs no log lines at all.
        if tenth > shown and time.monotonic() - started > 2:
            shown = tenth
            print(_("{label}: {percent} % ({done} of {total})").format(
                label=label, percent=10 * tenth, done=done, total=total), flush=True)
