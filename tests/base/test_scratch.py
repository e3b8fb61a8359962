"""Temporary folders: they go with their block, and those of killed processes go with the next one."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from npylabel.base import scratch
from npylabel.base.scratch import remove_abandoned, scratch_folder

PROJECT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal
from npylabel.base.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "copy").write_bytes(b"x")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_it_goes_with_its_block(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        (folder / "a").touch()
        assert folder.parent == tmp_path
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-c", KILLED], cwd=PROJECT, env={**os.environ, "TMPDIR": str(tmp_path)},
                            capture_output=True, text=True, check=False)
    left = Path(result.stdout.strip())
    assert (left / "copy").is_file()
    (tmp_path / "npylabel-scratch-mine").mkdir()
    with scratch_folder() as living:
        assert not left.exists()
        assert remove_abandoned() == 0
        assert living.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["npylabel-scratch-mine"]


def test_folders_of_other_machines_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "npylabel-scratch-another_machine-999999999-x").mkdir()
    (tmp_path / f"{scratch._PREFIX}999999999-x").mkdir()
    assert remove_abandoned() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["npylabel-scratch-another_machine-999999999-x"]


def test_no_process_is_signaled_where_that_would_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, young = (tmp_path / f"{scratch._PREFIX}999999999-{name}" for name in ("old", "young"))
    old.mkdir()
    young.mkdir()
    os.utime(old, (1, 1))
    signaled = []
    monkeypatch.setattr(scratch, "os", SimpleNamespace(name="nt", kill=lambda *call: signaled.append(call)))
    assert remove_abandoned() == 1
    assert list(tmp_path.iterdir()) == [young] and signaled == []
