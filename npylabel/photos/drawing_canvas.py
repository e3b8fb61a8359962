"""The brushes the demo photos are drawn with: a canvas, colors, gradients, noise and soft shapes.

Everything random comes from the canvas's own generator, and arrays go through exactly rounded operations only
(add, multiply, divide, square root), so that the same seed gives the same picture on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Color = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom
Option = TypeVar("Option")

OVERSAMPLING = 2
_SOFT_STEP = 4  # clouds and glows have no sharp edges: they are computed on a grid this many times coarser


@dataclass(frozen=True)
class Canvas:
    """A picture in progress, OVERSAMPLING times as large as the photo it becomes, with its source of chance."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    rng: np.random.Generator

    @property
    def width(self) -> int:
        """Width in canvas pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height in canvas pixels."""
        return self.image.height

    @property
    def unit(self) -> int:
        """The shorter side in canvas pixels; sizes of things are fractions of it."""
        return min(self.image.size)

    def uniform(self, low: float, high: float) -> float:
        """A random number from low to high."""
        return low + (high - low) * float(self.rng.random())

    def chance(self, probability: float) -> bool:
        """True with the given probability (0-1)."""
        return float(self.rng.random()) < probability

    def count(self, low: int, high: int) -> int:
        """A random whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, options: Sequence[Option]) -> Option:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def tint(self, color: Color, spread: int = 10) -> Color:
        """The color with every channel moved by up to spread levels."""
        return tuple(min(255, max(0, channel + self.count(-spread, spread))) for channel in color)


def new_canvas(size: tuple[int, int], rng: np.random.Generator) -> Canvas:
    """An empty canvas for a photo of the given (width, height) in pixels."""
    image = Image.new("RGB", (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING))
    return Canvas(image, ImageDraw.Draw(image), rng)


def mix(first: Color, second: Color, share: float) -> Color:
    """The color that lies the given share (0-1) of the way from the first to the second."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def shade(color: Color, factor: float) -> Color:
    """The color made darker (factor below 1) or brighter (above 1)."""
    return tuple(min(255, max(0, round(channel * factor))) for channel in color)


