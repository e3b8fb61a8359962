"""The cell that opens the board: with photos, without, and where nobody sits in front."""

import subprocess
import sys
from pathlib import Path

import pytest

import npylabel_core as core
from npylabel.base.places import project_dir
from npylabel.base.report import StepReport
from npylabel.ui.board import Board
from tests.dataset.desk_kit import row, write_dataset


def test_a_board_of_the_photos_of_the_work_folder(tmp_path: Path) -> None:
    write_dataset(tmp_path, [row("a"), row("b")])
    board = core.sort_photos(work_dir=str(tmp_path), language="en")
    assert isinstance(board, Board)
    assert [photo.name for photo in board.pages.photos] == ["a", "b"]
    board.grid.select([1])
    board.buttons["skip"].click()
    assert len(list((tmp_path / "decisions").iterdir())) == 1


def test_without_photos_it_says_where_they_come_from(tmp_path: Path) -> None:
    report = core.sort_photos(work_dir=str(tmp_path), language="en")
    assert isinstance(report, StepReport)
    assert "notebook 01" in report.messages[0]


def test_without_a_person_it_returns_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_HEADLESS", "1")
    write_dataset(tmp_path, [row("a")])
    report = core.sort_photos(work_dir=str(tmp_path), language="en")
    assert str(tmp_path / "tintora_dataset") in report.messages[0]


def test_the_core_is_imported_without_widgets() -> None:
    code = "import sys, npylabel_core; print('ipywidgets' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=project_dir(), capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
