"""What people decided about their photos: an append-only journal that is never rewritten."""

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

DECISIONS = "decisions"
LEAVE_OUT, TAKE_BACK, KEEP_LABEL = "leave_out", "take_back", "keep_label"
# Its class: the label of the photo, and an example to train on; or the label alone.
ASSIGN, LABEL = "assign", "label"
# Looked at, to be decided later; nothing is decided about it any more (what undo writes where nothing was before).
SKIP, CLEAR = "skip", "clear"
_SUFFIX = ".jsonl"
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Decision:
    """One line of the journal.

    Attributes:
        sha256: of the original's bytes: the photo, whatever its files are called.
        action: what was decided, such as "leave_out".
        name: of the photo when it was decided, for the reader.
        class_name: of the class that was chosen, "" where it is not about a class ("class" in the file).
        source: what the person used, such as "manage".
        time: UTC, ISO with microseconds; given by the journal.
    """

    sha256: str
    action: str
    name: str = ""
    class_name: str = ""
    source: str = ""
    time: str = ""


@dataclass(frozen=True)
class PhotoState:
    """What is decided about one photo.

    Attributes:
        class_name: of its class as the journal has it, "" where none was chosen.
        trains: it is an example of its class to train on.
        skipped: somebody looked at it and left it for later.
        out: it is out of the dataset; its class is kept for the day it comes back.
    """

    class_name: str = ""
    trains: bool = False
    skipped: bool = False
    out: bool = False


UNDECIDED = PhotoState()


class Batch(NamedTuple):
    """Decisions of one click: all that were appended together.

    Attributes:
        time: of all of them.
        session: name of the file that holds them.
        decisions: in their order.
    """

    time: str
    session: str
    decisions: list[Decision]


