"""Why a photo has no place in the dataset: the closed list of codes."""

from npylabel.base.i18n import _

EXACT_DUPLICATE = "exact_duplicate"
EDITED_COPY = "edited_copy"
BY_PERSON = "by_person"
PICTURE_LOST = "picture_lost"
DECODER_CRASHED = "decoder_crashed"
# These may go away by themselves (a Drive that was busy, a moment without memory), so the next run tries again.
TRANSIENT = frozenset({"unreadable", "dangling_link", DECODER_CRASHED})


def describe(code: str) -> str:
    """What a code means and what to do, translated.

    Raises:
        KeyError: for a code that is not in the list.
    """
    return {
        "empty_file": _("the file is empty (0 bytes): copy it again from the phone"),
        "not_an_image": _("the content is no picture, whatever the name says"),
        "unsupported_format": _("a picture in a format that is not read (raw, SVG, PSD...): export it as JPEG"),
        "truncated": _("the file ends before the picture does: copy it again from the phone"),
        "damaged": _("the data is broken inside the file: copy it again from the phone"),
        "too_small": _("a side is shorter than 32 pixels"),
        "too_large": _("more pixels or bytes than can be read safely: save a smaller copy"),
        "unreadable": _("the file cannot be read (permission, disk or Drive): try again later"),
        "not_a_file": _("a folder, pipe or device with the name of a photo"),
        "dangling_link": _("a link that leads nowhere"),
        "encrypted": _("protected by a password inside the zip: unpack it yourself"),
        "unsafe_name": _("its name inside the zip points outside (.., absolute, link): unpack it yourself"),
        "broken_archive": _("the zip cannot be read: download it again"),
        DECODER_CRASHED: _("the decoder crashed or ran out of memory on this photo"),
        EXACT_DUPLICATE: _("the same bytes as another photo"),
        EDITED_COPY: _("Google's edited copy of a photo that is there too"),
        BY_PERSON: _("you left it out; the notebook 00_manage can take it back"),
        PICTURE_LOST: _("its color picture is missing or damaged, and its original is not here: bring one of them back "
                        "and run this step again"),
        "two_classes": _("the same photo lies in the folders of two classes: decide which one is right"),
    }[code]
