"""Demo photos of cars."""

from __future__ import annotations

from dataclasses import dataclass

from npylabel.photos.drawing_canvas import (
    Box,
    Canvas,
    Color,
    Point,
    fill_box,
    mix,
    percent_points,
    rounded,
    shade,
    stamp,
    texture,
)
from npylabel.photos.drawing_scenery import (
    GRASS_GREENS,
    LEAF_GREENS,
    paint_hills,
    paint_leafy_tree,
    paint_weather,
)

_CAR_PAINTS: tuple[Color, ...] = (
    (186, 32, 36),
    (34, 82, 160),
    (236, 236, 234),
    (46, 48, 54),
    (148, 154, 160),
    (228, 176, 36),
    (36, 112, 76),
    (224, 108, 40),
    (92, 44, 84),
)


@dataclass(frozen=True)
class _CarShape:
    """The side view of a car that drives left, in lengths of the car (x to the right, y up from the road)."""

    body: tuple[Point, ...]
    windows: tuple[tuple[Point, ...], ...]
    wheels: tuple[float, float]
    wheel_radius: float


_CARS: tuple[_CarShape, ...] = (
    _CarShape(  # saloon
        percent_points("0,8 0,19 4,22.5 25,25 37,36.5 44,38.5 66,38 80,27 97,25.5 100,20 100,8"),
        tuple(
            percent_points(window) for window in ("30,25.5 39,35 51,35.8 51,25.5", "53,25.5 53,35.8 65,35.2 74,26.5")
        ),
        (0.19, 0.8),
        0.075,
    ),
    _CarShape(  # hatchback
        percent_points("0,9 0,21 5,25 24,28 37,42 45,44 82,43 96,30 100,27 100,9"),
        tuple(percent_points(window) for window in ("30,28.5 40,40 54,40.8 54,28.5", "56,28.5 56,40.8 80,40 88,29.5")),
        (0.2, 0.81),
        0.085,
    ),
    _CarShape(  # off-roader
        percent_points("0,11 0,25 3,29 25,31 33,46 38,48 95,48 98,46 100,30 100,11"),
        tuple(
            percent_points(window)
            for window in ("30,32 37,45 50,45 50,32", "53,32 53,45 70,45 70,32", "73,32 73,45 93,45 95,32")
        ),
        (0.2, 0.8),
        0.1,
    ),
    _CarShape(  # van
        percent_points("0,9 0,26 5,32 18,49 25,53 97,53 100,50 100,9"),
        tuple(
            percent_points(window)
            for window in ("11,34 21,47.5 33,47.5 33,34", "37,34 37,47.5 62,47.5 62,34", "66,34 66,47.5 93,47.5 93,34")
        ),
        (0.18, 0.82),
        0.08,
    ),
)


def draw_car(canvas: Canvas) -> None:
    """Draws a car from the side on a road in town or country."""
    horizon = canvas.height * canvas.uniform(0.5, 0.66)
    paint_weather(canvas, horizon / canvas.height)
    canvas.pick((_paint_town, _paint_country, _paint_country, _paint_garage_wall))(canvas, horizon)
    gray = canvas.tint(canvas.pick(((96, 98, 102), (122, 120, 116), (78, 80, 86))), 6)
    box = (0, horizon, canvas.width, canvas.height)
    fill_box(canvas, box, shade(gray, 1.2), shade(gray, 0.8))
    texture(canvas, shade(gray, 0.6), box, cells=(9, 9), strength=0.4)
    canvas.draw.rectangle(
        (0, horizon - canvas.unit * 0.015, canvas.width, horizon + canvas.unit * 0.012), fill=(190, 186, 178)
    )
    length = min(canvas.width * canvas.uniform(0.62, 0.92), canvas.unit * 1.3)
    road = horizon + (canvas.height - horizon) * canvas.uniform(0.3, 0.6)
    left = canvas.uniform(0.15, 0.85) * (canvas.width - length)
    _paint_car(canvas, (left, road), length)
    if canvas.chance(0.6):
        _paint_lane_marks(canvas, road + (canvas.height - road) * 0.6)


def _paint_lane_marks(canvas: Canvas, y: float) -> None:
    step, thick = canvas.width * canvas.uniform(0.2, 0.34), canvas.unit * 0.02
    start = canvas.uniform(-step, 0)
    for k in range(8):
        x = start + k * step
        points = [(x, y), (x + step * 0.55, y), (x + step * 0.5, y + thick), (x - step * 0.06, y + thick)]
        canvas.draw.polygon(points, fill=(226, 224, 214))


