"""A trained colorizer as the folder job wants it."""

import torch

from npylabel.colorizer.model import Colorizer
from npylabel.colorizer.painter import Painted
from npylabel.training.model_files import ready_network, weights_sha256


class NetworkPainter:
    """The ``Painter`` that a colorizer is.

    Args:
        model: the colorizer.
        device: to compute on.

    Raises:
        NpyLabelError: ``model_damaged`` where the weights do not fit the network.
    """

    def __init__(self, model: Colorizer, device: torch.device) -> None:
        self.side_px, self.class_ids, self._device = model.input_px, tuple(model.class_ids), device
        self.sha256 = weights_sha256(model.state_dict)
        self._network = ready_network(model.new_network(), model, device)

    @torch.inference_mode()
    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> Painted:
        """Colors and names of photos; see ``Painter``. A class that was not taught counts as nothing known."""
        places = torch.tensor([self.class_ids.index(class_id) if class_id in self.class_ids else -1
                               for class_id in class_ids.tolist()])
        color, logits = self._network(lightness.to(self._device), places.to(self._device))
        # As small as the network says them: what was stretched before blurs the edges that are sought later.
        return Painted(self._network.small_ab(color).float().cpu(), torch.softmax(logits.float(), 1).cpu())
