"""A step of training by hand: who decays, who averages, what is learned from, and when it ends."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from npylabel.base.tables import read_csv
from npylabel.labeler import task
from npylabel.labeler.checkpoint import Checkpoint, load_checkpoint
from npylabel.labeler.recipe import LabelerRecipe
from npylabel.labeler.task import LabelerTask
from npylabel.training import keeper
from npylabel.training.engine import TrainingModule
from npylabel.training.feed import normalized
from npylabel.training.plan import Plan, Segment
from tests.labeler import kit

MEAN = [0.4, 0.5, 0.6]
PLAN = Plan({}, 10, (Segment(0, 100),))
RECIPE = LabelerRecipe(learning_rate=0.01, weight_decay=0.3, label_smoothing=0.2, ema_decay=0.5, warmup=0.1)


def task_of(network: str, trained_ids: list[int]) -> LabelerTask:
    """A labeler of some of the table's classes to be."""
    template = Checkpoint({}, network, 0, 32, "crop", MEAN, [0.2] * 3, kit.TABLE.to_json(), kit.TABLE.sha256,
                          trained_ids, "own", "")
    return LabelerTask(kit.TABLE, template)


def module(network: str = "smallresnet") -> TrainingModule:
    torch.manual_seed(0)
    learned = task_of(network, [3, 40])
    return TrainingModule(learned, learned.new_network(), RECIPE, PLAN, 32, 7)


def test_norms_and_biases_do_not_decay() -> None:
    trained = module()
    decaying, others = trained.configure_optimizers().param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.3, 0.0)
    names = {id(value): name for name, value in trained.network.named_parameters()}
    assert all(names[id(value)].endswith(("conv1.weight", "conv2.weight", "0.weight", "head.weight"))
               for value in decaying["params"])
    assert all(value.ndim == 1 for value in others["params"])
    assert len(decaying["params"]) + len(others["params"]) == len(names)


def test_the_running_mean_by_hand() -> None:
    trained = module()
    name, counter = "stem.1.running_mean", "stem.1.num_batches_tracked"
    for step, (value, mean) in enumerate([(10.0, 9.0), (20.0, 9 + 11 * 9 / 11), (40.0, 18 + 22 * 0.75)]):
        # It follows by 1 - min(0.5, (1 + step) / (10 + step)): 9/10, 9/11, 9/12.
        trained.step = step
        trained.network.state_dict()[name].fill_(value)
        trained.network.state_dict()[counter].fill_(step)
        trained.average()
        assert trained.averaged.state_dict()[name][0].item() == pytest.approx(mean)
        assert trained.averaged.state_dict()[counter].item() == step
    trained.step = 1000
    trained.average()
    assert trained.averaged.state_dict()[name][0].item() == pytest.approx((34.5 + 40) / 2)


def test_what_labels_is_the_running_mean() -> None:
    trained = module()
    trained.train()
    pixels = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    targets = torch.zeros(3, dtype=torch.int64)
    before = trained.measured(pixels, targets)
    for value in trained.network.parameters():
        value.data.zero_()
    assert torch.equal(trained.measured(pixels, targets), before)
    larger = torch.nn.functional.interpolate(pixels.permute(0, 3, 1, 2) / 255, (36, 36), mode="bilinear")
    images = (larger[..., 2:34, 2:34] - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / 0.2
    torch.testing.assert_close(before, trained.averaged(images)[:, [0, 2]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("px", "on_cpu"), [(32, 64), (128, 64), (224, 20), (512, 4), (1056, 1)])
def test_a_cpu_judges_fewer_photos_at_once_where_they_are_large(px: int, on_cpu: int) -> None:
    trained = module()
    trained.recipe, trained.input_px = replace(trained.recipe, sizes=((1.0, 1.0),)), px
    assert trained.judged_at_once == on_cpu
    trained.to("meta")
    assert trained.judged_at_once == 64


def test_the_loss_is_that_of_smoothed_mixed_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = module("minicnn")
    trained.network.eval()
    seen = {}

    def augment(pixels: torch.Tensor, px: int, _recipe: LabelerRecipe) -> torch.Tensor:
        seen["px"] = px
        return torch.full((len(pixels), 3, px, px), 0.5)

    monkeypatch.setattr(task, "augment", augment)
    monkeypatch.setattr(task, "mix", lambda images, wanted, _recipe: (images, wanted * 0.75 + wanted.flip(0) * 0.25))
    loss = trained.loss(torch.zeros(2, 32, 32, 3, dtype=torch.uint8), torch.tensor([0, 1]))
    logits = trained.network(normalized(torch.full((1, 3, 32, 32), 0.5), MEAN, [0.2] * 3))[:, [0, 2]]
    # Of the 0.75 and 0.25 a fifth goes to both alike: 0.7 and 0.3.
    wanted = torch.tensor([[0.7, 0.3], [0.3, 0.7]])
    torch.testing.assert_close(loss, -(wanted * functional.log_softmax(logits, 1)).sum(1).mean())
    assert seen["px"] == 32


def test_a_step_depends_on_its_number_alone() -> None:
    trained = module()
    optimizer = trained.configure_optimizers()
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8))
    targets, losses = torch.tensor([0, 1, 0, 1]), []
    for step in (5, 6, 5):
        trained.step = step
        trained.prepare_step(optimizer)
        losses.append(float(trained.loss(pixels, targets).detach()))
        torch.rand(17)
    assert losses[0] == losses[2] != losses[1]
    # Step 5 of the ten that rise.
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * 0.6)


