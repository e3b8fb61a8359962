"""What a change of the classes does to labels and training folders: worked out first, then done file by file.

A plan is made of plain values, so that it can be written down: what was there before, and what takes its place.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePosixPath

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import sha256_file, write_bytes
from npylabel.base.i18n import _
from npylabel.base.journal import RunJournal
from npylabel.base.tables import csv_text, read_csv
from npylabel.dataset.changes_text import ADDED, RENAMED, TableChange
from npylabel.dataset.labels import (
    HUMAN,
    LABEL_COLUMNS,
    LabelError,
    LabelRow,
    labels_journal,
    read_label,
    read_labels_now,
    table_path,
    write_label,
)
from npylabel.dataset.training_data import SPLIT, read_split_rows
from npylabel.photos.manifest import QUARANTINE
from npylabel.photos.sources import is_hidden

# Of an unfinished run of step 02, see ``PhotoBook``.
_JOURNAL = ".photos.jsonl"


@dataclass(frozen=True)
class Labels:
    """The labels of a dataset as they are.

    Attributes:
        labels_dir: of the label files.
        found: id by file name, of the whole label files.
        rows: by name.
        decisions: id that a person decided on, by name.
    """

    labels_dir: Path
    found: dict[str, int]
    rows: dict[str, LabelRow]
    decisions: dict[str, int]

    @property
    def used_ids(self) -> set[int]:
        """All ids that occur."""
        return {*self.found.values(), *(row.class_id for row in self.rows.values())}

    @property
    def files(self) -> dict[str, str]:
        """The file of each name."""
        return {nfc(name.removesuffix(".npy")): name for name in self.found}


def read_labels(labels_dir: Path, table: ClassTable) -> Labels:
    """The labels in a folder and in the table beside it; none where there is no folder."""
    found = {}
    for path in sorted(labels_dir.glob("*.npy")) if labels_dir.is_dir() else []:
        try:
            found[path.name] = read_label(path)
        except (LabelError, OSError):
            continue
    rows, ours = read_labels_now(labels_dir)
    labels = Labels(labels_dir, found, rows, {})
    files = labels.files
    for name, row in rows.items():
        class_id = found.get(files.get(name, ""))
        decided = row.decision(class_id if table.id_now(class_id) is not None else None, ours[name])
        if decided is not None and table.id_now(decided) is not None:
            labels.decisions[name] = decided
    return labels


def plan_labels(labels: Labels, change: TableChange) -> dict | None:
    """What becomes of label files and of ``labels.csv``; None where nothing does.

    Returns:
        ``files``: [id before or None, id after] by file name; ``table``: see ``change_file``; ``journal``: whether
        the journal of an unfinished run goes, because the table then says all that it said.

    Raises:
        NpyLabelError: ``labels_other_classes`` where the rows were written with ids that mean something else now.
    """
    ids = change.new_ids
    if not (labels.found or labels.rows) or not (ids or change.of(RENAMED)):
        return None
    _refuse_other_ids(labels, change.before)
    files = {name: [class_id, ids[class_id]] for name, class_id in labels.found.items() if class_id in ids}
    rows, file_of = labels.rows, labels.files
    if ids:
        # Ids of before will not tell any more what a person changed: it is written down row by row.
        rows = {name: _settled(labels, row, file_of.get(name, "")) for name, row in rows.items()}
        for name, decided in labels.decisions.items():
            file = file_of.get(name, f"{name}.npy")
            if labels.found.get(file) != decided:
                files[file] = [labels.found.get(file), ids.get(decided, decided)]
    rows = {name: _translated(row, change) for name, row in rows.items()}
    journal = bool(ids) and labels_journal(labels.labels_dir).path.is_file()
    return {"files": files, "table": _label_table(labels.labels_dir, rows), "journal": journal}


def _refuse_other_ids(labels: Labels, table: ClassTable) -> None:
    for row in labels.rows.values():
        # The name belongs to what was written, or to what a person wrote over it.
        named, written = table.find_name(row.class_name), int(row.written_id) if row.written_id.isdigit() else None
        others = row.classes_sha256 not in ("", table.sha256)
        if others and named not in (None, table.id_now(row.class_id), table.id_now(written)):
            raise NpyLabelError(
                "labels_other_classes",
                _("{path} was written with another class table: {name} has the id {class_id} and the class "
                  "{class_name!r}.").format(path=table_path(labels.labels_dir), name=row.name, class_id=row.class_id,
                                            class_name=row.class_name),
                _("Run notebook 04 (auto_label) with the class table of now, then change the classes."))


def _settled(labels: Labels, row: LabelRow, file: str) -> LabelRow:
    """The row with what a person decided, else with what the file holds, so that both say the same from now on."""
    decided, found = labels.decisions.get(row.name), labels.found.get(file)
    if decided is not None:
        # Who edits an id in the table may leave the name beside it as it was.
        name = row.class_name if str(decided) == row.written_id else ""
        return LabelRow(row.name, decided, name, source=HUMAN, photo_sha256=row.photo_sha256,
                        classes_sha256=row.classes_sha256, written_id=str(decided),
                        original_sha256=row.original_sha256)
    if found is None or str(found) == row.written_id:
        return row
    return replace(row, class_id=found, class_name="", written_id=str(found))


def _translated(row: LabelRow, change: TableChange) -> LabelRow:
    """The row with the ids and names of after the change."""
    ids, names = change.new_ids, change.after.names
    changed = {each.new_id for each in change.changes if each.what != ADDED}
    class_id = ids.get(row.class_id, row.class_id)
    best_id = {str(old): str(new) for old, new in ids.items()}.get(row.best_class_id, row.best_class_id)
    written_id = {str(old): str(new) for old, new in ids.items()}.get(row.written_id, row.written_id)
    new = replace(row, class_id=class_id, best_class_id=best_id, written_id=written_id)
    if class_id in changed or (class_id in names and not row.class_name):
        new.class_name = names[class_id]
    if best_id.isdigit() and int(best_id) in changed:
        new.best_class_name = names[int(best_id)]
    if row.source == HUMAN and str(class_id) == written_id:
        new.classes_sha256 = change.after.sha256  # What a person said is not labeled again.
    return new


def _label_table(labels_dir: Path, rows: dict[str, LabelRow]) -> list[str]:
    path = table_path(labels_dir)
    old, result = read_csv(path), []
    columns = [*(name for name in (old[0] if old else ()) if name), *LABEL_COLUMNS]
    left = dict(rows)
    for values in old:
        name = values.get("name") or ""
        row = left.pop(name, None)
        if row is not None or name not in rows:
            result.append({**values, **({key: str(value) for key, value in vars(row).items()} if row else {})})
    result += [{key: str(value) for key, value in vars(row).items()} for row in left.values()]
    return _table(path, list(dict.fromkeys(columns)), sorted(result, key=lambda values: values.get("name") or ""))


def _table(path: Path, columns: Sequence[str], rows: Sequence[dict]) -> list[str]:
    return _file(path, csv_text(columns, [{name: values.get(name) or "" for name in columns} for values in rows]))


def _file(path: Path, text: str) -> list[str]:
    """What ``change_file`` takes."""
    return [sha256_file(path) if path.is_file() else "", text]


def change_label_files(labels_dir: Path, files: dict[str, list]) -> None:
    """Write the labels that still are what they were when the plan was made."""
    for name, (before, after) in files.items():
        try:
            found = read_label(labels_dir / name)
        except (LabelError, OSError):
            found = None
        if found == before:
            write_label(labels_dir / name, after)


def change_file(path: Path, before: str, text: str) -> list[Path]:
    """Write the text; where the file has another content than before, that is kept under these paths.

    Args:
        path: the file.
        before: its checksum when the plan was made, "" where there was none.
        text: what it holds from now on.
    """
    data = text.encode("utf-8")
    found = sha256_file(path) if path.is_file() else ""
    if found == sha256(data).hexdigest():
        return []
    kept = [_keep_edited(path)] if found not in ("", before) else []
    write_bytes(path, data, durable=True)
    return kept


def _keep_edited(path: Path) -> Path:
    data, number = path.read_bytes(), 1
    while (copy := path.with_name(f"{path.stem}.edited_{number}{path.suffix}")).exists() and copy.read_bytes() != data:
        number += 1
    write_bytes(copy, data, durable=True)
    return copy


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
    files |= {path.name: _file(path, _journal_text(path, stems)) for path in [data_path / _JOURNAL] if path.is_file()}
    return {"moves": moves, "files": files, "folders": empty}


def _class_of(folder: Path, table: ClassTable) -> int | None:
    # A link leads to photos of somebody's own, which are never moved.
    return table.find(folder.name) if folder.is_dir() and not folder.is_symlink() else None


def _taken(data_path: Path, folders: dict[Path, str]) -> set[str]:
    """Names (without suffix, small letters) below the folder that a file may not get."""
    below = [path.relative_to(data_path) for name in set(folders.values()) for path in (data_path / name).rglob("*")]
    taken = {_key(PurePosixPath(path.as_posix())) for path in below}
    # What an unfinished run of step 02 has given away.
    _settings, entries = RunJournal(data_path / _JOURNAL, {}).read_any()
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
    return _table(path, [name for name in rows[0] if name], rows)


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
    for old, new in moves:
        source, target = root / old, root / new
        if os.path.lexists(source) and not os.path.lexists(target):
            # A file that has the name of the folder: the photo stays, its class is found by the other name.
            with suppress(FileExistsError, NotADirectoryError):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
