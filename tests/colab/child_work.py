"""What the machines of the self-tests do: functions that ``Machine.run_python`` calls in a child."""

import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path


def write_file(path: str, size: int) -> int:
    """Write one file; the process that did."""
    Path(path).write_bytes(b"x" * size)
    return os.getpid()


def write_files(folder: str, count: int) -> None:
    """Write numbered files of 1,000 bytes."""
    for number in range(count):
        write_file(f"{folder}/{number:03}", 1000)


def write_in_workers(folder: str, count: int) -> None:
    """The same in two spawned workers."""
    with get_context("spawn").Pool(2) as pool:
        pids = pool.starmap(write_file, [(f"{folder}/{number:03}", 1000) for number in range(count)], chunksize=1)
    print(os.getpid() in pids)


def write_in_fork(folder: str) -> None:
    """The same in a forked child and its parent at once."""
    child = os.fork()
    write_files(f"{folder}/{'parent' if child else 'child'}", 30)
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def sleep_with_workers(folder: str) -> None:
    """Workers that never end, and a word when they run."""
    pool = get_context("spawn").Pool(2)
    pool.starmap_async(write_and_sleep, [(f"{folder}/a",), (f"{folder}/b",)], chunksize=1)
    time.sleep(60)


def write_and_sleep(path: str) -> None:
    """Write, and never come back."""
    write_file(path, 1)
    time.sleep(60)


def hold_a_machine(base: str) -> None:
    """A test that is killed while its machine works; run by a program that is itself no machine."""
    from tests.colab.machine import Colab

    machine = Colab(Path(base)).machine(mounted=True)
    print(machine.mark, flush=True)
    machine.run_python("tests.colab.child_work:sleep_with_workers", str(machine.drive))


if __name__ == "__main__":
    hold_a_machine(sys.argv[1])
