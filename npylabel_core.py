"""The door: one function per step, called by the notebooks and by the command line alike.

``python npylabel_core.py STEP --help`` tells the parameters of a step; they are the keywords of its function and the
form of its notebook. Heavy libraries are imported by the steps that need them.
"""

import sys
from collections.abc import Callable

from npylabel.base.report import StepReport
from npylabel.steps.care import check_inputs, manage, setup, status  # noqa: F401 - notebooks call them
from npylabel.steps.colors import colorize, train_colorizer
from npylabel.steps.labels import auto_label, train, verify_tintora
from npylabel.steps.photos import build_train_data, collect_and_grayscale
from npylabel.ui.cells import review_colors, review_label_errors, review_labels, sort_photos  # noqa: F401 - the same
from npylabel.ui.command_line import run_command

STEPS: dict[str, Callable[..., StepReport]] = {
    "manage": manage, "collect_and_grayscale": collect_and_grayscale, "build_train_data": build_train_data,
    "train": train, "auto_label": auto_label, "verify_tintora": verify_tintora, "train_colorizer": train_colorizer,
    "colorize": colorize,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 done, 1 the result has faults, 2 wrong input."""
    return run_command({**STEPS, "status": status}, arguments)


if __name__ == "__main__":
    sys.exit(main())
