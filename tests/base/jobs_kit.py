"""Functions that workers run in the tests: importable, because a worker is a fresh process."""

import os
import signal
import time

# A job is a number and how it ends: "", "exit", "kill", "fail" or "slow".
Job = tuple[int, str]


def work(job: Job) -> int:
    """The number's square, unless the job ends in another way."""
    number, ending = job
    if ending == "exit":
        os._exit(3)
    if ending == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if ending == "fail":
        raise LookupError(f"job {number}")
    if ending == "slow":
        time.sleep(0.3)
    return number * number


def process_of(_job: object) -> int:
    """The process that works."""
    return os.getpid()


def threads_of(_job: object) -> str:
    """What the worker tells the libraries about threads."""
    return os.environ.get("OMP_NUM_THREADS", "")
