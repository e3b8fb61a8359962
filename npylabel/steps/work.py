"""What all steps begin and end with: where they work, the class table, and which photos they are about."""

from pathlib import Path

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.places import Places, find_places
from npylabel.base.report import StepReport


def open_places(work_dir: str, save_dir: str, language: str) -> Places:
    """The places of a step, which speaks the language from now on."""
    choose_language(language)
    return find_places(work_dir, save_dir)


def table_of(places: Places, classes_path: str) -> ClassTable:
    """The class table of a step."""
    return load_classes(places.classes_path(classes_path))


def result_folders(places: Places) -> list[Path]:
    """Folders of results that may lie below the user's photos and are none of them."""
    names = ("runs", "models", "left_out", "set_aside", "decisions", "conflicts")
    kept = [places.save_dir / name for name in ("saved", "results")] if places.save_dir else []
    return [*map(places.path, names), *kept, *([] if places.is_demo else [places.demo().work_dir])]


def made_from(places: Places) -> str:
    """What the photos of a step are: "demo" or "own"."""
    return "demo" if places.is_demo else "own"


def finished(report: StepReport, places: Places) -> StepReport:
    """The report of a step, which says where it is about drawn photos."""
    if places.is_demo:
        report.messages.insert(0, _("These are the drawn demo photos, in {path}.").format(path=places.work_dir))
    return report
