"""What a change of the classes does to labels: worked out first, then done file by file.

A plan is made of plain values, so that it can be written down: what was there before, and what takes its place.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.progress import track
from npylabel.base.tables import read_csv
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
from npylabel.dataset.planned_files import table_change


@dataclass(frozen=True)
class Labels:
    """The labels of a dataset as they are.

    Attributes:
        labels_dir: of the label files.
        found: id by file name, of the whole label files.
        rows: by name.
        decisions: id of today that a person decided on, by name.
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
    paths = sorted(labels_dir.glob("*.npy")) if labels_dir.is_dir() else []
    for path in track(paths, total=len(paths), label=_("Labels")):
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
        # A photo that was left out during an earlier change comes back with an id of before.
        now = None if decided is None else table.id_now(decided)
        if now is not None:
            labels.decisions[name] = now
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
                _("Run notebook 04 (auto_label) with the class table of today, then change the classes."))


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
    return table_change(path, list(dict.fromkeys(columns)), sorted(result, key=lambda values: values.get("name") or ""))


def change_label_files(labels_dir: Path, files: dict[str, list]) -> None:
    """Write the labels that still are what they were when the plan was made."""
    for name, (before, after) in track(files.items(), total=len(files), label=_("Labels")):
        try:
            found = read_label(labels_dir / name)
        except (LabelError, OSError):
            found = None
        if found == before:
            write_label(labels_dir / name, after)
