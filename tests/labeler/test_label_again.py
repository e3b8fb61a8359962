"""Labels are the same however the work is cut, stay where nothing changed, and yield to what a person decided."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from npylabel.dataset.labels import read_label, table_path, write_label, write_label_rows
from npylabel.labeler import label as label_module
from npylabel.labeler import predict as predict_module
from npylabel.labeler.predict import Predictor
from tests.labeler import kit
from tests.labeler.label_kit import Folder, Killed, edit_table, kill_at_call, save_changed


@pytest.fixture(scope="module")
def many(trained: kit.Trained, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """75 photos, more than two groups for the network, one of them unreadable, labeled in one go."""
    root = tmp_path_factory.mktemp("many")
    found = Folder(root, save_changed(trained.model_path, root / "m.pth", temperature=12.5))
    kit.photo_folder(found.color, 25)
    (found.color / "17_510.png").write_bytes(b"damaged")
    found.run()
    return found


def copy_of(many: Folder, root: Path, with_labels: bool = False) -> Folder:
    """The same photos elsewhere."""
    shutil.copytree(many.root, root, dirs_exist_ok=True,
                    ignore=None if with_labels else shutil.ignore_patterns("labels", "labels.csv"))
    return Folder(root, many.model_path)


def test_many_are_a_fair_case(many: Folder) -> None:
    confidences = {row.confidence for row in many.rows().values()}
    assert len(confidences) > 40 and 0 < sum(row.class_id == 99 for row in many.rows().values()) < 74


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_the_batch_size_changes_nothing(many: Folder, tmp_path: Path, batch_size: int) -> None:
    folder = copy_of(many, tmp_path)
    folder.run(batch_size=batch_size)
    assert folder.content() == many.content()


@pytest.mark.parametrize(("owner", "name", "number"), [
    (Predictor, "probabilities", 2), (Predictor, "probabilities", 3), (label_module, "write_label", 1),
    (label_module, "write_label", 40), (label_module, "write_label_rows", 1),
])
def test_a_run_that_was_broken_off_goes_on(
    many: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int
) -> None:
    folder = copy_of(many, tmp_path)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at_call(patch, owner, name, number)
        folder.run()
    before = len(list(folder.labels.iterdir()))
    assert not table_path(folder.labels).exists()
    report = folder.run()
    assert report.measured["labeled_now"] == 74 - before and report.facts["human"] == 0
    assert folder.content() == many.content()
    assert {path.name for path in folder.root.iterdir()} == {path.name for path in many.root.iterdir()}


def test_two_photos_alone_get_what_they_got_among_many(many: Folder, tmp_path: Path) -> None:
    folder = copy_of(many, tmp_path, with_labels=True)
    for stem in ("3_507", "40_520"):
        folder.label(stem).unlink()
    assert folder.run().measured["labeled_now"] == 2
    assert folder.content() == many.content()


def test_the_size_of_a_group_is_no_secret_of_one_module() -> None:
    assert label_module.CHUNK == predict_module.CHUNK


# What stays and what is done again


def test_whole_labels_stay(folder: Folder) -> None:
    before = folder.content()
    assert folder.redone(lambda: None) == set()
    assert folder.content() == before
    report = folder.run()
    assert (report.measured["labeled_now"], report.measured["kept"]) == (0, 6)


def test_a_changed_photo_is_labeled_again(folder: Folder) -> None:
    assert folder.redone(lambda: kit.draw(40, 900).save(folder.color / "3_500.png")) == {"3_500"}
    assert folder.ids()["3_500"] == 40


def test_another_threshold_model_or_overwrite_labels_all_again(folder: Folder, modest: Path) -> None:
    everything = set(folder.ids())
    assert folder.redone(lambda: None, threshold=0.9) == everything
    assert folder.redone(lambda: None, threshold=0.9) == set()
    assert folder.redone(lambda: None, threshold=0.9, model_path=modest) == everything
    assert folder.redone(lambda: None, threshold=0.9, model_path=modest, overwrite=True) == everything


def test_a_new_photo_is_labeled_alone(folder: Folder) -> None:
    assert folder.redone(lambda: kit.draw(40, 901).save(folder.color / "aa.png")) == {"aa"}
    assert folder.ids()["aa"] == 40


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x01\x00half", b"text", b"\x80\x04pickle"])
def test_a_damaged_label_is_made_again(folder: Folder, data: bytes) -> None:
    before = folder.content()
    assert folder.redone(lambda: folder.label("17_500").write_bytes(data)) == {"17_500"}
    assert folder.content() == before


@pytest.mark.parametrize("value", [
    np.array([17], np.int32), np.array(17), np.array([17, 17]), np.array([17.0]), np.array([77]), np.array([-1]),
])
def test_a_label_of_another_kind_or_of_no_class_is_made_again(folder: Folder, value: np.ndarray) -> None:
    before = folder.content()
    assert folder.redone(lambda: np.save(folder.label("17_500"), value)) == {"17_500"}
    assert folder.content() == before


# What a person decided


def decide(folder: Folder, stem: str, class_id: int) -> Callable[[], object]:
    """What a person does who writes a label file."""
    return lambda: write_label(folder.label(stem), class_id)


def is_human(folder: Folder, stem: str, class_id: int) -> bool:
    """Whether the file and the table both say that a person gave this class."""
    row = folder.rows()[stem]
    return (folder.ids()[stem], row.class_id, row.class_name, row.source, row.confidence) == (
        class_id, class_id, kit.TABLE.names[class_id], "human", "")


@pytest.mark.parametrize("changes", [{}, {"overwrite": True}, {"threshold": 0.9}])
def test_a_label_that_a_person_changed_stays(folder: Folder, changes: dict) -> None:
    decide(folder, "3_500", 40)()
    assert folder.run(**changes).facts["human"] == 1
    assert is_human(folder, "3_500", 40)
    # From then on whatever happens to the file, the photo or the model.
    folder.label("3_500").unlink()
    kit.draw(17, 900).save(folder.color / "3_500.png")
    folder.run(overwrite=True)
    assert is_human(folder, "3_500", 40)
    folder.label("3_500").write_bytes(b"damaged")
    folder.run()
    assert is_human(folder, "3_500", 40)


def test_a_person_may_change_their_mind(folder: Folder) -> None:
    for class_id in (40, 50, 3, 99):
        decide(folder, "3_500", class_id)()
        folder.run(overwrite=True)
        assert is_human(folder, "3_500", class_id)


def test_the_others_are_not_taken_for_a_persons(folder: Folder) -> None:
    decide(folder, "3_500", 40)()
    assert folder.run().facts["human"] == 1
    assert {row.source for name, row in folder.rows().items() if name != "3_500"} == {"model"}


def test_a_decision_written_into_the_table_counts(folder: Folder) -> None:
    edit_table(folder, "3_500", 40)
    folder.run()
    assert is_human(folder, "3_500", 40)
    edit_table(folder, "17_500", 17)
    folder.run(overwrite=True)
    assert is_human(folder, "17_500", 17) and is_human(folder, "3_500", 40)


def edit_row(folder: Folder, stem: str, class_id: int) -> None:
    """Change the id in labels.csv and nothing else, as in a spreadsheet."""
    rows = folder.rows()
    rows[stem].class_id = class_id
    write_label_rows(table_path(folder.labels), rows)


def test_an_edited_table_counts_and_the_last_edit_wins(folder: Folder) -> None:
    stem, first = next(iter(folder.ids().items()))
    second, third = [class_id for class_id in kit.TABLE.ids if class_id != first][:2]
    for class_id in (second, third, second):
        edit_row(folder, stem, class_id)
        folder.run()
        assert folder.ids()[stem] == class_id
    decide(folder, stem, first)()
    folder.run(overwrite=True)
    assert is_human(folder, stem, first)


def test_what_a_person_decided_outlives_a_photo_that_is_away(folder: Folder) -> None:
    decide(folder, "3_500", 40)()
    folder.run()
    photo = folder.color / "3_500.png"
    shutil.move(photo, folder.root / "away.png")
    folder.run()
    shutil.move(folder.root / "away.png", photo)
    folder.run()
    assert is_human(folder, "3_500", 40)


def test_labels_of_two_killed_runs_are_not_taken_for_a_persons(
    folder: Folder, modest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first of them ends behind the unknown class in the files, the second before its own ids are there.
    for model, threshold, name in ((modest, 1.0, "write_label_rows"), (folder.model_path, 0.0, "write_label")):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            kill_at_call(patch, label_module, name, 1)
            folder.run(model_path=model, threshold=threshold)
        assert set(folder.ids().values()) == {99}
    assert folder.run(threshold=0.2).facts["human"] == 0
    assert folder.ids() == {stem: kit.true_id(stem) for stem in folder.ids()}


def test_a_decision_between_two_runs_of_a_killed_one_stays(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at_call(patch, label_module, "write_label_rows", 1)
        folder.run(threshold=0.9)
    decide(folder, "3_500", 50)()
    folder.run(threshold=0.9)
    assert is_human(folder, "3_500", 50)


def test_a_label_of_unknown_origin_is_replaced_and_kept(trained: kit.Trained, tmp_path: Path) -> None:
    folder = Folder(tmp_path, trained.model_path)
    kit.photo_folder(folder.color, 1)
    folder.labels.mkdir()
    write_label(folder.label("3_500"), 17)
    folder.label("40_500").write_bytes(b"not even a label")
    report = folder.run()
    assert folder.ids() == {"3_500": 3, "17_500": 17, "40_500": 40}
    kept = folder.root / "labels_replaced"
    assert {path.name for path in kept.iterdir()} == {"3_500.npy", "40_500.npy"}
    assert read_label(kept / "3_500.npy") == 17
    assert (kept / "40_500.npy").read_bytes() == b"not even a label"
    assert any(str(kept) in line and line.startswith("2 ") for line in report.messages)
    assert {row.source for row in folder.rows().values()} == {"model"}