def _paint_town(canvas: Canvas, horizon: float) -> None:
    x = -0.05 * canvas.width
    while x < canvas.width:
        width, height = canvas.width * canvas.uniform(0.12, 0.3), horizon * canvas.uniform(0.35, 0.95)
        wall = canvas.tint(canvas.pick(((176, 166, 156), (150, 156, 166), (198, 178, 150), (170, 130, 112))), 10)
        fill_box(canvas, (x, horizon - height, x + width, horizon), wall, shade(wall, 0.85))
        columns = canvas.count(3, 5)
        cell = width / columns
        for row in range(int(height / cell)):
            for column in range(columns):
                corner = (x + cell * (column + 0.25), horizon - height + cell * (row + 0.3))
                canvas.draw.rectangle((*corner, corner[0] + cell * 0.5, corner[1] + cell * 0.5), fill=shade(wall, 0.6))
        x += width


def _paint_country(canvas: Canvas, horizon: float) -> None:
    green = canvas.tint(canvas.pick(GRASS_GREENS), 8)
    paint_hills(
        canvas, horizon, canvas.unit * canvas.uniform(0.08, 0.24), shade(green, 0.75), (150, 176, 186), layers=3
    )
    for _ in range(canvas.count(0, 6)):
        foot = (canvas.uniform(0, canvas.width), horizon)
        paint_leafy_tree(
            canvas, foot, canvas.unit * canvas.uniform(0.2, 0.45), canvas.tint(canvas.pick(LEAF_GREENS), 8), detail=30
        )


def _paint_garage_wall(canvas: Canvas, horizon: float) -> None:
    wall = canvas.tint(canvas.pick(((188, 176, 160), (160, 120, 104), (172, 180, 184))), 10)
    top = horizon * canvas.uniform(0.05, 0.4)
    fill_box(canvas, (0, top, canvas.width, horizon), wall, shade(wall, 0.8))
    step = canvas.unit * canvas.uniform(0.05, 0.12)
    for row in range(int((horizon - top) / step) + 1):
        canvas.draw.line([(0, top + row * step), (canvas.width, top + row * step)], fill=shade(wall, 0.75), width=3)


def _paint_car(canvas: Canvas, corner: Point, length: float) -> None:
    shape, facing = canvas.pick(_CARS), canvas.pick((-1, 1))
    color = canvas.tint(canvas.pick(_CAR_PAINTS), 10)

    def place(points: tuple[Point, ...]) -> list[Point]:
        start = corner[0] if facing > 0 else corner[0] + length
        return [(start + facing * x * length, corner[1] - y * length) for x, y in points]

    shadow = place(((-0.03, 0.03), (1.03, -0.035)))
    box = [(min(x for x, _ in shadow), shadow[0][1]), (max(x for x, _ in shadow), shadow[1][1])]
    stamp(canvas, "ellipse", box, (18, 18, 20), opacity=0.7, blur=length * 0.012)
    stamp(canvas, "polygon", rounded(place(shape.body)), mix(color, (255, 255, 255), 0.28), shade(color, 0.62))
    belt = shape.windows[0][0][1] - 0.035
    canvas.draw.line(
        place(((0.02, belt - 0.03), (0.98, belt))),
        fill=mix(color, (255, 255, 255), 0.5),
        width=max(2, round(length * 0.005)),
    )
    canvas.draw.rectangle(_ordered(place(((0.01, 0.085), (0.99, 0.11)))), fill=shade(color, 0.4))
    for window in shape.windows:
        stamp(canvas, "polygon", place(window), (176, 198, 212), (44, 56, 68))
    for window in shape.windows[:2]:
        x = window[-1][0] if window is shape.windows[0] else window[0][0]
        canvas.draw.line(
            place(((x + 0.01, belt + 0.03), (x + 0.01, 0.12))),
            fill=shade(color, 0.5),
            width=max(2, round(length * 0.004)),
        )
        handle = place(((x + 0.03, belt - 0.005), (x + 0.07, belt - 0.02)))
        canvas.draw.rectangle(_ordered(handle), fill=shade(color, 0.45))
    canvas.draw.ellipse(_ordered(place(((0.005, belt - 0.01), (0.06, belt - 0.055)))), fill=(250, 244, 214))
    canvas.draw.rectangle(_ordered(place(((0.965, belt), (0.995, belt - 0.05)))), fill=(196, 30, 30))
    for x in shape.wheels:
        _paint_wheel(canvas, place(((x, shape.wheel_radius),))[0], shape.wheel_radius * length)


def _ordered(points: list[Point]) -> Box:
    (ax, ay), (bx, by) = points
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def _paint_wheel(canvas: Canvas, center: Point, radius: float) -> None:
    x, y = center
    rim = canvas.tint((190, 192, 196), 12)
    for share, tone in ((1.2, (22, 22, 24)), (1.0, (36, 36, 38)), (0.66, rim), (0.56, shade(rim, 0.62)), (0.16, rim)):
        reach = radius * share
        canvas.draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=tone)
    for dx, dy in ((0.0, -1.0), (0.95, -0.31), (0.59, 0.81), (-0.59, 0.81), (-0.95, -0.31)):
        end = (x + dx * radius * 0.6, y + dy * radius * 0.6)
        canvas.draw.line([center, end], fill=rim, width=max(2, round(radius * 0.13)))
