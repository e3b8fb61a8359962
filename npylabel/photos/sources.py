"""Which photos there are: in folders, in zips, and in Google Takeout exports of either kind."""

import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path, PurePosixPath

from npylabel.base.disks import is_slow_disk, patiently
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.tables import printable
from npylabel.photos.archives import ZIP_ERRORS, list_members, read_member
from npylabel.photos.sniff import HEAD_BYTES, sniff
from npylabel.photos.takeout import sidecar_key, sidecar_target

PHOTO_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif", ".hif",
    ".avif", ".mpo", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".jp2", ".jxl", ".psd", ".svg",
})
# Never opened to see whether they are photos: phones are full of them, and on Drive each look takes long.
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".mov", ".mp", ".m4v", ".3gp", ".3g2", ".avi", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg", ".mts", ".m2ts",
})
SYSTEM_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found"})
MAX_FILE_BYTES = 512 * 2**20
# Each question to Drive takes long, many at once do not take longer.
_LISTING_THREADS = 16


@dataclass(frozen=True)
class PhotoRef:
    """One file that claims to be a photo.

    Attributes:
        source: its name in the tables: ``folder/sub/name.jpg``, or ``export.zip!/sub/name.jpg``.
        path: the file, or the zip that holds it.
        member: its index in the zip, or None for a plain file.
        fingerprint: changes when the file does: size and time, or size and CRC in a zip.
        size_bytes: size of the original.
        code: a reason code where it is known already that it cannot be used, else "".
        sidecar: the JSON file that Google Takeout laid beside it, or None.
    """

    source: str
    path: Path
    member: int | None = None
    fingerprint: str = ""
    size_bytes: int = 0
    code: str = ""
    sidecar: "PhotoRef | None" = None

    def read(self, limit: int = MAX_FILE_BYTES) -> bytes:
        """The first ``limit`` bytes of the original.

        Raises:
            OSError: where it cannot be read, or is known to be no file (a pipe would never end).
            archives.ZIP_ERRORS: where a zip is damaged.
            NpyLabelError: ``source_gone`` where a slow disk does not answer any more.
        """
        if self.code:
            raise OSError(self.code)
        return patiently(self.path, lambda: self._read(limit))

    def _read(self, limit: int) -> bytes:
        if self.member is not None:
            return read_member(self.path, self.member, limit)
        with self.path.open("rb") as file:
            return file.read(limit)


@dataclass
class Listing:
    """What was found.

    Attributes:
        refs: what claims to be a photo, sorted by source.
        sidecars: JSON files of Google Takeout that belong to one of the refs.
        others: sources of all other files.
    """

    refs: list[PhotoRef] = field(default_factory=list)
    sidecars: list[PhotoRef] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def live_videos(self) -> int:
        """How many of the others are the videos of Live Photos: a photo of the same name lies beside them."""
        stems = {ref.source.rpartition(".")[0] for ref in self.refs}
        videos = [name for name in self.others if name.lower().endswith((".mov", ".mp4", ".mp"))]
        # IMG_1.MOV lies beside IMG_1.HEIC, but Pixel's PXL_1.MP beside PXL_1.MP.jpg.
        return sum(name in stems or name.rpartition(".")[0] in stems for name in videos)

    def others_text(self) -> str:
        """The other files in words, such as ".mp4 12, .txt 1"."""
        counts = Counter(PurePosixPath(name).suffix.lower() or "-" for name in self.others)
        return ", ".join(f"{suffix} {count}" for suffix, count in sorted(counts.items()))


