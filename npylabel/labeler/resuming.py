"""Whether a training run can go on, and from where."""

import json

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.plan import Plan
from npylabel.labeler.run_files import RunFiles, move_aside
from npylabel.labeler.states import load_state, read_state


def write_run(files: RunFiles, identity: dict, plan: Plan) -> None:
    """Note beside the model what the run is, and its plan."""
    write_text(files.beside(".run.json"), json.dumps(run_values(identity, plan), indent=1))


def run_values(identity: dict, plan: Plan) -> dict:
    """What a run is, as plain values."""
    return {**identity, "plan": plan.to_json()}


def resume_point(
    files: RunFiles, identity: dict, resume: bool, report: StepReport, table: ClassTable
) -> tuple[Plan | None, dict | None]:
    """(the plan, the state to go on from), each None where there is none; files of another run are moved aside.

    Args:
        files: of the run.
        identity: what has to be the same for a run to go on; plain values.
        resume: whether to go on at all.
        report: gets what there is to say.
        table: of the run.
    """
    known, plan = _read_run(files)
    if resume and known and known != identity and _only_renamed(files, known, identity, table):
        report.messages.append(_("Some classes have other names now; the training is the same and goes on."))
        known = identity
    if resume and plan and known == identity:
        if state := load_state(files, identity, report):
            return plan, state
        if _died_before_first_save(files, plan):
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


def _only_renamed(files: RunFiles, known: dict, identity: dict, table: ClassTable) -> bool:
    """Whether the run differs in the names of classes alone: each id still stands for the class it stood for."""
    if {**known, "classes_sha256": identity["classes_sha256"]} != identity:
        return False
    try:
        before = load_checkpoint(files.save_path).table
    except NpyLabelError:
        return False
    return before.ids == table.ids and all(table.find_name(name) == i for i, name in before.names.items())


def _died_before_first_save(files: RunFiles, plan: Plan) -> bool:
    """Whether a kill left no more than the models of a first save: the run begins again over them."""
    if files.resume.exists() or files.before.exists() or files.beside(".metrics.json").exists():
        return False
    try:
        return load_checkpoint(files.save_path).epoch <= plan.epochs(plan.first_save())
    except NpyLabelError:
        return not files.save_path.exists()
