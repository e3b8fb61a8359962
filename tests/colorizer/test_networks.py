"""The networks have the shapes they say, learn with all they have, and color by the label that is given."""

import pytest
import torch
from torch.nn import functional

from npylabel.base.errors import NpyLabelError
from npylabel.colorizer.networks import Colored, colorizer_names, create_colorizer

CLASSES = 5
NAMES = colorizer_names()


def seeded(name: str = "joint_light", seed: int = 3, **options: object) -> torch.nn.Module:
    """A network of this seed."""
    torch.manual_seed(seed)
    return create_colorizer(name, CLASSES, **options)


def photos(count: int, height: int = 64, width: int = 64, seed: int = 1) -> torch.Tensor:
    """Lightness of random photos."""
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(seed))


def ids(*values: int) -> torch.Tensor:
    return torch.tensor(values)


def train(network: torch.nn.Module, steps: int, targets: torch.Tensor, told: bool) -> None:
    """Steps on photos whose two colors depend on their label, and on nothing that can be seen."""
    optimizer = torch.optim.Adam(network.train().parameters(), 2e-3)
    for step in range(steps):
        labels = torch.randint(0, len(targets), (8,), generator=torch.Generator().manual_seed(step))
        out = network(photos(8, 32, 32, seed=step), labels if told else None)
        true = targets[labels][:, :, None, None].expand_as(out.color)
        loss = functional.mse_loss(out.color, true) + 0.01 * functional.cross_entropy(out.class_logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_the_names() -> None:
    assert NAMES == ["joint", "joint_light"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (128, 96), (32, 160)])
def test_color_for_each_pixel_and_a_name_for_each_photo(name: str, height: int, width: int) -> None:
    out = seeded(name).eval()(photos(2, height, width), ids(-1, 4))
    assert isinstance(out, Colored)
    assert out.color.shape == (2, 2, height // 2, width // 2)
    assert seeded(name).ab(out.color).shape == (2, 2, height, width)
    assert out.class_logits.shape == (2, CLASSES)
    assert out.color.abs().max() <= 1


def test_bins_are_chosen_at_a_quarter_of_the_side() -> None:
    out = seeded(bins=17).eval()(photos(2, 64, 96), ids(-1, 4))
    assert out.color.shape == (2, 17, 16, 24)
    assert (out.color < 0).any(), "logits, not a share of something"


def test_bins_are_read_as_the_colors_that_they_are() -> None:
    network = seeded(bins=3).eval()
    network.bin_centers.copy_(torch.tensor([[0.5, 0.1], [-0.5, 0.1], [0.0, -0.6]]))
    logits = torch.full((1, 3, 4, 6), -50.0)
    logits[:, 2] = 50
    assert network.ab(logits).shape == (1, 2, 16, 24)
    torch.testing.assert_close(network.small_ab(logits)[0, :, 1, 1], torch.tensor([0.0, -0.6]))
    assert {"bin_centers", "bin_weights"} <= set(network.state_dict()), "they go with the weights"


@pytest.mark.parametrize("options", [{}, {"bins": 7}, {"norm": "group"}, {"kernels": (3, 5)}, {"kernels": (1, 3, 5, 7)},
                                     {"kernels": (3,)}])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_reaches_every_parameter(name: str, options: dict) -> None:
    network = seeded(name, dropout=0.0, **options).train()
    # FiLM starts at zero, so what stands before it gets its first gradient in the second step.
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    for _step in range(2):
        out = network(photos(CLASSES, 32, 32), torch.arange(CLASSES))
        optimizer.zero_grad()
        loss = (out.color * torch.randn_like(out.color)).mean() + functional.cross_entropy(
            out.class_logits, torch.arange(CLASSES))
        loss.backward()
        optimizer.step()
    silent = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []
    assert network.label.weight.grad.any(1).all(), "a label without a gradient"


def test_conditioning_starts_neutral() -> None:
    network = seeded().eval()
    first, second = network(photos(1), ids(0)), network(photos(1), ids(3))
    assert torch.equal(first.color, second.color)


def test_minus_one_is_no_label() -> None:
    network = seeded()
    for value in network.parameters():  # As after training: nothing is neutral any more.
        torch.nn.init.normal_(value, std=0.1)
    network.eval()
    without, none, known = (network(photos(2), given) for given in (None, ids(-1, -1), ids(2, -1)))
    assert torch.equal(none.color, without.color)
    assert torch.equal(none.class_logits, without.class_logits)
    assert (known.color[0] - without.color[0]).abs().max() > 1e-3
    # Convolutions of another batch may sum in another order; the same photo of the same batch may not differ.
    assert torch.equal(known.color[1], without.color[1])
    assert torch.equal(known.class_logits, without.class_logits), "the label that is given does not name the photo"


def test_what_was_seen_is_painted_as_often_as_wanted() -> None:
    network = seeded()
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.1)
    seen = network.eval().see(photos(2))
    painted = [network.paint(seen, given) for given in (ids(2, 4), None, ids(2, 4))]
    assert torch.equal(painted[1], network(photos(2)).color), "what it was told before left nothing behind"
    assert torch.equal(painted[0], painted[2]) and not torch.equal(painted[0], painted[1])


