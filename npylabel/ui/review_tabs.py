"""A review as a notebook shows it: the board, and beside it the slider for the threshold."""

from ipywidgets import HTML, Tab, VBox, Widget

from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.base.saver import BackgroundSaver
from npylabel.dataset.pixel_cache import thumbnail_folder
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.labeler.explorer import ThresholdExplorer
from npylabel.labeler.review import Review
from npylabel.ui.review_board import ReviewBoard
from npylabel.ui.threshold_explorer import ThresholdView


def review_tabs(
    review: Review, places: Places, accept_text: str, explorer: ThresholdExplorer | None = None
) -> Widget:
    """The widget of a review.

    Args:
        review: the questions.
        places: of the work.
        accept_text: what the button says that accepts photos, with ``{count}``.
        explorer: of the threshold, in a tab of its own; None for none.
    """
    thumbnails = Thumbnails(thumbnail_folder())
    text = _("Nothing is left to review: all labels are decided or sure.")
    saving = BackgroundSaver(places) if places.save_dir else None
    board = ReviewBoard(review, thumbnails, accept_text=accept_text, saving=saving) if review.photos else VBox(
        [HTML(text)])
    if explorer is None:
        return board
    tabs = Tab([board, ThresholdView(explorer, thumbnails)])
    for place, title in enumerate((_("Review: {count}").format(count=len(review.photos)), _("Threshold"))):
        tabs.set_title(place, title)
    return tabs
