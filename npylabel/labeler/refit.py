"""The last layer once more, in closed form: trained networks see more in photos than their last layer makes of it."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from npylabel.base.report import StepReport
from npylabel.labeler.calibration import fit_temperature
from npylabel.labeler.checkpoint import Checkpoint, save_checkpoint
from npylabel.labeler.features import last_linear
from npylabel.labeler.networks import create_network
from npylabel.labeler.predict import Predictor
from npylabel.labeler.task import judge
from npylabel.training.fit import fit
from npylabel.training.job import FitJob, Fitted
from npylabel.training.model_files import weights_sha256

# Of the spread within the classes: how much of it is taken as alike in all directions. 0.01 to 0.1 did equally well.
SHRINKAGE = 0.03
# How much of the discriminants joins the layer; 0 leaves it as it was trained.
SHARES = (0.0, 0.25, 0.5, 1.0, 2.0)


def fit_labeler(job: FitJob, report: StepReport, device: torch.device) -> tuple[Fitted, torch.Tensor]:
    """(the labeler of a job whose best one is refitted, its logits on the photos to judge by), as in its files.

    Args:
        job: of a ``LabelerTask``.
        report: gets what there is to say.
        device: to compute on.

    Raises:
        NpyLabelError: of ``fit``.
    """
    fitted = fit(job, report)
    best = fitted.best
    if best.refit_of:
        return fitted, Predictor(best, device).logits(job.pixels, job.val_rows)
    labeler, logits = refitted(best, job, device)
    if labeler is not best:
        save_checkpoint(job.files.save_path, labeler)
    return replace(fitted, best=labeler), logits


def refitted(best: Checkpoint, job: FitJob, device: torch.device) -> tuple[Checkpoint, torch.Tensor]:
    """(the labeler with linear discriminants of all training photos added to its last layer, its logits).

    The discriminants are Fisher's (1936). How much of them is added is what makes the photos to judge by most likely;
    of these the logits are, ``(m, k)`` float32 on the CPU, before the temperature. The labeler comes back as it is
    where none is best, where there are no such photos, or where the network does not end in a linear layer.

    Args:
        best: as it was trained.
        job: of the training.
        device: to compute on.
    """
    predictor = Predictor(best, device)
    trained, judged = job.targets[job.train_rows], job.targets[job.val_rows]
    if not len(judged) or not predictor.has_features or len(trained) <= len(best.trained_ids):
        return best, predictor.logits(job.pixels, job.val_rows)
    logits, features = predictor.logits_and_features(job.pixels, job.val_rows)
    weight, bias = discriminants(predictor.features(job.pixels, job.train_rows), trained, len(best.trained_ids))
    values = torch.from_numpy(features.astype(np.float64)) @ weight.T + bias
    unit = logits.double().std() / values.std().clamp(min=1e-12)
    targets = torch.from_numpy(judged)
    share = min(SHARES, key=lambda share: _cost((logits + share * unit * values).float(), targets))
    if not share:
        return best, logits
    return _rescored(_with_layer(best, share * unit * weight, share * unit * bias), job, device)


def discriminants(features: np.ndarray, targets: np.ndarray, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(weight ``(classes, d)``, bias ``(classes,)``), float64, of the linear discriminants of equally likely classes.

    Args:
        features: ``(n, d)``, of more photos than classes.
        targets: ``(n,)`` int64 in 0 to ``classes`` - 1; each of them has a photo.
        classes: how many.
    """
    values, places = torch.from_numpy(features.astype(np.float64)), torch.from_numpy(targets)
    means = torch.stack([values[places == place].mean(0) for place in range(classes)])
    apart = values - means[places]
    spread = apart.T @ apart / (len(values) - classes)
    alike = spread.diagonal().mean().clamp(min=1e-12) * torch.eye(len(spread), dtype=spread.dtype)
    weight = torch.linalg.solve((1 - SHRINKAGE) * spread + SHRINKAGE * alike, means.T).T
    return weight, -(weight * means).sum(1) / 2


def _cost(logits: torch.Tensor, targets: torch.Tensor) -> float:
    return float(functional.cross_entropy(logits / fit_temperature(logits, targets), targets))


def _with_layer(best: Checkpoint, weight: torch.Tensor, bias: torch.Tensor) -> Checkpoint:
    """The labeler with something added to the rows of its trained classes in the last layer."""
    outputs = best.table.ids
    network = create_network(best.network, len(outputs), best.depth)
    layer = last_linear(network, len(outputs))
    name = next(name for name, module in network.named_modules() if module is layer)
    rows = [outputs.index(class_id) for class_id in best.trained_ids]
    weights = dict(best.state_dict)
    for part, added in ((f"{name}.weight", weight), (f"{name}.bias", bias)):
        weights[part] = weights[part].clone()
        weights[part][rows] += added.to(weights[part].dtype)
    return replace(best, state_dict=weights, refit_of=weights_sha256(best.state_dict))


def _rescored(labeler: Checkpoint, job: FitJob, device: torch.device) -> tuple[Checkpoint, torch.Tensor]:
    logits, targets = Predictor(labeler, device).logits(job.pixels, job.val_rows), job.targets[job.val_rows]
    scores = judge(logits, targets, labeler.trained_ids).summary()
    return replace(labeler, temperature=fit_temperature(logits, torch.from_numpy(targets)),
                   metrics=labeler.metrics | {f"val_{name}": value for name, value in scores.items()}), logits