def test_the_label_alone_can_give_strong_colors() -> None:
    targets = torch.tensor([[0.6, 0.4], [-0.5, 0.5], [0.1, -0.7]])
    network = seeded()
    train(network, 50, targets, told=True)
    network.eval()
    same = photos(1, 32, 32, seed=99).expand(3, -1, -1, -1)
    color = network(same, torch.arange(3)).color.mean((2, 3))
    torch.testing.assert_close(color, targets, atol=0.15, rtol=0)
    # Without the label nothing can tell them apart, however long one looks.
    unaware = seeded()
    train(unaware, 5, targets, told=False)
    guessed = unaware.eval()(same, None).color.mean((2, 3))
    assert (guessed - guessed[0]).abs().max() < 1e-5


def test_the_same_seed_gives_the_same_weights() -> None:
    first, same, other = (seeded(seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_dropout_stands_before_the_class_layer_only() -> None:
    network = seeded(dropout=0.5)
    train(network, 1, torch.rand(CLASSES, 2), told=True)
    network.train()
    for module in network.modules():  # Leaves dropout as the only thing that is random or moves.
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    first, second = network(photos(4), None), network(photos(4), None)
    assert torch.equal(first.color, second.color)
    assert not torch.equal(first.class_logits, second.class_logits)


def test_group_norm_does_not_look_at_the_other_photos() -> None:
    network = seeded(norm="group", dropout=0.0).train()
    alone, beside = network(photos(2)[:1]), network(photos(2))
    torch.testing.assert_close(alone.color[0], beside.color[0], atol=1e-5, rtol=0)
    assert [key for key in network.state_dict() if "running" in key] == []


def test_kernels_stand_beside_each_other() -> None:
    for kernels in ((1, 3, 5), (3, 5), (3, 5, 7)):
        blocks = [module for module in seeded(kernels=kernels).modules() if hasattr(module, "branches")]
        sides = {tuple(branch.kernel_size[0] for branch in block.branches) for block in blocks}
        assert sides == {kernels}


@pytest.mark.parametrize(("name", "options", "code", "words"), [
    ("resnet18", {}, "network_unknown", "joint, joint_light"),
    ("joint", {"kernels": (2,)}, "bad_parameter", "kernels"),
    ("joint", {"kernels": (3, 3)}, "bad_parameter", "kernels"),
    ("joint", {"norm": "layer"}, "bad_parameter", "batch, group"),
    ("joint", {"bins": 1}, "bad_parameter", "bins"),
    ("joint", {"dropout": 1.0}, "bad_parameter", "dropout"),
    ("joint", {"classes": 0}, "bad_parameter", "classes"),
])
def test_what_cannot_be_built(name: str, options: dict, code: str, words: str) -> None:
    with pytest.raises(NpyLabelError, match=words) as caught:
        create_colorizer(name, **{"classes": CLASSES, **options})
    assert caught.value.code == code


def test_sides_that_cannot_be_halved_five_times() -> None:
    with pytest.raises(NpyLabelError, match="input_px is 48") as caught:
        seeded()(photos(1, 64, 48), None)
    assert caught.value.code == "bad_parameter"
