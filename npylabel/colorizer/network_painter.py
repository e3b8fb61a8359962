"""A trained colorizer as the folder job wants it."""

from functools import partial

import torch

from npylabel.colorizer.model import Colorizer
from npylabel.colorizer.networks import Seen
from npylabel.colorizer.painter import Sight
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
        self.side_px, self._device = model.input_px, device
        self.table, self.class_ids = model.table, tuple(model.class_ids)
        self.sha256 = weights_sha256(model.state_dict)
        self._network = ready_network(model.new_network(), model, device)

    @torch.inference_mode()
    def see(self, lightness: torch.Tensor) -> Sight:
        """What is seen on photos; see ``Painter``. A class that was not taught is painted as nothing known."""
        seen = self._network.see(lightness.to(self._device))
        return Sight(torch.softmax(seen.class_logits.float(), 1).cpu(), partial(self._paint, seen))

    @torch.inference_mode()
    def _paint(self, seen: Seen, class_ids: torch.Tensor) -> torch.Tensor:
        places = torch.tensor([self.class_ids.index(class_id) if class_id in self.class_ids else -1
                               for class_id in class_ids.tolist()])
        color = self._network.paint(seen, places.to(self._device))
        # As small as the network says them: what was stretched before blurs the edges that are sought later.
        return self._network.small_ab(color).float().cpu()
