"""Step 01: from any folder of photos to pairs of color and grayscale squares."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from npylabel.base.disks import is_slow_disk
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import leftovers
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.photos.book import PhotoBook, disk_faults
from npylabel.photos.manifest import DUPLICATE, LEFT_OUT, MANIFEST, OK, OWN, QUARANTINE, PhotoRow, read_rows, write_rows
from npylabel.photos.reasons import BY_PERSON, EDITED_COPY, describe
from npylabel.photos.run_words import rows_of_run, words_on_earlier, words_on_originals
from npylabel.photos.same_photo import forget_gone, settle_same
from npylabel.photos.settings import PictureSettings
from npylabel.photos.sources import Listing, PhotoRef, list_photos
from npylabel.photos.takeout import edited_copies

FOLDERS = ("color", "bw")


def collect_photos(
    sources: Sequence[Path], dataset_dir: Path, *, size_px: int = 512, fit: str = "crop", image_format: str = "png",
    workers: int = 0, made_from: str = OWN, exclude: Sequence[Path] = (), left_out: Collection[str] = (),
) -> StepReport:
    """The report on ``dataset_dir/color``, ``bw``, ``manifest.csv`` and ``quarantine.csv``, made from the sources.

    What is done already, unchanged and whole, is not done again; a killed run continues.

    Args:
        sources: folders and zips.
        dataset_dir: where the pairs go.
        size_px: side of the squares, pixels.
        fit: "crop", "pad" or "stretch".
        image_format: "png" or "jpg".
        workers: processes, 0 for one per core.
        made_from: "own" or "demo".
        exclude: folders inside the sources that are not read.
        left_out: SHA-256 of the originals that a person left out, wherever and under whatever name they come again;
            those that ``quarantine.csv`` names are left out, too.

    Raises:
        NpyLabelError: ``bad_parameter``, ``photos_missing``, ``no_photos``, ``mixed_worlds``, ``disk_full``,
            ``manifest_damaged``.
    """
    settings = PictureSettings(size_px, fit, image_format)
    report = StepReport("collect_and_grayscale")
    _refuse_own_results(sources, dataset_dir)
    rows = read_rows(dataset_dir)
    with report.timed("list"):
        known = {row.source: row.fingerprint for row in rows}
        listing = list_photos(sources, [dataset_dir, *exclude], known)
    refuse_no_photos(listing, sources, "photos_dir")
    with disk_faults(dataset_dir):
        book = PhotoBook(dataset_dir, FOLDERS, settings, made_from, listing, rows, left_out)
    copies = edited_copies(ref.source for ref in listing.refs)
    with disk_faults(dataset_dir), book.journal:
        with report.timed("check"):
            book.keep_known()
            book.settle_left_out()
        with report.timed("photos"):
            done_or_later = {*book.rows, *copies}
            first = [ref for ref in listing.refs if ref.source not in done_or_later]
            done = book.run(first, report, workers, lambda ref: "")
            done += book.run(_needed_copies(book, copies), report, workers, lambda ref: "")
        with report.timed("compare"):
            settle_same(book)
            for row in book.of_status(DUPLICATE):
                if row.reason == EDITED_COPY and copies.get(row.source) in book.rows:
                    row.name = book.rows[copies[row.source]].name
            forget_gone(book)
            book.settle_groups()
        write_rows(dataset_dir, list(book.rows.values()))
    _describe(report, book, done)
    if done and any(is_slow_disk(path.absolute()) for path in sources):
        report.messages += words_on_originals(book)
    return report


def _refuse_own_results(sources: Sequence[Path], dataset_dir: Path) -> None:
    """Raise ``NpyLabelError`` (``source_is_result``) where originals would be written over."""
    inside = [path for path in sources if path.resolve().is_relative_to(dataset_dir.resolve())]
    if inside:
        raise NpyLabelError(
            "source_is_result",
            _("The photos in {path} lie in the dataset itself: they would be written over.").format(path=inside[0]),
            _("Set dataset_dir to a new folder."))


def refuse_no_photos(listing: Listing, sources: Sequence[Path], parameter: str) -> None:
    """Raise ``NpyLabelError`` (``no_photos``) where nothing was found."""
    if not listing.refs:
        raise NpyLabelError(
            "no_photos",
            _("No photos in {paths}; other files there: {others}.").format(
                paths=", ".join(map(str, sources)) or '""', others=listing.others_text() or "-"),
            _("Set {parameter} to the folder or zip that holds your photos.").format(parameter=parameter),
        )


def _needed_copies(book: PhotoBook, copies: dict[str, str]) -> list[PhotoRef]:
    """The edited copies whose originals could not be used; the others get their rows here."""
    refs = {ref.source: ref for ref in book.listing.refs}
    needed = []
    for source, original_source in copies.items():
        original = book.rows.get(original_source)
        # Google's edited copy shows the same photo: it does not stand in for one that a person left out.
        if original and (original.status != LEFT_OUT or original.reason == BY_PERSON):
            book.drop_files(book.rows.get(source))
            book.rows[source] = PhotoRow(
                original.name, source, status=DUPLICATE, reason=EDITED_COPY, fingerprint=refs[source].fingerprint,
                settings=str(book.settings), made_from=book.made_from)
        elif source not in book.rows:
            needed.append(refs[source])
    return needed


def _describe(report: StepReport, book: PhotoBook, done: int) -> None:
    rows = rows_of_run(book)
    statuses = Counter(row.status for row in rows)
    reasons = Counter(row.reason for row in rows if row.reason)
    report.facts |= {
        "photos": statuses[OK], "duplicates": statuses[DUPLICATE], "left_out": statuses[LEFT_OUT],
        "reasons": dict(sorted(reasons.items())), "groups_of_alike": len({row.group for row in rows if row.group}),
        "other_files": len(book.listing.others), "live_photo_videos": book.listing.live_videos(),
        "settings": str(book.settings), "made_from": book.made_from,
        "leftovers": sum(len(leftovers(book.root / folder)) for folder in (*FOLDERS, ".")),
    }
    report.measured["done_now"] = done
    if book.remade:
        report.messages.append(_(
            "{count} grayscale pictures were missing or damaged and were made again from their color pictures.").format(
                count=len(book.remade)))
    report.messages += [f"{code}: {count} - {describe(code)}" for code, count in sorted(reasons.items())]
    report.messages += words_on_earlier(book)
    if book.listing.others:
        report.messages.append(_("Files that are no photos were passed over: {others}.").format(
            others=book.listing.others_text()))
    report.files |= {name: book.root / name for name in (*FOLDERS, MANIFEST, QUARANTINE)}
    report.next_step = _("Next: notebook 02, build_train_data.")
