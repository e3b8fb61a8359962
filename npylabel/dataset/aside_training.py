"""The part of the training data that a person left out: copies in class folders and their rows."""

import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from npylabel.base.classes import nfc
from npylabel.base.tables import read_csv, write_csv
from npylabel.dataset.aside import (
    Counterpart,
    Row,
    add_rows,
    checksums,
    drop_rows,
    free_path,
    may_lie,
    move_files,
    numbered,
    remove_empty,
)
from npylabel.dataset.aside_dataset import BEGUN, LIES, Move, own_source
from npylabel.dataset.photo_names import NameBook
from npylabel.dataset.training_data import SPLIT, SPLIT_COLUMNS, read_split_rows
from npylabel.photos.groups import name_groups
from npylabel.photos.manifest import DUPLICATE, PhotoRow, kept_out, read_aside, row_from, write_aside
from npylabel.photos.reasons import BY_PERSON, EXACT_DUPLICATE
from npylabel.photos.sources import PHOTO_SUFFIXES, is_hidden

ASIDE_COLUMNS = (*SPLIT_COLUMNS, BEGUN, LIES)


class TrainingAside:
    """The training copies of photos, inside and aside; the order of the work is that of ``DatasetAside``.

    Args:
        work_dir: holds the folder of what was left out.
        data_path: the training data.

    Raises:
        NpyLabelError: ``split_damaged``, ``manifest_damaged``.
    """

    def __init__(self, work_dir: Path, data_path: Path) -> None:
        self.mirror, self.top = Counterpart.of(work_dir, data_path), work_dir
        read_split_rows(data_path)  # Says what is wrong with it.
        self.rows, self.aside = read_csv(data_path / SPLIT), read_csv(self.mirror.aside / SPLIT)
        # The first of two rows of one copy counts.
        self.places = {(row["path"], row.get("sha256")): place_aside(row) for row in reversed(self.aside)}
        self.taken = set(self.places.values())
        self.marks = read_aside(data_path)
        self.by_hand = _unlisted(data_path, [row["path"] for row in self.rows])
        self.aside_by_hand = _unlisted(self.mirror.aside, [place_aside(row) for row in self.aside])

    def add_names(self, book: NameBook) -> None:
        """Put all names of the copies into the book."""
        for row in (*self.rows, *self.aside):
            book.add_training(row["path"], row.get("sha256") or "")
            book.add_source(row.get("source") or "", row.get("sha256") or "")
        for files in (self.by_hand, self.aside_by_hand):
            for path, sha256 in files.items():
                book.add_training(path, sha256)

    def inside(self, hashes: Collection[str]) -> list[Row]:
        """The rows of the copies that are in use."""
        return [row for row in self.rows if row.get("sha256") in hashes]

    def out(self, hashes: Collection[str]) -> list[Row]:
        """The rows of the copies that are aside."""
        return [row for row in self.aside if row.get("sha256") in hashes]

    def marked(self, hashes: Collection[str]) -> set[str]:
        """Those of the photos that the table of photos without files knows as left out."""
        return {row.sha256 for row in self.marks if row.reason == BY_PERSON} & set(hashes)

    def moves_out(self, hashes: Collection[str]) -> list[Move]:
        """(from, to) of the copies that go aside, those that were laid there by hand included."""
        moves = [(row["path"], self._place(row)) for row in self.inside(hashes)]
        paths = [path for path, sha256 in self.by_hand.items() if sha256 in hashes]
        by_hand = [(self.mirror.inside / path, self.mirror.aside / path) for path in paths]
        return [*((self.mirror.inside / path, self.mirror.aside / place) for path, place in moves
                  if os.path.lexists(self.mirror.inside / path)),
                # Nothing but their content tells them apart from others of their name.
                *((path, target if may_lie(path, target) else free_path(target)) for path, target in by_hand)]

    def _place(self, row: Row) -> str:
        """The path of a copy aside: its own, unless another photo's copy lies there."""
        known = self.places.get((row["path"], row.get("sha256")))
        if known:
            return known
        return next(path for path in _candidates(row["path"]) if path not in self.taken
                    and may_lie(self.mirror.inside / row["path"], self.mirror.aside / path))

    def leave(self, hashes: Collection[str], moves: list[Move]) -> None:
        """Take the copies out."""
        rows = self.inside(hashes)
        aside = [row | {LIES: self._place(row)} for row in rows]
        add_rows(self.mirror.aside / SPLIT, ASIDE_COLUMNS, aside, key=("path", "sha256"), order="source")
        move_files(moves)
        marks = {row.source: kept_out(row) if row.sha256 in hashes and row.status == DUPLICATE else row
                 for row in self.marks}
        marks |= {row["source"]: kept_out(_photo_row(row)) for row in rows}
        if marks != {row.source: row for row in self.marks}:
            write_aside(self.mirror.inside, list(marks.values()))
        if rows:
            self._write([row for row in self.rows if row.get("sha256") not in hashes])

    def returns(self, hashes: Collection[str]) -> list[tuple[Row, Row]]:
        """(row as it was, row as it comes back): under another name where another picture has theirs."""
        taken = {row["path"] for row in self.rows if row.get("sha256") not in hashes}
        found = []
        for row in self.out(hashes):
            begun = row.get(BEGUN)
            free = (path for path in _candidates(row["path"]) if path not in taken
                    and may_lie(self.mirror.aside / place_aside(row), self.mirror.inside / path))
            path = begun if begun and begun not in taken else next(free)
            taken.add(path)
            found.append((row, {**row, "path": path}))
        return found

    def moves_back(self, hashes: Collection[str]) -> list[Move]:
        """(from, to) of the copies that come back; one that would take another's place stays aside."""
        pairs = [(place_aside(row), new["path"]) for row, new in self.returns(hashes)]
        pairs += [(path, path) for path, sha256 in self.aside_by_hand.items() if sha256 in hashes]
        moves = [(self.mirror.aside / path, self.mirror.inside / new) for path, new in pairs]
        return [(source, target) for source, target in moves
                if os.path.lexists(source) and may_lie(source, target)]

    def back(self, hashes: Collection[str], moves: list[Move]) -> None:
        """Take the copies back."""
        pairs = self.returns(hashes)
        new = [{name: value for name, value in row.items() if name not in (BEGUN, LIES)} for _old, row in pairs]
        # After a kill files are on both sides: the names under which they come back are kept first.
        add_rows(self.mirror.aside / SPLIT, ASIDE_COLUMNS, [{**old, BEGUN: row["path"]} for old, row in pairs],
                 key=("path", "sha256"), order="source")
        move_files(moves)
        if new:
            paths = {row["path"] for row in new}
            self._write(self._with([row for row in self.rows if row["path"] not in paths], new))
        self._restore_marks(hashes, new)
        drop_rows(self.mirror.aside / SPLIT, ASIDE_COLUMNS, lambda row: row.get("sha256") in hashes, whole=True)
        folders = {source.parent for source, _target in moves} | {
            self.mirror.aside / Path(row["path"]).parent for row, _new in pairs}
        for folder in (*sorted(folders), self.mirror.aside):
            remove_empty(folder, self.top)

    def _with(self, rows: list[Row], new: list[Row]) -> list[Row]:
        """The rows with the new ones; where two have one source, whom the tables have there keeps it."""
        marks = {(row.source, row.sha256) for row in self.marks if row.reason == BY_PERSON}
        marks |= {(row["source"], row["sha256"]) for row in self.rows}
        result = {row["source"]: row for row in rows}
        for row in sorted(new, key=lambda row: (row["source"], row["sha256"]) not in marks):
            other = result.get(row["source"], {}).get("sha256") or ""
            source = own_source(row["source"], row["sha256"], other)
            result[source] = row | {"source": source}
        return list(result.values())

    def _restore_marks(self, hashes: Collection[str], new: list[Row]) -> None:
        """Copies of the photos are duplicates again; what has no copy in use is made again by step 02."""
        names = {row["sha256"]: row["path"].rpartition(".")[0] for row in new}
        sources = {(row["source"], row["sha256"]) for row in new}
        marks = []
        for row in self.marks:
            if row.reason != BY_PERSON or row.sha256 not in hashes:
                marks.append(row)
            elif row.sha256 in names and (row.source, row.sha256) not in sources:
                marks.append(replace(row, name=names[row.sha256], status=DUPLICATE, reason=EXACT_DUPLICATE, phash="",
                                     color_sha256="", bw_sha256=""))
        if marks != self.marks:
            write_aside(self.mirror.inside, marks)

    def _write(self, rows: list[Row]) -> None:
        ordered = sorted(rows, key=lambda row: row.get("source") or "")
        photos = [_photo_row(row) for row in ordered]
        name_groups(photos)
        columns = list(self.rows[0]) if self.rows else SPLIT_COLUMNS
        write_csv(self.mirror.inside / SPLIT, columns, [
            {**row, "group": photo.group} for row, photo in zip(ordered, photos, strict=True)])
        self.rows = ordered


def place_aside(row: Row) -> str:
    """Where a row of the table aside says that its file lies."""
    return row.get(LIES) or row["path"]


def _photo_row(row: Row) -> PhotoRow:
    return row_from({**row, "name": row["path"].rpartition(".")[0]})


def _candidates(path: str) -> Iterator[str]:
    stem, dot, suffix = path.rpartition(".")
    return numbered(stem, dot + suffix)


def _unlisted(folder: Path, paths: list[str]) -> dict[str, str]:
    """SHA-256 by path of the pictures in class folders that are in no table: laid there by hand."""
    listed = set(map(nfc, paths))
    found = []
    for inner in sorted(folder.iterdir()) if folder.is_dir() else ():
        if inner.is_dir() and not is_hidden(inner.name):
            found += [path for path in sorted(inner.iterdir()) if path.is_file() and not is_hidden(path.name)
                      and path.suffix.lower() in PHOTO_SUFFIXES
                      and nfc(path.relative_to(folder).as_posix()) not in listed]
    return {path.relative_to(folder).as_posix(): sha256 for path, sha256 in checksums(found).items()}
