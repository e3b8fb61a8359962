"""What widgets put into a style sheet: texts and pictures, escaped so that no name of a photo can break the page."""

import base64

from ipywidgets import HTML, Layout


def css_string(text: str) -> str:
    """The text as a CSS string with its quotes; safe inside a ``<style>`` element, whatever it holds."""
    return '"' + "".join(char if char.isalnum() or char == " " else f"\\{ord(char):x} " for char in text) + '"'


def css_picture(data: bytes) -> str:
    """A JPEG as a value of ``background-image``."""
    return f"url(data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')})"


def style_widget(css: str = "") -> HTML:
    """A widget that is not seen and gives its rules to the whole page; see ``set_style``."""
    widget = HTML(layout=Layout(display="none"))
    set_style(widget, css)
    return widget


def set_style(widget: HTML, css: str) -> None:
    """Replace the rules of a style widget: one message."""
    widget.value = f"<style>{css}</style>"
