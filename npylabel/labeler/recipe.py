"""How labelers are trained: one recipe, with a comment per value, and what a network wants otherwise."""

from dataclasses import dataclass, replace

from npylabel.training.recipe import Recipe

# Random crops show things larger than whole photos do. So that a network meets them as large as it learned them
# (Touvron et al. 2019), photos are made larger than its pictures by this factor, and it looks at the middle.
ZOOM = 1.125


@dataclass(frozen=True)
class LabelerRecipe(Recipe):
    """What training does, apart from what the user chooses.

    Attributes:
        color: largest relative change of brightness, contrast and saturation.
        erasing: share of the photos that lose a rectangle (Zhong et al. 2020).
        mixup: share of the batches that are blended (Zhang et al. 2018).
        cutmix: share of the batches in which rectangles change places (Yun et al. 2019).
    """

    color: float = 0.15
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0


_DEFAULT = LabelerRecipe()
# Without batch normalization the original diverges at the rate of the others.
_OTHERWISE = {"minicnn": {"learning_rate": 1e-3}}


# Trained for so long on photos that are changed little, the network knows them all by heart (99 % after 29 epochs);
# changed more they teach it more, but not in a short time. Measured for this network.
LONG_EPOCHS = 60
_LONG = {"resnet10": {"smallest_crop": 0.4, "color": 0.2, "mixup": 0.1, "cutmix": 0.4}}


def recipe_of(network: str, epochs: float = 0) -> LabelerRecipe:
    """The recipe of a network in the registry for a training of so many epochs in all; 0 is a short one."""
    long = _LONG.get(network, {}) if epochs >= LONG_EPOCHS else {}
    return replace(_DEFAULT, **_OTHERWISE.get(network, {}), **long)
