"""Small whole datasets, and the tools that break one thing in them.

An ``Action`` takes the folder of a dataset and breaks something there; the functions that return one are named after
what they do.
"""

import io
import os
import pickle
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from npylabel.base.classes import ClassTable, load_classes
from npylabel.dataset.labels import LabelRow, label_bytes, read_label_rows, table_path, write_label, write_label_rows
from npylabel.dataset.verify import Verification, verify_dataset
from npylabel.photos.fit import encode_pair
from npylabel.photos.manifest import PhotoRow, read_rows, write_rows

SIZE_PX = 64
FOLDERS = ("color", "bw", "labels")
TABLE: ClassTable = load_classes(Path(__file__).parents[2] / "classes.json")
# Letters that Unicode can write in two ways are in every third name.
_KINDS = ("photo", "ёжик_й", "дом")
Action = Callable[[Path], object]


def name_of(index: int) -> str:
    """Stem of a dataset's photo: ``photo_0000``, ``ёжик_й_0001``, ``дом_0002``, ``photo_0003``..."""
    return f"{_KINDS[index % 3]}_{index:04}"


def draw(index: int, size_px: int = SIZE_PX, noise: int = 12) -> Image.Image:
    """A colorful picture, another one for each index: a gradient from corner to corner under some noise."""
    random = np.random.default_rng(index)
    corners = Image.fromarray(random.integers(0, 256, (2, 2, 3), dtype=np.uint8))
    smooth = np.asarray(corners.resize((size_px, size_px), Image.Resampling.BILINEAR), dtype=np.int16)
    noisy = smooth + random.integers(-noise, noise + 1, smooth.shape)
    noisy[:8, :8] = (230, 30, 60)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def make_dataset(
    folder: Path, count: int, *, image_format: str = "png", size_px: int = SIZE_PX, noise: int = 12
) -> Path:
    """The folder, now a dataset without a fault: pictures, labels, ``labels.csv`` and ``manifest.csv``.

    Photos 5 and 6, 10 and 11... are near duplicates by the manifest; classes 0, 3, 6 and 9 take turns.
    """
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    photos, labels = [], {}
    for index in range(count):
        name, class_id = name_of(index), 3 * (index % 4)
        color, bw, _gray = encode_pair(draw(index, size_px, noise), image_format)
        (folder / "color" / f"{name}.{image_format}").write_bytes(color)
        (folder / "bw" / f"{name}.{image_format}").write_bytes(bw)
        write_label(folder / "labels" / f"{name}.npy", class_id)
        labels[name] = _label_row(name, class_id, color)
        photos.append(_photo_row(index, size_px, image_format, color, bw))
    write_label_rows(folder / "labels.csv", labels)
    write_rows(folder, photos)
    return folder


def _label_row(name: str, class_id: int, color: bytes) -> LabelRow:
    return LabelRow(name, class_id, TABLE.names[class_id], "0.9000", "model", str(class_id), TABLE.names[class_id],
                    "0.5", sha256(color).hexdigest(), "e" * 64, TABLE.sha256)


