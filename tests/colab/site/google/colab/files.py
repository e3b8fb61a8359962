"""Files of the browser: an upload is written into the current folder, as the real one does."""

import os
from pathlib import Path

from google.colab import _stub


def upload(target_dir: str = "") -> dict[str, bytes]:
    """The files that a person chose, by the names under which they now lie in the current folder.

    Raises:
        MessageError: nobody is there to choose.
    """
    _stub.log("files.upload", cwd=str(Path.cwd()))
    _stub.ask("file upload")
    chosen, found = os.environ.get("COLAB_STUB_UPLOADS", ""), {}
    for source in sorted(Path(chosen).iterdir()) if chosen else []:
        target = _free(Path(target_dir or ".") / source.name)
        data = source.read_bytes()
        target.write_bytes(data)
        print(f"Saving {source.name} to {target.name}")
        found[str(target)] = data
    return found


def upload_file(filename: str) -> None:
    """Write the one file that a person chose to ``filename``."""
    _stub.log("files.upload_file", filename=filename)
    _stub.ask("file upload")
    source = sorted(Path(os.environ["COLAB_STUB_UPLOADS"]).iterdir())[0]
    Path(filename).write_bytes(source.read_bytes())


def download(filename: str) -> None:
    """Note that the browser was sent a file.

    Raises:
        FileNotFoundError: there is none.
    """
    if not Path(filename).exists():
        raise FileNotFoundError(f"Cannot find file: {filename}")
    _stub.log("files.download", filename=str(filename), size=Path(filename).stat().st_size)


def _free(path: Path) -> Path:
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem} ({number})")
    return free
