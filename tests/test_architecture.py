"""The house rules that a test can hold: who imports whom, how long things are, what is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
# A room may import the rooms before it; ui sees all of them, and only the steps see ui.
ROOMS = ("base", "photos", "dataset", "training", "labeler", "colorizer", "care", "ui", "steps")
# Rooms side by side: none of them imports another.
SIBLINGS = {"labeler", "colorizer"}
SOURCES = sorted((PROJECT / "npylabel").rglob("*.py")) + [PROJECT / "npylabel_core.py"]


def imported_modules(path: Path) -> set[str]:
    """Dotted names that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def rooms_entered(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported_modules(path) if name.startswith("npylabel.")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(PROJECT).parts[1] if path.parent != PROJECT else "core"
    if room in ROOMS:
        allowed = set(ROOMS[: ROOMS.index(room) + 1]) - (SIBLINGS - {room} if room in SIBLINGS else set())
        assert rooms_entered(path) <= allowed
        assert "npylabel_core" not in imported_modules(path)


def test_every_room_is_known() -> None:
    found = {path.name for path in (PROJECT / "npylabel").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == set(ROOMS)


def test_core_is_light() -> None:
    code = "import sys, npylabel_core; print(sorted({'torch', 'numpy', 'PIL', 'matplotlib'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lengths = {node.name: node.end_lineno - node.body[0].lineno + 1 for node in ast.walk(ast.parse(text))
               if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert text.count("\n") <= 360
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_no_blind_except() -> None:
    blind = [f"{path.name}:{node.lineno}" for path in SOURCES
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ExceptHandler)
             and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))]
    assert blind == []
