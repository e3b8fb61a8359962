"""Demo photos of houses."""

from __future__ import annotations

from npylabel.photos.drawing_canvas import (
    Box,
    Canvas,
    Color,
    Point,
    fill_box,
    mix,
    shade,
    stamp,
)
from npylabel.photos.drawing_scenery import (
    GRASS_GREENS,
    LEAF_GREENS,
    paint_bush,
    paint_conifer,
    paint_hills,
    paint_leafy_tree,
    paint_meadow,
    paint_weather,
)

_WALLS: tuple[Color, ...] = (
    (226, 208, 172),
    (236, 232, 222),
    (196, 120, 92),
    (170, 186, 196),
    (222, 184, 110),
    (150, 108, 76),
    (196, 206, 178),
    (214, 160, 150),
)
_ROOFS: tuple[Color, ...] = ((156, 66, 48), (96, 70, 60), (84, 92, 104), (124, 52, 46), (70, 96, 84))


def draw_house(canvas: Canvas) -> None:
    """Draws a house with roof, windows and door in a garden."""
    horizon = canvas.uniform(0.62, 0.76)
    paint_weather(canvas, horizon)
    green = canvas.tint(canvas.pick(GRASS_GREENS), 8)
    ground = canvas.height * horizon
    if canvas.chance(0.5):
        paint_hills(canvas, ground * 1.02, canvas.unit * canvas.uniform(0.06, 0.16), shade(green, 0.6), (148, 172, 184))
    _paint_trees(canvas, ground)
    paint_meadow(canvas, ground, green)
    width = canvas.width * canvas.uniform(0.42, 0.66)
    storeys = canvas.pick((1, 1, 2, 2, 3))
    height = min(width * (0.42, 0.66, 0.9)[storeys - 1], ground * 0.62)
    left = canvas.uniform(0.1, 0.9) * (canvas.width - width * 1.16) + width * 0.08
    base = ground + (canvas.height - ground) * canvas.uniform(0.15, 0.4)
    _paint_path(canvas, left + width / 2, base)
    _paint_building(canvas, (left, base - height, left + width, base), storeys)
    for _ in range(canvas.count(1, 5)):
        paint_bush(
            canvas, (canvas.uniform(0, canvas.width), base + canvas.unit * 0.03), canvas.unit * canvas.uniform(0.1, 0.2)
        )
    if canvas.chance(0.35):
        _paint_fence(canvas, base + (canvas.height - base) * 0.55)


def _paint_trees(canvas: Canvas, ground: float) -> None:
    for _ in range(canvas.count(1, 4)):
        foot = (canvas.pick((canvas.uniform(0, 0.25), canvas.uniform(0.75, 1))) * canvas.width, ground + 4)
        height = canvas.unit * canvas.uniform(0.3, 0.55)
        if canvas.chance(0.3):
            paint_conifer(canvas, foot, height, (50, 92, 58))
        else:
            paint_leafy_tree(canvas, foot, height, canvas.tint(canvas.pick(LEAF_GREENS), 8), detail=36)


def _paint_path(canvas: Canvas, x: float, base: float) -> None:
    near, far = canvas.width * 0.11, canvas.width * 0.035
    shift = canvas.uniform(-0.15, 0.15) * canvas.width
    points = [
        (x - far, base - 2),
        (x + far, base - 2),
        (x + shift + near, canvas.height),
        (x + shift - near, canvas.height),
    ]
    stamp(canvas, "polygon", points, (206, 196, 176), (168, 156, 138))


def _paint_building(canvas: Canvas, box: Box, storeys: int) -> None:
    left, top, right, bottom = box
    wall, roof = canvas.tint(canvas.pick(_WALLS), 10), canvas.tint(canvas.pick(_ROOFS), 10)
    reach = (right - left) * 0.12
    shadow = [(left, bottom - reach * 0.3), (right + reach * 1.4, bottom + reach * 0.4)]
    stamp(canvas, "ellipse", shadow, (30, 44, 26), opacity=0.45, blur=reach * 0.12)
    fill_box(canvas, box, wall, shade(wall, 0.88))
    _paint_wall_lines(canvas, box, wall)
    canvas.draw.rectangle((left, bottom - (bottom - top) * 0.05, right, bottom), fill=shade(wall, 0.55))
    _paint_roof(canvas, box, roof, wall)
    _paint_openings(canvas, box, storeys)


def _paint_wall_lines(canvas: Canvas, box: Box, wall: Color) -> None:
    left, top, right, bottom = box
    style, step = canvas.pick(("plain", "planks", "bricks")), canvas.unit * 0.018
    if style == "plain":
        return
    line = shade(wall, 0.86)
    for row in range(int((bottom - top) / step)):
        y = top + row * step
        canvas.draw.line([(left, y), (right, y)], fill=line, width=2)
        if style == "bricks":
            for column in range(int((right - left) / (step * 2.4))):
                x = left + (column + 0.5 * (row % 2)) * step * 2.4
                canvas.draw.line([(x, y), (x, y + step)], fill=line, width=2)


