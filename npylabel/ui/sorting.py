"""The cell of a notebook in which a person sorts photos into classes."""

from pathlib import Path
from typing import TYPE_CHECKING

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import is_headless
from npylabel.base.report import StepReport
from npylabel.dataset.layout import MODEL
from npylabel.ui.board_cells import one_board, open_work

if TYPE_CHECKING:
    from npylabel.dataset.desk_photos import Guess
    from npylabel.ui.board import Board

# More photos than these would keep a person waiting: step 04 looks at them.
_MOST_ASKED = 3000


@one_board
def sort_photos(
    *, dataset_dir: str = "tintora_dataset", data_path: str = "train_data", classes_path: str = "classes.json",
    work_dir: str = "", save_dir: str = "", language: str = "",
) -> "Board | StepReport":
    """A board on which the photos of step 01 are sorted into classes by clicks; every click is kept at once.

    Where nobody sits in front, and where there are no photos yet, a report says so instead.

    Args:
        dataset_dir: holds bw, color and labels
        data_path: the training data, whose photos are counted
        classes_path: the class table
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    needed = {"dataset_dir": dataset_dir, "model_path": MODEL}
    places, table = open_work((work_dir, save_dir, language), classes_path, needed, dataset_dir)
    dataset = places.path(dataset_dir)
    if is_headless():
        return _report(_("Here a person sorts the photos of {path} into classes by clicks.").format(path=dataset))
    from npylabel.base.saver import BackgroundSaver
    from npylabel.dataset.decisions import DECISIONS
    from npylabel.dataset.desk import Desk
    from npylabel.dataset.pixel_cache import thumbnail_folder
    from npylabel.dataset.thumbnails import Thumbnails
    from npylabel.photos.manifest import MANIFEST
    from npylabel.ui.board import Board
    from npylabel.ui.board_exchange import PAGES, exchange_row

    if not (dataset / MANIFEST).is_file():
        return _report(_("There are no photos to sort yet: notebook 01 makes {path}.").format(path=dataset))
    return Board(
        Desk(dataset, places.path(DECISIONS), table, guesses=_guesses(places.path(MODEL), dataset, table),
             data_path=places.path(data_path)),
        Thumbnails(thumbnail_folder()), saving=BackgroundSaver(places) if places.save_dir else None,
        extras=lambda board: [exchange_row(board, places.path(PAGES))])


def _guesses(model_path: Path, dataset: Path, table: ClassTable) -> "dict[str, Guess]":
    """What the network thinks; nothing where none is trained for these classes, which is no reason not to sort."""
    if not model_path.is_file():
        return {}
    from npylabel.labeler.guesses import guesses

    try:
        return guesses(model_path, dataset, table, most=_MOST_ASKED)
    except NpyLabelError as error:
        print(error.what)
        return {}


def _report(text: str) -> StepReport:
    return StepReport(_("Sorting board"), messages=[text])
