"""Before a step runs: what it will find, or the error that it would stop with."""

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

from npylabel.base.actions import BRING, LOOKING, acts
from npylabel.base.classes import load_classes
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.places import DEMO, SORTED, UPLOAD, Places, is_headless
from npylabel.base.report import StepReport


def check_step_inputs(step: str, places: Places, parameters: dict) -> StepReport:
    """A short report on the inputs of a step.

    Args:
        step: name of the step.
        places: of the run.
        parameters: of the step.

    Raises:
        NpyLabelError: what the step itself would raise for an input that is missing or wrong.
    """
    report = StepReport(_("{step}: inputs").format(step=step))
    _CHECKS[step](report, places, parameters)
    return report


def checked(step: Callable[..., StepReport]) -> Callable[..., StepReport]:
    """The step, a function of keywords, which refuses what is wrong in any case before anything is brought for it."""

    @functools.wraps(step)
    def run(**parameters: object) -> StepReport:
        defaults = {name: parameter.default for name, parameter in inspect.signature(step).parameters.items()}
        choose_language(str(parameters.get("language", "")))
        check_parameters(step.__name__, {**defaults, **parameters})
        return step(**parameters)

    return run


def check_parameters(step: str, parameters: Mapping[str, object]) -> None:
    """Refuse what is wrong whatever is saved.

    Raises:
        NpyLabelError: of ``check_action``.
    """
    if step == "manage":
        from npylabel.care.manage import check_action

        check_action(str(parameters["action"]), str(parameters["value"]))


