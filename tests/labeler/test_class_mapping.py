"""A model of an older class table: outputs are read by name, merged ones added up, and no label changes its meaning."""

import contextlib
import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from npylabel.base.classes import UNKNOWN_NAME, ClassTable, classes_text, load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.class_changes import change_classes
from npylabel.dataset.labels import table_path, write_label, write_label_rows
from npylabel.labeler import label as label_module
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.class_mapping import map_classes
from npylabel.labeler.predict import Predictor
from tests.labeler import kit
from tests.labeler.label_kit import Folder, Killed, kill_at_call, save_changed

NAMES = kit.TABLE.names
# The same classes under other ids: 3 and 17 have changed places, 40 is new.
SWAPPED = ClassTable({3: "дом", 17: "небо", 41: "арбуз", 50: "лес", 99: UNKNOWN_NAME}, 99)
RENAMED = ClassTable({**NAMES, 17: "здание"}, 99, {"дом": 17})
MERGED = ClassTable({i: name for i, name in NAMES.items() if i != 17}, 99, {"дом": 3}, {17: 3})
LARGER = ClassTable({**NAMES, 60: "кот"}, 99)


def names_given(folder: Folder, table: ClassTable) -> dict[str, str]:
    """The class names that the label files stand for, by stem."""
    return {stem: table.names[class_id] for stem, class_id in folder.ids().items()}


def shown(folder: Folder) -> dict[str, str]:
    """The class names of what the photos show."""
    return {stem: NAMES[kit.true_id(stem)] for stem in folder.ids()}


def test_a_hundred_permuted_tables_give_a_hundred_times_the_right_names(trained: kit.Trained) -> None:
    checkpoint, draw = load_checkpoint(trained.model_path), random.Random(5)
    for _attempt in range(100):
        ids = draw.sample(range(200), len(NAMES))
        table = ClassTable(dict(sorted(zip(ids, NAMES.values(), strict=True))))
        mapping = map_classes(checkpoint, table)
        assert [table.names[now] for now in mapping.ids] == [NAMES[i] for i in checkpoint.trained_ids]


@pytest.mark.parametrize("order", list(itertools.permutations([3, 17, 40])))
def test_photos_get_the_name_of_what_they_show_whatever_the_ids(folder: Folder, order: tuple[int, ...]) -> None:
    table = ClassTable(dict(sorted(zip((*order, 50, 99), NAMES.values(), strict=True))), 99)
    folder.run(table=table)
    assert names_given(folder, table) == shown(folder)
    assert {row.class_name for row in folder.rows().values()} == {"небо", "дом", "арбуз"}
    assert all(row.best_class_name == row.class_name == table.names[row.class_id] for row in folder.rows().values())


@pytest.mark.parametrize("names", [
    {**NAMES, 17: "здание"}, {i: name for i, name in NAMES.items() if i != 40}, {**NAMES, 3: "3"},
    {3: "x", 17: "дом", 40: "арбуз", 7: "99"},
])
def test_a_trained_class_without_its_name_is_refused(folder: Folder, names: dict[int, str]) -> None:
    before = folder.content()
    with pytest.raises(NpyLabelError) as error:
        folder.run(table=ClassTable(names), threshold=0)
    assert error.value.code == "model_other_classes"
    missing = {NAMES[i] for i in kit.SHOWN} - set(names.values())
    assert all(name in error.value.what for name in missing)
    assert folder.content() == before


def test_digits_are_a_name_and_no_id() -> None:
    before = ClassTable({5: "12", 12: "дом"})
    checkpoint = type("C", (), {"table": before, "trained_ids": [5, 12]})()
    assert map_classes(checkpoint, ClassTable({12: "дом", 9: "12"})).ids == (9, 12)
    with pytest.raises(NpyLabelError, match="model_other_classes"):
        map_classes(checkpoint, ClassTable({12: "дом", 13: "лес"}))


def test_a_class_that_was_never_trained_may_go(folder: Folder) -> None:
    folder.run(table=ClassTable({3: "небо", 17: "дом", 40: "арбуз", 99: UNKNOWN_NAME}, 99))
    assert folder.ids() == {stem: kit.true_id(stem) for stem in folder.ids()}


