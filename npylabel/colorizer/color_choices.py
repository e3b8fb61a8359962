"""Classes that a person chose for single photos, in the parameter ``label`` or in the table: written down for ever."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.color_table import COLOR_TABLE, ColorRow
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.class_search import class_unknown
from npylabel.dataset.decisions import ASSIGN, CLEAR, LABEL, SKIP, Decision, read_decisions
from npylabel.dataset.give_class import split_value
from npylabel.dataset.labels import WHOLE_NUMBER
from npylabel.dataset.photo_names import NameBook
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.book import disk_faults
from npylabel.photos.sources import PhotoRef

# Where a decision was taken, for the journal.
BY_PARAMETER, BY_TABLE = "colorize", "table"
_BETWEEN = "|"


def split_choices(label: str) -> list[tuple[str, str]]:
    """(Class, names of photos) of "class: name; name | class: name"; [] for a class that is for all photos.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    # A colon stands in no name of a class.
    if ":" not in label:
        return []
    return [split_value(LABEL, part, "label") for part in label.split(_BETWEEN) if part.strip()]


def refuse_unknown_classes(label: str, table: ClassTable) -> None:
    """Raise ``NpyLabelError`` (``bad_parameter``, ``class_unknown``) for a class in the parameter that no table has."""
    for class_name in [name for name, _photos in split_choices(label)] or [label]:
        if class_name and table.find(class_name) is None:
            raise class_unknown(table, class_name)


def choose_classes(
    choices: Sequence[tuple[str, str]], refs: Sequence[PhotoRef], rows: Mapping[str, ColorRow], decided: ClassDecisions
) -> list[str]:
    """Write down the classes that a parameter gives photos by their names.

    The parameter of a notebook stays as it is when the notebook runs again: what was chosen elsewhere after it was
    first heard is the last word.

    Args:
        choices: of ``split_choices``.
        refs: the photos.
        rows: of an earlier run by source.
        decided: takes the decisions.

    Returns:
        Names of the photos for which another word came later, which stays.

    Raises:
        NpyLabelError: ``photo_unknown``, ``photo_ambiguous``, ``disk_full``, ``disk_fault``.
    """
    if not choices:
        return []
    book, by_source = _names(refs, rows), {ref.source: ref for ref in refs}
    wanted = {by_source[source]: decided.table.names[decided.table.find(class_name)]
              for class_name, names in choices for source in book.find(names, parameter="label")}
    words = [Decision(sha256, LABEL, ref.source, class_name, BY_PARAMETER)
             for ref, class_name in wanted.items() if (sha256 := _sha256(ref, rows))]
    stale = _overruled(words, decided)
    write_down(decided, [word for word in words if word not in stale])
    return [word.name.rpartition("/")[2] for word in stale]


def _names(refs: Sequence[PhotoRef], rows: Mapping[str, ColorRow]) -> NameBook:
    """Originals by their paths and file names, and behind them by the names of their colored files."""
    book = NameBook(advice=_("Give the name of the file as it stands in the folder of the old photos."))
    for ref in refs:
        inner = ref.source.partition("/")[2] or ref.source
        paths = [PurePosixPath(text) for text in (ref.source, inner, PurePosixPath(ref.source).name)]
        for name in {str(form) for path in paths for form in (path, path.with_suffix(""))}:
            book.dataset.setdefault(nfc(name), set()).add(ref.source)
        if (row := rows.get(ref.source)) and row.name:
            for name in (row.name, row.colored_name):
                book.sources.setdefault(nfc(name), set()).add(ref.source)
    return book


def _sha256(ref: PhotoRef, rows: Mapping[str, ColorRow]) -> str:
    """Of the original's bytes; "" where it cannot be read, so that it is left out anyway."""
    row = rows.get(ref.source)
    if row and row.sha256 and row.fingerprint == ref.fingerprint:
        return row.sha256
    try:
        return hashlib.sha256(ref.read()).hexdigest()
    except (OSError, *ZIP_ERRORS):
        return ""


def _overruled(words: Iterable[Decision], decided: ClassDecisions) -> list[Decision]:
    """Those that were said in the same way before, and then something else was, elsewhere."""
    said: set[tuple[str, str]] = set()
    last: dict[str, Decision] = {}
    for old in read_decisions(decided.folder) if decided.folder else ():
        if old.action in (ASSIGN, LABEL, SKIP, CLEAR):
            last[old.sha256] = old
        if old.source == BY_PARAMETER:
            said.add((old.sha256, old.class_name))
    return [word for word in words if (word.sha256, word.class_name) in said
            and last[word.sha256].source != BY_PARAMETER and last[word.sha256].class_name != word.class_name]


def write_down(decided: ClassDecisions, decisions: Iterable[Decision]) -> None:
    """Write decisions that change something into the journal; without one they hold for this run.

    Raises:
        NpyLabelError: ``disk_full``, ``disk_fault``.
    """
    new = [word for word in decisions if decided.state(word.sha256).class_name != word.class_name]
    if decided.folder:
        with disk_faults(decided.folder):
            decided.add(new)
    else:
        decided.hear(new)


def take_edits(rows: Mapping[str, ColorRow], decided: ClassDecisions) -> dict[str, ColorRow]:
    """The rows as they were written; the classes that a person changed in them since are decisions now.

    Args:
        rows: by source, as the table has them.
        decided: takes the decisions. An empty class takes back what was decided.

    Raises:
        NpyLabelError: ``class_unknown``, ``disk_full``, ``disk_fault``.
    """
    edits = {source: text for source, row in rows.items() if (text := _edited(row)) is not None}
    words = [_word(rows[source], text, decided.table) for source, text in edits.items()]
    write_down(decided, [word for word in words if word.sha256])
    return {source: _as_written(row) for source, row in rows.items()}


def _edited(row: ColorRow) -> str | None:
    """The class that a person wrote into a row, "" for none; None where it is as it was written."""
    if not row.written_label:
        return None
    old_id, _colon, old_name = row.written_label.partition(":")
    changed = [new for new, old in ((nfc(row.label_name).strip(), nfc(old_name)), (_whole(row.label_id), old_id))
               if new != old]
    return next(filter(None, changed), "") if changed else None


def _whole(number: str) -> str:
    """An id as it was written: spreadsheets make 5.0 of 5."""
    found = WHOLE_NUMBER.fullmatch(number.strip())
    return str(int(found[1])) if found else number.strip()


def _word(row: ColorRow, text: str, table: ClassTable) -> Decision:
    class_id = table.find(text) if text else None
    if text and class_id is None:
        error = class_unknown(table, text)
        raise NpyLabelError(error.code, f"{COLOR_TABLE}, {row.source}: {error.what}", error.fix)
    return Decision(row.sha256, LABEL if text else CLEAR, row.source, table.names[class_id] if text else "", BY_TABLE)


def _as_written(row: ColorRow) -> ColorRow:
    if not row.written_label:
        return row
    label_id, _colon, label_name = row.written_label.partition(":")
    return replace(row, label_id=label_id, label_name=label_name)
