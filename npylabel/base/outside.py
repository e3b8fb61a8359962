"""What does not travel: results outside the work folder, links that lead out of it, and exports."""

from collections.abc import Mapping
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.tables import printable

# Parameters that name what a step writes. Training only reads its photos, which may lie anywhere.
_RESULTS = ("dataset_dir", "data_path", "save_path", "output_dir")
_TRAINED_ON = ("dataset_dir", "data_path")


def refuse_outside(parameters: Mapping[str, object], places: Places) -> None:
    """Stop a step whose results would lie where nothing saves them.

    Args:
        parameters: of the step.
        places: of the step; without a ``save_dir`` results may lie anywhere.

    Raises:
        NpyLabelError: ``outside_work_folder``, also for a link that leads there.
    """
    if not places.save_dir:
        return
    is_training = "save_path" in parameters and "action" not in parameters
    for name in _RESULTS:
        value = str(parameters.get(name) or "")
        if value and not (is_training and name in _TRAINED_ON):
            for world in (places, places.demo()):
                _refuse(name, world.path(value), places, _example(name, parameters))


def _refuse(name: str, path: Path, places: Places, example: str) -> None:
    # A link may stand for the folder of pictures in the folder that is named.
    for each in (path, *(path / part for part in ("color", "bw", "labels"))):
        real = each.resolve()
        if not real.is_relative_to(places.root):
            raise NpyLabelError(
                "outside_work_folder",
                _("{name} is {path}, outside the work folder {root}: nothing there would be saved.").format(
                    name=name, path=real, root=places.root),
                _("Give {name} as a relative name, such as {example}; replace a link by the folder itself, or set "
                  "work_dir to the disk with more room.").format(name=name, example=example))


def _example(name: str, parameters: Mapping[str, object]) -> str:
    """A value of the parameter that is right for the step that has these."""
    if name == "save_path" and "dataset_dir" in parameters and "action" not in parameters:
        return "models/colorizer.pth"
    if name == "output_dir" and "labels_dir" in parameters:
        return "colorized"
    return {"dataset_dir": "tintora_dataset", "data_path": "train_data", "save_path": "models/tiny_cnn.pth",
            "output_dir": "tintora_dataset/labels"}[name]


def export_outside(parameters: Mapping[str, object], places: Places) -> list[str]:
    """The export of a step, where it lies outside the work folder."""
    path = places.path(str(parameters["export_dir"])).resolve() if parameters.get("export_dir") else places.root
    return [] if path.is_relative_to(places.root) else [str(path)]


def not_saved_text(links: list[str], exports: list[str]) -> str:
    """A sentence on what is on this machine only; "" where that is nothing."""
    texts = []
    if links:
        texts.append(_("NOT saved, since these are links that lead out of the work folder: {names}.").format(
            names=printable(", ".join(links[:5]))))
    if exports:
        texts.append(_(
            "The export {names} is only on this machine: run step 05 with export_dir again where you need it."
        ).format(names=printable(", ".join(exports[:5]))))
    return " ".join(texts)
