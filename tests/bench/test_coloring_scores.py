"""What the benchmark of the colorizer tells a network, and what it makes of a recipe on the command line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from npylabel.colorizer.model import Colorizer, save_colorizer
from npylabel.colorizer.recipe import ColorRecipe
from npylabel.colorizer.task import ColorizerTask
from tests.bench.coloring_scores import NOTHING, begun_with, changed, named_recipes, wrong_labels
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


def test_a_training_begins_with_another_ones_encoder_and_names_alone(tmp_path: Path) -> None:
    template = Colorizer({}, "joint_light", 32, {}, "", [0, 1], "own", "")
    task = ColorizerTask(template, ColorRecipe())
    first = task.new_network().state_dict()
    save_colorizer(tmp_path / "first.pth", replace(template, state_dict=first))

    def alike() -> set[str]:
        """Parts of a new network that have the first one's weights."""
        second = task.new_network().state_dict()
        return {name.partition(".")[0] for name in first if name.endswith("weight") and "norm" not in name
                and first[name].ndim > 1 and first[name].any() and torch.equal(first[name], second[name])}

    with begun_with(tmp_path / "first.pth"):
        assert alike() == {"encoder", "name", "classifier"}
    assert alike() == set()
