"""Demo photos of plants: grass, tree, flower."""

from __future__ import annotations

import math

from npylabel.photos.drawing_canvas import (
    Canvas,
    Color,
    Point,
    gradient,
    mix,
    percent_points,
    rounded,
    shade,
    stamp,
    texture,
    turned,
)
from npylabel.photos.drawing_scenery import (
    AUTUMN_LEAVES,
    DAY_SKIES,
    EVENING_SKIES,
    GRASS_GREENS,
    LEAF_GREENS,
    paint_blades,
    paint_blossoms,
    paint_conifer,
    paint_hills,
    paint_leafy_tree,
    paint_leaves,
    paint_meadow,
    paint_sky,
    paint_weather,
)

_PETALS: tuple[Color, ...] = (
    (248, 246, 240),
    (244, 196, 36),
    (214, 46, 56),
    (226, 96, 150),
    (150, 92, 196),
    (240, 130, 50),
    (90, 110, 206),
)


def draw_grass(canvas: Canvas) -> None:
    """Draws grass: a meadow seen into the distance, a lawn from above, or tall blades from close by."""
    green = canvas.tint(canvas.pick(GRASS_GREENS), 8)
    canvas.pick((_draw_meadow, _draw_meadow, _draw_lawn, _draw_tall_grass))(canvas, green)


def _draw_meadow(canvas: Canvas, green: Color) -> None:
    horizon = canvas.height * canvas.uniform(0.04, 0.26)
    paint_sky(canvas, canvas.pick((DAY_SKIES, EVENING_SKIES)), 0.3)
    paint_hills(canvas, horizon * 1.1, horizon * 0.6, shade(green, 0.7), (150, 176, 180))
    paint_meadow(canvas, horizon, green)
    length = canvas.unit * canvas.uniform(0.14, 0.3)
    paint_blades(canvas, horizon + length * 0.2, canvas.height * 1.08, length, 800, green)
    if canvas.chance(0.55):
        paint_blossoms(
            canvas, horizon * 1.3, canvas.height, canvas.unit * canvas.uniform(0.012, 0.024), canvas.count(12, 70)
        )


def _draw_lawn(canvas: Canvas, green: Color) -> None:
    paint_meadow(canvas, 0, green)
    if canvas.chance(0.6):
        _paint_mowing_stripes(canvas, green)
    paint_blades(canvas, 0, canvas.height * 1.05, canvas.unit * canvas.uniform(0.08, 0.14), 1000, green)
    if canvas.chance(0.5):
        _paint_fallen_leaves(canvas, canvas.count(5, 22))
    else:
        paint_blossoms(canvas, 0, canvas.height, canvas.unit * canvas.uniform(0.014, 0.03), canvas.count(6, 40))


def _paint_mowing_stripes(canvas: Canvas, green: Color) -> None:
    vanish, count = canvas.uniform(-0.2, 1.2) * canvas.width, canvas.count(3, 6)
    step = canvas.width * 1.8 / count
    for stripe in range(0, count, 2):
        left = -0.4 * canvas.width + stripe * step
        top = [vanish + (edge - vanish) * 0.4 for edge in (left + step, left)]
        points = [(left, canvas.height), (left + step, canvas.height), (top[0], 0), (top[1], 0)]
        stamp(canvas, "polygon", points, mix(green, (190, 210, 120), 0.4), opacity=0.5, blur=6)


def _paint_fallen_leaves(canvas: Canvas, count: int) -> None:
    for _ in range(count):
        x, y, size = (
            canvas.uniform(0, canvas.width),
            canvas.uniform(0, canvas.height),
            canvas.unit * canvas.uniform(0.015, 0.035),
        )
        dx, dy = canvas.uniform(-1, 1), canvas.uniform(-0.7, 0.7)
        points = [(x - dx * size, y - dy * size), (x - dy * size * 0.6, y + dx * size * 0.6)]
        points += [(x + dx * size, y + dy * size), (x + dy * size * 0.6, y - dx * size * 0.6)]
        canvas.draw.polygon(points, fill=canvas.tint(canvas.pick(((198, 142, 50), (176, 100, 44), (206, 178, 80))), 12))


def _draw_tall_grass(canvas: Canvas, green: Color) -> None:
    pale = mix(green, (206, 218, 160), 0.55)
    canvas.image.paste(gradient(canvas.image.size, [(0.0, pale), (0.6, green), (1.0, shade(green, 0.5))]))
    box = (0, 0, canvas.width, canvas.height)
    texture(canvas, shade(green, 0.5), box, cells=(3, 6), strength=0.8)
    for depth, tone in ((0.5, 0.72), (0.75, 0.92), (1.0, 1.1)):
        length = canvas.height * canvas.uniform(0.4, 0.62) * depth
        paint_blades(canvas, canvas.height * 0.75, canvas.height * 1.15, length, 150, shade(green, tone))
    if canvas.chance(0.4):
        paint_blossoms(canvas, canvas.height * 0.62, canvas.height * 0.96, canvas.unit * 0.032, canvas.count(4, 14))


