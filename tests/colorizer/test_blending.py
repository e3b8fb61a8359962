"""Colors on a photo: its lightness stays, its border stays bare, and what a screen cannot show gets paler."""

import numpy as np
import pytest
import torch

from npylabel.colorizer import old_photos
from npylabel.colorizer.blending import blend, into_gamut
from npylabel.colorizer.lab import lab_to_rgb, rgb_to_lab
from npylabel.colorizer.old_photos import read_old_photo
from tests.colorizer.color_kit import file_bytes, gray_photo
from tests.colorizer.test_old_photos import framed


def lab_of(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L in 0-100, ab in units of Lab) of RGB pixels uint8."""
    lightness, ab = rgb_to_lab(torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255)
    return lightness[0, 0].numpy() * 100, ab[0].numpy() * 128


def flat(photo: old_photos.OldPhoto, a: float, b: float) -> torch.Tensor:
    """One color for all of a photo."""
    return torch.tensor([a, b])[None, :, None, None].expand(1, 2, *photo.small.shape[2:])


def test_colors_that_can_be_shown_arrive_as_they_are() -> None:
    photo = read_old_photo(file_bytes(gray_photo(1, 90, 70, 100, 160)), 64)
    lightness, ab = lab_of(blend(photo, flat(photo, 0.1, -0.15)))
    np.testing.assert_allclose(lightness, photo.lightness * 100, atol=0.6)
    np.testing.assert_allclose(ab.mean((1, 2)), (12.8, -19.2), atol=0.3)
    paler = lab_of(blend(photo, flat(photo, 0.1, -0.15), 0.5))[1]
    np.testing.assert_allclose(paler.mean((1, 2)), (6.4, -9.6), atol=0.3)


def test_lightness_and_hue_outlive_colors_that_cannot_be_shown() -> None:
    photo = read_old_photo(file_bytes(gray_photo(2, 90, 70, 0, 255)), 64)
    lightness, ab = lab_of(blend(photo, flat(photo, 0.7, 0.5), 3.0))
    np.testing.assert_allclose(lightness, photo.lightness * 100, atol=1.0)
    strong = np.hypot(*ab) > 20
    assert strong.mean() > 0.5
    np.testing.assert_allclose(np.degrees(np.arctan2(ab[1], ab[0]))[strong], np.degrees(np.arctan2(5, 7)), atol=3)


def test_as_strong_as_possible_and_no_stronger() -> None:
    light = torch.tensor([0.5, 0.5, 0.0, 1.0]).view(1, 1, 1, 4)
    ab = torch.tensor([[0.1, 0.9, 0.5, 0.5], [0.1, 0.0, 0.5, 0.5]]).view(1, 2, 1, 4)
    found = into_gamut(light, ab)
    assert torch.equal(found[..., 0], ab[..., 0])
    assert 0.4 < found[0, 0, 0, 1] < 0.9
    assert found[..., 2:].abs().max() < 0.01, "black and white have no color"
    rgb = lab_to_rgb(light, found)[0, :, 0, 1]
    assert rgb.max() > 0.99 or rgb.min() < 0.01, "at the border of what can be shown"
    assert torch.equal(ab[0, 0, 0, 1], torch.tensor(0.9)), "what was given stays"


def test_the_border_of_a_scan_stays_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = gray_photo(7, 320, 320, 60, 200)
    photo = read_old_photo(file_bytes(framed(picture, 245, 40, 30, 40, 50)), 64)
    whole = blend(photo, flat(photo, 0.1, 0.2))
    assert (np.ptp(whole, axis=2)[:29] <= 1).all()
    assert (np.ptp(whole, axis=2)[:, :39] <= 1).all()
    assert (np.ptp(whole, axis=2)[31:349, 41:359] > 10).all()
    monkeypatch.setattr(old_photos, "_STRIP_PIXELS", 9000)
    assert np.abs(blend(photo, flat(photo, 0.1, 0.2)).astype(int) - whole).max() <= 1
