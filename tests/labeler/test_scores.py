"""Scores are those that plain NumPy counts."""

import numpy as np
import pytest
import torch

from npylabel.labeler.scores import Scores, score

IDS = [3, 17, 40, 99]
NAMES = {3: "небо", 17: "дом", 40: "арбуз", 99: "прочее"}


def random_case(n: int = 60, k: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are right more often than by chance, and their targets."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, k, n)
    logits = random.normal(size=(n, k))
    logits[np.arange(n), targets] += 1.0
    return torch.tensor(logits, dtype=torch.float32), torch.tensor(targets)


def counted(logits: torch.Tensor, targets: torch.Tensor, k: int) -> np.ndarray:
    """The confusion counts, one photo at a time."""
    counts = np.zeros((k, k), int)
    for true, row in zip(targets.tolist(), logits.tolist(), strict=True):
        counts[true, row.index(max(row))] += 1
    return counts


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scores_are_those_of_numpy(seed: int) -> None:
    logits, targets = random_case(seed=seed)
    found, counts = score(logits, targets, IDS), counted(logits, targets, 4)
    assert found.confusion.tolist() == counts.tolist()
    right = np.diag(counts)
    f1 = 2 * right / (counts.sum(0) + counts.sum(1))
    np.testing.assert_allclose(found.precision, right / counts.sum(0), atol=1e-6)
    np.testing.assert_allclose(found.recall, right / counts.sum(1), atol=1e-6)
    np.testing.assert_allclose(found.f1, f1, atol=1e-6)
    assert found.macro_f1 == pytest.approx(f1.mean(), abs=1e-6)
    assert found.accuracy == pytest.approx(right.sum() / 60, abs=1e-6)
    shares = np.exp(logits.numpy().astype(np.float64))
    shares /= shares.sum(1, keepdims=True)
    assert found.loss == pytest.approx(-np.log(shares[np.arange(60), targets.numpy()]).mean(), abs=1e-5)


def test_a_class_that_does_not_occur_does_not_count() -> None:
    logits = torch.eye(4)[[0, 0, 1, 1, 1]]
    found = score(logits, torch.tensor([0, 0, 1, 1, 0]), IDS)
    # First class: 2 of 3 found, none wrongly; second: both found, one wrongly.
    assert found.f1[:2] == pytest.approx([0.8, 0.8])
    assert found.macro_f1 == pytest.approx(0.8)
    assert found.class_ids == IDS


def test_one_class_alone_can_be_scored() -> None:
    found = score(torch.ones(3, 1), torch.zeros(3, dtype=torch.long), [17])
    assert (found.accuracy, found.f1, found.confusion.tolist()) == (1.0, [1.0], [[3]])


def by_hand() -> Scores:
    """Three photos of 3, four of 17, one of 40."""
    logits = torch.eye(4)[[0, 0, 0, 0, 1, 0, 1, 1]]
    return score(logits, torch.tensor([0, 0, 0, 1, 1, 1, 1, 2]), IDS)


def test_per_class_lists_the_worst_first() -> None:
    rows = by_hand().per_class(NAMES)
    assert [(row["class_id"], row["class_name"], row["photos"]) for row in rows] == [
        (40, "арбуз", 1), (17, "дом", 4), (3, "небо", 3)]
    assert rows[2]["recall"] == 1.0
    assert rows[2]["precision"] == 0.6
    assert rows[1] == {"class_id": 17, "class_name": "дом", "photos": 4, "f1": 0.5714, "precision": 0.6667,
                       "recall": 0.5}


def test_confusions_are_true_then_taken_for() -> None:
    assert by_hand().confusions(NAMES) == [("дом", "небо", 2), ("арбуз", "дом", 1)]
    assert by_hand().confusions(NAMES, most=1) == [("дом", "небо", 2)]
    assert by_hand().confusion.trace() == 5


def test_summary_is_rounded() -> None:
    logits, targets = random_case()
    found = score(logits, targets, IDS)
    assert found.summary() == {"loss": round(found.loss, 4), "accuracy": round(found.accuracy, 4),
                               "macro_f1": round(found.macro_f1, 4)}
