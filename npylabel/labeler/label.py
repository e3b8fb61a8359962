"""Step 04: one label file per photo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers, sha256_file, write_bytes
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count, run_threads
from npylabel.base.progress import track
from npylabel.base.report import StepReport
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.human_labels import human_row
from npylabel.dataset.labels import (
    HUMAN,
    REPLACED,
    LabelError,
    LabelRow,
    compact,
    labels_journal,
    read_label,
    read_labels_now,
    table_path,
    write_label,
    write_label_rows,
)
from npylabel.dataset.leave_out import settle_left_out
from npylabel.labeler.calibration import at_threshold, from_saved
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.labeler.class_mapping import ClassMapping, describe_mapping, map_classes
from npylabel.labeler.label_input import LoadedPhoto, label_name, list_label_photos, load_photo
from npylabel.labeler.legacy import load_labeler
from npylabel.labeler.predict import CHUNK, Predictor
from npylabel.labeler.said_labels import SaidLabels
from npylabel.photos.book import disk_faults
from npylabel.photos.manifest import dataset_origin, original_hashes
from npylabel.training.devices import pick_device
from npylabel.training.model_files import refuse_other_world


def label_photos(
    input_dir: Path, output_dir: Path, model_path: Path, table: ClassTable, *, threshold: float = 0.5,
    batch_size: int = 64, overwrite: bool = False, legacy_order: str = "", device: str = "auto",
    data_path: Path | None = None, decisions_dir: Path | None = None,
) -> StepReport:
    """The report on ``output_dir/X.npy`` for each photo X, and ``labels.csv`` beside ``output_dir``.

    Args:
        input_dir: ``.jpg``, ``.jpeg`` and ``.png`` photos of any size.
        output_dir: where the labels go.
        model_path: a labeler of step 03, or weights of the original MiniCNN.
        table: the only source of class ids.
        threshold: below this confidence a photo gets the unknown class.
        batch_size: photos decoded at a time; changes no label.
        overwrite: label all photos again, but never one that a person decided.
        legacy_order: for weights of the original, see ``legacy_checkpoint``.
        device: "auto", "cpu", "cuda" or "mps".
        data_path: the training folder, to say how many photos of a new class wait there for the training.
        decisions_dir: the journal of what people decided, in the work folder; it outweighs what was said by hand
            before, and is told what was said by hand later. Photos that are out by it go aside first, and get no label.

    Raises:
        NpyLabelError: ``bad_parameter``, ``input_missing``, ``no_pictures``, ``same_stem``, ``no_unknown_class``,
            ``model_missing``, ``model_damaged``, ``model_foreign``, ``model_other_classes``, ``labels_other_classes``,
            ``mixed_worlds``, ``decisions_damaged``, and those of ``legacy_checkpoint``.
    """
    _check(threshold, batch_size, table)
    report = StepReport("auto_label")
    if decisions_dir:
        report.messages += settle_left_out(decisions_dir, dataset_dir=input_dir.parent)[1]
    photos, folders, others = list_label_photos(input_dir)
    checkpoint = load_labeler(model_path, legacy_order, table)
    mapping = map_classes(checkpoint, table)
    refuse_other_world(checkpoint, dataset_origin(input_dir.parent))
    labeling = _Labeling(input_dir, photos, output_dir, table, checkpoint, mapping,
                         mapping.checksum(sha256_file(model_path)), threshold, ClassDecisions(table, decisions_dir))
    with disk_faults(output_dir), labeling.journal:
        with report.timed("check"):
            todo = labeling.todo(overwrite)
        with report.timed("label"):
            labeling.run(Predictor(checkpoint, pick_device(device), mapping), todo, batch_size)
        labeling.hear_again()
        labeling.write_table()
    labeling.describe(report, todo, folders, others)
    describe_mapping(report, mapping, data_path)
    return report


def _check(threshold: float, batch_size: int, table: ClassTable) -> None:
    for name, value, low, high in (("threshold", threshold, 0, 1), ("batch_size", batch_size, 1, 65536)):
        if not low <= value <= high:
            raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                                _("Use a number from {low} to {high}.").format(low=low, high=high))
    if threshold > 0 and table.unknown_id is None:
        raise NpyLabelError(
            "no_unknown_class", _("The class table has no class for unsure photos."),
            _('Mark one with "unknown": true in the class table, or use threshold=0.'))


class _Labeling:
    """The labels of one folder of photos."""

    def __init__(
        self, input_dir: Path, photos: list[str], output_dir: Path, table: ClassTable, checkpoint: Checkpoint,
        mapping: ClassMapping, model_sha256: str, threshold: float, decided: ClassDecisions,
    ) -> None:
        self.input_dir, self.photos, self.output_dir, self.table = input_dir, photos, output_dir, table
        self.checkpoint, self.model_sha256, self.threshold = checkpoint, model_sha256, threshold
        output_dir.mkdir(parents=True, exist_ok=True)
        remove_leftovers(output_dir, output_dir.parent)
        self.journal = labels_journal(output_dir)
        self.rows, self.ours = read_labels_now(output_dir)
        self.originals = original_hashes(input_dir.parent)
        self.said = SaidLabels(table_path(output_dir), self.rows, self.ours, self.originals,
                               mapping.with_rows(self.rows.values()), decided)
        self.unreadable: dict[str, str] = {}
        self.replaced = 0

    def todo(self, overwrite: bool) -> set[str]:
        """The photos that need a label; what stays is what a person decided, and what is whole and of this model."""
        todo, decided = set(), []
        looked = track(run_threads(self._look, self.photos), total=len(self.photos), label=_("Checking labels"))
        # All decisions are understood before the first file is written.
        for photo, (found, photo_sha256) in zip(self.photos, looked, strict=True):
            row, decision = self.rows.get(label_name(photo)), self.said.class_id(
                label_name(photo), self.label_path(photo), found)
            if decision is not None:
                decided.append((photo, decision, found, photo_sha256))
            elif overwrite or row is None or found != row.class_id or not self._is_current(row, photo_sha256):
                todo.add(photo)
        self.said.keep()
        for photo, decision, found, photo_sha256 in decided:
            self._keep_human(photo, decision, found, photo_sha256)
        return todo

    def _look(self, photo: str) -> tuple[int | None, str | None]:
        """(what is in the label file, SHA-256 of the photo); only photos with a whole label are read for that."""
        found = self._found(photo)
        if found is None:
            return None, None
        try:
            return found, sha256_file(self.input_dir / photo)
        except OSError:
            return found, None

    def _found(self, photo: str) -> int | None:
        """The id in the label file, or None where there is no whole file."""
        try:
            return read_label(self.label_path(photo))
        except (LabelError, OSError):
            return None

    def _keep_human(self, photo: str, decided: int, found: int | None, photo_sha256: str | None) -> None:
        name = label_name(photo)
        row = human_row(name, decided, self.table, photo_sha256 or sha256_file(self.input_dir / photo),
                        self.originals.get(name, ""))
        if found != decided:
            # The journal first: the row of before may count its ids by another table.
            self.journal.append(_entry(row, found))
            write_label(self.label_path(photo), decided)
        self.rows[name] = row

    def _is_current(self, row: LabelRow, photo_sha256: str | None) -> bool:
        return (row.photo_sha256 == photo_sha256 and row.model_sha256 == self.model_sha256
                and row.threshold == _number(self.threshold) and row.classes_sha256 == self.table.sha256)

    def label_path(self, photo: str) -> Path:
        """The label file of a photo."""
        return self.output_dir / f"{Path(photo).stem}.npy"

    def run(self, predictor: Predictor, todo: set[str], batch_size: int) -> None:
        """Label the photos that are to do.

        Photos meet the network in the same groups whatever is to do, so that a resumed run computes what an
        unbroken one would have, to the last bit. Each group is read, decoded and predicted by one thread.
        """
        chunks = (self.photos[start:start + CHUNK] for start in range(0, len(self.photos), CHUNK))
        needed = [chunk for chunk in chunks if any(photo in todo for photo in chunk)]
        ahead = max(cpu_count(), batch_size // CHUNK)
        with predictor.sharing_cores():
            groups = run_threads(lambda chunk: self._predicted(predictor, chunk, todo), needed, ahead=ahead)
            for rows, unreadable in track(groups, total=len(needed), label=_("Labels")):
                self._write(rows)
                self.unreadable |= unreadable

    def _predicted(
        self, predictor: Predictor, chunk: Sequence[str], todo: set[str]
    ) -> tuple[dict[str, LabelRow], dict[str, str]]:
        """(rows, reason codes) by file name, of the photos of a group that are to do."""
        loaded = [load_photo(self.input_dir, name, self.checkpoint.photo_px, self.checkpoint.fit) for name in chunk]
        good = [photo for photo in loaded if photo.pixels is not None]
        probabilities = predictor.probabilities(np.stack([photo.pixels for photo in good])) if good else []
        rows = {photo.name: self._row(photo, row, predictor.class_ids)
                for photo, row in zip(good, probabilities, strict=True) if photo.name in todo}
        return rows, {photo.name: photo.code for photo in loaded if photo.code and photo.name in todo}

    def _row(self, photo: LoadedPhoto, probabilities: np.ndarray, class_ids: np.ndarray) -> LabelRow:
        best = int(class_ids[probabilities.argmax()])
        confidence = float(probabilities.max())
        class_id = best if confidence >= self.threshold else self.table.unknown_id
        names, name = self.table.names, label_name(photo.name)
        return compact(LabelRow(
            name, class_id, names[class_id], f"{confidence:.4f}", best_class_id=str(best), best_class_name=names[best],
            threshold=_number(self.threshold), photo_sha256=photo.photo_sha256, model_sha256=self.model_sha256,
            classes_sha256=self.table.sha256, written_id=str(class_id), original_sha256=self.originals.get(name, "")))

    def _write(self, rows: Mapping[str, LabelRow]) -> None:
        """Write the labels of one group."""
        # The journal first: a label file that is not in it would look like one that a person wrote.
        self.journal.append(*(_entry(row, self._found(photo)) for photo, row in rows.items()))
        for photo, row in rows.items():
            path = self.label_path(photo)
            if row.name not in self.rows and path.exists():
                write_bytes(self.output_dir.parent / REPLACED / path.name, path.read_bytes())
                self.replaced += 1
            write_label(path, row.class_id)
            self.rows[row.name] = row

    def hear_again(self) -> None:
        """Take in what people decided while this run was labeling."""
        decided = ClassDecisions(self.table, self.said.decided.folder)
        for photo in self.photos:
            said = decided.class_id(self.originals.get(label_name(photo), ""))
            row = self.rows.get(label_name(photo))
            if said is not None and (row is None or (row.source, row.class_id) != (HUMAN, said)):
                self._keep_human(photo, said, self._found(photo), None)

    def write_table(self) -> None:
        """Write ``labels.csv``, with the rows of the photos that are there and of all that a person decided."""
        names = {label_name(photo) for photo in self.photos if photo not in self.unreadable}
        write_label_rows(table_path(self.output_dir), {
            name: row for name, row in self.rows.items() if name in names or row.source == HUMAN})

    def describe(self, report: StepReport, todo: set[str], folders: list[str], others: list[str]) -> None:
        """Fill the report."""
        rows = [self.rows[label_name(photo)] for photo in self.photos if photo not in self.unreadable]
        unknown = sum(row.class_id == self.table.unknown_id for row in rows)
        report.facts |= {
            "photos": len(self.photos), "labels": len(rows), "unreadable": dict(sorted(self.unreadable.items())),
            "human": sum(row.source == HUMAN for row in rows), "folders_not_read": folders,
            "dtype": "int64", "shape": [1],
            "ids_in_table": all(row.class_id in self.table.names for row in rows),
        }
        counts = Counter(row.class_name for row in rows)
        report.measured |= {
            "labeled_now": len(todo) - len(self.unreadable), "kept": len(rows) - len(todo) + len(self.unreadable),
            "unknown": unknown, "unknown_share": round(unknown / max(len(rows), 1), 4),
            "per_class": dict(counts.most_common()),
        }
        for name, code in list(self.unreadable.items())[:10]:
            report.messages.append(_("Not labeled: {name} ({code})").format(name=name, code=code))
        if folders:
            report.messages.append(_("Sub-folders are not read: {names}.").format(names=", ".join(folders[:5])))
        if others:
            report.messages.append(_("Not .jpg, .jpeg or .png, so not labeled: {names}.").format(
                names=", ".join(others[:5])))
        if self.replaced:
            report.messages.append(_("{count} labels of unknown origin were replaced; they are kept in {path}.").format(
                count=self.replaced, path=self.output_dir.parent / REPLACED))
        report.messages.append(_("{unknown} of {count} photos are below {threshold} and got the unknown class.").format(
            unknown=unknown, count=len(rows), threshold=self.threshold))
        if judged := from_saved(self.checkpoint.judged):
            report.messages.append(at_threshold(judged, self.threshold).sentence())
        report.faulty = bool(self.unreadable)
        report.files |= {"labels": self.output_dir, "labels.csv": table_path(self.output_dir)}
        report.next_step = _("Next: notebook 05, verify_tintora.")


def _entry(row: LabelRow, before: int | None) -> dict:
    """The journal's entry for a label that is about to be written, with what its file holds before that."""
    return {"row": asdict(row), "before": "" if before is None else str(before)}


def _number(value: float) -> str:
    return f"{value:g}"
