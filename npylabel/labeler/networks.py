"""The networks that can be trained, all from random weights, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.labeler.recipe import recipe_of
from npylabel.training.recipe import train_px


@dataclass(frozen=True)
class _Entry:
    """How a network is built, and the side of the pictures that suits it."""

    build: Callable[[int, int], nn.Module]
    input_px: int


_REGISTRY: dict[str, _Entry] = {}
# Sides of pictures for torchvision's networks: what most were made for.
_TORCHVISION_PX = 224
# They return more than logits in training.
_TORCHVISION_LEFT_OUT = {"googlenet", "inception_v3"}


def register(name: str, input_px: int) -> Callable:
    """Make a builder ``(outputs, depth) -> nn.Module`` known under a name; depth 0 is the network's own."""
    def keep(builder: Callable[[int, int], nn.Module]) -> Callable[[int, int], nn.Module]:
        _REGISTRY[name] = _Entry(builder, input_px)
        return builder
    return keep


def network_names() -> list[str]:
    """The names of the networks that are made for this workbook."""
    return sorted(_REGISTRY)


def torchvision_names() -> list[str]:
    """The names of torchvision's classifiers, which can be trained as well."""
    from torchvision import models

    return sorted({*models.list_models(module=models)} - _TORCHVISION_LEFT_OUT)


def default_px(name: str) -> int:
    """Side of the pictures that suits the network, in pixels."""
    return _REGISTRY[name].input_px if name in _REGISTRY else _TORCHVISION_PX


def create_network(name: str, outputs: int, depth: int = 0) -> nn.Module:
    """A network with random weights: ``(n, 3, h, w)`` float32 in, ``(n, outputs)`` logits out.

    Args:
        name: one of ``network_names()`` or ``torchvision_names()``.
        outputs: number of classes in the table.
        depth: how deep; 0 is the network's own, and the only one of torchvision's.

    Raises:
        NpyLabelError: ``network_unknown`` or ``bad_parameter``.
    """
    ours = name in _REGISTRY
    if not ours and name not in torchvision_names():
        raise NpyLabelError(
            "network_unknown", _("There is no network {name!r}.").format(name=name),
            _("Use one of: {allowed}; or a classifier of torchvision: resnet18, mobilenet_v3_small and others.").format(
                allowed=", ".join(network_names())))
    if depth and not (ours and 1 <= depth <= 8):
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="depth", value=depth),
                            _("Use 0 for the network's own depth, or for one of this workbook's own networks a number "
                              "from 1 to 8."))
    if ours:
        return _REGISTRY[name].build(outputs, depth)
    from torchvision import models

    # No weights: what other people's photos taught has no place here.
    return models.get_model(name, weights=None, num_classes=outputs)


def refuse_impossible_network(name: str, depth: int, input_px: int) -> None:
    """Raise ``NpyLabelError`` where there is no such network, or pictures of this side do not suit it.

    Training begins with smaller pictures than ``input_px``, and these have to suit it as well.
    """
    network = create_network(name, 2, depth).eval()
    try:
        with torch.inference_mode():
            for px in (train_px(recipe_of(name), input_px, 0), input_px):
                network(torch.zeros(1, 3, px, px))
    except (RuntimeError, AssertionError) as error:
        raise NpyLabelError(
            "bad_parameter", _("Pictures of {input_px} pixels do not suit {name} of depth {depth}.").format(
                input_px=input_px, name=name, depth=depth),
            _("Use a smaller depth, or another input_px: 0 is the one that suits the network.")) from error


