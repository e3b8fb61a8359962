"""The photos of the dataset that people sorted into classes, as step 02 takes them in."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import printable
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.folders import ClassPhoto, FolderScan
from npylabel.photos.manifest import MANIFEST, OK, PhotoRow, read_rows
from npylabel.photos.sources import PhotoRef

# Before the path of the color file: no original of a person is called like that.
_PREFIX = "sorted:"
_SOURCE = re.compile(rf"{_PREFIX}[^/]*/color/[^/]+")


@dataclass
class SortedPhotos:
    """What is to be taken in.

    Attributes:
        photos: the color files with their classes, sorted by source.
        originals: the row of step 01 by source.
        missing: how many photos of the journal are not in the dataset.
    """

    photos: list[ClassPhoto] = field(default_factory=list)
    originals: dict[str, PhotoRow] = field(default_factory=dict)
    missing: int = 0

    def join(self, scan: FolderScan) -> None:
        """Let the photos be listed with those of the class folders."""
        scan.photos = sorted([*scan.photos, *self.photos], key=lambda photo: photo.ref.source)
        refs = [*scan.listing.refs, *(photo.ref for photo in self.photos)]
        scan.listing.refs = sorted(refs, key=lambda ref: ref.source)


def is_sorted_source(source: str) -> bool:
    """Whether a training photo was made of a photo of the dataset."""
    return bool(_SOURCE.fullmatch(source))


def path_of_sorted(source: str) -> str:
    """Where the photo lies, as ``<dataset>/color/X.png``; other sources as they are."""
    return source.removeprefix(_PREFIX)


def find_sorted(
    dataset_dir: Path, decided: ClassDecisions, left_out: Collection[str], made_from: str
) -> SortedPhotos:
    """The photos of a dataset that are examples of their classes.

    Args:
        dataset_dir: of step 01; none is sorted where there is no dataset.
        decided: what people decided.
        left_out: SHA-256 of the originals that are not wanted.
        made_from: "own" or "demo": what the training data is made of.

    Raises:
        NpyLabelError: ``manifest_damaged``, ``mixed_worlds``.
    """
    wanted = {sha256 for sha256 in decided.states if decided.is_example(sha256)} - set(left_out)
    found = SortedPhotos()
    for row in read_rows(dataset_dir) if wanted else []:
        if row.status == OK and row.sha256 in wanted:
            _add(found, dataset_dir, row, decided.class_id(row.sha256))
    if any(row.made_from != made_from for row in found.originals.values()):
        raise NpyLabelError(
            "mixed_worlds",
            _("{path} holds photos of the other kind: drawn demo photos and your own never mix.").format(
                path=dataset_dir / MANIFEST),
            _("Set dataset_dir to the dataset of the same photos as source_dir."))
    found.photos.sort(key=lambda photo: photo.ref.source)
    found.missing = len(wanted) - len(found.photos)
    return found


def _add(found: SortedPhotos, dataset_dir: Path, row: PhotoRow, class_id: int) -> None:
    path = dataset_dir / "color" / f"{row.name}{row.suffix}"
    try:
        size = path.stat().st_size
    except OSError:
        return
    source = printable(f"{_PREFIX}{dataset_dir.resolve().name}/color/{path.name}")
    # The checksum is step 01's: by it the photo is known on every machine, whatever the time of its copy there.
    ref = PhotoRef(source, path, fingerprint=f"{size}-{row.color_sha256[:16]}", size_bytes=size)
    found.photos.append(ClassPhoto(ref, class_id))
    found.originals[source] = row
