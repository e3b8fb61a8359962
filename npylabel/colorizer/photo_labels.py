"""Which class an old photo is colored as, before any network looks at it."""

from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.color_table import GIVEN, LABELS
from npylabel.dataset.labels import LabelError, read_label
from npylabel.photos.names import safe_stem


class Known(NamedTuple):
    """A class that is known: its id, None for nothing known, and who says so."""

    class_id: int | None = None
    source: str = ""


class KnownLabels:
    """The classes that photos are colored as, as far as a person or a folder of labels says them.

    Args:
        table: the class table.
        learned: ids that the network was taught to color.
        label: name, alias or id of a class for all photos; "" for none.
        labels_dir: ``.npy`` files by stem, or None.

    Attributes:
        unusable: names of label files that are damaged, or whose class the network was not taught.

    Raises:
        NpyLabelError: ``class_unknown``, ``class_untrained``.
    """

    def __init__(
        self, table: ClassTable, learned: Collection[int], label: str = "", labels_dir: Path | None = None,
    ) -> None:
        self.table, self._learned = table, set(learned)
        self._given = self._find(label) if label else None
        self._files = {nfc(path.stem): path for path in labels_dir.glob("*.npy")} if labels_dir else {}
        self.unusable: set[str] = set()

    def of(self, source: str) -> Known:
        """What is known of the photo with this source."""
        if self._given is not None:
            return Known(self._given, GIVEN)
        stem = PurePosixPath(source).stem
        # Photos of a dataset have the names that step 01 made of their originals' names.
        path = self._files.get(nfc(stem)) or self._files.get(safe_stem(stem))
        class_id = self._read(path) if path else None
        return Known() if class_id is None else Known(class_id, LABELS)

    def _read(self, path: Path) -> int | None:
        try:
            class_id = self.table.id_now(read_label(path))
        except (LabelError, OSError):
            class_id = None
        # The class for what nobody knows says nothing of colors.
        if class_id is not None and class_id == self.table.unknown_id:
            return None
        if class_id not in self._learned:
            self.unusable.add(path.name)
            return None
        return class_id

    def _find(self, label: str) -> int:
        class_id = self.table.find(label)
        if class_id is None:
            near = self.table.suggestion(label)
            what = _("There is no class {name!r} in the class table.").format(name=label)
            raise NpyLabelError(
                "class_unknown", what + (" " + _("Did you mean {near!r}?").format(near=near) if near else ""),
                _("Choose a name or an id of classes.json."))
        if class_id not in self._learned:
            raise NpyLabelError(
                "class_untrained",
                _("The network was not taught the class {name!r}.").format(name=self.table.names[class_id]),
                _("Choose another label, or none: then the network names each photo itself."))
        return class_id


def labels_beside(sources: Sequence[Path]) -> Path | None:
    """The folder ``labels`` beside the only folder of photos, as datasets have it, or None."""
    labels_dir = sources[0].resolve().parent / "labels" if len(sources) == 1 and sources[0].is_dir() else None
    return labels_dir if labels_dir and labels_dir.is_dir() else None
