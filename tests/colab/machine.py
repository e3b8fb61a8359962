"""One Google Drive that lives on, and machines of Colab that come and go, for tests.

    colab = Colab(tmp_path)
    machine = colab.machine(lag_ops=50)
    result = machine.run_notebook(NOTEBOOK, {"demo_per_class": 2}, person=True, kill_after_ops=200)
    fates = machine.dies(random.Random(1))
    machine = colab.machine()

A machine has a folder that stands for /content, a home of its own, Colab's stub package, and its Drive at
``content/drive/MyDrive`` once that is mounted: the surviving folder is moved there, so that it is a folder of this path
and not a link to elsewhere. ``tests.colab.slow_drive`` says how the Drive behaves.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat

from tests.colab import slow_drive
from tests.colab.drive_death import MACHINE_VARIABLE, TOMB_VARIABLE, kill_machine, processes_of
from tests.colab.ran import Ran, inject
from tests.colab.slow_drive import DriveSettings, Usage

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]


class Colab:
    """A Drive in ``base/drive``, and one machine at a time."""

    def __init__(self, base: Path) -> None:
        self.base, self.store, self.state = base, base / "drive", base / "drive-state"
        self.content, self.home = base / "content", base / "root"
        self.store.mkdir(parents=True)
        self.now: Machine | None = None
        self.count = 0

    @property
    def drive(self) -> Path:
        """Where the Drive's files are at the moment; for the test to look at, past the layer."""
        return self.store if self.store.exists() else self.content / "drive" / "MyDrive"

    def machine(self, *, project: str = "content", mounted: bool = False, mount: str = "move", nobody: str = "raise",
                uploads: Path | None = None, **settings: object) -> "Machine":
        """A fresh machine; the one before must have ended.

        Args:
            project: where the workbook lies: "content", "drive" (links to this clone), or "" for nowhere.
            mounted: whether Drive is there already.
            mount: how ``drive.mount`` brings it: "move", "link" or "mkdir" (an empty one).
            nobody: what a question does that nobody answers: "raise" or "hang".
            uploads: folder of the files that a person chooses in ``files.upload``.
            settings: of the Drive, as in ``DriveSettings``, without ``root`` and ``state``.
        """
        assert self.now is None, "the machine before has not ended"
        for folder in (self.content, self.home):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.count += 1
        place = {"content": self.content, "drive": self.store}.get(project)
        if place and not (place / "npylabel_workbook").is_symlink():
            (place / "npylabel_workbook").symlink_to(PROJECT)
        point = str(self.content / "drive" / "MyDrive")
        roots = {"root": str(self.store), "aliases": (point,)} if mount == "link" else {"root": point}
        drive = DriveSettings(**roots, state=str(self.state), **settings)
        stub = {"COLAB_STUB_STORE": str(self.store), "COLAB_STUB_MOUNT": mount, "COLAB_STUB_NOBODY": nobody,
                "COLAB_STUB_UPLOADS": str(uploads or "")}
        self.now = Machine(self, self.content, drive, stub)
        slow_drive.set_mounted(drive.root, mounted, state=self.state)
        if mounted:
            self._mount(point, link=mount == "link")
        return self.now

    def _mount(self, point: str, *, link: bool) -> None:
        Path(point).parent.mkdir()
        if link:
            Path(point).symlink_to(self.store)
        else:
            self.store.rename(point)

    def _take_back(self) -> None:
        if not self.store.exists():
            (self.content / "drive" / "MyDrive").rename(self.store)


