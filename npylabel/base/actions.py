"""The actions that look after the work, and which saved files each of them needs."""

from collections.abc import Callable, Mapping

from npylabel.base.places import Places

ACTIONS = ("plan", "doctor", "leave_out", "take_back", "classes", "reset", "free", "bring")


def wanted_by_action(parameters: Mapping[str, object], places: Places) -> Callable[[str], bool]:
    """Which saved files an action needs beside the tables: the pictures and labels that it moves, or everything."""
    dataset, data = str(parameters.get("dataset_dir", "")), str(parameters.get("data_path", ""))
    photos = (dataset, data, "left_out")
    folders = {"leave_out": photos, "take_back": photos, "classes": (f"{dataset}/labels", data)}.get(
        str(parameters["action"]))
    if folders is None:
        return lambda path: True
    found = [world.path(name).resolve() for world in (places, places.demo()) for name in folders]
    below = {folder.relative_to(places.root).as_posix() for folder in found if folder.is_relative_to(places.root)}
    prefixes = tuple("" if name == "." else f"{name}/" for name in below)
    return lambda path: path.startswith(prefixes)
