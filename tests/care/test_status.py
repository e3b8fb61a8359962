"""The status counts what is there, says what comes next, and needs no heavy library for it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from npylabel.base.places import Places
from npylabel.care.status import describe_status
from npylabel.colorizer.color_table import LEFT_OUT, ColorRow, write_color_rows
from npylabel.dataset.faults import FAULT
from npylabel.dataset.labels import LabelRow, write_label_rows
from npylabel.dataset.verify import VERIFY_TABLE
from npylabel.photos.manifest import DUPLICATE, PhotoRow, write_rows
from tests.base.processes import start

LIGHT = """
import sys
import npylabel_core
report = npylabel_core.status(work_dir=sys.argv[1], language="en")
heavy = {"torch", "torchvision", "lightning", "torchmetrics", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
print(report.facts_json())
"""
NOTHING = {"photos": 0, "training_photos": 0, "epochs": 0, "macro_f1": None, "labels": 0, "unsure": 0,
           "faults": None, "color_epochs": 0, "color_error": None, "colored": 0}


def lay_photos(root: Path) -> None:
    """Three photos and a duplicate."""
    rows = [PhotoRow(f"p{index}", f"phone/{index}.jpg") for index in range(3)]
    write_rows(root / "tintora_dataset", [*rows, PhotoRow("p0", "phone/9.jpg", status=DUPLICATE)])


def lay_training(root: Path) -> None:
    """A split of two photos."""
    folder = root / "train_data"
    folder.mkdir(parents=True)
    (folder / "split.csv").write_text("path,class_id,split,group\nдом/a.png,12,train,\nдом/b.png,12,val,\n")


def lay_model(root: Path) -> None:
    """The metrics of seven epochs."""
    folder = root / "models"
    folder.mkdir(parents=True)
    (folder / "tiny_cnn.metrics.json").write_text(json.dumps({"epochs": 7, "best": {"val_macro_f1": 0.875}}))


def lay_labels(root: Path, count: int = 3) -> None:
    """A table of labels."""
    write_label_rows(root / "tintora_dataset" / "labels.csv", {
        f"p{index}": LabelRow(f"p{index}", 12, "дом", best_class_id="7" if index == 2 else "12")
        for index in range(count)})


def lay_colorizer(root: Path) -> None:
    """The metrics of forty epochs of a colorizer."""
    (root / "models").mkdir(exist_ok=True)
    best = {"val_mse": 0.0062, "val_mse_label": 0.0051}
    (root / "models/colorizer.metrics.json").write_text(json.dumps({"epochs": 40, "best_epoch": 39, "best": best}))


def lay_colored(root: Path) -> None:
    """Two photos in color, and one that could not be read."""
    write_color_rows(root / "colorized", [
        ColorRow("a", "old/a.png"), ColorRow("b", "old/b.png"), ColorRow("", "old/c.png", status=LEFT_OUT)])


def touch_later(path: Path) -> None:
    """Make a file newer than all others."""
    later = time.time_ns() + 10**9
    os.utime(path, ns=(later, later))


def lay_verification(root: Path, faults: int) -> None:
    """A verification with faults and one warning."""
    lines = ["severity,code,name,detail", *[f"{FAULT},label_empty,labels/p{i}.npy," for i in range(faults)],
             "warning,some_code,labels/p2.npy,"]
    (root / "tintora_dataset" / VERIFY_TABLE).write_text("\n".join(lines) + "\n")


STAGES = [
    (None, "01", {}),
    (lay_photos, "02", {"photos": 3}),
    (lay_training, "03", {"training_photos": 2}),
    (lay_model, "04", {"epochs": 7, "macro_f1": 0.875}),
    (lambda root: lay_labels(root, 2), "04", {"labels": 2}),
    (lay_labels, "05", {"labels": 3, "unsure": 1}),
    (lambda root: lay_verification(root, 2), "05", {"faults": 2}),
    (lambda root: lay_verification(root, 0), "All five", {"faults": 0}),
    # What changed since counts as not verified.
    (lambda root: touch_later(root / "tintora_dataset/labels.csv"), "05", {"faults": None}),
]
# Step 06 need not be done: who has a dataset is told what it offers.
COLOR_STAGES = [
    (lambda root: touch_later(root / "tintora_dataset/verify.csv"), "trains your own colorizer", {}),
    (lay_colorizer, "colors old photos with your", {"color_epochs": 40, "color_error": 0.0062}),
    (lay_colored, "", {"colored": 2}),
]


def test_each_step_is_counted_and_leads_to_the_next(tmp_path: Path) -> None:
    wanted = dict(NOTHING)
    for lay, following, found in STAGES:
        if lay:
            lay(tmp_path)
        wanted |= found
        report = describe_status(Places(tmp_path))
        assert report.facts["own"] == wanted
        assert following in report.next_step
        assert report.facts["demo"] == NOTHING


def test_what_the_sixth_step_offers_is_said_behind_the_fifth(tmp_path: Path) -> None:
    wanted = dict(NOTHING)
    for lay, _following, found in STAGES[1:-1]:
        lay(tmp_path)
        wanted |= found
    for lay, offered, found in COLOR_STAGES:
        lay(tmp_path)
        wanted |= found
        report = describe_status(Places(tmp_path))
        assert report.facts["own"] == wanted
        assert report.next_step.startswith("All five steps are done.") and offered in report.next_step
        assert any("06" in line for line in report.messages) is bool(wanted["color_epochs"])
    assert report.next_step == "All five steps are done."
    assert "your photos: 06 colorizer: 40 epochs, squared error 0.0062; old photos in color: 2" in report.messages


def test_a_colorizer_alone_is_told(tmp_path: Path) -> None:
    lay_colored(tmp_path)
    report = describe_status(Places(tmp_path))
    assert any("06 colorizer: 0 epochs; old photos in color: 2" in line for line in report.messages)
    assert "01" in report.next_step


def test_the_demo_is_counted_apart(tmp_path: Path) -> None:
    lay_photos(tmp_path / "demo")
    lay_model(tmp_path)
    report = describe_status(Places(tmp_path))
    assert (report.facts["demo"]["photos"], report.facts["demo"]["epochs"]) == (3, 0)
    assert (report.facts["own"]["photos"], report.facts["own"]["epochs"]) == (0, 7)
    assert any(line.startswith("demo: ") and "3" in line for line in report.messages)
    assert "01" in report.next_step
    inside = describe_status(Places(tmp_path / "demo", is_demo=True))
    assert set(inside.facts) == {"demo"} and "02" in inside.next_step


def test_an_empty_place_says_so(tmp_path: Path) -> None:
    report = describe_status(Places(tmp_path))
    assert "your photos: nothing yet" in report.messages
    assert any(str(tmp_path) in line for line in report.messages)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"epochs": 3}', '{"epochs": 3, "best": null}'])
def test_damaged_metrics_count_as_no_model(tmp_path: Path, text: str) -> None:
    lay_model(tmp_path)
    (tmp_path / "models" / "tiny_cnn.metrics.json").write_text(text)
    assert describe_status(Places(tmp_path)).facts["own"] == NOTHING


def test_the_status_needs_no_heavy_library(tmp_path: Path) -> None:
    lay_photos(tmp_path)
    lay_model(tmp_path)
    lay_colorizer(tmp_path)
    lay_colored(tmp_path)
    process = start("-c", LIGHT, tmp_path)
    output, _errors = process.communicate(timeout=120)
    assert process.returncode == 0
    facts = json.loads(output)
    assert (facts["step"], facts["own"]["photos"], facts["own"]["epochs"]) == ("status", 3, 7)
    assert (facts["own"]["color_epochs"], facts["own"]["colored"]) == (40, 2)


def test_the_command_line_has_it(tmp_path: Path) -> None:
    core = Path(__file__).parents[2] / "npylabel_core.py"
    done = subprocess.run([sys.executable, core, "status", "--work_dir", tmp_path, "--language", "en"],
                          capture_output=True, text=True, check=True, timeout=120)
    assert "Next: notebook 01" in done.stdout
