"""A small dataset with a manifest, labels by a small labeler, and its training data beside it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from npylabel.dataset.decisions import DECISIONS, Decision, read_decisions
from npylabel.dataset.faults import FAULT, explain
from npylabel.dataset.human_labels import Labels
from npylabel.dataset.labels import LabelRow, read_label, read_label_rows, table_path
from npylabel.dataset.verify import verify_dataset
from npylabel.labeler.label import label_photos
from npylabel.labeler.review import Review
from npylabel.labeler.review_queue import Question, Sight, label_questions, open_sight
from npylabel.photos.manifest import PhotoRow, write_rows
from tests.labeler import kit


class World:
    """A work folder whose dataset is labeled, and questions about it.

    Args:
        root: the work folder.
        model_path: the labeler.
        data_path: what it was trained on.
        per_class: photos of each shape.
        ids: shapes of the photos.
    """

    def __init__(
        self, root: Path, model_path: Path, data_path: Path, per_class: int = 3, ids: Sequence[int] = kit.SHOWN
    ) -> None:
        self.root, self.model_path, self.data_path = root, model_path, data_path
        self.dataset, self.labels_dir = root / "dataset", root / "dataset" / "labels"
        kit.photo_folder(self.dataset / "color", per_class, ids)
        rows = []
        for path in sorted((self.dataset / "color").iterdir()):
            (self.dataset / "bw").mkdir(exist_ok=True)
            Image.open(path).convert("L").save(self.dataset / "bw" / path.name)
            rows.append(PhotoRow(path.stem, f"photos/{path.name}", hashlib.sha256(path.stem.encode()).hexdigest(),
                                 settings="48 crop png"))
        write_rows(self.dataset, rows)
        self.sha256 = {row.name: row.sha256 for row in rows}

    def label(self, **changes: object) -> None:
        """Run step 04."""
        values = {"model_path": self.model_path, "table": kit.TABLE, "device": "cpu",
                  "decisions_dir": self.root / DECISIONS, **changes}
        label_photos(self.dataset / "color", self.labels_dir, **values)

    def sight(self, *, with_training: bool = True) -> Sight:
        """The labeler."""
        return open_sight(self.model_path, kit.TABLE, self.data_path, device="cpu", with_training=with_training)

    def questions(self, sight: Sight | None = None) -> list[Question]:
        """What is asked about the labels."""
        return label_questions(self.dataset, self.labels_dir, sight or self.sight())

    def review(self, questions: list[Question] | None = None) -> Review:
        """A review of them."""
        found = self.questions() if questions is None else questions
        return Review(found, self.root, kit.TABLE, Labels(self.dataset, self.labels_dir, kit.TABLE), self.data_path)

    def decisions(self) -> list[Decision]:
        """The journal."""
        return read_decisions(self.root / DECISIONS)

    def words(self) -> list[tuple[str, str, str]]:
        """(name, action, class) of each line of the journal."""
        return [(decision.name, decision.action, decision.class_name) for decision in self.decisions()]

    def rows(self) -> dict[str, LabelRow]:
        """The rows of labels.csv."""
        return read_label_rows(table_path(self.labels_dir))

    def files(self) -> dict[str, int]:
        """The ids in the label files."""
        return {path.stem: read_label(path) for path in sorted(self.labels_dir.glob("*.npy"))}

    def agree(self) -> bool:
        """Whether label files and labels.csv say the same, and step 05 finds nothing wrong."""
        rows = {name: row.class_id for name, row in self.rows().items()}
        found = verify_dataset(self.dataset, kit.TABLE, size_px=48).findings
        return rows == self.files() and [finding for finding in found if explain(finding.code)[0] == FAULT] == []
