"""Which class folder each training photo belongs into: what people decided, and what they moved by hand."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.files import sha256_file
from npylabel.dataset.class_decisions import BY_FOLDER, ClassDecisions
from npylabel.dataset.decisions import ASSIGN, Decision
from npylabel.dataset.sorted_photos import is_sorted_source
from npylabel.dataset.training_data import class_by_hand
from npylabel.photos.book import PhotoBook
from npylabel.photos.manifest import LEFT_OUT, OK, PhotoRow
from npylabel.photos.names import NamePool
from npylabel.photos.reasons import BY_PERSON, PICTURE_LOST

TWO_CLASSES = "two_classes"


def folder_of(row: PhotoRow) -> str:
    """The class folder of a training photo."""
    return row.name.partition("/")[0]


def follow_moves(book: PhotoBook, table: ClassTable, class_of: dict[str, int]) -> list[tuple[PhotoRow, Path]]:
    """The photos that a person moved from one class folder of the result to another, with the files as they lie now.

    That decides their class: ``class_of`` has the class ids by source.
    """
    moved, gone = [], [row for row in book.of_status(OK) if not book.files(row)[0].is_file()]
    unclaimed = _unclaimed(book, table) if gone else {}
    for row in gone:
        if row.color_sha256 in unclaimed:
            # Of several that look the same, the one of its name; the others may be what a killed run has made.
            found = unclaimed.pop(row.color_sha256)
            there = next((path for path in found if path.stem == row.name.rpartition("/")[2]), found[-1])
            row.name = f"{there.parent.name}/{there.stem}"
            moved.append((row, there))
    for row in [row for row in book.rows.values() if row.status == OK or row.reason == PICTURE_LOST]:
        class_id = table.find(folder_of(row))
        if class_id is None:  # The class left the table: its folder is named by the step that meets it.
            del book.rows[row.source]
        else:
            class_of[row.source] = class_id
    return moved


def _unclaimed(book: PhotoBook, table: ClassTable) -> dict[str, list[Path]]:
    """Pictures in class folders of the result that belong to no row, by checksum: moved or renamed by a person."""
    claimed = {path for row in book.of_status(OK) for path in book.files(row)}
    folders = [path for path in sorted(book.root.iterdir()) if path.is_dir() and table.find(path.name) is not None]
    pictures = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    found = defaultdict(list)
    for path in pictures:
        if path not in claimed:
            found[sha256_file(path)].append(path)
    return found


def read_back(
    moved: Sequence[tuple[PhotoRow, Path]], decided: ClassDecisions, by_folder: Mapping[str, int]
) -> None:
    """Write into the journal which classes people decided on by moving files, once.

    A decision that was taken after the move outweighs it. Of the move only the time of its folder tells: it is that of
    the last move into it.

    Args:
        moved: of ``follow_moves``.
        decided: what people decided; the new decisions count from now on.
        by_folder: class id by source, of the photos in class folders of originals.
    """
    decisions = []
    for row, path in moved:
        class_id, said = decided.table.find(folder_of(row)), decided.class_id(row.sha256)
        known = by_folder.get(row.source) if said is None else said
        is_new = class_id != known and row.sha256 and not decided.is_out(row.sha256)
        if is_new and decided.is_older(row.sha256, path.parent.stat().st_mtime):
            decisions.append(Decision(row.sha256, ASSIGN, row.name, decided.table.names[class_id], source=BY_FOLDER))
    decided.add(decisions)


def settle_classes(
    book: PhotoBook, decided: ClassDecisions, class_of: dict[str, int], by_folder: Mapping[str, int]
) -> None:
    """Lay each photo into the folder of the class that a person decided on.

    Sorted photos that are no examples any more go. A photo of a class folder whose decision only says that its label
    is another one is left out: it cannot be an example of either class.

    Args:
        book: the rows; photos of the unknown class are nobody's example.
        decided: what people decided.
        class_of: class id by source; follows.
        by_folder: class id by source, of the photos in class folders of originals.
    """
    _drop_withdrawn(book, decided)
    pool = None
    for row in [row for row in book.of_status(OK) if row.sha256 in decided.states]:
        is_example = decided.is_example(row.sha256)
        before, wanted = class_of[row.source], decided.class_id(row.sha256)
        if wanted is None and decided.is_withdrawn(row.sha256, before):
            wanted = by_folder.get(row.source)
        elif wanted is not None and not is_example and by_folder.get(row.source, wanted) != wanted:
            leave_out(book, row)
            continue
        if wanted not in (None, before):
            pool = pool or _names_taken(book)
            class_of[row.source] = wanted
            _move(book, row, decided.table.names[wanted], pool)


def _drop_withdrawn(book: PhotoBook, decided: ClassDecisions) -> None:
    """Drop what was made of sorted photos that are no examples any more, also where a killed run has begun to."""
    for row in list(book.rows.values()):
        is_decided = row.sha256 in decided.states and row.reason != BY_PERSON
        if is_decided and is_sorted_source(row.source) and not decided.is_example(row.sha256):
            book.drop_files(row)
            del book.rows[row.source]


def leave_out(book: PhotoBook, row: PhotoRow) -> None:
    """Leave out a photo that would stand for two classes."""
    book.drop_files(row)
    book.rows[row.source] = replace(row, name="", status=LEFT_OUT, reason=TWO_CLASSES)


def _names_taken(book: PhotoBook) -> NamePool:
    folders = [path for path in book.root.iterdir() if path.is_dir()]
    files = [f"{folder.name}/{path.stem}" for folder in folders for path in folder.iterdir()]
    return NamePool([*(row.name for row in book.rows.values() if book.holds_name(row)), *files])


def _move(book: PhotoBook, row: PhotoRow, folder: str, pool: NamePool) -> None:
    (book.root / folder).mkdir(exist_ok=True)
    book.rename(row, pool.give(row.name.rpartition("/")[2], folder))


def forget_replaced(book: PhotoBook, table: ClassTable, class_of: dict[str, int]) -> None:
    """Drop the results of originals that are gone where the same photo now lies in another folder.

    A class that a person gave by moving the result goes over to the new place.
    """
    now = {row.sha256: row for row in book.of_status(OK) if row.source in book.listed}
    for row in [row for row in book.of_status(OK) if row.source not in book.listed and row.sha256 in now]:
        del book.rows[row.source]
        new = now[row.sha256]
        if not class_by_hand(row, table):
            book.drop_files(row)
            continue
        book.drop_files(new)
        row.source, row.fingerprint = new.source, new.fingerprint
        book.rows[row.source] = now[row.sha256] = row
        class_of[row.source] = table.find(folder_of(row))


def leave_out_two_classes(book: PhotoBook, class_of: dict[str, int]) -> None:
    """Leave out the photos that lie in the folders of two classes: both labels cannot be right."""
    classes: dict[str, set[int]] = defaultdict(set)
    for row in book.of_status(OK):
        classes[row.sha256].add(class_of[row.source])
    for row in book.of_status(OK):
        if len(classes[row.sha256]) > 1:
            leave_out(book, row)


def judge_again(book: PhotoBook) -> None:
    """Forget that photos lay in two classes: a person may have removed one of the copies."""
    for row in book.of_status(LEFT_OUT):
        if row.reason == TWO_CLASSES and row.source in book.listed:
            del book.rows[row.source]
