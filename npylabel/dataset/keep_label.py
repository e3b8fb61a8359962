"""Say that the class of a training photo is right, so that it is never shown as a wrong label again."""

from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.dataset.aside_training import TrainingAside
from npylabel.dataset.decisions import DECISIONS, KEEP_LABEL, Decision, DecisionJournal, kept_labels, read_decisions
from npylabel.dataset.layout import TRAIN_DATA
from npylabel.dataset.photo_names import NameBook
from npylabel.photos.book import disk_faults

_SHOWN = 20


def keep_labels(
    places: Places, names: str, *, confirm: bool = False, data_path: str = TRAIN_DATA
) -> StepReport:
    """The report on training photos whose class folder a person found right.

    The decision is about the photo and the class that it has now: moved to another class it can be doubted again.

    Args:
        places: the work folder.
        names: of photos, separated by semicolons; see ``NameBook``.
        confirm: write it down; without it the report says what would be written.
        data_path: the training data.

    Raises:
        NpyLabelError: ``photo_unknown``, ``photo_ambiguous``, ``bad_parameter``, ``split_damaged``,
            ``decisions_damaged``, ``disk_full``, ``disk_fault``.
    """
    training = TrainingAside(places.work_dir, places.path(data_path))
    book = NameBook([f"{training.mirror.inside.name}/"])
    training.add_names(book)
    paths = {row.get("sha256") or "": row["path"] for row in reversed(training.rows)}
    paths |= {sha256: path for path, sha256 in training.by_hand.items()}
    # Only photos that are in have a class to keep.
    found = [sha256 for sha256 in book.find(names, preferred=set(paths)) if sha256 in paths]
    known = kept_labels(read_decisions(places.work_dir / DECISIONS))
    new = [sha256 for sha256 in found if known.get(sha256) != _class_of(paths[sha256])]
    if confirm:
        with disk_faults(places.work_dir), DecisionJournal(places.work_dir / DECISIONS) as journal:
            journal.append([Decision(sha256, KEEP_LABEL, paths[sha256], _class_of(paths[sha256]), source="manage")
                            for sha256 in new])
    report = StepReport("manage")
    report.facts |= {"action": KEEP_LABEL, "done": confirm, "photos": len(found), "already": len(found) - len(new)}
    report.messages += [paths[sha256] for sha256 in found[:_SHOWN]]
    if len(found) > _SHOWN:
        report.messages.append(_("... and {count} more").format(count=len(found) - _SHOWN))
    report.next_step = _("These labels are not doubted any more.") if confirm else _(
        "Nothing is changed yet. To do it, run again with confirm=True (command line: --confirm).")
    return report


def _class_of(path: str) -> str:
    """The class folder of a training photo."""
    return path.partition("/")[0]
