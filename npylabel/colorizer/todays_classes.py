"""A painter that was taught the classes of an older table colors by today's."""

from collections import defaultdict

import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.painter import Painter, Sight


def with_todays_classes(painter: Painter, table: ClassTable) -> Painter:
    """The painter itself where the table has all its classes, else one that has those of today in their place.

    Classes that were merged count as the one that they became. Of a class that is in no table any more nothing is
    known.

    Raises:
        NpyLabelError: ``model_other_classes`` where that is so of all of them.
    """
    if set(painter.class_ids) <= table.names.keys():
        return painter
    if all(table.id_now(class_id) is None for class_id in painter.class_ids):
        raise NpyLabelError(
            "model_other_classes", _("None of the classes that the colorizer was taught is in the class table."),
            _("Set classes_path to the table it was trained with, or train again."))
    return _TodaysPainter(painter, table)


class _TodaysPainter:
    """See ``with_todays_classes``, and ``Painter`` for the attributes."""

    def __init__(self, painter: Painter, table: ClassTable) -> None:
        self._painter, self.side_px, self.sha256 = painter, painter.side_px, painter.sha256
        self._places: dict[int, list[int]] = defaultdict(list)
        for place, class_id in enumerate(painter.class_ids):
            if (now := table.id_now(class_id)) is not None:
                self._places[now].append(place)
        self.class_ids = tuple(sorted(self._places))

    def see(self, lightness: torch.Tensor) -> Sight:
        """As ``Painter.see``; where classes are gone, the probabilities of the others sum to less than 1."""
        sight = self._painter.see(lightness)
        sums = [sight.probabilities[:, self._places[class_id]].sum(1) for class_id in self.class_ids]

        def paint(class_ids: torch.Tensor) -> torch.Tensor:
            return sight.paint(torch.tensor([self._taught(class_id) for class_id in class_ids.tolist()]))

        return Sight(torch.stack(sums, 1), paint)

    def _taught(self, class_id: int) -> int:
        """The class that the painter was taught for one of today's: the same, or one that was merged into it."""
        places = self._places.get(class_id)
        if not places or class_id in self._painter.class_ids:
            return class_id
        return self._painter.class_ids[places[0]]