def split_sources(photos_dir: str) -> list[str]:
    """The parts of a parameter that names several folders or zips, separated by semicolons."""
    return [part.strip() for part in photos_dir.split(";") if part.strip()]


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or the system's own (``.DS_Store``, ``__MACOSX``, ``Thumbs.db``...)."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def list_photos(
    roots: Sequence[Path], exclude: Sequence[Path] = (), known: Mapping[str, str] | None = None
) -> Listing:
    """All photos below the roots; folders that hold results of this project are not entered.

    Args:
        roots: folders (read with their sub-folders) and zips.
        exclude: folders that are not entered, such as the run's own output.
        known: fingerprint by source of an earlier listing. A root of the same name that holds other photos (the
            ``DCIM`` of another card) gets another label, so that its photos do not pass for those.

    Raises:
        NpyLabelError: ``photos_missing`` where a root does not exist.
    """
    listing = Listing()
    excluded = {path.resolve() for path in exclude}
    for root, label in zip(roots, _labels(roots), strict=True):
        status = _status(root)
        kind = status.st_mode if status else 0
        if stat.S_ISDIR(kind):
            with ThreadPoolExecutor(_LISTING_THREADS if is_slow_disk(root.absolute()) else 1) as pool:
                paths = list(_walk(root, excluded))
                for path, seen in zip(paths, pool.map(_look, paths), strict=True):
                    _add_file(listing, path, f"{label}/{path.relative_to(root).as_posix()}", *seen)
        elif stat.S_ISREG(kind):
            _add_file(listing, root, label, *_look(root))
        else:
            raise NpyLabelError(
                "photos_missing",
                _("There is no folder or zip {path}.").format(path=root),
                _("Check the path; several folders or zips are separated by a semicolon."),
            )
    listing.refs = _apart(listing.refs, known or {})
    listing.refs.sort(key=lambda ref: ref.source)
    _attach_sidecars(listing)
    return listing


def _labels(roots: Sequence[Path]) -> list[str]:
    """A name for each root that does not change when the root is moved elsewhere."""
    labels: list[str] = []
    for root in roots:
        name = label = printable(root.resolve().name) or "root"
        while label in labels:
            label = f"{name}~{len(labels) + 1}" if label == name else f"{label}~"
        labels.append(label)
    return labels


def _apart(refs: Sequence[PhotoRef], known: Mapping[str, str]) -> list[PhotoRef]:
    """The refs with roots that are not those of the earlier listing under labels of their own."""
    by_label: dict[str, list[PhotoRef]] = defaultdict(list)
    for ref in refs:
        by_label[ref.source.partition("/")[0].removesuffix("!")].append(ref)
    result, used = [], set()
    for label, members in by_label.items():
        base = re.sub(r"~\d+$", "", label)
        candidates = chain([label, base], (f"{base}~{number}" for number in count(2)))
        chosen = next(name for name in candidates if name not in used and _may_be(members, label, name, known))
        used.add(chosen)
        result += [replace(ref, source=chosen + ref.source[len(label):]) for ref in members]
    return result


def _may_be(members: Sequence[PhotoRef], label: str, chosen: str, known: Mapping[str, str]) -> bool:
    """Whether the members can be what the earlier listing has under a label: none of it, or at least one unchanged."""
    both = [(known[source], ref.fingerprint) for ref in members
            if (source := chosen + ref.source[len(label):]) in known]
    return not both or any(before == now for before, now in both)


def holds_results(names: Sequence[str]) -> bool:
    """Whether a folder with these entries is a dataset, training data, an export or colored photos of this project."""
    there = set(names)
    return ({"manifest.csv", "color"} <= there or {"export.csv", "train"} <= there
            or bool({"split.csv", "colorized.csv"} & there))


def _walk(root: Path, excluded: set[Path]) -> Iterator[Path]:
    """Files, folders that cannot be listed, and folders named like photos, below the root.

    Links to folders are followed (Drive's shortcuts are links), each folder once.
    """
    seen: set[tuple[int, int]] = set()
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            status = patiently(folder, folder.stat)
            entries = patiently(folder, lambda folder=folder: {entry.name: entry for entry in os.scandir(folder)})
            names = sorted(entries)
        except OSError:
            yield folder
            continue
        if (status.st_dev, status.st_ino) in seen or folder.resolve() in excluded:
            continue
        seen.add((status.st_dev, status.st_ino))
        if folder != root and holds_results(names):
            continue
        for path in (folder / name for name in names if not is_hidden(name)):
            is_dir = _is_dir(entries[path.name])
            if is_dir:
                pending.append(path)
            if not is_dir or path.suffix.lower() in PHOTO_SUFFIXES:
                yield path


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A folder that may be listed but not entered, a link into nothing.
        return False


