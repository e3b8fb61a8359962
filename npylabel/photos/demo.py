"""The demo folders: drawn photos written the way a person's phone and class folders look."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageDraw

from npylabel.base.files import remove_leftovers, write_bytes
from npylabel.base.i18n import _
from npylabel.base.progress import track
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from npylabel.photos.old_prints import GRAY_PRINTS, PRINTS, printed

# Part of every file's identity: raise it when the drawings change, and old demo files are drawn anew.
_DRAWINGS_VERSION = 1
# A stream of random numbers for each kind of file: pictures of two kinds never coincide.
_PHONE, _CLASSES, _SPECIALS, _BROKEN, _OLD = range(1, 6)
_NEWEST_DAY = datetime(2026, 7, 31)
_DAYS_BETWEEN_PHOTOS = 3
_HOURS = {"луна": (22, 24), "закат": (20, 22)}  # when such a photo is taken; all others by day
_PHONE_SIZES = (
    (640, 480),
    (480, 640),
    (720, 540),
    (540, 720),
    (800, 450),
    (600, 600),
    (720, 480),
    (900, 600),
    (960, 720),
)
_CLASS_SIZES = ((480, 360), (360, 480), (480, 480), (510, 340), (480, 320), (384, 480), (448, 336), (512, 384))
_BURST_STEPS = ((0, 0), (2, 1), (3, 2))  # how far the hand moves from frame to frame, in pixels
_BURST_MARGIN = 8
# How the upright picture is turned before it is stored under an EXIF orientation (viewers turn it back).
_TURNED_BACK = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
_PLACE = {  # a public park; the drawn photos were taken nowhere
    ExifTags.GPS.GPSLatitudeRef: "N",
    ExifTags.GPS.GPSLatitude: (55.0, 43.0, 43.0),
    ExifTags.GPS.GPSLongitudeRef: "E",
    ExifTags.GPS.GPSLongitude: (37.0, 36.0, 4.0),
}
_README_TEXT = "These pictures are drawn by npylabel. Put your own photos into a folder of your own.\n"


@dataclass(frozen=True)
class _Format:
    """How a picture is written: file ending, Pillow's format name, color mode, options of its encoder."""

    suffix: str
    name: str = "JPEG"
    mode: str = "RGB"
    options: tuple[tuple[str, int], ...] = (("quality", 88),)


_JPG, _CAPITAL_JPG = _Format(".jpg"), _Format(".JPG")
_QUICK_PNG = (("compress_level", 1),)  # grain hardly packs any better at the higher levels
_PNG, _WEBP = _Format(".png", "PNG", options=_QUICK_PNG), _Format(".webp", "WEBP")
# The formats take turns; their number has no factor in common with that of the classes, so that all classes get all.
_PHONE_FORMATS = (_JPG, _JPG, _CAPITAL_JPG, _JPG, _JPG, _WEBP, _JPG, _CAPITAL_JPG, _JPG, _JPG, _PNG)
_CLASS_FORMATS = (_JPG,) * 12 + (_CAPITAL_JPG, _PNG, _JPG, _JPG, _WEBP)


@dataclass(frozen=True)
class _Picture:
    """One picture to be written.

    size: as drawn and seen, (width, height) in pixels. shift: part of a burst; where this frame begins.
    orientation: EXIF code under which the file stores the picture turned. taken: None leaves no date in the file.
    print: a kind of old print of ``PRINTS``, "" for a photo in color.
    """

    class_name: str
    identity: str
    random_seed: int
    size: tuple[int, int]
    style: _Format = _JPG
    taken: datetime | None = None
    orientation: int = 1
    has_place: bool = False
    shift: tuple[int, int] | None = None
    print: str = ""


@dataclass(frozen=True)
class _Special:
    """An oddity of real phone folders: which class it shows and how it differs from an ordinary photo."""

    class_name: str
    style: _Format = _JPG
    orientation: int = 1
    has_place: bool = False
    is_burst: bool = False


_SPECIAL_PHOTOS = (
    _Special("дом", orientation=6),
    _Special("цветок", orientation=3),
    _Special("машина", orientation=6, has_place=True),
    _Special("дерево", style=_Format(".HEIC", "HEIF", options=(("quality", 80),))),
    _Special("закат", style=_Format(".jpg", "JPEG", "CMYK")),
    _Special("рыба", style=_Format(".png", "PNG", "RGBA", _QUICK_PNG)),
    _Special("небо", has_place=True),
    _Special("цветок", is_burst=True),
)


