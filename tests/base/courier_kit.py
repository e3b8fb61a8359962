"""Two machines and the folder that they share, for the tests of the courier."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.courier import Courier
from npylabel.base.errors import NpyLabelError
from npylabel.base.mirror import OWN_FOLDER


def everything(_path: str) -> bool:
    return True


class Machine:
    """A local work folder and its courier; ``restart`` is a new process on the same disk."""

    def __init__(self, root: Path, save_dir: Path) -> None:
        self.root, self.save_dir = root, save_dir
        root.mkdir(parents=True, exist_ok=True)
        save_dir.mkdir(parents=True, exist_ok=True)
        self.restart()

    def restart(self) -> "Machine":
        self.courier = Courier(self.root, self.save_dir)
        return self

    def write(self, files: dict[str, bytes | str]) -> None:
        for path, content in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self) -> dict[str, str]:
        """Text by path of the files that are here."""
        return {path.relative_to(self.root).as_posix(): path.read_bytes().decode() for path in
                sorted(self.root.rglob("*")) if path.is_file() and OWN_FOLDER not in path.parts}

    def pull(self, wanted: Callable[[str], bool] = everything) -> int:
        return self.courier.pull(wanted)

    def push(self, files: dict[str, bytes | str] | None = None) -> int:
        self.write(files or {})
        return self.courier.push()

    @property
    def notes(self) -> str:
        return "\n".join(self.courier.shelf.notes)


def machines(folder: Path, count: int) -> list[Machine]:
    """Machines that share the folder ``drive``."""
    return [Machine(folder / f"machine{number}", folder / "drive") for number in range(count)]


def saved(folder: Path) -> Path:
    """Where the archives and the indexes lie."""
    return folder / "drive" / "saved"


def archives(folder: Path) -> list[Path]:
    return sorted(saved(folder).glob("*.tar"))


def indexes(folder: Path) -> list[Path]:
    return sorted(saved(folder).glob("index-*"))


def flip(path: Path) -> None:
    """Other bytes of the same number."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


def fresh(folder: Path) -> dict[str, str]:
    """What a new machine gets."""
    number = len(list(folder.glob("fresh*")))
    machine = Machine(folder / f"fresh{number}", folder / "drive")
    machine.pull()
    return machine.read()


def failing(*_arguments: object) -> None:
    raise NpyLabelError("drive_fault", "x", "y")
