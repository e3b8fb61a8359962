"""The engine trains what has no classes as it trains a labeler."""

import signal
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.training.model_files import load_weights_file, model_in
from tests.base.processes import start
from tests.labeler import kit
from tests.training import mean_color


def test_it_learns_and_is_judged_by_its_own_numbers(tmp_path: Path) -> None:
    fitted, report = mean_color.train(tmp_path, epochs=12)
    rows = read_csv(tmp_path / "m.history.csv")
    assert list(rows[0]) == ["epoch", "seconds", "px", "train_loss", "val_error"]
    errors = [float(row["val_error"]) for row in rows]
    assert min(errors) < errors[0] / 2 and fitted.best.metrics == {"val_error": min(errors)}
    assert fitted.epochs == 12 and not report.messages
    again, _report = mean_color.train(tmp_path, epochs=12)
    assert again.epochs_now == 0


def test_a_killed_training_ends_in_the_same_files(tmp_path: Path) -> None:
    runs = {}
    for name, kills in {"unbroken": [], "killed": [1, 2]}.items():
        for saves in [*kills, 0]:
            process = start(mean_color.__file__, tmp_path / name, saves)
            process.communicate(timeout=120)
            assert process.returncode == (-signal.SIGKILL if saves else 0)
        runs[name] = kit.files_below(tmp_path / name)
    assert runs["killed"] == runs["unbroken"] and len(runs["unbroken"]) >= 6


def test_less_is_better_also_for_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter((0.5, 0.3, 0.4, 0.6, 0.2, 0.1))
    monkeypatch.setattr(mean_color.MeanColorTask, "judge", lambda *_given: ({"val_error": next(errors)}, {}))
    fitted, report = mean_color.train(tmp_path, patience=2)
    assert fitted.epochs == 4 and fitted.best.epoch == 2 and fitted.last.epoch == 4
    assert any("not become better for 2 epochs" in line for line in report.messages)


def test_each_kind_of_file_is_refused_for_the_other(tmp_path: Path, data: Path) -> None:
    mean_color.train(tmp_path, epochs=1)
    with pytest.raises(NpyLabelError, match=r"a colorizer.*wanted is a labeler") as error:
        load_checkpoint(tmp_path / "m.pth")
    assert error.value.code == "model_kind" and "notebook 03" in error.value.fix
    kit.train(data, tmp_path / "labeler.pth", epochs=1)
    kind = mean_color.KIND
    with pytest.raises(NpyLabelError, match=r"a labeler.*wanted is a colorizer") as error:
        model_in(tmp_path, load_weights_file(tmp_path / "labeler.pth", kind), kind, mean_color.MeanColor)
    assert error.value.code == "model_kind" and error.value.fix == kind.if_other
