"""What the cells with a board share: where the work is."""

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.language import choose_language
from npylabel.base.places import Places, find_places, is_headless
from npylabel.base.trip import bring


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