def draw_tree(canvas: Canvas) -> None:
    """Draws one tall tree, broad-leaved, birch or fir, that fills most of the height of the photo."""
    horizon = canvas.uniform(0.66, 0.84)
    paint_weather(canvas, horizon)
    green = canvas.tint(canvas.pick(GRASS_GREENS), 8)
    edge = canvas.height * horizon
    if canvas.chance(0.6):
        paint_hills(canvas, edge * 1.02, canvas.unit * canvas.uniform(0.04, 0.14), shade(green, 0.62), (146, 172, 182))
    paint_meadow(canvas, edge, green)
    foot = (canvas.uniform(0.34, 0.66) * canvas.width, canvas.height * canvas.uniform(0.86, 0.95))
    height = foot[1] * canvas.uniform(0.78, 1.0)
    reach = height * 0.3
    shadow = [(foot[0] - reach, foot[1] - reach * 0.1), (foot[0] + reach * 1.3, foot[1] + reach * 0.14)]
    stamp(canvas, "ellipse", shadow, shade(green, 0.42), opacity=0.65, blur=reach * 0.05)
    canvas.pick((_paint_oak, _paint_oak, _paint_birch, _paint_fir))(canvas, foot, height)
    paint_blades(canvas, foot[1] - 4, canvas.height * 1.05, canvas.unit * 0.06, 160, green)


def _paint_oak(canvas: Canvas, foot: Point, height: float) -> None:
    leaves = canvas.pick(LEAF_GREENS) if canvas.chance(0.8) else canvas.pick(AUTUMN_LEAVES)
    paint_leafy_tree(canvas, foot, height, canvas.tint(leaves, 8), detail=130)


def _paint_fir(canvas: Canvas, foot: Point, height: float) -> None:
    paint_conifer(canvas, foot, height, canvas.tint(canvas.pick(((46, 96, 56), (38, 82, 58), (62, 108, 60))), 6))


def _paint_birch(canvas: Canvas, foot: Point, height: float) -> None:
    x, y = foot
    lean = height * canvas.uniform(-0.06, 0.06)
    half = height * 0.026
    stamp(
        canvas,
        "polygon",
        [(x - half, y), (x + lean - 3, y - height), (x + lean + 3, y - height), (x + half, y)],
        (226, 224, 214),
    )
    for _ in range(26):
        up = canvas.uniform(0.02, 0.9)
        middle, wide = x + lean * up, half * (1 - up) * canvas.uniform(0.4, 1.0)
        left = middle + canvas.pick((-1, 1)) * (half * (1 - up) - wide / 2) - wide / 2
        thick = height * 0.004
        canvas.draw.rectangle((left, y - height * up, left + wide, y - height * up + thick), fill=(52, 48, 46))
    leaves = canvas.tint(canvas.pick(((122, 160, 60), (104, 150, 58), (214, 176, 60))), 8)
    for index in range(22):
        up = 0.36 + 0.6 * (index + canvas.uniform(0, 1)) / 22
        spread = height * 0.24 * (1.06 - up) ** 0.5
        center = (x + lean * up + canvas.uniform(-1, 1) * spread, y - height * up)
        paint_leaves(canvas, center, (height * 0.075, height * 0.11), canvas.tint(leaves, 6), 80)


def draw_flower(canvas: Canvas) -> None:
    """Draws one to three large flowers before a blurred green background."""
    _paint_blurred_garden(canvas)
    color = canvas.tint(canvas.pick(_PETALS), 12)
    paint_head = canvas.pick((_paint_daisy, _paint_daisy, _paint_tulip, _paint_poppy))
    count = canvas.pick((1, 1, 1, 2, 3))
    for index in range(count):
        across = (index + 0.5 + canvas.uniform(-0.16, 0.16)) / count
        center = (canvas.width * (0.14 + 0.72 * across), canvas.height * canvas.uniform(0.3, 0.52))
        radius = canvas.unit * canvas.uniform(0.2, 0.3) * (1.0, 0.8, 0.66)[count - 1]
        _paint_stem(canvas, center, radius)
        paint_head(canvas, center, radius, canvas.tint(color, 10))


def _paint_blurred_garden(canvas: Canvas) -> None:
    green = canvas.tint(canvas.pick(LEAF_GREENS), 10)
    stops = [(0.0, mix(green, (190, 214, 170), canvas.uniform(0.1, 0.6))), (1.0, shade(green, 0.55))]
    canvas.image.paste(gradient(canvas.image.size, stops))
    texture(canvas, shade(green, 0.45), (0, 0, canvas.width, canvas.height), cells=(4, 4), strength=0.8)
    for _ in range(canvas.count(6, 16)):
        center = (canvas.uniform(0, canvas.width), canvas.uniform(0, canvas.height))
        tone = canvas.pick((mix(green, (240, 244, 180), 0.5), shade(green, 1.3), canvas.pick(_PETALS)))
        radius = canvas.unit * canvas.uniform(0.03, 0.12)
        box = [(center[0] - radius, center[1] - radius), (center[0] + radius, center[1] + radius)]
        stamp(canvas, "ellipse", box, tone, opacity=0.3, blur=radius * 0.2)


