"""The networks that name and color a photo at once, all from random weights, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.colorizer.bins import decode

# The deepest level of the networks has this fraction of the photo's side.
SIDE_STEP = 32
NORMS = ("batch", "group")
_GROUPS = 8
# What the classifier, the converter and the embedding of a label speak (Iizuka et al. 2016 fuse 256 values).
_VECTOR = 512


class Colored(NamedTuple):
    """What a network says of photos.

    Attributes:
        color: ab in -1..1, ``(n, 2, h / 2, w / 2)``; of a network with bins their logits, ``(n, bins, h / 4, w / 4)``.
        class_logits: ``(n, classes)``.
    """

    color: torch.Tensor
    class_logits: torch.Tensor


class Seen(NamedTuple):
    """What a network sees on photos before it knows anything of them from elsewhere.

    Attributes:
        levels: features ``(n, channels, h / 2, w / 2)`` and so on, each half as large as the one before.
        vector: what the photos are, ``(n, 512)``.
        class_logits: ``(n, classes)``.
    """

    levels: list[torch.Tensor]
    vector: torch.Tensor
    class_logits: torch.Tensor


@dataclass(frozen=True)
class _Size:
    """How large a network is: channels by level, from half the side to 1/32, and Inception blocks by level."""

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    kernels: tuple[int, ...]


_REGISTRY = {
    "joint": _Size((48, 96, 192, 320, 512), (1, 1, 2, 2, 1), (1, 3, 5)),
    "joint_light": _Size((24, 48, 96, 192, 320), (0, 1, 1, 2, 1), (1, 3, 5)),
}


def colorizer_names() -> list[str]:
    """The names of the networks."""
    return sorted(_REGISTRY)


def create_colorizer(
    name: str, classes: int, *, bins: int = 0, kernels: Sequence[int] = (), norm: str = "batch", dropout: float = 0.2,
) -> nn.Module:
    """A ``JointColorizer`` with random weights.

    Args:
        name: one of ``colorizer_names()``.
        classes: number of classes in the table, at least 1.
        bins: colors to choose from in each place (Zhang et al. 2016); 0 is a network that says ab itself.
        kernels: sides of the parallel kernels of an Inception block, odd; with 1 among them or without. Empty for the
            network's own.
        norm: "batch", or "group" which does not depend on the other photos of a batch.
        dropout: share of the vector that is dropped before the class layer, in training.

    Raises:
        NpyLabelError: ``network_unknown`` or ``bad_parameter``.
    """
    if name not in _REGISTRY:
        raise NpyLabelError("network_unknown", _("There is no network {name!r}.").format(name=name),
                            _("Use one of: {allowed}.").format(allowed=", ".join(colorizer_names())))
    size = _REGISTRY[name]
    kernels = tuple(kernels) or size.kernels
    _refuse_unless(classes >= 1, "classes", classes, _("Use a number from 1 up."))
    _refuse_unless(bins == 0 or bins >= 2, "bins", bins, _("Use 0 for none, or a number from 2 up."))
    _refuse_unless(all(kernel in (1, 3, 5, 7) for kernel in kernels) and len({*kernels}) == len(kernels),
                   "kernels", kernels, _("Use some of 1, 3, 5 and 7, each once."))
    _refuse_unless(norm in NORMS, "norm", norm, _("Use one of: {allowed}.").format(allowed=", ".join(NORMS)))
    _refuse_unless(0 <= dropout < 1, "dropout", dropout, _("Use a number from 0 to below 1."))
    return JointColorizer(_Size(size.widths, size.blocks, kernels), classes, bins, norm, dropout)


def refuse_impossible_side(px: int) -> None:
    """Raise ``NpyLabelError`` (``bad_parameter``) for a side of photos that the networks cannot halve five times."""
    _refuse_unless(px > 0 and px % SIDE_STEP == 0, "input_px", px,
                   _("Use a multiple of {step}, such as 128.").format(step=SIDE_STEP))


def _refuse_unless(right: bool, name: str, value: object, cure: str) -> None:
    if not right:
        raise NpyLabelError("bad_parameter", _("{name} is {value!r}.").format(name=name, value=value), cure)


def _norm(kind: str, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.GroupNorm(_GROUPS, channels)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class _Inception(nn.Module):
    """Kernels of several sides beside each other (Szegedy et al. 2015), around a shortcut (He et al. 2015)."""

    def __init__(self, width: int, kernels: Sequence[int], norm: str) -> None:
        super().__init__()
        # Large kernels cost by their area: each gets half of what is left, and the smallest all the rest.
        shares, left = [], width // 2
        for _kernel in kernels[1:]:
            left = max(_GROUPS, left // 2)
            shares.append(left)
        self.branches = nn.ModuleList(
            _conv(width, share, kernel)
            for share, kernel in zip((width - sum(shares), *shares), kernels, strict=True))
        self.norm = _norm(norm, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(torch.cat([branch(x) for branch in self.branches], 1)) + x)


def _stage(inputs: int, width: int, stride: int, blocks: int, kernels: Sequence[int], norm: str) -> nn.Sequential:
    """One level of the encoder: a convolution into it, and its Inception blocks."""
    return nn.Sequential(_conv(inputs, width, 3, stride), _norm(norm, width), nn.ReLU(),
                         *(_Inception(width, kernels, norm) for _block in range(blocks)))


class _Film(nn.Module):
    """Scales and shifts each channel as a vector tells it (Perez et al. 2018, FiLM); neutral at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.told = nn.Linear(_VECTOR, 2 * width)
        nn.init.zeros_(self.told.weight)
        nn.init.zeros_(self.told.bias)

    def forward(self, x: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        scale, shift = self.told(vector)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(x + shift, x, scale)


class _Up(nn.Module):
    """One level of the decoder: what comes from below, twice as large, with the encoder's level of the same size."""

    def __init__(self, below: int, width: int, norm: str) -> None:
        super().__init__()
        # A 1x1 convolution of both side by side is the sum of one of each; the small one is cheaper before it grows.
        self.below, self.beside = _conv(below, width, 1), _conv(width, width, 1)
        self.enter = _norm(norm, width)
        self.conv, self.norm, self.film = _conv(width, width, 3), _norm(norm, width), _Film(width)

    def forward(self, x: torch.Tensor, skip: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        grown = functional.interpolate(self.below(x), scale_factor=2.0, mode="nearest")
        x = functional.relu(self.enter(grown + self.beside(skip)))
        return functional.relu(self.film(self.norm(self.conv(x)), vector))


class JointColorizer(nn.Module):
    """A U-Net (Ronneberger et al. 2015) that names a photo, and colors it by what it names it or is told.

    Where Iizuka et al. 2016 lay the classifier's vector beside the features, here it scales and shifts the channels of
    each level of the decoder.

    Args:
        size: channels, blocks and kernels.
        classes: number of classes.
        bins: see ``create_colorizer``.
        norm: "batch" or "group".
        dropout: before the class layer.
    """

    def __init__(self, size: _Size, classes: int, bins: int, norm: str, dropout: float) -> None:
        super().__init__()
        widths, blocks = size.widths, size.blocks
        self.bins = bins
        # The four pixels of each 2x2 become channels: all levels are at most half the side, where time goes.
        inputs = (4, *widths)
        self.encoder = nn.ModuleList(
            _stage(inputs[level], width, 2 if level else 1, blocks[level], size.kernels, norm)
            for level, width in enumerate(widths))
        self.name = nn.Sequential(nn.Linear(widths[-1], _VECTOR), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(_VECTOR, classes))
        self.converter = nn.Linear(_VECTOR, _VECTOR)
        self.label = nn.Embedding(classes, _VECTOR)
        self.film = _Film(widths[-1])
        # Bins are chosen at a quarter of the side, as Zhang et al. do: there are hundreds of them in each place.
        self.last = 1 if bins else 0
        self.decoder = nn.ModuleList(
            _Up(widths[level + 1], widths[level], norm) for level in reversed(range(self.last, len(widths) - 1)))
        self.color = nn.Conv2d(widths[self.last], bins or 2, 1 if bins else 3, padding=0 if bins else 1)
        if bins:
            # Which colors the bins are, and how much each counts in the loss: who makes the network sets them.
            self.register_buffer("bin_centers", torch.zeros(bins, 2))
            self.register_buffer("bin_weights", torch.ones(bins))

    def forward(self, lightness: torch.Tensor, class_ids: torch.Tensor | None = None) -> Colored:
        """Colors and names of photos.

        Args:
            lightness: L / 100 in 0-1, ``(n, 1, h, w)`` with sides that are multiples of 32.
            class_ids: what is known to be on them, see ``paint``.

        Raises:
            NpyLabelError: ``bad_parameter`` for other sides.
        """
        seen = self.see(lightness)
        return Colored(self.paint(seen, class_ids), seen.class_logits)

    def see(self, lightness: torch.Tensor) -> Seen:
        """What is seen on photos: see ``forward``. They may be painted as several classes then, for less work."""
        for side in lightness.shape[2:]:
            refuse_impossible_side(side)
        # Centered, as all inputs that are normalized later should be.
        x, levels = functional.pixel_unshuffle(lightness - 0.5, 2), []
        for stage in self.encoder:
            x = stage(x)
            levels.append(x)
        vector = self.name(x.mean((2, 3)))
        return Seen(levels, vector, self.classifier(vector))

    def paint(self, seen: Seen, class_ids: torch.Tensor | None = None) -> torch.Tensor:
        """The ``color`` of ``Colored`` for photos that were seen.

        Args:
            seen: what ``see`` said of them.
            class_ids: what is known to be on them, int64 ``(n,)``: places among the classes (not the ids of a class
                table with gaps), -1 where nothing is. None is -1 for all.
        """
        vector = functional.relu(self._told(self.converter(seen.vector), class_ids))
        x = self.film(seen.levels[-1], vector)
        for up, skip in zip(self.decoder, seen.levels[-2::-1], strict=False):
            x = up(x, skip, vector)
        color = self.color(x)
        return color if self.bins else torch.tanh(color)

    def small_ab(self, color: torch.Tensor) -> torch.Tensor:
        """The ``color`` of ``forward`` as ab ``(n, 2, h / 2, w / 2)``, or of a quarter of the side with bins."""
        return decode(color, self.bin_centers) if self.bins else color

    def ab(self, color: torch.Tensor) -> torch.Tensor:
        """The ``color`` of ``forward`` as ab of the photos' size, ``(n, 2, h, w)`` float32 in -1 to 1.

        Chroma is smooth: the eye, JPEG and video have less detail in it than in lightness, too.
        """
        # In the plain order of memory: with two channels, interpolation takes half the time there.
        small = self.small_ab(color).float().contiguous()
        return functional.interpolate(small, scale_factor=4.0 if self.bins else 2.0, mode="bilinear")

    def _told(self, vector: torch.Tensor, class_ids: torch.Tensor | None) -> torch.Tensor:
        """The vector with what is known added to it."""
        if class_ids is None:
            return vector
        known = (class_ids >= 0)[:, None]
        return vector + self.label(class_ids.clamp(min=0)) * known