def test_a_renamed_class_keeps_its_id(folder: Folder) -> None:
    report = folder.run(table=RENAMED)
    assert folder.ids() == {stem: kit.true_id(stem) for stem in folder.ids()}
    assert folder.rows()["17_500"].class_name == "здание"
    assert report.facts["classes_changed"] == {"renamed": 1, "merged": 0, "new": [], "other_id": 0}
    assert report.measured["labeled_now"] == 6, "rows of the older table are not current"
    assert folder.run(table=RENAMED).measured["labeled_now"] == 0


def test_merged_outputs_are_added_up(trained: kit.Trained) -> None:
    checkpoint = load_checkpoint(trained.model_path)
    checkpoint.temperature = 40.0
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    plain = Predictor(checkpoint, torch.device("cpu"))
    merged = Predictor(checkpoint, torch.device("cpu"), map_classes(checkpoint, MERGED))
    before, after = plain.probabilities(pixels), merged.probabilities(pixels)
    assert plain.class_ids.tolist() == [3, 17, 40] and merged.class_ids.tolist() == [3, 40]
    np.testing.assert_allclose(after, np.stack([before[:, 0] + before[:, 1], before[:, 2]], 1), atol=1e-6)


def test_permuted_columns_come_in_the_order_of_the_ids(trained: kit.Trained) -> None:
    checkpoint = load_checkpoint(trained.model_path)
    pixels = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)
    plain = Predictor(checkpoint, torch.device("cpu")).probabilities(pixels)
    swapped = Predictor(checkpoint, torch.device("cpu"), map_classes(checkpoint, SWAPPED))
    assert swapped.class_ids.tolist() == [3, 17, 41]
    assert np.array_equal(swapped.probabilities(pixels), plain[:, [1, 0, 2]])


def test_two_halves_of_a_merged_class_pass_the_threshold_together(folder: Folder, modest: Path) -> None:
    folder.run(model_path=modest, threshold=0)
    alone = {name: float(row.confidence) for name, row in folder.rows().items() if kit.true_id(name) != 40}
    threshold = round(max(alone.values()) + 0.01, 3)
    folder.run(model_path=modest, threshold=threshold)
    assert {folder.ids()[name] for name in alone} == {99}
    report = folder.run(model_path=modest, threshold=threshold, table=MERGED)
    assert {folder.ids()[name] for name in alone} == {3}
    assert report.facts["classes_changed"]["merged"] == 1


def test_a_new_class_is_said_to_wait_for_the_training(folder: Folder, tmp_path: Path) -> None:
    for number in range(35):
        path = tmp_path / "data" / "кот" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    report = folder.run(table=LARGER, data_path=tmp_path / "data")
    assert report.facts["classes_changed"]["new"] == ["кот"]
    assert any("until you train again: кот; 35 training photos" in line for line in report.messages)
    assert "classes_changed" not in folder.run(data_path=tmp_path / "data").facts


def test_another_meaning_of_the_same_ids_makes_labels_anew(folder: Folder) -> None:
    """Aliases are no part of the table's checksum, but what a label means depends on them."""
    first = ClassTable({3: "a", 17: "b", 40: "арбуз", 99: UNKNOWN_NAME}, 99, {"небо": 3, "дом": 17})
    second = ClassTable(first.names, 99, {"небо": 17, "дом": 3})
    assert first.sha256 == second.sha256
    folder.run(table=first)
    assert folder.ids()["3_500"] == 3
    folder.run(table=second)
    assert folder.ids()["3_500"] == 17 and folder.ids()["17_500"] == 3


# What a person decided


@pytest.mark.parametrize("seen_before", [False, True])
@pytest.mark.parametrize("away", [False, True])
def test_what_a_person_decided_keeps_its_name(folder: Folder, seen_before: bool, away: bool) -> None:
    write_label(folder.label("40_500"), 3)
    if seen_before:
        folder.run()
    if away and seen_before:
        folder.label("40_500").unlink()
    folder.run(table=SWAPPED, overwrite=True)
    assert names_given(folder, SWAPPED) == {**shown(folder), "40_500": "небо"}
    row = folder.rows()["40_500"]
    assert (row.source, row.class_id, row.class_name) == ("human", 17, "небо")
    folder.run(table=SWAPPED)
    assert folder.ids()["40_500"] == 17
    folder.run()
    assert folder.ids()["40_500"] == 3 and folder.rows()["40_500"].source == "human"


