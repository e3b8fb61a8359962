"""What a machine changed on the Drive, and what of that is uploaded: one SQLite file in the Drive's state folder.

All processes of a machine share it. A lock on a file serializes them, so SQLite never waits; a process that is killed
leaves the last whole transaction and frees the lock. ``tests.colab.slow_drive`` says what is modelled.
"""

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# change.kind: write, delete, move, mkdir, rmdir.
# change.state: 0 pending, 1 uploaded, 2 left by the machine before, 3 kept as late.
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value);
CREATE TABLE IF NOT EXISTS counts (kind TEXT PRIMARY KEY, operations INTEGER, read INTEGER, written INTEGER);
CREATE TABLE IF NOT EXISTS change (
    path TEXT PRIMARY KEY, n INTEGER, kind TEXT, source TEXT DEFAULT '', old TEXT DEFAULT '',
    replaced INTEGER DEFAULT 0, writer INTEGER DEFAULT 0, state INTEGER DEFAULT 0,
    due_op REAL DEFAULT 0, due_s REAL DEFAULT 0);
CREATE TABLE IF NOT EXISTS late (
    blob TEXT PRIMARY KEY, path TEXT, due_op REAL, due_s REAL, is_next INTEGER DEFAULT 0);
"""
_BYPASS = threading.local()


def bypassed() -> bool:
    """Whether this thread is at the Drive's own bookkeeping, which is no operation of the program."""
    return getattr(_BYPASS, "depth", 0) > 0


@contextmanager
def bypass() -> Iterator[None]:
    """Reach the real files: the layer, where there is one, lets this thread pass."""
    _BYPASS.depth = getattr(_BYPASS, "depth", 0) + 1
    try:
        yield
    finally:
        _BYPASS.depth -= 1


