"""Heat maps show the place that decides, in every network, and leave no trace in it."""

import numpy as np
import pytest
import torch
from torch import nn

from npylabel.labeler.activation import class_activation, grad_cam
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.networks import create_network, network_names
from npylabel.labeler.predict import Predictor
from tests.labeler import kit


class RedOrBlue(nn.Module):
    """Output 0 counts red places, output 1 blue ones; the feature map is the picture at half its size."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.AvgPool2d(2)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.pool(self.features(x)).flatten(1)[:, [0, 2]]


def red_left_blue_below() -> torch.Tensor:
    """One picture of 8x8: red at the upper left, blue at the lower right and half as strong further left."""
    image = torch.zeros(1, 3, 8, 8)
    image[0, 0, :4, :4] = 1
    image[0, 2, 4:, 4:] = 1
    image[0, 2, 4:, :4] = 0.5
    return image


def test_the_heat_is_where_the_class_is() -> None:
    image = red_left_blue_below().repeat(2, 1, 1, 1)
    red, blue = grad_cam(RedOrBlue(), image, [0, 1])
    assert red.shape == (8, 8)
    assert red[:3, :3].min() == 1 and red[5:].max() == 0 and red[:, 5:].max() == 0
    assert blue[5:, 5:].min() == 1 and blue[:3].max() == 0
    assert blue[5:, :2] == pytest.approx(0.5)


def test_what_speaks_against_a_class_is_cold() -> None:
    class Against(RedOrBlue):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -super().forward(x)

    assert grad_cam(Against(), red_left_blue_below(), [0]).abs().max() == 0


@pytest.mark.parametrize("name", network_names())
def test_every_network_shows_where_it_looks(name: str) -> None:
    torch.manual_seed(0)
    network = create_network(name, 5).eval()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    images = torch.rand(2, 3, 64, 64)
    heat = grad_cam(network, images, [0, 3])
    assert heat.shape == (2, 64, 64) and heat.isfinite().all() and heat.min() >= 0
    # Random weights may speak against a class everywhere; of many classes they do not.
    assert grad_cam(network, images[:1].repeat(5, 1, 1, 1), [0, 1, 2, 3, 4]).amax((1, 2)).max() == 1
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in state.items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_trained_labeler_looks_at_the_shape(trained: kit.Trained) -> None:
    predictor = Predictor(load_checkpoint(trained.model_path), torch.device("cpu"))
    pixels = np.full((3, 32, 32, 3), 40, np.uint8)
    for index, class_id in enumerate(kit.SHOWN):
        drawn = np.asarray(kit.draw(class_id, 900 + index).resize((16, 16)))
        pixels[index, 12:28, 12:28] = drawn
    heat = class_activation(predictor, pixels, kit.SHOWN)
    assert heat.shape == (3, 32, 32) and heat.dtype == np.float32
    inside, outside = heat[:, 12:28, 12:28].mean((1, 2)), (heat.sum((1, 2)) - heat[:, 12:28, 12:28].sum((1, 2))) / 768
    assert (inside > outside).all(), (inside, outside)


def test_the_edges_that_nobody_looks_at_are_cold(trained: kit.Trained) -> None:
    predictor = Predictor(load_checkpoint(trained.model_path), torch.device("cpu"))
    photo_px, input_px = predictor.checkpoint.photo_px, predictor.checkpoint.input_px
    pixels = np.random.default_rng(0).integers(0, 256, (1, photo_px, photo_px, 3), dtype=np.uint8)
    heat, edge = class_activation(predictor, pixels, [3])[0], (photo_px - input_px) // 2
    assert (photo_px, input_px, heat.shape) == (36, 32, (36, 36))
    inner = heat[edge:-edge, edge:-edge]
    assert heat.sum() == pytest.approx(inner.sum()) and inner.max() == 1
