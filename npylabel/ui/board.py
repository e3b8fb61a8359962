"""The sorting board: a page of photos, and everything that a person can decide about them with a click or two."""

from collections.abc import Callable, Sequence

from ipywidgets import Box, HBox, VBox

from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.decisions import ASSIGN
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board_looks import CSS, page_tiles, progress_html
from npylabel.ui.class_picker import ClassPicker
from npylabel.ui.css import style_widget
from npylabel.ui.decision_board import DecisionBoard, Words, named

SUGGESTIONS = 10


class Board(DecisionBoard):
    """The board as a widget; a click is about the selected photos.

    Args:
        desk, thumbnails, saving, rows, columns: see ``DecisionBoard``.
        extras: more rows of widgets for the end, such as the exchange of pages.
    """

    def __init__(
        self, desk: Desk, thumbnails: Thumbnails, *, saving: BackgroundSaver | None = None,
        extras: Callable[["Board"], Sequence[Box]] = lambda _board: (), rows: int = 6, columns: int = 10,
    ) -> None:
        words = Words(_("accept guesses: {count}"), _("{count} guesses accepted"), _("{count} photos are as before"),
                      _("{count} photos are decided again"))
        names = sorted(desk.table.names.values())
        super().__init__(desk, thumbnails, words, [(name, name) for name in names], saving=saving, rows=rows,
                         columns=columns)
        self._progress = desk.progress()
        self.picker = ClassPicker(desk.table.names, self._find, describe=self._describe, limit=SUGGESTIONS)
        self.picker.on_pick(self._picked)
        self.children = [style_widget(CSS), self._body(extras(self))]
        self._turned()

    def _body(self, extras: Sequence[Box]) -> Box:
        side = VBox([
            self.picker, self._row("accept", "skip", "reject", "clear", "unknown", "undo", "redo"),
            named(HBox([self.here, self.there, self.said]), "npl-row")])
        parts = {"head": VBox([self.head]), "side": side, "main": VBox([self._pager_row(), self.grid]),
                 "tail": VBox([*extras])}
        return named(Box([named(part, f"npl-{name}") for name, part in parts.items()]), "npl-body")

    def _find(self, text: str) -> list[int]:
        return find_classes(self.desk.table, text, self.desk.recents, SUGGESTIONS)

    def _describe(self, class_id: int) -> str:
        name = self.desk.table.names[class_id]
        return f"{name} · {self._progress.goals[name].count}" if name in self._progress.goals else name

    def _chosen(self) -> list[DeskPhoto]:
        """The selected photos; where there are none, what to do is said."""
        chosen = self.selected
        if not chosen:
            self.say(_("First select photos with a click."))
        return chosen

    def _to_accept(self) -> list[DeskPhoto]:
        """The selected photos with a guess; where none is selected, all of the page that wait for a decision."""
        photos = self.selected or self.pages.to_do
        return [photo for photo in photos if photo.guess and not self.desk.state_of(photo).class_name]

    def _accept_guesses(self, photos: Sequence[DeskPhoto]) -> int:
        return self.desk.accept_guesses(photos)

    def _give(self, photos: Sequence[DeskPhoto], class_name: str) -> int:
        return self.desk.decide(photos, ASSIGN, class_name)

    def _show(self) -> None:
        self._progress = self.desk.progress()
        self.head.value = progress_html(self._progress, self.desk.recents)
        self.grid.show(page_tiles(self.pages.photos, self.desk.states, self._pictures), keep_selected=True)
        super()._show()
        if not self.pages.photos:
            self.say(_("There are no photos of this kind.") if self._progress.open else _("All photos are sorted."))
