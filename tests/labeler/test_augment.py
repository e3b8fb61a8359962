"""Augmentation changes every photo in its own way and leaves a photo of the same thing."""

import pytest
import torch

from npylabel.labeler.augment import ROTATION_DEGREES, SHIFT, augment


def colored(n: int, side: int = 32) -> torch.Tensor:
    """Pictures with smooth random colors, ``(n, 3, side, side)`` in 0-1."""
    small = torch.rand(n, 3, 4, 4, generator=torch.Generator().manual_seed(3)) * 0.6 + 0.2
    return torch.nn.functional.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)


def dot(n: int, side: int = 64) -> torch.Tensor:
    """A bright blob left of the middle of a dark square, ``n`` times."""
    images = torch.full((n, 3, side, side), 0.1)
    images[:, :, side // 2 - 3:side // 2 + 3, side // 4 - 3:side // 4 + 3] = 0.9
    return images


def centers(images: torch.Tensor) -> torch.Tensor:
    """(x, y) of the middle of what is bright, in shares of the side, ``(n, 2)``."""
    light = (images.mean(1) - images.mean(1).amin((1, 2), keepdim=True)) ** 4
    light = light / light.sum((1, 2), keepdim=True)
    place = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1]
    return torch.stack([(light.sum(1) * place).sum(1), (light.sum(2) * place).sum(1)], dim=1)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (5, 3, 40, 64)])
def test_shape_and_range_stay(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    result = augment(torch.rand(shape))
    assert result.shape == shape
    assert result.dtype == torch.float32
    assert result.min() >= 0 and result.max() <= 1


def test_extremes_stay_in_range() -> None:
    torch.manual_seed(0)
    images = (torch.rand(16, 3, 16, 16) > 0.5).float()
    result = augment(images)
    assert result.min() == 0 and result.max() == 1


def test_the_seed_decides() -> None:
    images, results = colored(6), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment(images))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_each_picture_is_changed_in_its_own_way() -> None:
    torch.manual_seed(0)
    result = augment(colored(1).repeat(8, 1, 1, 1))
    differences = [(result[i] - result[j]).abs().mean() for i in range(8) for j in range(i)]
    assert min(differences) > 0.005


def test_the_input_is_left_alone() -> None:
    images = colored(3)
    before = images.clone()
    augment(images)
    assert torch.equal(images, before)


def test_the_color_is_roughly_kept() -> None:
    torch.manual_seed(0)
    images = colored(64)
    result = augment(images)
    before, after = images.mean((2, 3)), result.mean((2, 3))
    assert (after - before).abs().mean() < 0.08
    # Over many pictures it is neither lighter nor darker.
    torch.testing.assert_close(after.mean(0), before.mean(0), rtol=0, atol=0.03)


def test_channels_are_not_swapped() -> None:
    torch.manual_seed(0)
    images = torch.tensor([0.8, 0.5, 0.2]).view(1, 3, 1, 1).expand(16, 3, 16, 16)
    means = augment(images).mean((2, 3))
    assert (means[:, 0] > means[:, 1] + 0.1).all() and (means[:, 1] > means[:, 2] + 0.1).all()


def test_half_are_mirrored_and_none_goes_far() -> None:
    torch.manual_seed(0)
    x, y = centers(augment(dot(200))).unbind(1)
    mirrored = x > 0.5
    assert 70 < mirrored.sum() < 130
    moved = torch.where(mirrored, 1 - x, x) - 0.25
    # A turn by 10 degrees moves a point at a quarter of the side by no more than 0.044 of it.
    reach = SHIFT + 0.25 * torch.deg2rad(torch.tensor(ROTATION_DEGREES)) + 0.02
    assert moved.abs().max() < reach and (y - 0.5).abs().max() < reach
    assert moved.std() > 0.02 and (y - 0.5).std() > 0.02


def test_brightness_and_contrast_vary() -> None:
    torch.manual_seed(0)
    result = augment(colored(1).repeat(100, 1, 1, 1))
    brightness = result.mean((1, 2, 3)) / colored(1).mean()
    contrast = result.std((1, 2, 3)) / colored(1).std()
    assert brightness.min() < 0.87 and brightness.max() > 1.13
    assert contrast.std() > 0.05
