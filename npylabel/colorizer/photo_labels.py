"""Which class an old photo is colored as, before any network looks at it."""

from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.colorizer.color_table import GIVEN, LABELS, PERSON
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.class_search import class_unknown
from npylabel.dataset.labels import LabelError, read_label
from npylabel.photos.names import safe_stem


class Known(NamedTuple):
    """A class that is known, and who says so.

    Attributes:
        class_id: of the class table; None with a source: it shows none of the classes, and is colored freely.
        source: "given", "person" or "labels"; "" where nothing is known.
    """

    class_id: int | None = None
    source: str = ""

    @property
    def text(self) -> str:
        """The id as a table has it."""
        return "" if self.class_id is None else str(self.class_id)


class KnownLabels:
    """The classes that photos are colored as, as far as a person or a folder of labels says them.

    The strongest word is what a person decided about a photo; then the class for all photos; then its label file.

    Args:
        table: the class table.
        learned: ids that the network was taught to color.
        label: name, alias or id of a class for all photos; "" for none.
        labels_dir: ``.npy`` files by stem, or None.
        decided: what people decided about photos; None for nothing.

    Attributes:
        unusable: names of label files that are damaged, or whose class the network was not taught.
        untaught: names of classes that a person decided on and the network was not taught.

    Raises:
        NpyLabelError: ``class_unknown``, ``class_untrained``.
    """

    def __init__(
        self, table: ClassTable, learned: Collection[int], label: str = "", labels_dir: Path | None = None,
        decided: ClassDecisions | None = None,
    ) -> None:
        self.table, self._learned, self._decided = table, set(learned), decided or ClassDecisions(table)
        self._given = self._known(self.checked_id(label), GIVEN) if label else Known()
        self._files = {nfc(path.stem): path for path in labels_dir.glob("*.npy")} if labels_dir else {}
        self.unusable: set[str] = set()
        self.untaught: set[str] = set()

    def of(self, source: str, sha256: str = "") -> Known:
        """What is known of a photo.

        Args:
            source: of the original.
            sha256: of its bytes; "" where nobody has read them yet, so that nobody knows what was decided.
        """
        said = self.said(self._decided.state(sha256).class_name) if sha256 else Known()
        for known in (said, self._given):
            if known.source:
                return known
        return self._of_file(source)

    def said(self, class_name: str) -> Known:
        """What is known of a photo for which a person chose this class, "" for none."""
        class_id = self.table.find_name(class_name) if class_name else None
        if class_name and not self.is_usable(class_id):
            self.untaught.add(class_name)
        return self._known(class_id, PERSON) if self.is_usable(class_id) else Known()

    def is_usable(self, class_id: int | None) -> bool:
        """Whether photos can be colored as this: the network was taught it, or it is the class for none of them."""
        return class_id is not None and (class_id in self._learned or class_id == self.table.unknown_id)

    def _known(self, class_id: int, source: str) -> Known:
        return Known(None if class_id == self.table.unknown_id else class_id, source)

    def _of_file(self, source: str) -> Known:
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

    def checked_id(self, label: str) -> int:
        """The id of a class by name, alias or id.

        Raises:
            NpyLabelError: ``class_unknown``, and ``class_untrained`` where nothing can be colored as it.
        """
        class_id = self.table.find(label)
        if class_id is None:
            raise class_unknown(self.table, label)
        if not self.is_usable(class_id):
            raise NpyLabelError(
                "class_untrained",
                _("The network was not taught the class {name!r}.").format(name=self.table.names[class_id]),
                _("Choose another label, or none: then the network names each photo itself."))
        return class_id


def labels_folder(places: Places, labels_dir: str, sources: Sequence[Path]) -> Path | None:
    """The folder of label files that is named, else the one beside the photos, or None.

    Args:
        places: of the step.
        labels_dir: the name; "" for the folder beside the photos.
        sources: folders and zips of the photos.

    Raises:
        NpyLabelError: ``labels_missing`` where the folder that is named is not there.
    """
    if not labels_dir:
        return _labels_beside(sources)
    path = places.source(labels_dir)
    if not path.is_dir():
        raise NpyLabelError("labels_missing", _("There is no folder {path} with labels.").format(path=path),
                            _("Correct labels_dir, or leave it empty: then the network names the photos."))
    return path


def _labels_beside(sources: Sequence[Path]) -> Path | None:
    """The folder ``labels`` beside the only folder of photos, as datasets have it, or None."""
    labels_dir = sources[0].resolve().parent / "labels" if len(sources) == 1 and sources[0].is_dir() else None
    return labels_dir if labels_dir and labels_dir.is_dir() else None
