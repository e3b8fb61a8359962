"""What people decided about their photos: an append-only journal that is never rewritten."""

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


class DecisionJournal:
    """The decisions of one session, in a file of its own in the folder.

    The file is made with the first decision. Its name is the session's: no other process and no other machine that
    shares the folder writes to it. Times never go back, neither in the file nor behind what was decided before in the
    folder (the clock of another machine may be ahead): the last word stays the last. Decisions that are appended
    together have one time: they are one batch.

    Args:
        folder: of the journals of all sessions.

    Raises:
        NpyLabelError: ``decisions_damaged`` where the folder holds lines that cannot be understood.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = max((_moment(decision) for decision in read_decisions(folder)), default=datetime.min)
        self._file, self._pid = None, 0

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


def read_decisions(folder: Path) -> list[Decision]:
    """All decisions of all sessions by time; a last line that a kill tore is not one.

    Raises:
        NpyLabelError: ``decisions_damaged`` where another line cannot be understood.
    """
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        found += [(decision.time, path.name, number, decision) for number, decision in enumerate(_read(path))]
    return [decision for *_key, decision in sorted(found, key=lambda entry: entry[:3])]


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


def read_left_out(work_dir: Path) -> set[str]:
    """SHA-256 of the originals that a person left out of the work in a folder.

    Raises:
        NpyLabelError: of ``read_decisions``.
    """
    return left_out(read_decisions(work_dir / DECISIONS))


def kept_labels(decisions: Sequence[Decision]) -> dict[str, str]:
    """Class name by SHA-256 of the photos whose class a person looked at and found right, by the last word on each."""
    return {decision.sha256: decision.class_name for decision in decisions if decision.action == KEEP_LABEL}


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


def _read(path: Path) -> list[Decision]:
    decisions = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
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
    _moment(decision)
    return decision


def _moment(decision: Decision) -> datetime:
    """The time without its zone, which is always UTC."""
    return datetime.fromisoformat(decision.time).astimezone(UTC).replace(tzinfo=None)


def _flush_folder(folder: Path) -> None:
    """Wait until the name of a new file is on the disk, too (Windows has no such call)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
