"""Work on all cores: every result once, bounded memory, and one poisonous item that costs only itself."""

import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from npylabel.base.parallel import IN_FLIGHT_PER_WORKER, Turns, WorkerDiedError, cpu_count, run_jobs, run_threads
from tests.base.jobs_kit import Job, process_of, threads_of, work
from tests.base.processes import start

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
WORK_FOR_LONG = """
from npylabel.base.parallel import run_jobs
from tests.base.jobs_kit import process_of
if __name__ == "__main__":
    for _job, process in run_jobs(process_of, range(10**9), workers=2):
        print(process, flush=True)
"""


def numbers(count: int) -> list[Job]:
    return [(number, "") for number in range(count)]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_job_has_its_result_once(workers: int) -> None:
    results = list(run_jobs(work, numbers(100), workers=workers))
    assert sorted(results) == [((number, ""), number * number) for number in range(100)]


def test_no_jobs_give_no_results() -> None:
    assert list(run_jobs(work, [], workers=2)) == []


def test_jobs_are_read_only_as_fast_as_the_work_goes() -> None:
    read: list[int] = []

    def jobs() -> Iterator[Job]:
        for number in range(300):
            read.append(number)
            yield number, ""

    ahead = [len(read) - done for done, _ in enumerate(run_jobs(work, jobs(), workers=2), start=1)]
    assert len(ahead) == 300
    assert max(ahead) <= 2 * IN_FLIGHT_PER_WORKER


def test_who_stops_early_leaves_the_rest_unread() -> None:
    waiting = iter(numbers(1000))
    results = run_jobs(work, waiting, workers=2)
    next(results)
    results.close()
    assert len(list(waiting)) > 950


@needs_signals
@pytest.mark.parametrize("random_seed", [0, 1])
def test_jobs_that_kill_their_worker_cost_only_themselves(random_seed: int) -> None:
    rng = random.Random(random_seed)
    poison = dict(zip(rng.sample(range(40), 3), ("exit", "kill", "exit"), strict=True))
    jobs = [(number, poison.get(number, "")) for number in range(40)]
    results = dict(seen := list(run_jobs(work, iter(jobs), workers=2)))
    assert len(seen) == 40, "each job is reported once"
    died = {number for (number, _), result in results.items() if isinstance(result, WorkerDiedError)}
    assert died == set(poison)
    assert all(results[number, ""] == number * number for number in set(range(40)) - died)


@needs_signals
def test_poison_beside_slow_and_at_the_very_end() -> None:
    jobs = [(0, "kill"), (1, "slow"), (2, "slow"), (3, "exit")]
    results = dict(run_jobs(work, jobs, workers=2))
    died = [isinstance(results[job], WorkerDiedError) for job in jobs]
    assert died == [True, False, False, True]
    assert (results[1, "slow"], results[2, "slow"]) == (1, 4)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_functions_own_errors_come_out(workers: int) -> None:
    with pytest.raises(LookupError, match="job 5"):
        list(run_jobs(work, [*numbers(5), (5, "fail"), *numbers(5)], workers=workers))


def test_one_worker_is_this_process_and_more_are_not() -> None:
    assert {process for _, process in run_jobs(process_of, range(3), workers=1)} == {os.getpid()}
    others = {process for _, process in run_jobs(process_of, range(30), workers=2)}
    assert os.getpid() not in others and len(others) <= 2


def test_workers_tell_libraries_to_use_one_thread() -> None:
    assert {threads for _, threads in run_jobs(threads_of, range(4), workers=2)} == {"1"}


def test_there_is_at_least_one_core() -> None:
    assert cpu_count() >= 1


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "work_for_long.py"
    script.write_text(WORK_FOR_LONG)
    with start(script) as process:
        workers = {int(process.stdout.readline()) for _ in range(50)}
        process.kill()
    alive = workers
    for _ in range(50):
        alive = [worker for worker in workers if is_alive(worker)]
        if not alive:
            break
        time.sleep(0.1)
    for worker in alive:
        os.kill(worker, 9)
    assert not alive, "workers outlive a killed run"


# Threads


def test_threads_give_results_in_order_and_read_ahead_no_further_than_told() -> None:
    read = []

    def jobs() -> Iterator[int]:
        for number in range(50):
            read.append(number)
            yield number

    def slow_first(number: int) -> int:
        time.sleep(0.01 if number % 7 == 0 else 0)
        return number * number

    results = run_threads(slow_first, jobs(), ahead=5)
    assert [next(results) for _each in range(10)] == [number * number for number in range(10)]
    assert len(read) == 15
    assert list(results) == [number * number for number in range(10, 50)]


def test_what_a_thread_raises_ends_the_work() -> None:
    done = []

    def fail_at_three(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        done.append(number)
        return number

    results = run_threads(fail_at_three, iter(range(10**9)), ahead=4)
    with pytest.raises(KeyError):
        list(results)
    assert {0, 1, 2} <= set(done) and max(done) <= 7


def most_at_once(sizes: list[int], room: int) -> int:
    """The most that threads of these sizes, one each, had in work at the same time; all of them must come to an end."""
    turns, lock, now, most = Turns(room), threading.Lock(), [], []

    def work_on(size: int) -> None:
        with turns.taking(size):
            with lock:
                now.append(size)
                most.append(sum(now))
            time.sleep(0.002)
            with lock:
                now.remove(size)

    threads = [threading.Thread(target=work_on, args=(size,), daemon=True) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(most) == len(sizes)
    return max(most)


def test_large_things_take_turns_and_small_ones_do_not_wait() -> None:
    assert most_at_once([60] * 6, 100) == 60
    assert most_at_once([40, 60] * 4, 100) <= 100
    assert most_at_once([500, 20, 20, 500, 0], 100) == 500, "what is too large goes alone"
    turns = Turns(20)
    with turns.taking(10), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: turns.taking(10).__enter__()).result(30) is None, "there is room for both"


def test_room_comes_back_after_an_error() -> None:
    turns = Turns(10)
    with pytest.raises(LookupError), turns.taking(10):
        raise LookupError
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: turns.taking(10).__enter__()).result(30) is None
