"""The training folder: class folders with ``split.csv``, made by step 02 or by hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import run_threads
from npylabel.base.tables import read_csv, write_csv
from npylabel.dataset.folders import TRAIN, VAL, scan_class_folders
from npylabel.dataset.photo_memo import PhotoMemo
from npylabel.dataset.sorted_photos import is_sorted_source
from npylabel.dataset.split import SplitItem, assign_splits
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import fit_square
from npylabel.photos.likeness import group_alike, photo_hash
from npylabel.photos.manifest import COLUMNS, DEMO, OWN, PhotoRow, row_from, table_values
from npylabel.photos.sources import PhotoRef

SPLIT = "split.csv"
_FIRST = ("path", "class_id", "split", "group")
SPLIT_COLUMNS = (*_FIRST, *(name for name in COLUMNS if name not in (*_FIRST, "name", "bw_sha256", "status", "reason")))
_HASH_PX = 256


@dataclass(frozen=True)
class TrainPhoto:
    """One photo to train or judge on.

    Attributes:
        ref: the file.
        class_id: its class.
        split: "train", "val" or "test".
        sha256: of the original's bytes (of this file's where it was laid here by hand).
        group: SHA-256 of the first of the photos that show nearly the same.
        source: of the original, see ``PhotoRef``; "" where it was laid here by hand.
        class_by_person: a person moved it from the folder of another class to this one.
    """

    ref: PhotoRef
    class_id: int
    split: str
    sha256: str
    group: str = ""
    source: str = ""
    class_by_person: bool = False

    @property
    def path(self) -> Path:
        """The file (or the zip that holds it)."""
        return self.ref.path


@dataclass(frozen=True)
class TrainingData:
    """A training folder.

    Attributes:
        photos: sorted by path.
        made_from: "demo" or "own".
        fit: how the photos were fitted, for labeling in the same way.
        by_hand: how many of them are not in ``split.csv``.
        unusable: (path, reason code) of those that cannot be read.
    """

    photos: list[TrainPhoto]
    made_from: str
    fit: str
    by_hand: int
    unusable: list[tuple[Path, str]]

    @property
    def split_sha256(self) -> str:
        """Checksum of what is trained on and what is judged on: a run resumes only where it is the same."""
        lines = sorted(f"{photo.sha256} {photo.class_id} {photo.split}" for photo in self.photos)
        return sha256("\n".join(lines).encode()).hexdigest()

    def of(self, split: str) -> list[TrainPhoto]:
        """The photos of one side."""
        return [photo for photo in self.photos if photo.split == split]


def write_split(data_path: Path, rows: Sequence[PhotoRow], class_ids: dict[str, int], splits: Sequence[str]) -> None:
    """Write ``split.csv`` for rows whose names are ``<class name>/<stem>``."""
    table = []
    for row, split in zip(rows, splits, strict=True):
        path, class_id = f"{row.name}{row.suffix}", class_ids[row.source]
        table.append({**table_values(row), "path": path, "class_id": class_id, "split": split})
    write_csv(data_path / SPLIT, SPLIT_COLUMNS, table)


def read_split_rows(data_path: Path) -> list[tuple[PhotoRow, str]]:
    """Rows and their sides, or none where the folder was made by hand.

    Raises:
        NpyLabelError: ``split_damaged``.
    """
    try:
        rows = [(row_from({**values, "name": values["path"].rpartition(".")[0]}), values["split"])
                for values in read_csv(data_path / SPLIT)]
    except (KeyError, TypeError, ValueError) as error:
        raise NpyLabelError(
            "split_damaged",
            _("The table {path} cannot be read: {reason}.").format(path=data_path / SPLIT, reason=repr(error)),
            _("Rename it: the split is made again in the same way."),
        ) from error
    return rows


def class_by_hand(row: PhotoRow, table: ClassTable) -> bool:
    """Whether a training photo lies in the folder of another class than its original did: a person decided that.

    Of a sorted photo the journal tells the class, wherever it lies.
    """
    if is_sorted_source(row.source):
        return False
    named = {table.find(part) for part in row.source.split("/")[:-1]} - {None}
    return table.find(row.name.partition("/")[0]) not in named


def load_training_data(data_path: Path, table: ClassTable, *, val_fraction: float, random_seed: int) -> TrainingData:
    """The photos of a training folder with their sides.

    What ``split.csv`` does not list (a folder made by hand) is split in the same way: near duplicates of a listed
    photo go to its side. The folder a photo lies in decides its class, whatever the table says.

    Args:
        data_path: folder of class folders.
        table: the only source of ids.
        val_fraction: share of each class for validation.
        random_seed: of the split.

    Raises:
        NpyLabelError: ``photos_missing``, ``unknown_folder``, ``split_damaged``, ``no_train_data``.
    """
    if not data_path.is_dir():
        raise _nothing_to_train_on(data_path)
    scan = scan_class_folders(data_path, table)
    listed = {nfc(f"{row.name}{row.suffix}"): (row, split) for row, split in read_split_rows(data_path)}
    known, items, unusable, photos = [], [], [], []
    found = _described([photo.ref for photo in scan.photos], data_path, listed)
    for photo, (row, given, code) in zip(scan.photos, found, strict=True):
        if code:
            unusable.append((photo.ref.path, code))
            continue
        known.append((photo, row))
        items.append((row, given or photo.given_split))
    leaders = group_alike([row.phash for row, _given in items], [row.taken for row, _given in items])
    sides = assign_splits(
        [SplitItem(photo.class_id, row.sha256, str(leader), given)
         for (photo, row), leader, (_row, given) in zip(known, leaders, items, strict=True)],
        {VAL: val_fraction}, random_seed, keep_given=bool(listed))
    pictures = {row.color_sha256: row for row, _split in listed.values()}
    for (photo, row), side, leader in zip(known, sides, leaders, strict=True):
        # A listed picture that lies elsewhere now was moved, and step 02 has not seen that yet.
        original = row if row.source else pictures.get(row.sha256, row)
        photos.append(TrainPhoto(
            photo.ref, photo.class_id, side, row.sha256, known[leader][1].sha256, original.source,
            bool(original.source) and class_by_hand(replace(original, name=row.name), table)))
    if not any(photo.split == TRAIN for photo in photos):
        raise _nothing_to_train_on(data_path)
    origin = DEMO if any(row.made_from == DEMO for row, _split in listed.values()) else OWN
    fits = {row.settings.split(" ")[1] for row, _split in listed.values() if row.settings.count(" ") == 2}
    return TrainingData(photos, origin, fits.pop() if len(fits) == 1 else "crop",
                        sum(row.source == "" for _photo, row in known), unusable)


def _described(refs: Sequence[PhotoRef], data_path: Path, listed: dict) -> list[tuple[PhotoRow, str, str]]:
    """(row, given side, reason code) of each; what was seen of unchanged photos in an earlier run is not seen again."""
    memo, seen = PhotoMemo("looks"), {}

    def describe(index: int) -> tuple[PhotoRow, str, str]:
        name = nfc(refs[index].path.relative_to(data_path).as_posix())
        if name in listed:
            return *listed[name], ""
        row, facts = PhotoRow(name, ""), memo.known(refs[index])
        code = "" if facts else _look(refs[index], row)
        if facts:
            row.sha256, row.taken, row.phash = facts
        elif not code:
            seen[index] = [row.sha256, row.taken, row.phash]
        return row, "", code

    result = list(run_threads(describe, range(len(refs))))
    memo.remember(refs, seen)
    return result


def _look(ref: PhotoRef, row: PhotoRow) -> str:
    """"" where the row knows the photo now, else the reason code; rows of photos that a person laid have no source."""
    try:
        data = ref.read()
        row.sha256 = sha256(data).hexdigest()
        decoded = decode_photo(data, _HASH_PX)
    except PhotoError as error:
        return error.code
    except (OSError, *ZIP_ERRORS):
        return "unreadable"
    row.taken = decoded.taken
    row.phash = photo_hash(fit_square(decoded.image, _HASH_PX, "crop").convert("L"))
    return ""


def class_counts(photos: Sequence[TrainPhoto]) -> dict[int, int]:
    """Number of photos by class id, ascending."""
    return dict(sorted(Counter(photo.class_id for photo in photos).items()))


def _nothing_to_train_on(data_path: Path) -> NpyLabelError:
    return NpyLabelError(
        "no_train_data",
        _("There are no photos to train on in {path}.").format(path=data_path),
        _("Run notebook 02 (build_train_data) first, or lay photos into folders named by class there."),
    )
