"""How a board looks: what a photo's tile says, the line of progress, the lights."""

import html
from collections.abc import Mapping, Sequence

from npylabel.base.i18n import _
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.desk import ALL, DECIDED, OPEN, OUT, SKIPPED
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.desk_progress import Progress
from npylabel.ui import tile_grid
from npylabel.ui.tile_grid import Tile

_CHIPS = 5


def photo_tile(photo: DeskPhoto, state: PhotoState, picture: bytes, badge: str, caption: str) -> Tile:
    """The tile of a photo: what is decided about it, or else what the network thinks.

    Args:
        photo: of the desk.
        state: what is decided.
        picture: its thumbnail.
        badge: "" for none.
        caption: what the network thinks, "" for nothing.
    """
    mark = ""
    if state.out:
        caption, mark = _("out"), tile_grid.OUT
    elif state.class_name:
        caption, mark = f"✓ {state.class_name}", tile_grid.DONE
    elif state.skipped:
        caption, mark = _("later"), tile_grid.SKIPPED
    return Tile(picture, caption, badge, photo.group, mark)


def page_tiles(
    photos: Sequence[DeskPhoto], states: Mapping[str, PhotoState], pictures: Sequence[bytes]
) -> list[Tile]:
    """The tiles of a page; the first of some look-alikes says how many they are."""
    sizes: dict[str, int] = {}
    for photo in photos:
        sizes[photo.group] = sizes.get(photo.group, 0) + 1
    tiles, met = [], {""}
    for photo, picture in zip(photos, pictures, strict=True):
        badge = f"≈ {sizes[photo.group]}" if photo.group not in met and sizes[photo.group] > 1 else ""
        met.add(photo.group)
        caption = f"{photo.guess} {photo.confidence:.0%}" if photo.guess else ""
        tiles.append(photo_tile(photo, states.get(photo.sha256, PhotoState()), picture, badge, caption))
    return tiles


def progress_html(progress: Progress, recents: Sequence[str]) -> str:
    """How many photos are sorted, as a bar and in words, and what the classes that were used last still lack."""
    done = progress.total - progress.open
    parts = [_("{done} of {total} sorted").format(done=progress.decided, total=progress.total)]
    parts += [_("{count} for later").format(count=progress.skipped)] if progress.skipped else []
    parts += [_("{count} out").format(count=progress.out)] if progress.out else []
    goals = [progress.goals[name] for name in recents if name in progress.goals][:_CHIPS]
    chips = "".join(f"<span class='npl-chip{'' if goal.missing else ' npl-enough'}'>{html.escape(goal.text)}</span>"
                    for goal in goals)
    more = f"<span class='npl-more'>{html.escape(goals[0].more)}</span>" if goals and goals[0].missing else ""
    return bar_html(done, progress.total, " · ".join(parts), chips + more)


def bar_html(done: int, total: int, text: str, more: str = "") -> str:
    """How far it is, as a bar and in words, with more HTML behind them."""
    return (f"<div class='npl-progress'><div class='npl-bar'><div style='width:{100 * done / max(total, 1):.1f}%'>"
            f"</div></div><span class='npl-count'>{html.escape(text)}</span>{more}</div>")


def light_html(text: str, is_on: bool) -> str:
    """A light, green or amber, with what it means."""
    return f"<span class='npl-light{' npl-on' if is_on else ''}'>{html.escape(text)}</span>"


def here_html(count: int) -> str:
    """The light for what this board has written on the disk."""
    return light_html(_("saved here: {count}").format(count=count) if count else _("saved here"), True)


def message_html(text: str, is_bad: bool = False) -> str:
    """Lines that say what happened."""
    lines = html.escape(text).replace("\n", "<br>")
    return f"<div class='npl-said{' npl-bad' if is_bad else ''}'>{lines}</div>"


def filter_options() -> list[tuple[str, str]]:
    """The kinds of photos, as a dropdown shows them."""
    return [(_("to sort"), OPEN), (_("for later"), SKIPPED), (_("sorted"), DECIDED), (_("out"), OUT), (_("all"), ALL)]


