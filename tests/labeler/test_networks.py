"""The networks are what their names say, and the original's weights fit the original's network."""

import pytest
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.labeler.networks import (
    create_network,
    default_px,
    network_names,
    refuse_impossible_network,
    torchvision_names,
)
from tests.labeler import kit

ORIGINAL_SHAPES = {
    "conv1.weight": (16, 3, 3, 3), "conv1.bias": (16,),
    "conv2.weight": (32, 16, 3, 3), "conv2.bias": (32,),
    "conv3.weight": (64, 32, 3, 3), "conv3.bias": (64,),
    "fc1.weight": (512, 4096), "fc1.bias": (512,),
    "fc2.weight": (100, 512), "fc2.bias": (100,),
}


def weights_count(network: torch.nn.Module) -> int:
    """Number of trainable values."""
    return sum(value.numel() for value in network.parameters())


def test_the_names() -> None:
    assert network_names() == ["minicnn", "resnet10", "simpsonsnet", "smallresnet"]
    assert {"resnet18", "mobilenet_v3_small", "convnext_tiny"} <= set(torchvision_names())


def test_simpsonsnet_is_as_published() -> None:
    network = create_network("simpsonsnet", 42)
    kinds = [type(layer).__name__ for layer in network.blocks]
    block = ["Conv2d", "ReLU", "MaxPool2d", "BatchNorm2d"]
    assert kinds == [*(4 * [*block, "Dropout"]), *(2 * block), "AdaptiveAvgPool2d", "Flatten"]
    widths = [layer.out_channels for layer in network.blocks if isinstance(layer, torch.nn.Conv2d)]
    assert widths == [8, 16, 32, 64, 96, 128]
    assert [layer.p for layer in network.blocks if isinstance(layer, torch.nn.Dropout)] == [0.2] * 4
    shapes = [tuple(layer.weight.shape) for layer in network.head if isinstance(layer, torch.nn.Linear)]
    assert shapes == [(4096, 1152), (4096, 4096), (42, 4096)]
    assert network.eval()(torch.rand(2, 3, 224, 224)).shape == (2, 42)
    # At the side it was made for, nothing is averaged.
    pooled = network.blocks[:-2](torch.rand(1, 3, 224, 224))
    assert pooled.shape[2:] == (3, 3)


def test_torchvision_networks_start_from_random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_download(*_arguments: object, **_options: object) -> None:
        raise AssertionError("weights of other people's photos")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", no_download)
    firsts = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = create_network("resnet18", 7)
        firsts.append(network.conv1.weight)
    assert network.fc.out_features == 7
    assert not torch.equal(*firsts)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1",
                                  "mnasnet0_5", "regnet_y_400mf", "efficientnet_b0"])
def test_torchvision_networks_give_logits_in_training_too(name: str) -> None:
    network = create_network(name, 5)
    assert network.train()(torch.rand(2, 3, 64, 64)).shape == (2, 5)


@pytest.mark.parametrize("name", [*network_names(), "resnet18", "mobilenet_v3_small"])
def test_the_default_side_suits_each_network(name: str) -> None:
    refuse_impossible_network(name, 0, default_px(name))


def test_the_small_pictures_of_the_first_epochs_count_too() -> None:
    create_network("simpsonsnet", 5).eval()(torch.rand(1, 3, 64, 64))
    with pytest.raises(NpyLabelError, match="Pictures of 64 pixels do not suit simpsonsnet"):
        refuse_impossible_network("simpsonsnet", 0, 64)


def test_a_network_for_one_size_refuses_another() -> None:
    with pytest.raises(NpyLabelError, match="do not suit vit_b_32") as error:
        refuse_impossible_network("vit_b_32", 0, 128)
    assert error.value.code == "bad_parameter"


@pytest.mark.parametrize(("name", "side"), [
    ("minicnn", 128), ("simpsonsnet", 224), ("resnet10", 128), ("resnet18", 224)])
def test_default_sides(name: str, side: int) -> None:
    assert default_px(name) == side


def test_minicnn_is_the_original() -> None:
    network = create_network("minicnn", 100)
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == ORIGINAL_SHAPES
    assert weights_count(network) == 2_172_548


@pytest.mark.parametrize("side", [32, 128])
def test_minicnn_computes_what_the_original_does(side: int) -> None:
    network = create_network("minicnn", 100).eval()
    weights = kit.original_weights(100)
    network.load_state_dict(weights)
    images = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        logits = network(images)
    torch.testing.assert_close(logits, kit.original_logits(weights, images), rtol=1e-4, atol=1e-4)
    assert logits.std(0).mean() > 0.03


def test_dropout_works_in_training_only() -> None:
    network, images = create_network("minicnn", 5), torch.rand(2, 3, 32, 32)
    torch.manual_seed(0)
    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))


def test_minicnn_gets_deeper() -> None:
    names = [set(create_network("minicnn", 4, depth).state_dict()) for depth in (1, 3, 5)]
    assert [sum("conv" in name and "weight" in name for name in found) for found in names] == [1, 3, 5]
    deep = create_network("minicnn", 4, 5)
    assert tuple(deep.conv5.weight.shape) == (64, 64, 3, 3)
    assert deep(torch.rand(2, 3, 64, 64)).shape == (2, 4)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (2, 3, 64, 64), (2, 3, 97, 50), (1, 3, 128, 128)])
@pytest.mark.parametrize(("name", "depth"), [("smallresnet", 0), ("smallresnet", 2), ("resnet10", 0), ("resnet10", 2)])
def test_residual_networks_take_any_size(shape: tuple[int, ...], name: str, depth: int) -> None:
    logits = create_network(name, 7, depth).eval()(torch.rand(shape))
    assert logits.shape == (shape[0], 7)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", ["smallresnet", "resnet10"])
def test_residual_networks_get_deeper(name: str) -> None:
    counts = [weights_count(create_network(name, 7, depth)) for depth in (0, 1, 2)]
    assert counts[0] == counts[1] < counts[2]


def test_resnet10_looks_at_every_pixel() -> None:
    torch.manual_seed(0)
    network = create_network("resnet10", 5).eval()
    images = torch.rand(1, 3, 96, 96, requires_grad=True)
    network(images).square().sum().backward()
    assert (images.grad.abs().amax((0, 1)) > 0).all()
    assert weights_count(create_network("resnet10", 100)) == 4_950_756


def test_first_weights_are_random_by_seed() -> None:
    def first(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return create_network("smallresnet", 3).state_dict()["stem.0.weight"]

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


@pytest.mark.parametrize(("name", "depth", "code"), [
    ("mincnn", 0, "network_unknown"), ("MiniCNN", 0, "network_unknown"), ("", 0, "network_unknown"),
    ("minicnn", 9, "bad_parameter"), ("minicnn", -1, "bad_parameter"), ("smallresnet", 100, "bad_parameter"),
    ("resnet18", 2, "bad_parameter"), ("googlenet", 0, "network_unknown"), ("fcn_resnet50", 0, "network_unknown"),
])
def test_wrong_names_and_depths(name: str, depth: int, code: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        create_network(name, 10, depth)
    assert error.value.code == code
    assert repr(depth or name) in error.value.what


def test_an_unknown_network_names_the_known() -> None:
    with pytest.raises(NpyLabelError, match="minicnn, resnet10, simpsonsnet, smallresnet"):
        create_network("resnet19", 10)
