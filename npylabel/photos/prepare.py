"""The work on one photo, done in a worker process: read, decode, fit, write, describe."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from npylabel.base.files import write_bytes
from npylabel.base.parallel import WorkerDiedError, run_jobs
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import encode_pair, fit_square
from npylabel.photos.likeness import photo_hash
from npylabel.photos.portions import Portions
from npylabel.photos.reasons import DECODER_CRASHED
from npylabel.photos.sources import PhotoRef
from npylabel.photos.takeout import sidecar_taken


@dataclass(frozen=True)
class PhotoJob:
    """What to make of one photo.

    Attributes:
        ref: the original.
        color: where the color file goes.
        bw: where the grayscale file goes, or None for no such file.
        size_px: side of the square, pixels.
        fit: "crop", "pad" or "stretch".
        image_format: "png" or "jpg".
        name: of the photo in the tables.
    """

    ref: PhotoRef
    color: Path
    bw: Path | None
    size_px: int
    fit: str
    image_format: str
    name: str = ""


@dataclass
class Outcome:
    """What became of one photo; plain values, so that it travels and is stored as JSON.

    Attributes:
        source: of the original.
        code: "" or the reason code.
        detail: the decoder's words on a fault.
        sha256: of the original's bytes, "" where they could not be read.
        width: pixels of the upright original.
        height: pixels of the upright original.
        taken: ISO time or "".
        phash: perceptual hash, 64 hexadecimal digits.
        color_sha256: of the color file written.
        bw_sha256: of the grayscale file written, or "".
    """

    source: str
    code: str = ""
    detail: str = ""
    sha256: str = ""
    width: int = 0
    height: int = 0
    taken: str = ""
    phash: str = ""
    color_sha256: str = ""
    bw_sha256: str = ""


def prepare_photos(jobs: Sequence[PhotoJob], *, workers: int = 0) -> Iterator[tuple[PhotoJob, Outcome]]:
    """Jobs and outcomes as they are done; a photo that kills its worker costs only itself.

    Photos on a slow disk are copied ahead of the work, a few at a time.

    Raises:
        OSError: when the result cannot be written (a full disk); what was written before stays.
        NpyLabelError: ``source_gone`` where the disk with the photos does not answer any more.
    """
    with Portions([job.ref for job in jobs]) as portions:
        near = (replace(job, ref=ref) for job, ref in zip(jobs, portions, strict=True))
        for job, outcome in run_jobs(prepare_photo, near, workers=workers):
            if isinstance(outcome, WorkerDiedError):
                outcome = Outcome(job.ref.source, DECODER_CRASHED)
            portions.release(job.ref)
            yield job, outcome


def prepare_photo(job: PhotoJob) -> Outcome:
    """The outcome of one job, with its files written.

    Raises:
        OSError: when they cannot be written.
    """
    outcome = Outcome(job.ref.source, job.ref.code)
    if outcome.code:
        return outcome
    try:
        data = job.ref.read()
    except OSError as error:
        outcome.code, outcome.detail = "unreadable", str(error.strerror or error)
        return outcome
    except ZIP_ERRORS as error:
        outcome.code, outcome.detail = "damaged", str(error)
        return outcome
    outcome.sha256 = hashlib.sha256(data).hexdigest()
    try:
        decoded = decode_photo(data, job.size_px)
    except PhotoError as error:
        outcome.code, outcome.detail = error.code, error.detail
        return outcome
    outcome.width, outcome.height = decoded.width, decoded.height
    outcome.taken = decoded.taken or _sidecar_time(job.ref)
    color, bw, gray = encode_pair(fit_square(decoded.image, job.size_px, job.fit), job.image_format)
    outcome.phash = photo_hash(gray)
    outcome.color_sha256 = _write(job.color, color)
    outcome.bw_sha256 = _write(job.bw, bw) if job.bw else ""
    return outcome


def _write(path: Path, data: bytes) -> str:
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _sidecar_time(ref: PhotoRef) -> str:
    try:
        return sidecar_taken(ref.sidecar.read()) if ref.sidecar else ""
    except (*ZIP_ERRORS, OSError):
        return ""
