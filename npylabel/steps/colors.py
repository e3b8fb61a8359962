"""Step 06: a colorizer is trained on the finished dataset, and old photos get their colors."""

from collections.abc import Callable

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.trip import carried
from npylabel.dataset.decisions import DECISIONS
from npylabel.photos.old_folders import OLD_PHOTOS, are_drawn, old_photo_sources
from npylabel.steps.work import finished, made_from, open_places, result_folders, table_of


@carried
def train_colorizer(
    *, dataset_dir: str = "tintora_dataset", save_path: str = "models/colorizer.pth",
    classes_path: str = "classes.json", network: str = "joint_light", input_px: int = 224, epochs: int = 40,
    batch_size: int = 32, minutes: float = 0, patience: int = 0, color_loss: str = "mse", class_weight: float = 0,
    colorfulness_weight: float = 0, label_dropout: float = 0.5, resume: bool = True, device: str = "auto",
    devices: int = 1, tracker: str = "csv", val_fraction: float = 0.15, test_fraction: float = 0.1,
    labeler_path: str = "models/tiny_cnn.pth", random_seed: int = 42, work_dir: str = "", save_dir: str = "",
    language: str = "",
) -> StepReport:
    """Train a colorizer from scratch on your own dataset: one network that names what it sees, and colors it.

    Args:
        dataset_dir: holds color and labels
        save_path: the model file
        classes_path: the class table
        network: joint_light; or joint (larger, half as quick)
        input_px: side of the pictures that the network sees, a multiple of 32
        epochs: how often all photos are seen; a finished run goes on when more are asked
        batch_size: photos per step, over all devices
        minutes: above 0 it replaces epochs - train for so long
        patience: stop after so many epochs without smaller errors; 0 is never
        color_loss: mse (the smallest errors), l1, huber, or bins (choose among colors - bolder ones)
        class_weight: of naming beside coloring; 0 is what suits the loss
        colorfulness_weight: above 0 the photos are pulled to be as colorful as the true ones
        label_dropout: share of the photos whose label is not told, so that the network also colors without labels
        resume: go on with the run that is there; other photos or choices begin anew (old model: models/archive)
        device: auto, cpu, cuda or mps
        devices: number of GPUs (or processes) that train together
        tracker: csv (the history only), tensorboard or wandb (offline)
        val_fraction: share of the dataset to choose the best epoch by, the same as in step 05
        test_fraction: share of the dataset for the scores at the end, the same as in step 05
        labeler_path: the model of step 03, which says at the end how well it knows the colored photos; empty for none
        random_seed: of the split, the first weights, the order and the views
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = open_places(work_dir, save_dir, language).world_of(dataset_dir)
    table = table_of(places, classes_path)
    from npylabel.colorizer.recipe import color_recipe
    from npylabel.colorizer.train import train_on_dataset
    from npylabel.dataset.dataset_photos import load_dataset_photos
    from npylabel.training.run_files import RunFiles
    from npylabel.training.settings import TrainSettings
    from npylabel.ui.color_pictures import color_pictures
    from npylabel.ui.live_picture import LivePicture

    settings = TrainSettings(network, 0, input_px, epochs, batch_size, minutes, device, random_seed, patience,
                             tracker=tracker, devices=devices)
    recipe = color_recipe(color_loss, class_weight, colorfulness_weight, label_dropout)
    data = load_dataset_photos(places.path(dataset_dir), table, val_fraction=val_fraction, test_fraction=test_fraction,
                               random_seed=random_seed)
    report = train_on_dataset(data, places.path(save_path), table, settings, recipe, resume=resume,
                              watch=LivePicture(), namer=_namer(places, labeler_path, device))
    report.pictures |= color_pictures(RunFiles(places.path(save_path)))
    return finished(report, places)


@carried
def colorize(
    *, input_dir: str = OLD_PHOTOS, output_dir: str = "colorized", model_path: str = "models/colorizer.pth",
    classes_path: str = "classes.json", label: str = "", labels_dir: str = "", threshold: float = 0.5,
    saturation: float = 1.0, image_format: str = "jpg", recolor: bool = False, device: str = "auto",
    work_dir: str = "", save_dir: str = "", language: str = "",
) -> StepReport:
    """Color a folder of old photos at their full size, each as what it shows; nothing is overwritten.

    Args:
        input_dir: folder or zip of old photos, several with semicolons; empty colors nothing
        output_dir: where the colored photos and the page before_after.html go
        model_path: the colorizer
        classes_path: the class table
        label: what all photos show, a class; or only some of them, "трава: scan_01; scan_2* | небо: scan_30"
        labels_dir: label files of the photos; empty takes the folder labels beside input_dir, else the network names
        threshold: what the network is less sure of counts as nothing known
        saturation: how strong the colors are - 0 is gray, 1 as the network says, up to 3
        image_format: jpg or png
        recolor: color photos that have colors of their own, too
        device: auto, cpu, cuda or mps
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = open_places(work_dir, save_dir, language).world_of(model_path)
    if not input_dir:
        return _nothing_to_color(places)
    table = table_of(places, classes_path)
    from npylabel.colorizer.colorize import colorize_photos
    from npylabel.colorizer.model import load_colorizer
    from npylabel.colorizer.network_painter import NetworkPainter
    from npylabel.colorizer.photo_labels import labels_folder
    from npylabel.photos.demo import write_demo_old_photos
    from npylabel.training.devices import pick_device
    from npylabel.training.model_files import refuse_other_world
    from npylabel.ui.before_after import show_before_after

    model = load_colorizer(places.path(model_path))
    refuse_other_world(model, made_from(places))
    painter = NetworkPainter(model, pick_device(device))
    if are_drawn(places, input_dir):
        write_demo_old_photos(places.path(input_dir))
    sources, out = old_photo_sources(places, input_dir), places.path(output_dir)
    report = colorize_photos(
        sources, out, painter, table, label=label, threshold=threshold, saturation=saturation,
        image_format=image_format, recolor=recolor, exclude=result_folders(places),
        decisions_dir=places.path(DECISIONS),
        labels_dir=labels_folder(places, labels_dir, sources))
    show_before_after(report, out, sources, result_folders(places))
    return finished(report, places)


def _nothing_to_color(places: Places) -> StepReport:
    report = StepReport("colorize", facts={"photos": 0, "colored": 0})
    report.messages.append(_("input_dir is empty: nothing was colored."))
    return finished(report, places)


def _namer(places: Places, labeler_path: str, device: str) -> Callable | None:
    """What names photos by the user's own labeler; None where there is none that photos can be compared by."""
    path = places.path(labeler_path)
    if not labeler_path or not path.is_file():
        return None
    from npylabel.labeler.checkpoint import load_checkpoint
    from npylabel.labeler.predict import Predictor
    from npylabel.training.devices import pick_device

    try:
        predictor = Predictor(load_checkpoint(path), pick_device(device))
    except NpyLabelError as error:
        # Only the scores at the end are told without it.
        print(_("The labeler is not asked about the colored photos: {reason}").format(reason=error), flush=True)
        return None
    return predictor.named if predictor.has_features else None
