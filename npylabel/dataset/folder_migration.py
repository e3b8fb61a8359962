"""What a change of the classes does to a training folder: worked out first, then done file by file."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.i18n import _
from npylabel.base.journal import RunJournal
from npylabel.base.progress import track
from npylabel.base.tables import read_csv
from npylabel.dataset.changes_text import ADDED, TableChange
from npylabel.dataset.planned_files import file_change, table_change
from npylabel.dataset.training_data import SPLIT, read_split_rows
from npylabel.photos.manifest import PHOTOS_JOURNAL, QUARANTINE
from npylabel.photos.sources import is_hidden


def plan_training(data_path: Path, change: TableChange) -> dict | None:
    """What becomes of a training folder that step 02 made; None where nothing does.

    Returns:
        ``moves``: [path before, path after] below the folder; ``files``: see ``change_file``, by name; ``folders``:
        what may be empty afterwards, the inner ones first.

    Raises:
        NpyLabelError: ``split_damaged``.
    """
    names = {each.old_id: each.new for each in change.changes if each.what != ADDED}
    if not names or not (data_path / SPLIT).is_file():
        return None
    read_split_rows(data_path)
    folders = {folder: names[class_id] for folder in sorted(data_path.iterdir())
               if (class_id := _class_of(folder, change.before)) in names and folder.name != names[class_id]}
    taken, moves, inner = _taken(data_path, folders), [], []
    for folder, name in folders.items():
        found = [path for path in sorted(folder.rglob("*")) if not any(
            is_hidden(part) for part in path.relative_to(folder).parts)]
        inner += [path for path in found if path.is_dir() and not path.is_symlink()]
        moves += [_move(path.relative_to(data_path), name, taken) for path in found
                  if path.is_symlink() or not path.is_dir()]
    empty = [path.relative_to(data_path).as_posix() for path in [*reversed(inner), *folders]]
    stems = {nfc(old).rpartition(".")[0]: new.rpartition(".")[0] for old, new in moves}
    files = {name: _training_table(data_path / name, moves, stems, change) for name in (SPLIT, QUARANTINE)
             if read_csv(data_path / name)}
    if (journal := data_path / PHOTOS_JOURNAL).is_file():
        files[PHOTOS_JOURNAL] = file_change(journal, _journal_text(journal, stems))
    return {"moves": moves, "files": files, "folders": empty}


def _class_of(folder: Path, table: ClassTable) -> int | None:
    # A link leads to photos of somebody's own, which are never moved.
    return table.find(folder.name) if folder.is_dir() and not folder.is_symlink() else None


def _taken(data_path: Path, folders: dict[Path, str]) -> set[str]:
    """Names (without suffix, small letters) below the folder that a file may not get."""
    below = [path.relative_to(data_path) for name in set(folders.values()) for path in (data_path / name).rglob("*")]
    taken = {_key(PurePosixPath(path.as_posix())) for path in below}
    # What an unfinished run of step 02 has given away.
    _settings, entries = RunJournal(data_path / PHOTOS_JOURNAL, {}).read_any()
    for entry in entries:
        taken |= {nfc(name).casefold() for name in entry.get("plan", {}).values()}
    return taken


def _key(path: PurePosixPath) -> str:
    return nfc(path.with_suffix("").as_posix()).casefold()


def _move(path: Path, name: str, taken: set[str]) -> list[str]:
    """[path, the same in the folder of another class], with a number behind the stem where that name is taken."""
    first = target = PurePosixPath(name, *path.parts[1:])
    number = 1
    while _key(target) in taken:
        number += 1
        target = first.with_name(f"{first.stem}_{number}{first.suffix}")
    taken.add(_key(target))
    return [path.as_posix(), target.as_posix()]


def _training_table(
    path: Path, moves: Sequence[Sequence[str]], stems: dict[str, str], change: TableChange
) -> list[str]:
    paths = {nfc(old): new for old, new in moves}
    ids = {str(old): str(new) for old, new in change.new_ids.items()}
    rows = read_csv(path)
    for row in rows:
        for column, new in (("path", paths), ("name", stems), ("group", stems), ("class_id", ids)):
            if row.get(column):
                row[column] = new.get(nfc(row[column]), row[column])
    return table_change(path, [name for name in rows[0] if name], rows)


def _journal_text(path: Path, stems: dict[str, str]) -> str:
    """What an unfinished run of step 02 knows, with the names of now: it goes on as if nothing had happened."""
    settings, entries = RunJournal(path, {}).read_any()
    for entry in entries:
        for values in (entry, entry.get("plan", {})):
            values |= {key: stems[nfc(value)] for key, value in values.items()
                       if isinstance(value, str) and nfc(value) in stems and key not in ("source", "sha256")}
    return "".join(json.dumps(entry) + "\n" for entry in ({"settings": settings}, *entries))


def move_files(root: Path, moves: Sequence[Sequence[str]]) -> None:
    """Move what is not moved yet, never onto another file."""
    for old, new in track(moves, total=len(moves), label=_("Photos")):
        source, target = root / old, root / new
        if os.path.lexists(source) and not os.path.lexists(target):
            # A file that has the name of the folder: the photo stays, its class is found by the other name.
            with suppress(FileExistsError, NotADirectoryError):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
