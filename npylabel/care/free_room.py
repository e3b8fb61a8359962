"""Make room in the work folder: only files that a step made; what cannot be made again goes only when it is named."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from npylabel.base.classes import read_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX
from npylabel.base.i18n import _
from npylabel.base.places import DEMO, DEMO_MARK, Places
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.care.color_results import colorizer_files, colorizer_results, labeler_files
from npylabel.care.known_files import (
    Found,
    files_below,
    find_archive,
    find_export,
    find_exports,
    find_runs,
    remove_found,
)
from npylabel.care.originals import Originals
from npylabel.care.start_over import SET_ASIDE, name_files
from npylabel.care.step_results import (
    Results,
    label_results,
    model_results,
    photo_results,
    training_results,
    verify_results,
)
from npylabel.dataset.aside import LEFT_OUT_DIR, Counterpart
from npylabel.dataset.aside_training import place_aside
from npylabel.dataset.labels import REPLACED
from npylabel.dataset.layout import COLORIZED, DATASET, MODEL, TRAIN_DATA
from npylabel.dataset.pixel_cache import cached_files, pixel_folder, remove_pixel_cache
from npylabel.dataset.training_data import SPLIT
from npylabel.labeler.demo_score import TRUTH
from npylabel.photos.book import disk_faults
from npylabel.photos.old_folders import OLD_PHOTOS
from npylabel.photos.preflight import size_text
from npylabel.photos.sources import split_sources

_DRAWN = b"npylabel demo photos (drawn by code)"
# "all" leaves these: they are the only copies of what they hold.
ON_DEMAND = ("archive", "replaced_labels", LEFT_OUT_DIR, SET_ASIDE)
PIXELS = "pixels"
PARTS = ("runs", "checkpoints", "export", "demo", "leftovers", PIXELS, *ON_DEMAND)


def free_room(
    places: Places, what: str = "", *, confirm: bool = False, dataset_dir: str = DATASET, data_path: str = TRAIN_DATA,
    save_path: str = MODEL,
) -> StepReport:
    """The report on what can go from the work folder; with ``confirm`` the named parts go.

    Only files that are known to be made by a step are removed; a foreign one among them stays and is named. The cache
    of decoded photos lies outside of the work folder and serves all work folders of the user.

    Args:
        places: the work folder.
        what: parts separated by semicolons, or "all" (all but ``ON_DEMAND``); "" only lists them.
        confirm: do it; without it nothing is changed.
        dataset_dir: the dataset.
        data_path: the training data.
        save_path: the model of step 03. The files of step 06 are looked for at their usual places.

    Raises:
        NpyLabelError: ``bad_parameter``, ``manifest_damaged``, ``split_damaged``, ``table_damaged``, ``disk_fault``.
    """
    chosen = choose_parts(what)
    room = _Room(places, places.path(dataset_dir), places.path(data_path), places.path(save_path))
    found = {part: room.find(part) for part in PARTS}
    report = StepReport("manage")
    _describe(report, room, found, chosen, confirm)
    if confirm:
        with disk_faults(places.work_dir):
            for part in chosen:
                room.remove(part, found[part])
    report.messages += _what_stays(places.work_dir, set() if confirm else {
        path for part in chosen for path in found[part].ours})
    return report


def choose_parts(what: str) -> list[str]:
    """The parts that a text names.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    names = [name.casefold() for name in split_sources(what)]
    unknown = [name for name in names if name not in (*PARTS, "all")]
    if unknown:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="value", value=unknown[0]),
                            _("Use one of: {allowed}.").format(allowed=", ".join(["all", *PARTS])))
    return [part for part in PARTS if part in names or ("all" in names and part not in ON_DEMAND)]


