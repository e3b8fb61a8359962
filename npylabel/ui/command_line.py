"""The command line: one sub-command per step, one flag per keyword, and what its faults look like to a person."""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Mapping

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.report import StepReport
from npylabel.ui.notebook_runs import ALIASES, run_notebooks


def parameter_help(step: Callable) -> dict[str, str]:
    """What each parameter of a step means, from its docstring."""
    _head, _args, text = (step.__doc__ or "").partition("Args:\n")
    return dict(re.findall(r"^ +(\w+): (.+)$", text, flags=re.MULTILINE))


def parse_bool(text: str) -> bool:
    """The meaning of a flag's value."""
    if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise argparse.ArgumentTypeError(f"true or false, not {text!r}")
    return text.lower() in ("true", "1", "yes")


def make_parser(steps: Mapping[str, Callable[..., StepReport]]) -> argparse.ArgumentParser:
    """The command line: one sub-command per step, one flag per keyword."""
    parser = argparse.ArgumentParser("npylabel_core.py", description="From photos to a labeled TintoraAI dataset.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, step in steps.items():
        command = commands.add_parser(name, help=step.__doc__.splitlines()[0], allow_abbrev=False,
                                      description=step.__doc__.splitlines()[0])
        help_of = parameter_help(step)
        for key, parameter in inspect.signature(step).parameters.items():
            kind = type(parameter.default)
            flag = {"type": parse_bool, "nargs": "?", "const": True}
            extra = flag if kind is bool else {"type": parameter.annotation}
            command.add_argument(f"--{key}", *ALIASES.get(key, []), dest=key, default=parameter.default,
                                 help=f"{help_of[key]} (default: {parameter.default!r})".replace("%", "%%"), **extra)
    run = commands.add_parser("run", add_help=False, help="run the notebooks in order through papermill")
    run.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def run_command(steps: Mapping[str, Callable[..., StepReport]], arguments: list[str] | None) -> int:
    """Run one command; the exit code is 0 done, 1 the result has faults, 2 wrong input.

    Args:
        steps: functions by command; their keywords are the flags.
        arguments: of the command line, None for those of this process.
    """
    choose_language("")
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        if given[:1] == ["run"]:
            return run_notebooks(given[1:])
        options = vars(make_parser(steps).parse_args(given))
        command = options.pop("command")
        report = steps[command](**options)
    except NpyLabelError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(_("{path}: {reason}. Check the folder, its rights and the room on the disk.").format(
            path=error.filename or "-", reason=error.strerror or error), file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(_("The library {name} is not installed. Run: bash colab_setup.sh install, then use the Python of its "
                "virtual environment: .venv/bin/python").format(name=error.name), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(_("Stopped. Run the same command again: it goes on where it stopped."), file=sys.stderr)
        return 130
    print(report)
    return report.exit_code
