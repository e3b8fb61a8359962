"""How networks are trained, as far as it does not matter what they learn, and the sides of their pictures."""

from dataclasses import dataclass

# Sides of training pictures. A network that halves its picture five times keeps at least one pixel of 32, and wants
# multiples of that: others are halved off the middle, and cost up to a quarter of the accuracy.
SMALLEST_PX = 32
_STEP_PX = 32
# A crop of less than the whole photo is enlarged to the side of the pictures; more than this is never missed, and no
# training photo has more pixels than that.
SPARE, MOST_STORED_PX = 1.25, 512


@dataclass(frozen=True)
class Recipe:
    """What training does, apart from what the user chooses.

    Attributes:
        learning_rate: the highest of the one-cycle schedule (Smith and Topin 2017).
        weight_decay: of weights with more than one dimension (Loshchilov and Hutter 2019).
        warmup: share of the steps in which the learning rate rises.
        label_smoothing: probability that goes to all classes alike (Szegedy et al. 2016), where classes are learned.
        ema_decay: of the running mean of the weights, by step; that mean is what is judged and kept.
        sizes: (until this share of the steps, side of the training pictures as share of ``input_px``): small pictures
            first, because they are quick (Howard 2018).
        smallest_crop: least share of the area that a random crop keeps.
        rotation_degrees: largest turn to either side.
        perspective: largest tilt, as share of the side by which one edge shrinks.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup: float = 0.25
    label_smoothing: float = 0.1
    ema_decay: float = 0.998
    sizes: tuple[tuple[float, float], ...] = ((0.4, 0.5), (0.8, 0.75), (1.0, 1.0))
    smallest_crop: float = 0.5
    rotation_degrees: float = 10.0
    perspective: float = 0.05


def train_px(recipe: Recipe, input_px: int, done: float) -> int:
    """Side of the training pictures when the share ``done`` (0-1) of the steps is done, a multiple of 32.

    Never above ``input_px``.
    """
    share = next((share for until, share in recipe.sizes if done < until), recipe.sizes[-1][1])
    wished = round(input_px * share / _STEP_PX) * _STEP_PX
    return min(input_px, max(SMALLEST_PX, wished))


def stored_px(input_px: int) -> int:
    """Side at which photos are stored for the training with pictures of ``input_px``: crops of them stay sharp."""
    return max(input_px, min(round(SPARE * input_px), MOST_STORED_PX))