CSS = """
.npl-board{container:board/inline-size;width:100%;min-width:0;margin:0;overflow:hidden;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;--npl-red:#b3261e}
body[data-jp-theme-light="false"] .npl-board,html[theme="dark"] .npl-board{--npl-red:#f2a39c}
.npl-board .widget-html,.npl-board .widget-html-content{height:auto;min-height:0;line-height:1.4;margin:0;
 overflow:visible}
.npl-body.npl-body{display:grid;grid-template-columns:minmax(0,1fr);gap:8px;margin:0;overflow:visible;
 grid-template-areas:"head" "side" "main" "tail"}
.npl-head{grid-area:head}.npl-side{grid-area:side}.npl-main{grid-area:main}.npl-tail{grid-area:tail}
.npl-head,.npl-side,.npl-main,.npl-tail{margin:0!important;min-width:0;overflow:visible!important}
@container board (min-width:1000px){.npl-body.npl-body{grid-template-columns:minmax(0,1fr) 264px;column-gap:18px;
 grid-template-rows:auto auto 1fr;grid-template-areas:"head head" "main side" "main tail"}}
.npl-progress{display:flex;flex-wrap:wrap;align-items:center;gap:4px 8px;font-size:14px}
.npl-bar{flex:1 0 100%;height:6px;border-radius:3px;background:#8884;overflow:hidden}
.npl-bar>div{height:100%;background:#188038;transition:width .3s}
.npl-count{font-weight:600;margin-right:4px}
.npl-chip{padding:0 8px;border-radius:9px;background:#8883;font-size:13px;line-height:19px;white-space:nowrap}
.npl-enough{background:#18803833}.npl-more{font-size:13px;opacity:.75}
.npl-row.npl-row{display:flex;flex-flow:row wrap;gap:5px;margin:0;overflow:visible;align-items:center}
.npl-row .jupyter-button{width:auto;flex:0 1 auto;margin:0;padding:0 11px;border-radius:6px;height:32px;
 line-height:30px}
.npl-row .widget-dropdown,.npl-row .widget-upload{width:auto;height:32px;margin:0}
.npl-row .widget-dropdown>select{max-width:170px;height:32px;font-family:inherit}
.npl-accept.npl-accept{background:#1a73e8;color:#fff;font-weight:600;flex:1 0 auto}
.npl-accept:disabled{display:none}
.npl-reject.npl-reject{color:var(--npl-red)}
.npl-light{margin-right:8px;font-size:13px;white-space:nowrap}
.npl-light::before{content:"";display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:5px;
 background:#e8a33d}
.npl-light.npl-on::before{background:#188038}
.npl-said{font-size:14px;line-height:19px;min-height:19px;overflow-wrap:anywhere}
.npl-bad{color:var(--npl-red);font-weight:600}
.npl-pager{white-space:nowrap;font-size:14px;padding:0 4px}
.npl-side.npl-side>*{margin-bottom:6px}.npl-main.npl-main>*{margin-bottom:5px}
@container board (min-width:1000px){.npl-side .npl-row .jupyter-button{padding:0 8px}
 .npl-board:not(.npl-review) .npl-side .npl-unknown{flex:1 1 100%}}
@container board (max-width:600px){.npl-main .npl-tiles.npl-tiles{max-height:430px;overflow-y:auto}
 .npl-row .jupyter-button{height:36px;line-height:34px;padding:0 9px}
 .npl-suggestions .npl-suggestion.npl-suggestion{height:36px;line-height:34px}
 .npl-row .widget-dropdown{flex:1 1 calc(50% - 5px);min-width:0}
 .npl-row .widget-dropdown>select{max-width:100%;width:100%}
 .npl-row .npl-pager{flex:1;text-align:center}.npl-board:not(.npl-review) .npl-side .npl-unknown{flex:1 1 100%}
 .npl-grid .npl-modes .jupyter-button{padding:0 8px}}
@media (max-width:600px){.widget-tab-contents:has(.npl-board,.npl-threshold){padding:4px}
 .jp-OutputArea-child:has(.npl-board)>.jp-OutputPrompt{display:none}
 .jp-Cell:has(.npl-board)>.jp-Cell-outputWrapper>.jp-OutputCollapser{display:none}}
"""
