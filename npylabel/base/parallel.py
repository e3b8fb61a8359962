"""Work on all cores, bounded in memory, where one poisonous item costs only itself."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
# Enough to keep the workers busy while one slow photo is decoded; small, so that memory stays flat.
IN_FLIGHT_PER_WORKER = 4


class WorkerDiedError(Exception):
    """The process that worked on an item was killed or crashed (out of memory, a decoder's fault)."""


def cpu_count() -> int:
    """How many cores this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_threads(function: Callable[[Job], Result], jobs: Iterable[Job], *, ahead: int = 64) -> Iterator[Result]:
    """Results in the order of the jobs, from a thread per core: enough where decoders let go of the interpreter's lock.

    Args:
        function: of one job; what it raises is raised here, and no further job begins.
        jobs: any iterable; read only as fast as the work goes.
        ahead: so many jobs wait or are done beyond the one whose result is handed out, so that memory stays flat.
    """
    pool = ThreadPoolExecutor(cpu_count())
    try:
        running: deque[Future] = deque()
        for job in jobs:
            running.append(pool.submit(function, job))
            if len(running) > ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class Turns:
    """Lets threads work on large things in turn, and on small ones together.

    What takes more than there is room for goes alone. Who waits is not served by the order of coming: in
    ``run_threads`` no more than ``ahead`` others can slip past.

    Args:
        room: how much may be in work at the same time, in any unit.
    """

    def __init__(self, room: int) -> None:
        self._room, self._taken, self._changed = room, 0, threading.Condition()

    @contextmanager
    def taking(self, size: int) -> Iterator[None]:
        """Wait until there is room for ``size``, and take it until the end of the block."""
        size = min(size, self._room)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + size <= self._room)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def run_jobs(
    function: Callable[[Job], Result], jobs: Iterable[Job], *, workers: int = 0
) -> Iterator[tuple[Job, Result | WorkerDiedError]]:
    """Pairs of job and result, as they are done (not in order).

    A job whose process dies gives ``WorkerDiedError`` as its result; those in flight beside it are done again.

    Args:
        function: top-level function of one job; runs in another process, with one thread.
        jobs: any iterable; read only as fast as the work goes.
        workers: processes; 0 is one per core, 1 works in this process (for very small work and for debugging).
    """
    if workers == 1:
        yield from ((job, function(job)) for job in jobs)
        return
    workers, waiting = workers or cpu_count(), iter(jobs)
    while True:
        suspects: list[Job] = []
        yield from _run_pool(function, waiting, workers, suspects)
        if not suspects:
            return
        for job in suspects:
            yield job, _run_alone(function, job)


def _run_pool(
    function: Callable, waiting: Iterator, workers: int, suspects: list
) -> Iterator[tuple[object, object]]:
    with _pool(workers) as pool:
        running: dict[Future, object] = {}
        try:
            while True:
                for job in islice(waiting, workers * IN_FLIGHT_PER_WORKER - len(running)):
                    suspects.append(job)
                    running[pool.submit(function, job)] = job
                    suspects.pop()
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            suspects.extend(running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _run_alone(function: Callable, job: object) -> object:
    with _pool(1) as pool:
        try:
            return pool.submit(function, job).result()
        except BrokenProcessPool:
            return WorkerDiedError()


def _pool(workers: int) -> ProcessPoolExecutor:
    # "spawn" because forking a notebook's kernel, which has threads, can hang.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


def _start_worker() -> None:
    # Libraries that start threads of their own in each worker make two cores many times slower.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """End the worker when its parent was killed; it would wait for work, and hold its memory, for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
