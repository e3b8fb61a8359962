"""Probabilities of a trained labeler, the same whatever the batch size."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

import numpy as np
import torch

from npylabel.base.parallel import cpu_count
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.labeler.class_mapping import ClassMapping
from npylabel.labeler.features import InputKeeper, last_linear, no_features
from npylabel.labeler.networks import create_network
from npylabel.training.feed import to_input
from npylabel.training.model_files import ready_network
from npylabel.training.precision import autocast, choose_precision

# Sums are ordered by the shape of a batch, so every batch that the network sees has this many pictures.
CHUNK = 32
# Pixels of all pictures that are computed at the same time: a convolution keeps many numbers for each.
_PIXELS_AT_ONCE = 16 * CHUNK * 128**2


def middle(images: torch.Tensor, px: int) -> torch.Tensor:
    """The middle ``(n, c, px, px)`` of images that are at least as large."""
    edge = (images.shape[-1] - px) // 2
    return images[..., edge:edge + px, edge:edge + px]


class Predictor:
    """A labeler that is ready to name pictures.

    Args:
        checkpoint: the trained labeler.
        device: where to compute.
        mapping: to the ids of today's class table; None for the ids that it was trained with.

    Attributes:
        class_ids: of the columns of ``probabilities``, ascending.
        at_once: how many threads may compute at the same time; further ones wait.

    Raises:
        NpyLabelError: ``model_damaged`` where the weights do not fit the network.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device, mapping: ClassMapping | None = None) -> None:
        self.checkpoint, self.device = checkpoint, device
        # What was trained in half precision labels in it; of 1,500 photos none got another label than in float32.
        self._precision = choose_precision(device) if checkpoint.mixed_precision else "32-true"
        table = checkpoint.table
        network = create_network(checkpoint.network, len(table.ids), checkpoint.depth)
        self.network = ready_network(network, checkpoint, device)
        last = last_linear(self.network, len(table.ids))
        self._kept, self._width = (InputKeeper(last), last.in_features) if last else (None, 0)
        ids = mapping.ids if mapping else checkpoint.trained_ids
        self.class_ids = np.array(sorted(set(ids)), dtype=np.int64)
        self._places = np.searchsorted(self.class_ids, ids)
        self._columns = [table.ids.index(class_id) for class_id in checkpoint.trained_ids]
        room = _PIXELS_AT_ONCE // (CHUNK * checkpoint.input_px**2)
        self.at_once = max(1, min(cpu_count(), room)) if device.type == "cpu" else 1
        self._turns = BoundedSemaphore(self.at_once)
        self._mean, self._std = (torch.tensor(values, device=device).view(1, 3, 1, 1)
                                 for values in (checkpoint.mean, checkpoint.std))

    def logits(self, pixels: np.ndarray, rows: np.ndarray | None = None) -> torch.Tensor:
        """Logits of the trained classes, ``(n, len(trained_ids))`` float32 on the CPU, before the temperature.

        Args:
            pixels: ``(n, px, px, 3)`` uint8; another side than ``photo_px`` is brought to it.
            rows: those that are wanted, int64; None is all.
        """
        parts = [logits for logits, _features in self._chunks(pixels, rows)]
        return torch.cat(parts) if parts else torch.zeros(0, len(self._columns))

    @property
    def has_features(self) -> bool:
        """Whether photos can be compared by this network."""
        return self._kept is not None

    def features(self, pixels: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """The input of the network's last linear layer, ``(n, d)`` float32, where d is the network's own.

        Raises:
            NpyLabelError: ``no_features`` where the network does not end in a linear layer.
        """
        return self.logits_and_features(pixels, rows)[1]

    def logits_and_features(
        self, pixels: np.ndarray, rows: np.ndarray | None = None
    ) -> tuple[torch.Tensor, np.ndarray]:
        """What ``logits`` and ``features`` give, for the work of one of them.

        Raises:
            NpyLabelError: ``no_features``.
        """
        if not self._kept:
            raise no_features(self.checkpoint.network)
        parts = list(self._chunks(pixels, rows))
        if not parts:
            return torch.zeros(0, len(self._columns)), np.zeros((0, self._width), np.float32)
        logits, features = zip(*parts, strict=True)
        return torch.cat(logits), torch.cat(features).numpy()

    def named(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(the column of the likeliest class ``(n,)`` int64, the features ``(n, d)``) of photos.

        Raises:
            NpyLabelError: ``no_features``.
        """
        logits, features = self.logits_and_features(pixels)
        return logits.argmax(1).numpy(), features

    def _chunks(
        self, pixels: np.ndarray, rows: np.ndarray | None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        rows = np.arange(len(pixels)) if rows is None else rows
        # No more than a chunk is taken out at once: all of a mapped file may be more than the memory holds.
        return (self._chunk(pixels[rows[start:start + CHUNK]]) for start in range(0, len(rows), CHUNK))

    @torch.inference_mode()
    def _chunk(self, pixels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(logits, features) on the CPU of at most a chunk of pictures."""
        full = np.zeros((CHUNK, *pixels.shape[1:]), np.uint8)
        full[:len(pixels)] = pixels
        with self._turns:
            images = self.images(full)
            with autocast(self.device, self._precision):
                logits = self.network(images)
            features = self._kept.take()[:len(pixels)].float().cpu() if self._kept else None
            return logits[:len(pixels), self._columns].float().cpu(), features

    def images(self, pixels: np.ndarray) -> torch.Tensor:
        """Pixels ``(n, h, w, 3)`` uint8 as the network sees them, ``(n, 3, input_px, input_px)`` float32."""
        photos = to_input(pixels, self.device, self.checkpoint.photo_px)
        return (middle(photos, self.checkpoint.input_px) - self._mean) / self._std

    @contextmanager
    def sharing_cores(self) -> Iterator[None]:
        """While several threads predict, each uses its share of the cores: more threads would wait for each other."""
        before = torch.get_num_threads()
        torch.set_num_threads(min(before, max(1, cpu_count() // self.at_once)))
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def probabilities(self, pixels: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Confidence for each class, ``(n, len(class_ids))`` float32, rows sum to 1; merged classes are added up."""
        return self.from_logits(self.logits(pixels, rows))

    def from_logits(self, logits: torch.Tensor) -> np.ndarray:
        """The ``probabilities`` that belong to logits of this labeler."""
        values = torch.softmax(logits / self.checkpoint.temperature, dim=1).numpy()
        summed = np.zeros((len(values), len(self.class_ids)), np.float32)
        for column, place in enumerate(self._places):
            summed[:, place] += values[:, column]
        return summed
