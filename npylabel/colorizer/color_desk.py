"""The colored photos of a folder as a board lays them out: what each was colored as, and how a person changes it."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.color_book import ColorBook
from npylabel.colorizer.color_choices import take_edits
from npylabel.colorizer.color_table import COLORED, GIVEN, LABELS, NETWORK, PERSON, ColorRow, read_color_rows
from npylabel.colorizer.photo_labels import Known, KnownLabels
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.decisions import LABEL
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.own_desk import OwnDesk
from npylabel.photos.sources import PhotoRef

SOURCE = "colors"
# Who said what a photo was colored as, in the order in which a person should look.
UNSURE, BY_NETWORK, BY_LABEL, BY_PERSON, ALL = "unsure", "network", "label", "person", "all"
_KINDS = (UNSURE, BY_NETWORK, BY_LABEL, BY_PERSON)


def kind_of_row(row: ColorRow) -> str:
    """Who said what a colored photo was colored as, one of the constants."""
    return {NETWORK: BY_NETWORK, LABELS: BY_LABEL, GIVEN: BY_PERSON, PERSON: BY_PERSON}.get(row.label_source, UNSURE)


class ColorDesk(OwnDesk):
    """Colored photos, those that the network is least sure of first, on the desk of one person in one process.

    A decision is on the disk when a call returns; ``color`` then brings the photo to it.

    Args:
        output_dir: of the colored photos.
        refs: the originals that are here, by source.
        color: colors a photo again as what is decided about it, see ``color_one``.
        table: of the classes.
        learned: ids that the network was taught.
        decisions_dir: where decisions go.

    Attributes:
        rows: of all photos of the folder by source, as they are now.

    Raises:
        NpyLabelError: ``table_damaged``, ``decisions_damaged``, and those of ``take_edits``.
    """

    def __init__(
        self, output_dir: Path, refs: Mapping[str, PhotoRef], color: Callable[[PhotoRef], ColorRow], table: ClassTable,
        learned: Collection[int], decisions_dir: Path,
    ) -> None:
        self.output_dir, self._refs, self._color = output_dir, refs, color
        self._labels = KnownLabels(table, learned)
        rows = take_edits(read_color_rows(output_dir), ClassDecisions(table, decisions_dir))
        # A run that was killed knows more than the table.
        self.rows: dict[str, ColorRow] = ColorBook(output_dir, rows, only=()).rows
        colored = sorted((row for row in self.rows.values() if row.status == COLORED), key=_order)
        super().__init__(Desk(output_dir, decisions_dir, table, source=SOURCE, photos=[
            DeskPhoto(row.source, _path(output_dir, row), row.sha256) for row in colored]))

    def row(self, photo: DeskPhoto) -> ColorRow:
        """What a photo was colored as."""
        return self.rows[photo.name]

    def path(self, photo: DeskPhoto) -> Path:
        """Its colored file."""
        return _path(self.output_dir, self.row(photo))

    def original(self, photo: DeskPhoto) -> PhotoRef | None:
        """The photo before, None where it is not here."""
        return self._refs.get(photo.name)

    def is_taught(self, class_id: int) -> bool:
        """Whether photos can be colored as a class."""
        return self._labels.is_usable(class_id)

    def shown(self, which: str = ALL, class_name: str = "") -> list[DeskPhoto]:
        """The photos of one kind and class, see the constants; "" is any class."""
        return [photo for photo in self.photos if which in (ALL, kind_of_row(self.row(photo)))
                and class_name in ("", self.row(photo).label_name)]

    def counts(self) -> Counter[str]:
        """How many photos there are of each kind."""
        return Counter(kind_of_row(self.row(photo)) for photo in self.photos)

    def class_names(self) -> list[str]:
        """The classes that photos were colored as, those with most photos first."""
        counts = Counter(self.row(photo).label_name for photo in self.photos)
        return [name for name, _count in counts.most_common() if name]

    def give(self, photos: Sequence[DeskPhoto], class_name: str) -> int:
        """How many photos are to be colored as a class now; the class for none of them colors them freely.

        Raises:
            NpyLabelError: ``class_unknown``, ``class_untrained``, ``disk_full``, ``disk_fault``,
                ``decisions_damaged``.
        """
        self._labels.checked_id(class_name)
        self._new(self.desk.decide(photos, LABEL, class_name))
        return self._to_follow(photos)

    def decide(self, photos: Sequence[DeskPhoto], action: str) -> int:
        """The same for a decision without a class, such as "clear": label file or network name the photos again."""
        super().decide(photos, action)
        return self._to_follow(photos)

    def _to_follow(self, photos: Sequence[DeskPhoto]) -> int:
        # Also one that was decided so before, and that a run for another class colored otherwise.
        self.changed = [photo for photo in self._same(photos) if not self.follows(photo)]
        return len(self.changed)

    def _settle(self, changed: Sequence[DeskPhoto]) -> None:
        super()._settle(self._same(changed))

    def _same(self, photos: Sequence[DeskPhoto]) -> list[DeskPhoto]:
        """All photos with the bytes of these: a decision is about bytes, and a photo may lie in two folders."""
        wanted = {photo.sha256 for photo in photos}
        return [photo for photo in self.photos if photo.sha256 in wanted]

    def said(self, photo: DeskPhoto) -> Known:
        """What a person decided about a photo."""
        return self._labels.said(self.state_of(photo).class_name)

    def follows(self, photo: DeskPhoto) -> bool:
        """Whether a photo is colored as a person decided, or without a person's word where there is none."""
        row, said = self.row(photo), self.said(photo)
        if said.source:
            return (row.label_source, row.label_id) == (PERSON, said.text)
        return kind_of_row(row) != BY_PERSON

    def left_over(self) -> list[DeskPhoto]:
        """Photos here that are not colored yet as was decided, since nobody ran or something was killed.

        What was colored as the class for a whole run was wanted so, unless something is decided about the photo.
        """
        return [photo for photo in self.photos if photo.name in self._refs and not self.follows(photo)
                and (self.said(photo).source or self.row(photo).label_source != GIVEN)]

    def color(self, source: str) -> None:
        """Color a photo again as what is decided about it; from any thread, one at a time.

        Raises:
            NpyLabelError: ``original_missing``, and those of ``color_one``.
        """
        ref = self._refs.get(source)
        if ref is None:
            raise NpyLabelError(
                "original_missing", _("The original of {name} is not here.").format(name=self.rows[source].file_name),
                _("Bring it back and color the photos again: your choice is kept."))
        self.rows[source] = self._color(ref)


def _path(folder: Path, row: ColorRow) -> Path:
    return folder / row.colored_name


def _order(row: ColorRow) -> tuple[int, float, str]:
    return _KINDS.index(kind_of_row(row)), float(row.confidence or 0), row.source
