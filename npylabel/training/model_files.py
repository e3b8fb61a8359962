"""Model files: written whole, read safely, and known by what they say of themselves."""

import io
import lzma
import pickle
import platform
import struct
import sys
import zipfile
import zlib
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import nn

from npylabel import __version__
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import atomic_path
from npylabel.base.i18n import N_, _, translated
from npylabel.photos.manifest import OWN

# What torch raises for a file that is cut, is no checkpoint, or holds more than plain values and tensors.
LOAD_ERRORS = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, OSError,
               zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, AttributeError, TypeError)
# What the files of this workbook are, by the name in their field ``format``. Here and not in the rooms that write them:
# each has to tell what the other's files are.
KINDS = {
    "npylabel-labeler": N_("a labeler (made by notebook 03)"),
    "npylabel-colorizer": N_("a colorizer (made by notebook 06)"),
    "npylabel-training": N_("the state of a training that is under way"),
}


@dataclass(frozen=True)
class Kind:
    """A kind of model file, with what to do where another file lies in its place (marked by ``N_``).

    Attributes:
        format: name, as in ``KINDS``, and version; the field ``format`` of its files.
        if_missing: where there is no file.
        if_damaged: where it cannot be read.
        if_foreign: where nobody knows what it is.
        if_other: where it is of another kind of this workbook.
    """

    format: str
    if_missing: str
    if_damaged: str
    if_foreign: str
    if_other: str


def versions_here() -> dict[str, str]:
    """The versions of the libraries that make a model, by name."""
    return {"npylabel": __version__, "torch": torch.__version__, "python": platform.python_version()}


def save_model(path: Path, model: Any, kind: Kind) -> None:
    """Write the file, whole or not at all, and read it back before it counts.

    Args:
        path: of the file.
        model: a dataclass of plain values, with weights by name in ``state_dict`` and a dict ``versions``.
        kind: of the file.
    """
    # Plain strings: torch's version is a class of its own, which safe loading refuses.
    model.versions = {name: str(value) for name, value in model.versions.items()}
    # asdict would copy every tensor.
    values = {**asdict(replace(model, state_dict={})), "state_dict": model.state_dict, "format": kind.format}
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


def read_weights(path: Path) -> object:
    """The content of a file of torch, read safely; raises one of ``LOAD_ERRORS`` where that cannot be."""
    if zipfile.is_zipfile(path):  # Torch does not look at the checksums that are kept with the parts.
        with zipfile.ZipFile(path) as file:
            if part := file.testzip():
                raise ValueError(_("the part {part} has changed since it was written").format(part=part))
    return torch.load(path, map_location="cpu", weights_only=True)


def load_weights_file(path: Path, kind: Kind) -> dict:
    """The content of any weights file, read safely.

    Args:
        path: of the file.
        kind: that is wanted; the content is not compared with it.

    Raises:
        NpyLabelError: ``model_missing``, ``model_damaged`` or, where it has no fields, ``model_foreign``.
    """
    if not path.is_file():
        raise NpyLabelError("model_missing", _("There is no model {path}.").format(path=path),
                            translated(kind.if_missing))
    try:
        content = read_weights(path)
    except pickle.UnpicklingError as error:
        # Torch's own words advise to switch the safety off.
        raise _damaged(path, _("it holds more than numbers, which could run code"), kind) from error
    except LOAD_ERRORS as error:
        raise _damaged(path, str(error).split("\n")[0], kind) from error
    if not isinstance(content, dict):
        raise _foreign(path, kind)
    return content


def model_in(path: Path, content: dict, kind: Kind, build: type) -> Any:
    """The model in the content of a weights file.

    Args:
        path: of the file, for messages.
        content: from ``load_weights_file``.
        kind: that it has to be.
        build: the dataclass that ``save_model`` was given.

    Raises:
        NpyLabelError: ``model_kind``, ``model_damaged`` or ``model_foreign``.
    """
    if content.get("format") != kind.format:
        raise _other_kind(path, content.get("format"), kind)
    try:
        return build(**{name: value for name, value in content.items() if name != "format"})
    except TypeError as error:
        raise _damaged(path, str(error), kind) from error


def _other_kind(path: Path, found: object, kind: Kind) -> NpyLabelError:
    name, wanted = str(found).partition("/")[0], kind.format.partition("/")[0]
    if name == wanted or name not in KINDS or wanted not in KINDS:
        return _foreign(path, kind)
    return NpyLabelError(
        "model_kind", _("{path} is {found}; wanted is {wanted}.").format(
            path=path, found=translated(KINDS[name]), wanted=translated(KINDS[wanted])), translated(kind.if_other))


def _damaged(path: Path, reason: str, kind: Kind) -> NpyLabelError:
    return NpyLabelError("model_damaged", _("The model {path} cannot be read: {reason}.").format(
        path=path, reason=reason), translated(kind.if_damaged))


def _foreign(path: Path, kind: Kind) -> NpyLabelError:
    return NpyLabelError("model_foreign", _("{path} is not a model that this workbook trained.").format(path=path),
                         translated(kind.if_foreign))


def ready_network(network: nn.Module, model: Any, device: torch.device) -> nn.Module:
    """The network with the weights of a model, on the device, in evaluation.

    Args:
        network: of the kind that ``model.network`` names.
        model: has weights by name in ``state_dict``.
        device: to compute on.

    Raises:
        NpyLabelError: ``model_damaged`` where the weights do not fit the network.
    """
    try:
        network.load_state_dict(model.state_dict)
    except RuntimeError as error:
        raise NpyLabelError(
            "model_damaged", _("The weights do not fit the network {name!r}.").format(name=model.network),
            _("Use another checkpoint_epoch_N.pth beside it, or train again.")) from error
    return network.to(device, memory_format=torch.channels_last).eval()


def weights_sha256(weights: dict[str, torch.Tensor]) -> str:
    """A checksum of weights by name."""
    digest = sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def refuse_other_world(model: Any, made_from: str) -> None:
    """Raise ``NpyLabelError`` (``mixed_worlds``) where drawn photos meet the user's own; "" counts as the user's.

    Args:
        model: says in ``made_from`` what it was trained on, "demo" or "own".
        made_from: what the photos are.
    """
    if model.made_from != (made_from or OWN):
        raise NpyLabelError(
            "mixed_worlds",
            _("The model was trained on {trained} photos and these are {photos} photos (demo: drawn, own: "
              "yours).").format(trained=model.made_from, photos=made_from),
            _("Train a model on photos of the same kind."))
