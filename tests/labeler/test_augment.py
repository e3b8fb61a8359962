"""Augmentation changes every photo in its own way and leaves a photo of the same thing."""

from dataclasses import replace

import pytest
import torch

from npylabel.labeler.augment import augment, mix
from npylabel.labeler.recipe import LabelerRecipe
from npylabel.training.views import view_maps

STILL = LabelerRecipe(smallest_crop=1, rotation_degrees=0, perspective=0, color=0, erasing=0, mixup=0, cutmix=0)
LIVELY = LabelerRecipe(smallest_crop=0.35, rotation_degrees=15, perspective=0.1, color=0.25, erasing=0)


def colored(n: int, side: int = 32) -> torch.Tensor:
    """Pictures with smooth random colors, ``(n, side, side, 3)`` uint8."""
    small = torch.rand(n, 3, 4, 4, generator=torch.Generator().manual_seed(3)) * 0.6 + 0.2
    images = torch.nn.functional.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    return (images.permute(0, 2, 3, 1) * 255).round().to(torch.uint8)


def dot(n: int, side: int = 64) -> torch.Tensor:
    """A bright blob left of the middle of a dark square, ``n`` times."""
    images = torch.full((n, side, side, 3), 25, dtype=torch.uint8)
    images[:, side // 2 - 3:side // 2 + 3, side // 4 - 3:side // 4 + 3] = 230
    return images


def centers(images: torch.Tensor) -> torch.Tensor:
    """(x, y) of the middle of what is bright, in shares of the side, ``(n, 2)``."""
    light = (images.mean(1) - images.mean(1).amin((1, 2), keepdim=True)) ** 4
    light = light / light.sum((1, 2), keepdim=True)
    place = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1]
    return torch.stack([(light.sum(1) * place).sum(1), (light.sum(2) * place).sum(1)], dim=1)


@pytest.mark.parametrize(("shape", "px"), [((1, 32, 32, 3), 32), ((5, 64, 64, 3), 48), ((3, 32, 32, 3), 64)])
def test_views_have_the_side_asked_for_and_stay_in_range(shape: tuple[int, ...], px: int) -> None:
    torch.manual_seed(0)
    result = augment(torch.randint(0, 256, shape, dtype=torch.uint8), px, replace(LIVELY, erasing=0.5))
    assert result.shape == (shape[0], 3, px, px)
    assert result.dtype == torch.float32
    assert result.min() >= 0 and result.max() <= 1
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_without_changes_a_view_is_the_photo_or_its_mirror() -> None:
    torch.manual_seed(0)
    photos = colored(40)
    images = photos.permute(0, 3, 1, 2) / 255
    views = augment(photos, 32, STILL)
    same = [torch.allclose(view, image, atol=1e-5) for view, image in zip(views, images, strict=True)]
    mirrored = [torch.allclose(view, image.flip(2), atol=1e-5) for view, image in zip(views, images, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 10 < sum(mirrored) < 30


def test_far_smaller_views_do_not_flicker() -> None:
    torch.manual_seed(0)
    # Lines of one pixel: each place of a small view that takes one pixel alone would be black or white.
    lines = (torch.arange(128) % 2 * 255).to(torch.uint8).view(1, 1, 128, 1).expand(4, 128, 128, 3)
    views = augment(lines, 36, STILL)
    assert views.std() < 0.05
    torch.testing.assert_close(views.mean(), torch.tensor(0.5), rtol=0, atol=0.01)


def test_far_smaller_views_show_the_same() -> None:
    torch.manual_seed(0)
    photos = colored(6, 128)
    wanted = torch.nn.functional.avg_pool2d(photos.permute(0, 3, 1, 2) / 255, 4)
    for view, image in zip(augment(photos, 32, STILL), wanted, strict=True):
        assert min((view - image).abs().max(), (view - image.flip(2)).abs().max()) < 0.02


def test_the_seed_decides() -> None:
    photos, results = colored(6), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment(photos, 32, LIVELY))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_each_photo_is_changed_in_its_own_way() -> None:
    torch.manual_seed(0)
    result = augment(colored(1).repeat(8, 1, 1, 1), 32, LIVELY)
    differences = [(result[i] - result[j]).abs().mean() for i in range(8) for j in range(i)]
    assert min(differences) > 0.005


def test_the_photos_are_left_alone() -> None:
    photos = colored(3)
    before = photos.clone()
    augment(photos, 32, replace(LIVELY, erasing=1))
    assert torch.equal(photos, before)


def test_the_color_is_roughly_kept() -> None:
    torch.manual_seed(0)
    photos = colored(64)
    before = photos.permute(0, 3, 1, 2).div(255).mean((2, 3))
    after = augment(photos, 32, LIVELY).mean((2, 3))
    assert (after - before).abs().mean() < 0.1
    # Over many photos it is neither lighter nor darker.
    torch.testing.assert_close(after.mean(0), before.mean(0), rtol=0, atol=0.03)


def test_channels_are_not_swapped() -> None:
    torch.manual_seed(0)
    photos = torch.tensor([204, 128, 51], dtype=torch.uint8).expand(16, 16, 16, 3)
    means = augment(photos, 16, LIVELY).mean((2, 3))
    assert (means[:, 0] > means[:, 1] + 0.1).all() and (means[:, 1] > means[:, 2] + 0.1).all()


def test_a_turn_stays_within_its_limit() -> None:
    torch.manual_seed(0)
    x, y = centers(augment(dot(200), 64, replace(STILL, rotation_degrees=20))).unbind(1)
    turned = torch.rad2deg(torch.atan2(y - 0.5, (x - 0.5).abs()))
    assert turned.abs().max() < 21 and turned.std() > 8
    # A turn changes no distance.
    torch.testing.assert_close(torch.hypot(x - 0.5, y - 0.5), torch.full((200,), 0.25), rtol=0, atol=0.02)


def test_crops_lie_inside_and_have_the_area() -> None:
    torch.manual_seed(0)
    maps = view_maps(500, replace(STILL, smallest_crop=0.3))
    corners = torch.tensor([[-1.0, -1, 1], [1, 1, 1]]) @ maps.transpose(1, 2)
    assert corners[..., :2].abs().max() <= 1.0001
    area = ((corners[:, 1, :2] - corners[:, 0, :2]).abs() / 2).prod(1)
    assert 0.25 < area.min() < 0.4 and area.max() > 0.9
    assert abs(float(area.mean()) - 0.64) < 0.04


def test_perspective_bends_parallel_edges() -> None:
    torch.manual_seed(0)
    maps = view_maps(100, replace(STILL, perspective=0.1))
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [-1, 1, 1], [1, 1, 1]]) @ maps.transpose(1, 2)
    places = corners[..., :2] / corners[..., 2:]
    top, bottom = (places[:, 1] - places[:, 0]).norm(dim=1), (places[:, 3] - places[:, 2]).norm(dim=1)
    assert 0.7 < (top / bottom).min() < 0.9 and 1.1 < (top / bottom).max() < 1.5


