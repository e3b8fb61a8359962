"""Before the first evening: how much room and time the whole path needs on this machine and on Drive, and what fits."""

import math
from dataclasses import dataclass, replace

from npylabel.base.disks import room_on
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import cpu_count
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.runtime import has_gpu
from npylabel.photos.preflight import BYTES_PER_PX, size_text
from npylabel.photos.sources import list_photos, split_sources

GB = 1e9
# Photos per second and core, measured on two shared cores: 01 and 02 from 12-megapixel JPEG, the others at 512 px; of
# trainings each photo counts once in an epoch, 06 with pictures that grow to 224 px.
CORE_RATES = {"01": 16.0, "02": 16.0, "03": 150.0, "04": 100.0, "05": 60.0, "06": 35.0}
# How many times faster training is on a T4 than on two cores: an estimate, not measured.
GPU_TIMES = 8.0
# What reading and writing archives on Drive makes of a minute: an estimate.
DRIVE_BYTES_PER_S = 30e6
# Of a pair's bytes, what its color file takes.
_COLOR_SHARE = 0.7
# An archive's own bytes for each file in it, and what the saves of before take until they are removed.
_TAR_BYTES, _SAVE_SLACK_BYTES = 2_000, 0.4 * GB
# A model, its checkpoints, and on this machine two training states of four times its size.
_MODEL_BYTES = 0.4 * GB
# The same of a colorizer, and the side of the photos that it keeps decoded while it learns.
_COLORIZER_BYTES, _COLORIZER_PX = 0.2 * GB, 280
# Below this a portion of originals is not worth an upload.
_LEAST_PORTION_BYTES = 1 * GB


@dataclass(frozen=True)
class Work:
    """What is to be done; ``photo_bytes`` is the size of all originals."""

    photos: int
    photo_bytes: float
    training: int
    size_px: int = 512
    input_px: int = 128
    epochs: int = 40


@dataclass(frozen=True)
class Machine:
    """Free bytes here and on Drive (None where nothing is kept there), cores, and whether there is a GPU."""

    local_bytes: float
    drive_bytes: float | None
    cores: int
    has_gpu: bool


@dataclass(frozen=True)
class StepNeed:
    """What one step adds: bytes here while it runs, bytes on Drive for good, and minutes without and with a GPU."""

    step: str
    local_bytes: float
    drive_bytes: float
    minutes: float
    gpu_minutes: float


@dataclass(frozen=True)
class PathPlan:
    """The needs of all steps with one image format.

    Attributes:
        image_format: "png" or "jpg".
        needs: by step, of those that lead to the dataset.
        colorizer: the need of step 06, which nobody has to do; not in ``needs``, nor in what has to fit.
        portion_bytes: originals that may lie on Drive at a time, 0 where they need not lie there.
        fits: whether it fits on both disks.
    """

    image_format: str
    needs: tuple[StepNeed, ...]
    colorizer: StepNeed
    portion_bytes: float
    fits: bool


def plan_path(work: Work, machine: Machine) -> PathPlan:
    """The best that fits: PNG, which loses nothing, else JPEG; with ``fits`` False where neither does."""
    plans = [_plan(work, machine, image_format) for image_format in ("png", "jpg")]
    return next((plan for plan in plans if plan.fits), plans[-1])


def _plan(work: Work, machine: Machine, image_format: str) -> PathPlan:
    pair = work.size_px**2 * BYTES_PER_PX[image_format]
    # Training squares are always PNG.
    square = work.size_px**2 * BYTES_PER_PX["png"] * _COLOR_SHARE
    dataset, training = work.photos * pair, work.training * square
    pixels = work.training * work.input_px**2 * 3
    labels = work.photos * _TAR_BYTES
    passes = work.epochs * work.training
    needs = (
        _need(machine, "01", work.photos, dataset, dataset + 2 * labels, work.photo_bytes + dataset),
        _need(machine, "02", work.training, training, training + work.training * _TAR_BYTES, 2 * training),
        _need(machine, "03", passes, training + pixels + _MODEL_BYTES, _MODEL_BYTES, training),
        _need(machine, "04", work.photos, dataset * _COLOR_SHARE + labels, labels, dataset * _COLOR_SHARE),
        _need(machine, "05", work.photos, dataset + labels, 0, dataset),
    )
    learned_from = dataset * _COLOR_SHARE + labels
    colorizer = _need(machine, "06", work.epochs * work.photos, learned_from + _COLORIZER_BYTES
                      + work.photos * _COLORIZER_PX**2 * 3, _COLORIZER_BYTES, learned_from)
    kept = sum(need.drive_bytes for need in needs) + _SAVE_SLACK_BYTES
    portion = 0.0 if machine.drive_bytes is None else min(work.photo_bytes, machine.drive_bytes - kept)
    # Each notebook may be a machine of its own, or one machine may run them all.
    local = dataset + labels + training + pixels + _MODEL_BYTES + _SAVE_SLACK_BYTES
    enough = machine.drive_bytes is None or portion >= min(_LEAST_PORTION_BYTES, work.photo_bytes)
    return PathPlan(image_format, needs, colorizer, max(portion, 0.0), enough and local <= machine.local_bytes)


def _need(
    machine: Machine, step: str, photos: int, local_bytes: float, drive_bytes: float, moved_bytes: float
) -> StepNeed:
    work_s = photos / (CORE_RATES[step] * machine.cores)
    moving_s = 0.0 if machine.drive_bytes is None else moved_bytes / DRIVE_BYTES_PER_S
    gpu_s = work_s / GPU_TIMES if step in ("03", "04", "06") else work_s
    return StepNeed(step, local_bytes, 0.0 if machine.drive_bytes is None else drive_bytes,
                    (work_s + moving_s) / 60, (gpu_s + moving_s) / 60)


