"""What every board has: a page of photos as tiles, and the buttons that decide about them, turn pages and go back."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ipywidgets import HTML, Box, Button, Dropdown, HBox, VBox

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.decisions import CLEAR, LEAVE_OUT, SKIP, TAKE_BACK
from npylabel.dataset.desk import OUT, Desk, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board_looks import filter_options, here_html, light_html, message_html
from npylabel.ui.board_pages import Pages
from npylabel.ui.board_pictures import PagePictures
from npylabel.ui.tile_grid import TileGrid

if TYPE_CHECKING:
    from npylabel.dataset.own_desk import OwnDesk


class Words(NamedTuple):
    """What a board says in its own words, each with ``{count}``."""

    accept: str
    accepted: str
    undone: str
    redone: str


class DecisionBoard(VBox):
    """A page of photos and the buttons that decide about them, which a board lays out and gives their meaning.

    It says which photos a click is about (``_chosen``) and which guesses one accepts (``_to_accept``), and does both
    (``_give``, ``_accept_guesses``: how many photos changed); its ``picker`` is where classes are typed. ``_filters``
    are the kinds of photos that can be looked at, ``_modes`` what a click may select.
    A click is on the disk before the board shows it as done: the light "saved here" changes after that.

    Args:
        desk: the photos, and where decisions go.
        thumbnails: their pictures.
        words: of the board.
        classes: those that photos can be filtered by, as a dropdown shows them.
        saving: carries the decisions on, None where there is nothing to carry them to.
        rows: of tiles.
        columns: of tiles.
    """

    def __init__(
        self, desk: "Desk | OwnDesk", thumbnails: Thumbnails, words: Words, classes: Sequence[tuple[str, str]], *,
        saving: BackgroundSaver | None, rows: int, columns: int,
    ) -> None:
        self.desk, self._words, self._saving = desk, words, saving
        self.grid = TileGrid(rows, columns, modes=self._modes())
        self.grid.on_change(self._selected_changed)
        filters = self._filters()
        self.pages = Pages(desk, self.grid.capacity, filters[0][1])
        self._made, self._pictures = PagePictures(thumbnails), []
        self._decided_here = 0
        self.head, self.said, self.here, self.there, self.pager = HTML(), HTML(), HTML(), HTML(), HTML()
        self.pager.add_class("npl-pager")
        self.buttons = self._make_buttons()
        self.which = Dropdown(options=filters)
        self.class_filter = Dropdown(options=[(_("any class"), ""), *classes])
        for each in (self.which, self.class_filter):
            each.observe(self._filter_changed, "value")
        super().__init__()
        self.add_class("npl-board")
        if saving:
            saving.on_change(self._show_saving)
        self._show_here()

    def _filters(self) -> list[tuple[str, str]]:
        return filter_options()

    def _modes(self) -> list[tuple[str, str]] | None:
        return None

    def _path(self, photo: DeskPhoto) -> Path:
        """Of the picture on its tile."""
        return photo.path

    def _make_buttons(self) -> dict[str, Button]:
        """All buttons by what they do."""
        words, desk = self._words, self.desk
        specs = {
            "accept": ("", self._accept), "skip": (_("later"), partial(self._decide, SKIP)),
            "unknown": (_("none of the classes"), self._unknown), "reject": (_("do not use"), self._reject),
            "clear": (_("no decision"), partial(self._decide, CLEAR)),
            "undo": ("↶ " + _("undo"), lambda: self._go_back(desk.undo(), words.undone)),
            "redo": ("↷", lambda: self._go_back(desk.redo(), words.redone)),
            "back": ("‹", partial(self._turn, -1)), "next": ("›", partial(self._turn, 1)),
        }
        tooltips = {"redo": _("redo"), "back": _("page before"), "next": _("next page")}
        return {name: self._button(text, action, f"npl-{name}", tooltips.get(name, ""))
                for name, (text, action) in specs.items()}

    def _button(self, text: str, action: Callable[[], None], css_class: str, tooltip: str = "") -> Button:
        button = Button(description=text, tooltip=tooltip)
        button.on_click(lambda _button: self.safely(action))
        return named(button, css_class)

    def _row(self, *names: str) -> HBox:
        return named(HBox([self.buttons[name] for name in names]), "npl-row")

    def _pager_row(self) -> HBox:
        back, following = self.buttons["back"], self.buttons["next"]
        return named(HBox([self.which, self.class_filter, back, self.pager, following]), "npl-row")

    def safely(self, action: Callable[[], object]) -> None:
        """Do what a click means; what went wrong is said on the board and nothing is shown as done."""
        try:
            action()
        except NpyLabelError as error:
            self.say(str(error), is_bad=True)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say what happened."""
        self.said.value = message_html(text, is_bad)

    @property
    def selected(self) -> list[DeskPhoto]:
        """The selected photos."""
        photos = self.pages.photos
        return [photos[place] for place in self.grid.selected]

    def _selected_changed(self, _selected: list[int]) -> None:
        self._show_accept()

    def _picked(self, class_id: int) -> None:
        self.safely(lambda: self._assign(self.desk.table.names[class_id]))

    def _assign(self, class_name: str) -> None:
        if chosen := self._chosen():
            self._decided(self._give(chosen, class_name), class_name)

    def _unknown(self) -> None:
        unknown = self.desk.table.unknown_id
        if unknown is None:
            self.say(_("The class table has no class for unknown things."))
        else:
            self._assign(self.desk.table.names[unknown])

    def _decide(self, action: str) -> None:
        words = {SKIP: _("for later"), LEAVE_OUT: _("out"), TAKE_BACK: _("back again"), CLEAR: _("no decision")}
        if chosen := self._chosen():
            self._decided(self.desk.decide(chosen, action), words[action])

    def _reject(self) -> None:
        """Leave the chosen photos out; those that are out already come back."""
        are_out = all(kind_of(self.desk.state_of(photo)) == OUT for photo in self._chosen())
        self._decide(TAKE_BACK if are_out else LEAVE_OUT)

    def _decided(self, count: int, what: str) -> None:
        self.done(count, _("{count} photos: {what}").format(count=count, what=what))

    def _accept(self) -> None:
        count = self._accept_guesses(self._to_accept())
        self.done(count, self._words.accepted.format(count=count))

    def _go_back(self, count: int, text: str) -> None:
        self.done(count, text.format(count=count) if count else _("There is nothing more."), stay=True)

    def done(self, count: int, text: str, *, stay: bool = False) -> None:
        """Show what the desk has on the disk now.

        Args:
            count: photos that changed.
            text: what happened.
            stay: with the photos that changed, which a person wants to see again.
        """
        self.say(text)
        self._decided_here += count
        if count and self._saving:
            self._saving.note()
        is_other = self.pages.go_to(self.desk.changed) if count else False
        if self.pages.go_on() or is_other:
            self._turned()
        else:
            self._changed(stay)
        # Last of all: who sees the light sees the page as it is now.
        self._show_here()

    def finish(self) -> None:
        """Nobody decides here any more: what was decided is carried on now, and the journal is closed."""
        if self._saving:
            self._saving.close()
        self.desk.close()

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
        here, following = ([*map(self._path, photos)] for photos in (self.pages.photos, self.pages.following))
        self._pictures = self._made.get(here, following)
        self._changed(stay=False)

    def _changed(self, stay: bool) -> None:
        """Show the same page after a decision; ``stay`` as of ``done``."""
        self.grid.select(())
        self._show()

    def _show(self) -> None:
        """Bring everything on the page up to date; a board adds its tiles."""
        pages, buttons = self.pages, self.buttons
        self.pager.value = _("page {number} of {count}").format(number=pages.number + 1, count=pages.count)
        buttons["back"].disabled, buttons["next"].disabled = pages.number == 0, pages.number + 1 >= pages.count
        buttons["undo"].disabled, buttons["redo"].disabled = not self.desk.can_undo, not self.desk.can_redo
        self.picker.refresh()
        self._show_accept()

    def _show_accept(self) -> None:
        count = len(self._to_accept())
        self.buttons["accept"].description = self._words.accept.format(count=count)
        self.buttons["accept"].disabled = not count

    def _show_here(self) -> None:
        self.here.value = here_html(self._decided_here)

    def _show_saving(self, text: str, is_all: bool) -> None:
        self.there.value = light_html(text, is_all)


def named(box: Box, css_class: str) -> Box:
    """The widget, now with a class that the style sheet knows."""
    box.add_class(css_class)
    return box
