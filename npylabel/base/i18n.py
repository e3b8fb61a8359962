"""One source, two languages: English in the code, Russian in ``locale/ru``."""

import gettext
import locale
import os
import sys
from pathlib import Path

LANGUAGES = ("en", "ru")
LOCALE_DIR = Path(__file__).with_name("locale")
_current = gettext.NullTranslations()
_language = "en"


def _(message: str) -> str:
    """The message in the language that ``set_language`` chose."""
    return _current.gettext(message)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """The message itself: marks a text for the catalogue that is translated where it is shown."""
    return message


def translated(marked: str) -> str:
    """A message that another module marked by ``N_``, in the language that ``set_language`` chose."""
    return _current.gettext(marked)


def set_language(language: str = "") -> str:
    """The language now in use, "en" or "ru".

    Args:
        language: "en", "ru", or "" for Russian in a notebook and the system's language elsewhere.

    Raises:
        ValueError: for any other value.
    """
    global _current, _language
    language = language or ("ru" if in_notebook() else _system_language())
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {LANGUAGES}, not {language!r}")
    _current = gettext.translation("npylabel", LOCALE_DIR, languages=[language], fallback=True)
    _language = language
    return language


def language_in_use() -> str:
    """What ``set_language`` chose, for a process that shall speak as this one does."""
    return _language


def in_notebook() -> bool:
    """Whether the code runs in a Jupyter or Colab kernel (a terminal IPython is not one)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def _system_language() -> str:
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in names if name), "") or (locale.getlocale()[0] or "")
    return "ru" if chosen.lower().startswith(("ru", "russian")) else "en"