def test_brightness_and_contrast_and_saturation_vary() -> None:
    torch.manual_seed(0)
    photos = colored(1).repeat(100, 1, 1, 1)
    plain, result = photos[0].permute(2, 0, 1) / 255, augment(photos, 32, replace(STILL, color=0.25))
    brightness = result.mean((1, 2, 3)) / plain.mean()
    assert brightness.min() < 0.85 and brightness.max() > 1.15
    assert (result.mean(1).std((1, 2)) / plain.mean(0).std()).std() > 0.05
    saturation = (result - result.mean(1, keepdim=True)).abs().mean((1, 2, 3))
    assert saturation.min() < 0.8 * saturation.max()


def test_erasing_makes_a_rectangle_flat_in_its_share_of_the_photos() -> None:
    torch.manual_seed(0)
    photos = torch.randint(0, 256, (200, 40, 40, 3), dtype=torch.uint8)
    views = augment(photos, 40, replace(STILL, erasing=0.3))
    flat = (views[:, 0, :, 1:] == views[:, 0, :, :-1]).sum((1, 2)) > 30
    assert 40 < flat.sum() < 80
    assert (views[flat].std((1, 2, 3)) > 0.2).all()


def test_without_mixing_nothing_changes() -> None:
    images, targets = torch.rand(4, 3, 8, 8), torch.eye(4)
    mixed = mix(images, targets, STILL)
    assert mixed[0] is images and mixed[1] is targets


def test_mixup_blends_photos_and_targets_alike() -> None:
    torch.manual_seed(1)
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 8, 8).clone()
    before = images.clone()
    for _round in range(10):
        mixed, targets = mix(images, torch.eye(4), replace(STILL, mixup=1))
        torch.testing.assert_close(mixed[:, 0, 0, 0], targets @ torch.arange(4.0))
        torch.testing.assert_close(targets.sum(1), torch.ones(4))
    assert torch.equal(images, before)


def test_cutmix_counts_the_pixels_of_each() -> None:
    torch.manual_seed(0)
    images = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 20, 20).clone()
    kept = []
    for _round in range(20):
        mixed, targets = mix(images, torch.eye(4), replace(STILL, cutmix=1))
        for row, image in zip(targets, mixed, strict=True):
            shares = torch.stack([(image[0] == value).float().mean() for value in range(4)])
            torch.testing.assert_close(row, shares, rtol=0, atol=1e-5)
        kept.append(float(targets.diagonal().min()))
    assert min(kept) < 0.3 and max(kept) > 0.6


def test_the_recipe_says_how_often_batches_are_mixed() -> None:
    torch.manual_seed(0)
    images, targets = torch.rand(4, 3, 8, 8), torch.eye(4)
    changed = sum(mix(images, targets, replace(STILL, mixup=0.2, cutmix=0.3))[0] is not images for _round in range(400))
    assert 160 < changed < 240
