"""Demo photos of fish under water."""

from __future__ import annotations

from PIL import Image, ImageDraw

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
)

_FISH: tuple[tuple[Color, Color], ...] = (
    ((244, 126, 34), (252, 244, 232)),
    ((250, 200, 46), (60, 90, 180)),
    ((214, 62, 52), (250, 220, 180)),
    ((150, 168, 180), (70, 88, 104)),
    ((70, 130, 210), (246, 214, 70)),
    ((236, 150, 160), (160, 60, 90)),
)


def draw_fish(canvas: Canvas) -> None:
    """Draws one to three large fish under water, among weeds, bubbles and rays of light."""
    _paint_water(canvas)
    colors = canvas.pick(_FISH)
    count = canvas.pick((1, 1, 1, 2, 3))
    for index in range(count):
        length = round(canvas.unit * canvas.uniform(0.62, 0.95) * (1.0, 0.78, 0.6)[count - 1])
        x = canvas.width * (0.5 + canvas.uniform(-0.12, 0.12) + 0.12 * (index % 2) * (count - 1))
        y = canvas.height * ((index + 0.5) / count * 0.8 + 0.08 + canvas.uniform(-0.05, 0.05))
        _paste_fish(canvas, (x, y), length, tuple(canvas.tint(color, 12) for color in colors))
    for _ in range(canvas.count(4, 18)):
        x, y, radius = (
            canvas.uniform(0, canvas.width),
            canvas.uniform(0, canvas.height),
            canvas.unit * canvas.uniform(0.006, 0.02),
        )
        box = (x - radius, y - radius, x + radius, y + radius)
        canvas.draw.ellipse(box, outline=(214, 238, 244), width=max(2, round(radius * 0.25)))


def _paint_water(canvas: Canvas) -> None:
    top, bottom = canvas.pick(
        (
            ((70, 170, 196), (10, 62, 104)),
            ((96, 186, 190), (16, 84, 92)),
            ((54, 130, 190), (12, 40, 92)),
            ((88, 150, 130), (26, 66, 62)),
        )
    )
    canvas.image.paste(gradient(canvas.image.size, [(0.0, canvas.tint(top)), (1.0, canvas.tint(bottom))]))
    texture(canvas, shade(bottom, 0.7), (0, 0, canvas.width, canvas.height), cells=(3, 3), strength=0.5)
    for _ in range(canvas.count(0, 5)):
        x, wide = canvas.uniform(0, canvas.width), canvas.unit * canvas.uniform(0.03, 0.1)
        lean = canvas.unit * canvas.uniform(-0.5, 0.2)
        ray = [(x, -5), (x + wide, -5), (x + wide * 2 + lean, canvas.height * 0.9), (x + lean, canvas.height * 0.9)]
        stamp(canvas, "polygon", ray, (206, 240, 236), opacity=0.14, blur=wide * 0.2)
    if canvas.chance(0.6):
        sand = canvas.tint((196, 178, 130), 12)
        box = (-canvas.width * 0.2, canvas.height * canvas.uniform(0.84, 0.93), canvas.width * 1.2, canvas.height * 1.3)
        stamp(canvas, "ellipse", [box[:2], box[2:]], sand, shade(sand, 0.5), blur=3)
    for _ in range(canvas.count(0, 7)):
        _paint_weed(canvas)


def _paint_weed(canvas: Canvas) -> None:
    color = canvas.tint(canvas.pick(((46, 110, 60), (66, 126, 52), (120, 84, 50), (34, 92, 76))), 10)
    x, high = canvas.uniform(0, canvas.width), canvas.height * canvas.uniform(0.2, 0.6)
    sway, half = canvas.unit * canvas.uniform(-0.06, 0.06), canvas.unit * canvas.uniform(0.008, 0.022)
    spine = [(x + sway * (k % 2 * 2 - 1) * (k > 0), canvas.height - high * k / 5) for k in range(6)]
    left = [(px - half * (1 - k / 6), py) for k, (px, py) in enumerate(spine)]
    right = [(px + half * (1 - k / 6), py) for k, (px, py) in enumerate(spine)]
    stamp(canvas, "polygon", rounded([*left, *reversed(right)]), shade(color, 1.15), shade(color, 0.6), blur=1)


def _paste_fish(canvas: Canvas, center: Point, length: int, colors: tuple[Color, ...]) -> None:
    depth = round(length * canvas.uniform(0.62, 0.8))
    sprite, mask = _fish_sprite(canvas, (length, depth), colors)
    angle = canvas.uniform(-16, 16)
    if canvas.chance(0.5):
        sprite, mask = (part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for part in (sprite, mask))
    sprite, mask = (part.rotate(angle, Image.Resampling.BILINEAR, expand=True) for part in (sprite, mask))
    corner = (round(center[0] - sprite.width / 2), round(center[1] - sprite.height / 2))
    canvas.image.paste(sprite, corner, mask)


