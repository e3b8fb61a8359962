"""What a run has done so far, so that a killed run continues."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from npylabel.base.files import write_text


class RunJournal:
    """An append-only file of JSON lines, read back after a kill and removed when the run is complete.

    Args:
        path: the file; made with the first line.
        settings: what the lines depend on. Lines that were written under other settings are not read.

    Attributes:
        stays: the file is not removed at the end: another run has yet to go on with it.
    """

    def __init__(self, path: Path, settings: dict[str, object]) -> None:
        self.path = path
        self.settings = json.loads(json.dumps(settings))
        self.stays, self._file = False, None

    def read(self) -> list[dict]:
        """The entries of an earlier run with the same settings, oldest first; a torn last line is dropped."""
        settings, entries = self.read_any()
        return entries if settings == self.settings else []

    def read_any(self) -> tuple[dict, list[dict]]:
        """(settings, entries) of an earlier run, whatever its settings were; ({}, []) where there is none."""
        first, *entries = [*_whole_lines(self.path)] or [{}]
        return first.get("settings") or {}, entries

    def __enter__(self) -> "RunJournal":
        # Rewriting what is whole drops a torn line, which would otherwise swallow the next one.
        write_text(self.path, _lines({"settings": self.settings}, *self.read()))
        self._file = self.path.open("a", encoding="utf-8")
        return self

    def append(self, *entries: dict) -> None:
        """Add entries; they are with the operating system when this returns."""
        self._file.write(_lines(*entries))
        self._file.flush()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is None and not self.stays:
            self.path.unlink(missing_ok=True)


def _lines(*entries: dict) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def _whole_lines(path: Path) -> Iterable[dict]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            return
        if not isinstance(entry, dict):
            return
        yield entry
