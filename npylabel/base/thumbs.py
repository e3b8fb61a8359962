"""Pictures inside HTML pages, as data that travels with the page."""

import base64
import html
from pathlib import Path

_MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


def data_uri(data: bytes, suffix: str = ".jpg") -> str:
    """The picture's bytes as a ``data:`` address."""
    return f"data:{_MEDIA[suffix.lower()]};base64,{base64.b64encode(data).decode()}"


def picture_html(path: Path, caption: str) -> str:
    """An ``<img>`` with its caption, or the caption alone where the file is gone."""
    text = f"<figcaption>{html.escape(caption)}</figcaption>"
    if not path.is_file():
        return f"<figure>{text}</figure>"
    address = data_uri(path.read_bytes(), path.suffix)
    image = f"<img style='max-width:100%' alt='{html.escape(caption)}' src='{address}'>"
    return f"<figure style='margin:8px 0'>{image}{text}</figure>"