def test_a_decision_keeps_its_name_beside_a_model_of_the_new_table(folder: Folder, trained: kit.Trained) -> None:
    write_label(folder.label("40_500"), 3)
    model = save_changed(trained.model_path, folder.root / "new.pth", classes=SWAPPED.to_json(),
                         classes_sha256=SWAPPED.sha256, trained_ids=[3, 17, 41])
    folder.run(table=SWAPPED, model_path=model)
    assert folder.ids()["40_500"] == 17 and folder.rows()["40_500"].class_name == "небо"


def test_a_name_that_a_person_wrote_beside_another_id_misleads_nobody(folder: Folder, trained: kit.Trained) -> None:
    rows = folder.rows()
    rows["3_501"].class_name = "дом"
    write_label_rows(table_path(folder.labels), rows)
    write_label(folder.label("40_500"), 3)
    model = save_changed(trained.model_path, folder.root / "new.pth", classes=LARGER.to_json(),
                         classes_sha256=LARGER.sha256, state_dict=_with_output(trained.model_path))
    folder.run(table=LARGER, model_path=model)
    assert folder.ids()["40_500"] == 3 and folder.rows()["40_500"].class_name == "небо"


def _with_output(model_path: Path) -> dict:
    weights = load_checkpoint(model_path).state_dict
    return {name: torch.cat([value, value[:1]]) if name.startswith("fc2") else value for name, value in weights.items()}


def test_a_decision_that_nobody_can_read_any_more_is_not_guessed(folder: Folder, trained: kit.Trained) -> None:
    write_label(folder.label("40_500"), 50)
    table = ClassTable({3: "дом", 17: "небо", 41: "арбуз", 50: "кот", 99: UNKNOWN_NAME}, 99)
    model = save_changed(trained.model_path, folder.root / "new.pth", classes=table.to_json(),
                         classes_sha256=table.sha256, trained_ids=[3, 17, 41])
    before = folder.content()
    with pytest.raises(NpyLabelError, match="labels_other_classes"):
        folder.run(table=table, model_path=model)
    assert folder.content() == before


def test_a_table_edit_keeps_its_name(folder: Folder) -> None:
    rows = folder.rows()
    rows["40_500"].class_id = 3
    write_label_rows(table_path(folder.labels), rows)
    folder.run(table=SWAPPED)
    assert folder.ids()["40_500"] == 17 and folder.rows()["40_500"].class_name == "небо"


