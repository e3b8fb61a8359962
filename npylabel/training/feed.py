"""Pixels on their way to the network: as bytes, and from the device's own memory where they fit into it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional

from npylabel.training.order import EpochOrder
from npylabel.training.plan import Plan

# Share of a GPU's free memory that pixels may take; the rest is for the network.
_GPU_SHARE = 0.5
# Photos that are carried to a GPU at once.
_PORTION = 512


class PixelFeed:
    """Some of the photos, ready on the device that computes.

    Args:
        pixels: of all photos, ``(n, h, w, 3)`` uint8.
        rows: those that will be asked for, int64.
        device: where the network is.
    """

    def __init__(self, pixels: np.ndarray, rows: np.ndarray, device: torch.device) -> None:
        self.pixels, self.device, self._held = pixels, device, None
        if device.type == "cuda" and self._fits(len(rows)):
            parts = [self._carry(rows[start:start + _PORTION]) for start in range(0, len(rows), _PORTION)]
            self._held = torch.cat(parts)
            self._places = np.full(len(pixels), -1, np.int64)
            self._places[rows] = np.arange(len(rows))

    def _fits(self, count: int) -> bool:
        free, _all = torch.cuda.mem_get_info(self.device)
        return 0 < count * int(np.prod(self.pixels.shape[1:])) <= _GPU_SHARE * free

    def _carry(self, rows: np.ndarray) -> torch.Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(self.pixels[rows]))
        if self.device.type == "cuda":
            return pixels.pin_memory().to(self.device, non_blocking=True)
        return pixels.to(self.device)

    def take(self, rows: np.ndarray) -> torch.Tensor:
        """The photos of these rows, ``(b, h, w, 3)`` uint8 on the device."""
        if self._held is None:
            return self._carry(rows)
        return self._held[torch.from_numpy(self._places[rows]).to(self.device)]


class PartBatches:
    """The batches from the step where the training is to the next stop of its plan; each pass is another part.

    Args:
        feed: has the photos of ``rows``.
        targets: of all photos, ``(n,)`` int64.
        rows: the photos to train on, int64.
        order: of ``rows``.
        plan: of the training.
        step: the first step to take.
    """

    def __init__(
        self, feed: PixelFeed, targets: np.ndarray, rows: np.ndarray, order: EpochOrder, plan: Plan, step: int
    ) -> None:
        self.feed, self.targets, self.rows = feed, targets, rows
        self.order, self.plan, self.step = order, plan, step

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        first, self.step = self.step, self.plan.next_stop(self.step)
        epoch = first // self.plan.epoch_steps
        batches = self.order.batches(epoch)
        for step in range(first, self.step):
            yield self.batch(batches[step - epoch * self.plan.epoch_steps])

    def batch(self, chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """(pixels ``(b, h, w, 3)`` uint8, targets ``(b,)`` int64) of these of the photos to train on."""
        rows = self.rows[chosen]
        return self.feed.take(rows), torch.from_numpy(self.targets[rows]).to(self.feed.device)


def to_input(pixels: np.ndarray | torch.Tensor, device: torch.device, px: int) -> torch.Tensor:
    """Pixels ``(n, h, w, 3)`` uint8 as ``(n, 3, px, px)`` float32 in 0-1 on the device, channels last in memory."""
    images = torch.as_tensor(pixels).to(device).permute(0, 3, 1, 2).float().div(255)
    if images.shape[2:] == (px, px):
        return images
    return functional.interpolate(images, (px, px), mode="bilinear", antialias=True)


@lru_cache
def _channels(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, device=device).view(1, -1, 1, 1)


def normalized(images: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Images ``(n, 3, h, w)`` less the mean and over the deviation of their channels, channels last in memory."""
    mean, std = (_channels(tuple(values), images.device) for values in (mean, std))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def pixel_statistics(pixels: np.ndarray, chosen: np.ndarray) -> tuple[list[float], list[float]]:
    """(mean, standard deviation) by channel in 0-1 of the chosen of ``(n, h, w, 3)`` uint8, of about 2,000 photos."""
    step = max(1, len(chosen) // 2000)
    values = [pixels[i].reshape(-1, 3).astype(np.float64) / 255 for i in chosen[::step]]
    mean = np.mean([v.mean(0) for v in values], axis=0)
    square = np.mean([(v**2).mean(0) for v in values], axis=0)
    std = np.sqrt(np.maximum(square - mean**2, 1e-4))
    return [round(float(v), 5) for v in mean], [round(float(v), 5) for v in std]
