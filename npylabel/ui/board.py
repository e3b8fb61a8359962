"""The sorting board: a page of photos, and everything that a person can decide about them with a click or two."""

from collections.abc import Callable, Sequence
from functools import partial

from ipywidgets import HTML, Box, Button, Dropdown, HBox, VBox

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.decisions import ASSIGN, CLEAR, LEAVE_OUT, SKIP, TAKE_BACK
from npylabel.dataset.desk import OUT, Desk, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board_looks import (
    CSS,
    filter_options,
    here_html,
    light_html,
    message_html,
    page_tiles,
    progress_html,
)
from npylabel.ui.board_pages import Pages
from npylabel.ui.board_pictures import PagePictures
from npylabel.ui.class_picker import ClassPicker
from npylabel.ui.css import style_widget
from npylabel.ui.tile_grid import TileGrid

SUGGESTIONS = 10


class Board(VBox):
    """The board as a widget.

    A click is on the disk before the board shows it as done: the light "saved here" changes after that.

    Args:
        desk: the photos, and where decisions go.
        thumbnails: their pictures.
        saving: carries the decisions on, None where there is nothing to carry them to.
        extras: more rows of widgets for the end, such as the exchange of pages.
        rows: of tiles.
        columns: of tiles.
    """

    def __init__(
        self, desk: Desk, thumbnails: Thumbnails, *, saving: BackgroundSaver | None = None,
        extras: Callable[["Board"], Sequence[Box]] = lambda _board: (), rows: int = 6, columns: int = 10,
    ) -> None:
        self.desk, self._saving = desk, saving
        self.grid = TileGrid(rows, columns)
        self.pages = Pages(desk, self.grid.capacity)
        self._made, self._pictures = PagePictures(thumbnails), []
        self._decided_here, self._is_setting = 0, False
        self._progress = desk.progress()
        self.picker = ClassPicker(desk.table.names, self._find, describe=self._describe, limit=SUGGESTIONS)
        self.picker.on_pick(self._assign)
        self.grid.on_change(lambda _selected: self._show_accept())
        self.head, self.said, self.here, self.there, self.pager = HTML(), HTML(), HTML(), HTML(), HTML()
        self.buttons = self._make_buttons()
        self.which = Dropdown(options=filter_options())
        self.class_filter = Dropdown(options=[(_("any class"), ""), *((name, name) for name in self._names())])
        for each in (self.which, self.class_filter):
            each.observe(self._filter_changed, "value")
        super().__init__([style_widget(CSS), self._body(extras(self))])
        self.add_class("npl-board")
        if saving:
            saving.on_change(self._show_saving)
        self._show_here()
        self._turned()

    def _names(self) -> list[str]:
        return sorted(self.desk.table.names.values())

    def _make_buttons(self) -> dict[str, Button]:
        """All buttons by what they do."""
        specs = {
            "accept": ("", self._accept), "skip": (_("later"), partial(self._decide, SKIP)),
            "unknown": (_("none of the classes"), self._unknown), "reject": (_("do not use"), self._reject),
            "clear": (_("no decision"), partial(self._decide, CLEAR)),
            "undo": ("↶ " + _("undo"), partial(self._go_back, desk_call="undo")),
            "redo": ("↷", partial(self._go_back, desk_call="redo")),
            "back": ("‹", partial(self._turn, -1)), "next": ("›", partial(self._turn, 1)),
        }
        tooltips = {"redo": _("redo"), "back": _("page before"), "next": _("next page")}
        buttons = {}
        for name, (text, action) in specs.items():
            buttons[name] = Button(description=text, tooltip=tooltips.get(name, ""))
            buttons[name].add_class(f"npl-{name}")
            buttons[name].on_click(lambda _button, action=action: self.safely(action))
        return buttons

    def _body(self, extras: Sequence[Box]) -> Box:
        side = VBox([
            self.picker, self._row("accept", "skip", "reject", "clear", "unknown", "undo", "redo"),
            _named(HBox([self.here, self.there, self.said]), "npl-row")])
        self.pager.add_class("npl-pager")
        pager = HBox([self.which, self.class_filter, self.buttons["back"], self.pager, self.buttons["next"]])
        parts = {"head": VBox([self.head]), "side": side, "main": VBox([_named(pager, "npl-row"), self.grid]),
                 "tail": VBox([*extras])}
        return _named(Box([_named(part, f"npl-{name}") for name, part in parts.items()]), "npl-body")

    def _row(self, *names: str) -> HBox:
        return _named(HBox([self.buttons[name] for name in names]), "npl-row")

    def safely(self, action: Callable[[], None]) -> None:
        """Do what a click means; what went wrong is said on the board and nothing is shown as done."""
        try:
            action()
        except NpyLabelError as error:
            self.say(str(error), is_bad=True)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say what happened."""
        self.said.value = message_html(text, is_bad)

    def _find(self, text: str) -> list[int]:
        return find_classes(self.desk.table, text, self.desk.recents, SUGGESTIONS)

    def _describe(self, class_id: int) -> str:
        name = self.desk.table.names[class_id]
        return f"{name} · {self._progress.goals[name].count}" if name in self._progress.goals else name

    @property
    def selected(self) -> list[DeskPhoto]:
        """The selected photos."""
        photos = self.pages.photos
        return [photos[place] for place in self.grid.selected]

    def _chosen(self) -> list[DeskPhoto]:
        """The selected photos; where there are none, what to do is said."""
        chosen = self.selected
        if not chosen:
            self.say(_("First select photos with a click."))
        return chosen

    def _assign(self, class_id: int) -> None:
        self.safely(lambda: self._decide(ASSIGN, self.desk.table.names[class_id]))

    def _unknown(self) -> None:
        unknown = self.desk.table.unknown_id
        if unknown is None:
            self.say(_("The class table has no class for unknown things."))
        else:
            self._decide(ASSIGN, self.desk.table.names[unknown])

    def _reject(self) -> None:
        """Leave the selected photos out; those that are out already come back."""
        are_out = bool(self.selected) and all(kind_of(self.desk.state_of(photo)) == OUT for photo in self.selected)
        self._decide(TAKE_BACK if are_out else LEAVE_OUT)

    def _decide(self, action: str, class_name: str = "") -> None:
        if chosen := self._chosen():
            count = self.desk.decide(chosen, action, class_name)
            self.done(count, _("{count} photos: {what}").format(count=count, what=class_name or self._word(action)))

    def _word(self, action: str) -> str:
        words = {SKIP: _("for later"), LEAVE_OUT: _("out"), TAKE_BACK: _("back again"), CLEAR: _("no decision")}
        return words[action]

    def _to_accept(self) -> list[DeskPhoto]:
        """The selected photos with a guess; where none is selected, all of the page that wait for a decision."""
        photos = self.selected or self.pages.to_do
        return [photo for photo in photos if photo.guess and not self.desk.state_of(photo).class_name]

    def _accept(self) -> None:
        count = self.desk.accept_guesses(self._to_accept())
        self.done(count, _("{count} guesses accepted").format(count=count))

    def _go_back(self, desk_call: str) -> None:
        count = getattr(self.desk, desk_call)()
        texts = {"undo": _("{count} photos are as before"), "redo": _("{count} photos are decided again")}
        self.done(count, texts[desk_call].format(count=count) if count else _("There is nothing more."))

    def done(self, count: int, text: str) -> None:
        """Show what the desk has on the disk now.

        Args:
            count: photos that changed.
            text: what happened.
        """
        self.say(text)
        self._decided_here += count
        if count and self._saving:
            self._saving.note()
        is_other = self.pages.go_to(self.desk.changed) if count else False
        if self.pages.go_on() or is_other:
            self._turned()
        else:
            self.grid.select(())
            self._show()
        # Last of all: who sees the light sees the page as it is now.
        self._show_here()

    def _turn(self, step: int) -> None:
        self.desk.refresh()
        self.pages.turn(step)
        self._turned()

    def _filter_changed(self, _change: dict) -> None:
        self.safely(self.desk.refresh)
        self.pages.choose(self.which.value, self.class_filter.value)
        self._turned()

    def _turned(self) -> None:
        """Show another page with its pictures."""
        here, following = ([photo.path for photo in photos] for photos in (self.pages.photos, self.pages.following))
        self._pictures = self._made.get(here, following)
        self.grid.select(())
        self._show()

    def _show(self) -> None:
        """Bring everything on the page up to date."""
        self._progress = self.desk.progress()
        self.head.value = progress_html(self._progress, self.desk.recents)
        self.grid.show(page_tiles(self.pages.photos, self.desk.states, self._pictures), keep_selected=True)
        self.pager.value = _("page {number} of {count}").format(number=self.pages.number + 1, count=self.pages.count)
        self.buttons["back"].disabled = self.pages.number == 0
        self.buttons["next"].disabled = self.pages.number + 1 >= self.pages.count
        self.buttons["undo"].disabled, self.buttons["redo"].disabled = not self.desk.can_undo, not self.desk.can_redo
        self.picker.refresh()
        self._show_accept()
        if not self.pages.photos:
            self.say(_("There are no photos of this kind.") if self._progress.open else _("All photos are sorted."))

    def _show_accept(self) -> None:
        count = len(self._to_accept())
        self.buttons["accept"].description = _("accept guesses: {count}").format(count=count)
        self.buttons["accept"].disabled = not count

    def _show_here(self) -> None:
        self.here.value = here_html(self._decided_here)

    def _show_saving(self, text: str, is_all: bool) -> None:
        self.there.value = light_html(text, is_all)


def _named(box: Box, name: str) -> Box:
    box.add_class(name)
    return box
