"""Steps 01 and 02: photos become squares and training data."""

from pathlib import Path

from npylabel.base.i18n import _
from npylabel.base.places import DEMO, SORTED, UPLOAD, is_headless
from npylabel.base.report import StepReport
from npylabel.base.trip import carried
from npylabel.dataset.decisions import DECISIONS
from npylabel.steps.work import finished, made_from, open_places, result_folders, table_of


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

    places = open_places(work_dir, save_dir, language)
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
        image_format=image_format, workers=workers, made_from=made_from(places), exclude=result_folders(places),
        left_out=left_out)
    report.messages += moved
    if asks_browser:
        release_uploads(places.uploads)
    names = sorted(path.name for path in (out / "color").iterdir())
    if names:
        report.pictures[_("Color and grayscale")] = contact_sheet(pair_tiles(out, names), out / "contact_sheet.jpg")
    return finished(report, places)


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

    places = open_places(work_dir, save_dir, language)
    if source_dir == DEMO:
        from npylabel.photos.demo import write_demo_classes

        places = places.made_demo()
        source_dir = str(places.path("class_photos"))
        write_demo_classes(Path(source_dir), photos_per_class=demo_per_class)
    places = places.world_of(dataset_dir) if source_dir == SORTED else places
    source, out = class_source(places, source_dir, make=bool(make_folders)), places.path(data_path)
    report = build_training_data(
        source, out, table_of(places, classes_path), size_px=size_px, fit=fit, val_fraction=val_fraction,
        random_seed=random_seed, make_folders=make_folders, workers=workers, made_from=made_from(places),
        exclude=result_folders(places), dataset_dir=places.path(dataset_dir), decisions_dir=places.path(DECISIONS))
    if (out / SPLIT).is_file():
        report.pictures[_("One photo of each class")] = contact_sheet(class_tiles(out), out / "contact_sheet.jpg")
    return finished(report, places)
