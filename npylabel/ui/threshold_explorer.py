"""The threshold explorer: a slider, what it does to the photos, and which photos lie just beside the line."""

import html
from collections.abc import Callable, Sequence

from ipywidgets import HTML, Box, Button, FloatSlider, HBox, Layout, VBox

from npylabel.base.i18n import _
from npylabel.base.thumbs import data_uri
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.labeler.calibration import THRESHOLDS, WANTED_RIGHT, percent
from npylabel.labeler.explorer import ClassAt, NearPhoto, ThresholdExplorer
from npylabel.ui.css import style_widget

NEAR = 6
_CURVE_W, _CURVE_H = 300, 90


class ThresholdView(VBox):
    """The explorer as a widget; it changes nothing, and says what to set.

    Args:
        explorer: what is known of the labeler's confidence.
        thumbnails: small pictures of photos.
    """

    def __init__(self, explorer: ThresholdExplorer, thumbnails: Thumbnails) -> None:
        self.explorer, self._thumbnails = explorer, thumbnails
        self.slider = FloatSlider(
            value=explorer.threshold, min=0, max=1, step=0.01, readout_format=".2f", description=_("threshold"),
            layout=Layout(width="auto"))
        self.slider.observe(lambda _change: self._show(), "value")
        advised = explorer.advised
        self.advised = Button(description=_("{wanted} right: {threshold}").format(
            wanted=percent(WANTED_RIGHT), threshold=f"{advised.threshold:g}") if advised else "")
        self.advised.disabled = advised is None
        self.advised.on_click(lambda _button: setattr(self.slider, "value", self.explorer.advised.threshold))
        self.used = Button(description=_("as labeled: {threshold}").format(threshold=f"{explorer.threshold:g}"))
        self.used.on_click(lambda _button: setattr(self.slider, "value", self.explorer.threshold))
        self.summary, self.near, self.classes = HTML(), HTML(), HTML()
        row = HBox([self.used, *([self.advised] if advised else [])])
        row.add_class("npl-row")
        controls = VBox([self.slider, row, self.summary])
        body = Box([controls, self.near, self.classes])
        body.add_class("npl-tbody")
        super().__init__([style_widget(CSS), body])
        self.add_class("npl-threshold")
        self._show()

    def _show(self) -> None:
        threshold = round(self.slider.value, 4)
        self.summary.value = summary_html(self.explorer, threshold)
        below, above = self.explorer.around(threshold, NEAR)
        self.near.value = near_html(below, above, self._thumbnails.page)
        self.classes.value = classes_html(self.explorer.by_class(threshold))


def summary_html(explorer: ThresholdExplorer, threshold: float) -> str:
    """What a threshold does, in two large numbers, words and a curve."""
    numbers, kept, total = [], explorer.kept(threshold), len(explorer.labeled)
    if total:
        text = _("of your photos get a class; {unknown} of {total} become unknown")
        numbers.append((percent(kept / total), text.format(unknown=total - kept, total=total)))
    at = explorer.at(threshold)
    if at and at.right is not None:
        numbers.append((percent(at.right), _("of those with a class are right, by {count} validation photos").format(
            count=at.photos)))
    elif at:
        numbers.append(("–", _("no validation photo reaches this threshold")))
    else:
        numbers.append(("–", _("nobody can tell how many are right: the model has no validation photos")))
    cells = "".join(f"<div class='npl-number'><b>{html.escape(value)}</b><span>{html.escape(text)}</span></div>"
                    for value, text in numbers)
    words = ""
    if threshold != explorer.threshold:
        words = _("To label with it, set threshold to {threshold} in the parameters and run the notebook again.")
        words = words.format(threshold=f"{threshold:g}")
    return f"<div class='npl-numbers'>{cells}</div>{curve_svg(explorer, threshold)}<div>{html.escape(words)}</div>"


def curve_svg(explorer: ThresholdExplorer, threshold: float) -> str:
    """How many photos keep a class and how many of them are right, by threshold; "" without validation photos."""
    if not explorer.judged:
        return ""
    points = [explorer.at(value) for value in (0, *THRESHOLDS, 1)]
    kept = [(at.threshold, 1 - at.unknown) for at in points]
    right = [(at.threshold, at.right) for at in points if at.right is not None]
    x = threshold * _CURVE_W
    return (
        f"<svg class='npl-curve' viewBox='-2 -2 {_CURVE_W + 4} {_CURVE_H + 4}' role='img'>"
        f"<rect width='{_CURVE_W}' height='{_CURVE_H}' fill='#8881'/>"
        f"{_line(kept, '#dd7a1f')}{_line(right, '#188038')}"
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='{_CURVE_H}' stroke='#1a73e8' stroke-width='2'/></svg>"
        f"<div class='npl-legend'><span style='color:#dd7a1f'>■</span> {html.escape(_('get a class'))} "
        f"<span style='color:#188038'>■</span> {html.escape(_('of these right'))}</div>")


