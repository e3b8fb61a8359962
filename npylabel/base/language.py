"""The language that a person chose, checked."""

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import LANGUAGES, _, set_language


def choose_language(language: str) -> str:
    """The language now in use, "en" or "ru"; "" is Russian in a notebook and the system's language elsewhere.

    Raises:
        NpyLabelError: ``bad_parameter`` for any other value.
    """
    if language not in ("", *LANGUAGES):
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="language", value=language),
                            _("Use one of: {allowed}.").format(allowed=", ".join(LANGUAGES)))
    return set_language(language)
