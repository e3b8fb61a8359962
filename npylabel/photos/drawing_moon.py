"""Demo photos of the moon at night."""

from __future__ import annotations

import numpy as np
from PIL import Image

from npylabel.photos.drawing_canvas import (
    Canvas,
    Color,
    Point,
    fractal_noise,
    glow,
    mix,
    paste_soft,
)
from npylabel.photos.drawing_scenery import (
    paint_clouds,
    paint_conifer,
    paint_sky,
    ridge,
)

_NIGHT_SKIES: tuple[tuple[Color, Color], ...] = (
    ((6, 9, 22), (22, 32, 62)),
    ((10, 14, 36), (36, 46, 84)),
    ((4, 5, 12), (14, 18, 34)),
    ((16, 18, 42), (54, 52, 84)),
)


def draw_moon(canvas: Canvas) -> None:
    """Draws the moon at night: dark plains, craters and a phase, among stars or thin clouds."""
    paint_sky(canvas, _NIGHT_SKIES)
    radius = canvas.unit * canvas.uniform(0.12, 0.36)
    center = (canvas.uniform(0.28, 0.72) * canvas.width, canvas.uniform(0.3, 0.6) * canvas.height)
    _paint_stars(canvas, canvas.count(30, 160), center, radius)
    glow(canvas, center, radius * canvas.uniform(1.7, 2.6), (120, 130, 160), canvas.uniform(0.3, 0.6))
    _paint_moon_disc(canvas, center, radius)
    if canvas.chance(0.35):
        paint_clouds(canvas, 1.0, cover=0.3, lit=(94, 102, 128), shadow=(34, 40, 62), cells=(5.0, 2.0), sharpness=1.1)
    if canvas.chance(0.45):
        _paint_night_land(canvas)


def _paint_stars(canvas: Canvas, count: int, moon: Point, moon_radius: float) -> None:
    for x, y, size, tone in canvas.rng.random((count, 4)).tolist():
        px, py, radius = x * canvas.width, y * canvas.height, 1 + 2.2 * size * size * size
        if (px - moon[0]) ** 2 + (py - moon[1]) ** 2 < moon_radius**2:
            continue
        color = mix((90, 100, 130), (255, 252, 240), tone)
        canvas.draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=color)


def _paint_moon_disc(canvas: Canvas, center: Point, radius: float) -> None:
    cells = max(24, round(radius / 2))
    axis = np.linspace(-1, 1, 2 * cells + 1)
    x, y = axis, axis[:, np.newaxis]
    limb = np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    plains = np.clip((fractal_noise(canvas.rng, (axis.size, axis.size), (2.5, 2.5), 5) - 0.52) * 4, 0, 1)
    surface = (0.98 - 0.3 * plains) * (0.7 + 0.3 * limb)
    for cx, cy, size in canvas.rng.random((26, 3)).tolist():
        reach = 0.02 + 0.09 * size * size * size
        dx, dy = (x - (1.8 * cx - 0.9)) / reach, (y - (1.8 * cy - 0.9)) / reach
        bowl = np.clip(1.3 - dx * dx - dy * dy, 0, 1)
        surface += bowl * np.clip(0.1 + 0.2 * dx, -0.14, 0.16)
    # Phase: the border of light and dark is half an ellipse; -1 is full, 0 a half moon, 0.6 a sickle.
    border = canvas.pick((-1.2, -1.2, -0.6, -0.3, 0.1, 0.45)) * np.sqrt(np.clip(1 - y * y, 0, 1))
    lit = np.clip((canvas.pick((-1, 1)) * x - border) * 7 + 0.5, 0.05, 1)
    ivory = np.asarray(canvas.tint((236, 230, 212), 8)) - 4.0
    face = np.clip(surface[..., np.newaxis] * lit[..., np.newaxis] * ivory, 0, 255)
    night = np.asarray([16, 20, 36]) * (1 - lit[..., np.newaxis])
    fill = Image.fromarray(np.rint(np.clip(face + night, 0, 255)).astype(np.uint8))
    # The dark side lets the sky behind it through, as it does to the eye.
    inside = np.clip(lit + 0.08, 0, 1) * np.clip((1 - np.sqrt(x * x + y * y)) * cells * 0.7, 0, 1)
    paste_soft(canvas, fill, inside, (center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius))


def _paint_night_land(canvas: Canvas) -> None:
    height = canvas.uniform(0.05, 0.16) * canvas.height
    color = canvas.tint((7, 9, 14), 3)
    canvas.draw.polygon(ridge(canvas, canvas.height - height * 0.2, height, canvas.count(2, 5)), fill=color)
    for _ in range(canvas.count(0, 6)):
        foot = (canvas.uniform(0, canvas.width), canvas.height)
        paint_conifer(canvas, foot, height * canvas.uniform(1.2, 2.6), color, bark=color)
