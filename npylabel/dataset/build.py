"""Step 02: from folders named by class to squares with a split that does not leak."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.class_moves import (
    follow_moves,
    forget_replaced,
    judge_again,
    leave_out_two_classes,
    read_back,
    settle_classes,
)
from npylabel.dataset.folders import VAL, FolderScan, make_class_folders, scan_class_folders
from npylabel.dataset.leave_out import settle_left_out
from npylabel.dataset.sorted_photos import SortedPhotos, find_sorted, is_sorted_source
from npylabel.dataset.split import SplitItem, assign_splits
from npylabel.dataset.training_data import SPLIT, read_split_rows, write_split
from npylabel.photos.book import PhotoBook, disk_faults
from npylabel.photos.manifest import (
    DUPLICATE,
    LEFT_OUT,
    MANIFEST,
    OK,
    OWN,
    QUARANTINE,
    PhotoRow,
    read_aside,
    write_aside,
    write_aside_before,
)
from npylabel.photos.reasons import BY_PERSON, describe
from npylabel.photos.run_words import rows_of_run, words_on_earlier
from npylabel.photos.same_photo import forget_gone, settle_same
from npylabel.photos.settings import PictureSettings
from npylabel.photos.sources import Listing

# The dataset guide of the original: 50-100 photos per class, 5,000-10,000 in all; training works from a few dozen.
GUIDE_PER_CLASS = 50
GUIDE_TOTAL = 5000
START_PER_CLASS = 30
# More names than these are only counted.
_SHOWN = 12


def build_training_data(
    source_dir: Path | None, data_path: Path, table: ClassTable, *, size_px: int = 512, fit: str = "crop",
    val_fraction: float = 0.15, random_seed: int = 42, make_folders: str = "", workers: int = 0, made_from: str = OWN,
    exclude: Sequence[Path] = (), left_out: Collection[str] = (), dataset_dir: Path | None = None,
    decisions_dir: Path | None = None,
) -> StepReport:
    """The report on ``data_path/<class name>/X.png`` and ``split.csv``.

    What people decided about a photo (on the board, in a review, by moving its training copy) outweighs the folder in
    which its original lies.

    Args:
        source_dir: folders named by class or id, flat or below train/valid/test; or a zip of them; None for the
            sorted photos of the dataset alone.
        data_path: where the squares go.
        table: the only source of class ids.
        size_px: side of the squares, pixels.
        fit: "crop", "pad" or "stretch".
        val_fraction: share of each class for validation, 0 to 0.5; classes that come with a validation folder keep it.
        random_seed: of the split.
        make_folders: class names separated by commas, or "all": make empty folders for them in ``source_dir``.
        workers: processes, 0 for one per core.
        made_from: "own" or "demo".
        exclude: folders inside the source that are not read.
        left_out: SHA-256 of the originals that a person left out; those that ``quarantine.csv`` names are, too.
        dataset_dir: its photos that were sorted into classes are taken in; None for no dataset.
        decisions_dir: the journal of what people decided, in the work folder; which photos were moved by hand is
            written into it.

    Raises:
        NpyLabelError: ``bad_parameter``, ``photos_missing``, ``no_class_photos``, ``unknown_folder``,
            ``mixed_worlds``, ``disk_full``, ``split_damaged``, ``decisions_damaged``, ``manifest_damaged``.
    """
    settings = _checked(PictureSettings(size_px, fit), val_fraction)
    report = StepReport("build_train_data")
    made = make_class_folders(source_dir, make_folders, table) if make_folders and source_dir else []
    if made:
        report.messages.append(_("Folders for {count} classes are in {path}.").format(count=len(made), path=source_dir))
    left_out = set(left_out)
    if decisions_dir:
        out, moved = settle_left_out(decisions_dir, data_path=data_path)
        left_out, report.messages = left_out | out, report.messages + moved
    rows = [row for row, _split in read_split_rows(data_path)] + read_aside(data_path)
    left_out |= {row.sha256 for row in rows if row.reason == BY_PERSON}
    with report.timed("list"):
        wanted = _Wanted(table, ClassDecisions(table, decisions_dir))
        wanted.scan_folders(source_dir, [data_path, *exclude], rows)
        wanted.take_sorted(dataset_dir, left_out, made_from)
    if not wanted.scan.photos and not any(is_sorted_source(row.source) for row in rows):
        if made:
            return _only_folders(report, source_dir, made)
        if source_dir is None and dataset_dir and (dataset_dir / MANIFEST).is_file():
            return _nothing_sorted(report, dataset_dir)
        raise _no_photos(source_dir, wanted.scan) if source_dir else _nothing_to_sort(dataset_dir)
    with disk_faults(data_path):
        book = PhotoBook(data_path, ("",), settings, made_from, wanted.scan.listing, rows, left_out)
    with disk_faults(data_path), book.journal:
        report.measured |= _carry_out(book, wanted, report, workers)
        splits = _split(book.of_status(OK), wanted.scan, wanted.class_of, val_fraction, random_seed)
        _write_tables(book, wanted.class_of, splits)
    _describe(report, book, table, wanted.class_of, splits, wanted.scan)
    report.messages += _words_on_sorted(book, wanted.sorted_photos, wanted.decided)
    return report


@dataclass
class _Wanted:
    """The photos that are to be training data.

    Attributes:
        table: the class table.
        decided: what people decided.
        scan: class folders, with the sorted photos.
        by_folder: class id by source, by the class folders alone.
        sorted_photos: those of the dataset.
        class_of: class id by source.
    """

    table: ClassTable
    decided: ClassDecisions
    scan: FolderScan = field(default_factory=lambda: FolderScan(Listing(), [], []))
    by_folder: dict[str, int] = field(default_factory=dict)
    sorted_photos: SortedPhotos = field(default_factory=SortedPhotos)
    class_of: dict[str, int] = field(default_factory=dict)

    def scan_folders(self, source_dir: Path | None, exclude: Sequence[Path], rows: Sequence[PhotoRow]) -> None:
        """List the class folders."""
        if source_dir:
            known = {row.source: row.fingerprint for row in rows}
            self.scan = scan_class_folders(source_dir, self.table, exclude, known)
        self.by_folder = {photo.ref.source: photo.class_id for photo in self.scan.photos}

    def take_sorted(self, dataset_dir: Path | None, left_out: Collection[str], made_from: str) -> None:
        """Add the sorted photos."""
        if dataset_dir:
            self.sorted_photos = find_sorted(dataset_dir, self.decided, left_out, made_from)
            self.sorted_photos.join(self.scan)
        self.class_of = {photo.ref.source: photo.class_id for photo in self.scan.photos}


def _carry_out(book: PhotoBook, wanted: _Wanted, report: StepReport, workers: int) -> dict[str, int]:
    """Make, move and drop the training photos; how many were made, and moved by hand before."""
    names, class_of, decided = wanted.table.names, wanted.class_of, wanted.decided
    moved = follow_moves(book, wanted.table, class_of)
    read_back(moved, decided, wanted.by_folder)
    with report.timed("check"):
        judge_again(book)
        book.keep_known()
        book.settle_left_out()
        settle_classes(book, decided, class_of, wanted.by_folder)  # Before the others get the names there.
    with report.timed("photos"):
        todo = [photo.ref for photo in wanted.scan.photos if photo.ref.source not in book.rows]
        done = book.run(todo, report, workers, lambda ref: names[class_of[ref.source]], wanted.sorted_photos.originals)
    with report.timed("compare"):
        settle_classes(book, decided, class_of, wanted.by_folder)
        forget_replaced(book, wanted.table, class_of)
        leave_out_two_classes(book, class_of)
        settle_same(book)
        forget_gone(book)
        book.settle_groups()
    return {"done_now": done, "moved_by_hand": len(moved)}


def _checked(settings: PictureSettings, val_fraction: float) -> PictureSettings:
    if not 0 <= val_fraction <= 0.5:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="val_fraction", value=val_fraction),
                            _("Use a number from 0 to 0.5; 0.15 is right for most."))
    return settings


def _write_tables(book: PhotoBook, class_of: dict[str, int], splits: Sequence[str]) -> None:
    aside = (*book.of_status(LEFT_OUT), *book.of_status(DUPLICATE))
    write_aside_before(book.root, aside)
    write_split(book.root, book.of_status(OK), class_of, splits)
    write_aside(book.root, aside)


def _split(
    rows: Sequence[PhotoRow], scan: FolderScan, class_of: dict[str, int], val_fraction: float, random_seed: int
) -> list[str]:
    given = {photo.ref.source: photo.given_split for photo in scan.photos}
    items = [SplitItem(class_of[row.source], row.sha256, row.group or row.name, given.get(row.source, ""))
             for row in rows]
    return assign_splits(items, {VAL: val_fraction}, random_seed)


def _no_photos(source_dir: Path, scan: FolderScan) -> NpyLabelError:
    what = _("There are no photos in folders named by class in {path}.").format(path=source_dir)
    if scan.strays:
        what += " " + _("{count} photos lie outside of any class folder.").format(count=len(scan.strays))
    return NpyLabelError(
        "no_class_photos", what,
        _('Make folders with make_folders="небо,дом,..." (or "all") and lay your photos into them: '
          "10 classes with {count} photos each are a start.").format(count=START_PER_CLASS))


def _nothing_to_sort(dataset_dir: Path | None) -> NpyLabelError:
    return NpyLabelError(
        "no_class_photos", _("There are no photos to sort: {path} does not exist.").format(path=dataset_dir or "-"),
        _("Run notebook 01 (collect_and_grayscale) first, or set dataset_dir to the folder that it made."))


def _nothing_sorted(report: StepReport, dataset_dir: Path) -> StepReport:
    """Not an error: the board on which photos are sorted stands below the cell that says this."""
    report.facts["photos"] = 0
    report.messages.append(_("No photos of {path} are sorted into classes yet.").format(path=dataset_dir))
    report.next_step = _(
        "Sort photos on the board below, then run this step again: 10 classes with {count} photos each are a start."
    ).format(count=START_PER_CLASS)
    return report


def _only_folders(report: StepReport, source_dir: Path, made: list[str]) -> StepReport:
    report.facts |= {"folders_made": made, "photos": 0}
    report.files["source_dir"] = source_dir
    report.next_step = _(
        "Now lay your photos into the folders and run this step again: 10 classes with {start} photos each are a "
        "start, {guide} and more per class are good.").format(start=START_PER_CLASS, guide=GUIDE_PER_CLASS)
    return report


def _describe(
    report: StepReport, book: PhotoBook, table: ClassTable, class_of: dict[str, int], splits: Sequence[str],
    scan: FolderScan,
) -> None:
    used = book.of_status(OK)
    counts = Counter(class_of[row.source] for row in used)
    sides = Counter(splits)
    reasons = Counter(row.reason for row in rows_of_run(book) if row.reason)
    report.facts |= {
        "photos": len(used), "classes": len(counts), "train": sides["train"], "val": sides["val"],
        "test": sides["test"], "per_class": {table.names[i]: counts[i] for i in sorted(counts)},
        "reasons": dict(sorted(reasons.items())), "made_from": book.made_from, "settings": str(book.settings),
        "groups_of_alike": len({row.group for row in used if row.group}),
        "class_ids_right": all(table.find(row.name.partition("/")[0]) == class_of[row.source] for row in used),
    }
    report.messages += [*_against_guide(counts, table)]
    report.messages += [f"{code}: {count} - {describe(code)}" for code, count in sorted(reasons.items())]
    if scan.strays:
        report.messages.append(_("Not in a class folder, so not used: {names}.").format(
            names=", ".join(scan.strays[:5]) + (" ..." if len(scan.strays) > 5 else "")))
    kept = sum(row.source not in book.listed for row in used)
    if kept:
        text = _("{count} photos whose originals are not in the class folders any more are kept.")
        report.messages.append(text.format(count=kept))
    report.messages += words_on_earlier(book)
    report.files |= {"data_path": book.root, SPLIT: book.root / SPLIT, QUARANTINE: book.root / QUARANTINE}
    report.next_step = _("Next: notebook 03, train.")


def _words_on_sorted(book: PhotoBook, chosen: SortedPhotos, decided: ClassDecisions) -> list[str]:
    """Sentences on the photos that were sorted by people; none where nobody did."""
    lines, used = [], sum(is_sorted_source(row.source) for row in book.of_status(OK))
    if used:
        lines.append(_("{count} of these photos were sorted by hand.").format(count=used))
    known = {row.sha256 for row in book.of_status(OK)}
    missing = chosen.missing - len({sha for sha in known if decided.is_example(sha)} - {
        row.sha256 for row in chosen.originals.values()})
    if missing > 0:
        lines.append(_("{count} sorted photos are not in the dataset, so not used.").format(count=missing))
    if lost := decided.lost_classes():
        lines.append(_("Decided for classes that are not in the class table, so not used: {names}.").format(
            names=", ".join(f"{name} {count}" for name, count in sorted(lost.items())[:_SHOWN])))
    return lines


def _against_guide(counts: Counter, table: ClassTable) -> list[str]:
    """What the dataset guide recommends, beside what is there."""
    total = sum(counts.values())
    lines = [_("{total} photos in {classes} of {all} classes; the guide recommends {per_class}-100 per class and "
               "{guide_total}-10000 in all.").format(total=total, classes=len(counts), all=len(table.ids),
                                                      per_class=GUIDE_PER_CLASS, guide_total=GUIDE_TOTAL)]
    few = [f"{table.names[i]} {count}" for i, count in sorted(counts.items()) if count < GUIDE_PER_CLASS]
    if few:
        lines.append(_("Fewer than {count} photos: {names}.").format(count=GUIDE_PER_CLASS, names=", ".join(few)))
    missing = [name for class_id, name in table.names.items() if class_id not in {*counts, table.unknown_id}]
    if missing:
        text = _("No photos, so the model will never give these {count} labels: {names}.")
        shown = ", ".join(missing[:_SHOWN]) + (" ..." if len(missing) > _SHOWN else "")
        lines.append(text.format(count=len(missing), names=shown))
    if len(counts) < 2:
        lines.append(_("At least two classes are needed to train."))
    return lines
