"""The whole path in a very small world; ``python -m tests.colab.room`` is the full one."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_the_path_fits_where_the_plan_says_so(tmp_path: Path) -> None:
    """8 photos, 15 and 20 MB: more originals than Drive has room for, brought in the portions of the plan."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.colab.room", "--scale", "1000", "--photo_px", "2400"], cwd=PROJECT,
        capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"})
    assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
    summary = json.loads(ran.stdout.splitlines()[0])
    assert summary["fits"]
    assert summary["photo_mb"] > summary["portion_mb"]
    assert summary["facts"]["triplets"] == 8
    assert summary["facts"]["faults"] == 0
    by_step = [line.split()[:4] for line in ran.stdout.splitlines()[1:]]
    assert [step for _title, step, _runs, _count in by_step] == ["01", "02", "03", "04", "05"]
    assert int(by_step[0][3]) > 1
