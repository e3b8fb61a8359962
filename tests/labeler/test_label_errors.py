"""Labels that are probably wrong: small cases computed by hand, and many drawn ones whose truth is known."""

import numpy as np
import pytest

from npylabel.labeler.label_errors import LabelModel, at_temperature, doubt, fit_labels, label_sources, rank_doubts


def drawn_labels(n: int, k: int, wrong: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(probabilities, labels, which of them were drawn without a look at the photo): the model's own story."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(k, 0.1), n)
    labels = np.array([random.choice(k, p=row) for row in probabilities])
    careless = random.random(n) < wrong
    labels[careless] = random.integers(0, k, careless.sum())
    return probabilities, labels, careless


def test_a_temperature_as_by_hand() -> None:
    # The square roots of 0.8 and 0.2 are as 2 to 1; squares of 0.75 and 0.25 are as 9 to 1.
    np.testing.assert_allclose(at_temperature(np.array([[0.8, 0.2]]), 2), [[2 / 3, 1 / 3]])
    np.testing.assert_allclose(at_temperature(np.array([[0.75, 0.25]]), 0.5), [[0.9, 0.1]])


def test_where_labels_come_from_as_by_hand() -> None:
    # Labels 0, 0, 1, 2. Over the photos with label 0 class 1 has 0.3 and class 2 has 0.1 besides: of 4 mistakes about
    # class 0 three are for class 1. About class 1 all are for class 0, about class 2 half are for each of the others.
    values = np.array([[0.8, 0.1, 0.1], [0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.1, 0.1, 0.8]])
    by_photo = [0.8, 0.8, 0.4, 0.8]
    by_mistake = [0.1 * 1 + 0.1 * 0.5, 0.2 * 1, 0.6 * 0.75, 0.1 * 0.25]
    by_slip = [0.5, 0.5, 0.25, 0.25]
    found = label_sources(values, np.array([0, 0, 1, 2]))
    np.testing.assert_allclose(found, np.transpose([by_photo, by_mistake, by_slip]), atol=1e-9)


def test_the_doubt_as_by_hand() -> None:
    # The third photo above: 0.9 of 0.4 by the photo, 0.06 of 0.45 by a mistake, 0.04 of 0.25 by a slip.
    values = np.array([[0.8, 0.1, 0.1], [0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.1, 0.1, 0.8]])
    found = doubt(values, np.array([0, 0, 1, 2]), LabelModel(1.0, np.array([0.9, 0.06, 0.04]), 0))
    assert found[2] == pytest.approx((0.027 + 0.01) / (0.36 + 0.027 + 0.01))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_share_and_temperature_are_found_again(temperature: float) -> None:
    probabilities, labels, _careless = drawn_labels(4000, 10, 0.06)
    found = fit_labels(at_temperature(probabilities, temperature), labels)
    assert found.temperature == pytest.approx(1 / temperature, rel=0.1)
    assert found.shares.sum() == pytest.approx(1)
    assert 1 - found.shares[0] == pytest.approx(0.06, abs=0.02)


def test_planted_errors_are_found_and_the_doubt_can_be_taken_at_its_word() -> None:
    probabilities, labels, careless = drawn_labels(4000, 10, 0.06)
    doubts = rank_doubts(probabilities.astype(np.float32), labels)
    wrong = np.array([careless[each.index] for each in doubts])
    flagged = np.array([each.probably_wrong for each in doubts])
    scores = np.array([each.score for each in doubts])
    assert wrong[:100].mean() > 0.95
    assert wrong[flagged].mean() > 0.85
    assert wrong[flagged].sum() / wrong.sum() > 0.6
    assert scores.sum() == pytest.approx(wrong.sum(), rel=0.15)
    middle = (scores > 0.2) & (scores < 0.8)
    assert middle.sum() > 50
    assert wrong[middle].mean() == pytest.approx(scores[middle].mean(), abs=0.12)


def test_labels_that_are_right_are_not_called_wrong() -> None:
    probabilities, labels, _careless = drawn_labels(4000, 10, 0)
    assert sum(each.probably_wrong for each in rank_doubts(probabilities, labels)) <= 4


def test_a_network_that_knows_nothing_calls_nothing_wrong() -> None:
    random = np.random.default_rng(1)
    probabilities = at_temperature(random.random((60, 4)) + 1, 1.0)
    assert not any(each.probably_wrong for each in rank_doubts(probabilities, random.integers(0, 4, 60)))


def test_two_classes_and_few_photos() -> None:
    probabilities = np.array([[0.995, 0.005]] * 15 + [[0.005, 0.995]] * 15, np.float32)
    labels = np.repeat([0, 1], 15)
    labels[4] = 1
    first, second, *_rest = rank_doubts(probabilities, labels)
    assert (first.index, first.given, first.suggested, first.probably_wrong) == (4, 1, 0, True)
    assert (first.score > 0.8, second.probably_wrong, second.score < 0.05) == (True, False, True)
    assert first.confidence + first.suggested_confidence == pytest.approx(1)


def test_a_network_that_is_sure_of_every_photo_is_believed() -> None:
    # That it is wrong about one photo in six, and always as sure, would explain these labels a little better.
    truth = np.repeat([0, 1, 2], 8)
    probabilities, labels = np.full((24, 3), 0.002, np.float32), truth.copy()
    probabilities[np.arange(24), truth] = 0.996
    labels[[1, 2, 11, 20]] = [1, 2, 0, 1]
    assert {each.index for each in rank_doubts(probabilities, labels) if each.probably_wrong} == {1, 2, 11, 20}


def test_a_network_that_is_as_often_wrong_as_it_says_accuses_nobody() -> None:
    probabilities = np.array([[0.9, 0.1]] * 15 + [[0.1, 0.9]] * 15, np.float32)
    labels = np.repeat([0, 1], 15)
    labels[[4, 9]], labels[20] = 1, 0
    doubts = rank_doubts(probabilities, labels)
    assert {each.index for each in doubts[:3]} == {4, 9, 20}
    assert not any(each.probably_wrong for each in doubts)


def test_equal_photos_keep_their_order() -> None:
    probabilities = np.tile(np.float32([0.5, 0.3, 0.2]), (9, 1))
    doubts = rank_doubts(probabilities, np.array([0, 1, 2] * 3))
    assert [each.index for each in doubts] == [2, 5, 8, 1, 4, 7, 0, 3, 6]
    # Of equal other classes the first is suggested; the given one never.
    tied = rank_doubts(np.full((2, 3), 1 / 3, np.float32), np.array([0, 1]))
    assert [(each.given, each.suggested) for each in tied] == [(0, 1), (1, 0)]


def test_a_class_that_a_network_never_saw_is_neither_judged_nor_suggested() -> None:
    # Class 2 has one photo: the network that was asked about it had none to learn from, nor has it a say on row 0.
    probabilities = np.array([[0.9, 0.1, np.nan]] * 5 + [[0.1, 0.8, 0.1]] * 5 + [[0.6, 0.4, np.nan]], np.float32)
    doubts = rank_doubts(probabilities, np.array([0] * 5 + [1] * 5 + [2]))
    assert sorted(each.index for each in doubts) == list(range(10))
    assert {each.suggested for each in doubts if each.index < 5} == {1}


def test_nothing_to_judge() -> None:
    assert rank_doubts(np.array([[np.nan, 1.0], [1.0, np.nan]], np.float32), np.array([0, 1])) == []
