"""Which saved files a step needs on this machine, by its parameters; tables and other small files always come."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from npylabel.base.actions import saved_prefixes, wanted_by_action
from npylabel.base.places import DEMO, SORTED, Places

# What people decided, and the photos that they rejected: steps carry the decisions out.
_DECISIONS, _LEFT_OUT = "decisions", "left_out"
# Parameters that name a folder or file that a step reads or writes; the second ones may name several.
_FOLDERS = ("dataset_dir", "data_path", "output_dir", "labels_dir", "model_path", "labeler_path")
_SOURCES = ("photos_dir", "source_dir", "input_dir", "test_dir", "legacy_order")
_DEMO_PHOTOS = ["photos", "class_photos"]


def wanted_by(parameters: Mapping[str, object], places: Places) -> Callable[[str], bool]:
    """Which saved files a step with these parameters needs: those in the folders that it names.

    Both worlds are meant where the parameters do not tell; drawn photos are few.
    """
    if "action" in parameters:
        return wanted_by_action(parameters, places)
    named = _named(parameters)
    source = parameters.get("photos_dir", parameters.get("source_dir", ""))
    named += _DEMO_PHOTOS if source == DEMO else []
    worlds = [places.demo()] if source == DEMO else [places] if source not in ("", SORTED) else [places, places.demo()]
    prefixes, run_files = saved_prefixes(named, worlds), _run_files(parameters, worlds)
    sorted_photos, has_decisions = _sorted_photos(parameters, worlds), _DecisionsCame(worlds)
    # What is named may be a file.
    return lambda path: f"{path}/".startswith(prefixes) or (path.startswith(run_files) and "/archive/" not in path) or (
        path.startswith(sorted_photos) and has_decisions())


def _named(parameters: Mapping[str, object]) -> list[str]:
    """The folders and files that a step works on."""
    named = [str(parameters[name]) for name in _FOLDERS if parameters.get(name) and not (
        name == "dataset_dir" and {"source_dir", "save_path"} & parameters.keys())]
    if _trains_on_dataset(parameters):
        named += [f"{parameters['dataset_dir']}/{folder}" for folder in ("color", "labels")]
    # A user's folder may lie in the work folder and be saved with it.
    sources = [part.strip() for name in _SOURCES for part in str(parameters.get(name) or "").split(";")
               if part.strip() not in ("", DEMO)]
    named += sources
    if parameters.get("labels_dir") == "":  # Then labels are looked for beside the photos.
        named += [str(Path(source).parent / "labels") for source in sources]
    # Neither who trains nor who colors old photos asks what of the dataset was left out.
    return named + ([_LEFT_OUT] if named and not {"save_path", "labels_dir"} & parameters.keys() else [])


def _trains_on_dataset(parameters: Mapping[str, object]) -> bool:
    return "save_path" in parameters and bool(parameters.get("dataset_dir"))


def _run_files(parameters: Mapping[str, object], worlds: Sequence[Places]) -> tuple[str, ...]:
    """How the paths of a training's files begin; another model's in the same folder may be large, too."""
    if not parameters.get("save_path"):
        return ()
    model = Path(str(parameters["save_path"]))
    # The checkpoints of a labeler do not have its name.
    epochs = f"{model.stem}_checkpoint_epoch_" if _trains_on_dataset(parameters) else "checkpoint_epoch_"
    names = [str(model.with_name(name)) for name in (f"{model.stem}.", epochs)]
    return tuple(prefix.removesuffix("/") for prefix in saved_prefixes(names, worlds))


def _sorted_photos(parameters: Mapping[str, object], worlds: Sequence[Places]) -> tuple[str, ...]:
    """Where the photos lie that step 02 takes from the dataset; the gray ones it does not need."""
    if "source_dir" not in parameters or not parameters.get("dataset_dir"):
        return ()
    return saved_prefixes([f"{parameters['dataset_dir']}/color"], worlds)


class _DecisionsCame:
    """Whether people decided anything in one of the worlds, as far as that is known here; asked for each photo."""

    def __init__(self, worlds: Sequence[Places]) -> None:
        self.folders, self.came = [world.path(_DECISIONS) for world in worlds], False

    def __call__(self) -> bool:
        self.came = self.came or any(next(folder.glob("*.jsonl"), None) for folder in self.folders)
        return self.came
