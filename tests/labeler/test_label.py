"""One label file per photo, with the id that the model and the table say; what cannot be labeled is named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.labeler.checkpoint import load_checkpoint
from npylabel.labeler.demo_score import demo_score, write_truth
from npylabel.photos.manifest import PhotoRow, write_rows
from tests.labeler import kit
from tests.labeler.label_kit import Folder, edit_table, save_changed

NO_UNKNOWN = ClassTable({3: "небо", 17: "дом", 40: "арбуз", 50: "лес"})


def test_each_photo_gets_the_id_of_its_class(folder: Folder) -> None:
    assert folder.ids() == {stem: kit.true_id(stem) for stem in (
        "3_500", "3_501", "17_500", "17_501", "40_500", "40_501")}
    assert {name: (row.class_id, row.class_name, row.source) for name, row in folder.rows().items()} == {
        stem: (class_id, kit.TABLE.names[class_id], "model") for stem, class_id in folder.ids().items()}


def test_label_files_are_one_int64(folder: Folder) -> None:
    for path in folder.labels.iterdir():
        value = np.load(path)
        assert (value.dtype, value.shape) == (np.int64, (1,))
    assert sorted(path.name for path in folder.root.iterdir()) == ["color", "labels", "labels.csv"]


@pytest.mark.parametrize("name", ["a.jpg", "b.JPG", "c.jpeg", "d.JpEg", "e.PNG", "ёлка 1.png", "x.y.jpg"])
@pytest.mark.parametrize("size", [(32, 32), (301, 77), (60, 500)])
def test_names_and_sizes(trained: kit.Trained, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    folder = Folder(tmp_path, trained.model_path)
    folder.color.mkdir()
    kit.draw(17, 1, (64, 64)).resize(size).save(folder.color / name)
    folder.run(threshold=0)
    assert set(folder.ids()) == {name.rpartition(".")[0]}


def test_gray_and_transparent_photos(trained: kit.Trained, tmp_path: Path) -> None:
    folder = Folder(tmp_path, trained.model_path)
    folder.color.mkdir()
    for mode in ("L", "P", "RGBA", "LA", "1"):
        kit.draw(3, 1).convert(mode).save(folder.color / f"{mode}.png")
    assert folder.run(threshold=0).facts["labels"] == 5


def test_below_the_threshold_a_photo_is_of_the_unknown_class(folder: Folder, modest: Path) -> None:
    folder.run(model_path=modest, threshold=0)
    lowest, *_others, highest = sorted(float(row.confidence) for row in folder.rows().values())
    threshold = round((lowest + highest) / 2, 3)
    folder.run(model_path=modest, threshold=threshold)
    for row in folder.rows().values():
        unsure = float(row.confidence) < threshold
        assert row.class_id == folder.ids()[row.name] == (99 if unsure else kit.true_id(row.name))
        assert int(row.best_class_id) == kit.true_id(row.name) and row.threshold == str(threshold)
    assert len({row.class_id == 99 for row in folder.rows().values()}) == 2


def test_confidences_are_those_of_the_model(folder: Folder, modest: Path) -> None:
    folder.run(model_path=modest, threshold=0)
    model = load_checkpoint(modest)
    for name, row in folder.rows().items():
        large = Image.open(folder.color / f"{name}.png").resize((36, 36), Image.Resampling.LANCZOS)
        pixels = np.asarray(large.crop((2, 2, 34, 34)))
        images = (np.float32(pixels) / 255 - model.mean) / model.std
        tensor = torch.tensor(images, dtype=torch.float32).permute(2, 0, 1)[None]
        logits = kit.original_logits(model.state_dict, tensor)[0, [0, 1, 2]].numpy() / 40
        shares = np.exp(logits) / np.exp(logits).sum()
        assert float(row.confidence) == pytest.approx(shares.max(), abs=5e-4)


def test_a_class_without_training_photos_never_comes_out(folder: Folder, trained: kit.Trained) -> None:
    weights = dict(load_checkpoint(trained.model_path).state_dict)
    weights["fc2.bias"] = weights["fc2.bias"] + torch.tensor([0.0, 0.0, 0.0, 500.0, 500.0])
    model = save_changed(trained.model_path, folder.root / "m.pth", state_dict=weights)
    folder.run(model_path=model, threshold=0)
    assert all(row.class_id == kit.true_id(name) and float(row.confidence) > 0.5
               for name, row in folder.rows().items())


def test_threshold_and_unknown_class(trained: kit.Trained, tmp_path: Path) -> None:
    model = save_changed(trained.model_path, tmp_path / "m.pth", classes=NO_UNKNOWN.to_json(), temperature=40.0,
                         classes_sha256=NO_UNKNOWN.sha256, state_dict=_without_last_output(trained.model_path))
    folder = Folder(tmp_path, model)
    kit.photo_folder(folder.color, 2)
    with pytest.raises(NpyLabelError) as error:
        folder.run(table=NO_UNKNOWN, threshold=0.5)
    assert error.value.code == "no_unknown_class"
    folder.run(table=NO_UNKNOWN, threshold=0)
    assert folder.ids() == {stem: kit.true_id(stem) for stem in folder.ids()} and len(folder.ids()) == 6


def _without_last_output(model_path: Path) -> dict:
    weights = load_checkpoint(model_path).state_dict
    return {name: value[:4] if name.startswith("fc2") else value for name, value in weights.items()}


# What cannot be labeled


def test_unreadable_photos_are_listed(folder: Folder) -> None:
    whole = (folder.color / "3_500.png").read_bytes()
    (folder.color / "bad.png").write_bytes(whole[:200])
    (folder.color / "empty.jpg").write_bytes(b"")
    (folder.color / "text.jpeg").write_bytes(b"this is no picture")
    report = folder.run()
    assert report.facts["unreadable"] == {
        "bad.png": "truncated", "empty.jpg": "empty_file", "text.jpeg": "not_an_image"}
    assert report.faulty and report.exit_code == 1
    assert set(folder.ids()) == set(folder.rows()) and len(folder.ids()) == 6
    assert report.measured["kept"] == 6 and report.measured["labeled_now"] == 0
    assert all(any(name in line for line in report.messages) for name in ("bad.png", "empty.jpg", "text.jpeg"))


def test_a_good_run_has_no_faults(folder: Folder) -> None:
    report = folder.run()
    assert report.exit_code == 0 and report.facts["unreadable"] == {}
    assert report.facts["ids_in_table"] is True and report.facts["photos"] == 6


def test_other_entries_are_named(folder: Folder) -> None:
    kit.photo_folder(folder.color / "holiday", 1)
    (folder.color / "notes.txt").write_text("x")
    kit.draw(3, 1).save(folder.color / "new.webp")
    (folder.color / ".DS_Store").write_bytes(b"x")
    report = folder.run()
    assert report.facts["folders_not_read"] == ["holiday"] and report.facts["photos"] == 6
    assert any("holiday" in line for line in report.messages)
    assert any("notes.txt" in line and "new.webp" in line for line in report.messages)
    assert not any("DS_Store" in line for line in report.messages)


@pytest.mark.parametrize("names", [
    ("x.png", "x.jpg"), ("x.png", "x.PNG"), ("X.png", "x.jpg"), ("\u0451.png", "\u0435\u0308.jpg"),
])
def test_two_photos_with_one_stem(trained: kit.Trained, tmp_path: Path, names: tuple[str, str]) -> None:
    folder = Folder(tmp_path, trained.model_path)
    folder.color.mkdir()
    for index, name in enumerate(names):
        kit.draw(3, index).save(folder.color / name)
    with pytest.raises(NpyLabelError) as error:
        folder.run()
    assert error.value.code == "same_stem"
    assert all(name in error.value.what for name in names)
    assert not folder.labels.exists()


def test_folders_without_photos(trained: kit.Trained, tmp_path: Path) -> None:
    folder = Folder(tmp_path, trained.model_path)
    for code in ("input_missing", "no_pictures"):
        with pytest.raises(NpyLabelError, match=str(folder.color)) as error:
            folder.run()
        assert error.value.code == code
        (folder.color / "inner").mkdir(parents=True, exist_ok=True)
    assert "inner" in error.value.what


@pytest.mark.parametrize("changes", [{"threshold": 1.5}, {"threshold": -0.1}, {"batch_size": 0}, {"device": "gpu"}])
def test_wrong_parameters(folder: Folder, changes: dict) -> None:
    before = folder.content()
    with pytest.raises(NpyLabelError) as error:
        folder.run(overwrite=True, **changes)
    assert error.value.code == "bad_parameter"
    assert str(next(iter(changes.values()))) in error.value.what
    assert folder.content() == before


def test_a_demo_dataset_refuses_an_own_model(folder: Folder) -> None:
    write_rows(folder.root, [PhotoRow("3_500", "demo/3.png", made_from="demo")])
    with pytest.raises(NpyLabelError, match="mixed_worlds"):
        folder.run()
    write_rows(folder.root, [PhotoRow("3_500", "phone/3.png", made_from="own")])
    assert folder.run().facts["labels"] == 6


def test_an_own_dataset_refuses_a_demo_model(folder: Folder, trained: kit.Trained) -> None:
    demo = save_changed(trained.model_path, folder.root / "demo.pth", made_from="demo")
    write_rows(folder.root, [PhotoRow("3_500", "phone/3.png", made_from="own")])
    with pytest.raises(NpyLabelError, match="mixed_worlds"):
        folder.run(model_path=demo)


# How well drawn photos were named


def test_the_demo_score_counts_right_best_classes(folder: Folder) -> None:
    names = list(folder.rows())
    write_rows(folder.root, [PhotoRow(name, f"photos/{name}.jpg", made_from="demo") for name in names])
    truth = {f"{name}.jpg": kit.TABLE.names[kit.true_id(name)] for name in names}
    truth["3_500.jpg"] = "лес"
    write_truth(folder.root, truth)
    assert demo_score(folder.root, folder.labels, kit.TABLE) == {
        "demo_best_class_right": round(5 / 6, 4), "demo_below_threshold": 0.0}
    edit_table(folder, "17_500", 99)
    assert demo_score(folder.root, folder.labels, kit.TABLE)["demo_below_threshold"] == round(1 / 6, 4)


def test_own_photos_have_no_demo_score(folder: Folder) -> None:
    assert demo_score(folder.root, folder.labels, kit.TABLE) == {}
