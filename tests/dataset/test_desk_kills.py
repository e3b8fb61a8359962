"""A desk that is killed at any moment: nothing that was acknowledged is lost, nothing torn counts."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from itertools import takewhile
from pathlib import Path

import pytest

from npylabel.dataset.decisions import Decision, read_decisions
from tests.base.processes import ROOT
from tests.dataset.desk_kit import decided, named, open_desk, row, write_dataset

KILLS, PHOTOS, CLASSES = 200, 3, ("дом", "небо", "лес", "неопределённый_объект", "ковёр")
LONGEST_S = 0.02
# One process imports everything once; each session is a fork of it that decides until it is killed.
SESSIONS = """
import os, sys
from pathlib import Path
from tests.dataset.desk_kit import open_desk, named
from tests.dataset.test_desk_kills import click

def say(*words):
    # One write: where Python does not buffer, print writes each word on its own, and a kill would tear the line.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def decide(session):
    say("begin", os.getpid())
    desk = open_desk(Path(sys.argv[1]), source=session)
    for number in range(10**6):
        photo, class_name = click(session, number)
        desk.decide(named(desk, [photo]), "label", class_name)
        say("done", number)

for line in sys.stdin:
    child = os.fork()
    if not child:
        decide(line.strip())
        os._exit(1)
    os.waitpid(child, 0)
    say("end")
"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork, no SIGKILL")


def click(session: str, number: int) -> tuple[str, str]:
    """What a session decides at a click: never what was decided already."""
    return f"{session}_{number % PHOTOS}", CLASSES[number % len(CLASSES)]


class Sessions:
    """The process that starts sessions on a work folder."""

    def __init__(self, root: Path) -> None:
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SESSIONS, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": paths})

    def run_killed(self, session: str, clicks: int, after_s: float) -> int:
        """How many clicks a session acknowledged that was killed so long after so many of them."""
        self.process.stdin.write(f"{session}\n")
        self.process.stdin.flush()
        _begin, pid = self.process.stdout.readline().split()
        lines = [self.process.stdout.readline() for _click in range(clicks)]
        time.sleep(after_s)
        os.kill(int(pid), signal.SIGKILL)
        lines += takewhile(lambda line: line != "end\n", self.process.stdout)
        assert lines == [f"done {number}\n" for number in range(len(lines))]
        return len(lines)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)


def tear(folder: Path, draw: random.Random) -> bool:
    """Whether the newest journal got a part of one more line behind its end, as a computer that loses power leaves."""
    newest = max(folder.glob("*.jsonl"), default=None, key=lambda path: path.name) if folder.is_dir() else None
    data = newest.read_bytes() if newest else b""
    if not data.endswith(b"\n"):
        return False
    last = data.splitlines(keepends=True)[-1]
    newest.write_bytes(data + last[:draw.randrange(1, len(last) - 1)])
    return True


def test_200_kills_lose_nothing(tmp_path: Path) -> None:
    draw, acknowledged, torn = random.Random(0), {}, 0
    write_dataset(tmp_path, [row(f"s{number}_{photo}") for number in range(KILLS + 1) for photo in range(PHOTOS)])
    sessions = Sessions(tmp_path)
    for number in range(KILLS):
        acknowledged[f"s{number}"] = sessions.run_killed(f"s{number}", draw.randrange(6), draw.uniform(0, LONGEST_S))
        torn += tear(tmp_path / "decisions", draw) if number % 3 == 0 else 0
    sessions.close()
    found: dict[str, list[Decision]] = defaultdict(list)
    for decision in read_decisions(tmp_path / "decisions"):
        found[decision.source].append(decision)
    for session, count in acknowledged.items():
        made = [(decision.name, decision.class_name) for decision in found[session]]
        assert made == [click(session, number) for number in range(len(made))]
        # The click that was on its way may be there without its acknowledgment.
        assert count <= len(made) <= count + 1, session
    assert sum(acknowledged.values()) > KILLS and torn > KILLS // 10 and set(found) <= set(acknowledged)
    desk, before = open_desk(tmp_path), decided(open_desk(tmp_path))
    last = named(desk, [f"s{KILLS}_0"])
    assert desk.decide(last, "assign", "дом") == 1
    assert decided(open_desk(tmp_path)) == {**before, last[0].name: "дом*"}
    assert before == {decision.name: decision.class_name for each in found.values() for decision in each}
    assert desk.undo() == 1 and decided(open_desk(tmp_path)) == before