@register("minicnn", 128)
class MiniCNN(nn.Module):
    """The network of the original NpyLabelNet, with its names of weights.

    Each convolution is 3x3 with ReLU and 2x2 max-pooling; then adaptive average pooling to 8x8, 512 hidden units with
    ReLU and dropout 0.5, and the classes. 2,172,548 parameters at 100 outputs and depth 3.

    Args:
        outputs: number of classes.
        depth: number of convolutions; 0 and 3 are the original (16, 32, 64 channels), more have 64 channels each.
    """

    def __init__(self, outputs: int, depth: int = 0) -> None:
        super().__init__()
        channels = [3, *(min(16 * 2**i, 64) for i in range(depth or 3))]
        self.convolutions = len(channels) - 1
        for i in range(self.convolutions):
            setattr(self, f"conv{i + 1}", nn.Conv2d(channels[i], channels[i + 1], 3, padding=1))
        self.fc1 = nn.Linear(channels[-1] * 8 * 8, 512)
        self.fc2 = nn.Linear(512, outputs)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, outputs)`` of pictures ``(n, 3, h, w)`` with sides of at least 2 ** depth."""
        for i in range(self.convolutions):
            x = nn.functional.max_pool2d(torch.relu(getattr(self, f"conv{i + 1}")(x)), 2)
        x = nn.functional.adaptive_avg_pool2d(x, 8).flatten(1)
        return self.fc2(self.dropout(torch.relu(self.fc1(x))))


@register("simpsonsnet", 224)
class SimpsonsNet(nn.Module):
    """The network of the Simpsons classifiers: six convolutions, two hidden layers of 4,096.

    Each block is a 3x3 convolution, ReLU, 2x2 max-pooling and batch normalization, the first four with dropout 0.2.

    Args:
        outputs: number of classes.
        depth: number of blocks; 0 is 6, more have 128 channels each.
    """

    CHANNELS = (8, 16, 32, 64, 96, 128)
    HIDDEN = 4096
    DROPOUT_BLOCKS = 4

    def __init__(self, outputs: int, depth: int = 0) -> None:
        super().__init__()
        blocks, inputs = [], 3
        for i in range(depth or len(self.CHANNELS)):
            width = self.CHANNELS[min(i, len(self.CHANNELS) - 1)]
            blocks += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(width)]
            if i < self.DROPOUT_BLOCKS:
                blocks.append(nn.Dropout(0.2))
            inputs = width
        # 3x3 is what six blocks leave of 224 pixels; other sides are brought to it.
        self.blocks = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(3), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(inputs * 9, self.HIDDEN), nn.ReLU(), nn.Linear(self.HIDDEN, self.HIDDEN), nn.ReLU(),
            nn.Linear(self.HIDDEN, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, outputs)`` of pictures ``(n, 3, h, w)`` with sides of at least 2 ** depth."""
        return self.head(self.blocks(x))


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2015, basic block)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


def _stages(block: Callable[[int, int, int], nn.Module], widths: Sequence[int], depth: int) -> nn.Sequential:
    """Stages of ``depth`` blocks (0 is 1), each stage but the first at half the size of the one before."""
    blocks, inputs = [], widths[0]
    for stage, width in enumerate(widths):
        for i in range(depth or 1):
            blocks.append(block(inputs, width, 2 if stage and not i else 1))
            inputs = width
    return nn.Sequential(*blocks)


@register("smallresnet", 128)
class SmallResNet(nn.Module):
    """A small residual network with batch normalization.

    Args:
        outputs: number of classes.
        depth: blocks per stage; 0 is 1.
    """

    WIDTHS = (32, 64, 128, 256)

    def __init__(self, outputs: int, depth: int = 0) -> None:
        super().__init__()
        first = self.WIDTHS[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = _stages(_Block, self.WIDTHS, depth)
        self.head = nn.Linear(self.WIDTHS[-1], outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, outputs)`` of pictures ``(n, 3, h, w)``."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


class _PooledBlock(_Block):
    """A block whose shortcut averages where it gets smaller, so that no pixel is skipped (He et al. 2019)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, stride)
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True), nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs))


@register("resnet10", 128)
class PatchResNet(nn.Module):
    """A residual network on patches of 4x4 pixels, with one block in each of its four stages.

    4,950,756 parameters at 100 outputs and depth 1.

    Args:
        outputs: number of classes.
        depth: blocks per stage; 0 is 1.
    """

    WIDTHS = (64, 128, 256, 512)

    def __init__(self, outputs: int, depth: int = 0) -> None:
        super().__init__()
        first = self.WIDTHS[0]
        # Patches that do not overlap (Dosovitskiy et al. 2021): at 128 pixels the whole network is a third quicker than
        # with the usual convolution and pooling.
        self.stem = nn.Sequential(nn.Conv2d(3, first, 4, 4, bias=False), nn.BatchNorm2d(first), nn.ReLU())
        self.blocks = _stages(_PooledBlock, self.WIDTHS, depth)
        self.head = nn.Linear(self.WIDTHS[-1], outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, outputs)`` of pictures ``(n, 3, h, w)`` with sides of at least 4."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))
