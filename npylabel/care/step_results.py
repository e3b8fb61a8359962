"""What each step has made in the work folder: what can go, what a person did, and how the tables look without it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.files import leftovers
from npylabel.base.journal import RunJournal
from npylabel.base.tables import read_csv, write_csv
from npylabel.care.known_files import Found, files_below, find_export, find_exports, run_folders
from npylabel.care.originals import Originals
from npylabel.dataset.aside import Row, add_rows, checksums
from npylabel.dataset.labels import LabelError, labels_journal, read_label, read_labels_now, table_path
from npylabel.dataset.training_data import SPLIT, class_by_hand, read_split_rows
from npylabel.dataset.verify import VERIFY_TABLE
from npylabel.photos.manifest import (
    COLUMNS,
    LEFT_OUT,
    MANIFEST,
    OK,
    PHOTOS_JOURNAL,
    QUARANTINE,
    PhotoRow,
    read_aside,
    read_rows,
    row_from,
    table_values,
    write_aside,
    write_rows,
)
from npylabel.photos.reasons import BY_PERSON
from npylabel.training.run_files import RunFiles

_SHEET = "contact_sheet.jpg"


@dataclass
class Results:
    """The results of one step.

    Attributes:
        root: the folder of the results.
        found: ``ours`` can be removed, ``others`` are nobody's that is known and stay.
        aside: files that cannot be made again as they are; they are moved.
        by_person: files that stay because a person decided about them.
        not_found: sources of photos whose originals are not at the places that are known.
        rows_aside: the rows of those photos in ``aside``.
        settle: writes the tables as they are without the results; the last thing to do.
        table: name of the table that tells which photos are in ``aside``.
        tables: those that ``settle`` removes, because nothing in them stays.
    """

    root: Path
    found: Found = field(default_factory=Found)
    aside: list[Path] = field(default_factory=list)
    by_person: list[Path] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    rows_aside: list[PhotoRow] = field(default_factory=list)
    settle: Callable[[], None] = lambda: None
    table: str = MANIFEST
    tables: list[Path] = field(default_factory=list)

    def keep_rows(self, folder: Path) -> None:
        """Write down which photos the files that are moved to the folder are.

        The table has the name of the step's: by it ``list_photos`` knows the folder as one of results.
        """
        add_rows(folder / self.table, COLUMNS, map(table_values, self.rows_aside), key=("source", "sha256"),
                 order="source")


def photo_results(dataset_dir: Path, originals: Originals) -> Results:
    """Step 01: pairs and their tables.

    Photos that a person left out stay left out. Those that a person labeled keep their rows, without files: by them
    step 01 gives the photos their names again, and so their labels.
    """
    results = Results(dataset_dir)
    rows = _with_journal(dataset_dir, read_rows(dataset_dir))
    pairs = [(row, _existing(_pair(dataset_dir, row))) for row in rows]
    _sort_photos(results, pairs, originals)
    extras = [dataset_dir / PHOTOS_JOURNAL, dataset_dir / _SHEET]
    folders = [dataset_dir / "color", dataset_dir / "bw"]
    _finish(results, folders, extras)
    results.found.folders = folders
    labeled = _human_names(dataset_dir / "labels")
    kept = [row for row in rows if row.status == OK and row.sha256 and row.name in labeled]
    gone = [] if kept else [MANIFEST] if _left_out_rows(dataset_dir) else [MANIFEST, QUARANTINE]
    results.tables = _existing([dataset_dir / name for name in gone])
    results.settle = lambda: _settle_pairs(dataset_dir, kept)
    return results


def training_results(data_path: Path, originals: Originals, table: ClassTable) -> Results:
    """Step 02: training photos and their tables; those whose class a person decided stay, with their rows."""
    results = Results(data_path, table=SPLIT)
    raw = {row["path"]: row for row in read_csv(data_path / SPLIT)}
    rows = _with_journal(data_path, [row for row, _split in read_split_rows(data_path)] + read_aside(data_path))
    kept, moved, rest = [], _moved_by_hand(data_path, rows), []
    for row in rows:
        path = f"{row.name}{row.suffix}"
        # Copies have the name of the photo that they are copies of.
        is_listed = row.status == OK and path in raw
        if is_listed and (path in moved or (class_by_hand(row, table) and (data_path / path).is_file())):
            kept.append(raw[path])
            results.by_person.append(moved.get(path, data_path / path))
            continue
        rest.append((row, _existing([data_path / path] if row.status == OK and row.name else [])))
    _sort_photos(results, rest, originals)
    folders = sorted(path for path in data_path.iterdir() if path.is_dir()) if data_path.is_dir() else []
    _finish(results, folders, [data_path / PHOTOS_JOURNAL, data_path / _SHEET])
    results.found.folders = folders
    gone = [*([] if kept else [SPLIT]), *([] if _left_out_rows(data_path) else [QUARANTINE])]
    results.tables = _existing([data_path / name for name in gone])
    results.settle = lambda: _settle_split(data_path, kept)
    return results


def model_results(files: RunFiles) -> Results:
    """Step 03: the files of the model. The epochs go first, the model last: by it the others are known as its own."""
    from npylabel.labeler.folds import fold_files

    save_path, existing = files.save_path, files.existing()
    results = Results(save_path.parent)
    epochs = [path for path in files.epochs() if path in existing]
    rest = [path for path in existing if path not in epochs and path != save_path]
    rest += fold_files(files.folds)
    results.found.ours = [*epochs, *rest, *(path for path in existing if path == save_path),
                          *leftovers(save_path.parent)]
    results.found.folders += run_folders(files)
    results.found.folders += [*sorted((path for path in files.folds.rglob("*") if path.is_dir()), reverse=True),
                              files.folds]
    return results


def label_results(labels_dir: Path) -> Results:
    """Step 04: labels of models; those that a person gave or changed stay, with their rows."""
    results, table = Results(labels_dir.parent), table_path(labels_dir)
    rows, human = read_labels_now(labels_dir)[0], _human_names(labels_dir)
    for path in files_below(labels_dir):
        name = nfc(path.stem)
        if name in human:
            results.by_person.append(path)
        else:
            (results.found.ours if name in rows and path.suffix == ".npy" else results.found.others).append(path)
    _drop_leftovers(results, [labels_dir])
    results.found.ours += _existing([labels_journal(labels_dir).path, labels_dir.parent / "labels_sheet.jpg"])
    results.settle = lambda: _settle_labels(table, set(rows) - human)
    results.tables = _existing([] if _labels_left(table, set(rows) - human) else [table])
    return results


def verify_results(dataset_dir: Path, work_dir: Path) -> Results:
    """Step 05: its table and page, and the exports."""
    results = Results(dataset_dir)
    for folder in find_exports(work_dir):
        results.found += find_export(folder, dataset_dir)
    results.found.ours += _existing([dataset_dir / VERIFY_TABLE, dataset_dir / "verify.html"])
    return results


def _with_journal(root: Path, rows: Sequence[PhotoRow]) -> list[PhotoRow]:
    """The rows, with those that only a killed run's journal has, and the names that it planned."""
    settings, entries = RunJournal(root / PHOTOS_JOURNAL, {}).read_any()
    made = [row_from(entry) for entry in entries if "plan" not in entry]
    plan = {source: name for entry in entries for source, name in entry.get("plan", {}).items()}
    made += [PhotoRow(name, source, settings=settings.get("settings", "")) for source, name in plan.items()]
    known, result = set(), []
    for row in (*rows, *made):
        key = (row.name, row.suffix) if row.status == OK else (row.source, row.status)
        if key not in known:
            known.add(key)
            result.append(row)
    return result


