"""The second layout, which today's TintoraAI reads, and a zip to download."""

import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import TEMP_PREFIX, atomic_path
from npylabel.base.i18n import _
from npylabel.base.progress import track
from npylabel.base.tables import printable, write_csv
from npylabel.dataset.folders import TEST, TRAIN, VAL
from npylabel.dataset.split import SplitItem, assign_splits
from npylabel.dataset.verify import Verification

EXPORT_TABLE = "export.csv"
_FOLDERS = {"color": "color", "bw": "grayscale", "labels": "labels"}


def export_dataset(
    verification: Verification, export_dir: Path, *, val_fraction: float, test_fraction: float, random_seed: int
) -> dict[str, int]:
    """Number of triplets by side in ``export_dir/{train,val,test}/{color,grayscale,labels}``.

    Photos that show nearly the same stay on one side. Files are links where the disk allows it, else copies.

    Args:
        verification: of a dataset without faults.
        export_dir: where the layout goes; files of an earlier export that do not belong there any more are removed.
        val_fraction: share for validation.
        test_fraction: share for the test.
        random_seed: of the split.

    Raises:
        NpyLabelError: ``bad_parameter``, ``export_not_empty``.
    """
    if not (val_fraction >= 0 and test_fraction >= 0 and val_fraction + test_fraction < 1):
        raise NpyLabelError(
            "bad_parameter",
            _("val_fraction and test_fraction are {val} and {test}.").format(val=val_fraction, test=test_fraction),
            _("Neither may be negative, and together they must stay below 1."))
    _refuse_foreign_folder(export_dir)
    files = verification.files
    stems = sorted(verification.class_ids)
    sides = assign_splits(_items(stems, verification), {VAL: val_fraction, TEST: test_fraction}, random_seed)
    wanted = {}
    for stem, side in zip(stems, sides, strict=True):
        for folder, target in _FOLDERS.items():
            path = getattr(files, folder)[stem]
            wanted[export_dir / side / target / path.name] = path
    _remove_others(export_dir, set(wanted))
    for target, source in track(wanted.items(), total=len(wanted), label=_("Export")):
        link_or_copy(source, target)
    write_csv(export_dir / EXPORT_TABLE, ("name", "class_id", "split"), [
        {"name": printable(stem), "class_id": verification.class_ids[stem], "split": side}
        for stem, side in zip(stems, sides, strict=True)])
    return {side: Counter(sides)[side] for side in (TRAIN, VAL, TEST)}


def _items(stems: Sequence[str], verification: Verification) -> list[SplitItem]:
    items = []
    for stem in stems:
        row = verification.rows.get(stem)
        items.append(SplitItem(verification.class_ids[stem], row.sha256 if row else stem, (row and row.group) or stem))
    return items


def _refuse_foreign_folder(export_dir: Path) -> None:
    if export_dir.exists() and any(export_dir.iterdir()) and not (export_dir / EXPORT_TABLE).is_file():
        raise NpyLabelError(
            "export_not_empty", _("{path} holds other files.").format(path=export_dir),
            _("Set export_dir to a new folder."))
    # The mark comes first, so that a killed export is known as ours.
    export_dir.mkdir(parents=True, exist_ok=True)
    (export_dir / EXPORT_TABLE).touch()


def _remove_others(export_dir: Path, wanted: set[Path]) -> None:
    for side in (TRAIN, VAL, TEST):
        for folder in _FOLDERS.values():
            (export_dir / side / folder).mkdir(parents=True, exist_ok=True)
            for path in (export_dir / side / folder).iterdir():
                if path not in wanted and path.is_file():
                    path.unlink()


def link_or_copy(source: Path, target: Path) -> None:
    """Make ``target`` the same file as ``source`` by a hard link, or a copy where the disk has none."""
    if target.exists() and target.samefile(source):
        return
    temporary = target.with_name(f"{TEMP_PREFIX}link{target.suffix}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
        temporary.replace(target)
    except OSError:
        with atomic_path(target) as copy:
            shutil.copyfile(source, copy)
    finally:
        temporary.unlink(missing_ok=True)


def zip_folder(folder: Path, path: Path) -> Path:
    """A zip of the folder's files, for download; pictures are stored as they are, they do not get smaller."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file != path)
    with atomic_path(path) as temporary, zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for file in track(files, total=len(files), label=_("Zip")):
            archive.write(file, file.relative_to(folder.parent))
    return path