def this_machine(places: Places) -> Machine:
    """The machine that this runs on."""
    local, drive = room_on(places.work_dir), room_on(places.save_dir) if places.save_dir else None
    return Machine(local[0] if local else 0.0, drive[0] if drive else None, cpu_count(), has_gpu())


def plan_report(places: Places, value: str) -> StepReport:
    """The report on what the whole path needs.

    Args:
        places: of the work.
        value: a folder or zip of photos, or numbers such as ``photos=8000; photo_mb=3.5; training=5000; drive_gb=15;
            local_gb=20``; what is not given is measured or taken as usual.

    Raises:
        NpyLabelError: ``bad_parameter``, ``photos_missing``.
    """
    given = _numbers(places, value)
    machine, work = this_machine(places), _work(places, value, given)
    if "local_gb" in given:
        machine = replace(machine, local_bytes=given["local_gb"] * GB)
    if "drive_gb" in given:
        machine = replace(machine, drive_bytes=given["drive_gb"] * GB)
    plan = plan_path(work, machine)
    report = StepReport("manage")
    report.facts |= {"action": "plan", "done": True, "photos": work.photos, "training": work.training}
    report.measured |= {"fits": plan.fits, "image_format": plan.image_format,
                        "portion_gb": round(plan.portion_bytes / GB, 1)}
    report.messages += [*_table(plan, machine), *_proposals(work, machine, plan)]
    report.next_step = _("Next: notebook 01, collect_and_grayscale.") if plan.fits else _(
        "It does not fit: make room, or take fewer photos.")
    return report


NUMBERS = ("photos", "photo_mb", "training", "drive_gb", "local_gb")


def _numbers(places: Places, value: str) -> dict[str, float]:
    # A folder may have = in its name.
    if "=" not in value or any(places.source(part).exists() for part in split_sources(value)):
        return {}
    try:
        pairs = dict(part.split("=") for part in value.replace(" ", "").split(";") if part)
        numbers = {name: float(text) for name, text in pairs.items()}
    except ValueError:
        numbers = {"": -1.0}
    if not set(numbers) <= set(NUMBERS) or not all(0 <= number < math.inf for number in numbers.values()):
        raise NpyLabelError(
            "bad_parameter", _("{name} is {value!r}.").format(name="value", value=value),
            _("Give a folder of photos, or numbers such as: photos=8000; photo_mb=3.5; training=5000; drive_gb=15"))
    return numbers


def _work(places: Places, value: str, given: dict[str, float]) -> Work:
    if value and not given:
        refs = list_photos([places.source(part) for part in split_sources(value)]).refs
        return Work(len(refs), sum(ref.size_bytes for ref in refs), min(len(refs), 5000))
    photos = int(given.get("photos", 8000))
    return Work(photos, photos * given.get("photo_mb", 3.5) * 1e6, int(given.get("training", min(photos, 5000))))


def _table(plan: PathPlan, machine: Machine) -> list[str]:
    lines = [_("Free: {local} on this machine{drive}; {cores} cores, {gpu}.").format(
        local=size_text(machine.local_bytes), cores=machine.cores,
        drive="" if machine.drive_bytes is None else _(", {size} on Drive").format(
            size=size_text(machine.drive_bytes)),
        gpu=_("a GPU") if machine.has_gpu else _("no GPU"))]
    lines += [_need_text(need, machine) for need in plan.needs]
    return [*lines, _("Only if you want a colorizer of your own, {need}").format(
        need=_need_text(plan.colorizer, machine))]


def _need_text(need: StepNeed, machine: Machine) -> str:
    minutes = need.gpu_minutes if machine.has_gpu else need.minutes
    return _("{step}: about {minutes} min here ({cpu} without a GPU, {gpu} with a T4); {local} on this machine, "
             "{drive} on Drive").format(
        step=need.step, minutes=_round(minutes), cpu=_round(need.minutes), gpu=_round(need.gpu_minutes),
        local=size_text(need.local_bytes), drive=size_text(need.drive_bytes))


def _round(minutes: float) -> str:
    return f"{max(minutes, 1):.0f}"


def _proposals(work: Work, machine: Machine, plan: PathPlan) -> list[str]:
    lines = [_("{count} photos, {size} in all.").format(count=work.photos, size=size_text(work.photo_bytes))]
    if plan.fits and plan.image_format == "png":
        lines.append(_('image_format="png" fits: no quality is lost.'))
    elif plan.fits:
        lines.append(_('Set image_format="jpg" in 01: PNG would not fit, JPEG takes less than half the room.'))
    else:
        lines.append(_("There is not enough room even with JPEG: about {count} photos fit.").format(
            count=_most_photos(work, machine)))
    if plan.fits and machine.drive_bytes is not None and plan.portion_bytes < work.photo_bytes:
        lines.append(_(
            "The originals do not fit on Drive together: bring them in {count} portions of up to {size}. Run 01 on "
            "each and take it away when 01 says that it is saved; no original is needed twice. 02 takes your class "
            "folders in portions in the same way.").format(
                count=int(-(-work.photo_bytes // plan.portion_bytes)), size=size_text(plan.portion_bytes)))
    lines.append(_("05 exports by links, which take no room; leave export_zip off."))
    return lines


def _most_photos(work: Work, machine: Machine) -> int:
    """The largest number of photos, in hundreds, for which the path fits."""
    low, high = 0, work.photos // 100
    while low < high:
        middle = (low + high + 1) // 2
        share = middle * 100 / max(work.photos, 1)
        smaller = replace(work, photos=middle * 100, photo_bytes=work.photo_bytes * share,
                          training=int(work.training * share))
        low, high = (middle, high) if plan_path(smaller, machine).fits else (low, middle - 1)
    return low * 100
