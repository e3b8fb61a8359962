"""Lab is the one of scikit-image, colors come back, and autocast changes nothing."""

import numpy as np
import torch
from skimage import color

from npylabel.colorizer.lab import AB_SCALE, lab_to_rgb, pixels_to_rgb, rgb_to_lab, rgb_to_pixels

LEVELS = np.linspace(0, 255, 32).round().astype(np.uint8)
# All colors of a 32 x 32 x 32 grid, (1, 32, 1024, 3).
GRID = np.stack(np.meshgrid(LEVELS, LEVELS, LEVELS, indexing="ij"), -1).reshape(1, 32, 1024, 3)


def lab_of(pixels: np.ndarray) -> np.ndarray:
    lightness, ab = rgb_to_lab(pixels_to_rgb(torch.from_numpy(pixels)))
    return torch.cat([lightness * 100, ab * AB_SCALE], 1).movedim(1, -1).numpy()


def test_as_scikit_image() -> None:
    assert np.abs(lab_of(GRID) - color.rgb2lab(GRID / 255)).max() < 0.05


def test_known_colors() -> None:
    known = {(255, 0, 0): (53.24, 80.09, 67.20), (0, 0, 255): (32.30, 79.19, -107.86), (255, 255, 255): (100, 0, 0)}
    found = lab_of(np.array([[list(known)]], np.uint8))[0, 0]
    assert np.abs(found - np.array(list(known.values()))).max() < 0.05


def test_colors_come_back() -> None:
    lightness, ab = rgb_to_lab(pixels_to_rgb(torch.from_numpy(GRID)))
    assert lightness.shape == (1, 1, 32, 1024)
    assert ab.shape == (1, 2, 32, 1024)
    back = rgb_to_pixels(lab_to_rgb(lightness, ab)).numpy()
    assert np.abs(back.astype(int) - GRID).max() <= 1
    assert back.dtype == np.uint8


def test_the_way_back_is_scikit_images() -> None:
    random = np.random.default_rng(0)
    lab = random.uniform((20, -40, -40), (80, 40, 40), (1, 16, 16, 3)).astype(np.float32)
    planes = torch.from_numpy(lab).movedim(-1, 1)
    found = lab_to_rgb(planes[:, :1] / 100, planes[:, 1:] / AB_SCALE).movedim(1, -1).numpy()
    assert np.abs(found - color.lab2rgb(lab.astype(np.float64))).max() * 255 < 0.1


def test_autocast_changes_nothing() -> None:
    rgb = pixels_to_rgb(torch.from_numpy(GRID))
    plain = rgb_to_lab(rgb)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = rgb_to_lab(rgb)
        back = lab_to_rgb(*mixed)
    assert all(torch.equal(one, other) for one, other in zip(plain, mixed, strict=True))
    assert torch.equal(back, lab_to_rgb(*plain))
    assert {mixed[0].dtype, back.dtype} == {torch.float32}


def test_impossible_colors_are_clipped() -> None:
    rgb = lab_to_rgb(torch.full((1, 1, 1, 1), 0.5), torch.tensor([1.0, -1.0]).view(1, 2, 1, 1))
    assert torch.equal(rgb, rgb.clamp(0, 1))
    assert torch.isfinite(rgb).all()
