"""Lab by tables is Lab as others compute it, and colors that no screen shows keep their lightness and hue."""

import numpy as np
import pytest
import torch
from skimage import color

from npylabel.colorizer.lab import lab_to_rgb, rgb_to_pixels
from npylabel.colorizer.pixel_lab import colored_pixels, lightness_levels, lightness_of, strips
from tests.colorizer.test_lab import GRID, lab_of


def random_colors(count: int, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L / 100 and ab / 128, each ``(1, count)`` float32, of colors of all of sRGB, with their chroma multiplied."""
    lab = color.rgb2lab(np.random.default_rng(0).random((1, count, 3))) / (100, 128, 128) * (1, strength, strength)
    return tuple(np.ascontiguousarray(values) for values in np.moveaxis(lab.astype(np.float32), -1, 0))


def by_kornia(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The pixels that batches of floats give, ``(h, w, 3)`` uint8."""
    planes = torch.from_numpy(np.stack([lightness, a, b]))[None]
    return rgb_to_pixels(lab_to_rgb(planes[:, :1], planes[:, 1:]))[0].numpy()


@pytest.mark.parametrize("pixels", [GRID[0], GRID[0] // 12], ids=["all colors", "dark ones"])
def test_lightness_is_scikit_images(pixels: np.ndarray) -> None:
    levels = lightness_levels(pixels)
    assert levels.dtype == np.uint16
    found = lightness_of(levels)
    assert found.dtype == np.float32
    assert np.abs(found - color.rgb2lab(pixels)[..., 0] / 100).max() < 1e-4
    assert np.abs(found - lab_of(pixels[None])[0, ..., 0] / 100).max() < 1e-4


def test_gray_pixels_are_their_own_levels() -> None:
    grays = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert lightness_levels(grays) is grays
    as_color = np.repeat(grays[..., None], 3, axis=2)
    assert np.abs(lightness_of(grays) - color.rgb2lab(as_color)[..., 0] / 100).max() < 1e-6
    assert np.abs(lightness_of(grays) - lightness_of(lightness_levels(as_color))).max() < 1e-4
    none = np.zeros((16, 16), np.float32)
    np.testing.assert_array_equal(colored_pixels(lightness_of(grays), none, none), as_color)


def test_pixels_are_those_of_exact_floats() -> None:
    colors = random_colors(400_000)
    found = colored_pixels(*colors).astype(int)
    for exact in (by_kornia(*colors),
                  (color.lab2rgb(np.stack(colors, -1).astype(np.float64) * (100, 128, 128)) * 255).round()):
        assert np.abs(found - exact).max() <= 1
        # 0.06 % of the levels were measured: those that lie within a step of the table from the middle of two levels.
        assert 0 < (found != exact).mean() < 0.001


def test_colors_come_back() -> None:
    lab = color.rgb2lab(GRID[0]).astype(np.float32)
    back = colored_pixels(lab[..., 0] / 100, lab[..., 1] / 128, lab[..., 2] / 128)
    np.testing.assert_array_equal(back, GRID[0])


def test_what_no_screen_shows_keeps_its_lightness_and_hue() -> None:
    lightness, a, b = random_colors(20_000, strength=3.0)
    found = lab_of(colored_pixels(lightness, a, b)[None])[0]
    assert np.abs(found[..., 0] / 100 - lightness).max() < 0.01
    strong = np.hypot(found[..., 1], found[..., 2]) > 20
    assert strong.mean() > 0.8
    turned = np.angle((found[..., 1] + 1j * found[..., 2]) / (a + 1j * b))[strong]
    assert np.degrees(np.abs(turned)).max() < 4


def test_it_is_as_strong_as_possible_and_no_stronger() -> None:
    lightness, a, b = random_colors(2_000, strength=3.0)
    # Of a color three times as strong as one of sRGB at least a third can be shown, and not all of most.
    found = lab_of(colored_pixels(lightness, a, b)[None])[0]
    share = np.hypot(found[..., 1], found[..., 2]) / np.hypot(a * 128, b * 128).clip(0.1)
    enough = np.hypot(a, b) > 0.2
    assert share[enough].min() > 0.31
    limited = colored_pixels(lightness, a, b)[enough & (share < 0.97)]
    at_the_end = (limited.max(-1) >= 252) | (limited.min(-1) <= 20)
    assert at_the_end.mean() > 0.99
    ends = np.array([[0.0, 1.0]], np.float32)
    black, white = colored_pixels(ends, np.full_like(ends, 0.5), np.full_like(ends, 0.5))[0].astype(int)
    assert black.max() <= 1 and white.min() >= 254, "black and white have no color"


def test_each_pixel_is_computed_for_itself() -> None:
    pale, strong = random_colors(1001), random_colors(1001, strength=3.0)
    mixed = [np.concatenate(pair) for pair in zip(pale, strong, strict=True)]
    given = [values.copy() for values in mixed]
    whole = colored_pixels(*mixed)
    np.testing.assert_array_equal(whole, np.concatenate([colored_pixels(*pale), colored_pixels(*strong)]))
    for width in (1, 7, 500):
        parts = [colored_pixels(*(values[:, left:left + width] for values in mixed)) for left in range(0, 1001, width)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    for values, before in zip(mixed, given, strict=True):
        np.testing.assert_array_equal(values, before, "what was given stays")


def test_strips_are_all_rows_from_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npylabel.colorizer.pixel_lab.STRIP_PIXELS", 100)
    assert [(rows.start, rows.stop) for rows in strips(7, 30)] == [(0, 3), (3, 6), (6, 7)]
    assert [(rows.start, rows.stop) for rows in strips(2, 1000)] == [(0, 1), (1, 2)]
    assert list(strips(0, 5)) == []