@dataclass
class Machine:
    """A runtime of Colab: ``run_...`` starts programs in it, ``ends`` and ``dies`` are its end.

    Attributes:
        content: stands for /content.
        settings: of the Drive; a run may have others.
    """

    colab: Colab
    content: Path
    settings: DriveSettings
    stub: dict[str, str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def drive(self) -> Path:
        """``content/drive/MyDrive``, mounted or not."""
        return self.content / "drive" / "MyDrive"

    @property
    def log(self) -> Path:
        """The file with the calls of Colab's package."""
        return self.colab.base / f"calls-{self.colab.count}.jsonl"

    def calls(self, name: str = "") -> list[dict]:
        """The calls of Colab's package, of one name or all."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [call for call in map(json.loads, lines) if name in ("", call["call"])]

    def environment(self, settings: DriveSettings, *, person: bool, project_on_path: bool) -> dict[str, str]:
        """The environment of a program in this machine."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("COLAB_", "NPYLABEL_", "PYTHONPATH", "JPY_", "IPYTHON"))}
        paths = [str(HERE / "site")] + [str(PROJECT)] * project_on_path
        # Colab's image has its fonts listed already; a fresh home would make each import of pyplot take seconds.
        fonts = os.environ.get("MPLCONFIGDIR") or str(Path.home() / ".cache" / "matplotlib")
        return {
            **kept, **self.stub, TOMB_VARIABLE: str(self._tomb), MACHINE_VARIABLE: self.mark,
            slow_drive.VARIABLE: settings.to_json(),
            "COLAB_STUB_LOG": str(self.log), "COLAB_STUB_PERSON": str(int(person)), "COLAB_RELEASE_TAG": "stub",
            "NPYLABEL_CONTENT": str(self.content), "PYTHONPATH": os.pathsep.join(paths), "HOME": str(self.colab.home),
            "MPLCONFIGDIR": fonts,
        }

    def run_python(self, code: str, *arguments: object, kill_after_ops: int = 0, kill_after_s: float = 0,
                   timeout_s: float = 120, person: bool = False, project_on_path: bool = True,
                   environment: dict[str, str] | None = None, **settings: object) -> Ran:
        """Run a program in this machine.

        Args:
            code: Python text, a path of a script, or ``module:function``, which is called with the arguments.
            arguments: what JSON can hold for a function; texts in ``sys.argv`` otherwise.
            kill_after_ops: the machine is killed in that operation on Drive, counted from this program's start.
            kill_after_s: it is killed after so many seconds.
            timeout_s: the same, but an error of the test.
            person: whether somebody answers what Colab's package asks.
            project_on_path: whether ``import npylabel`` finds this clone.
            environment: more variables.
            settings: other settings of the Drive for this program, as in ``DriveSettings``.
        """
        if re.fullmatch(r"[\w.]+:\w+", code):
            module, function = code.split(":")
            call = f"{function}(*json.loads(sys.argv[1]))"
            command = ["-c", f"import json, sys; from {module} import {function}; {call}", json.dumps(arguments)]
        else:
            command = [*([] if code.endswith(".py") else ["-c"]), code, *map(str, arguments)]
        drive = replace(self.settings, **settings)
        if kill_after_ops:
            drive = replace(drive, kill_at=self.usage().total + kill_after_ops)
        variables = self.environment(drive, person=person, project_on_path=project_on_path)
        return self._run(command, {**variables, **(environment or {})}, kill_after_s, timeout_s)

    def run_notebook(self, path: Path, parameters: dict[str, object] | None = None, *, person: bool = False,
                     timeout_s: float = 600, **options: object) -> Ran:
        """Execute a notebook in a real kernel whose folder is ``content``; options as in ``run_python``."""
        notebook = nbformat.read(path, as_version=4)
        # In code that is not a parameter: what a person typed stays as it is.
        for cell in notebook.cells:
            if cell.id == "setup":
                cell.source = re.sub(r'/content(?=[/"])', str(self.content), cell.source)
        inject(notebook, parameters or {})
        source = self.colab.base / f"{time.time_ns()}-{path.name}"
        target = source.with_name("executed-" + source.name)
        nbformat.write(notebook, source)
        ran = self.run_python(str(HERE / "run_notebook.py"), source, target, self.content,
                              "person" if person else "nobody", person=person, timeout_s=timeout_s,
                              **{"project_on_path": False, **options})
        # A kill may come while the executed copy is written.
        with suppress(FileNotFoundError, ValueError, nbformat.reader.NotJSONError):
            ran.notebook = nbformat.read(target, as_version=4)
        return ran

    @property
    def _tomb(self) -> Path:
        return self.colab.base / "tomb"

    def _run(self, command: list[str], environment: dict[str, str], kill_after_s: float, timeout_s: float) -> Ran:
        self._tomb.unlink(missing_ok=True)
        leash, held = os.pipe()
        start = time.monotonic()
        texts = [self.colab.base / f"out-{time.time_ns()}-{name}.txt" for name in ("stdout", "stderr")]
        with texts[0].open("wb") as stdout, texts[1].open("wb") as stderr:
            child = subprocess.Popen(
                [sys.executable, *command], cwd=self.content, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                env={**environment, "COLAB_STUB_LEASH": str(leash)}, start_new_session=True, pass_fds=(leash,))
        os.close(leash)
        try:
            child.wait(kill_after_s or timeout_s)
        except subprocess.TimeoutExpired as error:
            if not kill_after_s:
                raise TimeoutError(f"{command}\n{texts[0].read_text()}\n{texts[1].read_text()}") from error
        finally:
            # Kernels and workers too: a machine does not go on when its notebook is over.
            kill_machine(self.mark, self._tomb)
            code = child.wait()
            os.close(held)
        stdout, stderr = (path.read_text(encoding="utf-8", errors="replace") for path in texts)
        return Ran(code, stdout, stderr, time.monotonic() - start)

    # --- the Drive, seen from the test ----------------------------------------------------------------------------

    def usage(self) -> Usage:
        """What this machine did on Drive so far."""
        return slow_drive.usage(self.colab.drive, state=self.colab.state)

    def pending(self) -> dict[str, str]:
        """What is not uploaded yet."""
        return slow_drive.pending(self.colab.drive, state=self.colab.state)

    def drop(self) -> None:
        """The mount drops."""
        slow_drive.drop(self.colab.drive, state=self.colab.state)

    def remount(self) -> None:
        """The mount is back."""
        slow_drive.remount(self.colab.drive, state=self.colab.state)

    def settle_late(self) -> None:
        """Every late file appears."""
        slow_drive.settle_late(self.colab.drive, state=self.colab.state)

    def put_from_elsewhere(self, path: str, data: bytes, **late: float) -> None:
        """Another device uploads a file."""
        slow_drive.put_from_elsewhere(self.colab.drive, path, data, state=self.colab.state, **late)

    def ends(self) -> None:
        """A clean end: everything is uploaded."""
        self._over()
        slow_drive.machine_ends(self.colab.store, state=self.colab.state)

    def dies(self, rng: random.Random, **outcomes: object) -> list[tuple[str, str]]:
        """The machine is gone; the fates of what was pending, see ``slow_drive.machine_dies``."""
        self._over()
        return slow_drive.machine_dies(self.colab.store, rng, state=self.colab.state, **outcomes)

    def _over(self) -> None:
        assert self.colab.now is self, "this machine has ended already"
        kill_machine(self.mark, self._tomb)
        assert not processes_of(self.mark)
        self.colab._take_back()
        self.colab.now = None
        shutil.rmtree(self.content)
