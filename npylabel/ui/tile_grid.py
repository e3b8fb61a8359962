"""A page of photos as tiles that can be selected, made of core widgets only.

The buttons stay the same from page to page: what is in them comes as two style sheets, one with the pictures and a
small one with captions and marks. So a new page is two messages, whatever the number of tiles.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from ipywidgets import Box, Button, HBox, ToggleButton, ToggleButtons, VBox

from npylabel.base.i18n import _
from npylabel.ui.css import css_picture, css_string, set_style, style_widget

SINGLE, ONE, ROW, RANGE, GROUP = "single", "one", "row", "range", "group"
DONE, SKIPPED, OUT, DOUBT, CHOSEN, BUSY = "done", "skipped", "out", "doubt", "chosen", "busy"
# Frames of groups that stand side by side differ; what is behind shines through, so that they are calm on white and on
# black: blue, sand, sage, mauve.
_GROUP_COLORS = ("#5b82bdb0", "#b98a52b0", "#5f9a68b0", "#a070a8b0")


@dataclass(frozen=True)
class Tile:
    """One photo of a page.

    Attributes:
        picture: a small JPEG.
        caption: a line or two on the lower edge.
        badge: a few letters in the upper left corner.
        group: tiles with the same group, not "", show nearly the same and are framed together.
        mark: "" or one of DONE, SKIPPED, OUT, DOUBT, CHOSEN, BUSY, which color the caption; what is DONE, SKIPPED or
            OUT steps back behind the other tiles.
    """

    picture: bytes
    caption: str = ""
    badge: str = ""
    group: str = ""
    mark: str = ""


class TileGrid(VBox):
    """Tiles in rows; on a narrow screen there are more rows instead.

    Args:
        rows: on a wide screen.
        columns: on a wide screen.
        modes: what a click may select, with words for it, the first at first: SINGLE (the tile and no other one), ONE
            (the tile, too), ROW, RANGE or GROUP; None for all but SINGLE.
    """

    def __init__(
        self, rows: int = 6, columns: int = 10, *, modes: Sequence[tuple[str, str]] | None = None
    ) -> None:
        self.columns, self.tiles = columns, ()
        self._mark = f"npl-{secrets.token_hex(4)}"
        self._callbacks: list[Callable[[list[int]], None]] = []
        self._is_setting, self._anchor = False, None
        self._buttons = _toggles(rows * columns)
        for place, button in enumerate(self._buttons):
            button.add_class(f"npl-t{place}")
            button.observe(partial(self._clicked, place), "value")
        self._pictures, self._captions = style_widget(), style_widget()
        self.modes = ToggleButtons(options=modes or [
            (_("one by one"), ONE), (_("look-alikes"), GROUP), (_("from … to"), RANGE), (_("row"), ROW)])
        self.modes.observe(self._mode_changed, "value")
        self.all_button, self.none_button = Button(description=_("all")), Button(description=_("none"))
        self.all_button.on_click(lambda _button: self._picked(range(len(self.tiles))))
        self.none_button.on_click(lambda _button: self._picked(()))
        tools = HBox([self.modes, self.all_button, self.none_button])
        tools.add_class("npl-modes")
        tiles = Box(self._buttons)
        tiles.add_class("npl-tiles")
        super().__init__([style_widget(_CSS + _columns_css(columns)), self._pictures, self._captions, tools, tiles])
        self.add_class("npl-grid")
        self.add_class(self._mark)
        self.show(())

    @property
    def capacity(self) -> int:
        """The number of tiles that a page can have."""
        return len(self._buttons)

    @property
    def selected(self) -> list[int]:
        """Places of the selected tiles, ascending, counted from 0."""
        return [place for place, button in enumerate(self._buttons) if button.value]

    def show(self, tiles: Sequence[Tile], *, keep_selected: bool = False) -> None:
        """Put other tiles on the page; pictures are sent only where one is another than before.

        Args:
            tiles: ``capacity`` at most.
            keep_selected: leave selected what is selected.
        """
        tiles = tuple(tiles)
        if len(tiles) > self.capacity:
            raise ValueError(f"{len(tiles)} tiles for {self.capacity} places")
        if not keep_selected:
            self.select(())
        if [tile.picture for tile in tiles] != [tile.picture for tile in self.tiles]:
            set_style(self._pictures, "".join(
                f".{self._mark} .npl-t{place}{{background-image:{css_picture(tile.picture)}}}"
                for place, tile in enumerate(tiles)))
        self.tiles = tiles
        set_style(self._captions, self._captions_css())

    def select(self, places: Iterable[int]) -> None:
        """Select these tiles and no others, without a call of the callbacks."""
        wanted = set(places)
        self._is_setting, self._anchor = True, None
        try:
            for place, button in enumerate(self._buttons):
                button.value = place in wanted
        finally:
            self._is_setting = False

    def on_change(self, callback: Callable[[list[int]], None]) -> None:
        """Call back with the selected places whenever a person selects other tiles."""
        self._callbacks.append(callback)

    def _clicked(self, place: int, change: dict) -> None:
        if self._is_setting:
            return
        if self.modes.value == SINGLE:
            self._picked([place])
            return
        touched = self._touched(place, change["new"])
        chosen = {*self.selected, *touched} if change["new"] else {*self.selected} - {*touched}
        anchor = self._anchor
        self._picked(chosen)
        self._anchor = anchor

    def _touched(self, place: int, is_on: bool) -> Sequence[int]:
        """The places that a click on one of them means."""
        if self.modes.value == ROW:
            first = place - place % self.columns
            return range(first, first + self.columns)
        if self.modes.value == GROUP and place < len(self.tiles) and self.tiles[place].group:
            group = self.tiles[place].group
            return [other for other, tile in enumerate(self.tiles) if tile.group == group]
        if self.modes.value == RANGE:
            start, self._anchor = self._anchor, place if self._anchor is None and is_on else None
            if start is not None:
                return range(min(start, place), max(start, place) + 1)
        return [place]

    def _picked(self, places: Iterable[int]) -> None:
        self.select(place for place in places if place < len(self.tiles))
        for callback in self._callbacks:
            callback(self.selected)

    def _mode_changed(self, _change: dict) -> None:
        self._anchor = None

    def _captions_css(self) -> str:
        colors = _group_colors(self.tiles)
        rules = []
        for place, tile in enumerate(self.tiles):
            spot = f".{self._mark} .npl-tiles .npl-t{place}"
            if tile.caption:
                rules.append(f"{spot}::after{{content:{css_string(tile.caption)};{_MARKS[tile.mark]}}}")
            if tile.badge:
                rules.append(f"{spot}::before{{content:{css_string(tile.badge)}}}")
            frame = [f"0 0 0 4px {colors[tile.group]}"] if tile.group in colors else []
            veil = ["inset 0 0 0 99px #fff9"] if tile.mark in _VEILED else []
            if frame:
                rules.append(f"{spot}{{box-shadow:{frame[0]};border-radius:0}}")
            if veil:
                rules.append(f"{spot}:not(.mod-active){{box-shadow:{','.join(frame + veil)}}}")
        empty = [f".{self._mark} .npl-tiles .npl-t{place}" for place in range(len(self.tiles), self.capacity)]
        return "".join(rules) + (f"{','.join(empty)}{{display:none}}" if empty else "")


def _toggles(count: int) -> tuple[ToggleButton, ...]:
    """The buttons; they share one layout and one style, which saves two messages for each of them."""
    first = ToggleButton(icon="check", tooltip="")
    rest = [ToggleButton(icon="check", tooltip="", layout=first.layout, style=first.style) for _ in range(count - 1)]
    for button in (first, *rest):
        button.add_class("npl-tile")
    return first, *rest


def _group_colors(tiles: Sequence[Tile]) -> dict[str, str]:
    """Frame color by group, of groups with two tiles and more on the page."""
    runs = [(group, len([*run])) for group, run in groupby(tiles, key=lambda tile: tile.group) if group]
    groups = list(dict.fromkeys(group for group, length in runs if length > 1))
    return {group: _GROUP_COLORS[number % len(_GROUP_COLORS)] for number, group in enumerate(groups)}


def _columns_css(columns: int) -> str:
    """As many columns as were asked for, where they are wide enough to see something; a row is a row only then."""
    narrow = max(columns * 2 // 5, 1)
    return (f".npl-tiles{{grid-template-columns:repeat({columns},minmax(0,1fr))}}"
            f"@container npl (max-width:{60 * columns}px){{.npl-tiles{{grid-template-columns:repeat({narrow},"
            "minmax(0,1fr))}.npl-modes .widget-toggle-button:nth-of-type(4){display:none}}")


_MARKS = {"": "", DONE: "background:#137333", SKIPPED: "background:#a15c00", DOUBT: "background:#8430ce",
          OUT: "background:#5f6368;text-decoration:line-through", CHOSEN: "background:#137333",
          BUSY: "background:#a15c00"}
# What is decided steps back behind what is not.
_VEILED = (DONE, SKIPPED, OUT)
_CSS = """
.npl-grid{container:npl/inline-size;width:100%;min-width:0;overflow:hidden;margin:0}
.npl-tiles.npl-tiles{display:grid;gap:8px;padding:4px;overflow:hidden;margin:0;width:auto}
.npl-tiles .npl-tile.npl-tile{position:relative;width:auto;min-width:0;height:auto;aspect-ratio:1;margin:0;padding:0;
 border:0;border-radius:5px;background-color:#8883;background-position:center;background-size:cover;box-shadow:none;overflow:visible;cursor:pointer;
 transition:transform .12s}
