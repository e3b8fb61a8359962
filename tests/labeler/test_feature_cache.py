"""Each photo is seen once by each model, and again only when it or the model is another one."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from npylabel.dataset.pixel_cache import cached_files, pixel_folder
from npylabel.labeler import feature_cache
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.feature_cache import Looks, file_ref, look_at
from npylabel.labeler.predict import Predictor
from tests.labeler import kit
from tests.labeler.label_kit import Killed, kill_at_call

OLD = 10**18


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Six photos that were laid long ago, and an empty cache."""
    monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path / "cache"))
    found = sorted(kit.photo_folder(tmp_path / "color", 2).iterdir())
    for path in found:
        os.utime(path, ns=(OLD, OLD))
    return found


@pytest.fixture
def predictor(trained: kit.Trained) -> Predictor:
    return Predictor(load_checkpoint(trained.model_path), torch.device("cpu"))


def read_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of photos in each group that a network sees from now on."""
    groups, see = [], Predictor.logits_and_features

    def count(self: Predictor, pixels: np.ndarray) -> object:
        groups.append(len(pixels))
        return see(self, pixels)

    monkeypatch.setattr(Predictor, "logits_and_features", count)
    return groups


def look(predictor: Predictor, photos: list[Path], model: str = "a") -> Looks:
    return look_at(predictor, model, [file_ref(path) for path in photos])


def test_what_is_seen_is_what_the_labeler_says(predictor: Predictor, photos: list[Path]) -> None:
    looks = look(predictor, photos)
    best = predictor.class_ids[looks.probabilities.argmax(1)]
    assert [int(value) for value in best] == [kit.true_id(path.stem) for path in photos]
    np.testing.assert_allclose(looks.probabilities.sum(1), 1, atol=1e-5)
    assert looks.features.shape == (6, 512) and looks.readable.all()


def test_a_second_look_reads_nothing(
    predictor: Predictor, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, groups = look(predictor, photos[:4]), read_by(monkeypatch)
    second = look(predictor, photos)
    assert groups == [2]
    assert np.array_equal(second.features[:4], first.features)
    assert np.array_equal(second.probabilities[:4], first.probabilities)
    assert look(predictor, photos[::-1]).features.tolist() == second.features[::-1].tolist() and groups == [2]


def test_another_model_or_a_changed_photo_is_seen_anew(
    predictor: Predictor, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, groups = look(predictor, photos), read_by(monkeypatch)
    look(predictor, photos, "b")
    assert groups == [6]
    photos[0].write_bytes(photos[5].read_bytes())
    again = look(predictor, photos)
    assert groups == [6, 1] and np.array_equal(again.features[0], first.features[5])


def test_a_photo_that_cannot_be_read_costs_only_itself(predictor: Predictor, photos: list[Path]) -> None:
    photos[2].write_bytes(b"none")
    looks = look(predictor, photos)
    assert looks.readable.tolist() == [True, True, False, True, True, True]
    assert not looks.probabilities[2].any() and not looks.features[2].any() and looks.features[3].any()
    assert look(predictor, [photos[2]]).features.shape[0] == 1


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_damaged_cache_costs_time_only(predictor: Predictor, photos: list[Path], content: bytes) -> None:
    first = look(predictor, photos)
    path = next(pixel_folder().glob("*.features"))
    path.write_bytes(content)
    assert np.array_equal(look(predictor, photos).features, first.features)
    assert path in cached_files() and path.stat().st_size > 1000


def test_no_place_for_a_cache(predictor: Predictor, photos: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "pixel_folder", lambda: None)
    assert look(predictor, photos).readable.all()


def test_a_kill_leaves_what_was_seen(
    predictor: Predictor, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_cache, "CHUNK", 2)
    monkeypatch.setattr(feature_cache, "run_threads", lambda function, jobs, ahead: map(function, jobs))
    with monkeypatch.context() as patch:
        kill_at_call(patch, Predictor, "logits_and_features", 3)
        with pytest.raises(Killed):
            look(predictor, photos)
    groups = read_by(monkeypatch)
    assert look(predictor, photos).readable.all() and groups == [2]


@pytest.mark.usefixtures("photos")
def test_two_processes_keep_what_both_saw() -> None:
    one, other = (feature_cache.FeatureCache("a") for _process in range(2))
    one.add("1" * 64, np.ones(3, np.float32), np.ones(2, np.float32))
    other.add("2" * 64, np.zeros(3, np.float32), np.zeros(2, np.float32))
    one.keep()
    other.keep()
    found = feature_cache.FeatureCache("a")
    assert "1" * 64 in found and "2" * 64 in found


def test_no_photos(predictor: Predictor) -> None:
    assert look(predictor, []).probabilities.shape == (0, 3)
