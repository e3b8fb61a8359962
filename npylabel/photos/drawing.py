"""The demo photos: pictures of ten classes drawn by code, standing in for photos out of a person's phone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from npylabel.photos.drawing_canvas import OVERSAMPLING, Canvas, new_canvas
from npylabel.photos.drawing_car import draw_car
from npylabel.photos.drawing_fish import draw_fish
from npylabel.photos.drawing_house import draw_house
from npylabel.photos.drawing_moon import draw_moon
from npylabel.photos.drawing_plants import draw_flower, draw_grass, draw_tree
from npylabel.photos.drawing_sky import draw_sky, draw_sun, draw_sunset

_SCENES: dict[str, Callable[[Canvas], None]] = {
    "небо": draw_sky,
    "трава": draw_grass,
    "солнце": draw_sun,
    "луна": draw_moon,
    "дом": draw_house,
    "дерево": draw_tree,
    "цветок": draw_flower,
    "рыба": draw_fish,
    "машина": draw_car,
    "закат": draw_sunset,
}
DEMO_CLASSES: tuple[str, ...] = tuple(_SCENES)

# These bring their own light: a dusky sun or an evening sky would be another class.
_OWN_LIGHT = frozenset({"небо", "солнце", "луна", "закат"})
# Light of the day as (red, green, blue, saturation) factors: noon, clear morning, overcast, evening.
_DAYLIGHT = ((1.0, 1.0, 1.0, 1.0), (1.03, 1.0, 0.97, 1.05), (0.94, 0.96, 0.98, 0.8), (1.0, 0.92, 0.81, 1.0))


def draw_photo(class_name: str, *, random_seed: int, size: tuple[int, int]) -> Image.Image:
    """Returns a drawn photo of a class: an RGB image of exactly the given size, the same for the same arguments.

    Args:
        class_name: One of DEMO_CLASSES.
        random_seed: Chooses the picture, 0 or more.
        size: Width and height in pixels; 64 or more on both sides gives something recognizable.

    Raises:
        ValueError: The class has no drawing.
    """
    if class_name not in _SCENES:
        raise ValueError(f"no drawing for class {class_name!r}; expected one of {', '.join(DEMO_CLASSES)}")
    rng = np.random.default_rng((random_seed, DEMO_CLASSES.index(class_name)))
    canvas = new_canvas(size, rng)
    _SCENES[class_name](canvas)
    photo = _hold_camera(canvas, size)
    if class_name not in _OWN_LIGHT:
        photo = _light(photo, canvas.pick(_DAYLIGHT))
    if canvas.chance(0.35):
        photo = photo.filter(ImageFilter.BoxBlur(canvas.uniform(0.2, 0.8)))
    return _add_grain(photo, rng, canvas.count(2, 5))


def _hold_camera(canvas: Canvas, size: tuple[int, int]) -> Image.Image:
    """The canvas brought to the photo's size, often slightly tilted as from a hand."""
    if canvas.chance(0.7):
        return canvas.image.reduce(OVERSAMPLING)
    width, height = size
    angle = math.radians(canvas.uniform(-4, 4))
    cos, sin = math.cos(angle), math.sin(angle)
    # The tilted frame must stay inside the canvas, so it takes in a little less of it.
    fit = 1 / (cos + abs(sin) * max(width, height) / min(width, height))
    a, b = cos * fit * OVERSAMPLING, sin * fit * OVERSAMPLING
    matrix = (
        a,
        -b,
        canvas.width / 2 - a * width / 2 + b * height / 2,
        b,
        a,
        canvas.height / 2 - b * width / 2 - a * height / 2,
    )
    return canvas.image.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _light(photo: Image.Image, light: tuple[float, float, float, float]) -> Image.Image:
    *channels, saturation = light
    table = [min(255, round(level * factor)) for factor in channels for level in range(256)]
    return ImageEnhance.Color(photo.point(table)).enhance(saturation)


def _add_grain(photo: Image.Image, rng: np.random.Generator, levels: int) -> Image.Image:
    grain = rng.integers(-levels, levels + 1, (photo.height, photo.width, 1), dtype=np.int16)
    return Image.fromarray(np.clip(np.asarray(photo) + grain, 0, 255).astype(np.uint8))
