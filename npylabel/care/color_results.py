"""What step 06 has made in the work folder: a colorizer, and old photos in color."""

from collections.abc import Sequence
from pathlib import Path

from npylabel.base.files import files_below, leftovers
from npylabel.base.groups import is_page
from npylabel.base.journal import RunJournal
from npylabel.base.places import Places
from npylabel.care.step_results import Results, model_results
from npylabel.colorizer.color_table import (
    COLOR_TABLE,
    JOURNAL,
    ColorRow,
    color_row,
    read_color_rows,
    write_color_rows,
    written_pictures,
)
from npylabel.dataset.aside import checksums
from npylabel.dataset.layout import COLORIZER
from npylabel.training.run_files import RunFiles

_SHEET = "colorized_sheet.jpg"


def colorizer_files(places: Places) -> RunFiles:
    """The files of the colorizer, at its usual place."""
    return RunFiles(places.path(COLORIZER), own_epochs=True)


def labeler_files(places: Places, save_path: Path) -> RunFiles:
    """The files of the labeler; who names the colorizer in its place does not mean the labeler's checkpoints."""
    colorizer = colorizer_files(places)
    return colorizer if save_path == colorizer.save_path else RunFiles(save_path)


def colorizer_results(files: RunFiles, output_dir: Path) -> Results:
    """Step 06: the colored photos as runs wrote them, and the files of the model.

    Photos that a person painted over stay, with their rows, and so does what somebody laid beside them.
    """
    results, entries = Results(output_dir), RunJournal(output_dir / JOURNAL, {}).read_any()[1]
    rows = [*read_color_rows(output_dir).values(), *(color_row(entry["row"]) for entry in entries if "row" in entry)]
    _sort_pictures(results, output_dir, written_pictures(rows, entries))
    # The last row of a photo counts.
    kept = [row for row in {row.source: row for row in rows}.values()
            if row.name and output_dir / row.colored_name in results.by_person]
    settled = [output_dir / JOURNAL, *([] if kept else [output_dir / COLOR_TABLE])]
    results.tables = [path for path in settled if path.is_file()]
    results.settle = lambda: _settle(output_dir, kept)
    results.found += model_results(files).found
    return results


def _sort_pictures(results: Results, output_dir: Path, written: dict[str, set[str]]) -> None:
    """Which files of the folder runs wrote, which a person changed, and which are nobody's that is known."""
    files, half = files_below(output_dir), leftovers(output_dir)
    sums = checksums([path for path in files
                      if path.parent == output_dir and path.name in written and path.is_file()])
    for path in files:
        if path in sums:
            (results.found.ours if sums[path] in written[path.name] else results.by_person).append(path)
        elif path in half or (path.parent == output_dir and (is_page(path.name) or path.name == _SHEET)):
            results.found.ours.append(path)
        elif path.parent != output_dir or path.name not in (COLOR_TABLE, JOURNAL):
            results.found.others.append(path)


def _settle(output_dir: Path, kept: Sequence[ColorRow]) -> None:
    if kept:
        write_color_rows(output_dir, kept)
    else:
        (output_dir / COLOR_TABLE).unlink(missing_ok=True)
    (output_dir / JOURNAL).unlink(missing_ok=True)
