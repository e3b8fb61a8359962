"""Model files that explain themselves."""

import io
import lzma
import pickle
import platform
import struct
import sys
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from npylabel import __version__
from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import atomic_path
from npylabel.base.i18n import _
from npylabel.photos.manifest import OWN

FORMAT = "npylabel-labeler/1"
# What torch raises for a file that is cut, is no checkpoint, or holds more than plain values and tensors.
LOAD_ERRORS = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, OSError,
               zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, AttributeError, TypeError)


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
    versions: dict = field(default_factory=lambda: {
        "npylabel": __version__, "torch": torch.__version__, "python": platform.python_version()})
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
    # Plain strings: torch's version is a class of its own, which safe loading refuses.
    checkpoint.versions = {name: str(value) for name, value in checkpoint.versions.items()}
    # asdict would copy every tensor.
    values = {**asdict(_without_weights(checkpoint)), "state_dict": checkpoint.state_dict, "format": FORMAT}
    # Through memory: torch writes the file's name into it, and a temporary name would make equal models differ.
    content = io.BytesIO()
    torch.save(canonical(values), content)
    with atomic_path(path, durable=True) as temporary:
        temporary.write_bytes(content.getbuffer())
        torch.load(temporary, map_location="cpu", weights_only=True)


def canonical(value: object) -> object:
    """The same plain values and tensors, with equal strings as one object.

    Pickle writes an object once and then refers to it: without this, equal contents would not be equal files.
    """
    if isinstance(value, dict):
        return {canonical(name): canonical(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(canonical, value))
    return sys.intern(value) if type(value) is str else value


def _without_weights(checkpoint: Checkpoint) -> Checkpoint:
    return Checkpoint(**{**checkpoint.__dict__, "state_dict": {}})


def load_weights_file(path: Path) -> dict:
    """The content of any weights file, read safely.

    Raises:
        NpyLabelError: ``model_missing`` or ``model_damaged``.
    """
    if not path.is_file():
        raise NpyLabelError(
            "model_missing", _("There is no model {path}.").format(path=path),
            _("Run notebook 03 (train) first, or set model_path."))
    try:
        _refuse_bit_rot(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # Torch's own words advise to switch the safety off.
        raise _damaged(path, _("it holds more than numbers, which could run code")) from error
    except LOAD_ERRORS as error:
        raise _damaged(path, str(error).split("\n")[0]) from error
    if not isinstance(content, dict):
        raise _foreign(path)
    return content


def _refuse_bit_rot(path: Path) -> None:
    """Raise ``ValueError`` where a part of the file has not the checksum that is kept with it: torch does not look."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            if part := file.testzip():
                raise ValueError(_("the part {part} has changed since it was written").format(part=part))


def load_checkpoint(path: Path) -> Checkpoint:
    """The labeler in a file that ``save_checkpoint`` wrote.

    Raises:
        NpyLabelError: ``model_missing``, ``model_damaged`` or ``model_foreign``.
    """
    return checkpoint_in(path, load_weights_file(path))


def checkpoint_in(path: Path, content: dict) -> Checkpoint:
    """The labeler in the content of a weights file.

    Raises:
        NpyLabelError: ``model_damaged`` or ``model_foreign``.
    """
    if content.get("format") != FORMAT:
        raise _foreign(path)
    try:
        return Checkpoint(**{name: value for name, value in content.items() if name != "format"})
    except TypeError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> NpyLabelError:
    return NpyLabelError(
        "model_damaged", _("The model {path} cannot be read: {reason}.").format(path=path, reason=reason),
        _("Use another checkpoint_epoch_N.pth beside it, or train again."))


def _foreign(path: Path) -> NpyLabelError:
    return NpyLabelError(
        "model_foreign", _("{path} is not a model that this workbook trained.").format(path=path),
        _("Train one with notebook 03. Weights of the original MiniCNN need legacy_order."))


def refuse_other_world(checkpoint: Checkpoint, made_from: str) -> None:
    """Raise ``NpyLabelError`` (``mixed_worlds``) where drawn photos meet the user's own; "" counts as the user's."""
    if checkpoint.made_from != (made_from or OWN):
        raise NpyLabelError(
            "mixed_worlds",
            _("The model was trained on {trained} photos and these are {photos} photos (demo: drawn, own: "
              "yours).").format(trained=checkpoint.made_from, photos=made_from),
            _("Train a model on photos of the same kind."))
