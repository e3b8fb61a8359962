"""The actions that look after the work, and which saved files each of them needs."""

from collections.abc import Callable, Mapping, Sequence

from npylabel.base.groups import is_model
from npylabel.base.places import Places

# Actions that change nothing, and answer whatever is wrong; one that only brings; those that list before they act.
LOOKING, BRING = ("plan", "doctor"), "bring"
# Those by which a person decides about the classes of photos.
DECIDING = ("assign", "label", "clear")
ACTIONS = (*LOOKING, "leave_out", "take_back", "keep_label", *DECIDING, "classes", "reset", "free", BRING)


def acts(parameters: Mapping[str, object]) -> bool:
    """Whether a step with these parameters changes the work: an action does so only with ``confirm``."""
    if "action" not in parameters:
        return True
    return bool(parameters.get("confirm")) and parameters["action"] not in (*LOOKING, BRING)


def wanted_by_action(parameters: Mapping[str, object], places: Places) -> Callable[[str], bool]:
    """Which saved files an action needs beside the tables: models, and what it moves of the pictures, or everything."""
    action = str(parameters["action"])
    if action in LOOKING:
        return lambda path: False
    dataset, data = str(parameters.get("dataset_dir", "")), str(parameters.get("data_path", ""))
    photos = (dataset, data, "left_out")
    folders = {"leave_out": photos, "take_back": photos, "keep_label": (data,), **dict.fromkeys(DECIDING, photos),
               "classes": (f"{dataset}/labels", data)}.get(action)
    if folders is None:
        return lambda path: True
    prefixes = saved_prefixes(folders, [places, places.demo()])
    return lambda path: path.startswith(prefixes) or is_model(path)


def saved_prefixes(names: Sequence[str], worlds: Sequence[Places]) -> tuple[str, ...]:
    """The folders of these names, as saved paths begin with them."""
    folders = [(world.path(name).resolve(), world.root) for world in worlds for name in names]
    below = {folder.relative_to(root).as_posix() for folder, root in folders if folder.is_relative_to(root)}
    return tuple("" if name == "." else f"{name}/" for name in below)