def write_demo_photos(folder: Path, *, photos_per_class: int = 8, random_seed: int = 42) -> dict[str, str]:
    """Writes a flat folder like a phone's and returns the true class name of each readable, distinct picture in it.

    Besides ordinary photos of all DEMO_CLASSES the folder holds what phones leave behind: turned and HEIC files, a
    CMYK one, a transparent one, a burst, an exact copy, a broken file and a text. Files that are there and whole are
    kept, other files left alone; a run that was killed and is started again ends in the same bytes.

    Args:
        folder: Is made when missing.
        photos_per_class: Ordinary photos of each class; the oddities come on top.
        random_seed: Chooses the pictures and their dates, 0 or more.

    Returns:
        File name to class name; without the exact copy, the broken file and the text.
    """
    remove_leftovers(folder)
    pictures = {_phone_name(picture): picture for picture in _phone_pictures(photos_per_class, random_seed)}
    _write_pictures({folder / name: picture for name, picture in pictures.items()})
    _write_left_behind(folder, next(iter(pictures)), random_seed)
    _set_times(folder)
    return {name: picture.class_name for name, picture in sorted(pictures.items())}


def write_demo_classes(folder: Path, *, photos_per_class: int = 40, random_seed: int = 1042) -> int:
    """Writes folder/<class name>/NNN.<ending> for all DEMO_CLASSES and returns the number of pictures there.

    Files that are there and whole are kept, other files left alone; a run that was killed and is started again ends
    in the same bytes.

    Args:
        folder: Is made when missing.
        photos_per_class: Pictures in each class folder.
        random_seed: Chooses the pictures, 0 or more; none of them is one of write_demo_photos.
    """
    remove_leftovers(*(folder / class_name for class_name in DEMO_CLASSES))
    pictures = {}
    for class_index, class_name in enumerate(DEMO_CLASSES):
        for index in range(photos_per_class):
            style = _CLASS_FORMATS[(class_index + index) % len(_CLASS_FORMATS)]
            picture = replace(_plan((random_seed, class_index, index), _CLASSES, _CLASS_SIZES), style=style)
            pictures[folder / class_name / f"{index + 1:03d}{style.suffix}"] = picture
    _write_pictures(pictures)
    _set_times(folder)
    return len(pictures)


