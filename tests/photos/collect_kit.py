"""Folders of small photos, runs over them, and what they leave behind."""

import hashlib
import itertools
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.photos import prepare
from npylabel.photos.collect import collect_photos
from tests.photos.pictures import jpeg_bytes, texture

SIZE_PX = 64


def photo(seed: str, taken: str = "") -> bytes:
    """A small JPEG, another one for each seed; ``taken`` as EXIF writes it."""
    exif = Image.Exif()
    if taken:
        exif[0x0132] = taken
    return jpeg_bytes(texture(zlib.crc32(seed.encode()), 96, 72), exif=exif)


def lay_photos(folder: Path, *names: str) -> Path:
    """The folder with a photo of each name, whose picture is its own."""
    for name in names:
        lay_file(folder / name, photo(name))
    return folder


def lay_file(path: Path, data: bytes) -> Path:
    """The file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def collect(source: Path | list[Path], dataset_dir: Path, **options: object) -> StepReport:
    """A run in this process at 64 pixels."""
    sources = source if isinstance(source, list) else [source]
    return collect_photos(sources, dataset_dir, **{"size_px": SIZE_PX, "workers": 1, **options})


def tree(folder: Path) -> dict[str, str]:
    """The checksum of each file below the folder."""
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def times(folder: Path) -> dict[str, int]:
    """When each picture below the folder was written."""
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
            for path in sorted(folder.rglob("*")) if path.suffix in (".png", ".jpg")}


def rows(dataset_dir: Path) -> dict[str, dict[str, str]]:
    """The rows of both tables by source."""
    listed = read_csv(dataset_dir / "manifest.csv") + read_csv(dataset_dir / "quarantine.csv")
    assert len(listed) == len({row["source"] for row in listed}), "a source has two rows"
    return {row["source"]: row for row in listed}


def assert_agree(dataset_dir: Path) -> None:
    """Asserts that the tables name exactly the files that are there, and that each pair is right."""
    used = [row for row in rows(dataset_dir).values() if row["status"] == "ok"]
    wanted = sorted(f"{row['name']}.{row['settings'].split()[2]}" for row in used)
    for folder in ("color", "bw"):
        assert sorted(path.name for path in (dataset_dir / folder).iterdir()) == wanted, folder
    for name in (name for name in wanted if name.endswith(".png")):
        with Image.open(dataset_dir / "color" / name) as color, Image.open(dataset_dir / "bw" / name) as gray:
            assert (color.mode, gray.mode) == ("RGB", "L")
            assert gray.tobytes() == color.convert("L").tobytes()


def failing_write(at: int, *, after: bool, error: BaseException) -> Callable[[Path, bytes], None]:
    """A ``write_bytes`` whose call number ``at`` fails, before or after the file is there."""
    calls, write_bytes = itertools.count(), prepare.write_bytes

    def write(path: Path, data: bytes) -> None:
        stop = next(calls) == at
        if stop and not after:
            raise error
        write_bytes(path, data)
        if stop:
            raise error

    return write
