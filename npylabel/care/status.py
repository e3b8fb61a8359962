"""What is done, what comes next, and where it is saved: read from files, without torch."""

import json
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places, in_colab
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.care.plan import Work, plan_path, this_machine
from npylabel.colorizer.color_table import COLOR_TABLE, COLORED
from npylabel.dataset.labels import LABELS_TABLE, table_path
from npylabel.dataset.layout import COLORIZED, COLORIZER, DATASET, MODEL, TRAIN_DATA
from npylabel.dataset.training_data import SPLIT
from npylabel.dataset.verify import VERIFY_TABLE
from npylabel.photos.manifest import MANIFEST, OK, QUARANTINE

_NOTHING = dict.fromkeys(("photos", "training_photos", "epochs", "labels", "unsure", "color_epochs", "colored"), 0) | {
    "macro_f1": None, "faults": None, "color_error": None}


def describe_status(places: Places) -> StepReport:
    """The state of the work folder and of the demo inside it."""
    report = StepReport("status")
    worlds = [("own", places), ("demo", places.demo())] if not places.is_demo else [("demo", places)]
    for name, world in worlds:
        try:
            done = _done(world)
        except NpyLabelError as error:
            report.messages.append(str(error))
            done = dict(_NOTHING)
        report.facts[name] = done
        title = {"own": _("your photos"), "demo": _("demo")}[name]
        report.messages += [f"{title}: {line}" for line in _lines(done)]
    # Who only tried the demo so far goes on with the demo.
    begun = next((name for name, _world in worlds if any(report.facts[name].values())), worlds[0][0])
    report.measured["saved_in"] = str(places.save_dir or places.work_dir)
    report.messages += [_where(places), *_time_left(places, report.facts[begun])]
    report.next_step = _next(report.facts[begun])
    return report


def _where(places: Places) -> str:
    if places.save_dir:
        return _("Kept packed in {path}; the work itself is in {work_dir}.").format(
            path=places.save_dir, work_dir=places.work_dir)
    if in_colab():
        return _("Attention: {path} will be gone when this session ends. Run the setup cell and allow Drive, or set "
                 "save_dir.").format(path=places.work_dir)
    return _("Saved on this machine: {path}").format(path=places.work_dir)


def _time_left(places: Places, done: dict) -> list[str]:
    """What the steps that are not done will take on this machine; nothing before there are photos."""
    left = _undone(done)
    if not left or "01" in left:
        return []
    machine = this_machine(places)
    plan = plan_path(Work(done["photos"], 0, done["training_photos"] or done["photos"]), machine)
    minutes = sum(need.gpu_minutes if machine.has_gpu else need.minutes for need in plan.needs if need.step in left)
    return [_("Left to do: {steps}, about {minutes} min on this machine.").format(
        steps=", ".join(left), minutes=max(1, round(minutes)))]


def _done(world: Places) -> dict[str, object]:
    """Counts by step; 0 where a step was not done."""
    dataset = world.path(DATASET)
    photos = [row for row in read_csv(dataset / MANIFEST) if row.get("status") == OK]
    verified = dataset / VERIFY_TABLE
    faults = sum(row.get("severity") == "fault" for row in read_csv(verified)) if _is_current(verified) else None
    labels = read_csv(table_path(dataset / "labels"))
    unsure = sum(row.get("best_class_id") not in ("", None, row.get("class_id")) for row in labels)
    epochs, macro_f1 = _trained(world.path(MODEL), "val_macro_f1")
    color_epochs, color_error = _trained(world.path(COLORIZER), "val_mse")
    colored = sum(row.get("status") == COLORED for row in read_csv(world.path(COLORIZED) / COLOR_TABLE))
    return {"photos": len(photos), "training_photos": len(read_csv(world.path(TRAIN_DATA) / SPLIT)),
            "epochs": epochs, "macro_f1": macro_f1, "labels": len(labels), "unsure": unsure, "faults": faults,
            "color_epochs": color_epochs, "color_error": color_error, "colored": colored}


def _is_current(verified: Path) -> bool:
    """Whether nothing changed in the dataset since it was verified."""
    tables = [verified.with_name(name) for name in (MANIFEST, QUARANTINE, LABELS_TABLE)]
    newest = max((path.stat().st_mtime_ns for path in tables if path.is_file()), default=0)
    return verified.is_file() and verified.stat().st_mtime_ns >= newest


def _trained(path: Path, score: str) -> tuple[int, float | None]:
    """(epochs of a model, a score of its best one), 0 and None where there is none."""
    try:
        metrics = json.loads(path.with_name(f"{path.stem}.metrics.json").read_text(encoding="utf-8"))
        return metrics["epochs"], metrics["best"].get(score)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0, None


def _lines(done: dict) -> list[str]:
    if not any(done.values()):
        return [_("nothing yet")]
    verified = _("not verified") if done["faults"] is None else _("{count} faults").format(count=done["faults"])
    score = "" if done["macro_f1"] is None else f", macro-F1 {done['macro_f1']}"
    lines = [_("01 photos: {count}").format(count=done["photos"]),
             _("02 training photos: {count}").format(count=done["training_photos"]),
             _("03 model: {epochs} epochs{score}").format(epochs=done["epochs"], score=score),
             _("04 labels: {count}, the unknown class for {unsure} of them").format(
                 count=done["labels"], unsure=done["unsure"]),
             _("05 dataset: {verified}").format(verified=verified)]
    # Who does not want a colorizer need not read of it.
    if done["color_epochs"] or done["colored"]:
        error = "" if done["color_error"] is None else _(", squared error {error}").format(error=done["color_error"])
        lines.append(_("06 colorizer: {epochs} epochs{error}; old photos in color: {count}").format(
            epochs=done["color_epochs"], error=error, count=done["colored"]))
    return lines


def _undone(done: dict) -> list[str]:
    """Numbers of the steps that are to be done, in order; step 06 need not be."""
    steps = {"01": not done["photos"], "02": not done["training_photos"], "03": not done["epochs"],
             "04": done["labels"] < done["photos"], "05": done["faults"] is None or done["faults"] > 0}
    return [number for number, is_undone in steps.items() if is_undone]


def _next(done: dict) -> str:
    texts = {"01": _("Next: notebook 01, collect_and_grayscale."), "02": _("Next: notebook 02, build_train_data."),
             "03": _("Next: notebook 03, train."), "04": _("Next: notebook 04, auto_label."),
             "05": _("Next: notebook 05, verify_tintora.")}
    left = _undone(done)
    return texts[left[0]] if left else " ".join(filter(None, [_("All five steps are done."), _colorizer_hint(done)]))


def _colorizer_hint(done: dict) -> str:
    """What notebook 06 has to offer who has a dataset."""
    if not done["color_epochs"]:
        return _("If you like, notebook 06 (train_colorizer) trains your own colorizer and colors old photos.")
    return "" if done["colored"] else _("Notebook 06 colors old photos with your colorizer.")