class DriveState:
    """The shared book of one Drive.

    Args:
        root: the Drive's folder, as this machine sees it.
        folder: where the book, replaced versions and late files are; made when missing.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = Path(root), Path(folder)
        self._mutex, self._depth, self._db, self._lock = threading.RLock(), 0, None, None
        self._strangers: list[object] = []
        with bypass():
            for name in ("old", "late"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        with self.locked():
            pass

    def forget_parent(self) -> None:
        """For a forked child, which must neither use nor close its parent's connection."""
        self._strangers += [self._db, self._lock]
        self._mutex, self._depth, self._db, self._lock = threading.RLock(), 0, None, None

    def _connect(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._db = sqlite3.connect(self.folder / "state.sqlite", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + SCHEMA)

    @contextmanager
    def locked(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone among all processes; an exception takes the changes of the book back."""
        with self._mutex, bypass():
            first = self._depth == 0
            if first:
                if self._db is None:
                    self._connect()
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                self._db.execute("BEGIN")
            self._depth += 1
            done = False
            try:
                yield self._db
                done = True
            finally:
                self._depth -= 1
                if first:
                    self._db.execute("COMMIT" if done else "ROLLBACK")
                    fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files; the next use opens them again."""
        with self._mutex:
            if self._db is not None:
                self._db.close()
                os.close(self._lock)
            self._db = self._lock = None

    # --- numbers and switches -------------------------------------------------------------------------------------

    def get(self, key: str, default: float = 0) -> float:
        """A number of the book."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else default

    def put(self, key: str, value: float) -> None:
        """Note a number."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def count(self, kind: str) -> int:
        """The number of this operation, from 1, over all processes of the machine."""
        number = int(self.get("operations")) + 1
        self.put("operations", number)
        self._db.execute("INSERT INTO counts VALUES (?, 1, 0, 0) ON CONFLICT (kind) DO UPDATE SET "
                         "operations = operations + 1", (kind,))
        return number

    def count_bytes(self, kind: str, count: int) -> None:
        """Add the bytes that an operation of the kind ``read`` or ``write`` moved."""
        column = "read" if kind == "read" else "written"
        with self.locked() as db:
            db.execute(f"UPDATE counts SET {column} = {column} + ? WHERE kind = ?", (count, kind))

    def used_bytes(self) -> int:
        """The sum of the sizes of all files on the Drive."""
        with bypass():
            return sum((Path(folder) / name).lstat().st_size
                       for folder, _folders, names in os.walk(self.root) for name in names)

    # --- rows -----------------------------------------------------------------------------------------------------

    def rows(self, where: str = "1", *values: object) -> list[dict]:
        """The changes that meet a condition, oldest first."""
        return [dict(row) for row in self._db.execute(f"SELECT * FROM change WHERE {where} ORDER BY n", values)]

    def row(self, path: str) -> dict | None:
        """The pending change of a path; None where it has none."""
        return next(iter(self.rows("path = ? AND state = 0", path)), None)

    def set_row(self, path: str, kind: str, **values: object) -> None:
        """Note a change of a path in place of the one that was noted before."""
        number = int(self.get("changes")) + 1
        self.put("changes", number)
        values = {"path": path, "n": number, "kind": kind, **values}
        names = ", ".join(values)
        self._db.execute(f"INSERT OR REPLACE INTO change ({names}) VALUES ({', '.join('?' * len(values))})",
                         tuple(values.values()))
        self._db.execute("UPDATE late SET is_next = 0 WHERE path = ?", (path,))

    def drop_row(self, path: str) -> None:
        """Forget the change of a path, and the version that it replaced."""
        for row in self.rows("path = ?", path):
            self.drop_blob(row["old"])
        self._db.execute("DELETE FROM change WHERE path = ?", (path,))

    def drop_blob(self, name: str) -> None:
        """Remove a kept version of a file."""
        if name:
            (self.folder / "old" / name).unlink(missing_ok=True)

    def start_clock(self, path: str, lag_ops: float, lag_s: float) -> None:
        """From now on the change of ``path`` waits for its upload, about as long as the lag says."""
        rng = random.Random(f"{path}-{self.get('changes')}-{self.get('operations')}")
        due_op = self.get("operations") + lag_ops * rng.uniform(0.5, 1.5)
        due_s = time.time() + lag_s * rng.uniform(0.5, 1.5)
        self._db.execute("UPDATE change SET writer = 0, due_op = ?, due_s = ? WHERE path = ? AND state = 0",
                         (due_op, due_s, path))

    # --- time goes by ---------------------------------------------------------------------------------------------

    def settle(self, number: float, now: float) -> None:
        """What is due at this operation: pending changes are uploaded, late files appear."""
        for row in self.rows("state = 0 AND writer = 0 AND due_op <= ? AND due_s <= ?", number, now):
            self.uploaded(row)
        for row in list(self._db.execute("SELECT * FROM late WHERE due_op <= ? AND due_s <= ?", (number, now))):
            if self.root.is_dir():
                self._appear(row["path"], row["blob"], row["is_next"])

    def uploaded(self, row: dict) -> None:
        """A change has arrived. That of a file stays in the book: the next machine may see it late."""
        if row["kind"] == "write":
            self._db.execute("UPDATE change SET state = 1 WHERE path = ?", (row["path"],))
        else:
            self.drop_row(row["path"])

    def _appear(self, path: str, blob: str, is_next: int) -> None:
        self._db.execute("DELETE FROM late WHERE blob = ?", (blob,))
        if not (self.folder / "late" / blob).exists():
            # It appeared already, and the process was killed before the book knew.
            return
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 0
        while target.exists() and not is_next:
            # A file that was made here meanwhile: Drive keeps both of one name, and shows the second so.
            number += 1
            target = (self.root / path).with_stem(f"{(self.root / path).stem} ({number})")
        (self.folder / "late" / blob).replace(target)

    def make_late(self, path: str, due_op: float, due_s: float) -> None:
        """Keep a file for the time when it is due; its name is the caller's to clear."""
        self._new_late(path, due_op, due_s).hardlink_to(self.root / path)

    def restored(self, path: str) -> None:
        """The version before a late file is back: the late one takes its place, unless it is changed meanwhile."""
        self._db.execute("UPDATE late SET is_next = 1 WHERE path = ?", (path,))

    def add_late(self, path: str, data: bytes, due_op: float, due_s: float) -> None:
        """A file that nobody here wrote is to appear."""
        self._new_late(path, due_op, due_s).write_bytes(data)

    def _new_late(self, path: str, due_op: float, due_s: float) -> Path:
        number = int(self.get("changes")) + 1
        self.put("changes", number)
        self._db.execute("INSERT INTO late VALUES (?, ?, ?, ?, 0)", (str(number), path, due_op, due_s))
        (self.folder / "late" / str(number)).unlink(missing_ok=True)
        return self.folder / "late" / str(number)