def _status(path: Path) -> os.stat_result | None:
    try:
        return patiently(path, path.stat)
    except OSError:
        return None


def _look(path: Path) -> tuple[os.stat_result | None, bool]:
    """(status, whether the content is a picture where only that can tell)."""
    status = _status(path)
    is_plain = status is not None and stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES
    return status, is_plain and path.suffix.lower() != ".zip" and _looks_like_photo(PhotoRef(path.name, path))


def _add_file(listing: Listing, path: Path, source: str, status: os.stat_result | None, looks_right: bool) -> None:
    ref = PhotoRef(printable(source), path)
    if status is None:
        _add(listing, replace(ref, code="dangling_link" if path.is_symlink() else "unreadable"))
        return
    if stat.S_ISDIR(status.st_mode) and path.suffix.lower() not in PHOTO_SUFFIXES:
        # Only folders that cannot be listed come here: their photos must not vanish silently.
        listing.refs.append(replace(ref, code="unreadable"))
    elif not stat.S_ISREG(status.st_mode):
        _add(listing, replace(ref, code="not_a_file"))
    elif path.suffix.lower() == ".zip":
        _add_zip(listing, replace(ref, fingerprint=_mark(status), size_bytes=status.st_size))
    else:
        code = "too_large" if status.st_size > MAX_FILE_BYTES else ""
        _add(listing, replace(ref, fingerprint=_mark(status), size_bytes=status.st_size, code=code), looks_right)


def _mark(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _add_zip(listing: Listing, ref: PhotoRef) -> None:
    try:
        members = patiently(ref.path, lambda: list_members(ref.path))
    except (*ZIP_ERRORS, OSError):
        listing.refs.append(replace(ref, code="broken_archive"))
        return
    # A name that occurs twice stands for its last member, as in every unpacker.
    for member in {printable(member.name): member for member in members}.values():
        if not any(is_hidden(part) for part in member.name.split("/") if part not in ("..", ".")):
            source = printable(f"{ref.source}!/{member.name}")
            found = PhotoRef(source, ref.path, member.index, member.fingerprint, member.size_bytes, member.code)
            _add(listing, found, _looks_like_photo(found))


def _add(listing: Listing, ref: PhotoRef, looks_right: bool = False) -> None:
    suffix = PurePosixPath(ref.source).suffix.lower()
    if suffix in PHOTO_SUFFIXES or looks_right:
        listing.refs.append(ref)
    elif suffix == ".json":
        listing.sidecars.append(ref)
    else:
        listing.others.append(ref.source)


def _looks_like_photo(ref: PhotoRef) -> bool:
    """Whether the content is a picture; files whose suffix tells what they are, are not opened."""
    suffix = PurePosixPath(ref.source).suffix.lower()
    if ref.code or suffix == ".json" or suffix in PHOTO_SUFFIXES or suffix in VIDEO_SUFFIXES:
        return False
    try:
        return bool(sniff(ref.read(HEAD_BYTES)))
    except (*ZIP_ERRORS, OSError):
        return False


def _attach_sidecars(listing: Listing) -> None:
    """Give each photo its Takeout sidecar; those that belong to no photo are counted with the other files."""
    by_key = {_in_folder(ref.source, sidecar_target): ref for ref in listing.sidecars}
    keys = [_in_folder(ref.source, sidecar_key) for ref in listing.refs]
    listing.refs = [replace(ref, sidecar=by_key.get(key)) for ref, key in zip(listing.refs, keys, strict=True)]
    used = set(keys)
    listing.others += [ref.source for key, ref in by_key.items() if key not in used]
    listing.sidecars = [ref for key, ref in by_key.items() if key in used]


def _in_folder(source: str, rule: Callable[[str], str]) -> str:
    folder, slash, name = source.rpartition("/")
    return folder + slash + rule(name)
