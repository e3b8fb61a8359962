"""The cell of a notebook in which a person sees what colored photos were colored as, and changes it."""

from pathlib import Path
from typing import TYPE_CHECKING

from npylabel.base.i18n import _
from npylabel.base.places import is_headless
from npylabel.ui.board_cells import one_board, open_work

if TYPE_CHECKING:
    from ipywidgets import Widget


@one_board
def review_colors(
    *, input_dir: str, output_dir: str, model_path: str, classes_path: str = "classes.json", labels_dir: str = "",
    threshold: float = 0.5, saturation: float = 1.0, device: str = "auto", work_dir: str = "", save_dir: str = "",
    language: str = "",
) -> "Widget | None":
    """A board of the colored photos with the class of each, to choose another one; None where nobody sits in front.

    Args:
        input_dir: the old photos, folders or zips separated by semicolons.
        output_dir: the colored ones.
        model_path: the colorizer.
        classes_path: the class table.
        labels_dir: label files of the old photos; empty takes the folder labels beside them.
        threshold: what the network is less sure of counts as nothing known.
        saturation: factor of the colors.
        device: auto, cpu, cuda or mps.
        work_dir: folder below which all relative paths lie.
        save_dir: folder that keeps the work folder packed.
        language: en or ru.

    Raises:
        NpyLabelError: ``photos_missing``, ``table_damaged``, ``decisions_damaged``, and those of the colorizer.
    """
    needed = {"input_dir": input_dir, "output_dir": output_dir, "model_path": model_path}
    places, table = open_work((work_dir, save_dir, language), classes_path, needed, output_dir)
    out = places.path(output_dir)
    text = _text(out)
    if text:
        print(text)
        return None
    from functools import partial

    from npylabel.base.saver import BackgroundSaver
    from npylabel.colorizer.color_desk import ColorDesk
    from npylabel.colorizer.color_table import read_color_rows
    from npylabel.colorizer.colorize import color_one
    from npylabel.colorizer.model import load_colorizer
    from npylabel.colorizer.network_painter import NetworkPainter
    from npylabel.colorizer.photo_labels import labels_folder
    from npylabel.colorizer.todays_classes import with_todays_classes
    from npylabel.dataset.decisions import DECISIONS
    from npylabel.dataset.pixel_cache import thumbnail_folder
    from npylabel.dataset.thumbnails import Thumbnails
    from npylabel.photos.old_folders import old_photo_sources
    from npylabel.photos.sources import list_photos
    from npylabel.training.devices import pick_device
    from npylabel.ui.color_board import ColorBoard

    painter = with_todays_classes(NetworkPainter(load_colorizer(places.path(model_path)), pick_device(device)), table)
    known = {row.source: row.fingerprint for row in read_color_rows(out).values()}
    sources, decisions = old_photo_sources(places, input_dir), places.path(DECISIONS)
    refs = {ref.source: ref for ref in list_photos(sources, [out], known).refs}
    color = partial(
        color_one, output_dir=out, painter=painter, table=table, decisions_dir=decisions, threshold=threshold,
        saturation=saturation, labels_dir=labels_folder(places, labels_dir, sources))
    desk = ColorDesk(out, refs, color, table, painter.class_ids, decisions)
    return ColorBoard(desk, Thumbnails(thumbnail_folder()),
                      saving=BackgroundSaver(places) if places.save_dir else None)


def _text(out: Path) -> str:
    """What is said instead of a board; "" where there is one."""
    from npylabel.colorizer.color_table import COLOR_TABLE, COLORED, read_color_rows

    colored = [row for row in read_color_rows(out).values() if row.status == COLORED]
    if not colored:
        return _("There are no colored photos in {path} yet.").format(path=out / COLOR_TABLE)
    if is_headless():
        return _("In a browser: a board to see and change what {count} photos were colored as (the network was unsure "
                 "about {unsure}).").format(count=len(colored), unsure=sum(not row.label_source for row in colored))
    return ""
