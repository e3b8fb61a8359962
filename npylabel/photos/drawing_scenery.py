"""What stands around and behind things in the demo photos: skies, clouds, hills, ground, grass, trees."""

from __future__ import annotations

import numpy as np
from PIL import Image

from npylabel.photos.drawing_canvas import (
    Canvas,
    Color,
    Point,
    fill_box,
    fractal_noise,
    gradient,
    mix,
    paste_soft,
    shade,
    soft_shape,
    texture,
)

DAY_SKIES: tuple[tuple[Color, Color], ...] = (
    ((46, 108, 186), (168, 206, 236)),
    ((78, 142, 208), (204, 226, 242)),
    ((34, 88, 168), (134, 184, 228)),
    ((100, 154, 206), (220, 230, 236)),
    ((58, 128, 196), (188, 222, 236)),
)
OVERCAST_SKIES: tuple[tuple[Color, Color], ...] = (
    ((124, 150, 184), (198, 212, 226)),
    ((150, 172, 200), (214, 224, 234)),
)
EVENING_SKIES: tuple[tuple[Color, Color], ...] = (((84, 112, 166), (236, 204, 176)), ((108, 136, 182), (244, 220, 186)))
LEAF_GREENS: tuple[Color, ...] = ((74, 128, 48), (58, 112, 50), (96, 140, 52), (44, 98, 46), (110, 150, 62))
AUTUMN_LEAVES: tuple[Color, ...] = ((206, 140, 36), (196, 96, 34), (218, 172, 52))
BARK: Color = (104, 78, 54)
GRASS_GREENS: tuple[Color, ...] = ((86, 142, 48), (72, 128, 44), (104, 154, 56), (60, 118, 44), (122, 160, 64))


def paint_sky(canvas: Canvas, skies: tuple[tuple[Color, Color], ...] = DAY_SKIES, horizon: float = 1.0) -> None:
    """Fills the canvas with one of the skies (top color, bottom color); the bottom color is reached at the horizon."""
    top, bottom = canvas.pick(skies)
    stops = [(0.0, canvas.tint(top, 8)), (min(horizon, 1.0), canvas.tint(bottom, 6))]
    canvas.image.paste(gradient(canvas.image.size, stops))


def paint_weather(canvas: Canvas, horizon: float) -> None:
    """Paints an everyday sky with or without clouds, as the background of something else."""
    skies = canvas.pick((DAY_SKIES, DAY_SKIES, DAY_SKIES, OVERCAST_SKIES, EVENING_SKIES))
    paint_sky(canvas, skies, horizon)
    if skies is OVERCAST_SKIES or canvas.chance(0.6):
        paint_clouds(canvas, horizon, cover=canvas.uniform(0.2, 0.55))


