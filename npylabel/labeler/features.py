"""What a network sees in a photo before it names a class: the input of its last linear layer."""

import threading

import torch
from torch import nn

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _


def last_linear(network: nn.Module, outputs: int) -> nn.Linear | None:
    """The linear layer that puts the classes out; None for a network that ends otherwise (in a convolution).

    Args:
        network: any classifier.
        outputs: number of its outputs.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear and linear[-1].out_features == outputs else None


def no_features(network: str) -> NpyLabelError:
    """The error for a network in which there is nothing to compare photos by."""
    return NpyLabelError(
        "no_features",
        _("Photos cannot be compared by the network {name!r}: it does not end in a linear layer.").format(name=network),
        _("Train another network, such as resnet10; everything else works with this one."))


class InputKeeper:
    """The input that a layer got last, for the thread that asks: several threads may use one network.

    Args:
        layer: the layer.
    """

    def __init__(self, layer: nn.Module) -> None:
        self._last = threading.local()
        layer.register_forward_pre_hook(self._keep)

    def _keep(self, _layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self._last.value = inputs[0]

    def take(self) -> torch.Tensor:
        """The input ``(n, d)``; it is not kept any longer."""
        value = self._last.value
        del self._last.value
        return value.flatten(1)
