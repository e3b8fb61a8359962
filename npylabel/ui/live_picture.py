"""The newest picture of a work that takes long, in the output of its cell."""

from pathlib import Path

from npylabel.base.i18n import in_notebook
from npylabel.base.thumbs import picture_html


class LivePicture:
    """Shows the picture that it is called with in place of the one before; outside of a notebook it shows nothing."""

    def __init__(self) -> None:
        self._shown = None

    def __call__(self, path: Path) -> None:
        if not in_notebook():
            return
        from IPython.display import HTML, display

        picture = HTML(picture_html(path, path.stem.replace("_", " ")))
        if self._shown:
            self._shown.update(picture)
        else:
            self._shown = display(picture, display_id=True)
