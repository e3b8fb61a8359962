"""The thin core: one function per step, called by the notebooks and by the command line alike.

``python npylabel_core.py STEP --help`` tells the parameters of a step; they are the keywords of the functions below and
the forms of the notebooks. Heavy libraries are imported by the steps that need them.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.places import DEMO, SORTED, UPLOAD, Places, find_places, is_headless
from npylabel.base.report import StepReport
from npylabel.base.trip import bring, carried
from npylabel.dataset.decisions import DECISIONS, read_kept_labels
from npylabel.ui.cells import review_label_errors, review_labels, sort_photos  # noqa: F401 - notebooks call them
from npylabel.ui.command_line import run_command
from npylabel.ui.input_checks import check_parameters, check_step_inputs, checked


@carried
def collect_and_grayscale(
    *, photos_dir: str = DEMO, dataset_dir: str = "tintora_dataset", size_px: int = 512, fit: str = "crop",
    image_format: str = "png", workers: int = 0, demo_per_class: int = 8, work_dir: str = "",
    save_dir: str = "", language: str = "",
) -> StepReport:
    """Photos of any kind become squares in color and grayscale, under the same name.

    Args:
        photos_dir: folder or zip of photos, several with semicolons; "demo" draws some, "upload" asks the browser
        dataset_dir: where the dataset goes
        size_px: side of the squares in pixels
        fit: crop keeps the middle, pad keeps all between black bars, stretch keeps all and distorts
        image_format: png or jpg
        workers: processes, 0 for one per core
        demo_per_class: drawn photos per class
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    from npylabel.dataset.leave_out import settle_left_out
    from npylabel.photos.collect import collect_photos
    from npylabel.photos.portions import receive_uploads, release_uploads
    from npylabel.photos.sources import split_sources
    from npylabel.ui.sheets import contact_sheet, pair_tiles

    places = _start(work_dir, save_dir, language)
    if photos_dir == DEMO:
        from npylabel.labeler.demo_score import write_truth
        from npylabel.photos.demo import write_demo_photos

        places = places.made_demo()
        photos_dir = str(places.path("photos"))
        write_truth(places.work_dir, write_demo_photos(Path(photos_dir), photos_per_class=demo_per_class))
    asks_browser = photos_dir == UPLOAD
    if asks_browser:
        photos_dir = str(receive_uploads(places.uploads, headless=is_headless()))
    out = places.path(dataset_dir)
    left_out, moved = settle_left_out(places.path(DECISIONS), dataset_dir=out)
    report = collect_photos(
        [places.source(part) for part in split_sources(photos_dir)], out, size_px=size_px, fit=fit,
        image_format=image_format, workers=workers, made_from=_made_from(places), exclude=_results(places),
        left_out=left_out)
    report.messages += moved
    if asks_browser:
        release_uploads(places.uploads)
    names = sorted(path.name for path in (out / "color").iterdir())
    if names:
        report.pictures[_("Color and grayscale")] = contact_sheet(pair_tiles(out, names), out / "contact_sheet.jpg")
    return _finish(report, places)


