"""The one error family: what it says, and that it travels between processes."""

import pickle

from npylabel.base.errors import NpyLabelError


def test_an_error_says_what_was_found_and_what_to_do() -> None:
    lines = str(NpyLabelError("some_code", "There is no x.", "Make an x.")).splitlines()
    assert lines == ["There is no x.", "What to do: Make an x.", "[some_code]"]


def test_a_notebook_shows_the_words_and_no_traceback() -> None:
    error = NpyLabelError("some_code", "There is no x.", "Make an x.")
    assert error._render_traceback_() == str(error).splitlines()


def test_an_error_survives_the_way_out_of_a_worker() -> None:
    error = pickle.loads(pickle.dumps(NpyLabelError("some_code", "что", "как")))
    assert (error.code, error.what, error.fix) == ("some_code", "что", "как")
