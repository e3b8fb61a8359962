"""How the board of colored photos looks: what a tile says, and one photo before and after with its class."""

import html

from npylabel.base.i18n import _
from npylabel.colorizer.color_desk import ALL, BY_LABEL, BY_NETWORK, BY_PERSON, UNSURE, ColorDesk, kind_of_row
from npylabel.colorizer.color_table import ColorRow
from npylabel.ui import tile_grid
from npylabel.ui.before_after import said_by, summary
from npylabel.ui.board_looks import light_html
from npylabel.ui.tile_grid import Tile

SIDE_PX = 640


def color_tile(row: ColorRow, picture: bytes, is_waiting: bool) -> Tile:
    """The tile of a colored photo: its class, how sure the network was, and the mark of who said so."""
    if is_waiting:
        return Tile(picture, _("coloring ..."), mark=tile_grid.BUSY)
    name, percent = row.label_name, f" {100 * float(row.confidence):.0f} %" if row.confidence else ""
    kind = kind_of_row(row)
    if kind == BY_PERSON:
        return Tile(picture, f"✓ {name or _('without a class')}", mark=tile_grid.CHOSEN)
    if kind == UNSURE:
        return Tile(picture, _("unsure") + percent, "?", mark=tile_grid.DOUBT)
    return Tile(picture, f"{name}{percent}")


def class_text(row: ColorRow) -> str:
    """What a photo was colored as, in a few words."""
    return row.label_name or _("without a class")


def color_filters() -> list[tuple[str, str]]:
    """The kinds of colored photos, as a dropdown shows them."""
    return [(_("all, unsure first"), ALL), (_("the network is unsure"), UNSURE),
            (_("the network chose"), BY_NETWORK), (_("from label files"), BY_LABEL), (_("you chose it"), BY_PERSON)]


def head_html(desk: ColorDesk, waiting: int) -> str:
    """How many photos there are, of how many the network is unsure, and how many are being colored."""
    parts, counts = [summary(desk.rows.values())], desk.counts()
    if counts[UNSURE]:
        parts.append(_("the network is unsure about {count}").format(count=counts[UNSURE]))
    if counts[BY_PERSON]:
        parts.append(_("you chose {count}").format(count=counts[BY_PERSON]))
    state = _("coloring: {count} left").format(count=waiting) if waiting else _("all photos are colored")
    return (f"<div class='npl-progress'><span class='npl-count'>{html.escape(' · '.join(parts))}</span>"
            f"{light_html(state, not waiting)}</div>")


def pair_html(before: str, after: str, name: str) -> str:
    """A photo before and after, each a JPEG in base64, "" for one that is not here."""
    sides = ((before, _("before"), _("The original is not here.")), (after, _("after"), _("There is no picture.")))
    return "<div class='npl-pair'>" + "".join(
        f"<figure>{_picture(data, f'{name}: {word}', missing)}<figcaption>{html.escape(word)}</figcaption></figure>"
        for data, word, missing in sides) + f"<div class='npl-wait'>{html.escape(_('coloring ...'))}</div></div>"


def _picture(data: str, text: str, missing: str) -> str:
    if not data:
        return f"<div class='npl-missing'>{html.escape(missing)}</div>"
    return f"<img alt='{html.escape(text)}' src='data:image/jpeg;base64,{data}'>"


def photo_html(row: ColorRow, is_waiting: bool) -> str:
    """The name of a photo, what it was colored as, and who said so."""
    mark = {BY_PERSON: "npl-you", UNSURE: "npl-unsure"}.get(kind_of_row(row), "")
    colored = _("Colored as: {class_name}") if row.label_name else _("Colored without a class")
    text = html.escape(colored).replace("{class_name}", f"<b>{html.escape(row.label_name)}</b>")
    text = f"{text} <span class='npl-who {mark}'>{html.escape(said_by(row))}</span>"
    text = html.escape(_("It is being colored again ...")) if is_waiting else text
    return (f"<div class='npl-qtext'><div class='npl-name'>{html.escape(row.source.partition('/')[2] or row.source)}"
            f"</div><div class='npl-class'>{text}</div></div>")


CSS = """
.npl-colors .npl-pair{position:relative;display:flex;gap:8px;justify-content:center;align-items:flex-start}
.npl-pair figure{margin:0;flex:1 1 0;min-width:0;text-align:center}
.npl-pair img{max-width:100%;max-height:330px;border-radius:6px;display:block;margin:0 auto}
.npl-pair figcaption{font-size:13px;line-height:18px;opacity:.75}
.npl-colors .npl-progress .npl-light{flex:1 0 100%}
.npl-colors .npl-steps{justify-content:center}
.npl-colors .widget-dropdown>select{max-width:220px}
.npl-missing{display:grid;place-items:center;aspect-ratio:4/3;border-radius:6px;background:#8883;font-size:14px;
 padding:8px}
.npl-wait{display:none;position:absolute;right:0;top:0;width:calc(50% - 4px);bottom:18px;place-items:center;color:#fff;
 background:#0009;border-radius:6px;font-weight:600;font-size:17px;animation:npl-pulse 1.6s ease-in-out infinite}
.npl-busy .npl-wait{display:grid}
@keyframes npl-pulse{50%{background:#000c}}
.npl-class{font-size:17px;line-height:24px}
.npl-who{display:inline-block;padding:0 8px;border-radius:9px;background:#8883;font-size:13px;line-height:19px}
.npl-who.npl-you{background:#137333;color:#fff}.npl-who.npl-unsure{background:#8430ce;color:#fff}
.npl-colors .npl-ask{font-size:14px;font-weight:600}
@container board (min-width:1000px){.npl-colors .npl-body.npl-body{grid-template-columns:minmax(0,1fr) minmax(0,560px)}}
@container board (max-width:600px){.npl-colors .npl-pair{gap:4px}.npl-pair img{max-height:230px}
 .npl-colors .npl-tops .jupyter-button{height:40px;line-height:38px}}
"""
