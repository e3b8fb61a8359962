"""A Google Drive that is a program of the tests: a layer over a real folder, installed into Python processes.

The layer stands before the functions of ``os``, ``io.open`` and ``open`` in which pathlib, shutil, tarfile, zipfile and
tempfile end, for paths at or below one folder (``root``); every other path is untouched and as fast as ever. This page
is the reference for what "survives Drive" means in the tests.

**Machines.** The Drive lives on, machines come and go. All processes with the same root and state folder are one
machine, one after another or at once. The test ends a machine with ``machine_ends`` (a runtime that was disconnected
in peace: everything is uploaded) or ``machine_dies`` (it is gone: see below), when none of its processes lives.
What lies in the folder then is what the next machine finds. One machine at a time; what a phone or another machine puts
there meanwhile is ``put_from_elsewhere``.

**Operations** are counted by kind, over all processes of the machine, in a book that survives SIGKILL: ``open`` (to
read), ``create`` (to write), ``read``, ``write`` (each buffer, with its bytes), ``close`` (of a written file),
``stat``, ``list``, ``mkdir``, ``rmdir``, ``remove``, ``rename``, ``truncate``, ``sync``, ``attribute``. They have a
number, from 1 for each machine; ``drop_at`` and ``kill_at`` count so. Entries of ``os.scandir`` know their type for
free; their ``stat`` is an operation. ``kill_at`` is SIGKILL for all processes of the machine (those with the same
``COLAB_STUB_MACHINE`` in their environment) before or after the deed of that operation, and half-way in a write.

**Slow.** Each operation sleeps ``delay_s``; reads and writes do so only with ``delay_data``, and take
``1 / bytes_per_s`` per byte.

**Faults.** Each operation fails with probability ``fault_rate``, decided by ``seed`` and its number only, with one of
``fault_errors``. A write that fails leaves a random part of its bytes, as the kernel does it: it reports fewer bytes,
and the next write or the close raises. A file whose close raises is closed. Of the failed ``mkdir``, ``rmdir``,
``remove``, ``rename`` and ``truncate``, the share ``fault_after`` was done all the same.

**Quota.** Beyond ``quota_bytes`` over the whole folder a write leaves what still fits and raises ``quota_error``.
``statvfs`` and ``shutil.disk_usage`` show the quota. (Real Drive takes the bytes and complains later.)

**A mount that drops.** From operation ``drop_at`` on, or after ``drop``, everything fails with ENOTCONN until
``remount``, also ``stat`` and ``exists()``. Open files are lost: their writes and their close fail.

**Uploads are late.** What a machine changes, it sees at once; the change is *pending* until it is uploaded, about
``lag_ops`` operations and ``lag_s`` seconds later (half to one and a half times; both must have passed), each change
for itself, hence in random order. ``fsync`` uploads nothing. The clock of a file starts when it is closed; each later
opening for writing makes it pending again. When a machine dies, each pending change has its own fate:

- a written file arrives ``whole``; ``never`` (what was there before is back); ``short``, cut at a random byte; or
  ``late``: what was there before is back until some operations of the next machine, or ``settle_late``, and then the
  new file appears;
- a file that came over another by ``rename`` or after ``unlink`` is a deletion and a new file. So it may also be
  ``gone``: the deletion arrived and the new file did not;
- a deletion ``happened``, or the file ``comes_back``;
- an uploaded file that was only renamed has the new name or the old one, never none; a renamed file that was itself
  pending is a written file;
- a folder was made or not, removed or not. A folder arrives with the first file in it. A renamed folder is not atomic:
  each file below it goes by itself.

``os.getxattr(path, "user.drive.id")`` is ``b"local-<n>"`` while a new file is pending and another id afterwards. A file
that was changed in place keeps its id: **its id does not tell whether the change is uploaded**.

**Late to be seen.** With ``late_ops`` or ``late_s``, the files that the machine before wrote appear only that many
operations and seconds after this machine began; until then what they replaced is there. A late file whose name was
taken by this machine meanwhile appears as ``name (1).ext``, as Drive shows two files of one name.

**What Drive cannot**: hard and symbolic links (EOPNOTSUPP), and renames across its border (EXDEV).

**Not modelled**: files that C code opens by itself (SQLite, ``torch.save`` with a path, OpenCV, mmap's writes), imports
of Python modules, ``os.readv`` and ``os.writev``, default arguments that hold an original function since before
``install``; ids of folders that were renamed; the caches of the kernel: each call is an operation.
"""

