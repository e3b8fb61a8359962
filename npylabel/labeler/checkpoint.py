"""The file of a labeler, which explains itself."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import N_
from npylabel.training.model_files import Kind, load_weights_file, model_in, save_model, versions_here

LABELER = Kind(
    "npylabel-labeler/1",
    if_missing=N_("Run notebook 03 (train) first, or set model_path."),
    if_damaged=N_("Use another checkpoint_epoch_N.pth beside it, or train again."),
    if_foreign=N_("Train one with notebook 03. Weights of the original MiniCNN need legacy_order."),
    if_other=N_("Set model_path to a file of notebook 03 (train), such as models/tiny_cnn.pth."))


@dataclass
class Checkpoint:
    """A trained labeler with all that labeling needs to know.

    Attributes:
        state_dict: weights by name.
        network: name in the registry.
        depth: of the network, 0 for its own.
        input_px: side of the pictures it was trained on.
        fit: how pictures that are not square are fitted.
        mean: of the training photos by channel, in 0-1.
        std: of the training photos by channel, in 0-1.
        classes: class table, as ``ClassTable.to_json``.
        classes_sha256: of the class table.
        trained_ids: ids that had training photos; only these become labels.
        temperature: what logits are divided by before the softmax (Guo et al. 2017).
        made_from: "demo" or "own".
        split_sha256: of what it was trained and judged on.
        epoch: epochs done.
        metrics: validation scores.
        parameters: of the run.
        versions: of the libraries that made it.
        mixed_precision: whether it may label in half precision where the device has it, as it was trained and judged.
        judged: what it said of its validation photos (see ``calibration.to_saved``), to tell what a threshold does.
        zoom: photos are made this much larger than ``input_px`` before the network looks at the middle; 1 shows it
            the whole photo.
        refit_of: checksum of the trained weights of which these are the ``refit.refitted``; "" for trained weights.
    """

    state_dict: dict[str, torch.Tensor]
    network: str
    depth: int
    input_px: int
    fit: str
    mean: list[float]
    std: list[float]
    classes: dict
    classes_sha256: str
    trained_ids: list[int]
    made_from: str
    split_sha256: str
    temperature: float = 1.0
    epoch: int = 0
    metrics: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    versions: dict = field(default_factory=versions_here)
    judged: dict = field(default_factory=dict)
    mixed_precision: bool = False
    refit_of: str = ""
    zoom: float = 1.0

    @property
    def photo_px(self) -> int:
        """Side of the photos of which the network sees the middle."""
        return round(self.zoom * self.input_px)

    @property
    def table(self) -> ClassTable:
        """The class table it was trained with."""
        return ClassTable.from_json(self.classes)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the file, whole or not at all, and read it back before it counts."""
    save_model(path, checkpoint, LABELER)


def load_checkpoint(path: Path) -> Checkpoint:
    """The labeler in a file that ``save_checkpoint`` wrote.

    Raises:
        NpyLabelError: ``model_missing``, ``model_damaged``, ``model_foreign`` or ``model_kind``.
    """
    return checkpoint_in(path, load_weights_file(path, LABELER))


def checkpoint_in(path: Path, content: dict) -> Checkpoint:
    """The labeler in the content of a weights file.

    Raises:
        NpyLabelError: ``model_damaged``, ``model_foreign`` or ``model_kind``.
    """
    return model_in(path, content, LABELER, Checkpoint)
