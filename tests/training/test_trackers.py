"""A tracker gets the rows of the history, in one place for a run and its resumed half, and asks nothing."""

import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.training import trackers
from tests.labeler import kit


def test_tensorboard_has_the_rows_of_the_history(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.pth"
    for epochs in (1, 2):
        kit.train(data, model, epochs=epochs, tracker="tensorboard")
    logged = EventAccumulator(str(tmp_path / "m.logs"))
    logged.Reload()
    rows = read_csv(tmp_path / "m.history.csv")
    for name in ("train_loss", "val_macro_f1"):
        points = [(event.step, event.value) for event in logged.Scalars(name)]
        assert points == [(3 * int(row["epoch"]), pytest.approx(float(row[name]))) for row in rows]


def test_another_run_takes_the_logs_aside(data: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        kit.train(data, tmp_path / "m.pth", epochs=1, tracker="tensorboard", random_seed=seed)
    assert len(list((tmp_path / "m.logs").glob("events*"))) == 1
    assert len(list((tmp_path / "archive" / "m_1" / "m.logs").glob("events*"))) == 1


def test_wandb_is_offline_unless_the_user_says_otherwise(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "")
    monkeypatch.setenv("WANDB_SILENT", "true")
    kit.train(data, tmp_path / "m.pth", epochs=1, tracker="wandb")
    assert os.environ["WANDB_MODE"] in ("offline", "dryrun")
    assert len(list((tmp_path / "m.logs" / "wandb").glob("offline-run-*/*.wandb"))) == 1
    assert {path.name for path in tmp_path.iterdir()} >= {"m.pth", "m.history.csv"}


@pytest.mark.parametrize(("tracker", "code"), [("wandb", "tracker_missing"), ("mlflow", "bad_parameter")])
def test_an_impossible_tracker_is_refused_before_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: str, code: str
) -> None:
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(NpyLabelError) as error:
        kit.train(data, tmp_path / "models" / "m.pth", tracker=tracker)
    assert error.value.code == code and ("pip install wandb" in error.value.fix) == (tracker == "wandb")
    assert not (tmp_path / "models").exists()