@carried
def build_train_data(
    *, source_dir: str = DEMO, dataset_dir: str = "tintora_dataset", data_path: str = "train_data",
    classes_path: str = "classes.json", make_folders: str = "", size_px: int = 512, fit: str = "crop",
    val_fraction: float = 0.15, random_seed: int = 42, workers: int = 0, demo_per_class: int = 40, work_dir: str = "",
    save_dir: str = "", language: str = "",
) -> StepReport:
    """Photos in folders named by class become training data with a split that does not leak.

    Args:
        source_dir: your folder (or zip) of class folders; "sorted" takes only sorted photos, "demo" draws some
        dataset_dir: the dataset of step 01; its photos that were sorted into classes are taken in, too
        data_path: where the training data goes
        classes_path: the class table
        make_folders: class names separated by commas, or all: makes empty class folders in source_dir
        size_px: side of the squares in pixels
        fit: crop, pad or stretch
        val_fraction: share of each class for validation
        random_seed: another seed, another split
        workers: processes, 0 for one per core
        demo_per_class: drawn photos per class
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    from npylabel.dataset.build import build_training_data
    from npylabel.dataset.folders import class_source
    from npylabel.dataset.training_data import SPLIT
    from npylabel.ui.sheets import class_tiles, contact_sheet

    places = _start(work_dir, save_dir, language)
    if source_dir == DEMO:
        from npylabel.photos.demo import write_demo_classes

        places = places.made_demo()
        source_dir = str(places.path("class_photos"))
        write_demo_classes(Path(source_dir), photos_per_class=demo_per_class)
    places = places.world_of(dataset_dir) if source_dir == SORTED else places
    source, out = class_source(places, source_dir, make=bool(make_folders)), places.path(data_path)
    report = build_training_data(
        source, out, _table(places, classes_path), size_px=size_px, fit=fit, val_fraction=val_fraction,
        random_seed=random_seed, make_folders=make_folders, workers=workers, made_from=_made_from(places),
        exclude=_results(places), dataset_dir=places.path(dataset_dir), decisions_dir=places.path(DECISIONS))
    if (out / SPLIT).is_file():
        report.pictures[_("One photo of each class")] = contact_sheet(class_tiles(out), out / "contact_sheet.jpg")
    return _finish(report, places)


@carried
def train(
    *, data_path: str = "train_data", save_path: str = "models/tiny_cnn.pth", classes_path: str = "classes.json",
    test_dir: str = "", network: str = "resnet10", depth: int = 0, input_px: int = 0, epochs: int = 40,
    batch_size: int = 64, minutes: float = 0, patience: int = 0, fill_to: int = 0, resume: bool = True,
    device: str = "auto", devices: int = 1, tracker: str = "csv", val_fraction: float = 0.15, folds: int = 0,
    random_seed: int = 42, work_dir: str = "", save_dir: str = "", language: str = "",
) -> StepReport:
    """Train a labeler from scratch on your own photos; a killed run goes on where it stopped.

    Args:
        data_path: folder of class folders, from step 02 or made by hand
        save_path: the model file
        classes_path: the class table
        test_dir: class folders for an honest score, never trained or tuned on
        network: resnet10; or smallresnet (quicker), minicnn (the original), simpsonsnet, or one of torchvision's
        depth: 0 is the network's own; a number of convolutions, or for the residual networks of blocks per stage
        input_px: side of the pictures that the network sees; 0 is the network's own
        epochs: how often all photos are seen; a finished run goes on when more are asked
        batch_size: photos per step, over all devices
        minutes: above 0 it replaces epochs - train for so long
        patience: stop after so many epochs without a better macro-F1; 0 is never
        fill_to: views that each class has in an epoch at least; 0 is as many as the largest has, 1 is no filling
        resume: go on with the run that is there
        device: auto, cpu, cuda or mps
        devices: number of GPUs (or processes) that train together
        tracker: csv (the history only), tensorboard or wandb (offline)
        val_fraction: for a folder without split.csv
        folds: 2 to 10 also looks for wrong labels, with so many more small networks; 0 does not
        random_seed: of the first weights, the order and the augmentation
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = _start(work_dir, save_dir, language).world_of(data_path)
    table = _table(places, classes_path)
    from npylabel.labeler.doubts import LABEL_ERRORS, LabelCheck
    from npylabel.labeler.train import train_labeler
    from npylabel.training.run_files import RunFiles
    from npylabel.training.settings import TrainSettings
    from npylabel.ui.doubt_sheet import doubt_pictures
    from npylabel.ui.training_pictures import training_pictures

    settings = TrainSettings(network, depth, input_px, epochs, batch_size, minutes, device, random_seed, patience,
                             fill_to, tracker, devices)
    report = train_labeler(
        places.path(data_path), places.path(save_path), table, settings,
        test_dir=places.source(test_dir) if test_dir else None, resume=resume, val_fraction=val_fraction,
        check=LabelCheck(folds, read_kept_labels(places.work_dir) if folds else {}))
    files = RunFiles(places.path(save_path))
    report.pictures |= training_pictures(files, places.path(data_path), table.names)
    if folds:
        report.pictures |= doubt_pictures(files.beside(LABEL_ERRORS), places.path(data_path))
    return _finish(report, places)


@carried
def auto_label(
    *, input_dir: str = "tintora_dataset/color", output_dir: str = "tintora_dataset/labels",
    model_path: str = "models/tiny_cnn.pth", classes_path: str = "classes.json", threshold: float = 0.5,
    batch_size: int = 64, overwrite: bool = False, legacy_order: str = "", device: str = "auto", work_dir: str = "",
    save_dir: str = "", language: str = "",
) -> StepReport:
    """Give every photo a label file with its class id; unsure ones get the unknown class.

    Args:
        input_dir: folder of .jpg, .jpeg or .png photos of any size
        output_dir: where the .npy files go; labels.csv goes beside it
        model_path: the model of step 03, or weights of the original MiniCNN
        classes_path: the class table
        threshold: below this confidence a photo gets the unknown class
        batch_size: photos decoded at a time; changes no label
        overwrite: label all photos again, but never one that a person decided
        legacy_order: for original weights - the folder they were trained on, or its sorted folder names
        device: auto, cpu, cuda or mps
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = _start(work_dir, save_dir, language).world_of(input_dir)
    table = _table(places, classes_path)
    from npylabel.dataset.layout import TRAIN_DATA
    from npylabel.labeler.demo_score import demo_score
    from npylabel.labeler.label import label_photos
    from npylabel.ui.sheets import contact_sheet, label_tiles

    order = places.source(legacy_order)
    source, out = places.path(input_dir), places.path(output_dir)
    report = label_photos(
        source, out, places.path(model_path), table, threshold=threshold, batch_size=batch_size, overwrite=overwrite,
        legacy_order=str(order) if legacy_order and order.is_dir() else legacy_order, device=device,
        data_path=places.path(TRAIN_DATA), decisions_dir=places.path(DECISIONS))
    report.measured |= demo_score(places.work_dir, out, table)
    report.pictures[_("Labels")] = contact_sheet(label_tiles(source, out), out.parent / "labels_sheet.jpg")
    return _finish(report, places)


@carried
def verify_tintora(
    *, dataset_dir: str = "tintora_dataset", classes_path: str = "classes.json", size_px: int = 0,
    export_dir: str = "", export_zip: bool = False, val_fraction: float = 0.15, test_fraction: float = 0.1,
    repair: bool = False, random_seed: int = 42, workers: int = 0, work_dir: str = "", save_dir: str = "",
    language: str = "",
) -> StepReport:
    """Check every triplet of the dataset; repair and export it on request.

    Args:
        dataset_dir: holds bw, color and labels
        classes_path: the class table
        size_px: side that the pictures must have; 0 is the one that step 01 made, or 512
        export_dir: where the second layout (data/train, val, test) goes; empty for none
        export_zip: also make a zip of the export, for download
        val_fraction: share of the export for validation
        test_fraction: share of the export for the test
        repair: mend what can be mended without asking, then check again
        random_seed: of the export's split
        workers: processes, 0 for one per core
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    from npylabel.dataset.step import ExportSettings, verify_step
    from npylabel.ui.verify_page import write_verify_page

    places = _start(work_dir, save_dir, language).world_of(dataset_dir)
    table, dataset = _table(places, classes_path), places.path(dataset_dir)
    export = ExportSettings(places.path(export_dir) if export_dir else None, export_zip, val_fraction, test_fraction,
                            random_seed)
    report, verification, advice = verify_step(
        dataset, table, size_px=size_px, repair=repair, workers=workers, export=export,
        decisions_dir=places.path(DECISIONS))
    report.files["verify.html"] = write_verify_page(dataset / "verify.html", verification, table, advice)
    return _finish(report, places)


