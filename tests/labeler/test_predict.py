"""A picture gets the same confidences wherever it stands and whoever stands beside it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from npylabel.base.classes import UNKNOWN_NAME, ClassTable
from npylabel.labeler import predict
from npylabel.labeler.checkpoint import Checkpoint
from npylabel.labeler.predict import CHUNK, Predictor
from npylabel.training.feed import to_input
from tests.labeler import kit

TRAINED = [3, 40]
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def checkpoint(temperature: float = 1.0, table: ClassTable = kit.TABLE) -> Checkpoint:
    """A labeler with random weights that was trained on two of the five classes."""
    return Checkpoint(
        state_dict=kit.original_weights(len(table.ids)), network="minicnn", depth=0, input_px=32, fit="crop",
        mean=MEAN, std=STD, classes=table.to_json(), classes_sha256=table.sha256, trained_ids=TRAINED,
        made_from="own", split_sha256="", temperature=temperature)


@pytest.fixture
def predictor() -> Predictor:
    return Predictor(checkpoint(), torch.device("cpu"))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (CHUNK * 2 + 7, 32, 32, 3), dtype=np.uint8)


def test_logits_are_those_of_the_network(predictor: Predictor, pixels: np.ndarray) -> None:
    images = torch.from_numpy((pixels / 255.0 - MEAN) / STD).permute(0, 3, 1, 2).float()
    whole = kit.original_logits(kit.original_weights(5), images)
    # Ids 3 and 40 are the first and the third of the table.
    torch.testing.assert_close(predictor.logits(pixels), whole[:, [0, 2]], rtol=1e-3, atol=1e-3)
    assert predictor.class_ids.tolist() == TRAINED


def test_probabilities_are_shared_by_trained_classes_alone(predictor: Predictor, pixels: np.ndarray) -> None:
    values = predictor.probabilities(pixels)
    assert values.shape == (len(pixels), 2)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values.sum(1), 1, atol=1e-6)
    logits = predictor.logits(pixels).numpy().astype(np.float64)
    np.testing.assert_allclose(values[:, 0], 1 / (1 + np.exp(logits[:, 1] - logits[:, 0])), atol=1e-6)


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """The number of threads that compute, set back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_the_company_changes_nothing(predictor: Predictor, pixels: np.ndarray) -> None:
    together = predictor.probabilities(pixels)
    for size, count in ((1, 5), (3, 9), (33, len(pixels))):
        parts = [predictor.probabilities(pixels[i:i + size]) for i in range(0, count, size)]
        assert np.array_equal(np.concatenate(parts), together[:count])
    order = np.random.default_rng(1).permutation(len(pixels))
    assert np.array_equal(predictor.probabilities(pixels[order]), together[order])


@pytest.mark.parametrize(("cores", "input_px", "at_once", "threads"), [
    (2, 128, 2, 1), (16, 128, 16, 1), (16, 224, 5, 3), (2, 512, 1, 2), (16, 512, 1, 16), (1, 32, 1, 1),
])
def test_threads_share_the_cores_and_large_pictures_take_turns(
    monkeypatch: pytest.MonkeyPatch, cores: int, input_px: int, at_once: int, threads: int
) -> None:
    monkeypatch.setattr(predict, "cpu_count", lambda: cores)
    asked = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    found = Predictor(replace(checkpoint(), input_px=input_px), torch.device("cpu"))
    with found.sharing_cores():
        assert asked == [threads]
    assert (found.at_once, asked) == (at_once, [threads, cores])


def test_no_more_threads_compute_than_may(monkeypatch: pytest.MonkeyPatch, pixels: np.ndarray) -> None:
    monkeypatch.setattr(predict, "cpu_count", lambda: 2)
    found = Predictor(checkpoint(), torch.device("cpu"))
    network, inside, most = found.network, [], []

    def count(images: torch.Tensor) -> torch.Tensor:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.005)
        result = network(images)
        inside.pop()
        return result

    found.network = count
    alone = found.probabilities(pixels)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(found.probabilities, [pixels] * 4))
    assert max(most) == 2 and all(np.array_equal(each, alone) for each in together)


