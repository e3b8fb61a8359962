"""The rows of a folder of colored photos: what is done and whole stays, a kill loses nothing, nothing is run over."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path, PurePosixPath

from npylabel.base.classes import ClassTable
from npylabel.base.files import remove_leftovers, sha256_file
from npylabel.base.i18n import _
from npylabel.base.journal import RunJournal
from npylabel.base.parallel import run_threads
from npylabel.base.progress import track
from npylabel.colorizer.color_table import (
    ALREADY_COLOR,
    COLORED,
    JOURNAL,
    NETWORK,
    ColorRow,
    color_row,
    written_pictures,
)
from npylabel.colorizer.old_photos import COLORFUL
from npylabel.colorizer.photo_labels import Known
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.names import NamePool
from npylabel.photos.reasons import TRANSIENT
from npylabel.photos.sources import PhotoRef

# A photo in whose work the process died so often is left out: its decoder may bring the whole process down.
_TRIES = 2
_LOOKED_AT_PX = 64


class Found(Enum):
    """What stands in the place of a colored file."""

    WHOLE, EDITED, LOST = range(3)


@dataclass(frozen=True)
class ColorSettings:
    """What the colors of a photo depend on, beside the photo and its label.

    Attributes:
        model_sha256: of what colors it.
        saturation: factor of the colors.
        image_format: "png" or "jpg".
        threshold: confidence below which the network's own guess does not count.
        recolor: photos that have colors are colored, too.
        class_ids: that a photo can be colored as, as the table writes them.
    """

    model_sha256: str
    saturation: float
    image_format: str
    threshold: float
    recolor: bool
    class_ids: frozenset[str]

    def fits(self, row: ColorRow, known: Known) -> bool:
        """Whether a colored photo looks as these settings make it."""
        same = (row.model_sha256, row.saturation, row.image_format) == (
            self.model_sha256, f"{self.saturation:g}", self.image_format)
        return same and self._fits_label(row, known)

    def _fits_label(self, row: ColorRow, known: Known) -> bool:
        if row.label_id and row.label_id not in self.class_ids:  # Its class was merged into another, or is gone.
            return False
        if known.class_id is not None:
            return row.label_id == str(known.class_id)
        if row.label_source not in (NETWORK, ""):
            return False
        return bool(row.label_id) == (float(row.confidence or 0) >= self.threshold) or not row.confidence


class ColorBook:
    """The rows of all photos by source, and the files that belong to them.

    Args:
        folder: of the colored files.
        rows: what an earlier run wrote.

    Attributes:
        rows: as they are true by now.
    """

    def __init__(self, folder: Path, rows: Mapping[str, ColorRow]) -> None:
        self.folder, self.rows = folder, dict(rows)
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        # Each row tells what it was made with, so lines of a run with other settings count as well.
        self.journal = RunJournal(folder / JOURNAL, {})
        self._lock = threading.Lock()
        self._plan: dict[str, str] = {}
        self._begun: Counter[str] = Counter()
        entries = self.journal.read()
        for entry in entries:
            self._hear(entry)
        self._written = written_pictures(self.rows.values(), entries)
        self._old, self._found = dict(self.rows), self._look()

    def _hear(self, entry: dict) -> None:
        self._plan |= entry.get("plan", {})
        if "begin" in entry:
            self._begun[entry["begin"]] += 1
        if "end" in entry:
            self._begun[entry["end"]] -= 1
        if "row" in entry:
            row = color_row(entry["row"])
            self.rows[row.source] = row
            del self._begun[row.source]

    def path(self, row: ColorRow) -> Path:
        """The colored file of a row."""
        return self.folder / row.colored_name

    def _look(self) -> dict[str, Found]:
        """What stands in the places of all colored files, by source."""
        rows = [row for row in self.rows.values() if row.status == COLORED]
        looked = track(run_threads(self._look_at, rows), total=len(rows), label=_("Checking photos"))
        return {row.source: found for row, found in zip(rows, looked, strict=True)}

    def _look_at(self, row: ColorRow) -> Found:
        path = self.path(row)
        try:
            if self._is_ours(path):
                return Found.WHOLE
            decode_photo(path.read_bytes(), _LOOKED_AT_PX)
        except (OSError, PhotoError):
            return Found.LOST
        return Found.EDITED

    def _is_ours(self, path: Path) -> bool:
        """Whether a run wrote the file as it is."""
        return sha256_file(path) in self._written.get(path.name, ())

    def stays(self, ref: PhotoRef, known: Known, settings: ColorSettings) -> bool:
        """Whether what is known of a photo is still true, and its file there."""
        row = self.rows.get(ref.source)
        if row is None or row.fingerprint != ref.fingerprint:
            return False
        if row.status == ALREADY_COLOR:
            return not settings.recolor
        if row.status != COLORED:
            return row.reason not in TRANSIENT and ref.code in ("", row.reason)
        if self._found[ref.source] == Found.LOST:
            return False
        # What was once colored on request is not taken away where nobody asks for it again.
        return settings.fits(row, known) or (float(row.chroma or 0) > COLORFUL and not settings.recolor)

    def keep(self, ref: PhotoRef, known: Known, table: ClassTable) -> None:
        """Note who says today what a photo that stays was colored as."""
        row = self.rows[ref.source]
        if known.class_id is not None and row.label_id == str(known.class_id):
            self.rows[ref.source] = replace(
                row, label_source=known.source, label_name=table.names[known.class_id], confidence="")

    def plan(self, refs: Sequence[PhotoRef], image_format: str) -> dict[str, str]:
        """Names of the files of photos that are to be colored, by source; nothing else stands under them.

        Names are given once, also where a killed run gave them, so that a resumed run ends in the same files.
        """
        ours = {self.path(row).name for source, row in self.rows.items()
                if row.status == COLORED and self._found.get(source) != Found.EDITED}
        foreign = [path for path in self.folder.iterdir() if path.is_file() and path.name not in ours]
        foreign = [path for path in foreign if path.name not in self._written or not self._is_ours(path)]
        taken = {path.name.casefold() for path in foreign}
        pool = NamePool([*(row.name for row in self.rows.values()), *self._plan.values(),
                         *(path.stem for path in foreign)])
        names = {}
        for ref in refs:
            old = self.rows.get(ref.source)
            known = (old.name if old else "", self._plan.get(ref.source, ""))
            names[ref.source] = next(
                (name for name in known if name and f"{name}.{image_format}".casefold() not in taken), "")
            names[ref.source] = names[ref.source] or pool.give(PurePosixPath(ref.source).stem)
        self.append({"plan": names})
        return names

    def append(self, entry: dict) -> None:
        """Add a line to the journal, from any thread."""
        with self._lock:
            self.journal.append(entry)

    @contextmanager
    def trying(self, source: str) -> Iterator[bool]:
        """Whether the work on a photo may be tried: not where processes have died in the middle of it before."""
        if self._begun[source] >= _TRIES:
            yield False
            return
        self.append({"begin": source})
        try:
            yield True
        finally:
            self.append({"end": source})

    def about_to_write(self, path: Path, sha256: str) -> None:
        """Note that the file is this run's: after a kill nobody else could tell."""
        self.append({"write": path.name, "sha256": sha256})

    def put(self, row: ColorRow) -> None:
        """Take in the row of a photo that is done, and remove what stood in its place under another name."""
        old = self._old.get(row.source)
        if old and old.status == COLORED and self._found[row.source] == Found.WHOLE:
            before = self.path(old)
            if row.status != COLORED or before != self.path(row):
                before.unlink(missing_ok=True)
        self.append({"row": asdict(row)})
        self.rows[row.source] = row

    def settled(self, refs: Sequence[PhotoRef]) -> list[ColorRow]:
        """The rows of the photos that are here, and of those colored before whose originals are elsewhere now."""
        here = {ref.source for ref in refs}
        return [row for source, row in self.rows.items()
                if source in here or self._found.get(source, Found.LOST) != Found.LOST]
