"""What a report says on photos that are not here now, and on originals that are still needed."""

from npylabel.base.i18n import _
from npylabel.photos.book import PhotoBook
from npylabel.photos.manifest import LEFT_OUT, OK, QUARANTINE, PhotoRow
from npylabel.photos.reasons import BY_PERSON, PICTURE_LOST

_NAMED = 20


def rows_of_run(book: PhotoBook) -> list[PhotoRow]:
    """The rows that a run counts: the results, what is here now, and what a person left out or misses."""
    return [row for row in book.rows.values()
            if row.source in book.listed or row.status == OK or row.reason in (BY_PERSON, PICTURE_LOST)]


def words_on_earlier(book: PhotoBook) -> list[str]:
    """Sentences on the photos of earlier runs whose originals are not here."""
    counted = {row.source for row in rows_of_run(book)}
    missing = [row for row in book.of_status(LEFT_OUT) if row.source not in counted]
    older = [row for row in book.of_status(OK) if row.settings != str(book.settings)]
    lines = []
    if missing:
        lines.append(_("{count} photos of earlier runs could not be used, and their originals are not here; {table} "
                       "names them.").format(count=len(missing), table=QUARANTINE))
    if older:
        lines.append(_("{count} photos stay as they were made ({settings}): their originals are not here. Bring these "
                       "and run this step again to have them as {now}.").format(
                           count=len(older), settings=", ".join(sorted({row.settings for row in older})),
                           now=book.settings))
    return lines


def words_on_originals(book: PhotoBook) -> list[str]:
    """Sentences on the originals that can be taken away now, and on those that cannot."""
    keep = [row.source for row in book.of_status(LEFT_OUT) if row.source in book.listed]
    lines = [_("{used} of {count} photos here are in the dataset, and their originals are not needed again. With "
               "save_dir, wait until this cell says that everything is saved; then you can take these away and bring "
               "the next portion.").format(used=len(book.listed) - len(keep), count=len(book.listed))]
    if keep:
        lines.append(_("Keep the originals of these {count}, which are not in the dataset: {names}. {table} names "
                       "them all, with the reasons.").format(
                           count=len(keep), names=", ".join(keep[:_NAMED]) + (" ..." if keep[_NAMED:] else ""),
                           table=QUARANTINE))
    return lines
