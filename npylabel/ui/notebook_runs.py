"""``run``: the notebooks in order through papermill, as a person would run them by hand."""

import argparse
import ast
import json
import logging
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.language import choose_language
from npylabel.base.places import DEMO, Places, find_places, project_dir
from npylabel.base.report import StepReport
from npylabel.base.trip import Trip, bring
from npylabel.photos.sources import split_sources
from npylabel.ui.input_checks import check_step_inputs

# Parameters that name something of the user's: a path from where the command was typed.
_USER_PATHS = ("photos_dir", "source_dir", "test_dir", "classes_path", "legacy_order", "input_dir", "labels_dir")
# The flags of the original tools that have another name here.
ALIASES = {"input_dir": ["--input"], "output_dir": ["--output"]}
_OWN = {"01": "photos_dir", "02": "source_dir"}
# The way to the dataset, which a run without ``only`` takes. 00 looks after the work and is no part of it; a colorizer
# trains for an hour and wants old photos: who has these asks for it.
_PATH = ("01", "02", "03", "04", "05")


@dataclass(frozen=True)
class Notebook:
    """One notebook: its file, its number, and its parameters with their defaults and their English help."""

    path: Path
    number: str
    defaults: dict[str, object]
    helps: dict[str, str]


def find_notebooks() -> list[Notebook]:
    """The notebooks of the project, in order."""
    import papermill

    found = []
    for path in sorted((project_dir() / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        parameters = papermill.inspect_notebook(path)
        defaults = {name: ast.literal_eval(entry["default"]) for name, entry in parameters.items()}
        found.append(Notebook(path, path.name[:2], defaults, _helps(path)))
    return found


def _helps(path: Path) -> dict[str, str]:
    """What the form of a notebook says about each parameter, in English."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "".join(next(cell["source"] for cell in cells if cell["id"] == "parameters"))
    return {name: text for text, name in re.findall(r"^# @markdown (.+?)<br>.*\n(\w+) = ", source, re.MULTILINE)}


def run_notebooks(arguments: list[str]) -> int:
    """Execute the notebooks that the arguments ask for; the exit code as in ``npylabel_core``.

    Args:
        arguments: ``--name value`` pairs: ``only`` ("01,02"), ``work_dir``, ``language``, and any parameter of any
            notebook.

    Raises:
        NpyLabelError: ``unknown_parameter``, ``bad_parameter``, ``mixed_worlds``, ``notebook_failed``, or what a
            notebook itself reported.
    """
    # What a stopped notebook leaves in the client's event loop would be printed over many pages.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    notebooks = find_notebooks()
    given = _parse(arguments, notebooks)
    language = choose_language(str(given.pop("language", "")))
    places = find_places(str(given.pop("work_dir", "")), str(given.pop("save_dir", "")), as_notebook=True)
    chosen = _choose(notebooks, str(given.pop("only", "")))
    _refuse_ambiguous(given, chosen)
    is_own = _is_own(given, chosen)
    # Nobody sits in front of the notebooks: what only a person can do is refused before the first of them.
    os.environ["NPYLABEL_HEADLESS"] = "1"
    if is_own:
        _check_sources(places, given, chosen)
    world = places if is_own else places.made_demo()
    folder = world.work_dir / "runs" / time.strftime("%Y-%m-%d_%H-%M-%S")
    folder.mkdir(parents=True)
    faulty = False
    for number, notebook in enumerate(chosen, start=1):
        print(f"[{number}/{len(chosen)}] {notebook.path.stem}", flush=True)
        values = {name: value for name, value in given.items() if name in notebook.defaults}
        # Notebooks of the demo find their things in the demo folder, whatever else lies in the work folder.
        faulty |= _execute(notebook, folder, {
            **values, "work_dir": str(world.work_dir), "save_dir": str(places.save_dir or ""), "language": language})
    with Trip(places, lambda path: False) as trip:
        _summary(world, folder)
    saved = StepReport("run")
    trip.describe(saved)
    for line in saved.messages:
        print(line)
    return int(faulty)


def _parse(arguments: list[str], notebooks: list[Notebook]) -> dict[str, object]:
    parser = argparse.ArgumentParser("npylabel_core.py run", allow_abbrev=False, description=(
        "Run the notebooks in order. Any parameter of a notebook is a flag."))
    kinds = {name: type(default) for notebook in notebooks for name, default in notebook.defaults.items()}
    helps = {name: text for notebook in reversed(notebooks) for name, text in notebook.helps.items()}
    helps["only"] = "numbers of the notebooks to run, such as 01,02"
    for name in sorted({*kinds, "only"}):
        holders = ", ".join(notebook.number for notebook in notebooks if name in notebook.defaults) or "all"
        flag = {"nargs": "?", "const": "true"} if kinds.get(name) is bool else {}
        parser.add_argument(f"--{name}", *ALIASES.get(name, []), dest=name, default=None, **flag,
                            help=f"{helps[name]} ({holders})".replace("%", "%%"))
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise NpyLabelError(
            "unknown_parameter", _("No notebook has a parameter {names}.").format(names=" ".join(unknown)),
            _("See the flags with: python npylabel_core.py run --help"))
    return {name: _converted(name, text, kinds.get(name, str)) for name, text in vars(options).items()
            if text is not None}


def _converted(name: str, text: str, kind: type) -> object:
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        value = truth[text.lower()] if kind is bool else _number(text) if kind in (int, float) else text
    except (KeyError, ValueError) as error:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=text),
                            _("Give a value like the notebook's: {kind}.").format(kind=kind.__name__)) from error
    if name in _USER_PATHS and value and value != DEMO:
        return ";".join(_from_here(part) for part in split_sources(str(value)))
    return value


def _number(text: str) -> float:
    return float(text) if set(text) & set(".eE") else int(text)


def _from_here(part: str) -> str:
    """A path that exists from here, made absolute: notebooks count from the work folder."""
    path = Path(part.strip()).expanduser()
    return str(path.resolve()) if path.exists() else part.strip()


def _choose(notebooks: list[Notebook], only: str) -> list[Notebook]:
    numbers = [part.strip().zfill(2) for part in only.split(",") if part.strip()]
    unknown = sorted(set(numbers) - {notebook.number for notebook in notebooks})
    if unknown:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="only", value=only),
                            _("Use numbers of notebooks, such as --only 01,02."))
    return [notebook for notebook in notebooks if notebook.number in (numbers or _PATH)]


def _refuse_ambiguous(given: dict[str, object], chosen: list[Notebook]) -> None:
    """Raise ``NpyLabelError`` (``bad_parameter``) for a place that means another thing in each of several notebooks."""
    for name in given:
        holders = {notebook.number: notebook.defaults[name] for notebook in chosen if name in notebook.defaults}
        if name.endswith(("_dir", "_path")) and len(set(holders.values())) > 1:
            raise NpyLabelError(
                "bad_parameter", _("{name} is a different place in each of the notebooks {numbers}.").format(
                    name=name, numbers=", ".join(holders)),
                _("Run them one after another, such as with --only {number}.").format(number=max(holders)))


def _is_own(given: dict[str, object], chosen: list[Notebook]) -> bool:
    """Whether this run is about the user's own photos.

    Raises:
        NpyLabelError: ``mixed_worlds`` where one of the two sources would be the drawn photos.
    """
    own = {name for name in _OWN.values() if given.get(name, DEMO) != DEMO}
    missing = [f"--{_OWN[notebook.number]}" for notebook in chosen
               if notebook.number in _OWN and _OWN[notebook.number] not in own]
    if own and missing:
        raise NpyLabelError(
            "mixed_worlds",
            _("{given} is your own, but {missing} is not given and would be the drawn demo photos.").format(
                given=", ".join(f"--{name}" for name in sorted(own)), missing=", ".join(missing)),
            _("Give both, or leave notebooks out with --only, such as --only 01."))
    # Without 01 and 02 there is nothing that could be drawn: the run goes on with what the work folder holds.
    return bool(own) or not any(notebook.number in _OWN for notebook in chosen)


def _check_sources(places: Places, given: dict[str, object], chosen: list[Notebook]) -> None:
    """Look at the user's folders and the class table before the first hour of work, not after it."""
    # The class table and the photos may be saved and not here yet.
    bring(places, {name: given[name] for name in _OWN.values() if name in given})
    for notebook in chosen:
        if notebook.number in _OWN:
            print(check_step_inputs(notebook.path.stem[3:], places, {**notebook.defaults, **given}).messages[0])


def _execute(notebook: Notebook, folder: Path, values: dict[str, object]) -> bool:
    """Run one notebook, keep its executed copy and its HTML; whether its result has faults."""
    import papermill

    output = folder / notebook.path.name
    try:
        executed = papermill.execute_notebook(
            notebook.path, output, parameters=values, progress_bar=False, stdout_file=_Console(),
            cwd=str(project_dir()), extra_arguments=["--log-level=CRITICAL"])
    except papermill.PapermillExecutionError as error:
        _render(output)
        raise _failure(notebook, output, error) from error
    _render(output)
    facts = _facts(executed)
    shown = {name: value for name, value in facts.items() if value not in ({}, [], "") and name != "step"}
    print("   ", ", ".join(f"{name} {value}" for name, value in shown.items()))
    return bool(facts.get("faults") or facts.get("unreadable"))


class _Console:
    """Standard output of the notebooks without their facts, which are said in one line."""

    def write(self, text: str) -> None:
        if not text.startswith("{"):
            sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def _failure(notebook: Notebook, output: Path, error: object) -> NpyLabelError:
    if error.ename == "KeyboardInterrupt":
        raise KeyboardInterrupt
    if error.ename == "NpyLabelError":
        what, _line, rest = str(error.evalue).partition("\n")
        fix, _line, code = rest.rpartition("\n")
        return NpyLabelError(code.strip("[] "), what, fix.partition(": ")[2])
    return NpyLabelError(
        "notebook_failed",
        _("{notebook} stopped with {name}: {reason}").format(
            notebook=notebook.path.name, name=error.ename, reason=error.evalue),
        _("The executed copy shows where: {path}").format(path=output))


def _render(output: Path) -> None:
    from nbconvert import HTMLExporter

    if output.is_file():
        html, _resources = HTMLExporter(template_name="lab").from_filename(str(output))
        write_text(output.with_suffix(".html"), html)


def _facts(executed: object) -> dict:
    """The facts that the check cell of an executed notebook printed."""
    checks = [cell for cell in executed.cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    texts = ["".join(entry.get("text", "")) for cell in checks for entry in cell.get("outputs", [])]
    return json.loads(texts[0]) if texts else {}


def _summary(world: Places, folder: Path) -> None:
    from npylabel.care.status import describe_status
    from npylabel.dataset.layout import COLORIZED, DATASET

    # As the steps do: what the user has none of yet is that of the demo.
    world = world.world_of(DATASET, COLORIZED)
    report = describe_status(world)
    print("\n".join([*report.messages, report.next_step]))
    dataset = world.path(DATASET)
    places = {_("dataset"): dataset, _("labels"): dataset / "labels", "verify.html": dataset / "verify.html",
              _("old photos in color"): world.path(COLORIZED) / "before_after.html",
              _("executed notebooks and their HTML"): folder}
    for name, path in places.items():
        if path.exists():
            print(f"  {name}: {path}")