import builtins
import io
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from tests.colab import drive_calls, drive_files, drive_machines
from tests.colab.drive_layer import UNMOUNTED, Layer
from tests.colab.drive_state import DriveState, bypass

# JSON of the settings; ``site/sitecustomize.py`` installs the layer in each process that has it.
VARIABLE = "COLAB_STUB_DRIVE_SETTINGS"
# Modules that hold Python's own functions, and must go on doing so.
_SOURCES = {"posix", "_io", "_pyio", "_frozen_importlib", "_frozen_importlib_external"}
_CAPABILITIES = ("supports_dir_fd", "supports_fd", "supports_follow_symlinks", "supports_effective_ids")


@dataclass(frozen=True)
class DriveSettings:
    """How the Drive behaves; the module's text says what each number does. The defaults: a plain folder, counted."""

    root: str
    state: str = ""
    aliases: tuple[str, ...] = ()
    delay_s: float = 0.0
    delay_data: bool = False
    bytes_per_s: float = 0.0
    fault_rate: float = 0.0
    fault_errors: tuple[str, ...] = ("EIO", "ENOTCONN", "ETIMEDOUT", "ESTALE")
    fault_on: tuple[str, ...] = ()
    fault_after: float = 0.25
    seed: int = 0
    quota_bytes: int | None = None
    quota_error: str = "EDQUOT"
    drop_at: int = 0
    kill_at: int = 0
    lag_ops: float = 0.0
    lag_s: float = 0.0
    late_ops: float = 0.0
    late_s: float = 0.0

    @property
    def state_folder(self) -> Path:
        """Where the bookkeeping is: beside the root unless ``state`` says where."""
        return Path(self.state) if self.state else default_state(self.root)

    def to_json(self) -> str:
        """The value of the environment variable ``VARIABLE``."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "DriveSettings":
        """The settings of another process."""
        values = json.loads(text)
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@dataclass
class Usage:
    """What a machine did on the Drive, all of its processes together.

    Attributes:
        operations: how many of each kind.
        read, written: bytes.
    """

    operations: dict[str, int] = field(default_factory=dict)
    read: int = 0
    written: int = 0

    @property
    def total(self) -> int:
        """All operations."""
        return sum(self.operations.values())


def default_state(root: str | Path) -> Path:
    """The state folder of a Drive that was given none."""
    return Path(root).with_name(Path(root).name + ".drive-state")


# --- the layer --------------------------------------------------------------------------------------------------------


def install(settings: DriveSettings) -> Callable[[], None]:
    """Put this process on the Drive; the function that is returned takes the layer away again."""
    real = {f"os.{name}": getattr(os, name) for name in drive_calls.NAMES if hasattr(os, name)}
    real["open"] = io.open
    layer = Layer(settings, real)
    replacements = drive_calls.functions(layer) | {"open": partial(drive_files.open_file, layer)}
    pairs = [(real[name], replacement) for name, replacement in replacements.items()]
    _exchange(pairs)
    return lambda: (_exchange([(new, old) for old, new in pairs]), layer.state.close())[0]


@contextmanager
def installed(settings: DriveSettings) -> Iterator[None]:
    """This process is on the Drive inside the block."""
    uninstall = install(settings)
    try:
        yield
    finally:
        uninstall()


def _exchange(pairs: Sequence[tuple[object, object]]) -> None:
    """In every module, and in the lists of what ``os`` can, each first of a pair becomes its second."""
    new_of = {id(old): new for old, new in pairs}
    for name, module in list(sys.modules.items()):
        if name not in _SOURCES:
            # Some modules kept a function of their own: tarfile has bltn_open.
            for key, value in list(getattr(module, "__dict__", {}).items()):
                if id(value) in new_of:
                    setattr(module, key, new_of[id(value)])
    builtins.open = io.open
    for name in _CAPABILITIES:
        able = getattr(os, name)
        setattr(os, name, {new_of.get(id(function), function) for function in able})


# --- what a test does between and beside machines ---------------------------------------------------------------------


def machine_dies(
    root: str | Path, rng: random.Random, *, writes: Sequence[str] = drive_machines.WRITES,
    deletions: Sequence[str] = drive_machines.DELETIONS, late_ops: float = 20, state: str | Path = "",
) -> list[tuple[str, str]]:
    """The machine is gone; the outcome of each of its pending changes, by path.

    Args:
        root: the Drive's folder.
        rng: draws the outcomes.
        writes: the possible outcomes of a written file; one of them forces it.
        deletions: the same for deletions, renames and folders.
        late_ops: a file that is ``late`` appears within so many operations of the next machine.
        state: the state folder, where it is not the default one.
    """
    with _book(root, state) as book:
        return drive_machines.lose_machine(book, rng, writes, deletions, late_ops)


def machine_ends(root: str | Path, *, state: str | Path = "") -> None:
    """The machine ended in peace: everything is uploaded."""
    with _book(root, state) as book:
        drive_machines.end_machine(book)


def upload_all(root: str | Path, *, state: str | Path = "") -> None:
    """Everything pending is uploaded now, as ``drive.flush_and_unmount`` promises."""
    with _book(root, state) as book:
        drive_machines.upload_all(book)


def pending(root: str | Path, *, state: str | Path = "") -> dict[str, str]:
    """The pending changes: ``write``, ``delete``, ``move``, ``mkdir`` or ``rmdir``, by path."""
    with _book(root, state) as book, book.locked():
        return {row["path"]: row["kind"] for row in book.rows("state = 0")}


def touched(root: str | Path, *, state: str | Path = "") -> set[str]:
    """Every name that a pending change is about: those of a rename are two."""
    with _book(root, state) as book, book.locked():
        return {name for row in book.rows("state = 0") for name in (row["path"], row["source"]) if name}


def settle_late(root: str | Path, *, state: str | Path = "") -> None:
    """Every late file appears now."""
    with _book(root, state) as book, book.locked() as db:
        # Before any pending change can be due.
        db.execute("UPDATE late SET due_op = -1, due_s = -1")
        book.settle(-1, -1)


def put_from_elsewhere(root: str | Path, path: str, data: bytes, *, late_ops: float = 0, late_s: float = 0,
                       state: str | Path = "") -> None:
    """Another device uploads a file now; this machine sees it ``late_ops`` operations and ``late_s`` seconds later."""
    with _book(root, state) as book, book.locked():
        number = book.get("operations")
        book.add_late(path, data, number + late_ops, time.time() + late_s)
        book.settle(number, time.time())


def drop(root: str | Path, *, state: str | Path = "") -> None:
    """The mount drops now."""
    with _book(root, state) as book, book.locked():
        book.put("dropped", 1)


def remount(root: str | Path, *, state: str | Path = "") -> None:
    """The mount is back, and stays: ``drop_at`` strikes once per machine."""
    with _book(root, state) as book, book.locked():
        book.put("dropped", 0)
        book.put("remounted", 1)


def set_mounted(root: str | Path, mounted: bool, *, state: str | Path = "") -> None:
    """Whether Drive is mounted; before it is, its path is an ordinary one and nothing is counted."""
    mark = (Path(state) if state else default_state(root)) / UNMOUNTED
    with bypass():
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True) if mounted else mark.touch()


def usage(root: str | Path, *, state: str | Path = "") -> Usage:
    """What the machine has done on the Drive so far."""
    with _book(root, state) as book, book.locked() as db:
        rows = db.execute("SELECT * FROM counts ORDER BY kind").fetchall()
        return Usage({row["kind"]: row["operations"] for row in rows}, sum(row["read"] for row in rows),
                     sum(row["written"] for row in rows))


@contextmanager
def _book(root: str | Path, state: str | Path) -> Iterator[DriveState]:
    book = DriveState(Path(root), Path(state) if state else default_state(root))
    try:
        with bypass():
            yield book
    finally:
        book.close()
