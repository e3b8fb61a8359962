"""The end of a machine: what of its pending changes the next one finds."""

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from tests.colab.drive_state import DriveState

WRITES = ("whole", "never", "short", "late")
DELETIONS = ("happened", "comes_back")


def lose_machine(
    state: DriveState, rng: random.Random, writes: Sequence[str], deletions: Sequence[str], late_ops: float,
) -> list[tuple[str, str]]:
    """Draw the fate of each pending change; the pairs of path and outcome."""
    with state.locked():
        fates = [(row["path"], _settle_row(state, row, rng, writes, deletions, late_ops))
                 for row in sorted(state.rows("state = 0"), key=_files_first)]
        _begin_next(state)
    return fates


def end_machine(state: DriveState) -> None:
    """Everything that was pending is uploaded, and the next machine begins."""
    with state.locked():
        upload_all(state)
        _begin_next(state)


def upload_all(state: DriveState) -> None:
    """Everything that is pending arrives now; the machine goes on."""
    with state.locked():
        for row in state.rows("state = 0"):
            state.uploaded(row)


def welcome_machine(state: DriveState, late_ops: float, late_s: float) -> None:
    """What the machine before wrote appears late, where the settings say so. Done once per machine."""
    # Two transactions: a process that is killed between them, or in them, loses no file.
    with state.locked() as db:
        for row in state.rows("state = 2"):
            if (late_ops or late_s) and (state.root / row["path"]).is_file():
                state.make_late(row["path"], state.get("operations") + late_ops, time.time() + late_s)
                db.execute("UPDATE change SET state = 3 WHERE path = ?", (row["path"],))
            else:
                state.drop_row(row["path"])
    with state.locked():
        for row in state.rows("state = 3"):
            (state.root / row["path"]).unlink(missing_ok=True)
            _restore(state, row["path"], row["old"])
            state.drop_row(row["path"])


def close_files_of_the_dead(state: DriveState, lag_ops: float, lag_s: float) -> None:
    """Files that a killed process of this machine left open are closed."""
    with state.locked():
        for row in state.rows("state = 0 AND writer > 0"):
            if not Path("/proc", str(row["writer"])).exists():
                state.start_clock(row["path"], lag_ops, lag_s)


def _files_first(row: dict) -> tuple[bool, int]:
    # Folders last, the deepest first: by then it is known which of them hold something.
    return row["kind"] in ("mkdir", "rmdir"), -row["path"].count("/")


def _settle_row(state: DriveState, row: dict, rng: random.Random, writes: Sequence[str], deletions: Sequence[str],
                late_ops: float) -> str:
    path = state.root / row["path"]
    arrives = rng.random() < 0.5 if len(deletions) > 1 else deletions[0] == "happened"
    if row["kind"] == "write":
        return _settle_write(state, row, rng, rng.choice(list(writes)), late_ops)
    if row["kind"] == "delete":
        path.unlink(missing_ok=True)
        if not arrives:
            _restore(state, row["path"], row["old"])
    elif row["kind"] == "move":
        _settle_move(state, row, arrives)
    elif row["kind"] == "mkdir":
        if not arrives and path.is_dir() and not os.listdir(path):
            path.rmdir()
    elif not arrives:
        path.mkdir(parents=True, exist_ok=True)
    state.drop_row(row["path"])
    return "happened" if arrives else "comes_back"


def _settle_write(state: DriveState, row: dict, rng: random.Random, outcome: str, late_ops: float) -> str:
    path = state.root / row["path"]
    if not path.is_file():
        # Killed between the note and the deed.
        outcome = "never"
    if outcome == "short" and path.stat().st_size == 0:
        outcome = "whole"
    if outcome == "short":
        os.truncate(path, rng.randrange(path.stat().st_size))
    elif outcome == "late":
        state.make_late(row["path"], rng.uniform(1, late_ops), 0)
        path.unlink()
    elif outcome == "never":
        path.unlink(missing_ok=True)
        if row["replaced"] and rng.random() < 0.5:
            # The deletion of the replaced file arrived, and its successor did not.
            state.drop_row(row["path"])
            return "gone"
    if outcome in ("late", "never"):
        _restore(state, row["path"], row["old"])
        state.drop_row(row["path"])
    else:
        state.uploaded(row)
    return outcome


def _settle_move(state: DriveState, row: dict, arrives: bool) -> None:
    path, source = state.root / row["path"], state.root / row["source"]
    if arrives or not path.exists() or source.exists():
        return
    source.parent.mkdir(parents=True, exist_ok=True)
    path.replace(source)
    _restore(state, row["path"], row["old"])


def _restore(state: DriveState, path: str, old: str) -> None:
    kept = state.folder / "old" / old
    # It may be missing after a change that was noted, and then failed.
    if old and kept.exists():
        (state.root / path).parent.mkdir(parents=True, exist_ok=True)
        kept.replace(state.root / path)
        state.restored(path)


def _begin_next(state: DriveState) -> None:
    with state.locked() as db:
        db.execute("UPDATE change SET state = 2 WHERE state = 1")
        db.execute("DELETE FROM counts")
        for key in ("operations", "dropped", "remounted"):
            state.put(key, 0)
