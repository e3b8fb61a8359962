"""What holds for the tests of the colorizer."""

from collections.abc import Iterator

import pytest
import torch

from npylabel.base.i18n import set_language


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Pictures this small are slower in several threads, and much slower beside another busy program."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def english() -> None:
    """Messages are compared in English, whatever a test before this one chose."""
    set_language("en")
