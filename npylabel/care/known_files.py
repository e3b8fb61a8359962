"""The files that steps make beside their results: executed notebooks, earlier models, exports, half-written files."""

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from npylabel.base.classes import nfc
from npylabel.base.files import TEMP_PREFIX, files_below
from npylabel.base.i18n import _
from npylabel.base.progress import track
from npylabel.base.tables import read_csv
from npylabel.dataset.export import EXPORT_TABLE
from npylabel.training.run_files import RunFiles

_RUN = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_NOTEBOOK = re.compile(r"\d\d_\w+\.(ipynb|html)")
_SIDES, _FOLDERS = ("train", "val", "test"), {"color": "color", "grayscale": "bw", "labels": "labels"}


@dataclass
class Found:
    """What was found of one kind.

    Attributes:
        ours: files that a step made, in the order in which they may go.
        others: files among them that no step made.
        folders: that may go when they are empty.
    """

    ours: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def __iadd__(self, other: "Found") -> "Found":
        for name in ("ours", "others", "folders"):
            setattr(self, name, [*getattr(self, name), *getattr(other, name)])
        return self


def sort_folder(folder: Path, known: re.Pattern) -> Found:
    """The files below a folder: ours where the whole name is of the pattern."""
    found = Found(folders=[folder])
    for path in files_below(folder):
        (found.ours if path.parent == folder and known.fullmatch(path.name) else found.others).append(path)
    return found


def find_runs(folder: Path, *, keep_last: bool) -> Found:
    """Executed notebooks of ``run``, by default all but those of the last run."""
    found = Found()
    runs = sorted(path for path in folder.iterdir() if path.is_dir() and _RUN.fullmatch(path.name)) \
        if folder.is_dir() else []
    for run in runs[:-1] if keep_last else runs:
        found += sort_folder(run, _NOTEBOOK)
    found.others += sorted(path for path in folder.iterdir() if path not in runs) if folder.is_dir() else []
    return found


def find_archive(models: Sequence[RunFiles]) -> Found:
    """Earlier models of the same names, which trainings moved aside."""
    found = Found()
    for folder in dict.fromkeys(files.save_path.parent / "archive" for files in models):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            earlier = [replace(files, save_path=path / files.save_path.name) for files in models
                       if folder.parent == files.save_path.parent and path.is_dir()
                       and re.fullmatch(rf"{re.escape(files.save_path.stem)}_\d+", path.name)]
            found += _find_earlier(earlier[0], path) if earlier else Found([], [path])
        found.folders.append(folder)
    return found


def _find_earlier(files: RunFiles, folder: Path) -> Found:
    """One earlier model, which has the folder to itself."""
    # Its checkpoints are known as such also where a killed removal has taken the model.
    ours = list(dict.fromkeys([*files.epochs(), *files.existing()]))
    others = [path for path in files_below(folder) if path not in ours]
    return Found(ours, others, [*run_folders(files), folder])


def run_folders(files: RunFiles) -> list[Path]:
    """The folders of a training's files, the deepest first."""
    tops = [folder for folder in (files.logs, files.samples) if folder.is_dir()]
    return [path for top in tops for path in [*sorted(filter(Path.is_dir, top.rglob("*")), reverse=True), top]]


def find_exports(work_dir: Path) -> list[Path]:
    """The folders of exports directly in the work folder."""
    listed = sorted(path for path in work_dir.iterdir() if path.is_dir()) if work_dir.is_dir() else []
    return [path for path in listed
            if (path / EXPORT_TABLE).is_file() and any((path / side).is_dir() for side in _SIDES)]


def find_export(folder: Path, dataset_dir: Path) -> Found:
    """The files of one export and its zip; the table that marks it as one goes last."""
    names = {nfc(row.get("name") or "") for row in read_csv(folder / EXPORT_TABLE)}
    found, table = Found(folders=[]), folder / EXPORT_TABLE
    for path in files_below(folder):
        side, *inner = path.relative_to(folder).parts[:-1] or ("",)
        is_place = side in _SIDES and len(inner) == 1 and inner[0] in _FOLDERS
        # A killed export has no table yet: its files are those of the dataset.
        known = is_place and (nfc(path.stem) in names or (dataset_dir / _FOLDERS[inner[0]] / path.name).is_file()
                              or path.name.startswith(TEMP_PREFIX))
        if path != table:
            (found.ours if known else found.others).append(path)
    packed = folder.with_name(f"{folder.name}.zip")
    if _is_export_zip(packed, folder.name):
        found.ours.append(packed)
    found.ours += [table] if table.is_file() and not found.others else []
    found.folders = [*(folder / side / name for side in _SIDES for name in _FOLDERS),
                     *(folder / side for side in _SIDES), folder]
    return found


def _is_export_zip(path: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{name}/{EXPORT_TABLE}" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def remove_found(found: Found) -> None:
    """Remove our files, then the folders that are empty by then."""
    for path in track(found.ours, total=len(found.ours), label=_("Removing files")):
        path.unlink(missing_ok=True)
    for folder in found.folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
