"""Demo photos of the sky: clouds, sun, sunset."""

from __future__ import annotations

from npylabel.photos.drawing_canvas import (
    Canvas,
    Color,
    Point,
    fill_box,
    glow,
    gradient,
    mix,
    shade,
    stamp,
)
from npylabel.photos.drawing_scenery import (
    DAY_SKIES,
    OVERCAST_SKIES,
    paint_clouds,
    paint_conifer,
    paint_cumulus,
    paint_hills,
    paint_leafy_tree,
    paint_leaves,
    paint_sky,
    ridge,
)

_BRIGHT_SKIES: tuple[tuple[Color, Color], ...] = (
    ((94, 160, 220), (214, 232, 242)),
    ((120, 178, 226), (240, 238, 220)),
    ((70, 142, 214), (190, 220, 240)),
    ((150, 190, 222), (246, 232, 196)),
)
_SUNSETS: tuple[tuple[Color, ...], ...] = (
    ((44, 38, 92), (142, 62, 120), (240, 110, 62), (255, 196, 96)),
    ((30, 36, 88), (104, 54, 118), (224, 86, 66), (255, 168, 74)),
    ((78, 58, 122), (196, 86, 108), (250, 140, 72), (255, 214, 130)),
    ((56, 60, 110), (172, 88, 98), (244, 124, 46), (255, 186, 60)),
    ((62, 44, 84), (150, 54, 70), (228, 82, 40), (255, 150, 50)),
)


def draw_sky(canvas: Canvas) -> None:
    """Draws a day sky: clouds, and perhaps birds or a plane's trail, over at most a strip of land."""
    paint_sky(canvas, canvas.pick((DAY_SKIES, DAY_SKIES, DAY_SKIES, DAY_SKIES, OVERCAST_SKIES)))
    if canvas.chance(0.55):
        _paint_cloud_field(canvas)
    else:
        _paint_heaped_clouds(canvas)
    if canvas.chance(0.3):
        _paint_trail(canvas)
    if canvas.chance(0.4):
        _paint_birds(canvas, canvas.count(3, 9), (58, 66, 80))
    if canvas.chance(0.6):
        _paint_strip_of_land(canvas)


def _paint_cloud_field(canvas: Canvas) -> None:
    cells = canvas.pick(((2.5, 3.0), (4.0, 2.0), (5.0, 6.0), (7.0, 2.5)))
    paint_clouds(
        canvas,
        1.0,
        cover=canvas.uniform(0.25, 0.6),
        cells=cells,
        sharpness=canvas.uniform(2.2, 4.5),
        lit=canvas.pick(((252, 252, 250), (252, 252, 250), (255, 240, 222))),
    )


def _paint_heaped_clouds(canvas: Canvas) -> None:
    for _ in range(canvas.count(0, 1)):
        paint_clouds(canvas, 0.7, cover=0.25, cells=(5.0, 2.0), sharpness=1.4)
    heights = sorted(canvas.uniform(0.12, 0.88) for _ in range(canvas.count(3, 7)))
    for height in heights:
        size = canvas.unit * canvas.uniform(0.5, 1.0) * (1.3 - 0.8 * height)
        paint_cumulus(canvas, (canvas.uniform(0, canvas.width), height * canvas.height), size)


def _paint_trail(canvas: Canvas) -> None:
    start = (canvas.uniform(-0.1, 0.4) * canvas.width, canvas.uniform(0.1, 0.9) * canvas.height)
    end = (canvas.uniform(0.6, 1.1) * canvas.width, canvas.uniform(0.05, 0.6) * canvas.height)
    wide = canvas.unit * canvas.uniform(0.008, 0.02)
    points = [start, (start[0], start[1] + wide * 2), end]
    stamp(canvas, "polygon", points, (255, 255, 255), opacity=0.8, blur=wide * 0.4)


