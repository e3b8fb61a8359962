"""Colors on a photo: its lightness stays, its border stays bare, edges stay sharp, and memory stays small."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from npylabel.colorizer import pixel_lab
from npylabel.colorizer.blending import blend
from npylabel.colorizer.lab import pixels_to_rgb, rgb_to_lab
from npylabel.colorizer.old_photos import OldPhoto, levels_of, read_old_photo
from tests.colorizer.color_kit import file_bytes, gray_photo, sepia
from tests.colorizer.test_old_photos import framed

PROJECT = Path(__file__).resolve().parents[2]


def lab_of(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """(L in 0-100, ab in units of Lab) of an RGB picture."""
    lightness, ab = rgb_to_lab(pixels_to_rgb(torch.tensor(np.asarray(image))[None]))
    return lightness[0, 0].numpy() * 100, ab[0].numpy() * 128


def flat(photo: OldPhoto, a: float, b: float) -> torch.Tensor:
    """One color for all of a photo."""
    return torch.tensor([a, b])[None, :, None, None].expand(1, 2, *photo.small.shape[2:])


def test_colors_that_can_be_shown_arrive_as_they_are() -> None:
    photo = read_old_photo(file_bytes(gray_photo(1, 90, 70, 100, 160)), 64)
    lightness, ab = lab_of(blend(photo, flat(photo, 0.1, -0.15)))
    np.testing.assert_allclose(lightness, photo.lightness() * 100, atol=0.6)
    np.testing.assert_allclose(ab.mean((1, 2)), (12.8, -19.2), atol=0.3)
    paler = lab_of(blend(photo, flat(photo, 0.1, -0.15), 0.5))[1]
    np.testing.assert_allclose(paler.mean((1, 2)), (6.4, -9.6), atol=0.3)


def test_lightness_and_hue_outlive_colors_that_cannot_be_shown() -> None:
    photo = read_old_photo(file_bytes(gray_photo(2, 90, 70, 0, 255)), 64)
    lightness, ab = lab_of(blend(photo, flat(photo, 0.7, 0.5), 3.0))
    np.testing.assert_allclose(lightness, photo.lightness() * 100, atol=1.0)
    strong = np.hypot(*ab) > 20
    assert strong.mean() > 0.5
    np.testing.assert_allclose(np.degrees(np.arctan2(ab[1], ab[0]))[strong], np.degrees(np.arctan2(5, 7)), atol=3)


def test_toned_photos_keep_their_lightness_and_lose_their_toning() -> None:
    picture = sepia(gray_photo(1, 90, 70, 20, 240))
    photo = read_old_photo(file_bytes(picture), 64)
    lightness, ab = lab_of(blend(photo, flat(photo, 0.0, 0.0)))
    np.testing.assert_allclose(lightness, lab_of(picture)[0], atol=0.3)
    assert np.abs(ab).max() < 1


def test_the_border_of_a_scan_stays_bare() -> None:
    picture = gray_photo(7, 320, 320, 60, 200)
    photo = read_old_photo(file_bytes(framed(picture, 245, 40, 30, 50, 60)), 64)
    assert photo.box == (40, 30, 360, 350)
    result = blend(photo, flat(photo, 0.1, 0.2))
    np.testing.assert_allclose(lab_of(result)[0], photo.lightness() * 100, atol=0.6)
    chroma = np.ptp(np.asarray(result), axis=2)
    inside = np.zeros(chroma.shape, bool)
    inside[30:350, 40:360] = True
    assert chroma[~inside].max() == 0
    assert chroma[inside].min() > 10


@pytest.mark.parametrize("toned", [False, True])
def test_strips_change_not_one_bit(toned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = framed(gray_photo(7, 320, 320, 60, 200), 245, 40, 30, 50, 60)
    data = file_bytes(sepia(picture) if toned else picture)
    colors = torch.rand(1, 2, 32, 32, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
    whole = blend(read_old_photo(data, 64), colors)
    for strip_pixels in (1, 3000, 9001):
        monkeypatch.setattr(pixel_lab, "STRIP_PIXELS", strip_pixels)
        assert blend(read_old_photo(data, 64), colors).tobytes() == whole.tobytes()


def sharp_edge() -> tuple[OldPhoto, torch.Tensor]:
    """A photo of a light red half and a dark blue one, and its true colors ``(1, 2, 256, 256)``."""
    gray = Image.new("L", (256, 256), 200)
    gray.paste(70, (101, 0, 256, 256))
    colors = torch.tensor([0.2, 0.15]).view(1, 2, 1, 1).repeat(1, 1, 256, 256)
    colors[..., 101:] = torch.tensor([0.05, -0.25]).view(1, 2, 1, 1)
    seen = torch.from_numpy(pixel_lab.lightness_of(np.asarray(gray)))[None, None]
    return OldPhoto(levels_of(gray), (0, 0, 256, 256), functional.interpolate(seen, (64, 64), mode="area"), 0.0), colors


def test_colors_of_half_the_size_are_sharper_than_the_same_stretched_before() -> None:
    photo, true = sharp_edge()
    half = functional.interpolate(true, (32, 32), mode="area")
    stretched = functional.interpolate(half, scale_factor=2.0, mode="bilinear")
    wrong = {}
    for name, colors in (("half", half), ("stretched", stretched)):
        _lightness, ab = lab_of(blend(photo, colors))
        wrong[name] = np.hypot(*(ab - true[0].numpy() * 128))[:, 81:121].mean()
    assert wrong["stretched"] > 2
    assert wrong["half"] < 0.6 * wrong["stretched"]


_MEASURE = """
import sys, numpy as np, torch
from pathlib import Path
from npylabel.colorizer.blending import blend
from npylabel.colorizer.old_photos import OldPhoto
torch.set_num_threads(1)

def peak_mb():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000

def colored(height):
    photo = OldPhoto(np.full((height, 4000), 120, np.uint8), (0, 0, 4000, height), torch.rand(1, 1, 224, 224), 0.0)
    before = peak_mb()
    blend(photo, torch.rand(1, 2, 112, 112) - 0.5)
    return peak_mb() - before

colored(100)
print(colored(int(sys.argv[1])))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells the most memory of a process")
def test_memory_is_that_of_the_result() -> None:
    # Four bytes for each of the 24 megapixels, 96 MB; their colors and lightness alone would be 288 MB more.
    command = [sys.executable, "-c", _MEASURE, "6000"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 150