def gradient(size: tuple[int, int], stops: Sequence[tuple[float, Color]]) -> Image.Image:
    """An RGB image of (width, height) whose color runs from top to bottom through the stops (position 0-1, color)."""
    rows = np.linspace(0, 1, size[1])
    positions = [position for position, _ in stops]
    channels = [np.interp(rows, positions, [color[k] for _, color in stops]) for k in range(3)]
    column = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return Image.fromarray(column[:, np.newaxis]).resize(size, Image.Resampling.NEAREST)


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int = 4
) -> np.ndarray:
    """Smooth noise, float32 of the given (rows, columns) within 0-1.

    Value noise: random grids, each twice as fine and half as strong as the one before, enlarged and summed.
    cells: how many grid cells fit into the height and the width at the coarsest octave.
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        grid_shape = [max(2, round(cell * 2**octave) + 1) for cell in cells]
        grid = Image.fromarray(rng.random(grid_shape, dtype=np.float32))
        total += np.asarray(grid.resize(shape[::-1], Image.Resampling.BICUBIC)) * np.float32(0.5**octave)
    low, high = total.min(), total.max()
    return (total - low) / max(float(high - low), 1e-6)


def _to_mask(strength: np.ndarray) -> Image.Image:
    """An 8-bit mask from strengths; values outside 0-1 are cut off."""
    return Image.fromarray(np.rint(np.clip(strength, 0, 1) * 255).astype(np.uint8))


def soft_shape(canvas: Canvas, height: float = 1.0) -> tuple[int, int]:
    """The (rows, columns) of the coarse grid for soft things over the upper part of the canvas of that height (0-1)."""
    return max(2, round(canvas.height * height) // _SOFT_STEP), max(2, canvas.width // _SOFT_STEP)


def paste_soft(canvas: Canvas, fill: Color | Image.Image, strength: np.ndarray, box: Sequence[float]) -> None:
    """Blends a color or image over the canvas box (left, top, right, bottom), by coarse strengths (0-1)."""
    left, top, right, bottom = (round(edge) for edge in box)
    size = (max(1, right - left), max(1, bottom - top))
    mask = _enlarge(_to_mask(strength), size)
    if isinstance(fill, Image.Image):
        fill = _enlarge(fill, size)
    canvas.image.paste(fill, (left, top, left + size[0], top + size[1]), mask)


def _enlarge(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    # Smooth as far as the finished photo can show, then plain repetition: a third of the time.
    visible = [max(1, side // OVERSAMPLING) for side in size]
    return image.resize(visible, Image.Resampling.BILINEAR).resize(size, Image.Resampling.NEAREST)


def texture(canvas: Canvas, color: Color, box: Sequence[float], *, cells: tuple[float, float], strength: float) -> None:
    """Blends patches of a color over the canvas box; strength (0-1) is reached where the noise is highest."""
    shape = (max(2, round(box[3] - box[1]) // _SOFT_STEP), max(2, round(box[2] - box[0]) // _SOFT_STEP))
    paste_soft(canvas, color, fractal_noise(canvas.rng, shape, cells) * strength, box)


def glow(
    canvas: Canvas, center: Point, radius: float, color: Color, strength: float = 1.0, squash: float = 1.0
) -> None:
    """Blends a round light over the canvas that fades to nothing at the radius (canvas pixels).

    squash: height of the light divided by its width.
    """
    cells = max(8, min(160, round(radius / _SOFT_STEP)))
    axis = np.linspace(-1, 1, 2 * cells + 1)
    falloff = np.clip(1 - (axis[:, np.newaxis] ** 2 + axis**2), 0, 1)
    x, y = center
    box = (x - radius, y - radius * squash, x + radius, y + radius * squash)
    paste_soft(canvas, color, falloff * falloff * strength, box)


def fill_box(canvas: Canvas, box: Box, top: Color, bottom: Color) -> None:
    """Fills the canvas box with a gradient from its top color to its bottom color."""
    left, upper, right, lower = (round(edge) for edge in box)
    if right > left and lower > upper:
        canvas.image.paste(gradient((right - left, lower - upper), [(0.0, top), (1.0, bottom)]), (left, upper))


def stamp(
    canvas: Canvas,
    kind: str,
    points: Sequence[Point],
    top: Color,
    bottom: Color | None = None,
    *,
    opacity: float = 1.0,
    blur: float = 0.0,
) -> None:
    """Paints one shape that may shade from top to bottom, be translucent, or have soft edges.

    kind: "polygon" (its corners) or "ellipse" (two opposite corners of its box). blur: radius in canvas pixels.
    """
    margin = math.ceil(blur * 2) + 1
    left, upper = (math.floor(min(point[axis] for point in points)) - margin for axis in (0, 1))
    right, lower = (math.ceil(max(point[axis] for point in points)) + margin for axis in (0, 1))
    mask = Image.new("L", (right - left, lower - upper))
    local = [(x - left, y - upper) for x, y in points]
    getattr(ImageDraw.Draw(mask), kind)(local, fill=round(255 * opacity))
    if blur:
        mask = mask.filter(ImageFilter.BoxBlur(blur))
    fill = top if bottom is None else gradient(mask.size, [(0.0, top), (1.0, bottom)])
    canvas.image.paste(fill, (left, upper, right, lower), mask)


def rounded(points: Sequence[Point], rounds: int = 2) -> list[Point]:
    """The closed polygon with its corners cut off again and again (Chaikin's corner cutting)."""
    for _ in range(rounds):
        cut = []
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            cut += [(0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by), (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by)]
        points = cut
    return list(points)


def percent_points(text: str) -> tuple[Point, ...]:
    """The points written as "x,y x,y ..." in percent, as fractions of 1."""
    return tuple((float(x) / 100, float(y) / 100) for x, y in (pair.split(",") for pair in text.split()))


def turned(points: Sequence[Point], angle: float, origin: Point, scale: tuple[float, float]) -> list[Point]:
    """The points stretched by scale (x, y), turned by angle (radians, clockwise on screen) and moved to the origin."""
    cos, sin = math.cos(angle), math.sin(angle)
    stretched = [(x * scale[0], y * scale[1]) for x, y in points]
    return [(origin[0] + x * cos - y * sin, origin[1] + x * sin + y * cos) for x, y in stretched]
