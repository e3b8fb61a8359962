"""The one error family that a user meets."""

from npylabel.base.i18n import _


class NpyLabelError(Exception):
    """A mistake that the user can mend: what was found and what to do.

    Args:
        code: stable short name for tests and searches, such as ``classes_missing``.
        what: what was found (value and path) and what was expected, translated.
        fix: what to do about it, translated.
    """

    def __init__(self, code: str, what: str, fix: str) -> None:
        super().__init__(code, what, fix)
        self.code = code
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return "{what}\n{label}: {fix}\n[{code}]".format(
            what=self.what, label=_("What to do"), fix=self.fix, code=self.code
        )

    def _render_traceback_(self) -> list[str]:
        """Lines that IPython shows instead of a traceback: the user's data is wrong, not the code."""
        return str(self).splitlines()
