"""A work folder whose photos people sort into classes."""

from pathlib import Path

from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.decisions import Decision, DecisionJournal, read_decisions
from npylabel.photos.manifest import original_hashes
from tests.dataset.class_kit import TABLE
from tests.dataset.leave_kit import World

CLASS_DIR = object()


class SortedWorld(World):
    """The same work folder with a journal of decisions."""

    @property
    def decisions(self) -> Path:
        return self.root / "decisions"

    def copy(self, root: Path) -> "SortedWorld":
        other = super().copy(root)
        return SortedWorld(other.root, other.originals)

    def sha(self, name: str) -> str:
        """SHA-256 of the original of a photo, which may be out of the dataset."""
        known = {row["name"]: row["sha256"] for row in read_csv(self.root / "left_out/tintora_dataset/manifest.csv")}
        return (known | original_hashes(self.dataset))[name]

    def decide(self, action: str, *names: str, class_name: str = "") -> None:
        """One click on the board."""
        with DecisionJournal(self.decisions) as journal:
            journal.append([Decision(self.sha(name), action, name, class_name, "board") for name in names])

    def said(self) -> list[tuple[str, str, str, str]]:
        """(action, name, class, source) of all decisions, oldest first."""
        return [(each.action, each.name, each.class_name, each.source) for each in read_decisions(self.decisions)]

    def take(self, source: object = CLASS_DIR, **options: object) -> StepReport:
        """Step 02, with what was decided."""
        values = {"size_px": 64, "workers": 1, "dataset_dir": self.dataset, "decisions_dir": self.decisions, **options}
        return build_training_data(
            self.classes if source is CLASS_DIR else source, self.data, values.pop("table", TABLE), **values)

    def rows(self) -> dict[str, dict[str, str]]:
        """Rows of the split by path."""
        return {row["path"]: row for row in read_csv(self.data / "split.csv")}
