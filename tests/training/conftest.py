"""What the labeler's tests use, because the engine is tried on labelers."""

from tests.labeler.conftest import data, english, one_thread, saved_each_epoch

__all__ = ["data", "english", "one_thread", "saved_each_epoch"]
