"""Photos are compared by what the last linear layer of their network gets."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from npylabel.base.errors import NpyLabelError
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.labeler.features import last_linear
from npylabel.labeler.networks import create_network
from npylabel.labeler.predict import CHUNK, Predictor
from tests.labeler import kit

IDS = list(kit.TABLE.ids)


def predictor(network: str, px: int) -> Predictor:
    """A labeler with random weights, trained on all classes of the table."""
    torch.manual_seed(3)
    return Predictor(Checkpoint(
        state_dict=create_network(network, len(IDS)).state_dict(), network=network, depth=0, input_px=px, fit="crop",
        mean=[0.5] * 3, std=[0.25] * 3, classes=kit.TABLE.to_json(), classes_sha256=kit.TABLE.sha256, trained_ids=IDS,
        made_from="own", split_sha256=""), torch.device("cpu"))


def pictures(count: int, px: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, px, px, 3), dtype=np.uint8)


@pytest.mark.parametrize(("network", "px", "width"), [
    ("minicnn", 32, 512), ("resnet10", 32, 512), ("smallresnet", 32, 256), ("simpsonsnet", 64, 4096),
    ("mobilenet_v3_small", 64, 1024), ("resnet18", 64, 512), ("vit_b_32", 224, 768),
])
def test_the_last_layer_makes_the_logits_of_the_features(network: str, px: int, width: int) -> None:
    found = predictor(network, px)
    pixels = pictures(3, px)
    features = found.features(pixels)
    assert (features.shape, features.dtype) == ((3, width), np.float32)
    last = last_linear(found.network, len(IDS))
    with torch.inference_mode():
        torch.testing.assert_close(last(torch.from_numpy(features)), found.logits(pixels), rtol=1e-3, atol=1e-3)
    assert not np.array_equal(features[0], features[1])


def test_a_network_that_ends_in_a_convolution_has_none() -> None:
    found = predictor("squeezenet1_1", 64)
    assert not found.has_features and found.logits(pictures(2, 64)).shape == (2, len(IDS))
    with pytest.raises(NpyLabelError) as error:
        found.features(pictures(2, 64))
    assert error.value.code == "no_features" and "squeezenet1_1" in error.value.what


def test_a_linear_layer_inside_is_not_the_last_one() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Linear(6, 9))
    assert last_linear(network, 9) is network[1] and last_linear(network, 6) is None
    assert last_linear(torch.nn.ReLU(), 2) is None


def test_the_company_changes_no_feature_and_threads_do_not_mix_them() -> None:
    found, pixels = predictor("smallresnet", 32), pictures(CHUNK + 9, 32)
    together = found.features(pixels)
    assert np.array_equal(found.features(pixels[CHUNK:]), together[CHUNK:])
    assert np.array_equal(found.features(pixels, np.array([40, 1])), together[[40, 1]])
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda row: found.features(pixels[row:row + 1]), range(len(pixels))))
    assert np.array_equal(np.concatenate(parts), together)


def test_no_photos_have_the_width_of_the_network() -> None:
    assert predictor("smallresnet", 32).features(pictures(0, 32)).shape == (0, 256)


def test_both_at_once_are_what_each_is_alone() -> None:
    found, pixels = predictor("smallresnet", 32), pictures(5, 32)
    logits, features = found.logits_and_features(pixels)
    assert torch.equal(logits, found.logits(pixels)) and np.array_equal(features, found.features(pixels))
    assert np.array_equal(found.from_logits(logits), found.probabilities(pixels))