def _paint_stem(canvas: Canvas, center: Point, radius: float) -> None:
    green = canvas.tint((70, 122, 48), 10)
    x, y = center
    bend, half = radius * canvas.uniform(-0.5, 0.5), radius * 0.07
    bottom = canvas.height + 10
    middle = y + (bottom - y) * 0.5
    left = [(x - half, y), (x - half + bend * 0.6, middle), (x - half + bend, bottom)]
    right = [(x + half + bend, bottom), (x + half + bend * 0.6, middle), (x + half, y)]
    stamp(canvas, "polygon", left + right, shade(green, 1.15), shade(green, 0.75))
    leaf = rounded([(0, 0), (0.35, -0.22), (1, -0.05), (0.4, 0.16)])
    for side in (-1, 1):
        if canvas.chance(0.75):
            root = (x + bend * 0.7, y + (bottom - y) * canvas.uniform(0.55, 0.85))
            points = turned(leaf, -0.6 * side, root, (side * radius * canvas.uniform(0.9, 1.5), radius))
            stamp(canvas, "polygon", points, shade(green, 1.2), shade(green, 0.7))


def _paint_petals(canvas: Canvas, center: Point, radius: float, color: Color, count: int, width: float) -> None:
    petal = rounded(percent_points("5,0 30,-50 75,-62 100,-22 100,22 75,62 30,50"))
    vein = [(0.1, -0.03), (0.8, 0), (0.1, 0.03)]
    twist = canvas.uniform(0, 6.28)
    for index in range(count):
        angle = twist + 2 * math.pi * index / count
        scale = (radius * canvas.uniform(0.92, 1.06), radius * width)
        tone = canvas.tint(shade(color, canvas.uniform(0.86, 1.04)), 5)
        stamp(canvas, "polygon", turned(petal, angle, center, scale), shade(tone, 1.06), shade(tone, 0.8))
        canvas.draw.line(turned(petal, angle, center, scale), fill=shade(tone, 0.68), width=2)
        canvas.draw.polygon(turned(vein, angle, center, scale), fill=shade(tone, 0.78))


def _paint_heart(canvas: Canvas, center: Point, radius: float, color: Color) -> None:
    x, y = center
    stamp(canvas, "ellipse", [(x - radius, y - radius), (x + radius, y + radius)], shade(color, 1.1), shade(color, 0.7))
    for a, b, tone in canvas.rng.random((70, 3)).tolist():
        dx, dy = 2 * a - 1, 2 * b - 1
        if dx * dx + dy * dy < 0.9:
            px, py, dot = x + dx * radius, y + dy * radius, radius * 0.07
            canvas.draw.ellipse((px - dot, py - dot, px + dot, py + dot), fill=shade(color, 0.55 + 0.7 * tone))


def _paint_daisy(canvas: Canvas, center: Point, radius: float, color: Color) -> None:
    count = canvas.count(8, 18)
    width = 2.6 / count
    _paint_petals(canvas, center, radius, shade(color, 0.88), count, width)
    if canvas.chance(0.6):
        _paint_petals(canvas, center, radius * 0.82, color, count, width)
    heart = canvas.pick(((236, 184, 40), (112, 74, 36), (222, 160, 40)))
    _paint_heart(canvas, center, radius * canvas.uniform(0.22, 0.36), heart)


def _paint_poppy(canvas: Canvas, center: Point, radius: float, color: Color) -> None:
    for share, tone in ((1.0, 0.82), (0.8, 0.95), (0.58, 1.04)):
        _paint_petals(canvas, center, radius * share, shade(color, tone), canvas.count(4, 6), 0.8)
    _paint_heart(canvas, center, radius * 0.18, canvas.pick(((44, 40, 46), (96, 110, 50), (226, 180, 50))))


def _paint_tulip(canvas: Canvas, center: Point, radius: float, color: Color) -> None:
    outer = rounded(percent_points("-10,90 -72,55 -80,-20 -62,-100 -10,-30 12,60"))
    inner = rounded(percent_points("0,95 -42,50 -36,-45 0,-112 36,-45 42,50"))
    back = [(x * 0.8, y * 1.02 - 0.06) for x, y in inner]
    mirrored = [(-x, y) for x, y in outer]
    tilt = canvas.uniform(-0.2, 0.2)
    shapes = (
        (turned(back, -0.35, (0, 0), (1, 1)), 0.7),
        (turned(back, 0.35, (0, 0), (1, 1)), 0.7),
        (outer, 0.9),
        (mirrored, 0.84),
        (inner, 1.02),
    )
    for shape, tone in shapes:
        points = turned(shape, tilt, center, (radius, radius))
        stamp(canvas, "polygon", points, shade(color, 1.1 * tone), shade(color, 0.72 * tone))
        canvas.draw.line([*points, points[0]], fill=shade(color, 0.62), width=2)
