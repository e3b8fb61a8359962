"""Colors grow to the photo's size along its edges, the same whatever the strips."""

import numpy as np
import pytest
import torch
from skimage import data
from torch.nn import functional

from npylabel.colorizer import pixel_lab
from npylabel.colorizer.guided import _between, _box, ab_strips
from npylabel.colorizer.lab import pixels_to_rgb, rgb_to_lab


def random_photo(n: int, h: int, w: int, full_h: int, full_w: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(ab small, L small, L full) of nothing in particular."""
    random = torch.Generator().manual_seed(h * 1000 + w)
    return (torch.rand(n, 2, h, w, generator=random) - 0.5, torch.rand(n, 1, h, w, generator=random),
            torch.rand(n, 1, full_h, full_w, generator=random))


def upsampled(small: torch.Tensor, l_small: torch.Tensor, full: torch.Tensor, **options: float) -> torch.Tensor:
    """The colors of all strips."""
    strips = ab_strips(small, l_small, tuple(full.shape[2:]), lambda rows: full[:, :, rows], **options)
    return torch.cat([ab for _rows, _lightness, ab in strips], 2)


@pytest.mark.parametrize("shape", [(24, 32, 97, 131), (24, 32, 24, 32), (7, 5, 1, 300), (1, 9, 64, 1), (1, 1, 5, 3),
                                   (32, 32, 11, 13)])
def test_strips_change_not_one_bit(shape: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    photo = random_photo(2, *shape)
    whole = upsampled(*photo)
    assert whole.shape == (2, 2, *shape[2:])
    assert torch.isfinite(whole).all()
    assert float(whole.abs().max()) <= 1
    for strip_rows in (1, 3, 16):
        monkeypatch.setattr(pixel_lab, "STRIP_PIXELS", strip_rows * shape[3])
        assert torch.equal(upsampled(*photo), whole)


def test_strips_are_the_rows_from_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_lab, "STRIP_PIXELS", 80)
    ab_small, small, full = random_photo(1, 8, 8, 21, 9)
    strips = list(ab_strips(ab_small, small, (21, 9), lambda rows: full[:, :, rows]))
    assert [(rows.start, rows.stop, ab.shape[2]) for rows, _lightness, ab in strips] == [
        (0, 8, 8), (8, 16, 8), (16, 21, 5)]
    assert all(torch.equal(lightness, full[:, :, rows]) for rows, lightness, _ab in strips)


@pytest.mark.parametrize("size", [1, 3, 8, 50])
def test_stretching_is_bilinear(size: int) -> None:
    values = torch.rand(8, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    expected = functional.interpolate(values.movedim(0, 2), (size, 6), mode="bilinear", align_corners=False)
    assert torch.allclose(_between(values, size, slice(0, size)), expected.movedim(2, 0), atol=1e-6)


@pytest.mark.parametrize("radius", [1, 2, 7, 30])
def test_windows_are_means_of_what_the_picture_has(radius: int) -> None:
    values = torch.rand(2, 3, 9, 14, generator=torch.Generator().manual_seed(0))
    expected = functional.avg_pool2d(functional.pad(values, [radius] * 4), 2 * radius + 1, 1)
    share = functional.avg_pool2d(functional.pad(torch.ones(1, 1, 9, 14), [radius] * 4), 2 * radius + 1, 1)
    assert torch.allclose(_box(values, radius), expected / share, atol=1e-6)


def test_a_linear_relation_is_found_again() -> None:
    lightness = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    full = torch.rand(1, 1, 100, 80, generator=torch.Generator().manual_seed(1))
    scale = torch.tensor([0.4, -0.3]).view(1, 2, 1, 1)
    found = upsampled(lightness * scale + 0.1, lightness, full, eps=1e-9)
    assert torch.allclose(found, full * scale + 0.1, atol=1e-4)


def test_even_colors_stay_even() -> None:
    _ab, small, full = random_photo(1, 16, 16, 50, 60)
    even = torch.tensor([0.3, -0.2]).view(1, 2, 1, 1)
    assert torch.allclose(upsampled(even.expand(1, 2, 16, 16), small, full), even.expand(1, 2, 50, 60), atol=1e-5)


def test_smaller_colors_than_lightness() -> None:
    ab, small, full = random_photo(1, 16, 16, 50, 60)
    ab = ab[:, :, ::2, ::2]
    halved = functional.avg_pool2d(small, 2)
    assert torch.allclose(upsampled(ab, small, full), upsampled(ab, halved, full), atol=1e-6)


def bled(found: torch.Tensor, true: torch.Tensor) -> float:
    """Mean error of colors in units of a*b*."""
    return float((found - true).mul(128).norm(dim=1).mean())


def test_colors_stop_at_an_edge() -> None:
    # A bright red half and a dark blue one, whose border does not fall on a pixel of the small picture.
    full = torch.full((1, 1, 256, 256), 0.8)
    true = torch.tensor([0.4, 0.3]).view(1, 2, 1, 1).repeat(1, 1, 256, 256)
    full[..., 101:], true[:, :, :, 101:] = 0.3, torch.tensor([0.1, -0.5]).view(1, 2, 1, 1)
    small, ab = (functional.interpolate(values, (32, 32), mode="area") for values in (full, true))
    bilinear = functional.interpolate(ab, (256, 256), mode="bilinear", align_corners=False)
    guided = upsampled(ab, small, full)
    assert bled(bilinear, true) > 1.5
    assert bled(guided, true) < 0.25 * bled(bilinear, true)
    # Four pixels beyond the border there is nearly nothing of the other color.
    assert float((guided - true)[..., 105].abs().max()) * 128 < 5 < float((bilinear - true)[..., 105].abs().max()) * 128


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photos_get_nearer_to_their_colors_than_bilinear(name: str) -> None:
    pixels = torch.from_numpy(np.ascontiguousarray(getattr(data, name)()[:256, :256]))[None]
    full, true = rgb_to_lab(pixels_to_rgb(pixels))
    small, ab = (functional.interpolate(values, (64, 64), mode="area") for values in (full, true))
    bilinear = functional.interpolate(ab, (256, 256), mode="bilinear", align_corners=False)
    assert bled(upsampled(ab, small, full), true) < 0.95 * bled(bilinear, true)
