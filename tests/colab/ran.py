"""What a program in a machine left: its output, and the executed notebook."""

import json
from dataclasses import dataclass

import nbformat


@dataclass
class Ran:
    """How a child ended.

    Attributes:
        code: its exit code; -9 after SIGKILL.
        stdout, stderr: what it printed.
        seconds: how long it ran.
        notebook: the executed notebook, as far as it came; None for other programs.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    notebook: nbformat.NotebookNode | None = None

    @property
    def killed(self) -> bool:
        """Whether it was killed, by the test or by ``kill_after_...``."""
        return self.code == -9

    @property
    def error(self) -> tuple[str, str] | None:
        """Name and text of the exception that ended a notebook."""
        found = [output for cell in self.cells.values() for output in cell.get("outputs", ())
                 if output.output_type == "error"]
        return (found[0].ename, found[0].evalue) if found else None

    @property
    def cells(self) -> dict[str, nbformat.NotebookNode]:
        """The cells of the executed notebook by their ids."""
        return {cell.id: cell for cell in self.notebook.cells} if self.notebook else {}

    def text(self, cell: str) -> str:
        """What a cell printed."""
        return "".join(output.text for output in self.cells[cell].outputs if output.output_type == "stream")

    @property
    def facts(self) -> dict:
        """What the check cell printed."""
        return json.loads(self.text("check"))


def inject(notebook: nbformat.NotebookNode, parameters: dict[str, object]) -> None:
    """Put the values into a cell of their own behind the parameters, as papermill does."""
    place = next((number for number, cell in enumerate(notebook.cells)
                  if "parameters" in cell.metadata.get("tags", [])), -1)
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("\n".join(lines), id="injected-parameters"))