@pytest.fixture
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch is as good as the first."""
    score = task.score
    first = []

    def scored(*arguments: object) -> object:
        first.append(score(*arguments))
        return first[0]

    monkeypatch.setattr(task, "score", scored)


@pytest.mark.usefixtures("no_progress")
def test_a_training_that_gets_no_better_ends(data: Path, tmp_path: Path) -> None:
    report = kit.train(data, tmp_path / "m.pth", epochs=6, patience=2)
    assert report.facts["epochs"] == 3
    assert any("not improved for 2 epochs" in line for line in report.messages)
    assert kit.train(data, tmp_path / "m.pth", epochs=6, patience=2).measured["epochs_now"] == 0
    # Without patience the rest of the plan follows; asked for more, it has patience anew.
    assert kit.train(data, tmp_path / "m.pth", epochs=6, patience=3).facts["epochs"] == 4
    assert kit.train(data, tmp_path / "m.pth", epochs=7, patience=2).facts["epochs"] == 6
    assert kit.train(data, tmp_path / "m.pth", epochs=7).facts["epochs"] == 7


def test_patience_counts_whole_epochs() -> None:
    rows = [{"epoch": epoch, "px": 64, "val_macro_f1": f1} for epoch, f1 in
            ((0.5, 0.2), (1, 0.3), (1.5, 0.5), (2, 0.4), (2.5, 0.5), (3, 0.5))]
    stopped = [keeper.stopped_early(LabelerTask, rows[:count], PLAN, 1, 64) for count in range(7)]
    assert stopped == [False, False, False, False, False, True, True]
    for patience in (0, 2):
        assert not keeper.stopped_early(LabelerTask, rows, PLAN, patience, 64)
    assert not keeper.stopped_early(LabelerTask, [{"epoch": 9, "px": 64}], PLAN, 1, 64)


def test_patience_waits_for_the_last_size_of_the_pictures() -> None:
    rows = [{"epoch": epoch, "px": px, "val_macro_f1": f1} for epoch, px, f1 in
            ((1, 32, 0.9), (2, 32, 0.8), (3, 64, 0.1), (4, 64, 0.2), (5, 64, 0.2))]
    assert [keeper.stopped_early(LabelerTask, rows[:count], PLAN, 1, 64) for count in range(6)] == [False] * 5 + [True]


def test_the_best_is_one_that_was_judged_at_the_last_size(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    falling, score = (0.9 - 0.05 * judged for judged in range(16)), task.score
    monkeypatch.setattr(task, "score", lambda *given: replace(score(*given), macro_f1=next(falling)))
    kit.train(data, tmp_path / "m.pth", network="smallresnet", input_px=64, epochs=12)
    history = read_csv(tmp_path / "m.history.csv")
    assert [int(row["px"]) for row in history] == [32] * 5 + [64] * 7
    assert load_checkpoint(tmp_path / "m.pth").epoch == 6
    assert load_checkpoint(tmp_path / "checkpoint_epoch_5.pth").input_px == 32
    assert load_checkpoint(tmp_path / "m.pth").input_px == 64


def test_the_last_is_the_best_without_photos_to_judge_by(tmp_path: Path) -> None:
    few = kit.class_folders(tmp_path / "data", 1)
    report = kit.train(few, tmp_path / "m.pth", epochs=3)
    assert report.measured["best_epoch"] == 3
