"""Where a network looked: Grad-CAM heat maps (Selvaraju et al. 2017) of any network that has a feature map."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from npylabel.labeler.predict import Predictor


def class_activation(predictor: Predictor, pixels: np.ndarray, class_ids: Sequence[int]) -> np.ndarray:
    """How much each place speaks for a class, ``(n, h, w)`` float32 in 0-1; the strongest place of a picture is 1.

    All 0 where nothing in the picture speaks for its class; 0 at the edges that the network does not look at.

    Args:
        predictor: the labeler.
        pixels: ``(n, photo_px, photo_px, 3)`` uint8; a few, since all are kept with their gradients.
        class_ids: the class to explain, by picture.
    """
    ids = predictor.checkpoint.table.ids
    outputs = [ids.index(class_id) for class_id in class_ids]
    heat = grad_cam(predictor.network, predictor.images(pixels), outputs)
    edge = (pixels.shape[1] - heat.shape[1]) // 2
    return functional.pad(heat, (edge, pixels.shape[2] - heat.shape[2] - edge) * 2).cpu().numpy()


def grad_cam(network: nn.Module, images: torch.Tensor, outputs: list[int]) -> torch.Tensor:
    """Heat maps ``(n, h, w)`` in 0-1 of the last feature map of ``(n, 3, h, w)`` images, for one output each.

    The channels of the feature map are added up, each weighted with the mean of its gradient; what speaks against the
    class is cut off (equations 1 and 2 of the paper).
    """
    with torch.enable_grad(), _feature_maps(network) as maps:
        # A leaf with gradients: the weights may be frozen.
        logits = network(images.detach().clone().requires_grad_())
        features = _last_wide(maps)
        chosen = logits[torch.arange(len(images)), torch.tensor(outputs, device=logits.device)].sum()
        gradients = torch.autograd.grad(chosen, features)[0]
    heat = torch.relu((gradients.mean((2, 3), keepdim=True) * features.detach()).sum(1, keepdim=True)).float()
    heat = functional.interpolate(heat, size=images.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
    return heat / heat.amax((1, 2), keepdim=True).clamp(min=torch.finfo(heat.dtype).tiny)


@contextmanager
def _feature_maps(network: nn.Module) -> Iterator[list[torch.Tensor]]:
    """The list into which all maps ``(n, c, h, w)`` that modules put out go, in the order of the computation."""
    maps: list[torch.Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == 4:
            maps.append(output)

    hooks = [module.register_forward_hook(keep) for module in network.modules() if module is not network]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def _last_wide(maps: list[torch.Tensor]) -> torch.Tensor:
    """The last map that still has places; pooled ones of 1x1 say nothing of where."""
    return next((features for features in reversed(maps) if features.shape[-2] * features.shape[-1] > 1), maps[-1])
