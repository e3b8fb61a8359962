"""The original's weights name every photo as the original would have, with the ids of the table."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base.classes import ClassTable, load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.dataset.labels import read_label_rows, table_path
from npylabel.labeler import predict
from npylabel.labeler.label import label_photos
from tests.labeler import kit

TABLE: ClassTable = load_classes(Path(__file__).parents[2] / "classes.json")
# Folders of the original's training data: their sorted order is not the order of their ids.
FOLDERS = ["машина", "дом", "ковёр", "глаза", "цветок", "небо", "звёзды"]
IDS = {name: next(i for i, known in TABLE.names.items() if known == name) for name in FOLDERS}


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network sees groups of 4 instead of 32: at 512 px each costs a second."""
    monkeypatch.setattr(predict, "CHUNK", 4)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of 512 px, which no resizing touches."""
    folder = tmp_path_factory.mktemp("photos") / "color"
    folder.mkdir()
    for index in range(8):
        as_image(kit.spots(index, 512)).save(folder / f"{index}.png")
    return folder


def as_image(picture: torch.Tensor) -> Image.Image:
    """The picture ``(3, h, w)`` in 0-1 as Pillow holds it."""
    return Image.fromarray((picture.permute(1, 2, 0) * 255).round().byte().numpy())


def save_weights(path: Path, outputs: int, wrapped: bool = False) -> Path:
    """Random weights of the original in a file, bare or as the original's checkpoints hold them."""
    weights = kit.original_weights(outputs, 512)
    torch.save({"epoch": 5, "model_state_dict": weights, "loss": 0.3} if wrapped else weights, path)
    return path


def original_ids(folder: Path, weights: dict, entries: list[str]) -> dict[str, int]:
    """What the original would have said: its outputs count the sorted entries of the training folder."""
    places = {name: place for place, name in enumerate(sorted(entries))}
    result = {}
    for path in sorted(folder.iterdir()):
        pixels = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None] / 255
        logits = kit.original_logits(weights, pixels)[0]
        # Only outputs that stand for a class folder can be meant.
        best = max((name for name in entries if name in IDS), key=lambda name: logits[places[name]].item())
        result[path.stem] = IDS[best]
    return result


def labels(folder: Path, model: Path, order: str, out: Path, table: ClassTable = TABLE) -> dict[str, int]:
    """The ids in the label files that ``label_photos`` writes."""
    label_photos(folder, out, model, table, threshold=0, legacy_order=order, device="cpu")
    return {path.stem: int(np.load(path)[0]) for path in sorted(out.iterdir())}


