"""A folder of colored photos and its board, with a painter that can be held back."""

import threading
from functools import partial
from pathlib import Path

import torch

from npylabel.colorizer.color_desk import ColorDesk
from npylabel.colorizer.color_table import read_color_rows
from npylabel.colorizer.colorize import color_one
from npylabel.dataset.decisions import read_decisions
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.photos.sources import list_photos
from npylabel.ui.color_board import ColorBoard
from tests.colorizer.color_kit import TABLE, FakePainter, color


class HeldPainter(FakePainter):
    """Paints only while ``may_paint`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_paint = threading.Event()
        self.may_paint.set()

    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> torch.Tensor:
        assert self.may_paint.wait(60)
        return super().paint(lightness, class_ids)


class ColorWorld:
    """A work folder with old photos, colored.

    Args:
        root: of all that is written; the photos lie in ``old`` below it.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.old, self.out, self.said = root, root / "old", root / "colorized", root / "decisions"
        self.painter = HeldPainter()

    def run(self, **options: object) -> None:
        """Color the whole folder."""
        color(self.old, self.out, self.painter, decisions_dir=self.said, **options)

    def board(self, **options: object) -> ColorBoard:
        """The board, with pages of four."""
        known = {row.source: row.fingerprint for row in read_color_rows(self.out).values()}
        refs = {ref.source: ref for ref in list_photos([self.old], [self.out], known).refs}
        again = partial(color_one, output_dir=self.out, painter=self.painter, table=TABLE, decisions_dir=self.said)
        desk = ColorDesk(self.out, refs, again, TABLE, self.painter.class_ids, self.said)
        return ColorBoard(desk, Thumbnails(None), **{"rows": 2, "columns": 2, **options})

    def classes(self) -> dict[str, tuple[str, str]]:
        """(class, who said so) by file name, as the table has it."""
        return {row.file_name: (row.label_name, row.label_source) for row in read_color_rows(self.out).values()}

    def words(self) -> list[tuple[str, str, str]]:
        """(name, action, class) of all decisions."""
        return [(word.name.rpartition("/")[2], word.action, word.class_name) for word in read_decisions(self.said)]
