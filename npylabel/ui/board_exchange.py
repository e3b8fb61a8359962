"""The row of the board that sends photos to a phone or a second person, and takes a filled table back."""

from pathlib import Path

from ipywidgets import Button, FileUpload, HBox

from npylabel.base.i18n import _
from npylabel.dataset.page_exchange import MOST_PHOTOS, export_page, import_page
from npylabel.ui.board import Board

PAGES = "pages"
_MOST_LINES = 8


def exchange_row(board: Board, folder: Path) -> HBox:
    """Two buttons: a page of the photos that the board shows, and a filled table.

    Args:
        board: says what is shown, and takes the decisions.
        folder: of the pages.
    """
    send = Button(description=_("page for a phone"))
    take = FileUpload(accept=".csv", multiple=False, description=_("filled table"))
    send.on_click(lambda _button: board.safely(lambda: _send(board, folder)))
    take.observe(lambda change: board.safely(lambda: _take(board, change["new"])), "value")
    row = HBox([send, take])
    row.add_class("npl-row")
    return row


def _send(board: Board, folder: Path) -> None:
    photos = board.selected or board.pages.chosen[:MOST_PHOTOS]
    page, table = export_page(board.desk, photos, folder)
    board.say(_("{count} photos, to be sorted on a phone: {page}\nThe same as a table: {table}").format(
        count=len(photos), page=page, table=table))


def _take(board: Board, value: object) -> None:
    tables = uploaded(value)
    if tables:
        report = import_page(board.desk, tables[-1])
        lines = report.lines
        more = [_("and {count} more").format(count=len(lines) - _MOST_LINES)] if len(lines) > _MOST_LINES else []
        board.done(report.taken, "\n".join([*lines[:_MOST_LINES], *more]))


def uploaded(value: object) -> list[bytes]:
    """The files of an upload widget: ipywidgets 7 has a dictionary there, ipywidgets 8 a tuple."""
    files = value.values() if isinstance(value, dict) else value
    return [bytes(file["content"]) for file in files]
