"""Before the work starts: how much room and time it needs, and a stop where the disk is too small."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import WorkerDiedError, cpu_count, run_jobs
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError, decode_photo
from npylabel.photos.fit import encode_pair, fit_square
from npylabel.photos.prepare import PhotoJob

# Bytes per pixel of a color file and its grayscale file together: the mean of phone photos, with a quarter to spare.
BYTES_PER_PX = {"png": 3.0, "jpg": 1.2}
# For a few photos the measurement would take longer than the work.
_WORTH_MEASURING = 200
_SAMPLES = 6
_RESERVE_BYTES = 100 * 2**20


@dataclass(frozen=True)
class Plan:
    """What a run needs.

    Attributes:
        photos: how many there are to do.
        room_bytes: on the disk of the output.
        free_bytes: what is free there.
        seconds: expected time, 0 where it is too short to matter.
    """

    photos: int
    room_bytes: int
    free_bytes: int
    seconds: float

    def __str__(self) -> str:
        text = _("{count} photos to do; they need about {room} and {free} are free.").format(
            count=self.photos, room=size_text(self.room_bytes), free=size_text(self.free_bytes))
        if not self.seconds:
            return text
        return text + " " + _("That takes about {minutes} min.").format(minutes=max(1, round(self.seconds / 60)))


def plan_run(jobs: Sequence[PhotoJob], output: Path, *, workers: int = 0) -> Plan:
    """The room and time that the jobs need.

    Raises:
        NpyLabelError: ``disk_full`` where the room is not there.
    """
    first = jobs[0]
    room = int(len(jobs) * first.size_px**2 * BYTES_PER_PX[first.image_format])
    free = shutil.disk_usage(output).free
    seconds = _expected_seconds(jobs, workers) if len(jobs) >= _WORTH_MEASURING else 0.0
    plan = Plan(len(jobs), room, free, seconds)
    if room + _RESERVE_BYTES > free:
        raise NpyLabelError("disk_full", str(plan), _cure(first, room))
    return plan


def size_text(size_bytes: float) -> str:
    """A size for a person, such as "1.3 GB"."""
    for unit, factor in ((_("GB"), 1e9), (_("MB"), 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes / 1e3:.0f} " + _("kB")


def _cure(job: PhotoJob, room: int) -> str:
    cure = _("Free some room, or set dataset_dir to a folder on a larger disk.")
    if job.image_format == "png":
        smaller = size_text(room * BYTES_PER_PX["jpg"] / BYTES_PER_PX["png"])
        cure += " " + _('With image_format="jpg" about {room} are enough.').format(room=smaller)
    return cure


def _expected_seconds(jobs: Sequence[PhotoJob], workers: int) -> float:
    sample = jobs[::max(1, len(jobs) // _SAMPLES)]
    results = [seconds for _job, seconds in run_jobs(_time_photo, sample, workers=workers)]
    measured = [seconds for seconds in results if not isinstance(seconds, WorkerDiedError) and seconds]
    return sum(measured) / max(len(measured), 1) * len(jobs) / (workers or cpu_count())


def _time_photo(job: PhotoJob) -> float:
    """Seconds for one photo without writing it, 0 where it cannot be used. The first run of all code is not counted."""
    seconds = 0.0
    if job.ref.code:
        return seconds
    try:
        for _round in range(2):
            started = time.perf_counter()
            decoded = decode_photo(job.ref.read(), job.size_px)
            encode_pair(fit_square(decoded.image, job.size_px, job.fit), job.image_format)
            seconds = time.perf_counter() - started
    except (PhotoError, OSError, *ZIP_ERRORS):
        return 0.0
    return seconds
