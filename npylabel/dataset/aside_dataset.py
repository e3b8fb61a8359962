"""The part of the dataset that a person left out: what goes aside with a photo, and how it comes back."""

import os
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from npylabel.base.tables import read_csv, write_csv
from npylabel.dataset.aside import Counterpart, add_rows, drop_rows, may_lie, move_files, numbered, remove_empty
from npylabel.dataset.labels import LABEL_COLUMNS, table_path
from npylabel.dataset.photo_names import NameBook
from npylabel.photos.groups import name_groups
from npylabel.photos.manifest import (
    COLUMNS,
    DUPLICATE,
    LEFT_OUT,
    MANIFEST,
    OK,
    PhotoRow,
    kept_out,
    read_rows,
    table_values,
    write_rows,
)
from npylabel.photos.reasons import BY_PERSON, EXACT_DUPLICATE

Move = tuple[Path, Path]
# Columns of the tables aside: the name under which a run has begun to bring the photo back, and that of its files
# aside where another photo of its name is out, too.
BEGUN, LIES = "returns_as", "lies_as"
ASIDE_COLUMNS = (*COLUMNS, BEGUN, LIES)


class DatasetAside:
    """The pairs, labels and rows of a dataset, inside and aside.

    Photos go out in the order: rows written aside, files moved, rows removed inside; and come back the other way
    round: as long as a file is on its way, both its places can be told from the tables.

    Args:
        work_dir: holds the folder of what was left out.
        dataset_dir: the dataset.
    """

    def __init__(self, work_dir: Path, dataset_dir: Path) -> None:
        self.mirror = Counterpart.of(work_dir, dataset_dir)
        self.top = work_dir
        # After a kill a photo can have a row in both tables: then the second one, of those that are out, counts.
        self.listed = read_rows(dataset_dir)
        self.rows = {row.source: row for row in self.listed}
        self.aside = read_rows(self.mirror.aside)
        kept = [row for row in read_csv(self.mirror.aside / MANIFEST) if row.get("status") == OK]
        self.begun = {row["sha256"]: row.get(BEGUN) for row in kept}
        self.lies = {row["sha256"]: row.get(LIES) or row["name"] for row in kept}
        self.lying = set(self.lies.values())
        self.labels_csv = table_path(dataset_dir / "labels")
        self.labels = read_csv(self.labels_csv)

    def add_names(self, book: NameBook) -> None:
        """Put all names of the photos into the book."""
        for row in (*self.rows.values(), *self.aside):
            if row.name and (row.status == OK or row.reason == BY_PERSON):
                book.add_photo(row.name, row.suffix, row.sha256)
            book.add_source(row.source, row.sha256)

    def inside(self, hashes: Collection[str]) -> list[PhotoRow]:
        """The rows of the photos that stand in the manifest, copies included."""
        return [row for row in self.listed if row.sha256 in hashes and row.status != LEFT_OUT]

    def out(self, hashes: Collection[str]) -> list[PhotoRow]:
        """The rows by which photos come back: those kept aside, or what the quarantine remembers."""
        kept = [row for row in self.aside if row.sha256 in hashes]
        unknown = set(hashes) - {row.sha256 for row in kept}
        marks = [row for row in self.rows.values() if row.reason == BY_PERSON and row.sha256 in unknown]
        return kept + [replace(row, status=OK, reason="") for row in marks if row.color_sha256]

    def marked(self, hashes: Collection[str]) -> set[str]:
        """Those of the photos that the table of photos without files knows as left out."""
        return {row.sha256 for row in self.listed if row.reason == BY_PERSON} & set(hashes)

    def label_sources(self) -> dict[str, str]:
        """Where the label of each photo came from, inside and aside: "model" or "human"."""
        return {row.get("name"): row.get("source") for row in (*read_csv(self._aside_labels), *self.labels)}

    def moves_out(self, hashes: Collection[str]) -> list[Move]:
        """(from, to) of the files that go aside."""
        moves = {path: target for row in self._named(hashes) for path, target in zip(
            self._files(row), self._files(row, self.mirror.aside, self._place(row)), strict=True)}
        return [(path, target) for path, target in sorted(moves.items()) if os.path.lexists(path)]

    def _place(self, row: PhotoRow) -> str:
        """The name that the files of a photo have aside: its own, unless another photo's lie there."""
        if row.sha256 in self.lies:
            return self.lies[row.sha256]
        return next(name for name in numbered(row.name) if name not in self.lying
                    and self._owners(name) <= {row.sha256}
                    and all(may_lie(path, target) for path, target in zip(
                        self._files(row), self._files(row, self.mirror.aside, name), strict=True)))

    def _named(self, hashes: Collection[str]) -> list[PhotoRow]:
        """The rows whose files are those of the photos, also where only the rows are out so far."""
        mine = [row for row in self.listed if row.sha256 in hashes and row.name
                and (row.status == OK or row.reason == BY_PERSON)]
        others = {row.name for row in self.listed if row.status == OK and row.sha256 not in hashes}
        return [row for row in mine if row.name not in others]

    def leave(self, hashes: Collection[str], moves: list[Move]) -> None:
        """Take the photos out."""
        rows, names = self.inside(hashes), {row.name for row in self._named(hashes)}
        labels = [row for row in self.labels if row.get("name") in names]
        aside = [table_values(row) | {LIES: self._place(row) if row.status == OK else ""} for row in rows]
        add_rows(self.mirror.aside / MANIFEST, ASIDE_COLUMNS, aside, key=("source", "sha256"), order="source")
        add_rows(self._aside_labels, LABEL_COLUMNS, labels, key=("name", "original_sha256"), order="name")
        move_files(moves)
        drop_rows(self.labels_csv, LABEL_COLUMNS, lambda row: row.get("name") in names)
        if rows:
            self.rows = {source: kept_out(row) if row.status != LEFT_OUT and row.sha256 in hashes else row
                         for source, row in self.rows.items()}
            self._write(aside_first=True)

    def returns(self, hashes: Collection[str]) -> list[tuple[PhotoRow, PhotoRow]]:
        """(row as it was, row as it comes back) of the photos: under another name where a new photo has theirs."""
        found, winners, given = [], {}, set()
        for row in sorted(self.out(hashes), key=lambda row: row.status != OK):
            if row.status != OK:
                found.append((row, replace(row, name=winners.get(row.sha256, row.name))))
                continue
            winners[row.sha256] = self._free_name(row, given)
            given.add(winners[row.sha256].casefold())
            found.append((row, replace(row, name=winners[row.sha256])))
        return found

    def moves_back(self, hashes: Collection[str]) -> list[Move]:
        """(from, to) of the files that come back; one that would take another's place stays aside."""
        moves = [move for row, new in self.returns(hashes) if row.status == OK for move in self._moves(row, new)]
        return [(source, target) for source, target in moves if os.path.lexists(source) and may_lie(source, target)]

    def back(self, hashes: Collection[str], moves: list[Move]) -> None:
        """Take the photos back."""
        pairs = self.returns(hashes)
        used = [(row, new) for row, new in pairs if row.status == OK]
        self._begin({row.sha256: new.name for row, new in used})
        # Another photo of the same name may be out, too: labels know their originals.
        named: dict[str, list[tuple[PhotoRow, PhotoRow]]] = defaultdict(list)
        for row, new in used:
            named[row.name].append((row, new))
        labels = [(label, new.name) for label in read_csv(self._aside_labels)
                  for row, new in named.get(label.get("name"), ())
                  if label.get("original_sha256") in (None, "", row.sha256)]
        # The labels first: a label file whose row is missing would pass for one of unknown origin.
        add_rows(self.labels_csv, LABEL_COLUMNS, [label | {"name": name} for label, name in labels], key=("name",),
                 order="name")
        move_files(moves)
        self._restore(hashes, [new for _row, new in pairs])
        gone = {(label.get("name"), label.get("original_sha256")) for label, _name in labels}
        drop_rows(self._aside_labels, LABEL_COLUMNS,
                  lambda row: (row.get("name"), row.get("original_sha256")) in gone, whole=True)
        drop_rows(self.mirror.aside / MANIFEST, ASIDE_COLUMNS, lambda row: row.get("sha256") in hashes, whole=True)
        for folder in (*(self.mirror.aside / name for name in ("color", "bw", "labels")), self.mirror.aside):
            remove_empty(folder, self.mirror.aside)
        remove_empty(self.mirror.aside.parent, self.top)

    def _begin(self, names: dict[str, str]) -> None:
        """Keep the names under which photos come back: after a kill their files are on both sides."""
        path = self.mirror.aside / MANIFEST
        if path.is_file():
            write_csv(path, ASIDE_COLUMNS, [
                {**row, BEGUN: names.get(row.get("sha256"), row.get(BEGUN))} for row in read_csv(path)])

    def _restore(self, hashes: Collection[str], restored: list[PhotoRow]) -> None:
        marks = {source: row for source, row in self.rows.items()
                 if row.reason == BY_PERSON and row.sha256 in hashes}
        if not marks and not restored:
            return
        rows = {source: row for source, row in self.rows.items() if source not in marks}
        # A photo that the quarantine knows by its source keeps that: another one of the same source came before it.
        for row in sorted(restored, key=lambda row: not _is_mark_of(marks.get(row.source), row)):
            mark = marks.pop(row.source) if _is_mark_of(marks.get(row.source), row) else None
            row.source = own_source(row.source, row.sha256, rows[row.source].sha256 if row.source in rows else "")
            # The original may have been copied since, with another time.
            rows[row.source] = replace(row, fingerprint=mark.fingerprint) if mark else row
        winners = {row.sha256: row.name for row in restored if row.status == OK}
        for source, row in marks.items():  # Copies that came while the photo was out; those of no photo come anew.
            if row.sha256 in winners and source not in rows:
                rows[source] = replace(row, name=winners[row.sha256], status=DUPLICATE, reason=EXACT_DUPLICATE,
                                       phash="", color_sha256="", bw_sha256="")
        self.rows = rows
        self._write(aside_first=False)

    def _write(self, *, aside_first: bool) -> None:
        name_groups(sorted((row for row in self.rows.values() if row.status == OK), key=lambda row: row.source))
        write_rows(self.mirror.inside, list(self.rows.values()), aside_first=aside_first)

    @property
    def _aside_labels(self) -> Path:
        return self.mirror.partner(self.labels_csv)

    def _files(self, row: PhotoRow, root: Path | None = None, name: str = "") -> list[Path]:
        """The pair and the label of a photo inside, or below another root under another name."""
        root, name = root or self.mirror.inside, name or row.name
        pair = [root / folder / f"{name}{row.suffix}" for folder in ("color", "bw")]
        return [*pair, root / "labels" / f"{name}.npy"]

    def _free_name(self, row: PhotoRow, given: Collection[str]) -> str:
        """The name that a killed run has begun to bring the photo back under, else the first that nobody has."""
        begun = self.begun.get(row.sha256, "")
        if begun and begun.casefold() not in given and self._owners(begun) <= {row.sha256}:
            return begun
        return next(name for name in numbered(row.name) if name.casefold() not in given
                    and self._owners(name) <= {row.sha256}
                    and all(may_lie(*move) for move in self._moves(row, replace(row, name=name))))

    def _owners(self, name: str) -> set[str]:
        """SHA-256 of the photos that have a name, or whose name it is while they are out."""
        return self._names.get(name.casefold(), set())

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = {}
        for row in self.rows.values():
            if row.status == OK or row.reason == BY_PERSON:
                names.setdefault(row.name.casefold(), set()).add(row.sha256)
        return names

    def _moves(self, row: PhotoRow, new: PhotoRow) -> list[Move]:
        sources = self._files(row, self.mirror.aside, self.lies.get(row.sha256, row.name))
        return list(zip(sources, self._files(new), strict=True))


def own_source(source: str, sha256: str, other_sha256: str) -> str:
    """The source of a photo that comes back; where another photo has taken its original's place, one of its own."""
    return f"{source}#{sha256[:8]}" if other_sha256 not in ("", sha256) else source


def _is_mark_of(mark: PhotoRow | None, row: PhotoRow) -> bool:
    return mark is not None and mark.sha256 == row.sha256