def _line(points: Sequence[tuple[float, float]], color: str) -> str:
    text = " ".join(f"{x * _CURVE_W:.1f},{(1 - y) * _CURVE_H:.1f}" for x, y in points)
    return f"<polyline points='{text}' fill='none' stroke='{color}' stroke-width='2'/>"


def near_html(
    below: Sequence[NearPhoto], above: Sequence[NearPhoto], pictures: Callable[[Sequence], Sequence[bytes]]
) -> str:
    """The photos just below the line and just above it."""
    small = iter(pictures([photo.path for photo in (*below, *above)]))
    parts = []
    for text, photos in ((_("just below: become unknown"), below), (_("just above: keep their class"), above)):
        figures = "".join(_figure(photo, next(small)) for photo in photos)
        empty = f"<i>{html.escape(_('none'))}</i>"
        parts.append(f"<div class='npl-side-of'><div>{html.escape(text)}</div>"
                     f"<div class='npl-line'>{figures or empty}</div></div>")
    return f"<div class='npl-near-line'>{''.join(parts)}</div>"


def _figure(photo: NearPhoto, picture: bytes) -> str:
    mark = ""
    if photo.true_name:
        mark = " ✓" if photo.true_name == photo.class_name else f" ✗ {photo.true_name}"
    return (f"<figure><img alt='' src='{data_uri(picture)}'><figcaption>{html.escape(photo.class_name + mark)}<br>"
            f"{photo.confidence:.2f}</figcaption></figure>")


def classes_html(classes: Sequence[ClassAt]) -> str:
    """A table of what the threshold does in each class."""
    heads = (_("class"), _("your photos"), _("keep it"), _("of these right"))
    rows = "".join(_class_row(each) for each in classes)
    cells = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    return f"<div class='npl-table'><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"


def _class_row(each: ClassAt) -> str:
    share = percent(each.kept / each.photos) if each.photos else "–"
    right = "–"
    if each.judged and each.judged.right is not None:
        right = f"{percent(each.judged.right)} ({each.judged.kept_right}/{each.judged.kept})"
    values = (each.class_name, str(each.photos), f"{each.kept} · {share}" if each.photos else "–", right)
    return "<tr>" + "".join(f"<td>{html.escape(value)}</td>" for value in values) + "</tr>"


CSS = """
.npl-threshold{container:threshold/inline-size;width:auto;min-width:0;margin:0;padding:4px 8px;overflow:hidden;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.npl-threshold .widget-html,.npl-threshold .widget-html-content{height:auto;line-height:1.4;margin:0;overflow:visible;
 min-width:0;flex:1}
.npl-tbody.npl-tbody{display:grid;grid-template-columns:minmax(0,1fr);gap:14px;margin:0;overflow:visible}
.npl-tbody>*{min-width:0;margin:0!important;overflow:visible!important}
@container threshold (min-width:1000px){.npl-tbody.npl-tbody{grid-template-columns:340px minmax(0,1fr) 340px}}
.npl-threshold .widget-slider{width:auto;margin:0 0 6px}
.npl-threshold .widget-slider .widget-label{width:auto}
.npl-threshold .npl-row .jupyter-button{width:auto;margin:0 5px 4px 0;padding:0 11px;border-radius:6px}
.npl-numbers{display:grid;gap:6px}
.npl-number{display:flex;align-items:center;gap:10px;font-size:14px;line-height:18px}
.npl-number b{font-size:30px;line-height:34px;min-width:84px;text-align:right}
.npl-curve{width:100%;max-width:420px;display:block;margin-top:6px}.npl-legend{font-size:12px;margin-bottom:6px}
.npl-near-line{display:grid;gap:8px}
.npl-side-of{font-size:13px}
.npl-line{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:5px;margin-top:3px}
.npl-line figure{margin:0}.npl-line img{width:100%;aspect-ratio:1;object-fit:cover;border-radius:5px;display:block}
.npl-line figcaption{font-size:11px;line-height:13px;text-align:center;overflow-wrap:anywhere}
.npl-side-of:first-child .npl-line{border-bottom:3px solid #1a73e8;padding-bottom:6px}
.npl-table{max-height:340px;overflow:auto}
.npl-table table{border-collapse:collapse;font-size:13px;width:100%}
.npl-table td,.npl-table th{padding:2px 6px;text-align:right;border-bottom:1px solid #8883;white-space:nowrap}
.npl-table th{white-space:normal;vertical-align:bottom}
.npl-table td:first-child,.npl-table th:first-child{text-align:left;white-space:normal;min-width:70px}
@container threshold (max-width:600px){.npl-line{grid-template-columns:repeat(3,minmax(0,1fr))}
 .npl-number b{font-size:24px;min-width:66px}.npl-number span{overflow-wrap:anywhere}
 .npl-table table{font-size:12px}.npl-table td,.npl-table th{white-space:normal;padding:2px 3px}
 .npl-table td:first-child,.npl-table th:first-child{min-width:50px}}
"""