def how_remade(part: str) -> str:
    """How a part comes again, translated.

    Raises:
        KeyError: for a part that is not in ``PARTS``.
    """
    return {
        "runs": _("executed notebooks except the last ones; the command run makes new ones"),
        "archive": _("earlier models; they do not come back, training makes other ones"),
        "checkpoints": _("models of every fifth epoch; the best, the last and the state to go on from stay"),
        "export": _("the second layout and its zip; notebook 05 makes them again"),
        "demo": _("all of the demo; the notebooks draw it again"),
        "replaced_labels": _("labels of unknown origin that step 04 replaced; they do not come back"),
        "leftovers": _("half-written files of killed runs; nobody needs them (make sure that nothing is running)"),
        PIXELS: _("decoded photos of all work folders, in {path}; training makes them again").format(
            path=pixel_folder() or "-"),
        LEFT_OUT_DIR: _("pictures of photos that you left out; without them they come back only where step 01 finds "
                        "their originals"),
        SET_ASIDE: _("what could not be made again when a step was reset; it does not come back"),
    }[part]


class _Room:
    """What lies in a work folder, by part."""

    def __init__(self, places: Places, dataset_dir: Path, data_path: Path, save_path: Path) -> None:
        self.places, self.work_dir = places, places.work_dir
        self.dataset, self.data = dataset_dir, data_path
        labeler, colorizer = labeler_files(places, save_path), colorizer_files(places)
        self.models = list(dict.fromkeys([labeler, colorizer]))

    def find(self, part: str) -> Found:
        """The files of a part."""
        finders: dict[str, Callable[[], Found]] = {
            "runs": lambda: find_runs(self.work_dir / "runs", keep_last=True),
            "archive": lambda: find_archive(self.models),
            "checkpoints": self._checkpoints, "export": self._exports, "demo": self._demo,
            "replaced_labels": self._replaced, "leftovers": self._leftovers, PIXELS: lambda: Found(cached_files()),
            LEFT_OUT_DIR: self._left_out,
            SET_ASIDE: lambda: Found(files_below(self.work_dir / SET_ASIDE), [], _folders(self.work_dir / SET_ASIDE)),
        }
        return finders[part]()

    def remove(self, part: str, found: Found) -> None:
        """Remove a part."""
        if part == DEMO:
            self._remove_demo(found)
        elif part == PIXELS:
            remove_pixel_cache()
        else:
            remove_found(found)

    def _remove_demo(self, found: Found) -> None:
        """Remove what was found of the demo; tables that a person's decisions stay in are written without the rest."""
        listed = set(found.ours)
        for results in self._demo_results() if found.ours else ():
            remove_found(Found([path for path in results.found.ours if path in listed], [], results.found.folders))
            results.settle()
        remove_found(found)

    def _checkpoints(self) -> Found:
        return Found([path for files in self.models for path in files.epochs() if path in files.existing()])

    def _exports(self) -> Found:
        found = Found()
        for folder in find_exports(self.work_dir):
            found += find_export(folder, self.dataset)
        return found

    def _replaced(self) -> Found:
        folder = self.dataset / REPLACED
        files = files_below(folder)
        ours = [path for path in files if path.suffix == ".npy" and path.parent == folder]
        return Found(ours, [path for path in files if path not in ours], [folder])

    def _leftovers(self) -> Found:
        return Found([path for path in files_below(self.work_dir) if path.name.startswith(TEMP_PREFIX)])

    def _left_out(self) -> Found:
        """The pictures; tables and labels are small and hold what a person decided. What was laid by hand stays."""
        mirror = Counterpart.of(self.work_dir, self.data)
        listed = {mirror.aside / place_aside(row) for row in read_csv(mirror.aside / SPLIT) if row.get("path")}
        files = [path for path in files_below(self.work_dir / LEFT_OUT_DIR) if path.suffix in (".png", ".jpg")]
        dataset = Counterpart.of(self.work_dir, self.dataset).aside
        ours = [path for path in files if path in listed or path.parent in (dataset / "color", dataset / "bw")]
        return Found(ours, [path for path in files if path not in ours], [*_folders(mirror.aside)])

    def _demo_results(self) -> list[Results]:
        demo = self.places.demo()
        # Also in the middle of a change of the classes: that may wait for room.
        table = read_classes(demo.classes_path("classes.json"))
        originals = Originals([demo.path("photos"), demo.path("class_photos")])
        return [verify_results(demo.path(DATASET), demo.work_dir), label_results(demo.path(DATASET) / "labels"),
                model_results(labeler_files(demo, demo.path(MODEL))),
                colorizer_results(colorizer_files(demo), demo.path(COLORIZED)),
                training_results(demo.path(TRAIN_DATA), originals, table), photo_results(demo.path(DATASET), originals)]

    def _demo(self) -> Found:
        demo, found = self.places.demo(), Found()
        if self.places.is_demo or not (demo.work_dir / DEMO_MARK).is_file():
            return found
        inner = _Room(demo, demo.path(DATASET), demo.path(TRAIN_DATA), demo.path(MODEL))
        for part in ("archive", "replaced_labels", "leftovers"):
            found += inner.find(part)
        found += find_runs(demo.path("runs"), keep_last=False)
        for results in self._demo_results():
            found += results.found
            found.ours += results.tables
        for folder in map(demo.path, ("photos", "class_photos", OLD_PHOTOS)):
            found.ours += [path for path in files_below(folder) if _is_drawn(path)]
        # What marks the folder as the demo's goes last, and only with all the rest.
        marks = [path for path in (demo.path(TRUTH), demo.path(DEMO_MARK)) if path.is_file()]
        found.ours = [path for path in dict.fromkeys(found.ours) if path not in marks]
        known = {*found.ours, *marks}
        found.others = [path for path in files_below(demo.work_dir) if path not in known]
        found.ours += [] if found.others else marks
        found.folders += _folders(demo.work_dir)
        return found


