"""The explorer counts what a threshold does as anybody would with pencil and paper."""

from pathlib import Path

import numpy as np
import pytest

from npylabel.dataset.human_labels import Labels
from npylabel.labeler.calibration import Judged
from npylabel.labeler.explorer import NearPhoto, ThresholdExplorer, open_explorer
from tests.labeler import kit
from tests.labeler.review_kit import World

SKY, HOUSE = "небо", "дом"


def near(name: str, confidence: float, true: str = "") -> NearPhoto:
    return NearPhoto(Path(f"{confidence}"), name, confidence, true)


@pytest.fixture
def explorer() -> ThresholdExplorer:
    validation = [near(SKY, 0.3, HOUSE), near(HOUSE, 0.5, HOUSE), near(SKY, 0.6, SKY), near(SKY, 0.9, SKY)]
    labeled = [near(SKY, 0.2), near(SKY, 0.45), near(HOUSE, 0.55), near(SKY, 0.8), near(HOUSE, 0.95)]
    judged = Judged(np.array([photo.confidence for photo in validation], np.float32),
                    np.array([photo.class_name == photo.true_name for photo in validation]))
    return ThresholdExplorer(judged, validation, labeled, 0.5)


@pytest.mark.parametrize(("threshold", "kept", "unknown", "right"), [
    (0, 5, 0, 0.75), (0.5, 3, 0.25, 1), (0.46, 3, 0.25, 1), (0.2, 5, 0, 0.75), (0.7, 2, 0.75, 1), (1, 0, 1, None),
])
def test_coverage_and_precision(
    explorer: ThresholdExplorer, threshold: float, kept: int, unknown: float, right: float | None
) -> None:
    assert explorer.kept(threshold) == kept
    at = explorer.at(threshold)
    assert (at.unknown, at.right) == (unknown, right)


def test_each_class_those_that_lose_most_first(explorer: ThresholdExplorer) -> None:
    sky, house = explorer.by_class(0.5)
    assert (sky.class_name, sky.photos, sky.kept) == (SKY, 3, 1)
    assert (sky.judged.photos, sky.judged.kept, sky.judged.kept_right) == (3, 2, 2)
    assert (house.class_name, house.photos, house.kept, house.judged.kept) == (HOUSE, 2, 2, 1)
    assert explorer.by_class(0.7)[1].judged.right is None
    assert [each.kept for each in explorer.by_class(0)] == [2, 3]


def test_the_photos_beside_the_line(explorer: ThresholdExplorer) -> None:
    def confidences(photos: list[NearPhoto]) -> list[float]:
        return [photo.confidence for photo in photos]

    below, above = explorer.around(0.5, 2)
    assert (confidences(below), confidences(above)) == ([0.2, 0.45], [0.55, 0.8])
    assert [*map(confidences, explorer.around(0, 2))] == [[], [0.2, 0.45]]
    assert [*map(confidences, explorer.around(1, 1))] == [[0.95], []]
    assert [*map(confidences, explorer.around(0.45, 1))] == [[0.2], [0.45]], "who reaches it is above"


def test_without_labels_the_validation_photos_are_shown(explorer: ThresholdExplorer) -> None:
    alone = ThresholdExplorer(explorer.judged, explorer.validation)
    assert alone.kept(0.5) == 0 and [photo.true_name for photo in alone.around(0.5, 1)[0]] == [HOUSE]


def test_nothing_is_known() -> None:
    empty = ThresholdExplorer(None)
    assert empty.at(0.5) is None and empty.advised is None and empty.by_class(0.5) == []
    assert empty.around(0.5, 3) == ([], [])


def test_what_lies_on_the_disk(trained: kit.Trained, tmp_path: Path) -> None:
    world = World(tmp_path, trained.model_path, trained.data_path)
    world.label(threshold=0.7)
    name = next(iter(world.rows()))
    Labels(world.dataset, world.labels_dir, kit.TABLE).give({name: 50})
    found = open_explorer(world.model_path, world.labels_dir, world.dataset / "color", world.data_path, kit.TABLE)
    assert found.threshold == 0.7 and len(found.labeled) == 8
    assert name not in [photo.path.stem for photo in found.labeled] and all(p.path.is_file() for p in found.labeled)
    assert [photo.confidence for photo in found.labeled] == sorted(photo.confidence for photo in found.labeled)
    assert len(found.validation) == len(found.judged) > 0 and all(photo.path.is_file() for photo in found.validation)
    assert sum(each.photos for each in found.by_class(0.5)) == 8
    assert sum(each.judged.photos for each in found.by_class(0.5) if each.judged) == len(found.validation)


def test_before_anything_is_labeled(trained: kit.Trained, tmp_path: Path) -> None:
    found = open_explorer(trained.model_path, tmp_path / "labels", tmp_path / "color", trained.data_path, kit.TABLE)
    assert found.labeled == [] and found.threshold == 0.5 and found.at(0.5) is not None