def _photos(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.photos.portions import browser_files
    from npylabel.photos.preflight import size_text
    from npylabel.photos.sources import list_photos, split_sources

    if parameters["photos_dir"] == DEMO:
        report.messages.append(_("The demo photos will be drawn in {path}.").format(path=places.demo().work_dir))
        return
    if parameters["photos_dir"] == UPLOAD:
        browser_files(headless=is_headless())
        report.messages.append(_("The browser will ask for the photos."))
        return
    roots = [places.source(part) for part in split_sources(parameters["photos_dir"])]
    listing = list_photos(roots, exclude=[places.path(parameters["dataset_dir"])])
    size = sum(ref.size_bytes for ref in listing.refs)
    report.messages.append(_("{count} photos, {size}, in {paths}.").format(
        count=len(listing.refs), size=size_text(size), paths=", ".join(map(str, roots))))
    if listing.others:
        report.messages.append(_("Files that are no photos were passed over: {others}.").format(
            others=listing.others_text()))


def _class_folders(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.dataset.class_decisions import ClassDecisions
    from npylabel.dataset.decisions import DECISIONS
    from npylabel.dataset.folders import class_source, scan_class_folders

    table = load_classes(places.classes_path(parameters["classes_path"]))
    if parameters["source_dir"] == DEMO:
        report.messages.append(_("The demo photos will be drawn in {path}.").format(path=places.demo().work_dir))
        return
    is_sorted = parameters["source_dir"] == SORTED
    world = places.world_of(parameters["dataset_dir"]) if is_sorted else places
    decided = ClassDecisions(table, world.path(DECISIONS))
    if count := sum(map(decided.is_example, decided.states)):
        report.messages.append(_("{count} sorted photos.").format(count=count))
    source = class_source(places, parameters["source_dir"], make=bool(parameters["make_folders"]))
    if source is None:
        return
    if parameters["make_folders"] and not source.exists():
        report.messages.append(_("Class folders will be made in {path}.").format(path=source))
        return
    scan = scan_class_folders(source, table)
    classes = {photo.class_id for photo in scan.photos}
    report.messages.append(_("{count} photos of {classes} classes in {path}.").format(
        count=len(scan.photos), classes=len(classes), path=source))


def _training(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.dataset.training_data import class_counts, load_training_data
    from npylabel.labeler.doubts import LabelCheck

    LabelCheck(parameters["folds"])
    world = places.world_of(parameters["data_path"])
    table = load_classes(world.classes_path(parameters["classes_path"]))
    data = load_training_data(world.path(parameters["data_path"]), table, val_fraction=parameters["val_fraction"],
                              random_seed=parameters["random_seed"])
    counts = class_counts(data.photos)
    report.messages.append(_("{count} photos of {classes} classes in {path}.").format(
        count=len(data.photos), classes=len(counts), path=world.path(parameters["data_path"])))


def _labeling(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.labeler.checkpoint import LABELER
    from npylabel.training.model_files import load_weights_file

    world = places.world_of(parameters["input_dir"])
    content = load_weights_file(world.path(parameters["model_path"]), LABELER)
    photos = _count(world.path(parameters["input_dir"]))
    report.messages.append(_("{count} files in {path}.").format(count=photos, path=world.path(parameters["input_dir"])))
    if "trained_ids" in content:
        report.messages.append(_("The model knows {classes} classes; epoch {epoch}, macro-F1 {f1}.").format(
            classes=len(content["trained_ids"]), epoch=content["epoch"],
            f1=content["metrics"].get("val_macro_f1", "-")))


def _dataset(report: StepReport, places: Places, parameters: dict) -> None:
    dataset = places.world_of(parameters["dataset_dir"]).path(parameters["dataset_dir"])
    for name in ("color", "bw", "labels"):
        report.messages.append(_("{count} files in {path}.").format(count=_count(dataset / name), path=dataset / name))


def _color_training(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.dataset.dataset_photos import NO_CLASS, load_dataset_photos

    world = places.world_of(parameters["dataset_dir"])
    table = load_classes(world.classes_path(parameters["classes_path"]))
    data = load_dataset_photos(
        world.path(parameters["dataset_dir"]), table, val_fraction=parameters["val_fraction"],
        test_fraction=parameters["test_fraction"], random_seed=parameters["random_seed"])
    labeled = sum(photo.class_id != NO_CLASS for photo in data.photos)
    report.messages.append(_("{count} photos in {path}, {labeled} of them with a label.").format(
        count=len(data.photos), path=world.path(parameters["dataset_dir"]), labeled=labeled))
    # The notebook colors old photos when it has trained: what is missing is said before the hour of training.
    if parameters.get("input_dir"):
        _old_photos(report, world, parameters)


def _coloring(report: StepReport, places: Places, parameters: dict) -> None:
    from npylabel.colorizer.model import load_colorizer

    world = places.world_of(parameters["model_path"])
    model = load_colorizer(world.path(parameters["model_path"]))
    report.messages.append(_("The colorizer knows {classes} classes; epoch {epoch}.").format(
        classes=len(model.class_ids), epoch=model.epoch))
    if parameters["input_dir"]:
        _old_photos(report, world, parameters)


def _old_photos(report: StepReport, world: Places, parameters: dict) -> None:
    from npylabel.colorizer.color_choices import refuse_unknown_classes
    from npylabel.colorizer.photo_labels import labels_folder
    from npylabel.photos.old_folders import are_drawn, old_photo_sources
    from npylabel.photos.sources import list_photos

    table = load_classes(world.classes_path(parameters["classes_path"]))
    refuse_unknown_classes(parameters.get("label", ""), table)
    if are_drawn(world, parameters["input_dir"]):
        report.messages.append(_("Old photos will be drawn in {path}.").format(
            path=world.path(parameters["input_dir"])))
        return
    roots = old_photo_sources(world, parameters["input_dir"])
    labels_folder(world, parameters.get("labels_dir", ""), roots)
    listing = list_photos(roots, exclude=[world.path(parameters["output_dir"])])
    report.messages.append(_("{count} old photos in {paths}.").format(
        count=len(listing.refs), paths=", ".join(map(str, roots))))


def _managing(report: StepReport, places: Places, parameters: dict) -> None:
    if parameters["action"] in (*LOOKING, BRING):
        text = _("{action}: changes nothing.")
    elif acts(parameters):
        text = _("{action}: what is listed will be done.")
    else:
        text = _("{action}: nothing will be changed, only listed.")
    report.messages.append(text.format(action=parameters["action"]))


def _count(folder: Path) -> int:
    return sum(1 for path in folder.iterdir() if path.is_file()) if folder.is_dir() else 0


_CHECKS: dict[str, Callable[[StepReport, Places, dict], None]] = {
    "manage": _managing, "collect_and_grayscale": _photos, "build_train_data": _class_folders, "train": _training,
    "auto_label": _labeling, "verify_tintora": _dataset,
    "train_colorizer": _color_training, "colorize": _coloring,
}
