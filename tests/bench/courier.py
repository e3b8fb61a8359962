"""The courier beside working on Drive directly, for many small files: ``python -m tests.bench.courier``.

Counts operations and bytes on the tests' Drive (each call of the program is one), then measures the time where each
operation takes 50 ms. What is done directly is what ``npylabel.base.files`` does for one file, measured on a part and
multiplied: every file costs the same. The courier is measured whole.
"""

import contextlib
import io
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.courier import Courier
from npylabel.base.files import write_bytes
from npylabel.base.groups import is_bulk
from tests.colab import slow_drive
from tests.colab.slow_drive import DriveSettings, Usage

FILES, FILE_BYTES = 20_000, 8_000
CHANGED = FILES // 100
COUNTED_DIRECTLY, TIMED_DIRECTLY = 500, 20
DELAY_S = 0.05


@dataclass
class Cost:
    """What something did on Drive, and seconds there without and with the delay."""

    usage: Usage
    seconds: float
    slow_seconds: float

    def line(self, title: str) -> str:
        """A row of the table."""
        return (f"{title:44} {self.usage.total:>8} operations {self.usage.written / 1e6:>8.1f} MB written "
                f"{self.usage.read / 1e6:>7.1f} MB read {self.seconds:>7.1f} s   {self.slow_seconds:>8.1f} s at 50 ms")


def write_work(root: Path) -> None:
    """A work folder as step 01 leaves it: pictures in color and gray, and a table that names them."""
    rng = random.Random(0)
    for number in range(FILES // 2):
        for folder in ("color", "bw"):
            path = root / "tintora_dataset" / folder / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rng.randbytes(FILE_BYTES))
    rows = "".join(f"{number:05},DCIM/{number:05}.jpg,{number:064x},ok,\n" for number in range(FILES // 2))
    (root / "tintora_dataset" / "manifest.csv").write_text("name,source,sha256,status,reason\n" + rows)


def change_work(root: Path) -> None:
    """One picture of a hundred becomes another one, and the table grows by a line."""
    rng = random.Random(1)
    for number in range(CHANGED):
        (root / "tintora_dataset" / "color" / f"{number:05}.png").write_bytes(rng.randbytes(FILE_BYTES))
    with (root / "tintora_dataset" / "manifest.csv").open("a") as table:
        table.write("more,DCIM/more.jpg,0,ok,\n")


class Bench:
    """A Drive in a folder, and what is done on it at the two speeds.

    Args:
        base: an empty folder.
    """

    def __init__(self, base: Path) -> None:
        self.base, self.drive = base, base / "drive"
        self.drive.mkdir()

    def _cost(self, action: Callable[[], object], delay_s: float) -> tuple[Usage, float]:
        slow_drive.machine_ends(self.drive)
        settings = DriveSettings(str(self.drive), delay_s=delay_s, delay_data=True)
        with slow_drive.installed(settings), contextlib.redirect_stdout(io.StringIO()):
            started = time.perf_counter()
            action()
            seconds = time.perf_counter() - started
        return slow_drive.usage(self.drive), seconds

    def measure(self, title: str, action: Callable[[Path], object]) -> None:
        """Print what the action does; it is done twice, on save folders and work folders of their own.

        Args:
            title: of the row.
            action: gets the folder of its speed, which holds ``work``, ``other`` (a second machine) and what it made.
        """
        usage, seconds = self._cost(lambda: action(self.base / "fast"), 0)
        _usage, slow_seconds = self._cost(lambda: action(self.base / "slow"), DELAY_S)
        print(Cost(usage, seconds, slow_seconds).line(title), flush=True)

    def measure_directly(self, title: str, action: Callable[[int], object]) -> None:
        """Print what the action would do for all files; it does something for as many files as it is told."""
        usage, seconds = self._cost(lambda: action(COUNTED_DIRECTLY), 0)
        _usage, slow_seconds = self._cost(lambda: action(TIMED_DIRECTLY), DELAY_S)
        times = FILES / COUNTED_DIRECTLY
        total = Usage({kind: round(count * times) for kind, count in usage.operations.items()},
                      round(usage.read * times), round(usage.written * times))
        print(Cost(total, seconds * times, slow_seconds * FILES / TIMED_DIRECTLY).line(title), flush=True)

    def courier(self, folder: Path, machine: str) -> Courier:
        """A courier between a machine's disk and this folder's own place on Drive."""
        save_dir = self.drive / folder.name
        save_dir.mkdir(exist_ok=True)
        return Courier(folder / machine, save_dir)


def main() -> None:
    """Run all comparisons."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        for speed in ("fast", "slow"):
            write_work(Path(name) / speed / "work")
        data = random.Random(2).randbytes(FILE_BYTES)
        direct = bench.drive / "direct"
        print(f"{FILES} files of {FILE_BYTES} bytes")
        bench.measure_directly("directly: write each file on Drive", lambda count: [
            write_bytes(direct / f"{number}.png", data) for number in range(count)])
        bench.measure_directly("directly: look at each and read it", lambda count: [
            (direct / f"{number}.png").is_file() and (direct / f"{number}.png").read_bytes()
            for number in range(count)])
        _courier_rows(bench)


def _courier_rows(bench: Bench) -> None:
    def push(folder: Path) -> None:
        couriers[folder.name, "work"] = courier = bench.courier(folder, "work")
        courier.pull(lambda path: True)
        courier.push()

    def pull(folder: Path, wanted: Callable[[str], bool] = lambda path: True) -> None:
        bench.courier(folder, "other").pull(wanted)

    couriers: dict[tuple[str, str], Courier] = {}
    bench.measure("courier: push all after the work", push)
    bench.measure("courier: pull the tables only (status)", lambda folder: pull(folder, lambda path: not is_bulk(path)))
    for speed in ("fast", "slow"):
        shutil.rmtree(bench.base / speed / "other")
    bench.measure("courier: pull all on a fresh machine", pull)
    for speed in ("fast", "slow"):
        change_work(bench.base / speed / "work")
    bench.measure(f"courier: push {CHANGED} changed files and the table", lambda folder: couriers[
        folder.name, "work"].push())
    bench.measure("courier: pull them on the other machine", pull)
    bench.measure("courier: pull where nothing is new", pull)


if __name__ == "__main__":
    main()
