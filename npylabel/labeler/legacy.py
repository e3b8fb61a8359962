"""Weights of the original MiniCNN, whose outputs are numbered by sorted folder names."""

from pathlib import Path

import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.labeler.checkpoint import LABELER, Checkpoint, checkpoint_in
from npylabel.photos.manifest import OWN
from npylabel.photos.sources import is_hidden
from npylabel.training.model_files import load_weights_file

INPUT_PX = 512
# The original numbered everything that lay in the training folder; a file or hidden folder there took a number too.
NO_CLASS = "-"
_SHAPES = {
    "conv1.weight": (16, 3, 3, 3), "conv1.bias": (16,), "conv2.weight": (32, 16, 3, 3), "conv2.bias": (32,),
    "conv3.weight": (64, 32, 3, 3), "conv3.bias": (64,), "fc1.weight": (512, 4096), "fc1.bias": (512,),
}


def load_labeler(path: Path, legacy_order: str, table: ClassTable) -> Checkpoint:
    """The labeler in a file of step 03, or in one of the original MiniCNN's weights.

    Raises:
        NpyLabelError: of ``load_checkpoint`` and ``legacy_checkpoint``.
    """
    content = load_weights_file(path, LABELER)
    weights = weights_in(content)
    return checkpoint_in(path, content) if weights is None else legacy_checkpoint(path, weights, legacy_order, table)


def weights_in(content: dict) -> dict[str, torch.Tensor] | None:
    """The ten tensors of an original MiniCNN (bare, or in one of its checkpoints), or None for any other file."""
    weights = content.get("model_state_dict", content)
    if not isinstance(weights, dict) or "conv1.weight" not in weights or "fc2.weight" not in weights:
        return None
    return weights


def legacy_checkpoint(path: Path, weights: dict[str, torch.Tensor], legacy_order: str, table: ClassTable) -> Checkpoint:
    """The labeler that the weights are, with their outputs translated to the ids of the table.

    Args:
        path: of the weights file, for messages.
        weights: from ``weights_in``.
        legacy_order: the folder that they were trained on, or its folder names in sorted order, separated by commas,
            with "-" for an entry that was no class folder but took a number (a file, a hidden folder).
        table: the class table now.

    Raises:
        NpyLabelError: ``legacy_order_missing``, ``legacy_order_wrong`` or ``legacy_shapes``.
    """
    _check_shapes(path, weights)
    outputs = len(weights["fc2.weight"])
    if not legacy_order.strip():
        raise NpyLabelError(
            "legacy_order_missing",
            _("{path} holds weights of the original MiniCNN. Its {outputs} outputs are numbered by the sorted names "
              "of the training folders, not by the class table.").format(path=path, outputs=outputs),
            _("Set legacy_order to the folder it was trained on, or to the sorted folder names separated by commas."))
    ids = _ids_in_order(legacy_order, outputs, table)
    return Checkpoint(
        state_dict=_rearranged(weights, ids, table), network="minicnn", depth=0, input_px=INPUT_PX, fit="crop",
        mean=[0.0] * 3, std=[1.0] * 3, classes=table.to_json(), classes_sha256=table.sha256,
        trained_ids=sorted(class_id for class_id in ids if class_id is not None),
        made_from=OWN, split_sha256="")


def _check_shapes(path: Path, weights: dict[str, torch.Tensor]) -> None:
    shapes = {name: tuple(getattr(value, "shape", ())) for name, value in weights.items()}
    outputs = (shapes.get("fc2.bias") or (0,))[0]
    wanted = {**_SHAPES, "fc2.weight": (outputs, 512), "fc2.bias": (outputs,)}
    wrong = [f"{name} {shapes.get(name, '-')} / {wanted.get(name, '-')}"
             for name in sorted({*shapes, *wanted}) if shapes.get(name) != wanted.get(name)]
    if wrong:
        raise NpyLabelError(
            "legacy_shapes",
            _("{path} is not an original MiniCNN; found / expected: {wrong}.").format(
                path=path, wrong="; ".join(wrong)),
            _("Train a model with notebook 03."))


def _ids_in_order(legacy_order: str, outputs: int, table: ClassTable) -> list[int | None]:
    """The class id of each output; None for an output that stands for no class."""
    folder = Path(legacy_order).expanduser()
    if folder.is_dir():
        _refuse_other_entries(folder)
        names = sorted(path.name for path in folder.iterdir())
    else:
        # An empty place in the middle would move all later outputs: it is named below as an unknown class.
        names = [name.strip() for name in legacy_order.strip().removesuffix(",").split(",")]
    ids = [None if name == NO_CLASS else table.find(name) for name in names]
    unknown = [name or '""' for name, class_id in zip(names, ids, strict=True) if class_id is None and name != NO_CLASS]
    known = [class_id for class_id in ids if class_id is not None]
    if unknown or len(names) > outputs or len(set(known)) < len(known) or not known:
        raise NpyLabelError(
            "legacy_order_wrong",
            _("legacy_order gives {count} names for {outputs} outputs; not in the class table: {unknown}.").format(
                count=len(names), outputs=outputs, unknown=", ".join(unknown) or "-"),
            _("Give the folder names exactly as they were when the weights were trained, each once."))
    return ids


def _refuse_other_entries(folder: Path) -> None:
    """Raise where something may have taken a number in the training: nobody but the user can know."""
    others = sorted(path.name for path in folder.iterdir() if not path.is_dir() or is_hidden(path.name))
    if others:
        raise NpyLabelError(
            "legacy_order_wrong",
            _("{path} holds more than class folders: {names}. Each of these took a number if it was there when the "
              "weights were trained.").format(path=folder, names=", ".join(others[:5])),
            _('Give legacy_order as sorted names separated by commas, with "-" for such an entry; or use a folder '
              "without them."))


def _rearranged(weights: dict[str, torch.Tensor], ids: list[int | None], table: ClassTable) -> dict[str, torch.Tensor]:
    """The weights with one output per class of the table, in the table's order."""
    result = {name: value.float() for name, value in weights.items()}
    pairs = [(output, table.ids.index(class_id)) for output, class_id in enumerate(ids) if class_id is not None]
    outputs, rows = zip(*pairs, strict=True)
    for name in ("fc2.weight", "fc2.bias"):
        full = torch.zeros(len(table.ids), *result[name].shape[1:])
        full[list(rows)] = result[name][list(outputs)]
        result[name] = full
    return result
