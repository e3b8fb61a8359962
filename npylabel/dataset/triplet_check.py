"""The checks on one triplet: color file, grayscale file, label."""

import io
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from npylabel.dataset.faults import Finding
from npylabel.dataset.labels import LabelError, LabelRow, read_label
from npylabel.photos.decode import DECODER_ERRORS
from npylabel.photos.png import SIGNATURE, png_extras, png_fault
from npylabel.photos.sniff import HEAD_BYTES, PILLOW_FORMATS, sniff

# DESIGN: exact for PNG; two JPEG files of one picture differ by their own noise.
JPEG_TOLERANCE = 3
_SUFFIX_FORMAT = {".png": "PNG", ".jpg": "JPEG"}
# Files are read to name what is wrong with them; HEIF would need its plugin, EPS would start Ghostscript.
_READ_FORMATS = tuple(name for name in PILLOW_FORMATS if name != "HEIF")
# Below this spread between channels a picture is gray with JPEG noise.
_GRAY_SPREAD = 6
_REC709 = np.array([0.2126, 0.7152, 0.0722])
# What Pillow reports that is no metadata of the photo but of the file format.
_HARMLESS_INFO = frozenset({"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "progression", "progressive",
                            "gamma", "srgb", "chromaticity", "interlace", "adobe", "adobe_transform"})


@dataclass(frozen=True)
class TripletJob:
    """What to check of one stem; a path is None where that partner is missing or of no use.

    Attributes:
        stem: name in the findings.
        color: color file.
        bw: grayscale file.
        label: label file.
        size_px: side that pictures must have.
        class_ids: ids of the class table.
        classes_sha256: checksum of the class table.
        row: the photo's row in ``labels.csv``, if any.
        made_color_sha256: of the color file as step 01 wrote it, or "".
    """

    stem: str
    color: Path | None
    bw: Path | None
    label: Path | None
    size_px: int
    class_ids: frozenset[int]
    classes_sha256: str
    row: LabelRow | None
    made_color_sha256: str


@dataclass
class TripletResult:
    """What was found.

    Attributes:
        stem: of the job.
        findings: all that is wrong.
        class_id: the label, or None.
        pixels_sha256: of the color picture's pixels, "" where it cannot be read.
    """

    stem: str
    findings: list[Finding] = field(default_factory=list)
    class_id: int | None = None
    pixels_sha256: str = ""


def check_triplet(job: TripletJob) -> TripletResult:
    """All that is wrong with one triplet; runs in a worker process."""
    result = TripletResult(job.stem)
    color, color_sha256 = _picture(result, job.color, "RGB", job.size_px)
    bw, _bw_sha256 = _picture(result, job.bw, "L", job.size_px)
    if color is not None:
        pixels = np.asarray(color)
        result.pixels_sha256 = sha256(pixels.tobytes()).hexdigest()
        if int(np.ptp(pixels.astype(np.int16), axis=2).max()) <= _GRAY_SPREAD:
            _add(result, "color_is_gray", job.color)
        if job.made_color_sha256 and color_sha256 != job.made_color_sha256:
            _add(result, "changed_since", job.color)
    if color is not None and bw is not None:
        _compare(result, color, bw, job)
    if job.label:
        _check_label(result, job, color_sha256)
    return result


def _add(result: TripletResult, code: str, path: Path, detail: str = "") -> None:
    result.findings.append(Finding(code, f"{path.parent.name}/{path.name}", detail))


def _picture(
    result: TripletResult, path: Path | None, mode: str, size_px: int
) -> tuple[Image.Image | None, str]:
    """(the picture if it can be compared, SHA-256 of the file)."""
    if path is None:
        return None, ""
    try:
        data = path.read_bytes()
    except OSError as error:
        _add(result, "picture_damaged", path, str(error.strerror))
        return None, ""
    if not data:
        _add(result, "picture_empty", path)
        return None, ""
    if (kind := sniff(data[:HEAD_BYTES])) not in (_SUFFIX_FORMAT.get(path.suffix.lower()), ""):
        _add(result, "format_wrong", path, kind)
    try:
        image = _load(data)
    except DECODER_ERRORS as error:
        # Pillow's words for an unidentified picture hold an address in memory, another one in each run.
        _add(result, "picture_damaged", path, "" if isinstance(error, UnidentifiedImageError) else str(error))
        return None, ""
    if image.size != (size_px, size_px):
        _add(result, "size_wrong", path, f"{image.width}x{image.height}")
    left = {str(key) for key in image.info if str(key).lower() not in _HARMLESS_INFO}
    left |= png_extras(data) if data.startswith(SIGNATURE) else set()
    if left:
        _add(result, "metadata_left", path, ", ".join(sorted(left)))
    wide = data.startswith(SIGNATURE) and data[24] == 16  # Pillow calls RGB of 16 bits "RGB", too.
    if image.mode != mode or wide:
        _add(result, "color_mode" if mode == "RGB" else "bw_mode", path, f"{image.mode};16" if wide else image.mode)
        return None, sha256(data).hexdigest()
    return image, sha256(data).hexdigest()


def _load(data: bytes) -> Image.Image:
    if fault := png_fault(data) if data.startswith(b"\x89PNG") else "":
        raise ValueError(fault)
    image = Image.open(io.BytesIO(data), formats=_READ_FORMATS)
    image.load()
    return image


def _compare(result: TripletResult, color: Image.Image, bw: Image.Image, job: TripletJob) -> None:
    if color.size != bw.size:
        _add(result, "size_differs", job.bw, f"{color.size} / {bw.size}")
        return
    exact = job.color.suffix.lower() == job.bw.suffix.lower() == ".png"
    tolerance = 0 if exact else JPEG_TOLERANCE
    gray, found = (np.asarray(image, dtype=np.int16) for image in (color.convert("L"), bw))
    off = int(np.abs(gray - found).max())
    if off > tolerance:
        _add(result, _why_different(color, gray, found, tolerance), job.bw, f"{off}")


def _why_different(color: Image.Image, gray: np.ndarray, found: np.ndarray, tolerance: int) -> str:
    rec709 = np.asarray(color, dtype=np.float64) @ _REC709
    if np.abs(rec709 - found).max() <= tolerance + 1:
        return "gray_rec709"
    for turned in _turns(gray):
        # Lossy files do not match to the pixel after a turn; the rest of a wrong picture is far away.
        if turned.shape == found.shape and np.abs(turned - found).mean() <= tolerance + 1:
            return "gray_turned"
    return "gray_differs"


def _turns(gray: np.ndarray) -> list[np.ndarray]:
    turned = [np.rot90(gray, quarter) for quarter in range(4)]
    return [*turned[1:], *(np.fliplr(picture) for picture in turned)]


def _check_label(result: TripletResult, job: TripletJob, color_sha256: str) -> None:
    try:
        class_id = read_label(job.label)
    except LabelError as error:
        _add(result, error.code, job.label, error.detail)
        return
    if class_id not in job.class_ids:
        _add(result, "label_not_in_table", job.label, str(class_id))
        return
    result.class_id = class_id
    row = job.row
    if row is None:
        return
    if row.class_id != class_id:
        _add(result, "label_disagrees", job.label, f"{class_id} / {row.class_id}")
    elif row.classes_sha256 and row.classes_sha256 != job.classes_sha256:
        _add(result, "label_other_table", job.label)
    elif row.photo_sha256 and color_sha256 and row.photo_sha256 != color_sha256:
        _add(result, "label_photo_changed", job.label)
