"""Other Python processes for tests: to be killed, or to run under limits."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: str | Path) -> subprocess.Popen:
    """A started Python process with these arguments that can import the project; its output is a pipe of bytes.

    It leads a process group of its own, so that it can be killed together with its workers.
    """
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE,
                            start_new_session=True, env={**os.environ, "PYTHONPATH": paths})
