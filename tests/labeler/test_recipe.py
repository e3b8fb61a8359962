"""The recipe fixes what training sees."""

from dataclasses import replace
from pathlib import Path

import pytest

from npylabel.labeler.recipe import LONG_EPOCHS, recipe_of
from npylabel.training.course import new_module
from npylabel.training.plan import Plan, Segment
from npylabel.training.recipe import Recipe, stored_px, train_px
from tests.labeler.test_refit import Setting

GROWING = replace(Recipe(), sizes=((0.4, 0.5), (0.8, 0.75), (1.0, 1.0)))


@pytest.mark.parametrize(("input_px", "done", "px"), [
    (128, 0.0, 64), (128, 0.39, 64), (128, 0.4, 96), (128, 0.79, 96), (128, 0.8, 128), (128, 1.0, 128),
    (512, 0.1, 256), (100, 0.5, 64), (100, 0.9, 96), (32, 0.0, 32), (40, 0.0, 32), (40, 0.9, 32),
])
def test_training_pictures_grow(input_px: int, done: float, px: int) -> None:
    assert train_px(GROWING, input_px, done) == px


@pytest.mark.parametrize(("input_px", "stored"), [(32, 40), (128, 160), (224, 280), (480, 512), (512, 512)])
def test_photos_are_stored_with_some_pixels_to_spare(input_px: int, stored: int) -> None:
    assert stored_px(input_px) == stored


def test_training_pictures_are_never_larger_than_the_stored_ones() -> None:
    for input_px in range(32, 200):
        for share in (0.5, 0.9, 1.0):
            recipe = replace(GROWING, sizes=((1.0, share),))
            assert 32 <= train_px(recipe, input_px, 0.5) <= input_px


def test_the_original_trains_more_carefully() -> None:
    assert recipe_of("minicnn").learning_rate < recipe_of("smallresnet").learning_rate
    assert replace(recipe_of("minicnn"), learning_rate=1) == replace(recipe_of("smallresnet"), learning_rate=1)


def test_long_trainings_see_their_photos_changed_more() -> None:
    short, long = recipe_of("resnet10", LONG_EPOCHS - 1), recipe_of("resnet10", LONG_EPOCHS)
    assert short == recipe_of("resnet10") and long.smallest_crop < short.smallest_crop
    assert long.cutmix > short.cutmix and long.learning_rate == short.learning_rate
    assert recipe_of("minicnn", 1000) == recipe_of("minicnn")


@pytest.mark.parametrize(("epochs", "mixes"), [(1, False), (LONG_EPOCHS, True)])
def test_the_length_of_the_plan_decides(tmp_path: Path, epochs: int, mixes: bool) -> None:
    plan = Plan({"epochs": epochs}, 2, (Segment(0, 2 * epochs),))
    assert (new_module(Setting(tmp_path).job, plan).recipe.cutmix > 0) == mixes
