"""The cells of the notebooks in which a person decides."""

from npylabel.ui.color_cells import review_colors
from npylabel.ui.review_cells import review_label_errors, review_labels
from npylabel.ui.sorting import sort_photos

__all__ = ["review_colors", "review_label_errors", "review_labels", "sort_photos"]
