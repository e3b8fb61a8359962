"""How colorizers are trained: one recipe, with a comment per value."""

from dataclasses import dataclass

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.training.recipe import Recipe

# The loss of networks that choose among colors, beside those of ``losses.AB_LOSSES``, which say one.
BINS = "bins"
# Weight of the loss of classes with which both losses pull about equally hard (1/300 of a squared error: Iizuka et al.
# 2016); the losses of colors differ that much in size.
CLASS_WEIGHTS = {"mse": 1 / 300, "l1": 1 / 30, "huber": 1 / 30, BINS: 0.1}


@dataclass(frozen=True)
class ColorRecipe(Recipe):
    """What training does, apart from what the user chooses.

    Attributes:
        color_loss: a name of ``losses.AB_LOSSES``, or "bins": the network chooses among colors instead of saying one.
        class_weight: of the loss of classes beside that of colors.
        colorfulness_weight: of the difference in colorfulness beside the loss of colors; 0 leaves it out.
        label_dropout: share of the photos whose class is not told, so that the network colors with and without.
        uniform: with bins, how much rare colors count like frequent ones: 0 most, 1 not at all.
        kernels: sides of the parallel kernels of the network; empty for its own.
        norm: "batch" or "group", see ``create_colorizer``.
        dropout: before the class layer.
        tone: largest relative change of the exponent of lightness: old photos are paler and darker than new ones.
    """

    color_loss: str = "mse"
    class_weight: float = CLASS_WEIGHTS["mse"]
    colorfulness_weight: float = 0.0
    label_dropout: float = 0.5
    # Of Zhang et al. 2016.
    uniform: float = 0.5
    kernels: tuple[int, ...] = ()
    norm: str = "batch"
    dropout: float = 0.2
    tone: float = 0.15
    # Colors tell what stands upright: sky is above. Turned and tilted photos would blur that.
    rotation_degrees: float = 3.0
    perspective: float = 0.0


def color_recipe(
    color_loss: str, class_weight: float = 0, colorfulness_weight: float = 0, label_dropout: float = 0.5
) -> ColorRecipe:
    """The recipe with what a user chose.

    Args:
        color_loss: a name of ``CLASS_WEIGHTS``.
        class_weight: 0 is the loss's own of ``CLASS_WEIGHTS``.
        colorfulness_weight: see ``ColorRecipe``.
        label_dropout: 0 to 1.

    Raises:
        NpyLabelError: ``bad_parameter``.
    """
    if color_loss not in CLASS_WEIGHTS:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="color_loss", value=color_loss),
                            _("Use one of: {allowed}.").format(allowed=", ".join(CLASS_WEIGHTS)))
    limits = (("class_weight", class_weight, 100), ("colorfulness_weight", colorfulness_weight, 100),
              ("label_dropout", label_dropout, 1))
    for name, value, high in limits:
        if not 0 <= value <= high:
            raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                                _("Use a number from {low} to {high}.").format(low=0, high=high))
    return ColorRecipe(color_loss=color_loss, class_weight=class_weight or CLASS_WEIGHTS[color_loss],
                       colorfulness_weight=colorfulness_weight, label_dropout=label_dropout)