def paint_clouds(
    canvas: Canvas,
    bottom: float,
    *,
    cover: float,
    lit: Color = (252, 252, 250),
    shadow: Color = (168, 180, 198),
    cells: tuple[float, float] = (3.0, 4.0),
    sharpness: float = 3.5,
) -> None:
    """Paints clouds from the upper edge to the bottom (fraction of the height); cover: about their share of the sky."""
    rows, columns = soft_shape(canvas, bottom)
    noise = fractal_noise(canvas.rng, (rows, columns), cells, octaves=6)
    # Toward the horizon one looks along the clouds instead of up at them: they flatten.
    down = np.linspace(0, 1, rows)
    noise = noise[np.rint((0.45 * down + 0.55 * down * down) * (rows - 1)).astype(int)]
    threshold = np.sort(noise, axis=None)[round((1 - cover) * (noise.size - 1))]
    density = np.clip((noise - threshold) * sharpness + 0.12, 0, 1)
    offset = max(2, rows // 24)
    above = np.vstack([noise[:1].repeat(offset, axis=0), noise[:-offset]])
    light = np.clip(0.62 + (noise - above) * 2.6 - density * 0.18, 0, 1)[..., np.newaxis]
    colors = np.asarray(shadow) + (np.asarray(lit) - np.asarray(shadow)) * light
    fill = Image.fromarray(np.rint(colors).astype(np.uint8))
    paste_soft(canvas, fill, density * 0.96, (0, 0, canvas.width, round(canvas.height * bottom)))


def paint_cumulus(canvas: Canvas, center: Point, size: float) -> None:
    """Paints one heaped cloud of about the given width (canvas pixels): flat below, bright and lumpy above."""
    columns = max(16, round(size / 4))
    rows = columns * 3 // 5
    across, up = np.linspace(-1, 1, columns), np.linspace(1, 0, rows)[:, np.newaxis]
    noise = fractal_noise(canvas.rng, (rows, columns), (3.0, 5.0), octaves=5)
    dome = 0.62 - across * across - 0.9 * up * up + (noise - 0.5) * 1.1
    density = np.clip(dome * 5, 0, 1) * np.clip(up * 6 - 0.5 + noise, 0, 1)
    offset = max(1, rows // 12)
    above = np.vstack([noise[:1].repeat(offset, axis=0), noise[:-offset]])
    light = np.clip(0.3 + 0.8 * up + (noise - above) * 1.6, 0, 1)[..., np.newaxis]
    gray = np.asarray(canvas.tint((172, 184, 204), 8))
    fill = Image.fromarray(np.rint(gray + (np.asarray((255, 254, 250)) - gray) * light).astype(np.uint8))
    x, y = center
    paste_soft(canvas, fill, density, (x - size / 2, y - size * 0.35, x + size / 2, y + size * 0.25))


def ridge(canvas: Canvas, base: float, relief: float, bumps: int, octaves: int = 4) -> list[Point]:
    """The outline of hills across the canvas, closed along its lower edge; base and relief in canvas pixels."""
    line = fractal_noise(canvas.rng, (2, 97), (1, bumps), octaves)[0]
    xs = np.linspace(0, canvas.width, line.size)
    top = [(float(x), base - relief * float(y)) for x, y in zip(xs, line, strict=True)]
    return [*top, (canvas.width, canvas.height), (0, canvas.height)]


def paint_hills(canvas: Canvas, base: float, relief: float, color: Color, haze: Color, layers: int = 2) -> None:
    """Paints ranges of hills, the far ones bluer with haze; base and relief in canvas pixels."""
    for layer in range(layers):
        tone = mix(haze, color, (layer + 1) / layers)
        height = relief * (1 - 0.3 * layer) * canvas.uniform(0.7, 1.1)
        canvas.draw.polygon(ridge(canvas, base, height, canvas.count(2, 6)), fill=tone)


def paint_meadow(canvas: Canvas, horizon: float, green: Color) -> None:
    """Paints mown or far grass from the horizon (canvas pixels) down to the lower edge."""
    box = (0, horizon, canvas.width, canvas.height)
    fill_box(canvas, box, mix(green, (168, 184, 120), 0.3), shade(green, 0.86))
    texture(canvas, shade(green, 0.68), box, cells=(7, 5), strength=0.6)
    texture(canvas, mix(green, (196, 204, 96), 0.5), box, cells=(12, 6), strength=0.45)


def paint_blades(canvas: Canvas, top: float, bottom: float, length: float, count: int, green: Color) -> None:
    """Paints blades of grass, small at the top row and of the given length (canvas pixels) at the bottom row."""
    rows = np.sort(canvas.rng.random(count))
    lean = canvas.uniform(-0.3, 0.3)
    tones = [
        mix(shade(green, canvas.uniform(0.5, 1.25)), canvas.pick(((176, 190, 80), (52, 96, 40))), 0.22)
        for _ in range(24)
    ]
    for row, chances in zip(rows.tolist(), canvas.rng.random((count, 5)).tolist(), strict=True):
        nearness = 0.22 + 0.78 * row * row
        x, y = chances[0] * canvas.width, top + (bottom - top) * row
        high = length * nearness * (0.5 + chances[1])
        tip = high * (lean + (chances[2] - 0.5) * 0.9)
        half = length * nearness * (0.018 + 0.03 * chances[3])
        middle_x, middle_y = x + tip * 0.3, y - high * 0.55
        points = [
            (x - half, y),
            (middle_x - half, middle_y),
            (x + tip, y - high),
            (middle_x + half, middle_y),
            (x + half, y),
        ]
        canvas.draw.polygon(points, fill=tones[int(chances[4] * 24)])


def paint_blossoms(canvas: Canvas, top: float, bottom: float, size: float, count: int) -> None:
    """Paints small meadow flowers, tiny at the top row and of the given size (canvas pixels) at the bottom row."""
    petals, heart = canvas.pick(
        (((250, 250, 244), (240, 196, 40)), ((246, 206, 40), (214, 150, 26)), ((176, 128, 206), (236, 214, 96)))
    )
    for _ in range(count):
        row = canvas.uniform(0, 1)
        x, y = canvas.uniform(0, canvas.width), top + (bottom - top) * row
        radius = size * (0.25 + 0.75 * row * row)
        for dx, dy in ((-0.7, 0), (0.7, 0), (0, -0.6), (0, 0.6), (0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)):
            cx, cy = x + dx * radius, y + dy * radius * 0.8
            canvas.draw.ellipse(
                (cx - radius * 0.5, cy - radius * 0.4, cx + radius * 0.5, cy + radius * 0.4), fill=petals
            )
        canvas.draw.ellipse((x - radius * 0.4, y - radius * 0.32, x + radius * 0.4, y + radius * 0.32), fill=heart)


def paint_leaves(canvas: Canvas, center: Point, radii: tuple[float, float], color: Color, dabs: int) -> None:
    """Paints one mass of leaves as dabs, dark below and at the back, sunlit above."""
    size = (radii[0] + radii[1]) * 0.11
    chances = canvas.rng.random((dabs, 4))
    chances[:, 1] = chances[:, 1] * 0.55 + np.sort(chances[:, 1])[::-1] * 0.45
    for index, (a, b, c, d) in enumerate(chances.tolist()):
        dx, dy = 2 * a - 1, 2 * b - 1
        if dx * dx + dy * dy > 1:
            continue
        x, y = center[0] + dx * radii[0], center[1] + dy * radii[1]
        brightness = 0.6 + 0.34 * index / dabs + 0.3 * (0.5 - 0.5 * dy) * c
        radius = size * (0.5 + 0.8 * d)
        tone = shade(color, brightness)
        canvas.draw.ellipse((x - radius, y - radius * 0.8, x + radius, y + radius * 0.8), fill=tone)


def paint_leafy_tree(
    canvas: Canvas, foot: Point, height: float, color: Color, *, bark: Color = BARK, detail: int = 60
) -> None:
    """Paints a broad tree standing at the foot; detail: dabs of leaves for each of its masses of leaves."""
    x, y = foot
    bark = canvas.tint(bark, 8)
    half = height * canvas.uniform(0.03, 0.05)
    lean = height * canvas.uniform(-0.05, 0.05)
    trunk = [(x - half * 1.5, y), (x - half * 0.7, y - height * 0.5), (x + lean, y - height * 0.75)]
    trunk += [(x + half * 0.7, y - height * 0.5), (x + half * 1.5, y)]
    canvas.draw.polygon(trunk, fill=bark)
    canvas.draw.polygon([trunk[1], trunk[2], trunk[3], trunk[4], (x + half * 0.4, y)], fill=shade(bark, 0.74))
    for side in (-1, 1):
        end = (x + side * height * canvas.uniform(0.14, 0.22), y - height * canvas.uniform(0.58, 0.7))
        canvas.draw.line(
            [(x, y - height * canvas.uniform(0.3, 0.42)), end], fill=shade(bark, 0.85), width=max(2, round(half))
        )
    spread = height * canvas.uniform(0.2, 0.3)
    masses = [(canvas.uniform(-1, 1), canvas.uniform(0, 1)) for _ in range(9)]
    for across, up in sorted(masses, key=lambda mass: mass[1]):
        center = (x + lean + across * spread * (1 - 0.6 * up * up), y - height * (0.5 + 0.36 * up))
        size = height * canvas.uniform(0.12, 0.18)
        paint_leaves(canvas, center, (size * 1.1, size), canvas.tint(color, 7), detail)


def paint_conifer(canvas: Canvas, foot: Point, height: float, color: Color, *, bark: Color = BARK) -> None:
    """Paints a fir standing at the foot, as tiers of drooping branches."""
    x, y = foot
    half = height * 0.025
    canvas.draw.rectangle((x - half, y - height * 0.2, x + half, y), fill=shade(bark, 0.85))
    width = height * canvas.uniform(0.2, 0.27)
    tiers = canvas.count(7, 11)
    for tier in range(tiers):
        share = tier / tiers
        low, high = y - height * (0.1 + 0.84 * share), y - height * min(1.0, 0.32 + 0.84 * share)
        reach = width * (1 - share) + height * 0.02
        edge = [
            (x + reach * t, low + height * canvas.uniform(-0.008, 0.03))
            for t in (-1, -0.7, -0.45, -0.2, 0.1, 0.35, 0.6, 1)
        ]
        tone = canvas.tint(shade(color, 0.72 + 0.5 * share), 5)
        canvas.draw.polygon([(x, high), *reversed(edge)], fill=tone)
        canvas.draw.polygon(
            [(x, high), *reversed(edge[4:]), (x + reach * 0.12, low - height * 0.02)], fill=shade(tone, 0.8)
        )


def paint_bush(canvas: Canvas, foot: Point, size: float) -> None:
    """Paints a bush of about the given width (canvas pixels) standing at the foot."""
    color = canvas.tint(canvas.pick(LEAF_GREENS), 8)
    paint_leaves(canvas, (foot[0], foot[1] - size * 0.3), (size * 0.5, size * 0.36), color, 90)