def _fish_sprite(canvas: Canvas, size: tuple[int, int], colors: tuple[Color, ...]) -> tuple[Image.Image, Image.Image]:
    """A fish swimming left on an image of its own, and the mask of what belongs to it."""
    color, second = colors
    fins, tail = shade(second if canvas.chance(0.5) else color, 0.86), canvas.uniform(0.12, 0.3)
    body = rounded(percent_points("0,52 10,36 34,20 62,30 80,46 80,56 62,72 32,80 10,68"), 3)
    tail_fin = rounded([(0.75, 0.5), (1.0, 0.5 - tail), (0.93, 0.5), (1.0, 0.5 + tail)], 1)
    back_fin = [(0.24, 0.26), (0.34, canvas.uniform(0.0, 0.1)), (0.66, 0.16), (0.7, 0.36)]
    belly_fin = [(0.36, 0.76), (0.5, 0.98), (0.62, 0.7)]
    pixels = [[(x * size[0], y * size[1]) for x, y in part] for part in (tail_fin, back_fin, belly_fin, body)]
    sprite, mask = Image.new("RGB", size, fins), Image.new("L", size)
    for part in pixels:
        ImageDraw.Draw(mask).polygon(part, fill=255)
    for k in range(18):
        x = size[0] * (0.2 + 0.045 * k)
        ImageDraw.Draw(sprite).line([(x, 0), (x + size[0] * 0.1, size[1])], fill=shade(fins, 0.8), width=2)
    body_mask = Image.new("L", size)
    ImageDraw.Draw(body_mask).polygon(pixels[3], fill=255)
    sprite.paste(_fish_skin(canvas, size, color, second), mask=body_mask)
    _draw_face(ImageDraw.Draw(sprite), size, color)
    return sprite, mask


def _fish_skin(canvas: Canvas, size: tuple[int, int], color: Color, second: Color) -> Image.Image:
    width, height = size
    skin = gradient(size, [(0.2, shade(color, 0.72)), (0.45, color), (0.8, mix(color, (255, 250, 236), 0.6))])
    draw = ImageDraw.Draw(skin)
    pattern, count = canvas.pick(("bars", "bars", "stripe", "plain")), canvas.count(2, 4)
    for k in range(count if pattern == "bars" else 0):
        x, half = width * (0.28 + 0.46 * k / count), width * canvas.uniform(0.025, 0.05)
        bar = [
            (x - half, 0),
            (x + half, 0),
            (x + half * 2, height / 2),
            (x + half, height),
            (x - half, height),
            (x, height / 2),
        ]
        draw.polygon(bar, fill=second)
    if pattern == "stripe":
        draw.polygon(
            [
                (width * 0.15, height * 0.46),
                (width, height * 0.42),
                (width, height * 0.58),
                (width * 0.15, height * 0.54),
            ],
            fill=second,
        )
    scale = max(8, round(width * 0.045))
    for row in range(height // scale):
        y = row * scale
        steps = range(round(width * 0.26) * 2 // scale, width * 2 // scale)
        zigzag = [(step * scale / 2, y + (scale * 0.9 if (step + row) % 2 else 0)) for step in steps]
        draw.line(zigzag, fill=shade(color, 0.78), width=2)
    return skin


def _draw_face(draw: ImageDraw.ImageDraw, size: tuple[int, int], color: Color) -> None:
    width, height = size
    x, y, eye = width * 0.14, height * 0.45, width * 0.035
    for share, tone in ((1.0, (250, 246, 226)), (0.62, (20, 22, 26))):
        draw.ellipse((x - eye * share, y - eye * share, x + eye * share, y + eye * share), fill=tone)
    draw.ellipse((x - eye * 0.35, y - eye * 0.4, x - eye * 0.05, y - eye * 0.1), fill=(255, 255, 255))
    line = max(3, width // 120)
    draw.arc((width * 0.14, height * 0.34, width * 0.26, height * 0.72), 290, 70, fill=shade(color, 0.55), width=line)
    draw.arc((-width * 0.05, height * 0.5, width * 0.08, height * 0.6), 0, 80, fill=shade(color, 0.5), width=line)
    fin = rounded([(width * 0.27, height * 0.54), (width * 0.42, height * 0.54), (width * 0.4, height * 0.68)], 1)
    draw.polygon(fin, fill=shade(color, 0.88), outline=shade(color, 0.62))
