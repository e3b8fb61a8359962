"""What holds for all tests."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NPYLABEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def a_person_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test says of who sits in front holds for this test only; a run of notebooks in batch says it for good."""
    monkeypatch.setenv("NPYLABEL_HEADLESS", "")
