"""How a review looks: the photo in question with what helps to decide, as one piece of HTML."""

import html
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from npylabel.base.i18n import _
from npylabel.base.thumbs import data_uri
from npylabel.dataset.decisions import PhotoState
from npylabel.dataset.thumbnails import placeholder
from npylabel.labeler.calibration import percent
from npylabel.labeler.review_queue import BORDER, LABEL_ERROR, NEIGHBORS, STRANGE, UNSURE, Neighbor, Question
from npylabel.ui.board_looks import photo_tile
from npylabel.ui.tile_grid import Tile

LARGE_PX = 420
_BADGES = {UNSURE: "?", BORDER: "≈", NEIGHBORS: "≠", STRANGE: "∅", LABEL_ERROR: "!"}


def reason_text(question: Question) -> str:
    """Why a photo is asked about, in words for a person."""
    texts: dict[str, Callable[[], str]] = {
        UNSURE: lambda: _("The network is not sure: {confidence} is below the threshold.").format(
            confidence=percent(question.photo.confidence)),
        BORDER: lambda: _("Two classes are nearly as probable: {first} and {second}.").format(
            first=question.top[0].class_name, second=question.top[1].class_name),
        NEIGHBORS: lambda: _("The network says {name}, but it looks like training photos of other classes.").format(
            name=question.photo.guess),
        STRANGE: lambda: _("No training photo looks like it: perhaps it shows none of the classes."),
        LABEL_ERROR: lambda: _("Lies in the folder {name}; networks that have not seen it say {other}.").format(
            name=question.class_name, other=question.photo.guess),
    }
    return texts[question.reason]()


def question_tile(question: Question, state: PhotoState, picture: bytes) -> Tile:
    """The tile of a photo: what is decided about it, or else what the network thinks."""
    photo = question.photo
    caption = f"{photo.guess} {percent(photo.confidence)}"
    return photo_tile(photo, state, picture, _BADGES[question.reason], caption)


def large_picture(path: Path) -> bytes:
    """A JPEG of a photo, at most ``LARGE_PX`` high and wide; of one that cannot be read a drawn one that says so."""
    file = BytesIO()
    try:
        with Image.open(path) as image:
            image.draft("RGB", (LARGE_PX, LARGE_PX))
            small = image.convert("RGB")
            small.thumbnail((LARGE_PX, LARGE_PX))
            small.save(file, "JPEG", quality=82)
    except (OSError, SyntaxError, ValueError):
        return placeholder()
    return file.getvalue()


def question_html(question: Question, state: PhotoState) -> str:
    """The photo, its label, and why it is asked about."""
    label = state.class_name or question.class_name
    kind = _("decided") if state.class_name else _("label now")
    return (
        f"<div class='npl-q'><img class='npl-large' alt='{html.escape(question.photo.name)}' "
        f"src='{data_uri(large_picture(question.photo.path))}'>"
        f"<div class='npl-qtext'><div class='npl-name'>{html.escape(question.photo.name)}</div>"
        f"<div>{html.escape(kind)}: <b>{html.escape(label)}</b></div>"
        f"<div class='npl-reason'>{html.escape(reason_text(question))}</div></div></div>")


def neighbors_html(
    neighbors: Sequence[Neighbor], pictures: Callable[[Sequence[Path]], Sequence[bytes]]
) -> str:
    """A strip of training photos with their classes; "" where there are none."""
    if not neighbors:
        return ""
    small = pictures([near.path for near in neighbors])
    figures = "".join(
        f"<figure><img alt='' src='{data_uri(data)}'><figcaption>{html.escape(near.class_name)}</figcaption></figure>"
        for near, data in zip(neighbors, small, strict=True))
    caption = _("Most alike among the training photos:")
    return f"<div class='npl-near'><div>{html.escape(caption)}</div><div class='npl-strip'>{figures}</div></div>"


def shares_css(mark: str, shares: Sequence[float]) -> str:
    """Bars behind the buttons of the most probable classes."""
    return "".join(
        f".{mark} .npl-top{place}.npl-top{place}{{background:linear-gradient(90deg,#1a73e855 {share:.0%},#8882 0)}}"
        for place, share in enumerate(shares))


CSS = """
.npl-review .npl-tops.npl-tops{display:flex;flex-flow:column;gap:4px;margin:0 0 8px;overflow:visible}
.npl-tops .jupyter-button{width:auto;margin:0;height:34px;line-height:32px;border-radius:6px;text-align:left;
 padding:0 12px;font-size:15px;color:inherit}
.npl-tops .jupyter-button:first-child{font-weight:600}
.npl-tops .jupyter-button.npl-empty{display:none}
.npl-q{display:flex;gap:12px;align-items:flex-start}
.npl-large{width:52%;aspect-ratio:1;object-fit:contain;border-radius:8px;background:#8882;display:block}
.npl-qtext{flex:1;min-width:0;font-size:14px;line-height:19px;overflow-wrap:anywhere}
.npl-name{font-size:12px;opacity:.7}
.npl-reason{margin-top:2px}
.npl-near{font-size:13px}
.npl-strip{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:4px;margin-top:3px;max-width:440px}
.npl-strip figure{margin:0}.npl-strip img{width:100%;aspect-ratio:1;object-fit:cover;border-radius:4px;display:block}
.npl-strip figcaption{font-size:11px;line-height:13px;text-align:center;overflow-wrap:anywhere}
.npl-review .widget-checkbox{width:auto;margin:0;align-items:center}.npl-review .widget-checkbox>label{margin:0}
@container board (min-width:1000px){.npl-review .npl-body.npl-body{grid-template-columns:minmax(0,1fr) 440px}}
.npl-review .npl-accept.npl-accept{flex:0 1 auto}
@container board (max-width:600px){.npl-q{flex-flow:column;gap:6px}.npl-large{width:100%;aspect-ratio:4/3}
 .npl-strip figcaption{font-size:10px}}
"""
