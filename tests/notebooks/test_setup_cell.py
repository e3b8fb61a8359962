"""The setup cell in a Colab that is a stub: Drive is asked for once, by a person only."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOK = PROJECT / "notebooks" / "01_collect_and_grayscale.ipynb"
# Stands for Colab: a kernel that may or may not ask questions, and a Drive whose mounting is counted.
STUB = """
import builtins, sys, types
from pathlib import Path

root, project, allow_stdin = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "person"
builtins.get_ipython = lambda: types.SimpleNamespace(kernel=types.SimpleNamespace(_allow_stdin=allow_stdin))

def mount(path, force_remount, timeout_ms, readonly):
    with open(root / "mounts.txt", "a") as log:
        log.write(f"{path} {force_remount} {timeout_ms} {readonly}\\n")
    (root / "drive/MyDrive").mkdir(parents=True)
    (root / "drive/MyDrive/npylabel_workbook").symlink_to(project)

google = types.ModuleType("google")
google.colab = types.ModuleType("google.colab")
google.colab.drive = types.SimpleNamespace(mount=mount)
sys.modules |= {"google": google, "google.colab": google.colab}
cell = (root / "cell.py").read_text(encoding="utf-8")
for _ in range(2):
    names = {"work_dir": sys.argv[4], "photos_dir": sys.argv[5], "save_dir": "", "language": "en", "repo_url": ""}
    try:
        exec(compile(cell, "setup", "exec"), names)
    except AssertionError as error:
        print("ASKED:", error)
        break
    print("PROJECT:", names["project"])
"""


def run_setup(
    root: Path, who: str, *, work_dir: str = "", photos_dir: str = "demo", mounted: bool = False, **environment: str
) -> str:
    """What the setup cell, run twice, prints; ``root`` takes the place of /content."""
    cell = next(cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.id == "setup")
    (root / "cell.py").write_text(cell.source.replace("/content", str(root)), encoding="utf-8")
    (root / "stub.py").write_text(STUB, encoding="utf-8")
    if mounted:
        (root / "drive/MyDrive").mkdir(parents=True)
        (root / "drive/MyDrive/npylabel_workbook").symlink_to(PROJECT)
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "NPYLABEL_HEADLESS")}
    result = subprocess.run(
        [sys.executable, str(root / "stub.py"), str(root), str(PROJECT), who, work_dir, photos_dir], cwd=root,
        text=True, capture_output=True, env={
            **kept, "COLAB_RELEASE_TAG": "stub", "NPYLABEL_CONTENT": str(root), **environment}, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def mounts(root: Path) -> list[str]:
    log = root / "mounts.txt"
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_a_person_is_asked_once(tmp_path: Path) -> None:
    output = run_setup(tmp_path, "person")
    assert mounts(tmp_path) == [f"{tmp_path}/drive False 600000 False"]
    assert output.count(f"PROJECT: {tmp_path}/drive/MyDrive/npylabel_workbook") == 2


def test_a_mounted_drive_is_not_asked_for_again(tmp_path: Path) -> None:
    run_setup(tmp_path, "person", mounted=True)
    assert mounts(tmp_path) == []


@pytest.mark.parametrize(("who", "environment"), [("nobody", {}), ("person", {"NPYLABEL_HEADLESS": "1"})])
def test_without_a_person_nothing_asks(tmp_path: Path, who: str, environment: dict[str, str]) -> None:
    output = run_setup(tmp_path, who, **environment)
    assert mounts(tmp_path) == []
    assert not (tmp_path / "drive").exists()
    assert "ASKED: Put the project" in output


def test_a_work_folder_elsewhere_needs_no_drive(tmp_path: Path) -> None:
    run_setup(tmp_path, "person", work_dir=str(tmp_path / "work"))
    assert mounts(tmp_path) == []


def test_photos_on_drive_with_results_elsewhere_are_mounted_for_reading_only(tmp_path: Path) -> None:
    run_setup(tmp_path, "person", work_dir=str(tmp_path / "work"), photos_dir=f"{tmp_path}/drive/MyDrive/photos")
    assert mounts(tmp_path) == [f"{tmp_path}/drive False 600000 True"]


def test_a_drive_that_dropped_is_mounted_again(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    run_setup(tmp_path, "person")
    assert mounts(tmp_path) == [f"{tmp_path}/drive True 600000 False"]
