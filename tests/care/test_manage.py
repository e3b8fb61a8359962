"""Looking after the work through its one door, from the first photo to the labels, with all of it kept elsewhere."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest

import npylabel_core as core
from npylabel.base.classes import load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.care.manage import ACTIONS
from tests.dataset.class_kit import lay_classes
from tests.photos.collect_kit import lay_photos


class Evening:
    """A person's machine of one evening: its disk is empty at first, the kept folder lives on."""

    def __init__(self, base: Path) -> None:
        self.base, self.work, self.kept = base, base / "work", base / "kept"
        self.kept.mkdir()
        self.common = {"work_dir": str(self.work), "save_dir": str(self.kept), "language": "en"}

    def step(self, name: str, **parameters: object) -> object:
        """Run a step on a fresh machine."""
        shutil.rmtree(self.work, ignore_errors=True)
        return getattr(core, name)(**parameters, **self.common)

    def check(self, step: str, **parameters: object) -> object:
        """Check the inputs of a step on a fresh machine."""
        shutil.rmtree(self.work, ignore_errors=True)
        return core.check_inputs(step, **parameters, **self.common)

    def manage(self, action: str, value: str = "", *, confirm: bool = True) -> object:
        return self.step("manage", action=action, value=value, confirm=confirm)

    def label_of(self, name: str) -> int:
        return int(np.load(self.work / f"tintora_dataset/labels/{name}.npy")[0])

    def names(self) -> list[str]:
        return sorted(path.stem for path in (self.work / "tintora_dataset/color").iterdir())


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evening:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0.1")
    return Evening(tmp_path)


@pytest.mark.parametrize(("action", "value", "code"), [
    ("tidy", "", "bad_parameter"), ("reset", "9", "bad_parameter"), ("reset", "", "bad_parameter"),
    ("free", "runs; nix", "bad_parameter"), ("leave_out", " ; ", "bad_parameter"), ("take_back", "", "bad_parameter"),
    ("classes", "дом", "bad_changes"), ("classes", "+ луг; a > b > c", "bad_changes")])
def test_what_is_wrong_is_refused_before_anything_is_brought(
    evening: Evening, action: str, value: str, code: str
) -> None:
    (evening.work / "notes.csv").parent.mkdir()
    (evening.work / "notes.csv").write_text("mine")
    core.manage(action="free", value="", **evening.common)
    for call in (evening.manage, lambda *values: evening.check("manage", action=values[0], value=values[1])):
        with pytest.raises(NpyLabelError) as caught:
            call(action, value)
        assert caught.value.code == code
        assert not (evening.work / "notes.csv").exists()
    evening.manage("free", "")
    assert (evening.work / "notes.csv").read_text() == "mine"


def test_the_notebook_offers_every_action() -> None:
    path = Path(core.__file__).parent / "notebooks/00_manage.ipynb"
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    line = next(line for line in cells["parameters"].splitlines() if line.startswith("action = "))
    assert json.loads(line.partition("# @param ")[2]) == list(ACTIONS)


def test_a_work_is_looked_after_over_many_machines(evening: Evening) -> None:
    photos = lay_photos(evening.base / "photos", "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    classes = lay_classes(evening.base / "classes", дом=6, небо=6, трава=6)
    training = {"source_dir": str(classes), "size_px": 64, "workers": 1}
    tiny = {"epochs": 1, "input_px": 32, "depth": 1, "device": "cpu"}
    evening.step("collect_and_grayscale", photos_dir=str(photos), size_px=64, workers=1)
    evening.step("build_train_data", **training)
    evening.step("train", **tiny)
    evening.step("auto_label", threshold=0)
    # A person decides: b is a house. It stays so whatever is done now.
    house = load_classes(Path(core.__file__).parent / "classes.json").find("дом")
    np.save(evening.work / "tintora_dataset/labels/b.npy", np.array([house], dtype=np.int64))
    core.auto_label(threshold=0, **evening.common)

    listed = evening.manage("leave_out", "b; c", confirm=False)
    assert listed.facts["done"] is False and evening.names() == ["a", "b", "c", "d"]
    assert evening.manage("leave_out", "b; c").facts["done"] is True
    assert evening.names() == ["a", "d"]
    again = evening.step("collect_and_grayscale", photos_dir=str(photos), size_px=64, workers=1)
    assert (again.facts["photos"], again.facts["reasons"]) == (2, {"by_person": 2})
    assert evening.step("verify_tintora", size_px=64).facts["faults"] == 0

    evening.manage("classes", "+ самовар; дом > небо; трава > луг")
    table = load_classes(evening.work / "classes.json")
    assert (table.find("дом"), table.find("луг")) == (table.find("небо"), table.find("трава"))
    evening.manage("take_back", "b; c")
    assert evening.names() == ["a", "b", "c", "d"]
    # Photos that were out have labels of before the change, a person's among them: another change reads them right.
    changed = evening.manage("classes", "небо > облака")
    assert [change["hand_labels"] for change in changed.facts["changes"]] == [1]
    table = load_classes(evening.work / "classes.json")
    assert evening.step("build_train_data", **training).measured["done_now"] == 0
    labeled = evening.step("auto_label", threshold=0)
    assert labeled.facts["human"] == 1 and evening.label_of("b") == table.find("облака")
    assert {evening.label_of(name) for name in evening.names()} <= {table.find("облака"), table.find("трава")}
    assert evening.step("verify_tintora", size_px=64).facts["faults"] == 0

    evening.manage("reset", "04")
    rows = read_csv(evening.work / "tintora_dataset/labels.csv")
    assert [(row["name"], row["source"]) for row in rows] == [("b", "human")]
    evening.manage("free", "all")
    evening.manage("bring")
    assert (evening.work / "models/tiny_cnn.pth").is_file() and evening.names() == ["a", "b", "c", "d"]