def _paint_birds(canvas: Canvas, count: int, color: Color) -> None:
    middle = (canvas.uniform(0.2, 0.8) * canvas.width, canvas.uniform(0.15, 0.6) * canvas.height)
    for _ in range(count):
        wing = canvas.unit * canvas.uniform(0.012, 0.03)
        x = middle[0] + canvas.uniform(-0.2, 0.2) * canvas.width
        y = middle[1] + canvas.uniform(-0.12, 0.12) * canvas.height
        lift = wing * canvas.uniform(0.3, 0.8)
        points = [
            (x - wing, y - lift),
            (x - wing * 0.4, y - lift),
            (x, y),
            (x + wing * 0.4, y - lift),
            (x + wing, y - lift * 0.8),
        ]
        canvas.draw.line(points, fill=color, width=max(2, canvas.unit // 260))


def _paint_strip_of_land(canvas: Canvas) -> None:
    height = canvas.uniform(0.04, 0.14) * canvas.height
    base = canvas.height - height * 0.4
    if canvas.chance(0.6):
        color = canvas.tint(canvas.pick(((62, 104, 58), (82, 122, 62), (48, 84, 60))), 8)
        paint_hills(canvas, base, height, color, (150, 176, 196))
        return
    for _ in range(canvas.count(8, 16)):
        x, size = canvas.uniform(0, canvas.width), height * canvas.uniform(0.7, 1.6)
        paint_leaves(canvas, (x, canvas.height), (size, size), canvas.tint((58, 100, 46), 10), 40)


def draw_sun(canvas: Canvas) -> None:
    """Draws the sun as a large glaring disc high in a bright sky."""
    paint_sky(canvas, _BRIGHT_SKIES)
    center = (canvas.uniform(0.22, 0.78) * canvas.width, canvas.uniform(0.2, 0.6) * canvas.height)
    radius = canvas.unit * canvas.uniform(0.09, 0.19)
    if canvas.chance(0.65):
        cells = canvas.pick(((3.0, 3.0), (6.0, 2.0), (4.0, 5.0)))
        paint_clouds(canvas, 1.0, cover=canvas.uniform(0.15, 0.45), cells=cells, sharpness=2.0, shadow=(214, 214, 212))
    glow(canvas, center, radius * canvas.uniform(5.0, 7.5), (255, 244, 190), 0.85)
    glow(canvas, center, radius * canvas.uniform(2.2, 3.0), (255, 240, 150), 0.95)
    if canvas.chance(0.6):
        _paint_rays(canvas, center, radius)
    _paint_sun_disc(canvas, center, radius, (255, 222, 84), (255, 250, 210))
    if canvas.chance(0.4):
        _paint_flare(canvas, center)
    foreground = canvas.pick((_paint_strip_of_land, _paint_branch, None, None))
    if foreground:
        foreground(canvas)


def _paint_sun_disc(canvas: Canvas, center: Point, radius: float, rim: Color, core: Color) -> None:
    for share, tone in ((1.0, rim), (0.93, mix(rim, core, 0.5)), (0.84, core)):
        reach = radius * share
        box = [(center[0] - reach, center[1] - reach), (center[0] + reach, center[1] + reach)]
        stamp(canvas, "ellipse", box, tone, blur=radius * 0.05)


def _paint_rays(canvas: Canvas, center: Point, radius: float) -> None:
    x, y = center
    count, twist = canvas.count(6, 9), canvas.uniform(0, 1)
    for ray in range(count):
        # Diamond angles: a ray's direction without trigonometry.
        turn = ((ray + twist) / count * 4) % 4
        dx, dy = (1 - turn if turn < 2 else turn - 3), (turn if turn < 1 else 2 - turn if turn < 3 else turn - 4)
        norm = (dx * dx + dy * dy) ** 0.5
        dx, dy, reach = dx / norm, dy / norm, radius * canvas.uniform(2.2, 3.8)
        half = radius * 0.22
        points = [(x - dy * half, y + dx * half), (x + dx * reach, y + dy * reach), (x + dy * half, y - dx * half)]
        stamp(canvas, "polygon", points, (255, 252, 220), opacity=0.5, blur=radius * 0.08)


def _paint_flare(canvas: Canvas, center: Point) -> None:
    far = (canvas.width - center[0], canvas.height - center[1])
    for _ in range(canvas.count(3, 5)):
        share, radius = canvas.uniform(0.35, 1.1), canvas.unit * canvas.uniform(0.015, 0.05)
        x, y = (center[k] + (far[k] - center[k]) * share for k in (0, 1))
        color = canvas.pick(((255, 236, 170), (190, 240, 200), (255, 190, 150)))
        stamp(canvas, "ellipse", [(x - radius, y - radius), (x + radius, y + radius)], color, opacity=0.35, blur=2)


def _paint_branch(canvas: Canvas) -> None:
    side = canvas.pick((0, 1))
    x = side * canvas.width
    for _ in range(canvas.count(5, 9)):
        reach = canvas.uniform(0, 0.3) * (1 - 2 * side)
        center = (x + reach * canvas.width, canvas.uniform(0.0, 0.14) * canvas.height)
        size = canvas.unit * canvas.uniform(0.05, 0.1)
        paint_leaves(canvas, center, (size * 1.4, size), canvas.tint((84, 132, 48), 10), 50)


def draw_sunset(canvas: Canvas) -> None:
    """Draws a low sun and glowing bands of cloud over a dark sea or dark land."""
    palette = canvas.pick(_SUNSETS)
    is_sea = canvas.chance(0.5)
    horizon = canvas.uniform(0.56, 0.78) if is_sea else canvas.uniform(0.66, 0.86)
    stops = [
        (horizon * share, canvas.tint(color, 8)) for share, color in zip((0.0, 0.45, 0.8, 1.0), palette, strict=True)
    ]
    canvas.image.paste(gradient(canvas.image.size, stops))
    lit, shadow = mix(palette[2], (255, 190, 130), 0.4), mix(palette[0], palette[1], 0.6)
    cells = canvas.pick(((6.0, 1.6), (8.0, 2.5), (4.0, 2.0)))
    paint_clouds(canvas, horizon, cover=canvas.uniform(0.25, 0.55), lit=lit, shadow=shadow, cells=cells, sharpness=2.4)
    x, radius = canvas.uniform(0.15, 0.85) * canvas.width, canvas.unit * canvas.uniform(0.035, 0.075)
    y = horizon * canvas.height - radius * canvas.uniform(-0.3, 1.9)
    glow(canvas, (x, y), canvas.unit * canvas.uniform(0.45, 0.7), (255, 170, 70), 0.8, squash=0.6)
    _paint_sun_disc(canvas, (x, y), radius, (255, 176, 60), (255, 236, 170))
    if is_sea:
        _paint_sea(canvas, horizon * canvas.height, x, palette)
    else:
        _paint_dark_land(canvas, horizon * canvas.height, palette)
    if canvas.chance(0.3):
        _paint_birds(canvas, canvas.count(3, 7), (40, 26, 44))


def _paint_sea(canvas: Canvas, horizon: float, sun_x: float, palette: tuple[Color, ...]) -> None:
    far, near = shade(mix(palette[2], palette[1], 0.5), 0.62), shade(palette[0], 0.55)
    fill_box(canvas, (0, horizon, canvas.width, canvas.height), far, near)
    depth = canvas.height - horizon
    for row, offset, length, tone in canvas.rng.random((260, 4)).tolist():
        y = horizon + depth * row * row
        spread = canvas.unit * (0.03 + 0.2 * row)
        middle = sun_x + (2 * offset - 1) * spread
        half = canvas.unit * (0.006 + 0.03 * length * row)
        color = mix(palette[2], (255, 226, 150), tone)
        canvas.draw.line(
            [(middle - half, y), (middle + half, y)], fill=color, width=max(1, round(1 + canvas.unit * 0.005 * row))
        )
    if canvas.chance(0.5):
        _paint_sailboat(canvas, horizon)


def _paint_sailboat(canvas: Canvas, horizon: float) -> None:
    size = canvas.unit * canvas.uniform(0.05, 0.12)
    x, y = canvas.uniform(0.1, 0.9) * canvas.width, horizon + size * 0.3
    hull = [
        (x - size * 0.5, y - size * 0.12),
        (x + size * 0.55, y - size * 0.12),
        (x + size * 0.35, y),
        (x - size * 0.4, y),
    ]
    for shape in (hull, [(x, y - size), (x, y - size * 0.18), (x + size * 0.45, y - size * 0.18)]):
        canvas.draw.polygon(shape, fill=(34, 22, 36))
    canvas.draw.polygon(
        [(x - size * 0.05, y - size * 0.85), (x - size * 0.05, y - size * 0.18), (x - size * 0.35, y - size * 0.18)],
        fill=(46, 28, 42),
    )


def _paint_dark_land(canvas: Canvas, horizon: float, palette: tuple[Color, ...]) -> None:
    haze, dark = shade(mix(palette[1], palette[2], 0.4), 0.6), canvas.tint((24, 17, 26), 5)
    relief = canvas.unit * canvas.uniform(0.04, 0.14)
    paint_hills(canvas, horizon + relief * 0.6, relief, dark, haze, layers=canvas.count(2, 4))
    base = canvas.height - (canvas.height - horizon) * canvas.uniform(0.4, 0.9)
    canvas.draw.polygon(ridge(canvas, base, relief * 0.5, 3), fill=dark)
    paint_tree = canvas.pick((paint_conifer, paint_leafy_tree))
    is_town = canvas.chance(0.3)
    for _ in range(canvas.count(1, 5)):
        foot = (canvas.uniform(0, canvas.width), base + relief * 0.3)
        height = canvas.unit * canvas.uniform(0.12, 0.36)
        if is_town:
            _paint_tower(canvas, foot, height, dark)
        else:
            paint_tree(canvas, foot, height, dark, bark=dark)


def _paint_tower(canvas: Canvas, foot: Point, height: float, color: Color) -> None:
    half, (x, y) = height * canvas.uniform(0.1, 0.25), foot
    canvas.draw.rectangle((x - half, y - height, x + half, canvas.height), fill=color)
    for column in range(3):
        for row in range(3):
            if canvas.chance(0.35):
                left, top = x - half + half * (0.3 + 0.55 * column), y - height * (0.9 - 0.14 * row)
                canvas.draw.rectangle((left, top, left + half * 0.25, top + height * 0.05), fill=(250, 196, 96))
