"""The smoke run: all notebooks with tiny parameters in one work folder.

``python -m tests.notebooks.smoke`` runs them and keeps the facts that they print in the committed notebooks; nbval
compares with these. Facts hold structure only, so they are the same on every machine.
"""

import tempfile
from pathlib import Path

import nbformat
import papermill

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
# Small enough for a minute, large enough that every step does all of its work.
TINY = {
    "demo_per_class": 6, "size_px": 64, "input_px": 32, "epochs": 5, "batch_size": 16, "workers": 2, "device": "cpu",
    "export_dir": "export",
}


def tiny_parameters(path: Path, work_dir: Path) -> dict[str, object]:
    """The tiny values of those parameters that the notebook has."""
    known = papermill.inspect_notebook(path)
    values = {name: value for name, value in TINY.items() if name in known}
    if "depth" in known:
        values["depth"] = 1
    return {**values, "work_dir": str(work_dir), "language": "en"}


def prepare(folder: Path) -> list[Path]:
    """The notebooks with tiny parameters in ``folder``, not executed; their work folder is beside them."""
    prepared = []
    for path in NOTEBOOKS:
        output = folder / path.name
        papermill.execute_notebook(
            path, output, parameters=tiny_parameters(path, folder / "work"), prepare_only=True, progress_bar=False)
        prepared.append(output)
    return prepared


def keep_facts() -> None:
    """Execute the notebooks and write what their check cells print into the committed ones."""
    with tempfile.TemporaryDirectory() as name:
        for path in NOTEBOOKS:
            executed = papermill.execute_notebook(
                path, Path(name) / path.name, parameters=tiny_parameters(path, Path(name) / "work"),
                cwd=str(PROJECT), progress_bar=False,
                extra_arguments=["--log-level=CRITICAL"])
            outputs = next(cell.outputs for cell in executed.cells if cell.id == "check")
            notebook = nbformat.read(path, as_version=4)
            check = next(cell for cell in notebook.cells if cell.id == "check")
            # nbval compares nothing in a cell without a number.
            check.outputs, check.execution_count = outputs, 1
            path.write_text(nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    keep_facts()