class DecisionJournal:
    """The decisions of one session, in a file of its own in the folder.

    The file is made with the first decision. Its name is the session's: no other process and no other machine that
    shares the folder writes to it. Times never go back, neither in the file nor behind what was decided before in the
    folder (the clock of another machine may be ahead): the last word stays the last. Decisions that are appended
    together have one time: they are one batch.

    Args:
        folder: of the journals of all sessions.
        after: the newest time in the folder, "" for none, by who has read it; None reads it.

    Raises:
        NpyLabelError: ``decisions_damaged`` where the folder holds lines that cannot be understood.
    """

    def __init__(self, folder: Path, after: str | None = None) -> None:
        self.folder = folder
        self._last = datetime.min
        self._file, self._pid = None, 0
        for time in {decision.time for decision in read_decisions(folder)} if after is None else {after} - {""}:
            self.follow(time)

    @property
    def path(self) -> Path | None:
        """The file that takes the decisions now, None before the first one."""
        return Path(self._file.name) if self._file else None

    def follow(self, time: str) -> None:
        """Give later times than this one to all that comes: somebody else in the folder had the last word."""
        self._last = max(self._last, _moment(time))

    def append(self, decisions: Iterable[Decision]) -> list[Decision]:
        """The decisions with their one time; they are on the disk when this returns.

        Raises:
            OSError: where they cannot be written; none of them counts then as acknowledged.
        """
        decisions = list(decisions)
        time = self._now() if decisions else ""
        stamped = [replace(decision, time=time) for decision in decisions]
        if stamped:
            self._write("".join(map(_line, stamped)).encode("utf-8"))
        return stamped

    def _now(self) -> str:
        self._last = max(datetime.now(UTC).replace(tzinfo=None), self._last + _TICK)
        return self._last.isoformat(timespec="microseconds") + "+00:00"

    def _write(self, data: bytes) -> None:
        # A forked process has the parent's file: it gets one of its own.
        if self._file is None or self._pid != os.getpid():
            self._open()
        try:
            while data:  # A disk that gets full takes a part, and refuses the rest only at the next call.
                data = data[self._file.write(data):]
            os.fsync(self._file.fileno())
        except OSError:
            # What is torn now must stay the last line of its file.
            self._file.close()
            self._file = None
            raise

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{self._last:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(8)}{_SUFFIX}"
        # Without a buffer: after a failed write nothing is left to be written again when the file is closed.
        self._file, self._pid = (self.folder / name).open("xb", buffering=0), os.getpid()
        _flush_folder(self.folder)

    def close(self) -> None:
        """Close the file; the next decision would begin another one."""
        if self._file:
            self._file.close()
        self._file = None

    def __enter__(self) -> "DecisionJournal":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class JournalReader:
    """Reads the journals of all sessions in a folder, and later what they got meanwhile.

    Args:
        folder: of the journals; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # How many bytes and lines of each file were read.
        self._read: dict[str, tuple[int, int]] = {}

    def new(self) -> list[Batch]:
        """The batches that were not given before, by time and file; a last line that a kill tore is in none.

        Raises:
            NpyLabelError: ``decisions_damaged`` where another line cannot be understood.
        """
        found = [batch for name, size in self._files() for batch in self._new_of(name, size)]
        return sorted(found, key=lambda batch: batch[:2])

    def pass_over(self, path: Path) -> None:
        """Take what a file holds by now for given: this process wrote it."""
        self._read[path.name] = (path.stat().st_size, 0)

    def _files(self) -> list[tuple[str, int]]:
        try:
            with os.scandir(self.folder) as entries:
                return sorted((entry.name, entry.stat().st_size) for entry in entries if entry.name.endswith(_SUFFIX))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _new_of(self, name: str, size: int) -> list[Batch]:
        begin, lines = self._read.get(name, (0, 0))
        if size <= begin:
            return []
        path = self.folder / name
        with path.open("rb") as file:
            file.seek(begin)
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        decisions = _parse(whole, path, lines + 1)
        self._read[name] = (begin + len(whole), lines + len(decisions))
        # Sorted, because lines that somebody brought together in one file need not be in order.
        decisions.sort(key=lambda decision: decision.time)
        return [Batch(time, name, list(group)) for time, group in groupby(decisions, lambda decision: decision.time)]


def read_decisions(folder: Path) -> list[Decision]:
    """All decisions of all sessions by time; a last line that a kill tore is not one.

    Raises:
        NpyLabelError: ``decisions_damaged`` where another line cannot be understood.
    """
    return [decision for batch in JournalReader(folder).new() for decision in batch.decisions]


def photo_states(decisions: Iterable[Decision]) -> dict[str, PhotoState]:
    """What is decided about each photo, by SHA-256, by the last word on it; that a label is right does not count.

    Args:
        decisions: in their order, as ``read_decisions`` gives them.
    """
    states: dict[str, PhotoState] = {}
    for decision in decisions:
        old = states.get(decision.sha256, UNDECIDED)
        new = state_after(old, decision)
        if new is not old:
            states[decision.sha256] = new
    return states


def state_after(state: PhotoState, decision: Decision) -> PhotoState:
    """The state of a photo when this was decided about it; the same object where the action is not about its state."""
    action = decision.action
    if action in (ASSIGN, LABEL):
        return PhotoState(decision.class_name, trains=action == ASSIGN, out=state.out)
    if action in (SKIP, CLEAR):
        return PhotoState(skipped=action == SKIP, out=state.out)
    if action in (LEAVE_OUT, TAKE_BACK):
        return replace(state, out=action == LEAVE_OUT)
    return state


def left_out(decisions: Sequence[Decision]) -> set[str]:
    """SHA-256 of the originals that are out of the dataset by the last word on each."""
    last = {decision.sha256: decision.action for decision in decisions if decision.action in (LEAVE_OUT, TAKE_BACK)}
    return {sha256 for sha256, action in last.items() if action == LEAVE_OUT}


def kept_labels(decisions: Sequence[Decision]) -> dict[str, str]:
    """Class name by SHA-256 of the photos whose class a person found right or chose, by the last word on each."""
    return {decision.sha256: decision.class_name for decision in decisions
            if decision.action in (KEEP_LABEL, ASSIGN, LABEL, CLEAR)}


def read_kept_labels(work_dir: Path) -> dict[str, str]:
    """The same of the decisions in a work folder.

    Raises:
        NpyLabelError: of ``read_decisions``.
    """
    return kept_labels(read_decisions(work_dir / DECISIONS))


def _line(decision: Decision) -> str:
    values = {"sha256": decision.sha256, "name": decision.name, "class": decision.class_name,
              "action": decision.action, "time": decision.time, "source": decision.source}
    return json.dumps(values) + "\n"


def _parse(data: bytes, path: Path, first: int) -> list[Decision]:
    """The decisions of whole lines, the first of which has this number in the file."""
    decisions = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=first):
        try:
            decisions.append(_decision(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise NpyLabelError(
                "decisions_damaged",
                _("Line {number} of {path} cannot be read: {reason}.").format(
                    number=number, path=path, reason=error),
                _("Remove that line; the others stay valid.")) from error
    return decisions


def _decision(values: dict) -> Decision:
    decision = Decision(
        sha256=values["sha256"], action=values["action"], name=values["name"], class_name=values["class"],
        source=values["source"], time=values["time"])
    if not all(isinstance(value, str) for value in vars(decision).values()):
        raise TypeError(values)
    _moment(decision.time)
    return decision


def _moment(time: str) -> datetime:
    """The time without its zone, which is always UTC."""
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)


def _flush_folder(folder: Path) -> None:
    """Wait until the name of a new file is on the disk, too (Windows has no such call)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
