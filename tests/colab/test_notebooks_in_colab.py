"""The notebooks as Colab runs them: a kernel, a fresh process and a fresh disk for each; only the Drive lives on."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat

from npylabel.base.courier import Courier
from npylabel.base.groups import CHARTS
from npylabel.base.store import generation_of
from tests.colab.machine import PROJECT, Colab, Ran
from tests.notebooks.smoke import NOTEBOOKS, TINY, tiny_parameters
from tests.photos.collect_kit import lay_photos

# Saves come while the steps work, and the stub Drive is not waited for as long as the real one.
IN_COLAB = {"NPYLABEL_SAVE_EVERY_S": "4", "NPYLABEL_DRIVE_PATIENCE_S": "5", "OMP_NUM_THREADS": "1"}
FLAGS = [text for name, value in TINY.items() for text in (f"--{name}", str(value))] + ["--depth", "1"]


def parameters(path: Path) -> dict[str, object]:
    """The tiny values, with the work folder left to the notebook."""
    return {name: value for name, value in tiny_parameters(path, Path()).items() if name != "work_dir"}


def committed_facts(path: Path) -> dict:
    """What the notebook said in a plain local run: the output that is kept in the repository."""
    cell = next(cell for cell in nbformat.read(path, as_version=4).cells if cell.id == "check")
    return json.loads(cell.outputs[0].text)


def assert_only_packed(folder: Path) -> None:
    """Fail where anything but archives, indexes and the few copies to look at lies in the folder on Drive."""
    assert sorted(path.name for path in folder.iterdir()) == ["results", "saved"]
    kinds = Counter(path.suffix for path in folder.rglob("*") if path.is_file())
    assert all(path.is_file() and generation_of(path.name) > 0 for path in (folder / "saved").iterdir())
    assert set(kinds) <= {".tar", ".gz", ".csv", ".html", ".jpg", ".png", ".pth", ".json", ".txt"}
    shown = sorted(path.name for path in (folder / "results").iterdir())
    assert all(path.is_file() for path in (folder / "results").iterdir())
    pictures = [name for name in shown if name.endswith((".jpg", ".png"))]
    assert all(name.endswith(("_sheet.jpg", *CHARTS)) for name in pictures), pictures
    assert kinds[".tar"] < 30
    assert len(shown) < 40


def assert_said_saved(ran: Ran) -> None:
    """Fail where the report of the run cell does not say that the tab may be closed."""
    assert "can close this tab" in str(ran.cells["look"].outputs)


def saved_dataset(save_dir: Path, folder: Path) -> dict[str, int]:
    """How many files of each folder a quiet machine finds saved."""
    Courier(folder, save_dir).pull(lambda path: True)
    return Counter(path.parent.name for path in (folder / "demo" / "tintora_dataset").glob("*/*"))


def test_one_notebook_a_machine(tmp_path: Path) -> None:
    """A person opens one after another, each on a machine of its own; two run where nobody is, one on a bad Drive."""
    colab = Colab(tmp_path / "colab")
    alone, faulty, facts = "04", {"02": {"fault_rate": 0.01, "seed": 5, "lag_ops": 30}}, {}
    for path in NOTEBOOKS:
        number = path.name[:2]
        machine = colab.machine(mounted=number == alone)
        ran = machine.run_notebook(path, parameters(path), person=number != alone, environment=IN_COLAB,
                                   **faulty.get(number, {}))
        assert ran.code == 0, (path.name, ran.error, ran.stderr[-2000:])
        assert len(machine.calls("drive.mount")) == (number != alone)
        facts[number] = ran.facts
        assert ran.facts == committed_facts(path)
        if number != "00":
            assert_said_saved(ran)
        # 70 photos are 210 files.
        assert machine.usage().operations.get("create", 0) < 70
        machine.ends()
    assert facts["05"]["faults"] == 0 and facts["06"]["colorize"]["colored"] == 18
    assert_only_packed(colab.store / "npylabel")
    found = saved_dataset(colab.store / "npylabel", tmp_path / "quiet")
    assert set(found.values()) == {facts["05"]["triplets"]}
    assert {"color", "bw", "labels"} <= set(found)


def test_batch_in_colab(tmp_path: Path) -> None:
    """All notebooks in one machine through papermill, with Drive mounted and nobody in front."""
    colab = Colab(tmp_path / "colab")
    machine = colab.machine(mounted=True, project="")
    ran = machine.run_python(str(PROJECT / "npylabel_core.py"), "run", "--language", "en", *FLAGS, timeout_s=300,
                             environment=IN_COLAB)
    assert ran.code == 0, ran.stdout + ran.stderr
    said = facts_05(ran.stdout)
    machine.ends()
    assert_only_packed(colab.store / "npylabel")
    assert said == facts_05_committed()
    assert set(saved_dataset(colab.store / "npylabel", tmp_path / "quiet").values()) == {70}
    runs = [path.name for path in (tmp_path / "quiet" / "demo" / "runs").glob("*/*.html")]
    assert len(runs) == 5


def facts_05(text: str) -> str:
    """The line of facts of notebook 05 in what ``run`` printed."""
    return re.findall(r"^ +(faults .*|.*triplets .*)$", text, re.MULTILINE)[-1].strip()


def facts_05_committed() -> str:
    """The same line for the facts that are kept in the repository."""
    facts = committed_facts(next(path for path in NOTEBOOKS if path.name.startswith("05")))
    return ", ".join(f"{name} {value}" for name, value in facts.items() if value not in ({}, [], "") and name != "step")


def test_on_a_server_with_a_network_disk(tmp_path: Path) -> None:
    """``run --save_dir``: 01 on one server; another one, which has nothing of it, finds that labels are missing."""
    save_dir, ended = tmp_path / "network disk", []
    save_dir.mkdir()
    for name, only in (("one", "01"), ("other", "05")):
        command = ["run", "--save_dir", save_dir, "--work_dir", tmp_path / name, "--only", only, "--language", "en"]
        ran = subprocess.run(
            [sys.executable, PROJECT / "npylabel_core.py", *command, *FLAGS], capture_output=True, text=True,
            check=False, cwd=tmp_path, env={**os.environ, **IN_COLAB, "NPYLABEL_HEADLESS": "1"})
        ended.append((ran.returncode, ran.stderr))
    assert [code for code, _errors in ended] == [0, 1], ended
    assert "label_missing" in ran.stdout
    assert_only_packed(save_dir)
    found = saved_dataset(save_dir, tmp_path / "quiet")
    assert (found["color"], found["bw"], found["labels"]) == (70, 70, 0)


def test_photos_from_the_browser_over_two_evenings(tmp_path: Path) -> None:
    """Each evening is a fresh machine; what the browser sent is removed, what was made of it is not."""
    colab = Colab(tmp_path / "colab")
    for evening, names in enumerate([("a.jpg", "b.jpg"), ("b.jpg", "c.jpg")], start=1):
        chosen = lay_photos(tmp_path / f"chosen{evening}", *(f"{evening}_{name}" for name in names))
        machine = colab.machine(mounted=True, uploads=chosen)
        ran = machine.run_notebook(
            NOTEBOOKS[1], {"photos_dir": "upload", "size_px": 64, "workers": 1, "language": "en"}, person=True)
        assert ran.error is None, ran.error
        assert ran.facts["photos"] == 2 * evening
        assert [path.name for path in (machine.content / "work").iterdir()] == ["npylabel"]
        machine.ends()


def test_nobody_is_asked_for_photos_in_batch(tmp_path: Path) -> None:
    machine = Colab(tmp_path / "colab").machine(mounted=True, nobody="hang")
    ran = machine.run_notebook(NOTEBOOKS[1], {"photos_dir": "upload", "language": "en"})
    assert ran.error[0] == "NpyLabelError" and "upload_impossible" in ran.error[1]
    machine.ends()
