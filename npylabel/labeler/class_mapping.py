"""What the outputs of a model and the labels of before mean in today's class table: they are read by name."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.dataset.folders import count_class_files
from npylabel.dataset.labels import LabelRow
from npylabel.labeler.checkpoint import Checkpoint


@dataclass(frozen=True)
class ClassMapping:
    """How a model of one class table labels with another one.

    Attributes:
        before: the table that the model was trained with.
        table: today's.
        trained_ids: the model's classes, by their ids of before.
        ids: today's ids of the same classes, in the same order; classes that were merged share one.
        names_before: class name by id, by checksum of a table that labels were written with.
    """

    before: ClassTable
    table: ClassTable
    trained_ids: tuple[int, ...]
    ids: tuple[int, ...]
    names_before: dict[str, dict[int, str]] = field(default_factory=dict)

    @cached_property
    def is_same(self) -> bool:
        """Whether nothing changed since the training."""
        return self.before.sha256 == self.table.sha256

    def checksum(self, model_sha256: str) -> str:
        """What a label depends on: the model, and where its outputs have other ids now also which."""
        if self.ids == self.trained_ids:
            return model_sha256
        return sha256(f"{model_sha256} {self.ids}".encode()).hexdigest()

    def with_rows(self, rows: Iterable[LabelRow]) -> "ClassMapping":
        """The same, with what the rows themselves tell of the tables that they were written with."""
        names: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in rows:
            # What a person edited in the table may not fit together.
            if row.class_name and str(row.class_id) == row.written_id:
                names[row.classes_sha256][row.class_id].add(row.class_name)
            if row.best_class_name and row.best_class_id.isdigit():
                names[row.classes_sha256][int(row.best_class_id)].add(row.best_class_name)
        agreed = {table: {i: next(iter(found)) for i, found in by_id.items() if len(found) == 1}
                  for table, by_id in names.items()}
        return replace(self, names_before={**agreed, self.before.sha256: self.before.names})

    def knows(self, row: LabelRow, class_id: int) -> bool:
        """Whether an id in a row or its label file stands, or stood, for a class."""
        return self._name_before(row, class_id) is not None or self.table.id_now(class_id) is not None

    def id_now(self, row: LabelRow, class_id: int) -> int:
        """Today's id for the id that a person gave in a row or its label file.

        Raises:
            NpyLabelError: ``labels_other_classes`` where the class that the id stood for is not in today's table.
        """
        name = self._name_before(row, class_id)
        found = self.table.find_name(name) if name else self.table.id_now(class_id)
        if found is None or (not name and self._has_other_ids(row)):
            raise NpyLabelError(
                "labels_other_classes",
                _("A person gave {photo} the class {name!r}, which is not in the class table any more.").format(
                    photo=row.name, name=name or class_id),
                _('If another class has taken its place, add "aliases": [{name}] to that entry of classes.json. '
                  'Next time change classes in notebook 00_manage, which keeps track of the names.').format(
                      name=f'"{name}"'))
        return found

    def _name_before(self, row: LabelRow, class_id: int) -> str | None:
        """What an id meant when the row was written; None where it means what it does today, or nobody knows."""
        if row.classes_sha256 in ("", self.table.sha256):
            return None
        return self.names_before.get(row.classes_sha256, {}).get(class_id)

    def _has_other_ids(self, row: LabelRow) -> bool:
        """Whether the table that the row was written with is known to have had other ids."""
        if row.classes_sha256 in ("", self.table.sha256):
            return False
        names = self.names_before.get(row.classes_sha256, {})
        return any(self.table.find_name(name) not in (None, self.table.id_now(i)) for i, name in names.items())


def map_classes(checkpoint: Checkpoint, table: ClassTable) -> ClassMapping:
    """The mapping of a model's classes to today's, by name or alias and never by id.

    Raises:
        NpyLabelError: ``model_other_classes`` where a class that the model was trained on has no such name today.
    """
    before = checkpoint.table
    found = {class_id: table.find_name(before.names[class_id]) for class_id in checkpoint.trained_ids}
    missing = [before.names[class_id] for class_id, now in found.items() if now is None]
    if missing:
        raise NpyLabelError(
            "model_other_classes",
            _("The model was trained with another class table, and these of its classes are not in today's: {names}. "
              "Model / now: {difference}.").format(names=", ".join(missing[:5]), difference=before.difference(table)),
            _('Set classes_path to the table it was trained with, or train again. A class that only has another name '
              'now needs "aliases": ["its earlier name"] in classes.json.'))
    return ClassMapping(before, table, tuple(found), tuple(found.values()))


def describe_mapping(report: StepReport, mapping: ClassMapping, data_path: Path | None) -> None:
    """Say in the report what changed since the training; nothing where nothing did.

    Args:
        report: gets the messages, and the fact ``classes_changed``.
        mapping: of the model.
        data_path: the training folder, to count the photos that wait there for the training.
    """
    if mapping.is_same:
        return
    before, table = mapping.before, mapping.table
    sharing = Counter(mapping.ids)
    other_name = [(old, now) for old, now in zip(mapping.trained_ids, mapping.ids, strict=True)
                  if before.names[old] != table.names[now]]
    merged = sum(sharing[now] > 1 for _old, now in other_name)
    known = {table.find_name(name) for name in before.names.values()} | {table.unknown_id}
    new = [class_id for class_id in table.ids if class_id not in known]
    facts = {"renamed": len(other_name) - merged, "merged": merged, "new": [table.names[i] for i in new],
             "other_id": sum(old != now and sharing[now] == 1
                             for old, now in zip(mapping.trained_ids, mapping.ids, strict=True))}
    report.facts["classes_changed"] = facts
    report.messages.append(
        _("The class table changed since the model was trained; its outputs are read by name: {renamed} classes "
          "renamed, {merged} merged, {other_id} with another id.").format(**facts))
    if new:
        counts = count_class_files(data_path, table) if data_path else Counter()
        report.measured["training_photos_waiting"] = sum(counts[class_id] for class_id in new)
        report.messages.append(
            _("Unknown to the model until you train again: {names}; {count} training photos wait.").format(
                names=", ".join(facts["new"]), count=report.measured["training_photos_waiting"]))
