"""Give photos a class by their names, or take back what was decided about them: the board without the board."""

from npylabel.base.classes import load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.dataset.aside_dataset import DatasetAside
from npylabel.dataset.aside_training import TrainingAside
from npylabel.dataset.decisions import CLEAR, DECISIONS
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto
from npylabel.dataset.human_labels import Labels
from npylabel.dataset.layout import DATASET, TRAIN_DATA
from npylabel.dataset.leave_out import names_of
from npylabel.dataset.photo_names import split_names
from npylabel.photos.book import disk_faults

_SHOWN = 20


def give_class(
    places: Places, action: str, value: str, *, confirm: bool = False, dataset_dir: str = DATASET,
    data_path: str = TRAIN_DATA, classes_path: str = "classes.json",
) -> StepReport:
    """The report on photos whose class a person decides; their labels follow at once, the training data with step 02.

    Args:
        places: the work folder.
        action: "assign" (label and example to train on), "label" (label only) or "clear" (nothing is decided).
        value: see ``split_value``.
        confirm: write it down; without it the report says what would be written.
        dataset_dir: holds ``color/`` and ``labels/``.
        data_path: the training data.
        classes_path: the class table.

    Raises:
        NpyLabelError: ``bad_parameter``, ``class_unknown``, ``photo_unknown``, ``photo_ambiguous``,
            ``manifest_damaged``, ``split_damaged``, ``decisions_damaged``, ``disk_full``, ``disk_fault``.
    """
    class_name, names = split_value(action, value)
    table, dataset = load_classes(places.classes_path(classes_path)), places.path(dataset_dir)
    photos = _find(places, names, dataset_dir, data_path)
    desk = Desk(dataset, places.work_dir / DECISIONS, table, source="manage", photos=photos)
    wanted = desk.checked_name(class_name) if class_name else ""
    changed = len(desk.would_change(photos, action, class_name))
    if confirm:
        changed = desk.decide(photos, action, class_name)
        if (dataset / "labels").is_dir():
            with disk_faults(dataset):
                Labels(dataset, dataset / "labels", table).follow(
                    {photo.sha256: desk.state_of(photo) for photo in desk.changed})
        desk.close()
    report = StepReport("manage")
    report.facts |= {"action": action, "done": confirm, "photos": len(photos),
                     "changed": changed, "class_name": wanted}
    report.messages += [f"{photo.name}: {desk.state_of(photo).class_name or '-'}" if confirm else
                        f"{photo.name}: {desk.state_of(photo).class_name or '-'} → {wanted or '-'}"
                        for photo in photos[:_SHOWN]]
    if len(photos) > _SHOWN:
        report.messages.append(_("... and {count} more").format(count=len(photos) - _SHOWN))
    report.next_step = _("Decided. Run notebook 02 to bring it into the training data.") if confirm else _(
        "Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")
    return report


def split_value(action: str, value: str, parameter: str = "value") -> tuple[str, str]:
    """(class, names of photos) of "class: name; name"; the class is "" for "clear", whose value is names alone.

    Args:
        action: "assign", "label" or "clear".
        value: the text.
        parameter: that it is of, for errors.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    class_name, colon, names = ("", ":", value) if action == CLEAR else value.partition(":")
    if not colon or (action != CLEAR and not class_name.strip()):
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=parameter, value=value),
                            _('Give a class and names of photos: "дом: IMG_1; IMG_2".'))
    split_names(names, parameter)
    return class_name.strip(), names


def _find(places: Places, names: str, dataset_dir: str, data_path: str) -> list[DeskPhoto]:
    """The photos that the names mean."""
    dataset, training = (DatasetAside(places.work_dir, places.path(dataset_dir)),
                         TrainingAside(places.work_dir, places.path(data_path)))
    named = {row.get("sha256") or "": row["path"] for row in training.rows}
    named |= {sha256: path for path, sha256 in training.by_hand.items()}
    named |= {row.sha256: row.name for row in dataset.listed if row.name}
    return [DeskPhoto(named.get(sha256, sha256), places.path(dataset_dir), sha256)
            for sha256 in names_of(dataset, training).find(names, preferred=set(named))]
