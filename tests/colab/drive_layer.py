"""One operation on the Drive: counted, delayed, failed or killed as the settings say."""

import errno
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.colab.drive_changes import Changes
from tests.colab.drive_death import die
from tests.colab.drive_machines import close_files_of_the_dead, welcome_machine
from tests.colab.drive_state import DriveState, bypassed

if TYPE_CHECKING:
    from tests.colab.slow_drive import DriveSettings

# Exists in the state folder while Drive is not mounted: until then its path is an ordinary one.
UNMOUNTED = "unmounted"


@dataclass
class Fate:
    """What becomes of one operation.

    Attributes:
        rng: drawn from the seed and the number of the operation only.
        error: raised by it.
        kill: the machine dies in it.
        late: the error or the death comes after the deed.
    """

    rng: random.Random
    error: OSError | None = None
    kill: bool = False
    late: bool = False


@dataclass
class OpenFile:
    """A file descriptor on the Drive."""

    fd: int
    path: str
    writing: bool
    identity: tuple[int, int]
    error: OSError | None = field(default=None)


class Layer:
    """The Drive of this process.

    Args:
        settings: see ``tests.colab.slow_drive``.
        real: the functions of Python that the layer stands before, by their names.
    """

    def __init__(self, settings: "DriveSettings", real: dict[str, Callable]) -> None:
        self.settings, self.real = settings, real
        self.state = DriveState(Path(settings.root), settings.state_folder)
        os.register_at_fork(after_in_child=self.state.forget_parent)
        self.changes = Changes(self.state, settings.lag_ops, settings.lag_s)
        self.open_files: dict[int, OpenFile] = {}
        self._unmounted = str(settings.state_folder / UNMOUNTED)
        self._roots = [os.path.abspath(root) for root in (settings.root, *settings.aliases)]  # noqa: PTH100 - links stay
        self._welcomed = False
        close_files_of_the_dead(self.state, settings.lag_ops, settings.lag_s)

    def locate(self, path: object, dir_fd: int | None = None) -> str | None:
        """``path`` relative to the Drive ("" is its root); None where it is not on the Drive."""
        if bypassed():
            return None
        if isinstance(path, int):
            opened = self.opened(path)
            return opened.path if opened else None
        try:
            name = os.fsdecode(path)
        except TypeError:
            return None
        if not name.startswith("/"):
            name = f"{self._base(dir_fd)}/{name}"
        name = os.path.normpath(name)
        for root in self._roots:
            if name == root or name.startswith(root + "/"):
                return None if self._is_unmounted() else name[len(root) + 1:]
        return None

    def _base(self, dir_fd: int | None) -> str:
        try:
            return self.real["os.readlink"](f"/proc/self/fd/{dir_fd}") if dir_fd is not None else str(Path.cwd())
        except OSError:
            return "/"

    def _is_unmounted(self) -> bool:
        try:
            self.real["os.lstat"](self._unmounted)
        except OSError:
            return False
        return True

    # --- one operation --------------------------------------------------------------------------------------------

    def run(self, kind: str, function: Callable, path: object, before: Callable[[], None] | None = None) -> object:
        """The result of an operation that reads (``before`` is None) or changes the Drive."""
        fate = self.begin(kind, path)
        fate.late &= before is not None
        self.strike(fate, late=False)
        if before is None:
            return function()
        return self._change(fate, before, function)

    def _change(self, fate: Fate, note: Callable[[], None], deed: Callable) -> object:
        """Note and do what changes the Drive; a note without a deed is taken back."""
        try:
            with self.state.locked():
                note()
                result = deed()
        finally:
            # Also where the deed itself was impossible.
            if fate.kill:
                self.die()
        self.strike(fate, late=True)
        return result

    def begin(self, kind: str, path: object) -> Fate:
        """Count an operation, wait, and say what becomes of it.

        Raises:
            OSError: ``ENOTCONN`` while the mount is dropped.
        """
        settings = self.settings
        if not self._welcomed:
            # Not earlier: the folder may have been mounted after this process began.
            welcome_machine(self.state, settings.late_ops, settings.late_s)
            self._welcomed = True
        with self.state.locked():
            number = self.state.count(kind)
            self.state.settle(number, time.time())
            if settings.drop_at and number >= settings.drop_at and not self.state.get("remounted"):
                self.state.put("dropped", 1)
            dropped = self.state.get("dropped")
        if settings.delay_s and (settings.delay_data or kind not in ("read", "write")):
            time.sleep(settings.delay_s)
        if dropped:
            raise self.error("ENOTCONN", path)
        return self._fate(number, kind, path)

    def _fate(self, number: int, kind: str, path: object) -> Fate:
        settings = self.settings
        rng = random.Random(f"{settings.seed}-{number}")
        fate = Fate(rng, kill=number == settings.kill_at)
        if fate.kill:
            fate.late = rng.random() < 0.5
        elif (not settings.fault_on or kind in settings.fault_on) and rng.random() < settings.fault_rate:
            fate.error = self.error(rng.choice(list(settings.fault_errors)), path)
            fate.late = rng.random() < settings.fault_after
        return fate

    def strike(self, fate: Fate, *, late: bool) -> None:
        """Do what a fate has for the moment before, or after, the deed."""
        if fate.late == late:
            if fate.kill:
                self.die()
            if fate.error:
                raise fate.error

    def die(self) -> None:
        """End this machine; no other thread or process begins an operation meanwhile."""
        with self.state.locked():
            die()

    def error(self, name: str, path: object = None) -> OSError:
        """The error that the operating system raises under this name."""
        number = getattr(errno, name)
        named = (path,) if isinstance(path, str | bytes | os.PathLike) else ()
        return OSError(number, os.strerror(number), *map(os.fspath, named))

    # --- open files -----------------------------------------------------------------------------------------------

    def open(self, path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """A file descriptor of a file on the Drive."""
        place = self.locate(path, dir_fd)
        if place is None:
            return self.real["os.open"](path, flags, mode, dir_fd=dir_fd)
        changes = os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_WRONLY | os.O_RDWR
        writing = bool(flags & changes)
        function = partial(self.real["os.open"], path, flags, mode, dir_fd=dir_fd)
        if not writing:
            fd = self.run("open", function, path)
        else:
            fate = self.begin("create", path)
            fate.late &= fate.kill
            self.strike(fate, late=False)
            fd = self._change(fate, partial(self.changes.before_write, place), function)
        self.open_files[fd] = OpenFile(fd, place, writing, self._identity(fd))
        return fd

    def opened(self, fd: int) -> OpenFile | None:
        """The open file of a descriptor; None where it is not one of the Drive's."""
        opened = self.open_files.get(fd)
        if opened is None or bypassed():
            return None
        # C code may have closed it, and the number is another file's by now.
        if opened.identity != self._identity(fd):
            del self.open_files[fd]
            return None
        return opened

    def _identity(self, fd: int) -> tuple[int, int] | None:
        try:
            result = self.real["os.fstat"](fd)
        except OSError:
            return None
        return result.st_dev, result.st_ino

    def read(self, opened: OpenFile, get: Callable[[], object], size: Callable[[object], int] = len) -> object:
        """What ``get`` reads; its bytes are counted."""
        result = self.run("read", get, opened.path)
        count = size(result) if result is not None else 0
        self.moved("read", count)
        return result

    def write(self, opened: OpenFile, length: int, put: Callable[[int], int]) -> int:
        """How many of ``length`` bytes ``put`` wrote; after a fault, a part of them, and the next call raises."""
        if opened.error:
            error, opened.error = opened.error, None
            raise error
        fate = self.begin("write", opened.path)
        part = fate.rng.randrange(length) if length and (fate.error or fate.kill) else length
        room = self._room()
        if room is not None and part > room:
            part, fate.error = room, self.error(self.settings.quota_error, opened.path)
        count = put(part) if part else 0
        if fate.kill:
            self.die()
        self.moved("write", count)
        if fate.error and not count:
            raise fate.error
        opened.error = fate.error
        return count

    def _room(self) -> int | None:
        quota = self.settings.quota_bytes
        return None if quota is None else max(0, quota - self.state.used_bytes())

    def moved(self, kind: str, count: int) -> None:
        """Count bytes, and wait as long as they take."""
        self.state.count_bytes(kind, count)
        if self.settings.bytes_per_s:
            time.sleep(count / self.settings.bytes_per_s)

    def close(self, opened: OpenFile, close: Callable[[], None]) -> None:
        """Close a file; it is closed also where this raises.

        Raises:
            OSError: a fault, or that of a write whose error nobody has seen yet.
        """
        if not opened.writing:
            self.open_files.pop(opened.fd, None)
            close()
            return
        try:
            fate = self.begin("close", opened.path)
        except OSError as dropped:
            fate = Fate(random.Random(), error=dropped)
        if fate.kill:
            self.die()
        # It may have another name by now.
        name = self.locate(self._base(opened.fd))
        self.open_files.pop(opened.fd, None)
        close()
        if name:
            with self.state.locked():
                self.changes.closed(name)
        if opened.error or fate.error:
            raise opened.error or fate.error
