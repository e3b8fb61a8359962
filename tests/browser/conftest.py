"""Two JupyterLabs: the newest with ipywidgets 8, and the last one for Colab's ipywidgets 7.7.1."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from npylabel.base.classes import load_classes
from npylabel.base.places import project_dir
from npylabel.photos.collect import collect_photos
from npylabel.photos.demo import write_demo_classes
from npylabel.photos.manifest import read_rows
from tests.browser.lab import CHROMIUM, running_lab, write_notebook

CLASSES, PHOTOS_PER_CLASS = 8, 25
_OLD = Path(__file__).with_name("requirements-ipywidgets7.txt")
# As a person opens it; the first line is for the test, which kills this very process.
CELLS = (
    "import os, pathlib\n_ = pathlib.Path('kernel.pid').write_text(str(os.getpid()))",
    "import ipywidgets, npylabel_core as core\nprint('widgets', ipywidgets.__version__)",
    "core.sort_photos(work_dir=str(pathlib.Path('work').absolute()), language='ru')",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason="there is no chromium: apt-get install chromium"))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """200 photos of 8 classes as step 01 leaves them, and the class of each by name."""
    root = tmp_path_factory.mktemp("photos")
    write_demo_classes(root / "drawn", photos_per_class=PHOTOS_PER_CLASS)
    folders = sorted((root / "drawn").iterdir())[:CLASSES]
    out = root / "tintora_dataset"
    collect_photos(folders, out, made_from="own")
    truth = {row.name: Path(row.source).parent.name for row in read_rows(out)}
    return SimpleNamespace(folder=out, truth=truth, table=load_classes(project_dir() / "classes.json"))


@pytest.fixture(scope="session", params=["8", "7.7.1"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A running JupyterLab: its address, its folder and the version of its widgets."""
    folder = tmp_path_factory.mktemp("lab")
    command, environment = [sys.executable, "-m", "jupyterlab"], {}
    if request.param != "8":
        old = _old_lab()
        command = [*command, f"--app-dir={old}/share/jupyter/lab"]
        environment = {"PYTHONPATH": f"{old}{os.pathsep}{project_dir()}", "JUPYTER_PATH": f"{old}/share/jupyter"}
    with running_lab(folder, command, environment) as address:
        yield SimpleNamespace(address=address, folder=folder, version=request.param)


def _old_lab() -> Path:
    """The folder of the old JupyterLab, 80 MB, installed once for all clones; everything else is this environment's."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "npylabel"
    key = hashlib.sha256(_OLD.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = home / f"lab-{key}"
    if not (folder / "installed").is_file():
        subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps",
                        "--upgrade", "--target", folder, "-r", _OLD], check=True)
        (folder / "installed").touch()
    return folder


@pytest.fixture
def workspace(lab: SimpleNamespace, dataset: SimpleNamespace, request: pytest.FixtureRequest) -> Path:
    """A folder of its own in JupyterLab with the photos and a notebook that opens the board."""
    folder = lab.folder / re.sub(r"\W", "_", request.node.name)
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "tintora_dataset").symlink_to(dataset.folder, target_is_directory=True)
    write_notebook(folder / "sort.ipynb", *CELLS)
    return folder