def _pair(dataset_dir: Path, row: PhotoRow) -> list[Path]:
    if row.status != OK or not row.name:
        return []
    return [dataset_dir / folder / f"{row.name}{row.suffix}" for folder in ("color", "bw")]


def _sort_photos(results: Results, photos: Sequence[tuple[PhotoRow, list[Path]]], originals: Originals) -> None:
    """Remove what can be made again in the same way; what cannot is moved aside."""
    sums = checksums([path for _row, files in photos for path in files if path.is_file()])
    for row, files in photos:
        is_there = not row.fingerprint or originals.is_there(row)
        if files and not is_there:
            results.not_found.append(row.source)
        wanted = {"color": row.color_sha256, "bw": row.bw_sha256}
        changed = any(sums.get(path) != sha256 for path in files
                      if (sha256 := wanted.get(path.parent.name, row.color_sha256)))
        if is_there and not changed:
            results.found.ours += files
        elif files:
            results.aside += files
            results.rows_aside.append(row)


def _moved_by_hand(data_path: Path, rows: Sequence[PhotoRow]) -> dict[str, Path]:
    """Where photos are that a person moved since step 02 ran, by the path in the table: step 02 will follow them."""
    used = [row for row in rows if row.status == OK and row.name]
    gone = {row.color_sha256: f"{row.name}{row.suffix}" for row in used
            if row.color_sha256 and not (data_path / f"{row.name}{row.suffix}").is_file()}
    claimed = {data_path / f"{row.name}{row.suffix}" for row in used}
    free = [path for path in files_below(data_path) if path not in claimed and path.parent != data_path] if gone else []
    hashes = checksums([path for path in free if path.is_file()])
    return {gone[sha256]: path for path, sha256 in hashes.items() if sha256 in gone}


