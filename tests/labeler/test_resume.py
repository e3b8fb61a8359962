"""A training run that is killed and started again ends in what an unbroken run ends in, to the last bit."""

import csv
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from npylabel.labeler.checkpoint import load_checkpoint
from tests.base.processes import start
from tests.labeler import killed_runs, kit


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict]]:
    """(folder with one folder of results per moment, how the processes ended by moment)."""
    root = tmp_path_factory.mktemp("killed")
    data = kit.class_folders(root / "data", 8)
    process = start(killed_runs.__file__, data, root)
    output, _errors = process.communicate(timeout=300)
    lines = [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]
    return root, {line["moment"]: line for line in lines}


def history(folder: Path) -> list[dict[str, str]]:
    """The rows of the history without the seconds."""
    with (folder / "m.history.csv").open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def assert_same_model(found: Path, wanted: Path) -> None:
    """Fail where two model files differ in anything at all."""
    found, wanted = load_checkpoint(found), load_checkpoint(wanted)
    assert found.state_dict.keys() == wanted.state_dict.keys()
    assert all(torch.equal(found.state_dict[name], value) for name, value in wanted.state_dict.items())
    assert {**vars(found), "state_dict": 0} == {**vars(wanted), "state_dict": 0}


def test_the_unbroken_run(runs: tuple[Path, dict]) -> None:
    root, ends = runs
    assert ends["unbroken"]["end"] == 0
    rows = history(root / "unbroken")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert len({row["train_loss"] for row in rows}) == 3


@pytest.mark.parametrize("moment", killed_runs.MOMENTS)
def test_a_killed_run_ends_as_an_unbroken_one(runs: tuple[Path, dict], moment: str) -> None:
    root, ends = runs
    assert (ends[moment]["killed"], ends[moment]["end"]) == (-signal.SIGKILL, 0)
    assert history(root / moment) == history(root / "unbroken")
    for name in ("m.pth", "m.last.pth"):
        assert_same_model(root / moment / name, root / "unbroken" / name)


@pytest.mark.parametrize("moment", killed_runs.MOMENTS)
def test_tables_and_scores_are_the_same(runs: tuple[Path, dict], moment: str) -> None:
    root, _ends = runs
    for name in ("m.per_class.csv", "m.confusion.csv", "m.run.json"):
        assert (root / moment / name).read_bytes() == (root / "unbroken" / name).read_bytes()
    metrics = [json.loads((root / name / "m.metrics.json").read_text()) for name in (moment, "unbroken")]
    for values in metrics:
        for row in values["history"]:
            del row["seconds"]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("moment", killed_runs.MOMENTS)
def test_what_a_kill_leaves_behind_is_removed(runs: tuple[Path, dict], moment: str) -> None:
    root, ends = runs
    assert bool(ends[moment]["left"]) == moment.startswith("saving")
    names = {path.name for path in (root / moment).iterdir()}
    assert names == {path.name for path in (root / "unbroken").iterdir()}


def test_a_run_that_goes_on_archives_nothing(runs: tuple[Path, dict]) -> None:
    root, _ends = runs
    assert [moment for moment in killed_runs.MOMENTS if (root / moment / "archive").exists()] == []


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Path, Path]:
    """(training folder, model) of a run of two epochs."""
    data, model = kit.class_folders(tmp_path / "data", 6), tmp_path / "models" / "m.pth"
    kit.train(data, model, epochs=2)
    return data, model


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:5000])])
@pytest.mark.parametrize("name", ["m.pth", "m.resume.ckpt"])
def test_a_lost_or_damaged_model_is_made_again(
    finished: tuple[Path, Path], harm: Callable[[Path], object], name: str
) -> None:
    data, model = finished
    wanted = load_checkpoint(model)
    harm(model.with_name(name))
    report = kit.train(data, model, epochs=2)
    assert report.facts["epochs"] == 2
    assert any("archive" in line for line in report.messages)
    assert all(torch.equal(load_checkpoint(model).state_dict[key], value) for key, value in wanted.state_dict.items())


def test_epochs_added_later_are_those_of_a_longer_run(finished: tuple[Path, Path]) -> None:
    data, model = finished
    kit.train(data, model, epochs=4)
    long = model.parent.parent / "long" / "m.pth"
    kit.train(data, long, epochs=4)
    assert history(model.parent) == history(long.parent)
    for name in ("m.pth", "m.last.pth"):
        assert_same_model(model.with_name(name), long.with_name(name))


def test_a_run_is_not_repeated_by_chance(finished: tuple[Path, Path]) -> None:
    data, model = finished
    other = model.parent.parent / "other" / "m.pth"
    kit.train(data, other, epochs=2, random_seed=8)
    assert not torch.equal(load_checkpoint(other).state_dict["conv1.weight"],
                           load_checkpoint(model).state_dict["conv1.weight"])
