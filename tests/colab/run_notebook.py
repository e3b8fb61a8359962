"""A program that executes a notebook in a kernel of its own, as nbclient does, with or without a person in front.

Arguments: the notebook, where its executed copy goes (written after each cell), the kernel's folder, "person" or
"nobody". Exit code 3: a cell raised.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


class Front(NotebookClient):
    """A front end; where a person is there, the kernel may ask questions (which nobody answers here)."""

    person = False

    async def async_start_new_kernel_client(self, **options: object) -> object:
        client = await super().async_start_new_kernel_client(**options)
        client.allow_stdin = self.person
        return client


def main(source: Path, target: Path, folder: str, who: str) -> int:
    """Execute; the exit code."""
    notebook = nbformat.read(source, as_version=4)

    def keep(**_event: object) -> None:
        nbformat.write(notebook, target)

    front = Front(notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": folder}},
                  on_cell_executed=keep)
    front.person = who == "person"
    try:
        front.execute()
    except CellExecutionError:
        return 3
    finally:
        keep()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
