"""The folder of old photos in color: each at its full size, with the lightness that it has."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_bytes
from npylabel.base.i18n import _
from npylabel.base.parallel import Turns, cpu_count, run_threads
from npylabel.base.progress import track
from npylabel.base.report import StepReport
from npylabel.colorizer.blending import blend
from npylabel.colorizer.color_book import ColorBook, ColorSettings
from npylabel.colorizer.color_choices import choose_classes, split_choices, take_edits
from npylabel.colorizer.color_table import (
    ALREADY_COLOR,
    COLOR_TABLE,
    COLORED,
    LEFT_OUT,
    ColorRow,
    likely_text,
    read_color_rows,
    write_color_rows,
)
from npylabel.colorizer.old_photos import OldPhoto, read_old_photo
from npylabel.colorizer.painter import Painter, paint_one
from npylabel.colorizer.photo_labels import KnownLabels
from npylabel.colorizer.todays_classes import with_todays_classes
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.book import disk_faults
from npylabel.photos.collect import refuse_no_photos
from npylabel.photos.decode import PhotoError, pixel_count
from npylabel.photos.fit import IMAGE_FORMATS, encode_color
from npylabel.photos.portions import Portions
from npylabel.photos.reasons import DECODER_CRASHED, describe
from npylabel.photos.sources import PhotoRef, list_photos

MOST_SATURATION = 3.0
# The longest side that a JPEG can have.
_JPEG_SIDE_PX = 65_500
# Photos in work at the same time have this many pixels together, or there is one: each pixel takes 5 to 7 bytes, on
# the way into a PNG file 15, and a folder of large scans must not need more memory the more cores there are.
_PIXELS_AT_ONCE = 200_000_000


def colorize_photos(
    sources: Sequence[Path], output_dir: Path, painter: Painter, table: ClassTable, *, label: str = "",
    labels_dir: Path | None = None, decisions_dir: Path | None = None, threshold: float = 0.5, saturation: float = 1.0,
    image_format: str = "jpg", recolor: bool = False, exclude: Sequence[Path] = (),
) -> StepReport:
    """The report on ``output_dir/X.jpg`` for each old photo X, and ``output_dir/colorized.csv``.

    What is done already and would become the same is not done again; a killed run continues. Originals are only read,
    and no file is replaced that was not written by this function.

    Args:
        sources: folders and zips.
        output_dir: where the colored photos go.
        painter: gives the colors.
        table: the only source of class ids.
        label: name, alias or id of a class that all photos are colored as in this run; or "class: name; name | class:
            name", which is decided about these photos and holds in later runs, too; "" for what is known of each.
        labels_dir: label files (``X.npy``) of the photos, or None; without one the network names the photo.
        decisions_dir: what people decided about photos, and where choices of classes go, in ``label`` or in the cells
            of ``colorized.csv``; None keeps none beyond this run.
        threshold: what the network is less sure of than this counts as nothing known.
        saturation: factor of the colors, 0 (gray) to 3.
        image_format: "jpg" or "png".
        recolor: color photos that have colors of their own, too.
        exclude: folders inside the sources that are not read.

    Raises:
        NpyLabelError: ``bad_parameter``, ``class_unknown``, ``class_untrained``, ``model_other_classes``,
            ``photo_unknown``, ``photo_ambiguous``, ``photos_missing``, ``no_photos``, ``source_is_result``,
            ``table_damaged``, ``decisions_damaged``, ``disk_full``, ``disk_fault``, ``source_gone``.
    """
    _check(threshold, saturation, image_format)
    _refuse_own_results(sources, output_dir)
    painter = with_todays_classes(painter, table)
    choices, decided = split_choices(label), ClassDecisions(table, decisions_dir)
    labels = KnownLabels(table, painter.class_ids, "" if choices else label, labels_dir, decided)
    for class_name, _names in choices:
        labels.checked_id(class_name)
    settings = ColorSettings.of(painter, saturation, image_format, threshold, recolor)
    report = StepReport("colorize")
    rows = read_color_rows(output_dir)
    with report.timed("list"):
        known = {row.source: row.fingerprint for row in rows.values()}
        listing = list_photos(sources, [output_dir, *exclude], known)
    refuse_no_photos(listing, sources, "input_dir")
    rows = take_edits(rows, decided)
    overruled = choose_classes(choices, listing.refs, rows, decided)
    with disk_faults(output_dir):
        with report.timed("check"):
            book = ColorBook(output_dir, rows)
        job = _Job(book, painter, table, labels, settings)
        with book.journal:
            with report.timed("color"):
                done = job.run(listing.refs)
            write_color_rows(output_dir, book.settled(listing.refs))
    _describe(report, job, listing.refs, done)
    if overruled:
        report.messages.append(_("Something else was chosen later for {names}: that stays. Choose anew where that was "
                                 "chosen.").format(names=", ".join(overruled)))
    return report


def color_one(
    ref: PhotoRef, output_dir: Path, painter: Painter, table: ClassTable, *, labels_dir: Path | None = None,
    decisions_dir: Path | None = None, threshold: float = 0.5, saturation: float = 1.0,
) -> ColorRow:
    """The row of one photo of a colored folder, colored again as what is known of it now.

    File and table are as a run over the whole folder would leave them for this photo; the others stay. Nothing is done
    where the photo is so already. One call at a time, and none while the folder is colored.

    Args:
        ref: the photo.
        output_dir, painter, table, labels_dir, decisions_dir, threshold, saturation: see ``colorize_photos``.

    Raises:
        NpyLabelError: ``table_damaged``, ``decisions_damaged``, ``disk_full``, ``disk_fault``, ``source_gone``.
    """
    painter, decided = with_todays_classes(painter, table), ClassDecisions(table, decisions_dir)
    labels = KnownLabels(table, painter.class_ids, "", labels_dir, decided)
    rows = take_edits(read_color_rows(output_dir), decided)
    with disk_faults(output_dir):
        book = ColorBook(output_dir, rows, only={ref.source})
        old = book.rows.get(ref.source)
        image_format = old.image_format if old and old.image_format else "jpg"
        settings = ColorSettings.of(painter, saturation, image_format, threshold, recolor=False)
        with book.journal, _one_thread_each():
            _Job(book, painter, table, labels, settings).run_one(ref)
            write_color_rows(output_dir, [*book.rows.values()])
            # What a killed run wrote is known to be ours by its journal alone.
            book.journal.stays = book.is_resumed
    return book.rows[ref.source]


def _check(threshold: float, saturation: float, image_format: str) -> None:
    for name, value, high in (("threshold", threshold, 1), ("saturation", saturation, MOST_SATURATION)):
        if not 0 <= value <= high:
            raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                                _("Use a number from {low} to {high}.").format(low=0, high=high))
    if image_format not in IMAGE_FORMATS:
        raise NpyLabelError(
            "bad_parameter", _("{name} is {value!r}.").format(name="image_format", value=image_format),
            _("Use one of: {allowed}.").format(allowed=", ".join(IMAGE_FORMATS)))


def _refuse_own_results(sources: Sequence[Path], output_dir: Path) -> None:
    inside = [path for path in sources if path.resolve().is_relative_to(output_dir.resolve())]
    if inside:
        raise NpyLabelError(
            "source_is_result",
            _("The photos in {path} lie in the folder of the results: they would be colored again and again.").format(
                path=inside[0]),
            _("Set output_dir to a folder of its own."))


class _Job:
    """The work on one folder of old photos."""

    def __init__(
        self, book: ColorBook, painter: Painter, table: ClassTable, labels: KnownLabels, settings: ColorSettings,
    ) -> None:
        self.book, self.painter, self.table, self.labels, self.settings = book, painter, table, labels, settings
        self._turns = Turns(_PIXELS_AT_ONCE)

    def run(self, refs: Sequence[PhotoRef]) -> int:
        """How many photos were done now; the others stay as they are."""
        todo = [ref for ref in refs if not self._stays(ref)]
        if not todo:
            return 0
        names = self.book.plan(todo, self.settings.image_format)
        with Portions(todo) as portions, _one_thread_each():
            results = run_threads(lambda near: (near, self.row_of(near, names[near.source])), portions,
                                  ahead=cpu_count())
            for near, row in track(results, total=len(todo), label=_("Coloring")):
                self.book.put(row)
                portions.release(near)
        return len(todo)

    def run_one(self, ref: PhotoRef) -> None:
        """The same for a single photo, in this thread."""
        if not self._stays(ref):
            self.book.put(self.row_of(ref, self.book.plan([ref], self.settings.image_format)[ref.source]))

    def _stays(self, ref: PhotoRef) -> bool:
        known = self.labels.of(ref.source, self.book.sha256_of(ref))
        stays = self.book.stays(ref, known, self.settings)
        if stays:
            self.book.keep(ref, known, self.table)
        return stays

    def row_of(self, ref: PhotoRef, name: str) -> ColorRow:
        """The row of one photo, with its file written.

        Raises:
            OSError: when it cannot be written.
        """
        row = ColorRow("", ref.source, status=LEFT_OUT, reason=ref.code, fingerprint=ref.fingerprint)
        if row.reason:
            return row
        with self.book.trying(ref.source) as may_try:
            if may_try:
                self._color(ref, name, row)
            else:
                row.reason = DECODER_CRASHED
        return row

    def _color(self, ref: PhotoRef, name: str, row: ColorRow) -> None:
        """Write the colored file of a photo, and tell the row what became of it."""
        try:
            data = ref.read()
        except (OSError, *ZIP_ERRORS) as error:
            is_zip_fault = not isinstance(error, OSError)
            row.reason, row.detail = "damaged" if is_zip_fault else "unreadable", str(error)
            return
        row.sha256 = hashlib.sha256(data).hexdigest()
        try:
            with self._turns.taking(pixel_count(data)):
                photo = read_old_photo(data, self.painter.side_px)
                del data
                picture = self._picture(photo, row, self.settings.recolor or self.book.was_asked(ref))
                del photo
        except PhotoError as error:
            row.reason, row.detail = error.code, error.detail
        except MemoryError:
            row.reason = DECODER_CRASHED
        else:
            if picture:
                self._write(row, name, picture)

    def _picture(self, photo: OldPhoto, row: ColorRow, is_asked: bool) -> bytes:
        """The content of the colored file, b"" for a photo that has colors; the row is told what was found."""
        row.height, row.width = photo.levels.shape
        row.chroma = f"{photo.chroma:.1f}"
        if photo.is_colorful and not is_asked:
            row.status = ALREADY_COLOR
            return b""
        if self.settings.image_format == "jpg" and max(row.width, row.height) > _JPEG_SIDE_PX:
            raise PhotoError("too_large", f"{row.width}x{row.height} jpg")
        guessed = paint_one(self.painter, photo.small, self.labels.of(row.source, row.sha256), self.settings.threshold,
                            self.table.unknown_id)
        if guessed.class_id is not None:
            row.label_id, row.label_name = str(guessed.class_id), self.table.names[guessed.class_id]
        row.label_source, row.confidence = guessed.source, guessed.confidence
        row.likely = likely_text((self.table.names.get(class_id, ""), share) for class_id, share in guessed.likeliest)
        return encode_color(blend(photo, guessed.ab, self.settings.saturation), self.settings.image_format)

    def _write(self, row: ColorRow, name: str, picture: bytes) -> None:
        row.name, row.status, row.image_format = name, COLORED, self.settings.image_format
        row.saturation, row.model_sha256 = f"{self.settings.saturation:g}", self.settings.model_sha256
        row.picture_sha256 = hashlib.sha256(picture).hexdigest()
        path = self.book.path(row)
        self.book.about_to_write(path, row.picture_sha256)
        write_bytes(path, picture)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Torch without threads of its own: beside other work on the same cores they mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _describe(report: StepReport, job: _Job, refs: Sequence[PhotoRef], done: int) -> None:
    rows = [job.book.rows[ref.source] for ref in refs]
    statuses = Counter(row.status for row in rows)
    reasons = Counter(row.reason for row in rows if row.reason)
    said_by = Counter(row.label_source or "none" for row in rows if row.status == COLORED)
    report.facts |= {
        "photos": len(rows), "colored": statuses[COLORED], "already_color": statuses[ALREADY_COLOR],
        "left_out": statuses[LEFT_OUT], "reasons": dict(sorted(reasons.items())),
    }
    report.measured |= {"done_now": done, "labels_from": dict(sorted(said_by.items()))}
    if done:
        report.measured["photos_per_second"] = round(done / max(report.timings_s["color"], 0.001), 2)
    report.messages += [f"{code}: {count} - {describe(code)}" for code, count in sorted(reasons.items())]
    if statuses[ALREADY_COLOR]:
        report.messages.append(_("{count} photos have colors already and stay as they are.").format(
            count=statuses[ALREADY_COLOR]))
    if job.labels.unusable:
        report.messages.append(_("Label files that were not used, since they are damaged or the network was not taught "
                                 "their class: {names}.").format(names=", ".join(sorted(job.labels.unusable)[:5])))
    if job.labels.untaught:
        report.messages.append(_("Classes that were chosen for photos and not used, since the network was not taught "
                                 "them: {names}.").format(names=", ".join(sorted(job.labels.untaught))))
    report.files |= {"colorized": job.book.folder, COLOR_TABLE: job.book.folder / COLOR_TABLE}