def write_demo_old_photos(folder: Path, *, photos_per_class: int = 2, random_seed: int = 42) -> int:
    """Writes folder/scan_NN.<ending>, old photos of all DEMO_CLASSES, and returns the number of pictures there.

    Gray, faded and sepia prints, some with the white border of their scan, and one that is in color. Files that are
    there and whole are kept, other files left alone.

    Args:
        folder: Is made when missing.
        photos_per_class: Pictures of each class.
        random_seed: Chooses the pictures, 0 or more; none of them is one of the other demo folders.
    """
    remove_leftovers(folder)
    kinds, pictures = (*PRINTS, *PRINTS, ""), {}
    for index in range(photos_per_class * len(DEMO_CLASSES)):
        key = (random_seed, index % len(DEMO_CLASSES), index // len(DEMO_CLASSES))
        kind = kinds[index % len(kinds)]
        style = _Format(".jpg", mode="L") if kind in GRAY_PRINTS else _JPG
        picture = replace(_plan(key, _OLD, _PHONE_SIZES), style=style, print=kind)
        pictures[folder / f"scan_{index + 1:02d}{style.suffix}"] = picture
    _write_pictures(pictures)
    _set_times(folder)
    return len(pictures)


def _set_times(folder: Path) -> None:
    """Give all files one fixed time: steps know originals by it, and a run that was killed has to end the same."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (_NEWEST_DAY.timestamp(), _NEWEST_DAY.timestamp()))


def _plan(key: tuple[int, int, int], stream: int, sizes: tuple[tuple[int, int], ...]) -> _Picture:
    """The picture of a key (random seed, class index, picture index): what it shows and how large."""
    rng = np.random.default_rng((*key, stream))
    width, height = sizes[int(rng.integers(len(sizes)))]
    identity = f"npylabel demo {_DRAWINGS_VERSION}-{stream}-" + "-".join(str(number) for number in key)
    trim = int(rng.integers(0, 24))  # phones and editors crop: hardly two sizes are the same
    return _Picture(DEMO_CLASSES[key[1]], identity, int(rng.integers(2**53)), (width - trim, height - trim))


def _phone_pictures(photos_per_class: int, random_seed: int) -> Iterator[_Picture]:
    # The oddities have the newest days, so that more ordinary photos do not move them.
    for index in range(photos_per_class):
        for class_index in range(len(DEMO_CLASSES)):
            key = (random_seed, class_index, index)
            order = index * len(DEMO_CLASSES) + class_index
            picture = _plan(key, _PHONE, _PHONE_SIZES)
            taken = _when(key, _PHONE, picture.class_name, order + len(_SPECIAL_PHOTOS))
            yield replace(picture, style=_PHONE_FORMATS[order % len(_PHONE_FORMATS)], taken=taken)
    for index, special in enumerate(_SPECIAL_PHOTOS):
        yield from _special_pictures(special, (random_seed, DEMO_CLASSES.index(special.class_name), index))


def _special_pictures(special: _Special, key: tuple[int, int, int]) -> Iterator[_Picture]:
    taken = _when(key, _SPECIALS, special.class_name, slot=key[2])
    picture = replace(
        _plan(key, _SPECIALS, _PHONE_SIZES),
        style=special.style,
        taken=taken,
        orientation=special.orientation,
        has_place=special.has_place,
    )
    if not special.is_burst:
        yield picture
        return
    for frame, shift in enumerate(_BURST_STEPS):
        identity = f"{picture.identity}-frame{frame}"
        yield replace(picture, identity=identity, shift=shift, taken=taken + timedelta(seconds=frame))


def _when(key: tuple[int, int, int], stream: int, class_name: str, slot: int) -> datetime:
    """The moment a photo was taken; every slot has days of its own, so that no two file names are the same."""
    rng = np.random.default_rng((*key, stream, slot))
    days = slot * _DAYS_BETWEEN_PHOTOS + int(rng.integers(_DAYS_BETWEEN_PHOTOS))
    first, last = _HOURS.get(class_name, (9, 18))
    # Ends five seconds early: the frames of a burst stay within the day.
    return _NEWEST_DAY - timedelta(days=days) + timedelta(seconds=int(rng.integers(first * 3600, last * 3600 - 5)))


def _phone_name(picture: _Picture) -> str:
    return f"IMG_{picture.taken:%Y%m%d_%H%M%S}{picture.style.suffix}"


def _write_pictures(pictures: dict[Path, _Picture]) -> None:
    for path, picture in track(pictures.items(), total=len(pictures), label=_("drawing the demo photos")):
        if not _is_whole(path, picture.identity):
            write_bytes(path, _encode(picture))


def _is_whole(path: Path, identity: str) -> bool:
    """Whether the file decodes to its end and says that it is this very picture."""
    is_heic = path.suffix.lower() == ".heic"
    try:
        image = pillow_heif.open_heif(path).to_pillow() if is_heic else Image.open(path)
        with image:
            image.load()
            return image.getexif().get(ExifTags.Base.ImageDescription) == identity
    except (OSError, ValueError, SyntaxError, EOFError):
        return False  # missing, cut off or not an image: it is drawn again


def _encode(picture: _Picture) -> bytes:
    """The bytes of the picture's file."""
    image = _stored(picture)
    style, exif, buffer = picture.style, _exif(picture), io.BytesIO()
    if style.name == "HEIF":
        pillow_heif.from_pillow(image).save(buffer, exif=exif.tobytes(), **dict(style.options))
    else:
        image.save(buffer, style.name, exif=exif, **dict(style.options))
    return buffer.getvalue()


def _stored(picture: _Picture) -> Image.Image:
    """The image as the file holds it: a burst's frame cut out, turned against its orientation, in its color mode."""
    width, height = picture.size
    if picture.shift is None:
        image = draw_photo(picture.class_name, random_seed=picture.random_seed, size=picture.size)
    else:
        scene = (width + _BURST_MARGIN, height + _BURST_MARGIN)
        left, top = picture.shift
        image = draw_photo(picture.class_name, random_seed=picture.random_seed, size=scene)
        image = image.crop((left, top, left + width, top + height))
    if picture.print:
        image = printed(image, picture.print)
    if picture.orientation in _TURNED_BACK:
        image = image.transpose(_TURNED_BACK[picture.orientation])
    if picture.style.mode == "RGBA":
        image.putalpha(_rounded_corners(image.size))
    return image.convert(picture.style.mode)


def _rounded_corners(size: tuple[int, int]) -> Image.Image:
    alpha = Image.new("L", size)
    ImageDraw.Draw(alpha).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), min(size) // 5, fill=255)
    return alpha


def _exif(picture: _Picture) -> Image.Exif:
    """The tags that a phone would write, and the picture's identity; nothing in them comes from the clock."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = picture.identity
    exif[ExifTags.Base.Software] = "npylabel demo photos (drawn by code)"
    exif[ExifTags.Base.Orientation] = picture.orientation
    if picture.taken:
        moment = f"{picture.taken:%Y:%m:%d %H:%M:%S}"
        exif[ExifTags.Base.DateTime] = moment
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = moment
    if picture.has_place:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_PLACE)
    return exif


def _write_left_behind(folder: Path, copied: str, random_seed: int) -> None:
    """Writes what is no photo of its own: an exact copy, a download that broke off, a text."""
    photo = folder / copied
    broken = replace(_plan((random_seed, 0, 0), _BROKEN, _PHONE_SIZES), taken=_NEWEST_DAY + timedelta(days=1, hours=12))
    data = _encode(broken)
    files = {
        f"{photo.stem} (1){photo.suffix}": photo.read_bytes(),
        _phone_name(broken): data[: len(data) // 2],
        "readme.txt": _README_TEXT.encode("ascii"),
    }
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)
