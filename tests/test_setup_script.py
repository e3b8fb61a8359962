"""``colab_setup.sh``: what it runs, with which Python."""

import os
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
FAKE_PYTHON = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$LOG"
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "${@: -1}/bin" && cp "$0" "${@: -1}/bin/python"
fi
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH on which python3 only writes down what it was asked."""
    fake = tmp_path / "bin" / "python3"
    fake.parent.mkdir()
    fake.write_text(FAKE_PYTHON, encoding="utf-8")
    fake.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "COLAB_RELEASE_TAG"}
    return {**kept, "PATH": f"{fake.parent}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"),
            "NPYLABEL_VENV": str(tmp_path / "venv")}


def call(environment: dict[str, str], *arguments: str) -> tuple[int, list[str]]:
    """(exit code, the Python calls) of the script."""
    command = ["bash", str(PROJECT / "colab_setup.sh"), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    log = Path(environment["LOG"])
    return result.returncode, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_at_home_a_virtual_environment_is_made_and_filled_once(environment: dict[str, str], tmp_path: Path) -> None:
    environment["PATH"] = f"{tmp_path}/bin:/usr/bin:/bin"
    code, calls = call(environment, "run", "--photos_dir", "my photos")
    assert code == 0
    assert any(text.startswith("-m venv") for text in calls)
    assert sum("-m pip install" in text for text in calls) == 1
    assert calls[-1] == f"{PROJECT}/npylabel_core.py run --photos_dir my photos"
    _code, calls = call(environment, "run")
    assert sum("-m pip install" in text for text in calls) == 1


def test_in_colab_the_python_that_is_there_is_used(environment: dict[str, str], tmp_path: Path) -> None:
    code, calls = call({**environment, "COLAB_RELEASE_TAG": "stub"}, "run")
    assert code == 0
    assert not any("venv" in text for text in calls)
    assert calls[-2:] == [
        f"-m pip install -qq --disable-pip-version-check -r {PROJECT}/requirements.txt",
        f"{PROJECT}/npylabel_core.py run"]


def test_tests_run_lint_first(environment: dict[str, str]) -> None:
    _code, calls = call(environment, "test", "-k", "nothing")
    assert calls[-2:] == ["-m ruff check .", "-m pytest -k nothing"]


@pytest.mark.parametrize("arguments", [(), ("fly",)])
def test_an_unknown_command_says_what_there_is(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    code, calls = call(environment, *arguments)
    assert code == 2
    assert calls == []