@checked
@carried
def manage(
    *, action: str = "plan", value: str = "", confirm: bool = False, dataset_dir: str = "tintora_dataset",
    data_path: str = "train_data", save_path: str = "models/tiny_cnn.pth", classes_path: str = "classes.json",
    work_dir: str = "", save_dir: str = "", language: str = "",
) -> StepReport:
    """Plan the work and look after it: what would change is listed first, and done with confirm.

    Args:
        action: plan, doctor, leave_out, take_back, keep_label, assign, label, clear, classes, reset, free or bring
        value: what to act on - photos for plan, names of photos, "old > new; + added" for classes, a step, or parts
        confirm: do what is listed
        dataset_dir: holds bw, color and labels
        data_path: the training data
        save_path: the model file
        classes_path: the class table
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    from npylabel.care.manage import manage_work

    return manage_work(
        _start(work_dir, save_dir, language), action, value, confirm=confirm, dataset_dir=dataset_dir,
        data_path=data_path, save_path=save_path, classes_path=classes_path)


@carried
def status(*, work_dir: str = "", save_dir: str = "", language: str = "") -> StepReport:
    """Say what is done, what comes next, and where everything is saved.

    Args:
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = _start(work_dir, save_dir, language)
    from npylabel.care.status import describe_status

    return describe_status(places)


def setup(*, work_dir: str = "", save_dir: str = "", language: str = "") -> StepReport:
    """Prepare a notebook: install what is missing, say what machine this is and what is done so far."""
    from npylabel.base.runtime import drive_hint, gpu_hint, install_missing

    choose_language(language)
    install_missing()
    report = status(work_dir=work_dir, save_dir=save_dir, language=language)
    report.messages[:0] = [hint for hint in (gpu_hint(), drive_hint()) if hint]
    return report


def check_inputs(
    step: str, *, work_dir: str = "", save_dir: str = "", language: str = "", **parameters: object
) -> StepReport:
    """Say what a step will find, before it runs; ``parameters`` are those of the step."""
    places = _start(work_dir, save_dir, language)
    check_parameters(step, parameters)
    bring(places, parameters)
    return check_step_inputs(step, places, parameters)


STEPS: dict[str, Callable[..., StepReport]] = {
    "manage": manage, "collect_and_grayscale": collect_and_grayscale, "build_train_data": build_train_data,
    "train": train, "auto_label": auto_label, "verify_tintora": verify_tintora,
}


def _start(work_dir: str, save_dir: str, language: str) -> Places:
    choose_language(language)
    return find_places(work_dir, save_dir)


def _table(places: Places, classes_path: str) -> ClassTable:
    return load_classes(places.classes_path(classes_path))


def _results(places: Places) -> list[Path]:
    """Folders of results that may lie below the user's photos and are none of them."""
    names = ("runs", "models", "left_out", "set_aside", "decisions", "conflicts")
    kept = [places.save_dir / name for name in ("saved", "results")] if places.save_dir else []
    return [*map(places.path, names), *kept, *([] if places.is_demo else [places.demo().work_dir])]


def _made_from(places: Places) -> str:
    return "demo" if places.is_demo else "own"


def _finish(report: StepReport, places: Places) -> StepReport:
    if places.is_demo:
        report.messages.insert(0, _("These are the drawn demo photos, in {path}.").format(path=places.work_dir))
    return report


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 the result has faults, 2 wrong input."""
    return run_command({**STEPS, "status": status}, arguments)


if __name__ == "__main__":
    sys.exit(main())
