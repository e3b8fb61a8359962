"""All notebooks, executed cell by cell as a person would, against the facts that they promise."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.notebooks.smoke import PROJECT, prepare


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return prepare(tmp_path_factory.mktemp("smoke"))


def run_nbval(notebooks: list[Path]) -> subprocess.CompletedProcess:
    """The result of nbval on the notebooks, in order: each needs what the one before it made."""
    options = ["-q", "--color=no", "-p", "no:cacheprovider", "-c", os.devnull, "--nbval-lax", "--nbval-current-env",
               "--nbval-cell-timeout=300"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, notebooks)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "NPYLABEL_HEADLESS": "1"}
    folder = notebooks[0].parent
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


def test_notebooks_run_and_keep_their_promises(prepared: list[Path]) -> None:
    result = run_nbval(prepared)
    assert result.returncode == 0, result.stdout[-6000:]
    work = prepared[0].parent / "work" / "demo" / "tintora_dataset"
    photos = sorted(path.stem for path in (work / "color").iterdir())
    assert photos
    assert photos == sorted(path.stem for path in (work / "labels").iterdir())


def test_a_wrong_promise_is_found(prepared: list[Path]) -> None:
    """The comparison itself works: the first notebook with another number of photos fails."""
    false = prepared[0].with_name("false_promise.ipynb")
    text = prepared[0].read_text(encoding="utf-8")
    assert '\\"photos\\": ' in text
    false.write_text(text.replace('\\"photos\\": ', '\\"photos\\": 9'), encoding="utf-8")
    result = run_nbval([false])
    assert result.returncode == 1
    assert "1 failed, 6 passed" in result.stdout
