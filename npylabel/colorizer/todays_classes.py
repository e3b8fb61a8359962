"""A painter that was taught the classes of an older table colors by today's."""

from collections import defaultdict
from hashlib import sha256

import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.painter import Painter, Sight


def with_todays_classes(painter: Painter, table: ClassTable) -> Painter:
    """The painter itself where its classes have the same ids today, else one that has those of today in their place.

    Classes are read by name or alias, as everywhere: somebody may have numbered them anew. Classes that were merged
    count as the one that they became. Of a class that is in no table any more nothing is known.

    Raises:
        NpyLabelError: ``model_other_classes`` where that is so of all of them.
    """
    ids = [_id_now(painter.table, class_id, table) for class_id in painter.class_ids]
    if ids == list(painter.class_ids):
        return painter
    if all(class_id is None for class_id in ids):
        raise NpyLabelError(
            "model_other_classes", _("None of the classes that the colorizer was taught is in the class table."),
            _("Set classes_path to the table it was trained with, or train again."))
    return _TodaysPainter(painter, table, ids)


def _id_now(before: ClassTable, class_id: int, table: ClassTable) -> int | None:
    """Today's id of a class of an older table, None where there is none."""
    found = table.find_name(before.names[class_id])
    if found is not None:
        return found
    if class_id not in table.names:
        return table.id_now(class_id)
    # Its id has another name: a new one of the same class, or that of another class, which the older table knew.
    return class_id if before.find_name(table.names[class_id]) is None else None


class _TodaysPainter:
    """See ``with_todays_classes``, and ``Painter`` for the attributes.

    Args:
        painter: of an older table.
        table: of today.
        ids: today's ids of the painter's classes, None for those that are gone.
    """

    def __init__(self, painter: Painter, table: ClassTable, ids: list[int | None]) -> None:
        self._painter, self.side_px, self.table = painter, painter.side_px, table
        self._places: dict[int, list[int]] = defaultdict(list)
        for place, now in enumerate(ids):
            if now is not None:
                self._places[now].append(place)
        self.class_ids = tuple(sorted(self._places))
        # An id that has another meaning now gives other colors; one that is not given out any more does not.
        moved = any(before in table.names and before != now for before, now in zip(painter.class_ids, ids, strict=True))
        self.sha256 = sha256(f"{painter.sha256} {ids}".encode()).hexdigest() if moved else painter.sha256

    def see(self, lightness: torch.Tensor) -> Sight:
        """As ``Painter.see``; where classes are gone, the probabilities of the others sum to less than 1."""
        sight = self._painter.see(lightness)
        sums = [sight.probabilities[:, self._places[class_id]].sum(1) for class_id in self.class_ids]

        def paint(class_ids: torch.Tensor) -> torch.Tensor:
            return sight.paint(torch.tensor([self._taught(class_id) for class_id in class_ids.tolist()]))

        return Sight(torch.stack(sums, 1), paint)

    def _taught(self, class_id: int) -> int:
        """The class that the painter was taught for one of today's, or that was merged into it; -1 for none."""
        taught = [self._painter.class_ids[place] for place in self._places.get(class_id, ())]
        name = self.table.names.get(class_id)
        same = [before for before in taught if self._painter.table.names[before] == name]
        return next(iter(same or taught), -1)
