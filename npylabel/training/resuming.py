"""Whether a training run can go on, and from where."""

import json

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.training.plan import Plan
from npylabel.training.run_files import RunFiles, move_aside
from npylabel.training.states import load_state, read_state
from npylabel.training.task import Task


def write_run(files: RunFiles, identity: dict, plan: Plan) -> None:
    """Note beside the model what the run is, and its plan."""
    write_text(files.beside(".run.json"), json.dumps(run_values(identity, plan), indent=1))


def run_values(identity: dict, plan: Plan) -> dict:
    """What a run is, as plain values."""
    return {**identity, "plan": plan.to_json()}


def resume_point(
    files: RunFiles, identity: dict, resume: bool, report: StepReport, task: Task
) -> tuple[Plan | None, dict | None]:
    """(the plan, the state to go on from), each None where there is none; files of another run are moved aside.

    Args:
        files: of the run.
        identity: what has to be the same for a run to go on; plain values.
        resume: whether to go on at all.
        report: gets what there is to say.
        task: of the run.
    """
    known, plan = _read_run(files)
    if resume and known and known != identity and (reason := task.goes_on(files, known, identity)):
        report.messages.append(reason)
        known = identity
    if resume and plan and known == identity:
        if state := load_state(files, identity, report):
            return plan, state
        if _died_before_first_save(files, plan, task):
            return plan, None
    if set(files.existing()) - {files.beside(".run.json")}:
        differing = sorted(name for name in identity if known and known.get(name) != identity[name])
        archive = move_aside(files)
        report.messages.append(_("The earlier model was moved to {path} ({reason}).").format(
            path=archive, reason=", ".join(differing) or _("it cannot be continued")))
    return None, None


def _read_run(files: RunFiles) -> tuple[dict | None, Plan | None]:
    """(identity, plan) as ``write_run`` noted them; the training states have the same."""
    try:
        known = json.loads(files.beside(".run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = next((state["run"] for path in (files.resume, files.before) if (state := read_state(path))), None)
    try:
        plan = known.pop("plan", None)
        return known, Plan.from_json(plan) if plan else None
    except (KeyError, TypeError, AttributeError):
        return None, None


def _died_before_first_save(files: RunFiles, plan: Plan, task: Task) -> bool:
    """Whether a kill left no more than the models of a first save: the run begins again over them."""
    if files.resume.exists() or files.before.exists() or files.beside(".metrics.json").exists():
        return False
    try:
        return task.load(files.save_path).epoch <= plan.epochs(plan.first_save())
    except NpyLabelError:
        return not files.save_path.exists()
