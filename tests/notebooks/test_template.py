"""Every notebook follows the one template, so that Colab's forms, papermill and nbval all work on it."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
CELLS = ["title", "parameters", "setup", "check-inputs", "run", "look", "check", "next"]
# Where a step needs a person, and where a notebook uses what it has trained.
MORE_CELLS = {"color": ("look",), "look-colors": ("color",), "review": ("look", "look-colors")}
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells_of(path: Path) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


@each
def test_valid_and_in_order(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.nbformat_minor == 5
    ids = [cell.id for cell in notebook.cells]
    assert [cell for cell in ids if cell not in MORE_CELLS] == CELLS
    assert all(ids[ids.index(cell) - 1] in MORE_CELLS[cell] for cell in ids if cell in MORE_CELLS)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.kernelspec.language == "python"
    assert "widgets" not in notebook.metadata


@each
def test_only_the_check_cell_keeps_its_output(path: Path) -> None:
    for name, cell in cells_of(path).items():
        if cell.cell_type == "code":
            assert cell.execution_count == (1 if name == "check" else None)
            assert bool(cell.outputs) == (name == "check"), name
    facts = json.loads("".join(cells_of(path)["check"].outputs[0]["text"]))
    assert facts["step"] == path.stem[3:]


@each
def test_code_is_plain(path: Path) -> None:
    """No helper code in notebooks: what needs a name, a loop or a shell belongs into the package."""
    lines = 0
    for name, cell in cells_of(path).items():
        if cell.cell_type != "code":
            continue
        # Parameters are a form, and no code that anybody reads.
        lines += sum(bool(line.strip()) and not line.startswith("#") for line in cell.source.splitlines()
                     if name != "parameters")
        assert not re.search(r"^\s*[!%]", cell.source, re.MULTILINE)
        banned = ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.Try | ast.Lambda
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, banned)]
    assert lines <= 65


@each
def test_parameters_are_forms_for_colab_and_literals_for_papermill(path: Path) -> None:
    cell = cells_of(path)["parameters"]
    assert cell.metadata.tags == ["parameters"]
    assert cell.metadata.cellView == "form"
    for line in cell.source.splitlines():
        if line.startswith("#"):
            continue
        name, value, form = re.fullmatch(r"(\w+) = ([^#=]*?)  # @param (.+)", line).groups()
        ast.literal_eval(value)
        # A list of choices cannot be wrapped, nor shortened as a default can.
        assert len(line) <= (140 if form.startswith("[") else 100), name
        assert form[0] in "{["


@each
def test_setup_is_the_same_everywhere(path: Path) -> None:
    assert cells_of(path)["setup"].source == cells_of(NOTEBOOKS[0])["setup"].source


@each
def test_texts_are_in_both_languages(path: Path) -> None:
    cells = cells_of(path)
    for text in (cells["title"].source, cells["next"].source):
        assert re.search("[а-я]{4}", text)
        assert re.search("[a-z]{4}", text)
    helps = [line for line in cells["parameters"].source.splitlines() if line.startswith("# @markdown")]
    assert all(re.search("[A-Za-z]{3}.*<br>.*[а-я]{3}", line) for line in helps)
    assert len(helps) == cells["parameters"].source.count("# @param ")
