"""The same small labeler and settings as in the labeler's tests."""

from tests.labeler.conftest import english, one_thread, trained

__all__ = ["english", "one_thread", "trained"]
