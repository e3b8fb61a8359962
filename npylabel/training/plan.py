"""The plan of a training run: made once, kept beside the model, so that a resumed run takes the very same steps."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

# A session that dies loses at most about this much.
PART_S = 180.0
# Saving may cost this share of the time; where epochs are shorter than that allows, several share a save.
SAVING_SHARE = 0.05
# Peak of the learning rate, as a share of the first one, when a finished training goes on.
PEAK_AGAIN = 1 / 3


@dataclass(frozen=True)
class Segment:
    """Steps under one rise and fall of the learning rate.

    Attributes:
        start: first step, counted over the whole run.
        steps: how many.
        peak: highest learning rate as a share of the recipe's.
        done: share of the recipe's course of picture sizes that lies behind it.
    """

    start: int
    steps: int
    peak: float = 1.0
    done: float = 0.0

    @property
    def end(self) -> int:
        """The step after its last."""
        return self.start + self.steps


@dataclass(frozen=True)
class Plan:
    """What a training run does at every step; a pure function of the step.

    Attributes:
        asked: ``TrainSettings.asked`` of the last segment.
        epoch_steps: steps of an epoch.
        segments: at least one, each from the end of the one before.
        parts: how many parts an epoch is judged and saved in.
        epochs_per_save: how many epochs share a save, where an epoch is one part.
        precision: as Lightning names it.
        device: type of the device that the precision was chosen for.
    """

    asked: dict[str, float]
    epoch_steps: int
    segments: tuple[Segment, ...]
    parts: int = 1
    epochs_per_save: int = 1
    precision: str = "32-true"
    device: str = "cpu"

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self.segments[-1].end

    def epochs(self, step: int) -> int | float:
        """Epochs done after so many steps: an integer where whole, else to four decimals."""
        return epochs_of(step, self.epoch_steps)

    def segment(self, step: int) -> Segment:
        """The segment that a step belongs to."""
        return next((segment for segment in self.segments if step < segment.end), self.segments[-1])

    def rate(self, step: int, warmup: float) -> float:
        """Share of the recipe's learning rate: a linear rise over ``warmup`` of the segment, then a cosine to 0.

        One cycle as in Smith & Topin 2019, with the cosine of Loshchilov & Hutter 2017.
        """
        segment = self.segment(step)
        return segment.peak * one_cycle(step - segment.start, segment.steps, warmup)

    def done(self, step: int) -> float:
        """Share of the course of picture sizes that lies behind a step."""
        segment = self.segment(step)
        return segment.done + (1 - segment.done) * (step - segment.start) / segment.steps

    def next_stop(self, step: int) -> int:
        """The step before which the model is judged next: the end of a part, an epoch or a segment."""
        epoch = step // self.epoch_steps
        ends = (epoch * self.epoch_steps + round(self.epoch_steps * part / self.parts)
                for part in range(1, self.parts + 1))
        return min(next(end for end in ends if end > step), self.segment(step).end)

    def is_save(self, step: int) -> bool:
        """Whether all is saved when so many steps are done."""
        if self.parts > 1 or any(segment.end == step for segment in self.segments):
            return True
        return step % (self.epoch_steps * self.epochs_per_save) == 0

    def first_save(self) -> int:
        """The step before which all is saved for the first time."""
        step = self.next_stop(0)
        while not self.is_save(step):
            step = self.next_stop(step)
        return step

    def to_json(self) -> dict:
        """Plain values."""
        return {**asdict(self), "segments": [asdict(segment) for segment in self.segments]}

    @classmethod
    def from_json(cls, values: dict) -> "Plan":
        """The plan of ``to_json``.

        Raises:
            KeyError, TypeError: where it is none.
        """
        return cls(**{**values, "segments": tuple(Segment(**segment) for segment in values["segments"])})


def one_cycle(index: int, steps: int, warmup: float) -> float:
    """The curve from 0 to 1 to 0 at the step with this index; never 0, so that no step is lost."""
    rise = min(max(1, round(warmup * steps)), steps)
    if index < rise:
        return (index + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (index + 1 - rise) / (steps + 1 - rise)))


def epochs_of(step: int, epoch_steps: int) -> int | float:
    """Epochs in so many steps."""
    whole, rest = divmod(step, epoch_steps)
    return round(step / epoch_steps, 4) if rest else whole


def saving_rhythm(epoch_s: float, save_s: float) -> tuple[int, int]:
    """(parts of an epoch, epochs that share a save) for an epoch and a save of so many seconds."""
    wanted_s = min(max(save_s / SAVING_SHARE, 1e-6), PART_S)
    if epoch_s > PART_S:
        return math.ceil(epoch_s / PART_S), 1
    return 1, max(1, min(math.ceil(wanted_s / epoch_s), int(PART_S // epoch_s)))


def longer(plan: Plan, step: int, total: int, asked: dict[str, float], warmup: float) -> Plan:
    """The plan after so many steps when another length is asked: what was not begun is replaced by a new segment.

    A finished training goes on with a lower peak and full pictures. An unfinished one is cut where it is: the new
    segment rises as high as the rate was there, or to the first peak where that was not reached yet.
    """
    finished = step >= plan.total
    kept: Sequence[Segment] = [replace(segment, steps=min(segment.steps, step - segment.start))
                               for segment in plan.segments if segment.start < step]
    done = 1.0 if finished else plan.done(step)
    ahead = PEAK_AGAIN if finished else max(plan.rate(later, warmup) for later in range(step, plan.total))
    new = Segment(step, total - step, max(PEAK_AGAIN, ahead), done)
    return replace(plan, asked=asked, segments=(*kept, new))