def _finish(results: Results, folders: Sequence[Path], extras: Sequence[Path]) -> None:
    known = {*results.found.ours, *results.aside, *results.by_person}
    results.found.others += [path for folder in folders for path in files_below(folder) if path not in known]
    _drop_leftovers(results, [results.root, *folders])
    results.found.ours += _existing(extras)


def _drop_leftovers(results: Results, folders: Sequence[Path]) -> None:
    half = [path for folder in folders for path in leftovers(folder)]
    results.found.others = [path for path in results.found.others if path not in half]
    results.found.ours += half


def _existing(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if os.path.lexists(path)]


def _settle_pairs(dataset_dir: Path, kept: list[PhotoRow]) -> None:
    if kept:
        write_rows(dataset_dir, [*kept, *_left_out_rows(dataset_dir)])
    else:
        _settle_aside(dataset_dir)
        (dataset_dir / MANIFEST).unlink(missing_ok=True)


def _settle_split(data_path: Path, kept: list[Row]) -> None:
    if kept:
        write_csv(data_path / SPLIT, list(kept[0]), kept)
    else:
        (data_path / SPLIT).unlink(missing_ok=True)
    _settle_aside(data_path)


def _settle_aside(folder: Path) -> None:
    """Keep of the photos without files only those that a person left out."""
    marks = _left_out_rows(folder)
    if marks:
        write_aside(folder, marks)
    else:
        (folder / QUARANTINE).unlink(missing_ok=True)


def _left_out_rows(folder: Path) -> list[PhotoRow]:
    return [row for row in read_aside(folder) if row.status == LEFT_OUT and row.reason == BY_PERSON]


def _human_names(labels_dir: Path) -> set[str]:
    """The photos that a person labeled, as step 04 tells them."""
    rows, ours = read_labels_now(labels_dir)
    files = {nfc(path.stem): path for path in labels_dir.glob("*.npy")}
    return {name for name, row in rows.items()
            if row.decision(_label_in(files[name]) if name in files else None, ours[name]) is not None}


def _label_in(path: Path) -> int | None:
    try:
        return read_label(path)
    except (LabelError, OSError):
        return None


def _labels_left(table: Path, gone: set[str]) -> list[Row]:
    return [row for row in read_csv(table) if row.get("name") not in gone]


def _settle_labels(table: Path, gone: set[str]) -> None:
    kept = _labels_left(table, gone)
    if kept:
        write_csv(table, list(kept[0]), kept)
    else:
        table.unlink(missing_ok=True)
