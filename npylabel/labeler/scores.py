"""How good a labeler is: macro-F1, accuracy, per class, and who is taken for whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)


@dataclass(frozen=True)
class Scores:
    """Scores on held-out photos.

    Attributes:
        loss: mean cross-entropy.
        accuracy: share of photos whose best class is right.
        macro_f1: mean F1 of the classes that occur.
        class_ids: ids of the rows and columns.
        f1: by class.
        precision: by class.
        recall: by class.
        confusion: ``(k, k)`` counts, rows true, columns predicted.
    """

    loss: float
    accuracy: float
    macro_f1: float
    class_ids: list[int]
    f1: list[float]
    precision: list[float]
    recall: list[float]
    confusion: np.ndarray

    def summary(self) -> dict[str, float]:
        """The three numbers that a person looks at, rounded."""
        return {"loss": round(self.loss, 4), "accuracy": round(self.accuracy, 4), "macro_f1": round(self.macro_f1, 4)}

    def per_class(self, names: dict[int, str]) -> list[dict[str, object]]:
        """Precision, recall, F1 and number of photos by class, worst first."""
        support = self.confusion.sum(1)
        rows = [{"class_id": i, "class_name": names[i], "photos": int(support[k]), "f1": round(self.f1[k], 4),
                 "precision": round(self.precision[k], 4), "recall": round(self.recall[k], 4)}
                for k, i in enumerate(self.class_ids) if support[k]]
        return sorted(rows, key=lambda row: (row["f1"], row["class_id"]))

    def confusions(self, names: dict[int, str], most: int = 10) -> list[tuple[str, str, int]]:
        """The pairs that are mistaken most often: (true name, predicted name, photos)."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        pairs = [np.unravel_index(index, wrong.shape) for index in order]
        return [(names[self.class_ids[t]], names[self.class_ids[p]], int(wrong[t, p])) for t, p in pairs if wrong[t, p]]


def score(logits: torch.Tensor, targets: torch.Tensor, class_ids: Sequence[int]) -> Scores:
    """The scores of logits ``(n, k)`` against target indices ``(n,)`` of the k class ids; n is at least 1."""
    k, best = max(len(class_ids), 2), logits.argmax(1)
    f1, precision, recall = (metric(best, targets, k, average="none")[:len(class_ids)].tolist()
                             for metric in (multiclass_f1_score, multiclass_precision, multiclass_recall))
    confusion = multiclass_confusion_matrix(best, targets, k).numpy()[:len(class_ids), :len(class_ids)]
    return Scores(
        loss=float(functional.cross_entropy(logits, targets)), accuracy=float((best == targets).float().mean()),
        macro_f1=float(multiclass_f1_score(best, targets, k, average="macro")), class_ids=list(class_ids),
        f1=f1, precision=precision, recall=recall, confusion=confusion)
