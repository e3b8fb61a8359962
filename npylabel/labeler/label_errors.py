"""Which labels are probably wrong, told by networks that have not seen their photos.

Confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels")
compares held-out probabilities with the mean self-confidence of each class. With a few dozen photos per class a network
is right for little more than half of them, and that rule takes its mistakes for those of the person: of 5,000 photos
of 100 classes with 200 planted errors it called 1,069 labels wrong, 12 % of them rightly. So what gives a photo its
label is modeled here, as a mixture of three: the photo itself, with the network's probabilities at the temperature that
fits; a mistake for a similar class; and a slip, which may hit any class. Shares and temperature are fitted together by
expectation maximization (Dempster, Laird and Rubin 1977), which gives each label a probability of being wrong. From the
same probabilities 289 labels were called wrong, 53 % of them rightly, and of the 100 most doubtful 86 were; where the
planted errors were mistakes for one of the three most similar classes, 138 and 50 %, and 54. Where a network is sure of
the wrong thing nothing tells its fault from a person's, so the probability is rather too high.
"""

from dataclasses import dataclass

import numpy as np

# Shares (photo, mistake, slip) that are believed before any label is seen, and how many labels that belief is worth.
_BELIEF, _BELIEF_LABELS = np.array([0.95, 0.025, 0.025]), 20
# How far the logarithm of the temperature is believed to be from 0: a network that is as sure of every photo may be too
# sure of all or meet wrong labels, and only this tells.
_SPREAD = 0.25
_TEMPERATURES = np.logspace(-2, 3, 41, base=2.0)
_ROUNDS = 100
# A probability below this is rounding, not knowledge.
_LEAST = 1e-12


@dataclass(frozen=True)
class Doubt:
    """One photo beside its label.

    Attributes:
        index: row of the photo.
        given: column of the label that it has.
        suggested: column of the most probable other class.
        confidence: held-out probability of the given label, at the fitted temperature.
        suggested_confidence: held-out probability of the suggested class, at the fitted temperature.
        score: probability that the label is wrong.
        probably_wrong: whether it is more probably wrong than right.
    """

    index: int
    given: int
    suggested: int
    confidence: float
    suggested_confidence: float
    score: float
    probably_wrong: bool


@dataclass(frozen=True)
class LabelModel:
    """How photos get their labels.

    Attributes:
        temperature: what the network's logits are to be divided by (Guo et al. 2017).
        shares: ``(3,)`` float64 of the labels that follow the photo, are mistaken for a similar class, are slips.
        likelihood: logarithm of how probable the labels are with these, what is believed before included.
    """

    temperature: float
    shares: np.ndarray
    likelihood: float


def rank_doubts(probabilities: np.ndarray, given: np.ndarray) -> list[Doubt]:
    """The photos by falling doubt in their label; equal ones in their own order.

    Args:
        probabilities: ``(n, k)`` float32, each row by a network that was not trained on its photo; k is at least 2.
            NaN where that network had no photo of a class to learn from: it can neither confirm nor suggest that one.
        given: ``(n,)`` int64 columns of the labels. Photos whose own column is NaN cannot be judged and are left out.
    """
    judged = np.flatnonzero(~np.isnan(probabilities[np.arange(len(given)), given]))
    if not len(judged):
        return []
    labels, rows = given[judged], np.arange(len(judged))
    values = np.nan_to_num(probabilities[judged].astype(np.float64))
    model = fit_labels(values, labels)
    scores = doubt(values, labels, model)
    values = at_temperature(values, model.temperature)
    others = values.copy()
    others[rows, labels] = -1
    suggested = others.argmax(1)
    return [Doubt(int(judged[row]), int(labels[row]), int(suggested[row]), float(values[row, labels[row]]),
                  float(values[row, suggested[row]]), float(scores[row]), bool(scores[row] > 0.5))
            for row in np.argsort(-scores, kind="stable")]


def fit_labels(probabilities: np.ndarray, given: np.ndarray) -> LabelModel:
    """The model under which the given labels are most probable.

    Args:
        probabilities: ``(n, k)`` float64 without NaN, rows sum to about 1; n is at least 1.
        given: ``(n,)`` int64.
    """
    models = [_fit_shares(probabilities, given, float(temperature)) for temperature in _TEMPERATURES]
    return max(models, key=lambda model: model.likelihood)


def doubt(probabilities: np.ndarray, given: np.ndarray, model: LabelModel) -> np.ndarray:
    """For each photo the probability that its label is a mistake or a slip, ``(n,)`` float64."""
    joint = label_sources(at_temperature(probabilities, model.temperature), given) * model.shares
    return joint[:, 1:].sum(1) / joint.sum(1)


def _fit_shares(probabilities: np.ndarray, given: np.ndarray, temperature: float) -> LabelModel:
    sources, prior = label_sources(at_temperature(probabilities, temperature), given), _BELIEF * _BELIEF_LABELS
    shares = _BELIEF
    for _round in range(_ROUNDS):
        joint = sources * shares
        shares = ((joint / joint.sum(1, keepdims=True)).sum(0) + prior) / (len(given) + _BELIEF_LABELS)
    belief = prior @ np.log(shares) - (np.log(temperature) / _SPREAD) ** 2 / 2
    return LabelModel(temperature, shares, float(np.log((sources * shares).sum(1)).sum() + belief))


def label_sources(probabilities: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How probable each given label is by the photo, by a mistake and by a slip, ``(n, 3)`` float64.

    A mistake takes the true class for another one as often as the network does on the whole; a slip gives a class as
    often as there are labels of it.
    """
    k, rows = probabilities.shape[1], np.arange(len(given))
    counts = np.bincount(given, minlength=k)
    confusion = np.eye(k)[given].T @ probabilities
    np.fill_diagonal(confusion, 0)
    confusion /= np.maximum(confusion.sum(1, keepdims=True), _LEAST)
    mistaken = (probabilities * confusion.T[given]).sum(1)
    return np.maximum(np.stack([probabilities[rows, given], mistaken, counts[given] / len(given)], axis=1), _LEAST)


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities as if the logits had been divided by the temperature."""
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
