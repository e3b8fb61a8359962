"""What is trained: a network, the running mean of its weights, its optimizer and its history, step by step."""

import time
from copy import deepcopy

import lightning
import torch

from npylabel.training.plan import Plan
from npylabel.training.recipe import Recipe, train_px
from npylabel.training.task import Task

# Photos that are judged at once, and on a CPU their pixels: more of them leave its fast memory (a colorizer at 224
# pixels then takes 17 ms for a photo instead of 11).
_JUDGED_AT_ONCE, _JUDGED_PIXELS = 64, 2**20


class TrainingModule(lightning.LightningModule):
    """A network in training.

    Args:
        task: what it learns.
        network: of the task.
        recipe: how to train.
        plan: how long, and at which rate.
        input_px: side of the pictures that the network is for.
        random_seed: of everything that is random in a step.

    Attributes:
        averaged: the network with the running mean of weights and buffers, which is judged and saved.
        step: steps done, over the whole run.
        history: a row for each time that the network was judged.
        best: what it was judged by, epoch, row, weights and what else the task keeps of the best time so far.
        share: (rank, number of processes): each takes its rows of every batch.
    """

    def __init__(
        self, task: Task, network: torch.nn.Module, recipe: Recipe, plan: Plan, input_px: int, random_seed: int
    ) -> None:
        super().__init__()
        self.task, self.network = task, network
        self.averaged = deepcopy(network).requires_grad_(False).eval()
        self.recipe, self.plan, self.input_px, self.random_seed = recipe, plan, input_px, random_seed
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

    def train(self, mode: bool = True) -> "TrainingModule":
        """Switch the trained network; the averaged one never trains."""
        super().train(mode)
        self.averaged.eval()
        return self

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
            whole = self.task.prepare(pixels, targets, train_px(self.recipe, self.input_px, self.plan.done(self.step)),
                                      self.recipe)
            prepared = [values[rank::processes] for values in whole]
        if rank:
            torch.manual_seed(self.random_seed + 7_919 * self.step + 104_729 * rank)
        loss = self.task.loss(self.network, self.recipe, *prepared)
        return loss * (processes * len(prepared[0]) / len(targets)) if processes > 1 else loss

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
    def measured(self, pixels: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What the averaged network is judged by, ``(b, measures)``, on photos ``(b, h, w, 3)`` uint8."""
        return self.task.measure(self.averaged, pixels, targets, self.judged_px)

    @property
    def judged_px(self) -> int:
        """Side of the last training pictures: a network that knows small pictures only is at a loss with large ones."""
        return train_px(self.recipe, self.input_px, self.plan.done(max(0, self.step - 1)))

    @property
    def judged_at_once(self) -> int:
        """Photos for a call of ``measured``; the same until ``judged_px`` changes, so that a device plans once."""
        if self.device.type != "cpu":
            return _JUDGED_AT_ONCE
        return min(_JUDGED_AT_ONCE, max(1, _JUDGED_PIXELS // self.judged_px**2))

    def close_row(self, judged: dict[str, float], kept: dict) -> dict:
        """Add what was done since the last time to the history, and note where it is the best so far.

        Args:
            judged: numbers of ``Task.judge``.
            kept: what the task keeps besides.
        """
        loss = torch.stack(self._losses).mean()
        if self.share[1] > 1:
            torch.distributed.all_reduce(loss)
            loss /= self.share[1]
        row = {"epoch": self.plan.epochs(self.step), "seconds": round(time.monotonic() - self._started, 2),
               "px": self.judged_px, "train_loss": round(float(loss), 4), **judged}
        self.history.append(row)
        if not self.best or self._rank(row) >= self._rank(self.best["row"]):
            by = {name.removeprefix("val_"): sign * self._worth(row, name) for name, sign in self.task.best_by.items()}
            self.best = {**by, "epoch": row["epoch"], "row": row, "weights": weights_of(self.averaged), **kept}
        return row

    def _rank(self, row: dict) -> tuple[float, ...]:
        """What is judged at its last size is better than what only knows smaller pictures."""
        return row["px"], *(self._worth(row, name) for name in self.task.best_by)

    def _worth(self, row: dict, name: str) -> float:
        """More is better; without photos to judge by all rows are alike, and the last is the best."""
        return self.task.best_by[name] * row[name] if name in row else 0.0

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
