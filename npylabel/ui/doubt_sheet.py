"""The photos whose labels are probably wrong on one picture: what they are called, and what they look like."""

from collections.abc import Sequence
from pathlib import Path

from npylabel.base.i18n import _
from npylabel.base.tables import read_csv
from npylabel.ui.sheets import INK, captioned_sheet

MOST = 32
_SUGGESTED = (170, 40, 30)


def doubt_pictures(table: Path, data_path: Path) -> dict[str, Path]:
    """The sheet of the most doubtful labels by caption; nothing where none is probably wrong.

    Args:
        table: ``<stem>.label_errors.csv``.
        data_path: the training folder.
    """
    rows = [row for row in read_csv(table) if row["probably_wrong"] == "1"]
    sheet = table.with_name(f"{table.name.rsplit('.', 2)[0]}.label_errors_sheet.jpg")
    if not rows:
        sheet.unlink(missing_ok=True)
        return {}
    shown = rows[:MOST]
    caption = _("Probably wrong labels, {shown} of {count}: given → suggested").format(
        shown=len(shown), count=len(rows))
    return {caption: doubt_sheet(shown, data_path, sheet)}


def doubt_sheet(rows: Sequence[dict[str, str]], data_path: Path, path: Path) -> Path:
    """A JPEG of the photos of some rows of the table, each above its class and the one that is suggested.

    Args:
        rows: of ``<stem>.label_errors.csv``.
        data_path: the training folder; a photo that is not there any more leaves its place empty.
        path: of the sheet.
    """
    return captioned_sheet([
        (data_path / row["path"], [(row["class_name"], INK), (f"→ {row['suggested_name']}", _SUGGESTED)])
        for row in rows], path)