def _is_drawn(path: Path) -> bool:
    """Whether a file is one of the drawn photos, or the text that lies beside them."""
    return path.name == "readme.txt" or path.name.startswith(TEMP_PREFIX) or _DRAWN in path.read_bytes()


def _folders(top: Path) -> list[Path]:
    """A folder and those below it, the deepest first."""
    below = [path for path in top.rglob("*") if path.is_dir()] if top.is_dir() else []
    return [*sorted(below, key=lambda path: len(path.parts), reverse=True), top]


def _describe(
    report: StepReport, room: _Room, found: dict[str, Found], chosen: list[str], confirm: bool
) -> None:
    going = {path for part in chosen for path in found[part].ours}
    report.facts |= {
        "done": confirm and bool(chosen), "chosen": chosen,
        "files": {part: len(entry.ours) for part, entry in found.items() if entry.ours},
        "removed": len(going),
        "others": sum(len(found[part].others) for part in chosen),
    }
    sizes = {part: _size(entry.ours) for part, entry in found.items()}
    report.measured["size"] = size_text(_size(going))
    for part, entry in found.items():
        if entry.ours:
            mark = "[x]" if part in chosen else "[ ]"
            report.messages.append(_("{part}: {count} files, {size} - {how}").format(
                part=f"{mark} {part}", count=len(entry.ours), size=size_text(sizes[part]), how=how_remade(part)))
        if entry.others and part in chosen:
            report.messages.append(_("Files that no step made stay: {names}").format(
                names=name_files(room.work_dir, entry.others)))
    if not any(entry.ours for entry in found.values()):
        report.messages.append(_("There is nothing to remove."))
    if not chosen:
        report.next_step = _(
            'Choose parts with value="runs; export", or value="all" for all but {only_copies}.').format(
                only_copies=", ".join(ON_DEMAND))
    else:
        report.next_step = _("Done.") if confirm else _(
            "Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")


def _size(paths: Iterable[Path]) -> int:
    """Bytes that become free: a file with a second name (a linked export) holds its room until both are gone."""
    statuses = [path.lstat() for path in paths]
    return sum(status.st_size for status in statuses if status.st_nlink == 1)


def _what_stays(work_dir: Path, gone: set[Path]) -> list[str]:
    """One line for each folder directly in the work folder."""
    tops: dict[str, list[Path]] = defaultdict(list)
    for path in files_below(work_dir):
        if path not in gone:
            inner = path.relative_to(work_dir).parts
            tops[inner[0] if len(inner) > 1 else "."].append(path)
    return [_("Stays in {folder}: {count} files, {size}").format(
        folder=top, count=len(paths), size=size_text(sum(path.lstat().st_size for path in paths)))
        for top, paths in sorted(tops.items())]
