"""Steps 03 to 05: a labeler is trained, photos get labels, and the dataset is verified."""

from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.base.trip import carried
from npylabel.dataset.decisions import DECISIONS, read_kept_labels
from npylabel.steps.work import finished, open_places, table_of


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
    places = open_places(work_dir, save_dir, language).world_of(data_path)
    table = table_of(places, classes_path)
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
    return finished(report, places)


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
    places = open_places(work_dir, save_dir, language).world_of(input_dir)
    table = table_of(places, classes_path)
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
    return finished(report, places)


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

    places = open_places(work_dir, save_dir, language).world_of(dataset_dir)
    table, dataset = table_of(places, classes_path), places.path(dataset_dir)
    export = ExportSettings(places.path(export_dir) if export_dir else None, export_zip, val_fraction, test_fraction,
                            random_seed)
    report, verification, advice = verify_step(
        dataset, table, size_px=size_px, repair=repair, workers=workers, export=export,
        decisions_dir=places.path(DECISIONS))
    report.files["verify.html"] = write_verify_page(dataset / "verify.html", verification, table, advice)
    return finished(report, places)