def error_of(tmp_path: Path, model: Path, order: str) -> NpyLabelError:
    """The error that labeling with these weights gives."""
    with pytest.raises(NpyLabelError) as error:
        labels(kit.photo_folder(tmp_path / "few", 1), model, order, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    return error.value


def test_the_folders_are_a_fair_case() -> None:
    assert [IDS[name] for name in sorted(FOLDERS)] != sorted(IDS.values())


@pytest.mark.parametrize(("outputs", "wrapped"), [(7, False), (100, True)])
def test_a_list_of_names_gives_the_ids_of_the_table(
    photos: Path, tmp_path: Path, outputs: int, wrapped: bool
) -> None:
    model = save_weights(tmp_path / "old.pth", outputs, wrapped)
    found = labels(photos, model, ", ".join(sorted(FOLDERS)), tmp_path / "labels")
    assert found == original_ids(photos, kit.original_weights(outputs, 512), FOLDERS)
    assert len(set(found.values())) >= 3


def test_a_folder_gives_the_same(photos: Path, tmp_path: Path) -> None:
    model = save_weights(tmp_path / "old.pth", 7)
    for name in FOLDERS:
        (tmp_path / "train_data" / name).mkdir(parents=True)
    listed = labels(photos, model, ",".join(sorted(FOLDERS)), tmp_path / "labels")
    assert labels(photos, model, str(tmp_path / "train_data"), tmp_path / "other" / "labels") == listed


def test_an_entry_that_was_no_class_took_a_number(photos: Path, tmp_path: Path) -> None:
    model = save_weights(tmp_path / "old.pth", 9)
    entries = [".ipynb_checkpoints", *FOLDERS, "readme.txt"]
    order = ",".join(name if name in IDS else "-" for name in sorted(entries))
    assert order.startswith("-,-,глаза")
    found = labels(photos, model, order, tmp_path / "labels")
    assert found == original_ids(photos, kit.original_weights(9, 512), entries)
    assert found != original_ids(photos, kit.original_weights(9, 512), FOLDERS)


def test_photos_are_brought_to_512_pixels(tmp_path: Path) -> None:
    model = save_weights(tmp_path / "old.pth", 7)
    for name in ("color", "small"):
        (tmp_path / name).mkdir()
    for index in range(4):
        large = as_image(kit.spots(index, 700))
        large.save(tmp_path / "color" / f"{index}.png")
        large.resize((512, 512), Image.Resampling.LANCZOS).save(tmp_path / "small" / f"{index}.png")
    found = labels(tmp_path / "color", model, ",".join(sorted(FOLDERS)), tmp_path / "labels")
    assert found == original_ids(tmp_path / "small", kit.original_weights(7, 512), FOLDERS)


def test_the_confidence_is_shared_by_the_folders_alone(photos: Path, tmp_path: Path) -> None:
    model, out = save_weights(tmp_path / "old.pth", 100), tmp_path / "labels"
    label_photos(photos, out, model, TABLE, threshold=0, legacy_order="глаза,дом", device="cpu")
    rows = read_label_rows(table_path(out)).values()
    assert len(rows) == 8
    assert all(float(row.confidence) >= 0.5 and row.class_name in ("глаза", "дом") for row in rows)


@pytest.mark.parametrize("order", ["", "  "])
def test_without_an_order(tmp_path: Path, order: str) -> None:
    error = error_of(tmp_path, save_weights(tmp_path / "old.pth", 7), order)
    assert error.code == "legacy_order_missing"
    assert "7 outputs" in error.what and "legacy_order" in error.fix


@pytest.mark.parametrize(("order", "part"), [
    ("глаза,дом,ковёр,небо", "4 names for 3 outputs"), ("глаза,домик", "домик"), ("глаза,глаза", "2 names"),
    ("-,-", "2 names"), ("глаза;дом", "глаза;дом"), ("./no/such/folder", "./no/such/folder"),
])
def test_a_wrong_order(tmp_path: Path, order: str, part: str) -> None:
    error = error_of(tmp_path, save_weights(tmp_path / "old.pth", 3), order)
    assert error.code == "legacy_order_wrong"
    assert part in error.what


@pytest.mark.parametrize("change", [
    {"fc1.weight": torch.zeros(256, 4096)}, {"conv4.weight": torch.zeros(2)}, {"conv1.bias": None},
    {"fc2.bias": torch.zeros(4)}, {"fc2.bias": torch.tensor(1.0)}, {"conv2.weight": "text"},
])
def test_other_shapes(tmp_path: Path, change: dict) -> None:
    weights = {name: value for name, value in {**kit.original_weights(3), **change}.items() if value is not None}
    torch.save(weights, tmp_path / "old.pth")
    error = error_of(tmp_path, tmp_path / "old.pth", "глаза,дом,небо")
    assert error.code == "legacy_shapes"
    assert next(iter(change)).partition(".")[0] in error.what


def test_original_weights_are_never_a_start_for_training(tmp_path: Path) -> None:
    data = kit.class_folders(tmp_path / "data", 5)
    model = save_weights(tmp_path / "tiny.pth", 5)
    before = model.read_bytes()
    report = kit.train(data, model, epochs=1)
    moved = tmp_path / "archive" / "tiny_1" / "tiny.pth"
    assert moved.read_bytes() == before
    assert any(str(moved.parent) in line for line in report.messages)
    fresh = kit.train(data, tmp_path / "fresh" / "m.pth", epochs=1)
    assert report.measured["train_loss"] == fresh.measured["train_loss"]
