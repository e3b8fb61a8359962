"""One photo from several originals: which of them keeps its files, under which name, and which rows are over."""

from npylabel.photos.book import PhotoBook
from npylabel.photos.manifest import DUPLICATE, LEFT_OUT, OK, PhotoRow, without_files
from npylabel.photos.reasons import EDITED_COPY, EXACT_DUPLICATE, PICTURE_LOST

_RANK = {OK: 0, LEFT_OUT: 1, DUPLICATE: 2}


def settle_same(book: PhotoBook) -> None:
    """Let one of several originals with the same bytes keep its files, under the name that the photo had before."""
    first: dict[str, PhotoRow] = {}
    for row in sorted(book.rows.values(), key=lambda row: _claim(book, row)):
        if not row.sha256 or row.reason == EDITED_COPY or (row.status == LEFT_OUT and row.reason != PICTURE_LOST):
            continue
        winner = first.setdefault(row.sha256, row)
        if winner is not row:
            for path in set(book.files(row)) - set(book.files(winner)):
                path.unlink(missing_ok=True)
            _give_way(book, winner, row)
    _keep_names(book)


def _claim(book: PhotoBook, row: PhotoRow) -> tuple:
    """What comes first keeps its files: whole ones with the settings of now, what was there before, then the name."""
    is_other = row.settings != str(book.settings) or row.source in book.changed
    was_used = (row.source, row.sha256) in book.used_before
    return _RANK[row.status], is_other, row.source in book.listed, not was_used, row.source


def _give_way(book: PhotoBook, winner: PhotoRow, row: PhotoRow) -> None:
    if row.source not in book.listed:
        if row.status != DUPLICATE:
            del book.rows[row.source]
    elif winner.source not in book.listed:  # The folder was moved or renamed: the files stay, under the new place.
        del book.rows[winner.source]
        winner.source, winner.fingerprint = row.source, row.fingerprint
        book.rows[row.source] = winner
    else:
        book.rows[row.source] = without_files(row, winner.name, DUPLICATE, EXACT_DUPLICATE)


def _keep_names(book: PhotoBook) -> None:
    """Give each photo the name that it had before the run: its label, which a person may have given, is under that."""
    held = {row.name.casefold() for row in book.rows.values() if book.holds_name(row)}
    for row in book.of_status(OK):
        name = book.names_before.get(row.sha256, row.name)
        same_folder = name.rpartition("/")[0] == row.name.rpartition("/")[0]
        if same_folder and name.casefold() not in held and book.rename(row, name):
            held.add(name.casefold())
    names = {row.sha256: row.name for row in book.of_status(OK)}
    for row in book.of_status(DUPLICATE):
        if row.reason == EXACT_DUPLICATE:
            row.name = names.get(row.sha256, row.name)


def forget_gone(book: PhotoBook) -> None:
    """Forget the photos without files whose originals are away, where the same ones came again or came in.

    The others stay: by them one can tell which photos of earlier portions are not in the dataset.
    """
    here = [row for row in book.rows.values() if row.source in book.listed]
    came = {row.sha256 for row in (*here, *book.of_status(OK))} - {""}
    again = {_mark(row) for row in here}
    for row in list(book.rows.values()):
        is_settled = row.source in book.listed or book.holds_name(row)
        if not is_settled and (_mark(row) in again or (row.status == LEFT_OUT and row.sha256 in came)):
            del book.rows[row.source]
    _find_copies_alone(book)


def _find_copies_alone(book: PhotoBook) -> None:
    """Tell of the copies that are away, too, that their photo is not in the dataset any more."""
    known = {row.sha256 for row in book.rows.values() if row.status != DUPLICATE}
    for row in book.of_status(DUPLICATE):
        if row.reason == EXACT_DUPLICATE and row.sha256 not in known and row.source not in book.listed:
            book.rows[row.source] = without_files(row, "", LEFT_OUT, PICTURE_LOST)


def _mark(row: PhotoRow) -> tuple[str, str]:
    """What an original keeps in another folder."""
    return row.source.rpartition("/")[2], row.sha256 or row.name or row.fingerprint
