"""Looking after the work brings what an action moves, not everything."""

from pathlib import Path

import pytest

from npylabel.base.actions import ACTIONS, acts, wanted_by_action
from npylabel.base.places import Places
from npylabel.base.trip import wanted_by

PATHS = {"ds/color/a.png", "ds/labels/a.npy", "train_data/дом/a.png", "left_out/ds/color/b.png", "models/x.png",
         "runs/1/01.ipynb", "demo/ds/bw/a.png", "demo/ds/labels/a.npy", "photos/a.jpg", "ds2/color/a.png"}
PHOTOS = {"ds/color/a.png", "ds/labels/a.npy", "train_data/дом/a.png", "left_out/ds/color/b.png", "demo/ds/bw/a.png",
          "demo/ds/labels/a.npy"}
WANTED = {
    "plan": set(), "doctor": set(), "leave_out": PHOTOS, "take_back": PHOTOS, "assign": PHOTOS, "label": PHOTOS,
    "clear": PHOTOS,
    "classes": {"ds/labels/a.npy", "train_data/дом/a.png", "demo/ds/labels/a.npy"},
    "keep_label": {"train_data/дом/a.png"},
    "reset": PATHS, "free": PATHS, "bring": PATHS,
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_brings_what_it_works_on(tmp_path: Path, action: str) -> None:
    parameters = {"action": action, "value": "", "dataset_dir": "ds", "data_path": "train_data"}
    assert set(filter(wanted_by(parameters, Places(tmp_path)), PATHS)) == WANTED[action]


def test_folders_elsewhere_and_the_work_folder_itself(tmp_path: Path) -> None:
    parameters = {"action": "classes", "dataset_dir": "/elsewhere/ds", "data_path": "."}
    assert set(filter(wanted_by_action(parameters, Places(tmp_path)), PATHS)) == PATHS
    parameters["data_path"] = "/elsewhere/train_data"
    assert set(filter(wanted_by_action(parameters, Places(tmp_path)), PATHS)) == set()


@pytest.mark.parametrize(("action", "comes"), [("plan", False), ("doctor", False), ("leave_out", True),
                                               ("classes", True), ("reset", True), ("bring", True)])
def test_models_come_to_who_looks_after_the_work(tmp_path: Path, action: str, comes: bool) -> None:
    wanted = wanted_by_action({"action": action, "dataset_dir": "d", "data_path": "t"}, Places(tmp_path))
    assert wanted("models/tiny_cnn.pth") is comes


@pytest.mark.parametrize(("parameters", "changes"), [
    ({"epochs": 3}, True), ({"action": "free", "confirm": True}, True), ({"action": "free", "confirm": False}, False),
    ({"action": "bring", "confirm": True}, False), ({"action": "plan", "confirm": True}, False)])
def test_an_action_changes_the_work_only_when_it_is_confirmed(parameters: dict, changes: bool) -> None:
    assert acts(parameters) is changes
