"""The files that steps make beside their results: executed notebooks, earlier models, exports, half-written files."""

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.classes import nfc
from npylabel.base.files import TEMP_PREFIX, files_below
from npylabel.base.i18n import _
from npylabel.base.progress import track
from npylabel.base.tables import read_csv
from npylabel.dataset.export import EXPORT_TABLE

_RUN = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
_NOTEBOOK = re.compile(r"\d\d_\w+\.(ipynb|html)")
_EPOCH = re.compile(r"checkpoint_epoch_\d+\.pth")
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


def find_archive(save_path: Path, suffixes: tuple[str, ...]) -> Found:
    """Earlier models of the same name, which step 03 moved aside."""
    found = Found()
    folder, stem = save_path.parent / "archive", save_path.stem
    endings = "|".join(map(re.escape, (save_path.suffix, *suffixes)))
    known = re.compile(rf"{re.escape(stem)}({endings})|{_EPOCH.pattern}")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and re.fullmatch(rf"{re.escape(stem)}_\d+", path.name):
            logs, rest = find_logs(path / f"{stem}.logs"), sort_folder(path, known)
            rest.others = [other for other in rest.others if other not in logs.ours]
            found += logs
            found += rest
        else:
            found.others.append(path)
    found.folders.append(folder)
    return found


def find_logs(folder: Path) -> Found:
    """The files of a training's tracker, which writes there alone."""
    folders = sorted((path for path in [folder, *folder.rglob("*")] if path.is_dir()), reverse=True)
    return Found(files_below(folder), [], folders)


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