def test_no_pictures(predictor: Predictor) -> None:
    assert predictor.probabilities(np.zeros((0, 32, 32, 3), np.uint8)).shape == (0, 2)


def test_a_temperature_makes_modest(pixels: np.ndarray) -> None:
    sure, modest = (Predictor(checkpoint(t), torch.device("cpu")).probabilities(pixels) for t in (1.0, 2.0))
    assert np.array_equal(sure.argmax(1), modest.argmax(1))
    assert modest.max(1).mean() < sure.max(1).mean()
    odds = [np.log(p[:, 0].astype(np.float64) / p[:, 1]) for p in (sure, modest)]
    inside = (sure.min(1) > 1e-3)
    assert inside.any()
    np.testing.assert_allclose(odds[0][inside], 2 * odds[1][inside], rtol=1e-3, atol=1e-3)


def test_columns_follow_the_table_whatever_its_ids() -> None:
    table = ClassTable({0: "ночь", 3: "небо", 7: "дом", 40: "арбуз", 90: UNKNOWN_NAME}, 90)
    model = checkpoint(table=table)
    model.state_dict["fc2.weight"] = torch.zeros(5, 512)
    model.state_dict["fc2.bias"] = torch.tensor([9.0, 1.0, 8.0, 2.0, 7.0])
    logits = Predictor(model, torch.device("cpu")).logits(np.zeros((1, 32, 32, 3), np.uint8))
    assert logits.tolist() == [[1.0, 2.0]]


def test_pixels_of_another_side_are_brought_to_the_labelers() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    large = pixels.repeat(4, axis=1).repeat(4, axis=2)
    images = to_input(large, torch.device("cpu"), 8)
    assert images.shape == (3, 3, 8, 8)
    wanted = to_input(pixels, torch.device("cpu"), 8)
    # The filter reaches into the neighbors.
    assert torch.corrcoef(torch.stack([images.flatten(), wanted.flatten()]))[0, 1] > 0.9


def test_photos_are_made_larger_and_seen_in_the_middle(pixels: np.ndarray) -> None:
    zoomed = Predictor(replace(checkpoint(), zoom=1.25), torch.device("cpu"))
    large = np.random.default_rng(1).integers(0, 256, (5, 40, 40, 3), dtype=np.uint8)
    whole = Predictor(checkpoint(), torch.device("cpu"))
    torch.testing.assert_close(zoomed.logits(large), whole.logits(np.ascontiguousarray(large[:, 4:36, 4:36])))
    assert not torch.allclose(zoomed.logits(pixels), whole.logits(pixels), atol=1e-3), "smaller ones are enlarged first"


def test_some_rows_are_predicted_as_among_all() -> None:
    predictor = Predictor(checkpoint(), torch.device("cpu"))
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    rows = np.array([39, 2, 17])
    torch.testing.assert_close(predictor.logits(pixels, rows), predictor.logits(pixels)[rows], rtol=0, atol=1e-5)


def test_pixels_become_shares_of_white() -> None:
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 0, 1] = (255, 51, 0)
    image = to_input(pixels, torch.device("cpu"), pixels.shape[1])[0]
    assert image.shape == (3, 2, 2)
    torch.testing.assert_close(image[:, 0, 1], torch.tensor([1.0, 0.2, 0.0]))
    assert image.sum() == pytest.approx(1.2)


@pytest.mark.parametrize("mixed", [False, True])
def test_half_precision_is_for_models_that_were_trained_in_it(monkeypatch: pytest.MonkeyPatch, mixed: bool) -> None:
    monkeypatch.setattr(predict, "choose_precision", lambda _device: "bf16-mixed")
    model = replace(checkpoint(), mixed_precision=mixed)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    exact, logits = (Predictor(each, torch.device("cpu")).logits(pixels) for each in (checkpoint(), model))
    assert logits.dtype == torch.float32
    assert torch.equal(exact, logits) == (not mixed)
    torch.testing.assert_close(logits, exact, rtol=0.05, atol=0.05)