def _paint_roof(canvas: Canvas, box: Box, roof: Color, wall: Color) -> None:
    left, top, right, _ = box
    width = right - left
    rise = min(width * canvas.uniform(0.26, 0.42), top * 0.9)
    over, peak = width * 0.06, top - rise
    if canvas.chance(0.75):
        x, half = left + width * canvas.pick((0.24, 0.72)), width * 0.035
        brick = canvas.tint((150, 84, 66), 12)
        fill_box(canvas, (x - half, peak, x + half, top), brick, shade(brick, 0.7))
        canvas.draw.rectangle(
            (x - half * 1.3, peak - half * 0.6, x + half * 1.3, peak + half * 0.3), fill=shade(brick, 0.7)
        )
    middle = (left + right) / 2
    if canvas.chance(0.5):
        points = [(left - over, top), (left + width * 0.17, peak), (right - width * 0.17, peak), (right + over, top)]
        stamp(canvas, "polygon", points, shade(roof, 1.12), shade(roof, 0.82))
        _paint_tiles(canvas, points, roof)
        return
    stamp(canvas, "polygon", [(left, top + 1), (middle, peak), (right, top + 1)], wall, shade(wall, 0.92))
    thick = width * 0.055
    for side in (-1, 1):
        edge = middle + side * (width / 2 + over)
        points = [
            (middle, peak - thick),
            (edge, top + thick * 0.3),
            (edge - side * thick * 0.4, top + thick),
            (middle, peak + thick * 0.4),
        ]
        stamp(canvas, "polygon", points, shade(roof, 1.1), shade(roof, 0.85 if side < 0 else 0.7))
    _paint_window(
        canvas, (middle - width * 0.055, top - rise * 0.55, middle + width * 0.055, top - rise * 0.15), (238, 234, 226)
    )


def _paint_tiles(canvas: Canvas, corners: list[Point], roof: Color) -> None:
    (lower_left, top), (upper_left, peak), (upper_right, _), (lower_right, _) = corners
    rows = 9
    for row in range(1, rows + 1):
        share = row / rows
        y = peak + (top - peak) * share
        start, end = upper_left + (lower_left - upper_left) * share, upper_right + (lower_right - upper_right) * share
        canvas.draw.line([(start, y), (end, y)], fill=shade(roof, 0.72), width=3)


def _paint_openings(canvas: Canvas, box: Box, storeys: int) -> None:
    left, top, right, bottom = box
    width, storey = right - left, (bottom - top) / storeys
    columns = canvas.count(3, 5)
    door = canvas.count(0, columns - 1)
    frame = canvas.pick(((244, 242, 236), (90, 62, 44), (232, 226, 210)))
    half = width / columns * canvas.uniform(0.24, 0.34)
    for floor in range(storeys):
        for column in range(columns):
            x, y = left + width * (column + 0.5) / columns, top + storey * floor
            if floor == storeys - 1 and column == door:
                _paint_door(canvas, (x - half * 0.85, bottom - storey * 0.76, x + half * 0.85, bottom))
            else:
                _paint_window(canvas, (x - half, y + storey * 0.24, x + half, y + storey * 0.72), frame)


def _paint_window(canvas: Canvas, box: Box, frame: Color) -> None:
    left, top, right, bottom = box
    rim = (right - left) * 0.09
    canvas.draw.rectangle((left - rim, top - rim, right + rim, bottom + rim * 1.6), fill=frame)
    glass = canvas.pick(((92, 122, 148), (70, 92, 112), (130, 160, 180), (236, 206, 130)))
    fill_box(canvas, box, mix(glass, (255, 255, 255), 0.25), shade(glass, 0.65))
    x, y = (left + right) / 2, top + (bottom - top) * 0.4
    canvas.draw.line([(x, top), (x, bottom)], fill=frame, width=max(2, round(rim * 0.8)))
    canvas.draw.line([(left, y), (right, y)], fill=frame, width=max(2, round(rim * 0.8)))


def _paint_door(canvas: Canvas, box: Box) -> None:
    left, top, right, bottom = box
    color = canvas.tint(canvas.pick(((122, 74, 42), (60, 84, 110), (146, 46, 42), (64, 92, 70), (92, 62, 46))), 8)
    rim = (right - left) * 0.1
    canvas.draw.rectangle((left - rim, top - rim, right + rim, bottom), fill=(228, 222, 210))
    canvas.draw.rectangle(box, fill=color)
    for low, high in ((0.1, 0.45), (0.55, 0.9)):
        panel = (left + rim * 1.6, top + (bottom - top) * low, right - rim * 1.6, top + (bottom - top) * high)
        canvas.draw.rectangle(panel, fill=shade(color, 0.78), outline=shade(color, 1.2), width=2)
    x, y, knob = right - rim * 1.0, (top + bottom) / 2, rim * 0.5
    canvas.draw.ellipse((x - knob, y - knob, x + knob, y + knob), fill=(222, 190, 90))


def _paint_fence(canvas: Canvas, y: float) -> None:
    color, high = (
        canvas.pick(((236, 232, 222), (150, 112, 76), (196, 190, 176))),
        canvas.unit * canvas.uniform(0.06, 0.1),
    )
    step = canvas.unit * 0.035
    for rail in (0.35, 0.75):
        canvas.draw.rectangle((0, y - high * rail, canvas.width, y - high * (rail - 0.1)), fill=shade(color, 0.8))
    for post in range(int(canvas.width / step) + 1):
        x, half = post * step, step * 0.3
        points = [(x - half, y), (x - half, y - high * 0.9), (x, y - high), (x + half, y - high * 0.9), (x + half, y)]
        canvas.draw.polygon(points, fill=color, outline=shade(color, 0.75))
