"""Puts each child process of a stub machine on the tests' Drive: Python imports this module before anything else."""

import os
import sys
import threading
from pathlib import Path

_PROJECT = str(Path(__file__).resolve().parents[3])


def _layer() -> None:
    # The project must not be found by this back door: where it is, is a question of the tests.
    sys.path.insert(0, _PROJECT)
    try:
        from tests.colab import slow_drive
    finally:
        sys.path.remove(_PROJECT)
    settings = os.environ.get(slow_drive.VARIABLE)
    if settings:
        slow_drive.install(slow_drive.DriveSettings.from_json(settings))


def _end_with_the_test(leash: int) -> None:
    """Kill this machine when the other end of the leash is closed: the test's process is gone."""
    from tests.colab.drive_death import die

    os.read(leash, 1)
    die()


if os.path.exists(os.environ.get("COLAB_STUB_TOMB", "")):  # noqa: PTH110 - nothing is imported yet
    os._exit(137)
_layer()
# Only the machine's first process holds the leash.
_leash = os.environ.pop("COLAB_STUB_LEASH", "")
if _leash:
    threading.Thread(target=_end_with_the_test, args=(int(_leash),), daemon=True).start()
