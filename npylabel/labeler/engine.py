"""What is trained: a network, the running mean of its weights, its optimizer and its history, step by step."""

import time
from copy import deepcopy

import lightning
import numpy as np
import torch
from torch.nn import functional

from npylabel.labeler.augment import augment, mix
from npylabel.labeler.plan import Plan
from npylabel.labeler.predict import middle, to_input
from npylabel.labeler.recipe import ZOOM, Recipe, train_px
from npylabel.labeler.scores import Scores, score

# Photos that are judged at once; the same for all, so that a device plans its work once.
JUDGED_AT_ONCE = 64


class LabelerModule(lightning.LightningModule):
    """A network in training.

    Args:
        network: ``(n, 3, h, w)`` to logits of the whole class table.
        columns: the outputs that have training photos; targets count in these.
        class_ids: ids of the columns.
        mean: of the training photos by channel.
        std: of the training photos by channel.
        input_px: side of the pictures that the network is for.
        recipe: how to train.
        plan: how long, and at which rate.
        random_seed: of everything that is random in a step.

    Attributes:
        averaged: the network with the running mean of weights and buffers, which is judged, saved and labels.
        step: steps done, over the whole run.
        history: a row for each time that the network was judged.
        best: score, epoch, row and weights of the best time so far.
        share: (rank, number of processes): each takes its rows of every batch.
    """

    def __init__(
        self, network: torch.nn.Module, columns: list[int], class_ids: list[int], mean: list[float], std: list[float],
        input_px: int, recipe: Recipe, plan: Plan, random_seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.averaged = deepcopy(network).requires_grad_(False).eval()
        self.columns, self.class_ids, self.input_px = columns, class_ids, input_px
        self.recipe, self.plan, self.random_seed = recipe, plan, random_seed
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.step, self.share = 0, (0, 1)
        self.history: list[dict] = []
        self.best: dict = {}
        self._losses: list[torch.Tensor] = []
        self._started = 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW (Loshchilov & Hutter 2019); biases and the scales of norms do not decay."""
        weights = list(self.network.parameters())
        groups = [{"params": [value for value in weights if value.ndim > 1], "weight_decay": self.recipe.weight_decay},
                  {"params": [value for value in weights if value.ndim <= 1], "weight_decay": 0.0}]
        fused = self.device.type in ("cuda", "cpu")
        return torch.optim.AdamW(groups, lr=self.recipe.learning_rate, fused=fused or None)

    def train(self, mode: bool = True) -> "LabelerModule":
        """Switch the trained network; the averaged one never trains."""
        super().train(mode)
        self.averaged.eval()
        return self

    def normalized(self, images: torch.Tensor) -> torch.Tensor:
        """Images in 0-1 as a network wants them."""
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def on_train_epoch_start(self) -> None:
        self._started, self._losses = time.monotonic(), []

    def on_train_batch_start(self, batch: object, batch_index: int) -> None:
        self.prepare_step(self.optimizers().optimizer)

    def prepare_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Set what depends on the step alone, so that a resumed run draws and learns as an unbroken one would have."""
        torch.manual_seed(self.random_seed + 7_919 * self.step)
        for group in optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * self.plan.rate(self.step, self.recipe.warmup)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_index: int) -> torch.Tensor:
        loss = self.loss(*batch)
        self._losses.append(loss.detach())
        return loss

    def loss(self, pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of this process's rows of the batch, weighted so that the mean over processes is the batch's."""
        rank, processes = self.share
        # Every process changes the whole batch, so that its draws do not depend on how many there are.
        with torch.autocast(self.device.type, enabled=False):
            images = augment(pixels, train_px(self.recipe, self.input_px, self.plan.done(self.step)), self.recipe)
            wanted = functional.one_hot(targets, len(self.columns)).float()
            images, wanted = (values[rank::processes] for values in mix(images, wanted, self.recipe))
            images = self.normalized(images)
        if rank:
            torch.manual_seed(self.random_seed + 7_919 * self.step + 104_729 * rank)
        logits = self.network(images)[:, self.columns].float()
        loss = functional.cross_entropy(logits, wanted, label_smoothing=self.recipe.label_smoothing)
        return loss * (processes * len(wanted) / len(targets)) if processes > 1 else loss

    def on_train_batch_end(self, outputs: object, batch: object, batch_index: int) -> None:
        self.average()
        self.step += 1

    @torch.no_grad()
    def average(self) -> None:
        """Move the running mean towards the weights of this step; it follows faster in the beginning."""
        share = 1 - min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        means, values = (list(network.state_dict().values()) for network in (self.averaged, self.network))
        moving = [mean.is_floating_point() for mean in means]
        torch._foreach_lerp_([mean for mean, moves in zip(means, moving, strict=True) if moves],
                             [value for value, moves in zip(values, moving, strict=True) if moves], share)
        for mean, value, moves in zip(means, values, moving, strict=True):
            if not moves:
                mean.copy_(value)

    @torch.no_grad()
    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of the trained classes by the averaged network, float32, for ``(n, h, w, 3)`` uint8."""
        photos = to_input(pixels, self.device, round(ZOOM * self.judged_px))
        return self.averaged(self.normalized(middle(photos, self.judged_px)))[:, self.columns].float()

    @property
    def judged_px(self) -> int:
        """Side of the last training pictures: a network that knows small pictures only is at a loss with large ones."""
        return train_px(self.recipe, self.input_px, self.plan.done(max(0, self.step - 1)))

    def close_row(self, scores: Scores | None) -> dict:
        """Add what was done since the last time to the history, and note where it is the best so far."""
        loss = torch.stack(self._losses).mean()
        if self.share[1] > 1:
            torch.distributed.all_reduce(loss)
            loss /= self.share[1]
        row = {"epoch": self.plan.epochs(self.step), "seconds": round(time.monotonic() - self._started, 2),
               "px": self.judged_px, "train_loss": round(float(loss), 4)}
        # Without photos to judge by the last is the best.
        better = (0.0, 0.0)
        if scores:
            row |= {f"val_{name}": value for name, value in scores.summary().items()}
            better = (row["val_macro_f1"], -row["val_loss"])
        self.history.append(row)
        # What is judged at its last size is better than what only knows smaller pictures.
        if not self.best or (row["px"], *better) >= (
                self.best["row"]["px"], self.best["macro_f1"], -self.best["loss"]):
            self.best = {"macro_f1": better[0], "loss": -better[1], "epoch": row["epoch"], "row": row,
                         "weights": weights_of(self.averaged)}
        return row

    def state(self) -> dict:
        """All that a resumed run needs; tensors on the CPU."""
        averaged = weights_of(self.averaged)
        best = dict(self.best)
        # The same tensors are written once.
        if self.history and best.get("epoch") == self.history[-1]["epoch"]:
            best["weights"] = averaged
        return {"step": self.step, "network": weights_of(self.network), "averaged": averaged, "best": best,
                "history": self.history}

    def load(self, state: dict) -> None:
        """Go on from a ``state``."""
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.step, self.history, self.best = state["step"], list(state["history"]), dict(state["best"])


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of weights and buffers on the CPU, in the plain order of memory."""
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in network.state_dict().items()}


def judge(logits: torch.Tensor, targets: np.ndarray, class_ids: list[int]) -> Scores | None:
    """The scores of logits ``(n, k)`` on the CPU; none where there are no photos to judge by."""
    return score(logits, torch.from_numpy(targets), class_ids) if len(logits) else None


def pixel_statistics(pixels: np.ndarray, chosen: np.ndarray) -> tuple[list[float], list[float]]:
    """(mean, standard deviation) by channel in 0-1 of the chosen of ``(n, h, w, 3)`` uint8, of about 2,000 photos."""
    step = max(1, len(chosen) // 2000)
    values = [pixels[i].reshape(-1, 3).astype(np.float64) / 255 for i in chosen[::step]]
    mean = np.mean([v.mean(0) for v in values], axis=0)
    square = np.mean([(v**2).mean(0) for v in values], axis=0)
    std = np.sqrt(np.maximum(square - mean**2, 1e-4))
    return [round(float(v), 5) for v in mean], [round(float(v), 5) for v in std]
