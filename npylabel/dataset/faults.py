"""What can be wrong with a dataset: the closed list of codes, what each means, and the cure."""

from dataclasses import dataclass

from npylabel.base.i18n import _

FAULT, WARNING = "fault", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: of ``explain``.
        name: file or stem, relative to the dataset.
        detail: what was found.
    """

    code: str
    name: str
    detail: str = ""

    @property
    def severity(self) -> str:
        """"fault" (the dataset must not be used like this) or "warning"."""
        return explain(self.code)[0]


def explain(code: str) -> tuple[str, str, str]:
    """(severity, meaning, cure) of a code, translated.

    Raises:
        KeyError: for a code that is not in the list.
    """
    remake, relabel = _("run this step with repair=True: it makes the grayscale file again"), _("run notebook 04 again")
    recolor = _("delete the file and run notebook 01 again")
    rename = _("run this step with repair=True: it renames the file")
    return {
        # structure
        "folder_missing": (FAULT, _("a folder of the dataset is missing"), _("run the notebook that makes it")),
        "bw_missing": (FAULT, _("a color file has no grayscale partner"), remake),
        "color_missing": (FAULT, _("a grayscale file has no color partner"), _("delete it, or run notebook 01 again")),
        "label_missing": (FAULT, _("a photo has no label"), relabel),
        "label_extra": (FAULT, _("a label has no photo"), _("delete it")),
        "suffix_mismatch": (FAULT, _("color and grayscale file have different suffixes: TintoraAI finds no pair"),
                            remake),
        "suffix_case": (FAULT, _("the suffix is not in lower case: TintoraAI passes the file over"), rename),
        "suffix_not_read": (FAULT, _("TintoraAI does not read this suffix"), recolor),
        "name_not_nfc": (FAULT, _("the name is not in Unicode form NFC: its partners have another name"), rename),
        "name_case": (FAULT, _("partners differ in upper and lower case"), _("rename them alike")),
        "same_stem": (FAULT, _("two files share one name and so one label"), _("delete one of them")),
        "name_breaks_loader": (FAULT, _('"bw", ".jpg" or ".png" inside the name: TintoraAI looks for its partners '
                                        "elsewhere"), _("rename all three files")),
        "name_unsafe": (WARNING, _("the name has characters that break programs"), _("rename all three files")),
        "stray_file": (WARNING, _("a file that does not belong here"), _("move it elsewhere")),
        "subfolder": (WARNING, _("a folder inside, which no loader reads"), _("move it elsewhere")),
        "leftover": (FAULT, _("the half-written file of a killed run"), _("run this step with repair=True")),
        "link_broken": (FAULT, _("a link that leads nowhere"), recolor),
        # pictures
        "picture_empty": (FAULT, _("the file is empty"), recolor),
        "picture_damaged": (FAULT, _("the picture cannot be read"), recolor),
        "format_wrong": (FAULT, _("the content is of another format than the suffix says"), recolor),
        "size_wrong": (FAULT, _("the picture does not have the size of the dataset"), recolor),
        "size_differs": (FAULT, _("color and grayscale picture differ in size"), remake),
        "color_mode": (FAULT, _("the color file is not 8-bit RGB"), recolor),
        "bw_mode": (FAULT, _("the grayscale file is not 8-bit grayscale (mode L)"), remake),
        "gray_rec709": (FAULT, _("the grayscale file was made with other weights (Rec. 709) than Pillow's"), remake),
        "gray_turned": (FAULT, _("the grayscale picture is rotated or mirrored against the color picture"), remake),
        "gray_differs": (FAULT, _("the grayscale picture is not that of its color picture"), remake),
        "color_is_gray": (WARNING, _("the color picture has no color: the colorizer would learn gray"),
                          _("delete all three files, or leave the original out")),
        "metadata_left": (FAULT, _("EXIF or other metadata (place, time, orientation) is left in the file"), recolor),
        "same_picture": (FAULT, _("one picture under two names"), _("delete one of them, with its partners")),
        "changed_since": (WARNING, _("the file is not what notebook 01 wrote"), _("run notebook 01 again")),
        # labels
        "label_empty": (FAULT, _("the label file is empty"), relabel),
        "label_truncated": (FAULT, _("the label file is cut off"), relabel),
        "label_trailing": (FAULT, _("the label file goes on behind its value"), relabel),
        "label_not_npy": (FAULT, _("the label file is not in NumPy's format"), relabel),
        "label_pickle": (FAULT, _("the label file holds a Python pickle, which may run code: it was not opened"),
                         relabel),
        "label_dtype": (FAULT, _("the label is not int64"), relabel),
        "label_shape": (FAULT, _("the label does not have the shape (1,)"), relabel),
        "label_not_in_table": (FAULT, _("the class table has no such id"), relabel),
        "label_disagrees": (FAULT, _("label file and labels.csv say different things"), relabel),
        "label_unlisted": (WARNING, _("the label is not in labels.csv: nobody knows where it came from"), relabel),
        "label_photo_changed": (FAULT, _("the photo is another one than when it was labelled"), relabel),
        "label_other_table": (FAULT, _("the label was made with another class table"), relabel),
        "labels_csv_missing": (WARNING, _("labels.csv is missing"), relabel),
        "label_row_extra": (WARNING, _("labels.csv names a photo that is not there"), relabel),
        # the whole
        "unknown_share": (WARNING, _("most photos have the unknown class"),
                          _("train with more photos, then label again")),
        "mixed_worlds": (FAULT, _("drawn demo photos and own photos in one dataset"), _("use one folder for each")),
    }[code]
