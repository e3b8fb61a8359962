"""A training run that is killed and started again ends in what an unbroken run ends in, to the last byte."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.recipe import recipe_of
from npylabel.training import course, plan, planning
from npylabel.training.speed import Speed
from npylabel.training.states import read_state
from tests.base.processes import start
from tests.labeler import kit
from tests.training import killed_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict]]:
    """(folder with one folder of results per run, how the processes ended by run)."""
    root = tmp_path_factory.mktemp("killed")
    data = kit.class_folders(root / "data", 8)
    process = start(killed_runs.__file__, data, root)
    output, _errors = process.communicate(timeout=300)
    lines = [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]
    return root, {line["run"]: line for line in lines}


def test_the_unbroken_run(runs: tuple[Path, dict]) -> None:
    root, ends = runs
    assert ends["unbroken"]["end"] == 0
    history = read_state(root / "unbroken" / "m.resume.ckpt")["history"]
    # 21 photos in batches of 7 are 3 steps, the first two of them a part.
    assert [row["epoch"] for row in history] == [0.6667, 1, 1.6667, 2, 2.6667, 3, 3.6667, 4]
    assert len({row["train_loss"] for row in history}) == 8


def test_twenty_kills_change_no_byte(runs: tuple[Path, dict]) -> None:
    root, ends = runs
    kills = ends["killed"]["kills"]
    assert [kill["end"] for kill in kills] == [-signal.SIGKILL] * killed_runs.KILLS
    assert ends["killed"]["end"] == 0
    events = {kill["event"] for kill in kills}
    assert {"half written", "before training_step"} < events and len(events) >= 8
    assert any(kill["left"] for kill in kills)
    killed, unbroken = (kit.files_below(root / name) for name in ("killed", "unbroken"))
    assert {name for name in unbroken if killed.get(name) != unbroken[name]} == set()
    assert killed.keys() == unbroken.keys()


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Path, Path]:
    """(training folder, model) of a run of two epochs."""
    data, model = kit.class_folders(tmp_path / "data", 6), tmp_path / "models" / "m.pth"
    kit.train(data, model, epochs=2)
    return data, model


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def rot(path: Path) -> None:
    """Change one bit in the middle of a file, which torch does not notice."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [Path.unlink, cut, rot])
@pytest.mark.parametrize("name", ["m.pth", "m.last.pth", "m.run.json"])
def test_what_the_state_tells_is_made_again(
    finished: tuple[Path, Path], harm: Callable[[Path], object], name: str
) -> None:
    data, model = finished
    before = kit.files_below(model.parent)
    harm(model.with_name(name))
    assert kit.train(data, model, epochs=2).measured["epochs_now"] == 0
    assert kit.files_below(model.parent) == before


@pytest.mark.parametrize("harm", [cut, rot])
def test_a_damaged_state_costs_one_epoch(finished: tuple[Path, Path], harm: Callable[[Path], object]) -> None:
    data, model = finished
    before = read_state(model.with_name("m.resume.ckpt"))
    harm(model.with_name("m.resume.ckpt"))
    report = kit.train(data, model, epochs=2)
    assert any("m.resume.ckpt is damaged" in line and "epoch 1" in line for line in report.messages)
    assert report.measured["epochs_now"] == 1 and not (model.parent / "archive").exists()
    after = read_state(model.with_name("m.resume.ckpt"))
    for name in ("network", "averaged"):
        assert all(torch.equal(after[name][key], value) for key, value in before[name].items())
    assert read_state(model.with_name("m.resume.before.ckpt"))["history"][-1]["epoch"] == 1


@pytest.mark.parametrize("harm", [Path.unlink, cut, rot])
def test_without_a_whole_state_the_old_run_is_kept_aside(
    finished: tuple[Path, Path], harm: Callable[[Path], object]
) -> None:
    data, model = finished
    weights = load_checkpoint(model).state_dict
    for name in ("m.resume.ckpt", "m.resume.before.ckpt"):
        harm(model.with_name(name))
    report = kit.train(data, model, epochs=2)
    assert report.facts["epochs"] == report.measured["epochs_now"] == 2
    assert any("archive" in line for line in report.messages)
    assert (model.parent / "archive" / "m_1" / "m.pth").is_file()
    assert all(torch.equal(load_checkpoint(model).state_dict[key], value) for key, value in weights.items())


@pytest.fixture
def from_one_to_two(tmp_path: Path, data: Path) -> dict:
    """The state of a run of two epochs that was finished after one and then made longer."""
    kit.train(data, tmp_path / "m.pth", epochs=1)
    report = kit.train(data, tmp_path / "m.pth", epochs=2)
    assert any("goes on from epoch 1 to 2" in line for line in report.messages)
    return read_state(tmp_path / "m.resume.ckpt")


def test_epochs_added_later_are_a_course_of_their_own(from_one_to_two: dict) -> None:
    segments = from_one_to_two["run"]["plan"]["segments"]
    assert [(s["start"], s["steps"], s["peak"]) for s in segments] == [(0, 3, 1.0), (3, 3, plan.PEAK_AGAIN)]
    assert from_one_to_two["step"] == 6
    # The optimizer went on: its count is that of all steps, its last rate that of a low peak's end.
    optimizer = from_one_to_two["optimizer"]
    assert {float(state["step"]) for state in optimizer["state"].values()} == {6.0}
    last = recipe_of("minicnn").learning_rate * plan.PEAK_AGAIN * plan.one_cycle(2, 3, recipe_of("minicnn").warmup)
    assert [group["lr"] for group in optimizer["param_groups"]] == pytest.approx([last, last])


def test_another_length_cuts_an_unfinished_run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after one of four epochs, and asked for three."""
    model, save = tmp_path / "m.pth", course.Keeper._save

    def save_and_die(self: course.Keeper, *arguments: object) -> None:
        save(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(course.Keeper, "_save", save_and_die)
        kit.train(data, model, epochs=4)
    assert kit.train(data, model, epochs=1).measured["epochs_now"] == 0
    report = kit.train(data, model, epochs=3)
    assert any("planned for 4 epochs and had done 1" in line for line in report.messages)
    assert report.facts["epochs"] == 3 and report.measured["epochs_now"] == 2
    run = json.loads((tmp_path / "m.run.json").read_text())
    assert [(s["start"], s["steps"]) for s in run["plan"]["segments"]] == [(0, 3), (3, 6)]


def test_measuring_changes_no_result(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kit.train(data, tmp_path / "measured" / "m.pth", epochs=1)
    monkeypatch.setattr(planning, "measure", lambda *_arguments: Speed({32: 1.0}, 1.0, 0.0))
    kit.train(data, tmp_path / "unmeasured" / "m.pth", epochs=1)
    measured, unmeasured = (read_state(tmp_path / name / "m.resume.ckpt") for name in ("measured", "unmeasured"))
    for name in ("network", "averaged"):
        assert all(torch.equal(measured[name][key], value) for key, value in unmeasured[name].items())


def test_a_run_is_not_repeated_by_chance(finished: tuple[Path, Path]) -> None:
    data, model = finished
    other = model.parent.parent / "other" / "m.pth"
    kit.train(data, other, epochs=2, random_seed=8)
    assert not torch.equal(load_checkpoint(other).state_dict["conv1.weight"],
                           load_checkpoint(model).state_dict["conv1.weight"])