def _photo_row(index: int, size_px: int, image_format: str, color: bytes, bw: bytes) -> PhotoRow:
    group = name_of(index // 5 * 5) if index >= 5 and index % 5 < 2 else ""
    return PhotoRow(
        name_of(index), f"phone/{index:04}.jpg", sha256(f"original {index}".encode()).hexdigest(), group=group,
        width=900, height=600, color_sha256=sha256(color).hexdigest(), bw_sha256=sha256(bw).hexdigest(),
        settings=f"{size_px} crop {image_format}")


def verified(folder: Path, workers: int = 1) -> Verification:
    """The verification of a dataset that ``make_dataset`` made."""
    return verify_dataset(folder, TABLE, size_px=SIZE_PX, workers=workers)


def found(folder: Path) -> set[tuple[str, str]]:
    """(code, name) of all findings."""
    return {(finding.code, finding.name) for finding in verified(folder).findings}


def checksums(folder: Path) -> dict[str, str]:
    """Checksum by relative path of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


# Files and names


def drop(*names: str) -> Action:
    """Delete files or folders."""
    def act(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    return act


def move(old: str, new: str) -> Action:
    """Rename a file."""
    return lambda folder: (folder / old).rename(folder / new)


def copy(old: str, new: str) -> Action:
    """Copy a file."""
    return lambda folder: shutil.copyfile(folder / old, folder / new)


def put(name: str, data: bytes) -> Action:
    """Write a file."""
    return lambda folder: (folder / name).write_bytes(data)


def change(name: str, edit: Callable[[bytes], bytes]) -> Action:
    """Change the bytes of a file."""
    return lambda folder: (folder / name).write_bytes(edit((folder / name).read_bytes()))


def link_to_nowhere(name: str) -> Action:
    """Make a dangling link, in place of the file if there is one."""
    def act(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder / "nowhere.png")
    return act


def make_folder(name: str) -> Action:
    """Make a folder."""
    return lambda folder: (folder / name).mkdir()


def rename_triplet(old: str, new: str) -> Action:
    """Rename all that a photo has, in ``labels.csv`` too."""
    def act(folder: Path) -> None:
        for name in FOLDERS:
            path = next(path for path in (folder / name).iterdir() if path.stem == old)
            path.rename(path.with_name(new + path.suffix))
        relist(lambda rows: rows.update({new: replace(rows.pop(old), name=new)}))(folder)
    return act


def copy_triplet(old: str, new: str) -> Action:
    """Copy all that a photo has to another name, in ``labels.csv`` too."""
    def act(folder: Path) -> None:
        for name in FOLDERS:
            path = next(path for path in (folder / name).iterdir() if path.stem == old)
            shutil.copyfile(path, path.with_name(new + path.suffix))
        relist(lambda rows: rows.update({new: replace(rows[old], name=new)}))(folder)
    return act


def both(*actions: Action) -> Action:
    """Do several actions, in order."""
    def act(folder: Path) -> None:
        for action in actions:
            action(folder)
    return act


# Pictures


def redraw(
    name: str, edit: Callable[[Image.Image], Image.Image], source: str = "", image_format: str = ""
) -> Action:
    """Write the edited picture of ``source`` (or of the file itself) as Pillow does, by the suffix or as told."""
    def act(folder: Path) -> None:
        with Image.open(folder / (source or name)) as image:
            edited = edit(image)
        kind = image_format or {".png": "PNG", ".jpg": "JPEG"}[Path(name).suffix.lower()]
        options = {"quality": 100} if kind == "JPEG" else {}
        edited.save(folder / name, kind, **options)
    return act


def convert(mode: str) -> Callable[[Image.Image], Image.Image]:
    """The picture in another Pillow mode."""
    return lambda image: image.convert(mode)


def turn(how: Image.Transpose) -> Callable[[Image.Image], Image.Image]:
    """The picture rotated or mirrored."""
    return lambda image: image.transpose(how)


def shrink(image: Image.Image) -> Image.Image:
    """The picture at half its size."""
    return image.resize((image.width // 2, image.height // 2))


def rec709(image: Image.Image) -> Image.Image:
    """The gray picture as scikit-image's ``rgb2gray`` computes it (ITU-R BT.709 luma)."""
    luma = np.asarray(image, dtype=np.float64) @ [0.2125, 0.7154, 0.0721]
    return Image.fromarray(luma.round().astype(np.uint8))


def one_level_off(image: Image.Image) -> Image.Image:
    """The picture with one pixel brighter by one level."""
    pixels = np.array(image)
    pixels[40, 21] += 1
    return Image.fromarray(pixels)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def add_png_chunk(name: str, kind: bytes, body: bytes, at_the_end: bool = False) -> Action:
    """Put a chunk behind the header of a PNG file, or before its end."""
    at = -12 if at_the_end else 33
    return change(name, lambda data: data[:at] + png_chunk(kind, body) + data[at:])


def add_jpeg_segment(name: str, marker: int, body: bytes) -> Action:
    """Put a segment at the start of a JPEG file."""
    segment = bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
    return change(name, lambda data: data[:2] + segment + data[2:])


def exif(orientation: int = 1, *, gps: bool = False) -> bytes:
    """EXIF as in a PNG chunk: how the camera was held, and where."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    if gps:
        tags.get_ifd(0x8825).update({1: "N", 2: (55.0, 45.0, 7.0), 3: "E", 4: (37.0, 37.0, 2.0)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


def wide_png() -> bytes:
    """A PNG file of 16 bits per channel."""
    pixels = (np.asarray(draw(77), dtype=np.uint16) * 257).astype(">u2")
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))
    header = struct.pack(">IIBBBBB", SIZE_PX, SIZE_PX, 16, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b""))


# Labels and tables


def label(name: str, value: object, dtype: str = "<i8") -> Action:
    """Save an array as a label file."""
    return put(f"labels/{name}.npy", npy_bytes(np.array(value, dtype=dtype)))


def npy_bytes(array: np.ndarray) -> bytes:
    """The array in NumPy's format; objects are pickled."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npz_bytes(array: np.ndarray) -> bytes:
    """The array in NumPy's zip format."""
    file = io.BytesIO()
    np.savez(file, array)
    return file.getvalue()


def npy_header(text: str) -> bytes:
    """A label file with a header of one's own."""
    header = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + label_bytes(0)[-8:]


class Trap:
    """What makes a folder when it is unpickled.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path,)


def trap_label(name: str, pack: Callable[[Trap], bytes] = pickle.dumps) -> Action:
    """Write a label file that makes the folder ``trapped`` when it is unpickled."""
    return lambda folder: put(f"labels/{name}.npy", pack(Trap(folder / "trapped")))(folder)


def relist(edit: Callable[[dict[str, LabelRow]], object]) -> Action:
    """Edit the rows of ``labels.csv``."""
    def act(folder: Path) -> None:
        rows = read_label_rows(table_path(folder / "labels"))
        edit(rows)
        write_label_rows(table_path(folder / "labels"), rows)
    return act


def reset(name: str, **values: object) -> Action:
    """Set values in a photo's row of ``labels.csv``."""
    return relist(lambda rows: rows.update({name: replace(rows[name], **values)}))


def remanifest(name: str, **values: object) -> Action:
    """Set values in a photo's row of ``manifest.csv``."""
    def act(folder: Path) -> None:
        write_rows(folder, [replace(row, **values) if row.name == name else row for row in read_rows(folder)])
    return act


def everything_unknown(folder: Path) -> None:
    """Give all photos but one the unknown class, in files and table."""
    for index in range(1, len(list((folder / "labels").iterdir()))):
        write_label(folder / "labels" / f"{name_of(index)}.npy", TABLE.unknown_id)
        reset(name_of(index), class_id=TABLE.unknown_id)(folder)


@dataclass(frozen=True)
class Fault:
    """One thing to break, and what the verifier has to say.

    Attributes:
        title: what is broken.
        code: that must be found.
        names: of the findings with this code.
        act: breaks it.
        implied: the other codes that must be found too.
        image_format: of the dataset.
    """

    title: str
    code: str
    names: str | frozenset[str]
    act: Action
    implied: frozenset[str] = frozenset()
    image_format: str = "png"
