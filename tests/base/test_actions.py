"""Looking after the work brings what an action moves, not everything."""

from pathlib import Path

import pytest

from npylabel.base.actions import ACTIONS, wanted_by_action
from npylabel.base.places import Places
from npylabel.base.trip import wanted_by

PATHS = {"ds/color/a.png", "ds/labels/a.npy", "train_data/дом/a.png", "left_out/ds/color/b.png", "models/x.png",
         "runs/1/01.ipynb", "demo/ds/bw/a.png", "demo/ds/labels/a.npy", "photos/a.jpg", "ds2/color/a.png"}
PHOTOS = {"ds/color/a.png", "ds/labels/a.npy", "train_data/дом/a.png", "left_out/ds/color/b.png", "demo/ds/bw/a.png",
          "demo/ds/labels/a.npy"}
WANTED = {
    "plan": set(), "doctor": set(), "leave_out": PHOTOS, "take_back": PHOTOS,
    "classes": {"ds/labels/a.npy", "train_data/дом/a.png", "demo/ds/labels/a.npy"},
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
