"""How good a trained colorizer is on photos that it has never seen, beside leaving them gray."""

from collections.abc import Callable

import numpy as np
import torch

from npylabel.colorizer.lab import lab_to_rgb, rgb_to_lab, rgb_to_pixels
from npylabel.colorizer.metrics import color_scores, frechet_distance
from npylabel.colorizer.model import Colorizer
from npylabel.training.feed import to_input
from npylabel.training.model_files import ready_network

# Photos ``(n, h, w, 3)`` uint8 to (what they are named, ``(n,)`` int64; features ``(n, d)``), by a labeler.
Namer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
# How the photos are colored: left gray, by the network's own guess, and told what they are.
GRAY, FREE, TOLD = "gray", "free", "label"
_AT_ONCE = 32


def evaluate(
    model: Colorizer, pixels: np.ndarray, targets: np.ndarray, device: torch.device, namer: Namer | None = None
) -> dict[str, dict[str, float]]:
    """The scores of photos left gray, colored freely and colored as their labels, by ``GRAY``, ``FREE`` and ``TOLD``.

    Each has the means of ``ColorScores`` and, with a namer, ``named_alike`` (share of the photos that it names as it
    names the true photo) and ``frechet`` (distance to the true photos in its features, which compares with nothing
    that others publish). ``FREE`` has ``accuracy``, too: of the network's own names, where the class is known.

    Args:
        model: the colorizer.
        pixels: ``(n, h, w, 3)`` uint8, at least two photos.
        targets: places of their classes, ``(n,)`` int64; -1 where nothing is known.
        device: to compute on.
        namer: names photos by a labeler, or None.
    """
    network, scores, named = ready_network(model.new_network(), model, device), {}, {}
    right = 0
    for start in range(0, len(pixels), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        true, colored, places = _colored(network, pixels[part], targets[part], model.input_px, device)
        right += int((places == targets[part]).sum())
        for way, photos in colored.items():
            scores.setdefault(way, []).append(vars(color_scores(photos, true)))
        for way, photos in {**colored, "": true}.items() if namer else ():
            named.setdefault(way, []).append(namer(photos))
    result = {way: {name: round(float(np.concatenate([part[name] for part in parts]).mean()), 6) for name in parts[0]}
              for way, parts in scores.items()}
    result[FREE]["accuracy"] = round(right / max(1, int((targets >= 0).sum())), 4)
    for way, values in _alike(named).items():
        result[way] |= values
    return result


@torch.inference_mode()
def _colored(
    network: torch.nn.Module, pixels: np.ndarray, targets: np.ndarray, px: int, device: torch.device
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """(the true photos ``(n, px, px, 3)`` uint8, the colored ones by way, places of the classes that were guessed)."""
    rgb = to_input(torch.tensor(pixels), device, px)
    lightness, ab = rgb_to_lab(rgb)
    seen = network.see(lightness)
    known = {FREE: None, TOLD: torch.from_numpy(targets).to(device)}
    colors = {GRAY: torch.zeros_like(ab), **{
        way: network.ab(network.paint(seen, places)) for way, places in known.items()}}
    photos = {way: rgb_to_pixels(lab_to_rgb(lightness, color)).cpu().numpy() for way, color in colors.items()}
    return rgb_to_pixels(rgb).cpu().numpy(), photos, seen.class_logits.argmax(1).cpu().numpy()


def _alike(named: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> dict[str, dict[str, float]]:
    """What a namer makes of each way beside the true photos, which are named by ""."""
    joined = {way: tuple(map(np.concatenate, zip(*parts, strict=True))) for way, parts in named.items()}
    if not joined:
        return {}
    true_names, true_features = joined.pop("")
    return {way: {"named_alike": round(float((names == true_names).mean()), 4),
                  "frechet": round(frechet_distance(features, true_features), 4)}
            for way, (names, features) in joined.items()}
