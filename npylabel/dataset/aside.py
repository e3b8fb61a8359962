"""The folder of what was taken out: the same relative paths as in the work folder, and the rows of its tables."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from npylabel.base.files import atomic_path, sha256_file
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.base.tables import read_csv, write_csv

LEFT_OUT_DIR = "left_out"
Row = dict[str, str]


@dataclass(frozen=True)
class Counterpart:
    """A folder of the work folder and its counterpart in the folder of what was taken out."""

    inside: Path
    aside: Path

    @classmethod
    def of(cls, work_dir: Path, folder: Path, name: str = LEFT_OUT_DIR) -> "Counterpart":
        """The counterpart has the same relative path; a folder from elsewhere has its name there."""
        inner = folder.relative_to(work_dir) if folder.is_relative_to(work_dir) else folder.name
        return cls(folder, work_dir / name / inner)

    def partner(self, path: Path) -> Path:
        """The counterpart of a file inside."""
        return self.aside / path.relative_to(self.inside)


def move_file(source: Path, target: Path) -> None:
    """Move a file; nothing is written over: another file that lies there gets a number behind its name.

    A file that is there no more was moved by a run that was killed.
    """
    if not os.path.lexists(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target) and not same_content(source, target):
        target.replace(free_path(target))
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another disk: first the copy, whole and on the disk, then the end of the original.
        with atomic_path(target, durable=True) as copy:
            shutil.copyfile(source, copy)
        source.unlink()


def move_files(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move files, each from its first to its second path."""
    for source, target in track(moves, total=len(moves), label=_("Moving files")):
        move_file(source, target)


def checksums(paths: Sequence[Path]) -> dict[Path, str]:
    """SHA-256 of the files by path."""
    with ThreadPoolExecutor(cpu_count()) as pool:
        found = zip(paths, pool.map(sha256_file, paths), strict=True)
        return dict(track(found, total=len(paths), label=_("Checksums")))


def same_content(first: Path, second: Path) -> bool:
    """Whether both are files with the same bytes."""
    if not (first.is_file() and second.is_file()) or first.stat().st_size != second.stat().st_size:
        return False
    return sha256_file(first) == sha256_file(second)


def may_lie(source: Path, target: Path) -> bool:
    """Whether the target is free for the source, or holds the same already."""
    return not os.path.lexists(target) or same_content(source, target)


def free_path(path: Path) -> Path:
    """The path, or one with a number behind its stem, where no file is yet."""
    candidates = (path.with_name(name) for name in numbered(path.stem, path.suffix))
    return next(path for path in candidates if not os.path.lexists(path))


def numbered(stem: str, suffix: str = "") -> Iterator[str]:
    """The name, then the same with a number behind the stem: 2, 3..."""
    return chain([f"{stem}{suffix}"], (f"{stem}_{number}{suffix}" for number in count(2)))


def add_rows(path: Path, columns: Sequence[str], rows: Iterable[Row], *, key: Sequence[str], order: str) -> None:
    """Add rows to a table; those with the same key take the place of what was there.

    Args:
        path: the table; made when missing.
        columns: of a new table.
        rows: to add.
        key: columns that tell rows apart.
        order: column by which the table is sorted.
    """
    before, added = read_csv(path), list(rows)
    if not added:
        return
    taken = {tuple(row.get(name) for name in key) for row in added}
    kept = [row for row in before if tuple(row.get(name) for name in key) not in taken]
    write_csv(path, list(before[0]) if before else columns, sorted([*kept, *added], key=lambda row: row[order] or ""))


def drop_rows(path: Path, columns: Sequence[str], chosen: Callable[[Row], bool], *, whole: bool = False) -> None:
    """Remove the chosen rows from a table.

    Args:
        path: the table.
        columns: of a table that had no rows.
        chosen: says of a row whether it goes.
        whole: remove the table itself where no row is left.
    """
    before = read_csv(path)
    kept = [row for row in before if not chosen(row)]
    if whole and not kept:
        path.unlink(missing_ok=True)
    elif len(kept) < len(before):
        write_csv(path, list(before[0]) if before else columns, kept)


def remove_empty(folder: Path, top: Path) -> None:
    """Remove the folder and those above it up to the top (included) as far as they are empty."""
    while folder.is_relative_to(top):
        with suppress(FileNotFoundError):
            if any(folder.iterdir()):
                return
            folder.rmdir()
        folder = folder.parent
