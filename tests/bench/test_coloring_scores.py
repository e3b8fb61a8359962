"""What the benchmark of the colorizer tells a network, and what it makes of a recipe on the command line."""

import numpy as np
import pytest

from npylabel.colorizer.recipe import ColorRecipe
from tests.bench.coloring_scores import NOTHING, changed, named_recipes, wrong_labels
from tests.bench.training import default_settings


def test_wrong_labels_are_never_the_right_ones() -> None:
    own, taught = np.array([3, 5, 8, 11, NOTHING, 4] * 40), [3, 5, 8, 11]

    wrong = wrong_labels(own, taught)

    assert wrong.shape == (240, 2) and wrong.dtype == np.int64
    assert not (wrong == own[:, None]).any()
    assert (wrong[:, 0] != wrong[:, 1]).all()
    assert set(wrong[own == 3].ravel()) == {5, 8, 11}
    assert set(wrong[own == 4].ravel()) == set(taught)
    assert (wrong_labels(own, taught) == wrong).all()


def test_a_recipe_of_the_command_line_changes_recipe_and_settings() -> None:
    asked = named_recipes(['small={"color_loss": "l1", "batch_size": 16, "sizes": [[0.5, 0.5], [1.0, 1.0]]}'],
                          all_known=False)

    recipe, settings = changed(default_settings(network="joint_light"), asked["small"])

    assert recipe == ColorRecipe(color_loss="l1", sizes=((0.5, 0.5), (1.0, 1.0)))
    assert settings == default_settings(network="joint_light", batch_size=16)
    with pytest.raises(TypeError, match="color_los"):
        changed(settings, {"color_los": "l1"})
