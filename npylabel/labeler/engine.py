"""The training engine: Lightning runs it, an epoch is the unit that survives a kill."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lightning
import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler

from npylabel.base.files import atomic_path, write_text
from npylabel.labeler.augment import augment
from npylabel.labeler.predict import to_input
from npylabel.labeler.recipe import Recipe
from npylabel.labeler.scores import Scores, score

LEARNING_RATE = 1e-3
# Above this a rare class would dominate every batch it is in.
MAX_CLASS_WEIGHT = 10.0
HISTORY_COLUMNS = ("epoch", "seconds", "train_loss", "val_loss", "val_accuracy", "val_macro_f1")


class PixelDataset(Dataset):
    """Some of the pixels ``(n, h, w, 3)`` uint8 and target indices ``(n,)`` int64, fetched a batch at a time.

    Args:
        pixels: of all photos.
        targets: of all photos.
        chosen: indices of those that belong to this set, ``(m,)`` int64.
    """

    def __init__(self, pixels: np.ndarray, targets: np.ndarray, chosen: np.ndarray) -> None:
        self.pixels, self.targets, self.chosen = pixels, targets, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitems__(self, indices: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """A whole batch at once: ``(b, h, w, 3)`` uint8 and ``(b,)`` int64."""
        rows = self.chosen[indices]
        return torch.from_numpy(self.pixels[rows]), torch.from_numpy(self.targets[rows])


class EpochShuffle(Sampler[int]):
    """A random order that depends on the seed and the epoch alone, so that a resumed run sees the same one."""

    def __init__(self, size: int, random_seed: int) -> None:
        self.size, self.random_seed, self.epoch = size, random_seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.random_seed + 1_000_003 * self.epoch)
        yield from torch.randperm(self.size, generator=generator).tolist()


def loader(data: PixelDataset, batch_size: int, random_seed: int | None) -> DataLoader:
    """Batches of pixels and targets: shuffled by epoch with a seed, in order without."""
    if random_seed is None:
        return DataLoader(data, batch_size, collate_fn=lambda batch: batch)
    # Batch normalization has no variance in a batch of one: that photo, another one in each epoch, sits out.
    lonely = len(data) > batch_size and len(data) % batch_size == 1
    sampler = EpochShuffle(len(data), random_seed)
    return DataLoader(data, batch_size, sampler=sampler, collate_fn=lambda batch: batch, drop_last=lonely)


class LabelerModule(lightning.LightningModule):
    """A network with its loss, its optimizer and its history.

    Args:
        network: ``(n, 3, h, w)`` to logits of the whole class table.
        columns: the outputs that have training photos; targets count in these.
        class_ids: ids of the columns.
        mean: of the training photos by channel.
        std: of the training photos by channel.
        class_weights: ``(k,)`` weights in the loss.
        random_seed: of everything that is random in a step.
    """

    def __init__(
        self, network: torch.nn.Module, columns: list[int], class_ids: list[int], mean: list[float], std: list[float],
        class_weights: torch.Tensor, random_seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self.columns, self.class_ids, self.random_seed = columns, class_ids, random_seed
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.history: list[dict] = []
        self.best: dict = {}
        self.scores: Scores | None = None
        self.logits, self.targets = torch.zeros(0), torch.zeros(0)
        self._losses: list[torch.Tensor] = []
        self._val: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._started = 0.0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam with a constant rate, as the original: more epochs after a finished run simply go on."""
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the trained classes for images in 0-1."""
        return self.network((images - self.mean) / self.std)[:, self.columns]

    def on_train_epoch_start(self) -> None:
        self._started, self._losses = time.monotonic(), []

    def on_train_batch_start(self, batch: object, batch_index: int) -> None:
        # Dropout and augmentation depend on the step alone, so a resumed run draws what an unbroken one would have.
        torch.manual_seed(self.random_seed + 7_919 * self.global_step)

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_index: int) -> torch.Tensor:
        pixels, targets = batch
        images = augment(pixels.to(self.device), pixels.shape[1], Recipe())
        loss = functional.cross_entropy(self(images), targets, weight=self.class_weights)
        self._losses.append(loss.detach())
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_index: int) -> None:
        pixels, targets = batch
        self._val.append((self(to_input(pixels, self.device)).float().cpu(), targets.cpu()))

    def on_validation_epoch_end(self) -> None:
        self.logits, self.targets = (torch.cat(parts) for parts in zip(*self._val, strict=True))
        self.scores = score(self.logits, self.targets, self.class_ids)
        self._val = []

    def close_epoch(self) -> dict:
        """Add this epoch to the history and return its row."""
        row = {"epoch": self.current_epoch + 1, "seconds": round(time.monotonic() - self._started, 2),
               "train_loss": round(float(torch.stack(self._losses).mean()), 4)}
        if self.scores:
            row |= {f"val_{name}": value for name, value in self.scores.summary().items()}
        self.history.append(row)
        return row

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["npylabel"] = {"history": self.history, "best": self.best}

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history, self.best = checkpoint["npylabel"]["history"], checkpoint["npylabel"]["best"]


class EpochKeeper(lightning.Callback):
    """After each epoch: the history, the files, the resume point, and whether to go on.

    Args:
        resume_path: where the full training state goes.
        history_path: where the history goes as CSV.
        on_epoch: called with the module and its new row before the state is saved.
        minutes: stop when another epoch would pass this much training time; 0 is no limit.
    """

    def __init__(
        self, resume_path: Path, history_path: Path, on_epoch: Callable[[LabelerModule, dict], None], minutes: float
    ) -> None:
        self.resume_path, self.history_path, self.on_epoch, self.minutes = resume_path, history_path, on_epoch, minutes

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: LabelerModule) -> None:
        row = pl_module.close_epoch()
        self.on_epoch(pl_module, row)
        write_text(self.history_path, history_csv(pl_module.history))
        # Last: a kill before this line repeats the epoch, a kill after it does not.
        with atomic_path(self.resume_path, durable=True) as temporary:
            trainer.save_checkpoint(temporary)
        trainer.should_stop = time_is_up(pl_module.history, self.minutes)


def time_is_up(history: list[dict], minutes: float) -> bool:
    """Whether another epoch like the last one would pass the time box; 0 minutes is no box."""
    return bool(minutes and history) and sum(row["seconds"] for row in history) + history[-1]["seconds"] > 60 * minutes


def history_csv(history: list[dict]) -> str:
    """The history as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HISTORY_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def class_weights(targets: np.ndarray, classes: int) -> torch.Tensor:
    """Weights ``(classes,)`` that make every class count the same in the loss, as far as ``MAX_CLASS_WEIGHT``."""
    counts = torch.bincount(torch.as_tensor(targets), minlength=classes).float()
    return (len(targets) / (classes * counts.clamp(min=1))).clamp(max=MAX_CLASS_WEIGHT)


def pixel_statistics(pixels: np.ndarray, chosen: np.ndarray) -> tuple[list[float], list[float]]:
    """(mean, standard deviation) by channel in 0-1 of the chosen of ``(n, h, w, 3)`` uint8, of about 2,000 photos."""
    step = max(1, len(chosen) // 2000)
    values = [pixels[i].reshape(-1, 3).astype(np.float64) / 255 for i in chosen[::step]]
    mean = np.mean([v.mean(0) for v in values], axis=0)
    square = np.mean([(v**2).mean(0) for v in values], axis=0)
    std = np.sqrt(np.maximum(square - mean**2, 1e-4))
    return [round(float(v), 5) for v in mean], [round(float(v), 5) for v in std]
