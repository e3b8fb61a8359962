"""A trained colorizer as the folder job wants it."""

import torch

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.model import Colorizer
from npylabel.colorizer.networks import create_colorizer
from npylabel.colorizer.painter import Painted
from npylabel.training.model_files import weights_sha256


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
        self._network = create_colorizer(model.network, len(model.class_ids))
        try:
            self._network.load_state_dict(model.state_dict)
        except RuntimeError as error:
            raise NpyLabelError(
                "model_damaged", _("The weights do not fit the network {name!r}.").format(name=model.network),
                _("Use another checkpoint_epoch_N.pth beside it, or train again.")) from error
        self._network.to(device, memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> Painted:
        """Colors and names of photos; see ``Painter``. A class that was not taught counts as nothing known."""
        places = torch.tensor([self.class_ids.index(class_id) if class_id in self.class_ids else -1
                               for class_id in class_ids.tolist()])
        color, logits = self._network(lightness.to(self._device), places.to(self._device))
        return Painted(color.float().cpu(), torch.softmax(logits.float(), 1).cpu())
