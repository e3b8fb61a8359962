"""The board of colored photos: what each was colored as, and another class for it with a click."""

import secrets
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ipywidgets import HTML, Box, HBox, VBox

from npylabel.base.i18n import _
from npylabel.base.saver import BackgroundSaver
from npylabel.colorizer.color_desk import ColorDesk
from npylabel.colorizer.color_worker import ColorWorker
from npylabel.colorizer.painter import LIKELIEST
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.decisions import CLEAR
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.before_after import preview
from npylabel.ui.board_looks import CSS as BOARD_CSS
from npylabel.ui.class_picker import ClassPicker
from npylabel.ui.color_looks import (
    CSS,
    SIDE_PX,
    class_text,
    color_filters,
    color_tile,
    head_html,
    pair_html,
    photo_html,
)
from npylabel.ui.css import set_style, style_widget
from npylabel.ui.decision_board import DecisionBoard, Words, named
from npylabel.ui.review_looks import CSS as REVIEW_CSS
from npylabel.ui.review_looks import shares_css
from npylabel.ui.tile_grid import ONE, SINGLE

SUGGESTIONS = 8


class ColorBoard(DecisionBoard):
    """Colored photos as a widget; a click is about the photo that is shown large, or about all that are selected.

    A choice is on the disk first; then the photo is colored again by a thread, and its tile follows.

    Args:
        desk: the photos.
        thumbnails, saving, rows, columns: see ``DecisionBoard``.

    Attributes:
        worker: colors photos again.
    """

    def __init__(
        self, desk: ColorDesk, thumbnails: Thumbnails, *, saving: BackgroundSaver | None = None, rows: int = 5,
        columns: int = 5,
    ) -> None:
        # The thread that colors shows what it did, while a person may be clicking.
        self._lock = threading.RLock()
        self.worker = ColorWorker(desk.color)
        self._shown: DeskPhoto | None = None
        self._selected: list[int] = []
        self._pair, self._before = ("", ""), ("", "")
        back = _("{count} photos are changed back")
        super().__init__(desk, thumbnails, Words("", "", back, back),
                         [(name, name) for name in desk.class_names()], saving=saving, rows=rows, columns=columns)
        self.buttons["clear"].description = _("let the network choose")
        self.buttons["unknown"].description = _("color without a class")
        self.buttons["redo"].description = "↷ " + _("redo")
        self.picker = ClassPicker(desk.table.names, self._find, describe=self._describe, limit=SUGGESTIONS)
        self.picker.on_pick(self._picked)
        self.pair, self.detail, self._shares = HTML(), HTML(), style_widget()
        self.asked, self.place = named(HTML(), "npl-ask"), named(HTML(), "npl-pager")
        self.steps = [self._button("‹", partial(self._step, -1), "npl-prior", _("photo before")),
                      self._button(_("next photo") + " ›", partial(self._step, 1), "npl-following")]
        self._mark = f"npl-{secrets.token_hex(4)}"
        self.tops = [self._button("", partial(self._take_top, place), f"npl-top{place}") for place in range(LIKELIEST)]
        self.children = [style_widget(BOARD_CSS + REVIEW_CSS + CSS), self._shares, self._body()]
        for css_class in ("npl-review", "npl-colors", self._mark):
            self.add_class(css_class)
        self.worker.on_change(self._colored)
        self.worker.add(photo.name for photo in desk.left_over())
        with self._lock:
            self._turned()

    def _filters(self) -> list[tuple[str, str]]:
        return color_filters()

    def _modes(self) -> list[tuple[str, str]]:
        # A person who looks through photos must not collect those that the next class is for.
        return [(_("one photo"), SINGLE), (_("several photos"), ONE)]

    def _path(self, photo: DeskPhoto) -> Path:
        return self.desk.path(photo)

    def _body(self) -> Box:
        side = VBox([
            self.pair, named(named(HBox([self.steps[0], self.place, self.steps[1]]), "npl-row"), "npl-steps"),
            self.detail, self.asked, named(VBox(self.tops), "npl-tops"), self.picker,
            self._row("clear", "unknown", "undo", "redo"), self.said, named(HBox([self.here, self.there]), "npl-row")])
        parts = {"head": VBox([self.head]), "side": side, "main": VBox([self._pager_row(), self.grid])}
        return named(Box([named(part, f"npl-{name}") for name, part in parts.items()]), "npl-body")

    def _find(self, text: str) -> list[int]:
        """Classes for a text, those that the network was taught first; for none those that were used last."""
        top = {name for name, _share in self.desk.row(self._shown).likeliest} if self._shown else set()
        recents = [name for name in self.desk.recents if name not in top]
        found = find_classes(self.desk.table, text, recents, len(self.desk.table.names))
        found = [class_id for class_id in found if class_id != self.desk.table.unknown_id]
        taught = [class_id for class_id in found if self.desk.is_taught(class_id)]
        return [*taught, *(class_id for class_id in found if text and class_id not in taught)][:SUGGESTIONS]

    def _describe(self, class_id: int) -> str:
        name = self.desk.table.names[class_id]
        return name if self.desk.is_taught(class_id) else _("{name} (not taught)").format(name=name)

    def safely(self, action: Callable[[], object]) -> None:
        """Do what a click means, while nothing else changes the board."""
        with self._lock:
            super().safely(action)

    def _filter_changed(self, change: dict) -> None:
        with self._lock:
            super()._filter_changed(change)

    def _selected_changed(self, selected: list[int]) -> None:
        """Show what was selected last."""
        with self._lock:
            new = [place for place in selected if place not in self._selected]
            self._selected = selected
            if new:
                self._show_photo(self.pages.photos[new[0]])
            self._show_asked()

    def _step(self, step: int) -> None:
        """Show the next photo, or the one before, also of another page."""
        place = self._number() + step
        if 0 <= place < len(self.pages.chosen):
            if place // self.pages.size != self.pages.number:
                self._turn(step)
            place %= self.pages.size
            self.grid.select([place])
            self._selected = [place]
            self._show_photo(self.pages.photos[place])

    def _number(self) -> int:
        """The place of the large photo among those of all pages; -1 where there is none."""
        return self.pages.chosen.index(self._shown) if self._shown in self.pages.chosen else -1

    def _chosen(self) -> list[DeskPhoto]:
        """The selected photos; where none is, the one that is shown large."""
        return self.selected or ([self._shown] if self._shown else [])

    def _take_top(self, place: int) -> None:
        if self._shown:
            self._assign(self.desk.row(self._shown).likeliest[place][0])

    def _to_accept(self) -> list[DeskPhoto]:
        return []

    def _give(self, photos: Sequence[DeskPhoto], class_name: str) -> int:
        return self.desk.give(photos, class_name)

    def _unknown(self) -> None:
        unknown = self.desk.table.unknown_id
        if unknown is None:
            super()._unknown()
        elif chosen := self._chosen():
            self._decided(self._give(chosen, self.desk.table.names[unknown]), _("without a class"))

    def _decide(self, action: str) -> None:
        if action == CLEAR and (chosen := self._chosen()):
            self._decided(self.desk.decide(chosen, action), _("the network chooses"))

    def _decided(self, count: int, what: str) -> None:
        if count:
            super()._decided(count, what)
        else:
            self.say(_("Nothing changes: {what}.").format(what=what))

    def done(self, count: int, text: str, *, stay: bool = True) -> None:
        """Color again what was decided otherwise, and go on showing the same photos."""
        if count:
            self.worker.add(photo.name for photo in self.desk.changed)
        super().done(count, text, stay=bool(count))

    def _colored(self, source: str, fault: str) -> None:
        """A photo is done: its picture, its class and its tile are others now; called by the thread that colors."""
        with self._lock:
            row = self.desk.rows[source]
            if fault:
                self.say(fault, is_bad=True)
            else:
                self.say(_("{name} is colored: {what}.").format(name=row.file_name, what=class_text(row)))
            if any(photo.name == source for photo in self.pages.photos):
                self._pictures = self._made.get([*map(self._path, self.pages.photos)])
            self._show()
            if self._shown:
                self._show_photo(self._shown)
            if self._saving:
                self._saving.note()

    def finish(self) -> None:
        """Nobody decides here any more; what waits is colored by the next run over the folder."""
        self.worker.close()
        super().finish()

    def _turned(self) -> None:
        self._shown = None
        self.grid.select(())
        super()._turned()

    def _changed(self, stay: bool) -> None:
        """Show the page after a decision; what was changed is selected, or what was shown before."""
        photos = [*self.pages.photos]
        changed = [photo for photo in self.desk.changed if photo in photos] if stay else []
        first = self._shown if self._shown in photos else photos[0] if photos else None
        wanted = changed or ([first] if first else [])
        self.grid.select(photos.index(photo) for photo in wanted)
        self._show()
        self._show_photo(self._shown if self._shown in wanted else wanted[0] if wanted else None)

    def _show(self) -> None:
        """Bring everything but the large photo up to date."""
        desk, photos, waiting = self.desk, self.pages.photos, self.worker.waiting
        self._selected = self.grid.selected
        self.grid.show([color_tile(desk.row(photo), picture, photo.name in waiting)
                        for photo, picture in zip(photos, self._pictures, strict=True)], keep_selected=True)
        self.head.value = head_html(desk, len(waiting))
        super()._show()
        if not photos:
            self.say(_("There are no photos of this kind."))

    def _show_photo(self, photo: DeskPhoto | None) -> None:
        """Show a photo large, before and after, with what it was colored as and its likeliest classes."""
        self._shown = photo
        row = self.desk.row(photo) if photo else None
        self._show_pair(photo)
        self.detail.value = photo_html(row, photo.name in self.worker.waiting) if row else ""
        self._show_steps()
        likeliest = row.likeliest[:LIKELIEST] if row else []
        for place, button in enumerate(self.tops):
            name, share = likeliest[place] if place < len(likeliest) else ("", 0.0)
            is_now = bool(row) and name == row.label_name
            button.description = f"{'✓ ' if is_now else ''}{name} · {100 * share:.0f} %" if name else ""
            (button.remove_class if name else button.add_class)("npl-empty")
        set_style(self._shares, shares_css(self._mark, [share for _name, share in likeliest]))
        self._show_asked()
        self.picker.refresh()

    def _show_pair(self, photo: DeskPhoto | None) -> None:
        """The two pictures, sent only where one is another than before."""
        row = self.desk.row(photo) if photo else None
        key = (photo.name, row.picture_sha256) if photo and row else ("", "")
        if key != self._pair:
            self._pair = key
            if key[0] != self._before[0]:
                self._before = key[0], preview(self.desk.original(photo), SIDE_PX) if photo else ""
            after = preview(self.desk.path(photo), SIDE_PX) if photo else ""
            self.pair.value = pair_html(self._before[1], after, row.file_name) if row else ""
        is_waiting = photo is not None and photo.name in self.worker.waiting
        (self.pair.add_class if is_waiting else self.pair.remove_class)("npl-busy")

    def _show_steps(self) -> None:
        number, count = self._number() + 1, len(self.pages.chosen)
        self.place.value = _("photo {number} of {count}").format(number=number, count=count) if number else ""
        self.steps[0].disabled, self.steps[1].disabled = number <= 1, number >= count

    def _show_asked(self) -> None:
        """What the buttons below are for."""
        count = len(self._chosen())
        text = _("What does it show? The photo is colored again.") if count == 1 else _(
            "What do all {count} selected photos show? They are colored again.").format(count=count)
        self.asked.value = text if count else ""
