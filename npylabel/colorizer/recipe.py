"""How colorizers are trained: one recipe, with a comment per value."""

from dataclasses import dataclass

from npylabel.training.recipe import Recipe

# The loss of networks that choose among colors, beside those of ``losses.AB_LOSSES``, which say one.
BINS = "bins"


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
    # Iizuka et al. 2016 take 1/300; both losses pull about equally hard with it.
    class_weight: float = 1 / 300
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
