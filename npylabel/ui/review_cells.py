"""The review cells of the notebooks: what is brought, built and shown there, or said where nobody sits in front."""

from pathlib import Path
from typing import TYPE_CHECKING

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import _
from npylabel.base.places import is_headless
from npylabel.dataset.layout import DATASET, MODEL, TRAIN_DATA
from npylabel.ui.board_cells import one_board, open_work

if TYPE_CHECKING:
    from ipywidgets import Widget


@one_board
def review_labels(
    *, input_dir: str = f"{DATASET}/color", output_dir: str = f"{DATASET}/labels", data_path: str = TRAIN_DATA,
    model_path: str = MODEL, classes_path: str = "classes.json", legacy_order: str = "", device: str = "auto",
    work_dir: str = "", save_dir: str = "", language: str = "",
) -> "Widget | None":
    """The labels that a person should look at, and what another threshold would do; None where nobody sits in front.

    Args:
        input_dir: the folder color of the dataset.
        output_dir: its labels.
        data_path: the training data, for photos that look alike.
        model_path: the labeler.
        classes_path: the class table.
        legacy_order: for original weights.
        device: auto, cpu, cuda or mps.
        work_dir: folder below which all relative paths lie.
        save_dir: folder that keeps the work folder packed.
        language: en or ru.

    Raises:
        NpyLabelError: ``labels_missing``, ``no_dataset``, and those of the labeler.
    """
    needed = {"input_dir": input_dir, "output_dir": output_dir, "data_path": data_path, "model_path": model_path}
    places, table = open_work((work_dir, save_dir, language), classes_path, needed, input_dir)
    labels_dir = places.path(output_dir)
    if is_headless():
        print(_headless_labels(labels_dir, table))
        return None
    from npylabel.dataset.human_labels import Labels
    from npylabel.labeler.explorer import open_explorer
    from npylabel.labeler.review import Review
    from npylabel.labeler.review_queue import label_questions, open_sight
    from npylabel.ui.review_tabs import review_tabs

    model, data, dataset = places.path(model_path), places.path(data_path), places.path(input_dir).parent
    order = places.source(legacy_order)
    order = str(order) if legacy_order and order.is_dir() else legacy_order
    sight = open_sight(model, table, data, legacy_order=order, device=device)
    questions = label_questions(dataset, labels_dir, sight)
    review = Review(questions, places.work_dir, table, Labels(dataset, labels_dir, table), data)
    explorer = open_explorer(model, labels_dir, places.path(input_dir), data, table, order)
    return review_tabs(review, places, _("accept the best class: {count}"), explorer)


@one_board
def review_label_errors(
    *, data_path: str = TRAIN_DATA, save_path: str = MODEL, classes_path: str = "classes.json", device: str = "auto",
    dataset_dir: str = DATASET, work_dir: str = "", save_dir: str = "", language: str = "",
) -> "Widget | None":
    """The training labels that are probably wrong, to accept or correct; None where there are none, or nobody is here.

    Args:
        data_path: the training data.
        save_path: the model beside which the table of wrong labels lies.
        classes_path: the class table.
        device: auto, cpu, cuda or mps.
        dataset_dir: the dataset whose labels follow where it has the same photos.
        work_dir: folder below which all relative paths lie.
        save_dir: folder that keeps the work folder packed.
        language: en or ru.

    Raises:
        NpyLabelError: ``no_train_data``, ``table_damaged``, and those of the labeler.
    """
    needed = {"data_path": data_path, "save_path": save_path}
    places, table = open_work((work_dir, save_dir, language), classes_path, needed, data_path)
    path, count = _count_errors(places.path(save_path))
    if not count or is_headless():
        print(_errors_text(path, count))
        return None
    from npylabel.dataset.human_labels import Labels
    from npylabel.labeler.error_queue import error_questions
    from npylabel.labeler.review import ErrorReview
    from npylabel.labeler.review_queue import open_sight
    from npylabel.ui.review_tabs import review_tabs

    sight = open_sight(places.path(save_path), table, places.path(data_path), device=device)
    questions = error_questions(places.path(save_path), places.path(data_path), table, sight)
    dataset = places.path(dataset_dir)
    labels = Labels(dataset, dataset / "labels", table) if (dataset / "labels").is_dir() else None
    review = ErrorReview(questions, places.work_dir, table, labels, places.path(data_path))
    return review_tabs(review, places, _("the label is right: {count}"))


def _headless_labels(labels_dir: Path, table: ClassTable) -> str:
    """What a person would see, without the work that it takes to show it."""
    from npylabel.dataset.labels import MODEL as BY_MODEL
    from npylabel.dataset.labels import read_label_rows, table_path

    rows = [row for row in read_label_rows(table_path(labels_dir)).values() if row.source == BY_MODEL]
    unsure = sum(row.class_id == table.unknown_id for row in rows)
    return _("In a browser: a board to review the labels ({unsure} of {count} photos are below the threshold), and a "
             "slider for the threshold.").format(unsure=unsure, count=len(rows))


def _count_errors(save_path: Path) -> tuple[Path, int | None]:
    """(the table of wrong labels, how many are probably wrong); None where there is no table."""
    from npylabel.base.tables import read_csv
    from npylabel.labeler.doubts import LABEL_ERRORS
    from npylabel.training.run_files import RunFiles

    path = RunFiles(save_path).beside(LABEL_ERRORS)
    return path, sum(row["probably_wrong"] == "1" for row in read_csv(path)) if path.is_file() else None


def _errors_text(path: Path, count: int | None) -> str:
    if count is None:
        return _("Nobody looked for wrong labels: with folds=3 the training does.")
    if not count:
        return _("No label is probably wrong.")
    return _("In a browser: a board to review {count} labels that are probably wrong ({path}).").format(
        count=count, path=path)
