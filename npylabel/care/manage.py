"""Looking after the work folder: the actions behind ``manage``, each of which lists before it changes anything."""

from npylabel.base.actions import ACTIONS, DECIDING
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport


def manage_work(
    places: Places, action: str, value: str, *, confirm: bool, dataset_dir: str, data_path: str, save_path: str,
    classes_path: str,
) -> StepReport:
    """The report of one action.

    Args:
        places: of the user's own work.
        action: one of ``ACTIONS``.
        value: photos to plan for; names of photos; changes of classes; a step; what to free.
        confirm: do what is listed.
        dataset_dir: holds color, bw and labels.
        data_path: the training data.
        save_path: the model file.
        classes_path: the class table.

    Raises:
        NpyLabelError: of ``check_action``; what the action raises.
    """
    check_action(action, value)
    if action == "plan":
        from npylabel.care.plan import plan_report

        return plan_report(places, value)
    if action == "doctor":
        from npylabel.care.doctor import doctor_report

        return doctor_report(places)
    world = places.world_of(dataset_dir, data_path, save_path)
    if action == "bring":
        return _brought(world, dataset_dir)
    if action in ("leave_out", "take_back"):
        from npylabel.dataset.leave_out import leave_out_photos

        report = leave_out_photos(world, value, back=action == "take_back", confirm=confirm, dataset_dir=dataset_dir,
                                  data_path=data_path)
    elif action == "keep_label":
        from npylabel.dataset.keep_label import keep_labels

        report = keep_labels(world, value, confirm=confirm, data_path=data_path)
    elif action in DECIDING:
        from npylabel.dataset.give_class import give_class

        report = give_class(world, action, value, confirm=confirm, dataset_dir=dataset_dir, data_path=data_path,
                            classes_path=classes_path)
    elif action == "classes":
        from npylabel.dataset.class_changes import change_classes

        report = change_classes(world, value, confirm=confirm, classes_path=classes_path,
                                labels_dir=f"{dataset_dir}/labels", data_path=data_path, model_path=save_path)
    elif action == "reset":
        from npylabel.care.start_over import start_over

        report = start_over(world, value, confirm=confirm, dataset_dir=dataset_dir, data_path=data_path,
                            save_path=save_path, classes_path=classes_path)
    else:
        from npylabel.care.free_room import free_room

        report = free_room(places, value, confirm=confirm, dataset_dir=dataset_dir, data_path=data_path,
                           save_path=save_path)
    report.step, report.facts["action"] = "manage", action
    return report


def check_action(action: str, value: str) -> None:
    """Refuse what is wrong whatever the work folder holds.

    Raises:
        NpyLabelError: ``bad_parameter``, ``bad_changes``.
    """
    if action not in ACTIONS:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="action", value=action),
                            _("Use one of: {allowed}.").format(allowed=", ".join(ACTIONS)))
    if action in ("leave_out", "take_back", "keep_label"):
        from npylabel.dataset.photo_names import split_names

        split_names(value)
    elif action in DECIDING:
        from npylabel.dataset.give_class import split_value as split_class

        split_class(action, value)
    elif action == "classes":
        from npylabel.dataset.changes_text import split_changes

        split_changes(value)
    elif action == "reset":
        from npylabel.care.start_over import split_value

        split_value(value)
    elif action == "free":
        from npylabel.care.free_room import choose_parts

        choose_parts(value)


def _brought(world: Places, dataset_dir: str) -> StepReport:
    report = StepReport("manage")
    dataset = world.path(dataset_dir)
    report.facts |= {"action": "bring", "done": True, "dataset": dataset.is_dir()}
    report.files["dataset"] = dataset
    report.messages.append(_("All that is saved is on this machine now: {path}").format(path=world.root))
    report.next_step = _("TintoraAI in the same session reads it there: --data_path {path}").format(path=dataset)
    return report
