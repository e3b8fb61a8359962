"""The rows of one run over photos: what is done and whole stays, the rest is done, a kill loses nothing."""

import errno
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers, sha256_file
from npylabel.base.i18n import _
from npylabel.base.journal import RunJournal
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.base.report import StepReport
from npylabel.photos.groups import name_groups
from npylabel.photos.manifest import (
    DUPLICATE,
    LEFT_OUT,
    OK,
    PHOTOS_JOURNAL,
    PhotoRow,
    kept_out,
    row_from,
    without_files,
)
from npylabel.photos.names import NamePool
from npylabel.photos.pairs import mended, passed_on
from npylabel.photos.preflight import plan_run
from npylabel.photos.prepare import Outcome, PhotoJob, prepare_photos
from npylabel.photos.reasons import BY_PERSON, PICTURE_LOST, TRANSIENT
from npylabel.photos.settings import PictureSettings
from npylabel.photos.sources import Listing, PhotoRef
from npylabel.photos.strays import Strays


class PhotoBook:
    """The rows of all photos by source, and the files that belong to them.

    Args:
        root: folder of the results.
        folders: folders in ``root`` that hold a file of each photo: the color file, then the grayscale file if any.
        settings: how photos are fitted.
        made_from: "own" or "demo".
        listing: the photos that are there now.
        rows: what an earlier run wrote.
        left_out: SHA-256 of the originals that a person left out; those that the rows name are left out, too.

    Raises:
        NpyLabelError: ``mixed_worlds`` where the rows are of the other kind.
    """

    def __init__(
        self, root: Path, folders: Sequence[str], settings: PictureSettings, made_from: str, listing: Listing,
        rows: Sequence[PhotoRow], left_out: Collection[str] = (),
    ) -> None:
        self.root, self.folders, self.settings, self.made_from = root, folders, settings, made_from
        self.listing = listing
        self.listed = {ref.source for ref in listing.refs}
        self._refuse_other_world(rows)
        rows = passed_on(rows, {ref.source: ref.fingerprint for ref in listing.refs})
        self.left_out = {*left_out, *(row.sha256 for row in rows if row.reason == BY_PERSON)}
        self.journal = RunJournal(root / PHOTOS_JOURNAL, {"settings": str(settings), "made_from": made_from})
        self.rows = {row.source: row for row in rows}
        # What the tables say, not what a killed run came to.
        used = [row for row in rows if self.holds_name(row) and row.reason != BY_PERSON]
        self.used_before = {(row.source, row.sha256) for row in used if row.status == OK}
        self.names_before = {row.sha256: row.name for row in used if row.sha256 and row.name}
        # Names that a killed run gave, by source: a name is given once, also to a photo that is left out later.
        self._plan: dict[str, str] = {}
        self._given: set[str] = set()
        self._read_journal()
        self._old = dict(self.rows)
        # Sources of the photos whose grayscale files were made again from their color files.
        self.remade: list[str] = []
        # Those of photos without originals whose pictures are not those that were written.
        self.changed: set[str] = set()
        for folder in {root, *(root / name for name in folders)}:
            folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(root, *{path.parent for row in self.rows.values() for path in self.files(row)},
                         *(root / name for name in folders))

    def _read_journal(self) -> None:
        settings, entries = self.journal.read_any()
        plans = [pair for entry in entries for pair in entry.get("plan", {}).items()]
        done_rows = [row_from(entry) for entry in entries if "plan" not in entry]
        # Where pictures of a lost table were known again, they are not this run's.
        renamed = {row.name for row in done_rows} & {*self.names_before.values()}
        given = {*(name for _source, name in plans), *renamed}
        if settings != self.journal.settings:
            self._drop_unclaimed(given, settings.get("settings", ""))
            return
        self._plan, self._given = dict(plans), given
        for row in {row.source: row for row in done_rows}.values():
            done = self.rows.get(row.source)
            # A run that was killed behind its last table has told the truth there.
            if not done or (done.fingerprint, done.settings) != (row.fingerprint, row.settings):
                self.rows[row.source] = row

    def _drop_unclaimed(self, names: Collection[str], settings: str) -> None:
        """Remove the files that a killed run wrote under its names and that no row stands for."""
        claimed = {path for row in self.rows.values() for path in self.files(row)}
        for name in names:
            for path in self.files(PhotoRow(name, "", settings=settings)):
                if path not in claimed:
                    path.unlink(missing_ok=True)

    def files(self, row: PhotoRow) -> list[Path]:
        """The files of one photo, also those that got lost; none where it has none."""
        if not _has_pair(row) or not row.name:
            return []
        return [self.root / folder / f"{row.name}{row.suffix}" for folder in self.folders]

    @staticmethod
    def holds_name(row: PhotoRow) -> bool:
        """Whether the name of the row is its photo's own: that of its files, or of a photo that may come back."""
        return _has_pair(row) or row.reason == BY_PERSON

    def of_status(self, status: str) -> list[PhotoRow]:
        """The rows with a status, sorted by source."""
        return sorted((row for row in self.rows.values() if row.status == status), key=lambda row: row.source)

    def keep_known(self) -> None:
        """Forget the rows that are not true any more: changed originals, other settings, damaged files.

        Nothing replaces a result whose original is not here now: it is mended where it can be, and never removed.
        """
        listed = {ref.source: ref for ref in self.listing.refs}
        # A copy of an original that is another photo by now has to be made itself.
        hashes = {row.sha256 for row in self.of_status(OK) if self._may_stay(row, listed.get(row.source), set())}
        kept = [row for row in self.rows.values() if self._may_stay(row, listed.get(row.source), hashes)]
        with ThreadPoolExecutor(cpu_count()) as pool:
            checked = [row for row in pool.map(lambda row: self._checked(row, row.source in listed), kept) if row]
        # A copy stands in for what got lost: it has to be made itself, too.
        lost = {row.sha256 for row in checked if row.reason == PICTURE_LOST}
        self.rows = {row.source: row for row in checked
                     if row.source not in listed or row.status != DUPLICATE or row.sha256 not in lost}

    def _checked(self, row: PhotoRow, is_listed: bool) -> PhotoRow | None:
        """The row as it is true now, None where the photo has to be done again."""
        if not self.files(row):
            return row
        if self._is_whole(row):
            return replace(row, status=OK, reason="")
        if is_listed:
            return None
        row, was_remade = mended(row, self.files(row))
        self.remade += [row.source] if was_remade else []
        if not self._is_whole(row):
            self.changed.add(row.source)
        # One that a person left out is not lost; the files wait elsewhere.
        return kept_out(row) if row.reason == PICTURE_LOST and row.sha256 in self.left_out else row

    def _may_stay(self, row: PhotoRow, ref: PhotoRef | None, hashes: set[str]) -> bool:
        if ref is None:  # The original is not here now; what was made of it, or is known about it, stays.
            return row.reason != BY_PERSON or row.sha256 in self.left_out
        if row.reason == BY_PERSON:
            return row.fingerprint == ref.fingerprint and row.sha256 in self.left_out
        if row.fingerprint != ref.fingerprint or row.settings != str(self.settings):
            return False
        if row.status == LEFT_OUT:
            return row.reason not in (*TRANSIENT, PICTURE_LOST) and ref.code in ("", row.reason)
        return row.status == OK or row.sha256 in hashes

    def _is_whole(self, row: PhotoRow) -> bool:
        hashes = (row.color_sha256, row.bw_sha256)
        return all(path.is_file() and sha256_file(path) == wanted
                   for path, wanted in zip(self.files(row), hashes, strict=False))

    def run(
        self, refs: Sequence[PhotoRef], report: StepReport, workers: int, folder_of: Callable[[PhotoRef], str],
        originals: Mapping[str, PhotoRow] = MappingProxyType({}),
    ) -> int:
        """How many photos were done; each one's row is in the journal as soon as its files exist.

        Args:
            refs: the photos to do.
            report: gets the plan as a message.
            workers: processes, 0 for one per core.
            folder_of: the folder inside ``folders`` for a photo, such as a class name, or "".
            originals: by source of the refs that are themselves made of a photo, its row: it tells which photo it is.

        Raises:
            NpyLabelError: ``disk_full`` before the work starts.
        """
        if not refs:
            return 0
        # The name of a photo that a person left out waits for it to come back.
        known = {row.name for row in (*self.rows.values(), *self._old.values()) if self.holds_name(row)}
        known |= set(self._plan.values())
        foreign = self._foreign_names({folder_of(ref) for ref in refs})
        names = NamePool([*known, *foreign])
        strays = Strays(self.root / self.folders[0], [name for name in foreign if name not in known],
                        f".{self.settings.image_format}")
        jobs = [self._job(ref, names, folder_of(ref)) for ref in refs]
        plan = plan_run(jobs, self.root, workers=workers)
        print(plan, flush=True)
        report.messages.append(str(plan))
        self._plan |= {job.ref.source: job.name for job in jobs}
        self._given |= {job.name for job in jobs}
        self.journal.append({"plan": self._plan})
        for job, outcome in track(prepare_photos(jobs, workers=workers), total=len(jobs), label=_("Photos")):
            row = self._unless_left_out(_as_original(self._row(job, outcome), originals.get(job.ref.source)))
            if row.status == OK and row.sha256 not in self.names_before:
                self.rename(row, strays.take(row.source, row.name, row.color_sha256))
            self._drop_old(row)
            self.journal.append(asdict(row))
            self.rows[row.source] = row
        return len(jobs)

    def _foreign_names(self, inner: set[str]) -> list[str]:
        """Names of files that lie in the place of results and that no run of ours made: they are never written over."""
        claimed = {path for row in self.rows.values() for path in self.files(row)}
        found = []
        for folder in (self.root / outer / name for outer in self.folders for name in inner):
            paths = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
            prefix = f"{folder.name}/" if folder != self.root and folder.name in inner else ""
            found += [prefix + path.stem for path in paths if path not in claimed]
        return found

    def _job(self, ref: PhotoRef, names: NamePool, folder: str) -> PhotoJob:
        old = self._old.get(ref.source)
        stem = Path(ref.source.rpartition("/")[2]).stem
        known = [old.name if old and _has_pair(old) else "", self._plan.get(ref.source, "")]
        name = next((name for name in known if name and name.rpartition("/")[0] == folder), "")
        name = name or names.give(stem, folder)
        made = PhotoRow(name, ref.source, settings=str(self.settings))
        color, *rest = self.files(made)
        return PhotoJob(ref, color, rest[0] if rest else None, self.settings.size_px, self.settings.fit,
                        self.settings.image_format, name)

    def _row(self, job: PhotoJob, outcome: Outcome) -> PhotoRow:
        values = {key: value for key, value in asdict(outcome).items() if key != "code"}
        return row_from({
            **values, "name": "" if outcome.code else job.name, "reason": outcome.code,
            "status": LEFT_OUT if outcome.code else OK, "fingerprint": job.ref.fingerprint,
            "settings": str(self.settings), "made_from": self.made_from,
        })

    def _drop_old(self, row: PhotoRow) -> None:
        """Remove what stood in the place of a new result: under another name or suffix, or of a photo now unusable."""
        old = self._old.get(row.source)
        for path in set(self.files(old) if old else ()) - set(self.files(row)):
            path.unlink(missing_ok=True)

    def rename(self, row: PhotoRow, name: str) -> bool:
        """Whether the photo has the name now, with its files; not where other files lie there."""
        new = replace(row, name=name)
        moves = list(zip(self.files(row), self.files(new), strict=False))
        if not name or not all(_may_replace(path, target) for path, target in moves):
            return False
        self.journal.append(asdict(new))  # After a kill they are made again under this name.
        for path, target in moves:
            path.replace(target)
        row.name = name
        return True

    def _unless_left_out(self, row: PhotoRow) -> PhotoRow:
        """The row of a photo that was just made, or its row as left out, without files, where a person decided so."""
        if row.status != OK or row.sha256 not in self.left_out:
            return row
        self.drop_files(row)
        old = self._old.get(row.source)
        if old and old.reason == BY_PERSON and old.sha256 == row.sha256:
            return replace(old, fingerprint=row.fingerprint)
        return without_files(row, "", LEFT_OUT, BY_PERSON)

    def settle_left_out(self) -> None:
        """Take out the photos that a person left out; results whose originals are not here now are not removed."""
        hashes = self.left_out & {row.sha256 for row in self.rows.values() if row.source in self.listed}
        for row in [row for row in self.rows.values() if row.status != LEFT_OUT and row.sha256 in hashes]:
            self.drop_files(row)
            self.rows[row.source] = kept_out(row)

    def settle_groups(self) -> None:
        """Give the photos that show nearly the same the name of the first of them."""
        self._drop_unclaimed(self._given, str(self.settings))
        name_groups(self.of_status(OK))

    def drop_files(self, row: PhotoRow | None) -> None:
        """Remove the results (never the original) of one photo."""
        for path in self.files(row) if row else ():
            path.unlink(missing_ok=True)

    def _refuse_other_world(self, rows: Sequence[PhotoRow]) -> None:
        if any(row.made_from != self.made_from for row in rows):
            raise NpyLabelError(
                "mixed_worlds",
                _("{path} holds photos of the other kind: drawn demo photos and your own never mix.").format(
                    path=self.root),
                _("Set another folder for the results."),
            )


def _has_pair(row: PhotoRow) -> bool:
    """Whether files stand under the name of the photo, or did so and are missed."""
    return row.status == OK or row.reason == PICTURE_LOST


def _as_original(row: PhotoRow, original: PhotoRow | None) -> PhotoRow:
    """The row of a picture that was made of another one, with what only the original tells."""
    if original is None or not row.sha256:
        return row
    return replace(row, sha256=original.sha256, taken=original.taken, width=original.width, height=original.height)


def _may_replace(path: Path, target: Path) -> bool:
    """Whether nothing gets lost when the file takes the place of the target."""
    return not os.path.lexists(target) or (target.is_file() and sha256_file(target) == sha256_file(path))


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn a disk that is full, or gone, into words; what was done stays.

    Raises:
        NpyLabelError: ``disk_full`` or ``disk_fault``.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise NpyLabelError(
            "disk_full" if full else "disk_fault",
            _("Writing to {path} failed: {reason}.").format(path=folder, reason=error.strerror or error),
            _("Free some room or mend the connection, then run the step again: it goes on where it stopped."),
        ) from error