@pytest.mark.parametrize("name", ["write_label", "write_label_rows"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_kill_between_two_tables_gives_nobody_another_class(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    for stem, class_id in (("40_500", 3), ("3_500", 17), ("17_500", 40)):
        write_label(folder.label(stem), class_id)
    folder.run()
    with monkeypatch.context() as patch:
        kill_at_call(patch, label_module, name, number)
        with contextlib.suppress(Killed):
            folder.run(table=SWAPPED)
    folder.run(table=SWAPPED)
    wanted = {**shown(folder), "40_500": "небо", "3_500": "дом", "17_500": "арбуз"}
    assert names_given(folder, SWAPPED) == wanted
    assert {name for name, row in folder.rows().items() if row.source == "human"} == {"40_500", "3_500", "17_500"}


def test_labels_of_a_retired_id_go_over_by_themselves(folder: Folder) -> None:
    """Also where the labels lay somewhere else when the classes were changed."""
    write_label(folder.label("40_500"), 17)
    write_label(folder.label("40_501"), 17)
    folder.run()
    write_label(folder.label("40_501"), 40)
    folder.run(table=MERGED)
    assert folder.ids() == {"3_500": 3, "3_501": 3, "17_500": 3, "17_501": 3, "40_500": 3, "40_501": 40}
    assert {name for name, row in folder.rows().items() if row.source == "human"} == {"40_500", "40_501"}


def test_a_decision_for_a_class_that_is_gone_is_not_lost(folder: Folder) -> None:
    write_label(folder.label("40_500"), 50)
    before = folder.content()
    gone = ClassTable({**NAMES, 50: "чаща"}, 99)
    with pytest.raises(NpyLabelError) as error:
        folder.run(table=gone)
    assert error.value.code == "labels_other_classes" and "40_500" in error.value.what and "лес" in error.value.what
    assert folder.content() == before
    folder.run(table=ClassTable(gone.names, 99, {"лес": 50}))
    assert folder.ids()["40_500"] == 50 and folder.rows()["40_500"].class_name == "чаща"


# Training goes on


def test_another_name_alone_goes_on_with_the_training(tmp_path: Path) -> None:
    data, model = kit.class_folders(tmp_path / "data", 8), tmp_path / "models" / "m.pth"
    kit.train(data, model, epochs=2)
    report = kit.train(data, model, RENAMED, epochs=3)
    assert report.measured["epochs_now"] == 1 and kit.epochs_in(model) == [1, 2, 3]
    assert not (model.parent / "archive").exists() and any("other names" in line for line in report.messages)
    for epochs in (2, 3):
        kit.train(data, tmp_path / "same" / "m.pth", epochs=epochs)
    last, unbroken = (load_checkpoint(path / "m.last.pth") for path in (model.parent, tmp_path / "same"))
    assert all(torch.equal(last.state_dict[name], value) for name, value in unbroken.state_dict.items())
    assert last.table.names[17] == "здание" and unbroken.table.names[17] == "дом"
    twice = ClassTable({**NAMES, 17: "хата"}, 99, {"дом": 17, "здание": 17})
    assert kit.train(data, model, twice, epochs=3).measured["epochs_now"] == 0


@pytest.mark.parametrize("table", [LARGER, MERGED, SWAPPED, ClassTable({**NAMES, 50: "чаща"}, 99)])
def test_more_than_another_name_is_another_run(tmp_path: Path, table: ClassTable) -> None:
    data, model = kit.class_folders(tmp_path / "data", 6), tmp_path / "models" / "m.pth"
    kit.train(data, model, epochs=1)
    kit.train(data, model, table, epochs=1)
    assert (model.parent / "archive" / "m_1" / "m.pth").is_file()
    assert load_checkpoint(model).table.names == table.names


# From end to end


def test_three_classes_one_renamed_two_merged_one_new(tmp_path: Path) -> None:
    world = Places(tmp_path / "work")
    world.work_dir.mkdir()
    world.path("classes.json").write_text(classes_text(kit.TABLE), encoding="utf-8")
    source = kit.class_folders(tmp_path / "own", 12)

    def build() -> dict:
        report = build_training_data(source, world.path("train_data"), load_classes(world.path("classes.json")),
                                     size_px=48, workers=1)
        return {**report.facts, **report.measured}

    build()
    model = world.path("models/tiny_cnn.pth")
    kit.train(world.path("train_data"), model, epochs=5)
    folder = Folder(world.path("tintora_dataset"), model)
    kit.photo_folder(folder.color, 4)
    folder.run()
    assert folder.ids() == {stem: kit.true_id(stem) for stem in folder.ids()}
    write_label(folder.label("3_500"), 17)
    write_label(folder.label("40_500"), 50)

    report = change_classes(world, "дом > здание; арбуз > небо; + кот", confirm=True)
    assert report.facts["models"] == ["tiny_cnn"] and report.facts["done"]
    table = load_classes(world.path("classes.json"))
    assert table.find("кот") == 0
    assert build()["done_now"] == 0 and build()["per_class"] == {"небо": 24, "здание": 12}
    report = folder.run(table=table, data_path=world.path("train_data"))
    wanted = {stem: {3: 3, 17: 17, 40: 3}[kit.true_id(stem)] for stem in folder.ids()}
    assert folder.ids() == {**wanted, "3_500": 17, "40_500": 50}
    assert {name for name, row in folder.rows().items() if row.source == "human"} == {"3_500", "40_500"}
    assert folder.rows()["3_500"].class_name == "здание"
    assert report.facts["classes_changed"] == {"renamed": 1, "merged": 1, "new": ["кот"], "other_id": 0}

    kit.class_folders(source, 12, ClassTable({50: "кот"}), [50])
    assert build()["done_now"] == 12
    assert kit.train(world.path("train_data"), model, table, epochs=5).facts["classes"] == 3
    kit.photo_folder(folder.color, 2, [50])
    report = folder.run(table=table)
    assert "classes_changed" not in report.facts
    assert {folder.ids()[name] for name in ("50_500", "50_501")} == {0}
    assert folder.ids()["40_500"] == 50 and folder.ids()["40_501"] == 3
    assert len(read_csv(world.path("train_data") / "split.csv")) == 48
