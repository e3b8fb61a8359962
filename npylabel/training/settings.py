"""What a training run is asked to be."""

from dataclasses import dataclass

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

LIMITS = {"input_px": (32, 512), "epochs": (1, 10_000), "batch_size": (2, 4096), "minutes": (0, 100_000),
          "patience": (0, 10_000), "fill_to": (0, 100_000), "devices": (1, 64)}


@dataclass(frozen=True)
class TrainSettings:
    """What a training run is.

    Attributes:
        network: name in the registry.
        depth: of the network, 0 for its own.
        input_px: side of the pictures that the network sees in the end; 0 is the network's own.
        epochs: how often all photos are seen.
        batch_size: photos per step, over all devices.
        minutes: above 0 it replaces ``epochs``.
        device: "auto", "cpu", "cuda" or "mps".
        random_seed: of everything that is random.
        patience: epochs without a better model after which the training ends; 0 is never.
        fill_to: views that a class has in an epoch at least; 0 is as many as the largest class, see ``order``.
        tracker: name in ``trackers.TRACKERS``.
        devices: processes that train together.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """

    network: str
    depth: int
    input_px: int
    epochs: int
    batch_size: int
    minutes: float
    device: str
    random_seed: int
    patience: int = 0
    fill_to: int = 0
    tracker: str = "csv"
    devices: int = 1

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not (low <= value <= high or (name == "input_px" and not value)):
                raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                                    _("Use a number from {low} to {high}.").format(low=low, high=high))
        # Batches are filled evenly, so none is smaller than half of this; a share of one photo has no variance.
        if self.batch_size < 4 * self.devices and self.devices > 1:
            raise NpyLabelError(
                "bad_parameter", _("{name} is {value!r}.").format(name="batch_size", value=self.batch_size),
                _("Use at least {count} with {devices} devices.").format(count=4 * self.devices, devices=self.devices))

    @property
    def asked(self) -> dict[str, float]:
        """How long the training shall be: the minutes, or without them the epochs."""
        return {"minutes": self.minutes} if self.minutes else {"epochs": self.epochs}
