"""Which class a person gave a photo: in label file, ``labels.csv`` or journal; the newest word counts."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from npylabel.dataset.class_decisions import BY_FOLDER, ClassDecisions
from npylabel.dataset.decisions import ASSIGN, LABEL, Decision
from npylabel.dataset.labels import LabelRow
from npylabel.labeler.class_mapping import ClassMapping


class SaidLabels:
    """What people said about the labels of one folder.

    Args:
        table_path: of ``labels.csv``.
        rows: of it, by name.
        ours: all that label files may hold without a person, by name.
        originals: SHA-256 of the original by name.
        mapping: what the ids of earlier tables mean today.
        decided: the journal.
    """

    def __init__(
        self, table_path: Path, rows: Mapping[str, LabelRow], ours: Mapping[str, AbstractSet[str]],
        originals: Mapping[str, str], mapping: ClassMapping, decided: ClassDecisions,
    ) -> None:
        self.table_path, self.rows, self.ours, self.originals = table_path, rows, ours, originals
        self.mapping, self.decided = mapping, decided
        # Words by hand that are newer than what the journal says; see ``keep``.
        self._newer: dict[str, Decision] = {}

    def class_id(self, name: str, path: Path, found: int | None) -> int | None:
        """Today's id of the class that a person gave a photo; None where nobody did.

        Args:
            name: of the photo.
            path: its label file.
            found: what that holds, None where it is not whole.
        """
        by_hand, original = self._by_hand(name, found), self.originals.get(name, "")
        said = self.decided.class_id(original)
        if said is None and (by_hand is None or not self.decided.is_withdrawn(original, by_hand)):
            return by_hand
        if by_hand in (None, said) or not self._is_newer(name, path, found):
            return said
        action = ASSIGN if self.decided.state(original).trains else LABEL
        self._newer[original] = Decision(original, action, name, self.decided.table.names[by_hand], source=BY_FOLDER)
        return by_hand

    def _by_hand(self, name: str, found: int | None) -> int | None:
        """The class in row or label file, where a person decided on it; the journal may have been there first."""
        row, original = self.rows.get(name), self.originals.get(name, "")
        if row is None or (row.original_sha256 and original and row.original_sha256 != original):
            return None  # Nothing is known of it, or the decision was about another photo of that name.
        decided = row.decision(found if found is not None and self.mapping.knows(row, found) else None, self.ours[name])
        return self.mapping.id_now(row, decided) if decided is not None and self.mapping.knows(row, decided) else None

    def _is_newer(self, name: str, path: Path, found: int | None) -> bool:
        """Whether a person changed row or label file after what the journal says about the photo."""
        row = self.rows[name]
        if str(row.class_id) != row.written_id:
            changed = self.table_path
        elif found is not None and str(found) not in self.ours[name]:
            changed = path
        else:
            return False
        return self.decided.is_older(self.originals.get(name, ""), changed.stat().st_mtime)

    def keep(self) -> None:
        """Write into the journal what people said by hand and what the journal has not heard, once."""
        self.decided.add(list(self._newer.values()))
        self._newer = {}
