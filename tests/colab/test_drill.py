"""A short drill; ``python -m tests.colab.drill`` is the full one."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_machines_die_and_the_dataset_is_the_same(tmp_path: Path) -> None:
    """Ten machines are killed on a Drive where one operation of a hundred fails; each claim and the end are true."""
    command = ["-m", "tests.colab.drill", "--kills", "10", "--fault_rate", "0.01", "--seed", "41"]
    ran = subprocess.run(
        [sys.executable, *command], cwd=PROJECT, capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"})
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    tally = json.loads(ran.stdout)
    assert tally["differences"] == []
    assert tally["kills"] >= 10
    assert sum(tally["claims"].values()) >= 6
    assert {"whole", "never", "short", "late"} & set(tally["fates"])
    assert not list(tmp_path.glob("drill-*"))
