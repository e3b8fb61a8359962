"""Start a step over: its results go, and nothing that a person decided or that cannot be made again."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from npylabel.base.classes import load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.care.color_results import colorizer_files, colorizer_results, labeler_files
from npylabel.care.known_files import remove_found
from npylabel.care.originals import Originals
from npylabel.care.step_results import (
    Results,
    label_results,
    model_results,
    photo_results,
    training_results,
    verify_results,
)
from npylabel.dataset.aside import Counterpart, move_files
from npylabel.dataset.layout import COLORIZED, DATASET, MODEL, TRAIN_DATA
from npylabel.photos.book import disk_faults
from npylabel.photos.preflight import size_text
from npylabel.photos.sources import split_sources

SET_ASIDE = "set_aside"
STEPS = {"01": "collect_and_grayscale", "02": "build_train_data", "03": "train", "04": "auto_label",
         "05": "verify_tintora", "06": "train_colorizer"}
# What is made from a step's results; "06" only where there is a colorizer.
_LATER = {"01": ("04", "05", "06"), "02": ("03", "04", "05", "06"), "03": ("04", "05", "06"), "04": ("05", "06"),
          "05": (), "06": ()}
_SHOWN = 10


def start_over(
    places: Places, value: str, *, confirm: bool = False, dataset_dir: str = DATASET, data_path: str = TRAIN_DATA,
    save_path: str = MODEL, classes_path: str = "classes.json",
) -> StepReport:
    """The report on the results of one step, which go when ``confirm`` is set; the step then begins from nothing.

    Results that cannot be made again as they are (their originals are not at the places that are known, or somebody
    changed them) are moved to ``set_aside/`` under the same relative paths. What a person decided stays: labels given
    by hand, photos moved between class folders, photos left out. Tables are written last: as long as a row stands, a
    second run after a kill knows whose a file is.

    Args:
        places: the work folder.
        value: "01" to "06" or the name of the step; behind it, separated by semicolons, folders and zips in which
            originals are looked for beside the usual places.
        confirm: do it; without it the report says what would be done and nothing is changed.
        dataset_dir: of steps 01, 04 and 05.
        data_path: of step 02.
        save_path: of step 03. The files of step 06 are looked for at their usual places.
        classes_path: the class table, by which step 02's folders are read.

    Raises:
        NpyLabelError: ``bad_parameter``, ``manifest_damaged``, ``split_damaged``, ``disk_full``, ``disk_fault``,
            ``table_damaged``, and those of ``load_classes``.
    """
    number, given = split_value(value)
    dataset, data, model = (places.path(name) for name in (dataset_dir, data_path, save_path))
    homes = [places.work_dir, *([places.save_dir] if places.save_dir else [])]
    near = [folder for home in homes for folder in (home, home.parent)]
    originals = Originals([places.source(part) for part in given], near)
    results = {
        "01": lambda: photo_results(dataset, originals), "02": lambda: training_results(
            data, originals, load_classes(places.classes_path(classes_path))),
        "03": lambda: model_results(labeler_files(places, model)), "04": lambda: label_results(dataset / "labels"),
        "05": lambda: verify_results(dataset, places.work_dir),
        "06": lambda: colorizer_results(colorizer_files(places), places.path(COLORIZED)),
    }[number]()
    report = _describe(number, results, places, confirm=confirm)
    if confirm:
        with disk_faults(places.work_dir):
            remove_results(places.work_dir, results)
    return report


def split_value(value: str) -> tuple[str, list[str]]:
    """(number of the step, where originals are looked for beside the usual places).

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    step, *given = split_sources(value) or [""]
    return step_number(step), given


def step_number(step: str) -> str:
    """The number of a step, "01" to "06", from its number or name.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    text = step.strip().casefold()
    number = next((number for number, name in STEPS.items()
                   if text in (number, number.lstrip("0"), name, f"{number}_{name}")), "")
    if not number:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="value", value=step),
                            _("Use one of: {allowed}.").format(allowed=", ".join([*STEPS, *STEPS.values()])))
    return number


def remove_results(work_dir: Path, results: Results) -> None:
    """Move aside what cannot be made again, remove the rest, and write the tables at the end."""
    mirror = Counterpart.of(work_dir, results.root, SET_ASIDE)
    results.keep_rows(mirror.aside)
    move_files([(path, mirror.partner(path)) for path in results.aside])
    remove_found(results.found)
    results.settle()


def folder_lines(work_dir: Path, paths: Sequence[Path]) -> list[str]:
    """One line for each folder with the number and size of its files."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for path in paths:
        inside = path.parent.relative_to(work_dir) if path.is_relative_to(work_dir) else path.parent
        sizes[inside.as_posix()].append(path.lstat().st_size)
    return [_("{folder}: {count} files, {size}").format(folder=folder, count=len(found), size=size_text(sum(found)))
            for folder, found in sorted(sizes.items())]


def name_files(work_dir: Path, paths: Sequence[Path]) -> str:
    """The first files of a list by their paths in the work folder."""
    names = [(path.relative_to(work_dir) if path.is_relative_to(work_dir) else path).as_posix() for path in paths]
    return ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")


def _describe(number: str, results: Results, places: Places, *, confirm: bool) -> StepReport:
    report, found, work_dir = StepReport("manage"), results.found, places.work_dir
    has_colorizer = colorizer_files(places).save_path.is_file()
    later = [step for step in _LATER[number] if step != "06" or has_colorizer]
    report.facts |= {
        "reset": number, "done": confirm, "removed": len(found.ours),
        "set_aside": len(results.aside), "kept_by_person": len(results.by_person), "others": len(found.others),
        "originals_not_found": len(results.not_found), "later": later,
    }
    report.measured["size"] = size_text(sum(path.lstat().st_size for path in found.ours))
    report.messages += [_("To remove: {line}").format(line=line) for line in folder_lines(work_dir, found.ours)]
    if number in ("03", "06") and found.ours:
        report.messages.append(_("This model cannot be made again just as it is: training gives another one. "
                                 "Earlier models in the archive stay."))
    if results.not_found:
        report.messages.append(_("The originals of {count} photos were not found: {names}. What was made of them is "
                                 "not removed, it goes to {folder}. Where they lie can be said behind the step: "
                                 'value="{number}; folder of the photos".').format(
            count=len(results.not_found), names=", ".join(results.not_found[:5]), folder=SET_ASIDE, number=number))
    if results.aside:
        report.messages.append(_("To move to {folder}, because they cannot be made again as they are: {names}").format(
            folder=SET_ASIDE, names=name_files(work_dir, results.aside)))
        if places.save_dir:
            report.messages.append(_("What is moved there is saved again as new files: {size}.").format(
                size=size_text(sum(path.lstat().st_size for path in results.aside))))
    if results.by_person:
        report.messages.append(_("What a person decided stays: {names}").format(
            names=name_files(work_dir, results.by_person)))
    if found.others:
        report.messages.append(_("Files that no step made stay: {names}").format(
            names=name_files(work_dir, found.others)))
    if later:
        report.messages.append(_("Steps to run again afterwards: {steps}.").format(steps=", ".join((number, *later))))
    if "06" in later:
        report.messages.append(_("Your colorizer stays and colors as before. Notebook 06 trains another one where "
                                 "photos or labels are others then, and moves this one to its archive."))
    report.next_step = _("Done. Run notebook {number}.").format(number=number) if confirm else _(
        "Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")
    return report
