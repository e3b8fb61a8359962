"""One small labeler that many tests use and none changes."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from npylabel.base.i18n import set_language
from npylabel.training import plan
from tests.labeler import kit
from tests.labeler.label_kit import Folder, save_changed


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny pictures gain nothing from more threads, which wait for each other by spinning on busy cores."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def english() -> None:
    """Messages are compared in English, whatever a test before this one chose."""
    set_language("en")


@pytest.fixture(scope="session", autouse=True)
def saved_each_epoch() -> Iterator[None]:
    """What a run leaves behind shall not depend on how quick the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "SAVING_SHARE", math.inf)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> kit.Trained:
    """A labeler of the three shapes, trained for five epochs."""
    root = tmp_path_factory.mktemp("trained")
    data_path = kit.class_folders(root / "data", 14)
    model_path = root / "models" / "tiny_cnn.pth"
    test_dir = kit.class_folders(root / "test", 4, first=300)
    return kit.Trained(data_path, model_path, kit.train(data_path, model_path, epochs=5, test_dir=test_dir))


@pytest.fixture
def folder(trained: kit.Trained, tmp_path: Path) -> Folder:
    """Two photos of each shape, labeled once."""
    found = Folder(tmp_path, trained.model_path)
    kit.photo_folder(found.color, 2)
    found.run()
    return found


@pytest.fixture
def modest(trained: kit.Trained, tmp_path: Path) -> Path:
    """The trained model with a temperature at which some photos stay below 0.5."""
    return save_changed(trained.model_path, tmp_path / "modest.pth", temperature=40.0)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photos of each shape; nobody writes here."""
    return kit.class_folders(tmp_path_factory.mktemp("data"), 8)
