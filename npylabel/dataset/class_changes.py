"""Change the class table, and everything that was made with it: labels, training folders, tables.

All that a change will do is worked out first and written into one file beside the class table (``change_mark``), on the
disk before anything else is touched. Until that file is gone, ``load_classes`` refuses the table, so no step works on a
half-changed state; running the change again reads the file and goes on. The order:

1. The work folder gets its own copy of the class table where it has none. Nothing changes its meaning by that.
2. The mark. From here on nothing is worked out again: it could not be told a second time from half-changed files
   which labels a person gave.
3. Label files, then ``labels.csv``, then the journal of an unfinished labeling run goes.
4. The class table.
5. Training photos, then ``split.csv``, ``quarantine.csv`` and the journal of an unfinished step 02, then folders that
   are empty now.
6. The mark goes.

Each single operation names what was there before and what takes its place, and is done only where the first still is
there: done twice it changes nothing, and what a person changed in between stays. Files move by renaming, never onto
another file. Even without the mark no photo would change its class: both names of a changed class stand for it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from npylabel.base.classes import change_mark, classes_text, read_classes, read_other_fields
from npylabel.base.errors import NpyLabelError
from npylabel.base.files import remove_leftovers, sha256_file, write_bytes, write_text
from npylabel.base.i18n import _
from npylabel.base.places import Places, project_dir
from npylabel.base.report import StepReport
from npylabel.dataset.changes_text import ADDED, MERGED, RENAMED, ClassChange, TableChange, parse_changes
from npylabel.dataset.folder_migration import move_files, plan_training
from npylabel.dataset.folders import count_class_files
from npylabel.dataset.label_migration import Labels, change_label_files, plan_labels, read_labels
from npylabel.dataset.labels import labels_journal, table_path
from npylabel.dataset.layout import COLORIZER, DATASET, MODEL, TRAIN_DATA
from npylabel.dataset.planned_files import change_file
from npylabel.photos.book import disk_faults


def change_classes(
    places: Places, changes: str, *, confirm: bool = False, classes_path: str = "classes.json",
    labels_dir: str = f"{DATASET}/labels", data_path: str = TRAIN_DATA, model_path: str = MODEL,
) -> StepReport:
    """The report on what a change of the classes does, or (with ``confirm``) did; see the module on how.

    Args:
        places: the world whose classes change; the other world and the project's own class table stay as they are.
        changes: see ``parse_changes``; "" goes on with a change that was interrupted.
        confirm: do it. Without, nothing is written.
        classes_path: the class table, in the work folder.
        labels_dir: the folder of label files; ``labels.csv`` lies beside it.
        data_path: the training folder that step 02 made. One without ``split.csv`` is a person's own: its photos stay
            where they are, and are found by the other names of their class.
        model_path: models beside it are named in the report.

    Raises:
        NpyLabelError: ``bad_changes``, ``classes_elsewhere``, ``class_change_damaged``, ``disk_full``, ``disk_fault``,
            ``split_damaged``, ``table_damaged`` and those of ``read_classes``.
    """
    own = _own_table(places, classes_path)
    report = StepReport("manage")
    report.facts["done"] = False
    if change_mark(own).is_file():
        return _go_on(report, places, own, changes, confirm)
    source = places.classes_path(classes_path)
    table = read_classes(source)
    labels = read_labels(places.path(labels_dir), table)
    change = parse_changes(changes, table, labels.used_ids)
    _describe(report, change, labels, places.path(data_path), places.path(model_path).parent)
    if not change.changes:
        report.facts["done"] = True
        report.messages.append(_("Nothing to do: the class table is already like that."))
    elif confirm:
        plan = {
            "changes": changes, "classes_before": sha256_file(source),
            "classes": classes_text(change.after, read_other_fields(source)),
            "labels_dir": labels_dir, "data_path": data_path,
            "labels": plan_labels(labels, change), "training": plan_training(places.path(data_path), change)}
        with disk_faults(places.work_dir):
            if not own.exists():
                write_bytes(own, source.read_bytes(), durable=True)
            write_text(change_mark(own), json.dumps(plan))
        _carry_out(report, places, own, plan)
        report.next_step = _("Next: notebook 02 if photos were added, 03 to train the new classes, 04 to label again.")
    else:
        report.next_step = _(
            "Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")
    return report


def _own_table(places: Places, classes_path: str) -> Path:
    """The class table in the work folder, which is the one that may change."""
    own = places.path(classes_path)
    if own.resolve() == project_dir() / "classes.json" or not own.resolve().is_relative_to(places.work_dir.resolve()):
        raise NpyLabelError(
            "classes_elsewhere",
            _("The class table {path} is not in a work folder of your own; others may use it too.").format(
                path=own),
            _("Set work_dir to a folder of your own. To work in the project's folder itself, copy the class table "
              "under another name and give that name as classes_path to every step."))
    return own


def _go_on(report: StepReport, places: Places, own: Path, changes: str, confirm: bool) -> StepReport:
    """Finish a change that was interrupted; another one waits for its own run."""
    try:
        plan = json.loads(change_mark(own).read_text(encoding="utf-8"))
        interrupted = plan["changes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NpyLabelError(
            "class_change_damaged",
            _("The notes on an interrupted change of the classes, {path}, cannot be read: {reason}.").format(
                path=change_mark(own), reason=error),
            _("Put back the last saved copy of the work folder. If there is none, move this file elsewhere, run the "
              "change again and then look through the labels.")) from error
    report.messages.append(_("A change was interrupted: {changes}").format(changes=interrupted))
    report.facts["interrupted"] = interrupted
    if not confirm:
        report.next_step = _("To finish that change, run again with confirm=True (command line: --confirm).")
        return report
    _carry_out(report, places, own, plan)
    report.messages.append(_("It is finished now."))
    if changes.strip() not in ("", interrupted.strip()):
        report.facts["done"] = False
        report.next_step = _("Run it once more for: {changes}").format(changes=changes)
    return report


def _carry_out(report: StepReport, places: Places, own: Path, plan: dict) -> None:
    """Do what the plan says and is not done yet."""
    labels_dir, data_path = places.path(plan["labels_dir"]), places.path(plan["data_path"])
    edited = []
    with disk_faults(places.work_dir), report.timed("change"):
        remove_leftovers(own.parent, labels_dir, labels_dir.parent, data_path)
        if labels := plan["labels"]:
            change_label_files(labels_dir, labels["files"])
            edited += change_file(table_path(labels_dir), *labels["table"])
            if labels["journal"]:
                labels_journal(labels_dir).path.unlink(missing_ok=True)
        edited += change_file(own, plan["classes_before"], plan["classes"])
        if training := plan["training"]:
            move_files(data_path, training["moves"])
            for name, content in training["files"].items():
                edited += change_file(data_path / name, *content)
            for name in training["folders"]:
                with suppress(OSError):  # Something of another kind still lies there, or it is gone already.
                    (data_path / name).rmdir()
        change_mark(own).unlink()
    report.facts["done"] = True
    report.files["classes"] = own
    report.messages += [_("A table was edited in between; the edited one is kept as {path}.").format(path=path)
                        for path in edited]


def _describe(
    report: StepReport, change: TableChange, labels: Labels, data_path: Path, models_dir: Path
) -> None:
    photos = count_class_files(data_path, change.before)
    given = Counter(change.before.id_now(row.class_id) for row in labels.rows.values())
    by_hand = Counter(labels.decisions.values())
    report.facts |= {what: len(change.of(what)) for what in (ADDED, RENAMED, MERGED)}
    report.facts["changes"] = [
        {"what": each.what, "name": each.old, "becomes": each.new, "id": each.new_id,
         "training_photos": photos[each.old_id], "labels": given[each.old_id], "hand_labels": by_hand[each.old_id]}
        for each in change.changes]
    report.messages += [_line(each, facts) for each, facts in zip(change.changes, report.facts["changes"], strict=True)]
    trained = sorted(path.name.removesuffix(".run.json") for path in models_dir.glob("*.run.json"))
    models = [name for name in trained if name != Path(COLORIZER).stem]
    report.facts |= {"models": models, "colorizer": models != trained}
    if models and change.changes:
        report.messages.append(_models_line(models, change))
    if models != trained and change.changes:
        report.messages.append(_(
            "The colorizer goes on coloring old photos, those of a merged class as the class that it becomes. To teach "
            "it the classes of today, run notebook 06: it trains another one and moves this one to its archive."))
    top = max(change.after.ids) + 1
    if change.changes and top != max(change.before.ids) + 1:
        report.messages.append(_("Ids go up to {last} now: TintoraAI needs num_classes {count}.").format(
            last=top - 1, count=top))


def _line(change: ClassChange, facts: dict) -> str:
    text = {
        ADDED: _("{becomes}: new, with the id {id}."),
        RENAMED: _("{name} is called {becomes} from now on; its id {id} stays. Training photos: {training_photos}, "
                   "labels: {labels}, by hand: {hand_labels}."),
        MERGED: _("{name} becomes {becomes} (id {id}). Training photos: {training_photos}, labels: {labels}, by hand: "
                  "{hand_labels}."),
    }[change.what]
    return text.format(**facts)


def _models_line(models: Sequence[str], change: TableChange) -> str:
    line = _("Models that can go on labeling (their outputs are read by class name): {models}.").format(
        models=", ".join(models))
    if added := change.of(ADDED):
        line += " " + _("They will not give {names} until they are trained again.").format(
            names=", ".join(each.new for each in added))
    return line
