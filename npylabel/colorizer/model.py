"""The file of a colorizer, which explains itself."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import N_
from npylabel.colorizer.networks import create_colorizer
from npylabel.training.model_files import Kind, load_weights_file, model_in, save_model, versions_here

COLORIZER = Kind(
    "npylabel-colorizer/1",
    if_missing=N_("Run notebook 06 (train_colorizer) first, or set model_path."),
    if_damaged=N_("Use another checkpoint_epoch_N.pth beside it, or train again."),
    if_foreign=N_("Train one with notebook 06 (train_colorizer)."),
    if_other=N_("Set model_path to a file of notebook 06 (train_colorizer), such as models/colorizer.pth."))


@dataclass
class Colorizer:
    """A trained colorizer with all that coloring needs to know.

    Attributes:
        state_dict: weights by name.
        network: name in the registry.
        input_px: side of the pictures it was trained on.
        classes: class table, as ``ClassTable.to_json``.
        classes_sha256: of the class table.
        class_ids: ids of the classes that it was taught, ascending: the places that the network counts in.
        made_from: "demo" or "own".
        split_sha256: of what it was trained and judged on.
        epoch: epochs done.
        metrics: validation scores.
        parameters: of the run.
        options: of the network, keywords of ``create_colorizer``.
        versions: of the libraries that made it.
    """

    state_dict: dict[str, torch.Tensor]
    network: str
    input_px: int
    classes: dict
    classes_sha256: str
    class_ids: list[int]
    made_from: str
    split_sha256: str
    epoch: int = 0
    metrics: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    options: dict = field(default_factory=dict)
    versions: dict = field(default_factory=versions_here)

    def new_network(self) -> nn.Module:
        """Its network with random weights."""
        return create_colorizer(self.network, len(self.class_ids), **self.options)

    @property
    def table(self) -> ClassTable:
        """The class table it was trained with."""
        return ClassTable.from_json(self.classes)


def save_colorizer(path: Path, model: Colorizer) -> None:
    """Write the file, whole or not at all, and read it back before it counts."""
    save_model(path, model, COLORIZER)


def load_colorizer(path: Path) -> Colorizer:
    """The colorizer in a file that ``save_colorizer`` wrote.

    Raises:
        NpyLabelError: ``model_missing``, ``model_damaged``, ``model_foreign`` or ``model_kind``.
    """
    return model_in(path, load_weights_file(path, COLORIZER), COLORIZER, Colorizer)
