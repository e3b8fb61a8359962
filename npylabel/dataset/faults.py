"""What can be wrong with a dataset: the closed list of codes, what each means, and the cure."""

from dataclasses import dataclass

from npylabel.base.i18n import N_, _

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


_REMAKE = N_("run this step with repair=True: it makes the grayscale file again")
_RENAME = N_("run this step with repair=True: it renames the file")
_RELABEL = N_("run notebook 04 again")
_RECOLOR = N_("move the file elsewhere and run notebook 01 again on the original")
# code: (severity, meaning, cure)
_TABLE = {
    # structure
    "folder_missing": (FAULT, N_("a folder of the dataset is missing"), N_("run the notebook that makes it")),
    "bw_missing": (FAULT, N_("a color file has no grayscale partner"), _REMAKE),
    "color_missing": (FAULT, N_("a grayscale file has no color partner"), N_("delete it, or run notebook 01 again")),
    "label_missing": (FAULT, N_("a photo has no label"), _RELABEL),
    "label_extra": (FAULT, N_("a label has no photo"), N_("delete it")),
    "suffix_mismatch": (FAULT, N_("color and grayscale file have different suffixes: TintoraAI finds no pair"),
                        _REMAKE),
    "suffix_case": (FAULT, N_("the suffix is not in lower case: TintoraAI skips the file"), _RENAME),
    "suffix_not_read": (FAULT, N_("TintoraAI does not read this suffix"), _RECOLOR),
    "name_not_nfc": (FAULT, N_("the name is not in Unicode form NFC: its partners have another name"), _RENAME),
    "name_case": (FAULT, N_("partners differ in upper and lower case"), N_("rename them alike")),
    "same_stem": (FAULT, N_("two files share one name and so one label"), N_("delete one of them")),
    "name_breaks_loader": (FAULT, N_('"bw", ".jpg" or ".png" inside the name: TintoraAI looks for its partners '
                                    "elsewhere"), N_("rename all three files")),
    "name_unsafe": (WARNING, N_("the name has characters that break programs"), N_("rename all three files")),
    "stray_file": (WARNING, N_("a file that does not belong here"), N_("move it elsewhere")),
    "subfolder": (WARNING, N_("a folder inside, which no loader reads"), N_("move it elsewhere")),
    "leftover": (FAULT, N_("the half-written file of a killed run"), N_("run this step with repair=True")),
    "link_broken": (FAULT, N_("a link that leads nowhere"), _RECOLOR),
    # pictures
    "picture_empty": (FAULT, N_("the file is empty"), _RECOLOR),
    "picture_damaged": (FAULT, N_("the picture cannot be read"), _RECOLOR),
    "format_wrong": (FAULT, N_("the content is of another format than the suffix says"), _RECOLOR),
    "size_wrong": (FAULT, N_("the picture does not have the size of the dataset"), _RECOLOR),
    "size_differs": (FAULT, N_("color and grayscale picture differ in size"), _REMAKE),
    "color_mode": (FAULT, N_("the color file is not 8-bit RGB"), _RECOLOR),
    "bw_mode": (FAULT, N_("the grayscale file is not 8-bit grayscale (mode L)"), _REMAKE),
    "gray_rec709": (FAULT, N_("the grayscale file was made with other weights (Rec. 709) than Pillow's"), _REMAKE),
    "gray_turned": (FAULT, N_("the grayscale picture is rotated or mirrored against the color picture"), _REMAKE),
    "gray_differs": (FAULT, N_("the grayscale picture is not that of its color picture"), _REMAKE),
    "color_is_gray": (WARNING, N_("the color picture has no color: the colorizer would learn gray"),
                      N_("delete all three files, or leave the original out")),
    "metadata_left": (FAULT, N_("EXIF or other metadata (place, time, orientation) is left in the file"), _RECOLOR),
    "same_picture": (FAULT, N_("one picture under two names"), N_("delete one of them, with its partners")),
    "changed_since": (WARNING, N_("the file is not what notebook 01 wrote"), N_("run notebook 01 again")),
    # labels
    "label_empty": (FAULT, N_("the label file is empty"), _RELABEL),
    "label_truncated": (FAULT, N_("the label file is cut off"), _RELABEL),
    "label_trailing": (FAULT, N_("the label file has extra data after its value"), _RELABEL),
    "label_not_npy": (FAULT, N_("the label file is not in NumPy's format"), _RELABEL),
    "label_pickle": (FAULT, N_("the label file holds a Python pickle, which may run code: it was not opened"),
                     _RELABEL),
    "label_dtype": (FAULT, N_("the label is not int64"), _RELABEL),
    "label_shape": (FAULT, N_("the label does not have the shape (1,)"), _RELABEL),
    "label_not_in_table": (FAULT, N_("the class table has no such id"), _RELABEL),
    "label_disagrees": (FAULT, N_("label file and labels.csv say different things"), _RELABEL),
    "label_unlisted": (WARNING, N_("the label is not in labels.csv: nobody knows where it came from"), _RELABEL),
    "label_photo_changed": (FAULT, N_("the photo has changed since it was labeled"), _RELABEL),
    "label_other_table": (FAULT, N_("the label was made with another class table"), _RELABEL),
    "labels_csv_missing": (WARNING, N_("labels.csv is missing"), _RELABEL),
    "label_row_extra": (WARNING, N_("labels.csv names a photo that is not there"), _RELABEL),
    # the whole
    "unknown_share": (WARNING, N_("most photos have the unknown class"),
                      N_("train with more photos, then label again")),
    "mixed_worlds": (FAULT, N_("drawn demo photos and own photos in one dataset"), N_("use one folder for each")),
}
CODES = frozenset(_TABLE)


def explain(code: str) -> tuple[str, str, str]:
    """(severity, meaning, cure) of a code, translated.

    Raises:
        KeyError: for a code that is not in the list.
    """
    severity, meaning, cure = _TABLE[code]
    return severity, _(meaning), _(cure)
