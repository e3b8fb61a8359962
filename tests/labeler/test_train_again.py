"""A training run goes on where it can; what it cannot go on with is moved aside whole, and that is said."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from npylabel.base.classes import ClassTable
from npylabel.dataset.build import build_training_data
from npylabel.labeler import task
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.scores import Scores
from tests.labeler import kit


def test_more_epochs_go_on(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.pth"
    assert kit.train(data, model, epochs=2).measured["epochs_now"] == 2
    report = kit.train(data, model, epochs=5)
    assert (report.measured["epochs_now"], report.facts["epochs"]) == (3, 5)
    assert kit.epochs_in(model) == [1, 2, 3, 4, 5]
    assert (tmp_path / "checkpoint_epoch_5.pth").is_file()
    assert not (tmp_path / "archive").exists()


def test_worse_epochs_added_later_leave_the_best_model(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, score = tmp_path / "m.pth", task.score
    kit.train(data, model, epochs=2)
    best, last = model.read_bytes(), (tmp_path / "m.last.pth").read_bytes()

    def worse(*arguments: object) -> Scores:
        return replace(score(*arguments), macro_f1=0.0, loss=99.0)

    monkeypatch.setattr(task, "score", worse)
    report = kit.train(data, model, epochs=3)
    assert model.read_bytes() == best and (tmp_path / "m.last.pth").read_bytes() != last
    assert report.measured["best_epoch"] <= 2 and report.facts["epochs"] == 3


@pytest.mark.parametrize("epochs", [2, 1])
def test_a_finished_run_stays_as_it_is(data: Path, tmp_path: Path, epochs: int) -> None:
    kit.train(data, tmp_path / "models" / "m.pth", epochs=2)
    before = kit.files_below(tmp_path / "models")
    report = kit.train(data, tmp_path / "models" / "m.pth", epochs=epochs)
    assert (report.measured["epochs_now"], report.facts["epochs"]) == (0, 2)
    assert any("2 epochs already" in line for line in report.messages)
    assert kit.files_below(tmp_path / "models") == before


@pytest.mark.parametrize(("changes", "reason"), [
    ({"network": "smallresnet", "input_px": 48}, "input_px, network"), ({"depth": 2}, "depth"),
    ({"batch_size": 16}, "batch_size"), ({"random_seed": 8}, "random_seed"), ({"resume": False}, "continued"),
])
def test_another_run_archives_the_old_one(data: Path, tmp_path: Path, changes: dict, reason: str) -> None:
    models = tmp_path / "models"
    kit.train(data, models / "m.pth", epochs=1)
    before = kit.files_below(models)
    report = kit.train(data, models / "m.pth", epochs=1, **changes)
    assert kit.files_below(models / "archive" / "m_1") == before
    assert any(str(models / "archive" / "m_1") in line and reason in line for line in report.messages)
    assert report.measured["epochs_now"] == 1 and kit.epochs_in(models / "m.pth") == [1]


def test_another_table_archives_the_old_run(data: Path, tmp_path: Path) -> None:
    model, larger = tmp_path / "m.pth", ClassTable({**kit.TABLE.names, 60: "кот"}, 99)
    kit.train(data, model, epochs=1)
    report = kit.train(data, model, larger, epochs=1)
    assert any("classes_sha256" in line for line in report.messages)
    assert load_checkpoint(model).table == larger
    assert load_checkpoint(tmp_path / "archive" / "m_1" / "m.pth").table == kit.TABLE


def test_another_split_archives_the_old_run_and_the_older_stay(tmp_path: Path) -> None:
    data_path, model = kit.class_folders(tmp_path / "data", 6), tmp_path / "models" / "m.pth"
    kit.train(data_path, model, epochs=1)
    for number in (1, 2):
        kit.class_folders(data_path, 1, first=6 + number)
        report = kit.train(data_path, model, epochs=1)
        assert any("split_sha256" in line for line in report.messages)
    found = [load_checkpoint(model.parent / "archive" / name / "m.pth").split_sha256 for name in ("m_1", "m_2")]
    assert len({*found, load_checkpoint(model).split_sha256}) == 3


def test_a_photo_moved_to_another_class_is_another_split(tmp_path: Path) -> None:
    data_path, model = kit.class_folders(tmp_path / "data", 6), tmp_path / "models" / "m.pth"
    kit.train(data_path, model, epochs=1)
    shutil.move(data_path / "дом" / "17_000.png", data_path / "небо" / "17_000.png")
    assert any("split_sha256" in line for line in kit.train(data_path, model, epochs=1).messages)


@pytest.mark.parametrize(("changes", "code"), [
    ({"network": "mincnn"}, "network_unknown"), ({"depth": 9}, "bad_parameter"), ({"device": "gpu"}, "bad_parameter"),
    ({"test_dir": Path("/no/such/folder")}, "no_class_photos"),
])
def test_a_wrong_parameter_leaves_the_model_where_it_is(
    data: Path, tmp_path: Path, changes: dict, code: str
) -> None:
    models = tmp_path / "models"
    kit.train(data, models / "m.pth", epochs=1)
    before = kit.files_below(models)
    assert kit.train_error(data, models / "m.pth", epochs=2, **changes) == code
    assert kit.files_below(models) == before


def test_a_repaired_photo_is_trained_on(tmp_path: Path) -> None:
    source = kit.class_folders(tmp_path / "source", 6)
    build_training_data(source, tmp_path / "data", kit.TABLE, size_px=48, workers=1)
    photo = next((tmp_path / "data" / "дом").iterdir())
    whole = photo.read_bytes()
    photo.write_bytes(whole[:300])
    kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    photo.write_bytes(whole)
    report = kit.train(tmp_path / "data", tmp_path / "m.pth", epochs=1)
    assert report.facts["train"] + report.facts["val"] == 18
    assert report.measured["epochs_now"] == 1


def test_fewer_epochs_than_done_change_nothing(data: Path, tmp_path: Path) -> None:
    kit.train(data, tmp_path / "m.pth", epochs=3)
    before = (tmp_path / "m.last.pth").read_bytes()
    report = kit.train(data, tmp_path / "m.pth", epochs=1)
    assert (report.facts["epochs"], report.measured["epochs_now"]) == (3, 0)
    assert (tmp_path / "m.last.pth").read_bytes() == before


def test_files_of_others_stay_in_place(data: Path, tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("m.small.pth", "checkpoint_epoch_5 (1).pth")]
    for path in others:
        path.write_bytes(b"x")
    kit.train(data, tmp_path / "m.pth", epochs=1)
    kit.train(data, tmp_path / "m.pth", epochs=1, resume=False)
    assert [path.read_bytes() for path in others] == [b"x", b"x"]
