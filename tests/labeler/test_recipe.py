"""The recipe fixes what training sees."""

from dataclasses import replace

import pytest

from npylabel.labeler.recipe import Recipe, recipe_of, stored_px, train_px

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
