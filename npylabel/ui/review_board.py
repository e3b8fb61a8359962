"""The review board: doubtful labels as a page of tiles, and one of them large with all that helps to decide."""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from ipywidgets import HTML, Box, Button, Checkbox, Dropdown, HBox, VBox

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.decisions import CLEAR, LEAVE_OUT, SKIP, TAKE_BACK
from npylabel.dataset.desk import OPEN, OUT, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.labeler.calibration import percent
from npylabel.labeler.review import Review
from npylabel.labeler.review_queue import TOP
from npylabel.ui.board_looks import CSS as BOARD_CSS
from npylabel.ui.board_looks import filter_options, here_html, light_html, message_html
from npylabel.ui.board_pages import Pages
from npylabel.ui.class_picker import ClassPicker
from npylabel.ui.css import set_style, style_widget
from npylabel.ui.review_looks import CSS, neighbors_html, question_html, question_tile, shares_css
from npylabel.ui.tile_grid import TileGrid

SUGGESTIONS = 8


class ReviewBoard(VBox):
    """A review as a widget.

    Selected photos are decided together; where none is selected, the one that is shown large. After a decision the
    next photo that is open is shown.

    Args:
        review: the questions, and where the answers go.
        thumbnails: small pictures of photos.
        accept_text: what the button says that accepts selected photos, with ``{count}``.
        saving: carries the decisions on, None where there is nothing to carry them to.
        rows: of tiles.
        columns: of tiles.
    """

    def __init__(
        self, review: Review, thumbnails: Thumbnails, *, accept_text: str,
        saving: BackgroundSaver | None = None, rows: int = 5, columns: int = 6,
    ) -> None:
        self.review, self._thumbnails, self._accept_text, self._saving = review, thumbnails, accept_text, saving
        self._mark = f"npl-{secrets.token_hex(4)}"
        self.grid = TileGrid(rows, columns)
        self.pages = Pages(review, self.grid.capacity)
        self._pictures: Sequence[bytes] = ()
        self._shown: DeskPhoto | None = None
        self._selected: list[int] = []
        self._decided_here = 0
        self.picker = ClassPicker(review.table.names, self._find, limit=SUGGESTIONS)
        self.picker.on_pick(lambda class_id: self._safely(lambda: self._correct(review.table.names[class_id])))
        self.grid.on_change(self._selected_changed)
        self.head, self.said, self.here, self.there, self.pager = HTML(), HTML(), HTML(), HTML(), HTML()
        self.detail, self.near, self._shares = HTML(), HTML(), style_widget()
        self.tops = [self._button("", partial(self._take_top, place), f"npl-top{place}") for place in range(TOP)]
        self.buttons = self._make_buttons()
        self.train = Checkbox(value=True, indent=False, description=_("also an example to train on"))
        self.which = Dropdown(options=filter_options())
        self.class_filter = Dropdown(options=_class_options(review))
        for each in (self.which, self.class_filter):
            each.observe(lambda _change: self._safely(self._filter), "value")
        super().__init__([style_widget(BOARD_CSS + CSS), self._shares, self._body()])
        for name in ("npl-board", "npl-review", self._mark):
            self.add_class(name)
        if saving:
            saving.on_change(lambda text, is_all: setattr(self.there, "value", light_html(text, is_all)))
        self._show_here()
        self._turned()

    def _button(self, text: str, action: Callable[[], None], name: str) -> Button:
        button = Button(description=text)
        button.add_class(name)
        button.on_click(lambda _button: self._safely(action))
        return button

    def _make_buttons(self) -> dict[str, Button]:
        specs = {
            "accept": ("", self._accept), "skip": (_("later"), partial(self._decide, SKIP)),
            "unknown": (_("none of the classes"), self._unknown), "reject": (_("do not use"), self._reject),
            "clear": (_("no decision"), partial(self._decide, CLEAR)),
            "undo": ("↶ " + _("undo"), partial(self._go_back, self.review.undo)),
            "redo": ("↷ " + _("redo"), partial(self._go_back, self.review.redo)),
            "back": ("‹", partial(self._turn, -1)), "next": ("›", partial(self._turn, 1)),
        }
        return {name: self._button(text, action, f"npl-{name}") for name, (text, action) in specs.items()}

    def _body(self) -> Box:
        tops = _named(VBox(self.tops), "npl-tops")
        side = VBox([
            self.detail, tops, self.picker, self.near, self.train, self._row("skip", "unknown", "reject", "clear"),
            self.said, _named(HBox([self.here, self.there]), "npl-row")])
        self.pager.add_class("npl-pager")
        pager = HBox([self.which, self.class_filter, self.buttons["back"], self.pager, self.buttons["next"]])
        main = VBox([_named(pager, "npl-row"), self._row("accept", "undo", "redo"), self.grid])
        parts = [_named(VBox([self.head]), "npl-head"), _named(side, "npl-side"), _named(main, "npl-main")]
        return _named(Box(parts), "npl-body")

    def _row(self, *names: str) -> HBox:
        return _named(HBox([self.buttons[name] for name in names]), "npl-row")

    def _safely(self, action: Callable[[], object]) -> None:
        """Do what a click means; what went wrong is said on the board and nothing is shown as done."""
        try:
            action()
        except NpyLabelError as error:
            self.said.value = message_html(str(error), is_bad=True)

    def _find(self, text: str) -> list[int]:
        """Classes for a text; for none those of the training photos that look alike, and those that were used last."""
        recents = self.review.recents
        if self._shown and not text:
            question = self.review.question(self._shown)
            alike = dict.fromkeys(near.class_name for near in question.neighbors)
            top = {guess.class_name for guess in question.top}
            recents = [name for name in dict.fromkeys([*alike, *recents]) if name not in top]
        return find_classes(self.review.table, text, recents, SUGGESTIONS)

    def _chosen(self) -> list[DeskPhoto]:
        """The selected photos; where none is, the one that is shown large."""
        chosen = [self.pages.photos[place] for place in self.grid.selected]
        return chosen or ([self._shown] if self._shown else [])

    def _selected_changed(self, selected: list[int]) -> None:
        """Show what was selected last."""
        new = [place for place in selected if place not in self._selected]
        self._selected = selected
        if new:
            self._show_photo(self.pages.photos[new[0]])
        self.said.value = message_html(_("An answer is for all {count} selected photos.").format(
            count=len(selected)) if len(selected) > 1 else "")
        self._show_accept()

    def _take_top(self, place: int) -> None:
        self._correct(self.review.question(self._shown).top[place].class_name)

    def _correct(self, class_name: str) -> None:
        """Give the chosen photos a class."""
        chosen = self._chosen()
        count = self.review.correct(chosen, class_name, train=self.train.value)
        self._done(count, _("{count} photos: {what}").format(count=count, what=class_name))

    def _accept(self) -> None:
        count = self.review.accept(self._to_accept(), train=self.train.value)
        self._done(count, _("{count} photos accepted").format(count=count))

    def _to_accept(self) -> list[DeskPhoto]:
        return [photo for photo in self._chosen() if not self.review.state_of(photo).class_name]

    def _unknown(self) -> None:
        unknown = self.review.table.unknown_id
        if unknown is None:
            self.said.value = message_html(_("The class table has no class for unknown things."))
        else:
            self._correct(self.review.table.names[unknown])

    def _reject(self) -> None:
        """Leave the chosen photos out; those that are out already come back."""
        are_out = all(kind_of(self.review.state_of(photo)) == OUT for photo in self._chosen())
        self._decide(TAKE_BACK if are_out else LEAVE_OUT)

    def _decide(self, action: str) -> None:
        words = {SKIP: _("for later"), LEAVE_OUT: _("out"), TAKE_BACK: _("back again"), CLEAR: _("no decision")}
        count = self.review.decide(self._chosen(), action)
        self._done(count, _("{count} photos: {what}").format(count=count, what=words[action]))

    def _go_back(self, move: Callable[[], int]) -> None:
        count = move()
        self._done(count, _("{count} photos are changed back").format(count=count) if count else _(
            "There is nothing more."), stay=True)

    def _done(self, count: int, text: str, *, stay: bool = False) -> None:
        """Show what is on the disk now, and the next photo that is open."""
        self.said.value = message_html(text)
        self._decided_here += count
        if count and self._saving:
            self._saving.note()
        self._show_here()
        moved = self.pages.go_to(self.review.changed) if count else False
        if self.pages.go_on() or moved:
            self._turned()
            return
        self._select_none()
        self._show()
        changed = [photo for photo in self.review.changed if photo in self.pages.photos]
        self._show_photo(changed[0] if stay and changed else self._next_open())

    def _select_none(self) -> None:
        self.grid.select(())
        self._selected = []

    def _next_open(self) -> DeskPhoto | None:
        """The first open photo behind the one that is shown, or else the first of the page."""
        photos = [*self.pages.photos]
        place = photos.index(self._shown) + 1 if self._shown in photos else 0
        ahead = [*photos[place:], *photos[:place]]
        is_open = (photo for photo in ahead if kind_of(self.review.state_of(photo)) == OPEN)
        return next(is_open, photos[0] if photos else None)

    def _turn(self, step: int) -> None:
        self.review.refresh()
        self.pages.turn(step)
        self._turned()

    def _filter(self) -> None:
        self.review.refresh()
        self.pages.choose(self.which.value, self.class_filter.value)
        self._turned()

    def _turned(self) -> None:
        """Show another page with its pictures."""
        self._pictures = self._thumbnails.page([photo.path for photo in self.pages.photos])
        self._select_none()
        self._show()
        self._shown = None
        self._show_photo(self._next_open())

    def _show(self) -> None:
        """Bring everything but the large photo up to date."""
        review, photos = self.review, self.pages.photos
        self.grid.show([question_tile(review.question(photo), review.state_of(photo), picture)
                        for photo, picture in zip(photos, self._pictures, strict=True)], keep_selected=True)
        done = sum(kind_of(review.state_of(photo)) != OPEN for photo in review.photos)
        self.head.value = _head_html(done, len(review.photos))
        self.pager.value = _("page {number} of {count}").format(number=self.pages.number + 1, count=self.pages.count)
        self.buttons["back"].disabled = self.pages.number == 0
        self.buttons["next"].disabled = self.pages.number + 1 >= self.pages.count
        self.buttons["undo"].disabled, self.buttons["redo"].disabled = not review.can_undo, not review.can_redo
        self.picker.refresh()
        self._show_accept()
        if not photos:
            self.said.value = message_html(_("There are no photos of this kind."))

    def _show_photo(self, photo: DeskPhoto | None) -> None:
        """Show a photo large, with its most probable classes as buttons."""
        self._shown = photo
        question = self.review.question(photo) if photo else None
        self.detail.value = question_html(question, self.review.state_of(photo)) if question else ""
        self.near.value = neighbors_html(question.neighbors, self._thumbnails.page) if question else ""
        top = question.top if question else ()
        for place, button in enumerate(self.tops):
            button.description = f"{top[place].class_name} · {percent(top[place].confidence)}" if place < len(
                top) else ""
            (button.remove_class if place < len(top) else button.add_class)("npl-empty")
        set_style(self._shares, shares_css(self._mark, [guess.confidence for guess in top]))
        self.picker.refresh()
        self._show_accept()

    def _show_accept(self) -> None:
        count = len(self._to_accept())
        self.buttons["accept"].description = self._accept_text.format(count=count)
        self.buttons["accept"].disabled = not count

    def _show_here(self) -> None:
        self.here.value = here_html(self._decided_here)


def _class_options(review: Review) -> list[tuple[str, str]]:
    """The classes that the network guesses, as a dropdown shows them, those with most photos first."""
    counts = Counter(photo.guess for photo in review.photos)
    return [(_("any class"), ""), *((f"{name} · {count}", name) for name, count in counts.most_common())]


def _head_html(done: int, total: int) -> str:
    text = _("{done} of {total} answered").format(done=done, total=total)
    return (f"<div class='npl-progress'><div class='npl-bar'><div style='width:{100 * done / max(total, 1):.1f}%'>"
            f"</div></div><span class='npl-count'>{text}</span></div>")


def _named(box: Box, name: str) -> Box:
    box.add_class(name)
    return box
