"""What the cells with a board share: where the work is, and that a cell has one board at a time."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.language import choose_language
from npylabel.base.places import Places, find_places, is_headless
from npylabel.base.trip import bring

if TYPE_CHECKING:
    from ipywidgets import Widget


def open_work(
    where: tuple[str, str, str], classes_path: str, needed: dict[str, str], wanted: str
) -> tuple[Places, ClassTable]:
    """(the places in which the wanted folder is, the class table); what is needed is brought for a person.

    Args:
        where: work_dir, save_dir and language of the cell.
        classes_path: the class table.
        needed: folders and files by parameter.
        wanted: the folder that says whether the work is that of the demo.
    """
    work_dir, save_dir, language = where
    choose_language(language)
    places = find_places(work_dir, save_dir)
    if not is_headless():
        bring(places, needed)
    places = places.world_of(wanted)
    return places, load_classes(places.classes_path(classes_path))


def one_board(cell: Callable) -> Callable:
    """The function of a cell; when the cell is run again, the board that it made before is closed first."""
    made: list[Widget] = []

    @functools.wraps(cell)
    def run(**parameters: object) -> object:
        if made:
            close_board(made.pop())
        result = cell(**parameters)
        if hasattr(result, "comm"):
            made.append(result)
        return result

    return run


def close_board(part: object) -> None:
    """Close a widget with all widgets that it holds; what was decided on a board is carried on before."""
    from ipywidgets import Widget

    from npylabel.ui.decision_board import DecisionBoard

    if isinstance(part, Widget) and part.comm:
        if isinstance(part, DecisionBoard):
            part.finish()
        part.close()
        close_board(vars(part))
    elif isinstance(part, dict):
        close_board([*part.values()])
    elif isinstance(part, list | tuple):
        for each in part:
            close_board(each)