.npl-tiles .npl-tile:focus-visible{outline:3px solid #1a73e8;outline-offset:1px}
.npl-tiles .npl-tile::after{position:absolute;left:0;right:0;bottom:0;padding:1px 3px 2px;background:#000a;color:#fff;
 font:500 11px/13px system-ui,sans-serif;max-height:26px;overflow:hidden;white-space:normal;overflow-wrap:anywhere;
 text-align:center;box-sizing:content-box;border-radius:0 0 5px 5px}
.npl-tiles .npl-tile::before{position:absolute;left:3px;top:3px;padding:0 5px;background:#fffd;color:#202124;
 font:600 11px/16px system-ui,sans-serif;border-radius:8px}
.npl-tiles .npl-tile i.fa{display:none}
.npl-tiles .npl-tile.mod-active{outline:4px solid #1a73e8;outline-offset:-1px;border-radius:5px;z-index:2;
 transform:scale(.94)}
.npl-tiles .npl-tile.mod-active i.fa{display:block;position:absolute;right:3px;top:3px;width:22px;height:22px;margin:0;
 border-radius:11px;background:#1a73e8;box-shadow:0 0 0 2px #fff}
.npl-tiles .npl-tile.mod-active i.fa::before{content:"✓";display:block;color:#fff;
 font:700 15px/22px system-ui,sans-serif;text-align:center}
.npl-modes.npl-modes{flex-flow:row wrap;gap:4px;margin:0 0 4px;overflow:visible}
.npl-modes .widget-toggle-buttons{width:auto;margin:0}
.npl-modes .widget-toggle-buttons>div{display:flex;flex-flow:row wrap;gap:4px}
.npl-modes .jupyter-button{width:auto;margin:0;padding:0 10px;border-radius:14px}
"""
