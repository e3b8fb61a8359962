"""The rows of a folder of colored photos: what is done and whole stays, a kill loses nothing, nothing is run over."""

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
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
    LEFT_OUT,
    NETWORK,
    ColorRow,
    color_row,
    written_pictures,
)
from npylabel.colorizer.old_photos import COLORFUL
from npylabel.colorizer.painter import Painter
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

    @classmethod
    def of(
        cls, painter: Painter, saturation: float, image_format: str, threshold: float, recolor: bool
    ) -> "ColorSettings":
        """The settings with what they take of a painter."""
        return cls(painter.sha256, saturation, image_format, threshold, recolor,
                   frozenset(map(str, painter.class_ids)))

    def fits(self, row: ColorRow, known: Known) -> bool:
        """Whether a colored photo looks as these settings make it."""
        same = (row.model_sha256, row.saturation, row.image_format) == (
            self.model_sha256, f"{self.saturation:g}", self.image_format)
        return same and self._fits_label(row, known)

    def _fits_label(self, row: ColorRow, known: Known) -> bool:
        if row.label_id and row.label_id not in self.class_ids:  # Its class was merged into another, or is gone.
            return False
        if known.source:
            return row.label_id == known.text
        if row.label_source not in (NETWORK, ""):
            return False
        return bool(row.label_id) == (float(row.confidence or 0) >= self.threshold) or not row.confidence


class ColorBook:
    """The rows of all photos by source, and the files that belong to them.

    Args:
        folder: of the colored files.
        rows: what an earlier run wrote.
        only: sources of the photos that may be colored now; None for all. Files of others are not looked at.

    Attributes:
        rows: as they are true by now.
        is_resumed: a run that was killed has left its journal, and has not gone on yet.
    """

    def __init__(self, folder: Path, rows: Mapping[str, ColorRow], only: Collection[str] | None = None) -> None:
        self.folder, self.rows = folder, dict(rows)
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        # Each row tells what it was made with, so lines of a run with other settings count as well.
        self.journal = RunJournal(folder / JOURNAL, {})
        self._lock = threading.Lock()
        self._plan: dict[str, str] = {}
        self._begun: Counter[str] = Counter()
        entries = self.journal.read()
        self.is_resumed = bool(entries)
        for entry in entries:
            self._hear(entry)
        self._written = written_pictures(self.rows.values(), entries)
        self._old, self._found = dict(self.rows), self._look(only)

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

    def sha256_of(self, ref: PhotoRef) -> str:
        """Of the bytes of an original that is as an earlier run has read it; "" of another one."""
        row = self.rows.get(ref.source)
        return row.sha256 if row and row.fingerprint == ref.fingerprint else ""

    def was_asked(self, ref: PhotoRef) -> bool:
        """Whether a photo has colors, and was colored because somebody asked for it.

        Who deletes the colored file takes that back.
        """
        row = self._old.get(ref.source)
        return bool(row and row.status == COLORED and row.fingerprint == ref.fingerprint
                    and float(row.chroma or 0) > COLORFUL and self.path(row).exists())

    def _look(self, only: Collection[str] | None) -> dict[str, Found]:
        """What stands in the places of the colored files, by source."""
        rows = [row for row in self.rows.values() if row.name and (only is None or row.source in only)]
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
        return settings.fits(row, known)

    def keep(self, ref: PhotoRef, known: Known, table: ClassTable) -> None:
        """Note who says today what a photo that stays was colored as."""
        row = self.rows[ref.source]
        if known.source and row.status == COLORED and row.label_id == known.text:
            self.rows[ref.source] = replace(row, label_source=known.source, confidence="",
                                            label_name=table.names.get(known.class_id, ""))

    def plan(self, refs: Sequence[PhotoRef], image_format: str) -> dict[str, str]:
        """Names of the files of photos that are to be colored, by source; nothing else stands under them.

        Names are given once, also where a killed run gave them, so that a resumed run ends in the same files.
        """
        ours = {self.path(row).name for source, row in self.rows.items()
                if row.name and self._found.get(source) != Found.EDITED}
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
        """Take in the row of a photo that is done, and remove what stood in its place under another name.

        Where the original cannot be read any more, its colored file may be all that is left of it, and stays.
        """
        old = self._old.get(row.source)
        if old and old.name and row.status == LEFT_OUT:
            row = replace(row, name=old.name, image_format=old.image_format, picture_sha256=old.picture_sha256)
        elif old and old.name and self._found[row.source] == Found.WHOLE:
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
