"""The rows of one run over photos: what is done and whole stays, the rest is done, a kill loses nothing."""

import errno
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers, sha256_file
from npylabel.base.i18n import _
from npylabel.base.journal import RunJournal
from npylabel.base.parallel import cpu_count
from npylabel.base.progress import track
from npylabel.base.report import StepReport
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.groups import name_groups
from npylabel.photos.manifest import DUPLICATE, LEFT_OUT, OK, PHOTOS_JOURNAL, PhotoRow, kept_out, row_from
from npylabel.photos.names import NamePool
from npylabel.photos.preflight import plan_run
from npylabel.photos.prepare import Outcome, PhotoJob, prepare_photos
from npylabel.photos.reasons import BY_PERSON, EDITED_COPY, EXACT_DUPLICATE, TRANSIENT
from npylabel.photos.settings import PictureSettings
from npylabel.photos.sources import Listing, PhotoRef

_NO_FILES = {"phash": "", "color_sha256": "", "bw_sha256": ""}


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
        self._refuse_other_world(rows)
        self.left_out = {*left_out, *(row.sha256 for row in rows if row.reason == BY_PERSON)}
        self.journal = RunJournal(root / PHOTOS_JOURNAL, {"settings": str(settings), "made_from": made_from})
        self.rows = {row.source: row for row in rows}
        # Names that a killed run gave, by source: a name is given once, also to a photo that is left out later.
        self._plan: dict[str, str] = {}
        self._read_journal()
        self._old = dict(self.rows)
        for folder in {root, *(root / name for name in folders)}:
            folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(root, *{path.parent for row in self.rows.values() for path in self.files(row)},
                         *(root / name for name in folders))

    def _read_journal(self) -> None:
        settings, entries = self.journal.read_any()
        plan = {source: name for entry in entries for source, name in entry.get("plan", {}).items()}
        if settings != self.journal.settings:
            self._drop_unclaimed(plan, settings.get("settings", ""))
            return
        self._plan = plan
        for row in (row_from(entry) for entry in entries if "plan" not in entry):
            done = self.rows.get(row.source)
            # A run that was killed behind its last table has told the truth there.
            if not done or (done.fingerprint, done.settings) != (row.fingerprint, row.settings):
                self.rows[row.source] = row

    def _drop_unclaimed(self, plan: dict[str, str], settings: str) -> None:
        """Remove the files that a killed run wrote under planned names and that no row stands for."""
        claimed = {path for row in self.rows.values() for path in self.files(row)}
        for source, name in plan.items():
            for path in self.files(PhotoRow(name, source, settings=settings)):
                if path not in claimed:
                    path.unlink(missing_ok=True)

    def files(self, row: PhotoRow) -> list[Path]:
        """The files of one photo; none where it has none."""
        if row.status != OK or not row.name:
            return []
        return [self.root / folder / f"{row.name}{row.suffix}" for folder in self.folders]

    def of_status(self, status: str) -> list[PhotoRow]:
        """The rows with a status, sorted by source."""
        return sorted((row for row in self.rows.values() if row.status == status), key=lambda row: row.source)

    def keep_known(self) -> None:
        """Forget the rows that are not true any more: changed originals, other settings, damaged files."""
        listed = {ref.source: ref for ref in self.listing.refs}
        # A copy of an original that is another photo by now has to be made itself.
        hashes = {row.sha256 for row in self.of_status(OK) if self._may_stay(row, listed.get(row.source), set())}
        kept = [row for row in self.rows.values() if self._may_stay(row, listed.get(row.source), hashes)]
        with ThreadPoolExecutor(cpu_count()) as pool:
            whole = list(pool.map(self._is_whole, kept))
        self.rows = {row.source: row for row, good in zip(kept, whole, strict=True)
                     if good or self._stays_changed(row, row.source in listed)}

    def _stays_changed(self, row: PhotoRow, is_listed: bool) -> bool:
        """Whether a changed result stays: a person may have edited it, and without the original nothing replaces it."""
        if is_listed:
            return False
        if all(_is_picture(path) for path in self.files(row)):
            return True
        self.drop_files(row)  # Half a pair helps nobody.
        return False

    def _may_stay(self, row: PhotoRow, ref: PhotoRef | None, hashes: set[str]) -> bool:
        if ref is None:  # The original is not here now; what was made of it, or decided about it, stays.
            return row.status == OK or (row.reason == BY_PERSON and row.sha256 in self.left_out)
        if row.reason == BY_PERSON:
            return row.fingerprint == ref.fingerprint and row.sha256 in self.left_out
        if row.fingerprint != ref.fingerprint or row.settings != str(self.settings):
            return False
        if row.status == LEFT_OUT:
            return row.reason not in TRANSIENT and ref.code in ("", row.reason)
        return row.status == OK or row.sha256 in hashes

    def _is_whole(self, row: PhotoRow) -> bool:
        hashes = (row.color_sha256, row.bw_sha256)
        return all(path.is_file() and sha256_file(path) == wanted
                   for path, wanted in zip(self.files(row), hashes, strict=False))

    def run(
        self, refs: Sequence[PhotoRef], report: StepReport, workers: int, folder_of: Callable[[PhotoRef], str]
    ) -> int:
        """How many photos were done; each one's row is in the journal as soon as its files exist.

        Args:
            refs: the photos to do.
            report: gets the plan as a message.
            workers: processes, 0 for one per core.
            folder_of: the folder inside ``folders`` for a photo, such as a class name, or "".

        Raises:
            NpyLabelError: ``disk_full`` before the work starts.
        """
        if not refs:
            return 0
        # The name of a photo that a person left out waits for it to come back.
        known = [row.name for row in (*self.rows.values(), *self._old.values())
                 if row.status == OK or row.reason == BY_PERSON]
        names = NamePool([*known, *self._plan.values(), *self._foreign_names({folder_of(ref) for ref in refs})])
        jobs = [self._job(ref, names, folder_of(ref)) for ref in refs]
        plan = plan_run(jobs, self.root, workers=workers)
        print(plan, flush=True)
        report.messages.append(str(plan))
        self._plan |= {job.ref.source: job.name for job in jobs}
        self.journal.append({"plan": self._plan})
        for job, outcome in track(prepare_photos(jobs, workers=workers), total=len(jobs), label=_("Photos")):
            row = self._unless_left_out(self._row(job, outcome))
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
        known = [old.name if old and old.status == OK else "", self._plan.get(ref.source, "")]
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

    def _unless_left_out(self, row: PhotoRow) -> PhotoRow:
        """The row of a photo that was just made, or its row as left out, without files, where a person decided so."""
        if row.status != OK or row.sha256 not in self.left_out:
            return row
        self.drop_files(row)
        old = self._old.get(row.source)
        if old and old.reason == BY_PERSON and old.sha256 == row.sha256:
            return replace(old, fingerprint=row.fingerprint)
        return kept_out(replace(row, name="", **_NO_FILES))

    def settle_left_out(self) -> None:
        """Take out the photos that a person left out; results whose originals are not here now are not removed."""
        listed = {ref.source for ref in self.listing.refs}
        hashes = self.left_out & {row.sha256 for row in self.rows.values() if row.source in listed}
        for row in [row for row in self.rows.values() if row.status != LEFT_OUT and row.sha256 in hashes]:
            self.drop_files(row)
            self.rows[row.source] = kept_out(row)

    def settle_duplicates(self) -> None:
        """Let one of several originals with the same bytes keep its files."""
        listed = {ref.source for ref in self.listing.refs}
        first: dict[str, PhotoRow] = {}
        for row in sorted(self.rows.values(), key=lambda row: self._claim(row, listed)):
            if row.status == LEFT_OUT or row.reason == EDITED_COPY:
                continue
            winner = first.setdefault(row.sha256, row)
            if winner is not row:
                self.drop_files(row)
                self._make_duplicate(winner, row, moved=winner.source not in listed, gone=row.source not in listed)

    def _claim(self, row: PhotoRow, listed: set[str]) -> tuple:
        """What comes first keeps its files: the settings of now, then what was there before, then the name."""
        return (row.settings != str(self.settings), row.source in listed, row.source)

    def _make_duplicate(self, winner: PhotoRow, row: PhotoRow, *, moved: bool, gone: bool) -> None:
        if gone:
            del self.rows[row.source]
            return
        if moved:  # The folder was moved or renamed: the files stay, under the original's new place.
            del self.rows[winner.source]
            winner.source, winner.fingerprint = row.source, row.fingerprint
            self.rows[row.source] = winner
            return
        self.rows[row.source] = replace(
            row, name=winner.name, status=DUPLICATE, reason=EXACT_DUPLICATE, group="", **_NO_FILES)

    def settle_groups(self) -> None:
        """Give the photos that show nearly the same the name of the first of them."""
        self._drop_unclaimed(self._plan, str(self.settings))
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


def _is_picture(path: Path) -> bool:
    try:
        decode_photo(path.read_bytes())
    except (OSError, PhotoError):
        return False
    return True


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
