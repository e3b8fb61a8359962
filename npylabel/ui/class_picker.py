"""Choosing one of many classes by typing a few letters, or by a click on one of the suggestions."""

from collections.abc import Callable, Mapping, Sequence

from ipywidgets import HTML, Button, HBox, Layout, Textarea, VBox

from npylabel.base.i18n import _
from npylabel.ui.css import style_widget


class ClassPicker(VBox):
    """A text field with suggestions under it; Enter takes the first.

    The field is a text area of one line: a line break arrives with the text that stands before it, while the message
    of Enter in a text field can overtake the letters that were typed last.

    Args:
        names: class name by id.
        find: ids of the classes that a text may mean, the best first; for "" those that were used last.
        describe: what a suggestion shows; its name where nothing is given.
        limit: of suggestions.
    """

    def __init__(
        self, names: Mapping[int, str], find: Callable[[str], Sequence[int]], *,
        describe: Callable[[int], str] | None = None, limit: int = 8,
    ) -> None:
        self.names, self._find = names, find
        self._describe = describe or (lambda class_id: names[class_id])
        self._callbacks: list[Callable[[int], None]] = []
        self._offered: list[int] = []
        self._recents: list[int] = []
        self._taken, self._is_setting = "", False
        self.text = Textarea(placeholder=_("class or number, then Enter"), rows=1,
                             layout=Layout(width="auto", height="34px"))
        self.text.observe(self._typed, "value")
        self._limit = limit
        # A class keeps its button: a click that was on its way while the suggestions changed means what was seen.
        self._buttons: dict[int, Button] = {}
        self.hint = HTML(_("No class is called so."))
        self.hint.add_class("npl-hint")
        self._suggestions = HBox()
        self._suggestions.add_class("npl-suggestions")
        super().__init__([style_widget(_CSS), self.text, self._suggestions])
        self.add_class("npl-picker")
        self.refresh()

    @property
    def offered(self) -> list[int]:
        """Class ids of the suggestions that are shown."""
        return [*self._offered]

    def on_pick(self, callback: Callable[[int], None]) -> None:
        """Call back with the id of the class whenever a person chose one."""
        self._callbacks.append(callback)

    def refresh(self) -> None:
        """Suggest anew: other classes were used meanwhile, or their descriptions are others now."""
        self._suggest(self.text.value)

    @property
    def buttons(self) -> list[Button]:
        """The suggestions that are shown."""
        return [self._buttons[class_id] for class_id in self._offered]

    def _suggest(self, text: str) -> None:
        text = text.strip()
        found = [*self._find(text)][:self._limit]
        self._offered = found if text else _kept_in_place(self._recents, found)
        self._recents = self._recents if text else self._offered
        for class_id in self._offered:
            self._button(class_id).description = self._describe(class_id)
        self._suggestions.children = [*self.buttons, *([self.hint] if text and not found else [])]

    def _button(self, class_id: int) -> Button:
        """The button of a class; all share one layout and one style, which saves two messages for each."""
        if class_id not in self._buttons:
            first = next(iter(self._buttons.values()), None)
            shared = {"layout": first.layout, "style": first.style} if first else {}
            button = Button(tooltip=f"{class_id} {self.names[class_id]}", **shared)
            button.add_class("npl-suggestion")
            button.on_click(lambda _button: self._pick(class_id))
            self._buttons[class_id] = button
        return self._buttons[class_id]

    def _typed(self, change: dict) -> None:
        if self._is_setting:
            return
        text = change["new"]
        # What was typed while the last Enter was still on its way comes with the text of that Enter before it.
        if self._taken and text.startswith(self._taken) and text != self._taken:
            text = text[len(self._taken):]
            self._set_text(text)
        else:
            self._taken = ""
        line, enter, rest = text.partition("\n")
        if enter:
            self._entered(line, rest)
        else:
            self._suggest(text)

    def _entered(self, line: str, rest: str) -> None:
        self._suggest(line)
        if self._offered:
            self._taken = f"{line}\n"
            self._pick(self._offered[0], rest)
        else:
            self._set_text(line)

    def _pick(self, class_id: int, rest: str = "") -> None:
        for callback in self._callbacks:
            callback(class_id)
        self._set_text(rest)
        self._suggest(rest)

    def _set_text(self, text: str) -> None:
        self._is_setting = True
        try:
            self.text.value = text
        finally:
            self._is_setting = False


def _kept_in_place(shown: Sequence[int], found: Sequence[int]) -> list[int]:
    """What was found, in the places that it has already; the others take the places that are free."""
    new = iter([class_id for class_id in found if class_id not in shown])
    kept = [class_id if class_id in found else next(new, None) for class_id in shown]
    return [class_id for class_id in [*kept, *new] if class_id is not None]


_CSS = """
.npl-picker{margin:0;min-width:0;overflow:visible}
.npl-picker textarea{font-family:inherit;font-size:16px;line-height:22px;padding:5px 8px;resize:none;overflow:hidden;
 white-space:nowrap;border-radius:6px}
.npl-picker textarea::placeholder{font-size:14px}
.npl-picker .widget-textarea{margin:0 0 4px}
.npl-suggestions.npl-suggestions{display:flex;flex-flow:row wrap;gap:5px;margin:0 0 4px;
 overflow:visible;min-height:34px}
.npl-suggestions .npl-suggestion.npl-suggestion{width:auto;min-width:44px;height:32px;line-height:30px;margin:0;
 padding:0 10px;border-radius:16px;font-size:14px}
.npl-suggestions>.npl-suggestion:first-child{border:2px solid #1a73e8;line-height:28px}
.npl-hint .widget-html-content{font-size:13px;color:var(--npl-red,#b3261e)}
"""
