"""The networks that can be trained, all from random weights, by name."""

from collections.abc import Callable

import torch
from torch import nn

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

_REGISTRY: dict[str, Callable[[int, int], nn.Module]] = {}


def register(name: str) -> Callable:
    """Make a builder ``(outputs, depth) -> nn.Module`` known under a name; depth 0 is the network's own."""
    def keep(builder: Callable[[int, int], nn.Module]) -> Callable[[int, int], nn.Module]:
        _REGISTRY[name] = builder
        return builder
    return keep


def network_names() -> list[str]:
    """All names that ``create_network`` takes."""
    return sorted(_REGISTRY)


def create_network(name: str, outputs: int, depth: int = 0) -> nn.Module:
    """A network with random weights: ``(n, 3, h, w)`` float32 in, ``(n, outputs)`` logits out.

    Args:
        name: one of ``network_names()``.
        outputs: number of classes in the table.
        depth: how deep; 0 is the network's own.

    Raises:
        NpyLabelError: ``network_unknown`` or ``bad_parameter``.
    """
    if name not in _REGISTRY:
        raise NpyLabelError("network_unknown", _("There is no network {name!r}.").format(name=name),
                            _("Use one of: {allowed}.").format(allowed=", ".join(network_names())))
    if depth and not 1 <= depth <= 8:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name="depth", value=depth),
                            _("Use 0 for the network's own depth, or a number from 1 to 8."))
    return _REGISTRY[name](outputs, depth)


def refuse_impossible_network(name: str, depth: int, input_px: int) -> None:
    """Raise ``NpyLabelError`` where there is no such network, or pictures of this side are too small for it."""
    network = create_network(name, 2, depth).eval()
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, input_px, input_px))
    except RuntimeError as error:
        raise NpyLabelError(
            "bad_parameter", _("Pictures of {input_px} pixels are too small for {name} of depth {depth}.").format(
                input_px=input_px, name=name, depth=depth),
            _("Use a smaller depth or a larger input_px.")) from error


@register("minicnn")
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


@register("smallresnet")
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
        blocks, inputs = [], first
        for stage, width in enumerate(self.WIDTHS):
            for i in range(depth or 1):
                blocks.append(_Block(inputs, width, 2 if stage and not i else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits ``(n, outputs)`` of pictures ``(n, 3, h, w)``."""
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))
