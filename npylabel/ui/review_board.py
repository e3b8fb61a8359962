"""The review board: doubtful labels as a page of tiles, and one of them large with all that helps to decide."""

import secrets
from collections import Counter
from collections.abc import Sequence
from functools import partial

from ipywidgets import HTML, Box, Checkbox, HBox, VBox

from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.desk import OPEN, kind_of
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.labeler.calibration import percent
from npylabel.labeler.review import Review
from npylabel.labeler.review_queue import TOP
from npylabel.ui.board_looks import CSS as BOARD_CSS
from npylabel.ui.board_looks import bar_html
from npylabel.ui.class_picker import ClassPicker
from npylabel.ui.css import set_style, style_widget
from npylabel.ui.decision_board import DecisionBoard, Words, named
from npylabel.ui.review_looks import CSS, neighbors_html, question_html, question_tile, shares_css

SUGGESTIONS = 8


class ReviewBoard(DecisionBoard):
    """A review as a widget.

    Selected photos are decided together; where none is selected, the one that is shown large. After a decision the
    next photo that is open is shown.

    Args:
        review: the questions, and where the answers go.
        accept_text: what the button says that accepts selected photos, with ``{count}``.
        thumbnails, saving, rows, columns: see ``DecisionBoard``.
    """

    def __init__(
        self, review: Review, thumbnails: Thumbnails, *, accept_text: str,
        saving: BackgroundSaver | None = None, rows: int = 5, columns: int = 6,
    ) -> None:
        self.review, self._thumbnails = review, thumbnails
        self._shown: DeskPhoto | None = None
        self._selected: list[int] = []
        back = _("{count} photos are changed back")
        super().__init__(review, thumbnails, Words(accept_text, _("{count} photos accepted"), back, back),
                         _guessed_classes(review), saving=saving, rows=rows, columns=columns)
        self.buttons["redo"].description = "↷ " + _("redo")
        self.picker = ClassPicker(review.table.names, self._find, limit=SUGGESTIONS)
        self.picker.on_pick(self._picked)
        self.detail, self.near, self._shares = HTML(), HTML(), style_widget()
        self._mark = f"npl-{secrets.token_hex(4)}"
        self.tops = [self._button("", partial(self._take_top, place), f"npl-top{place}") for place in range(TOP)]
        self.train = Checkbox(value=True, indent=False, description=_("also an example to train on"))
        self.children = [style_widget(BOARD_CSS + CSS), self._shares, self._body()]
        for css_class in ("npl-review", self._mark):
            self.add_class(css_class)
        self._turned()

    def _body(self) -> Box:
        tops = named(VBox(self.tops), "npl-tops")
        side = VBox([
            self.detail, tops, self.picker, self.near, self.train, self._row("skip", "unknown", "reject", "clear"),
            self.said, named(HBox([self.here, self.there]), "npl-row")])
        main = VBox([self._pager_row(), self._row("accept", "undo", "redo"), self.grid])
        parts = {"head": VBox([self.head]), "side": side, "main": main}
        return named(Box([named(part, f"npl-{name}") for name, part in parts.items()]), "npl-body")

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
        return self.selected or ([self._shown] if self._shown else [])

    def _selected_changed(self, selected: list[int]) -> None:
        """Show what was selected last."""
        new = [place for place in selected if place not in self._selected]
        self._selected = selected
        if new:
            self._show_photo(self.pages.photos[new[0]])
        self.say(_("An answer is for all {count} selected photos.").format(
            count=len(selected)) if len(selected) > 1 else "")
        super()._selected_changed(selected)

    def _take_top(self, place: int) -> None:
        if self._shown:
            self._assign(self.review.question(self._shown).top[place].class_name)

    def _to_accept(self) -> list[DeskPhoto]:
        return [photo for photo in self._chosen() if not self.review.state_of(photo).class_name]

    def _accept_guesses(self, photos: Sequence[DeskPhoto]) -> int:
        return self.review.accept(photos, train=self.train.value)

    def _give(self, photos: Sequence[DeskPhoto], class_name: str) -> int:
        return self.review.correct(photos, class_name, train=self.train.value)

    def _turned(self) -> None:
        self._shown = None
        super()._turned()

    def _changed(self, stay: bool) -> None:
        super()._changed(stay)
        changed = [photo for photo in self.review.changed if photo in self.pages.photos]
        self._show_photo(changed[0] if stay and changed else self._next_open())

    def _next_open(self) -> DeskPhoto | None:
        """The first open photo behind the one that is shown, or else the first of the page."""
        photos = [*self.pages.photos]
        place = photos.index(self._shown) + 1 if self._shown in photos else 0
        ahead = [*photos[place:], *photos[:place]]
        is_open = (photo for photo in ahead if kind_of(self.review.state_of(photo)) == OPEN)
        return next(is_open, photos[0] if photos else None)

    def _show(self) -> None:
        """Bring everything but the large photo up to date."""
        review, photos = self.review, self.pages.photos
        self._selected = self.grid.selected
        self.grid.show([question_tile(review.question(photo), review.state_of(photo), picture)
                        for photo, picture in zip(photos, self._pictures, strict=True)], keep_selected=True)
        done, total = sum(kind_of(review.state_of(photo)) != OPEN for photo in review.photos), len(review.photos)
        self.head.value = bar_html(done, total, _("{done} of {total} answered").format(done=done, total=total))
        super()._show()
        if not photos:
            self.say(_("There are no photos of this kind."))

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


def _guessed_classes(review: Review) -> list[tuple[str, str]]:
    """The classes that the network guesses, as a dropdown shows them, those with most photos first."""
    counts = Counter(photo.guess for photo in review.photos)
    return [(f"{name} · {count}", name) for name, count in counts.most_common()]
