"""The photos of a dataset to train on: classes from the label files, sides as in the export."""

from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import read_csv
from npylabel.dataset.dataset_photos import NO_CLASS, load_dataset_photos
from npylabel.dataset.export import EXPORT_TABLE, export_dataset
from npylabel.dataset.labels import write_label
from npylabel.dataset.training_data import TrainingData
from npylabel.dataset.verify import verify_dataset
from npylabel.photos.demo import write_demo_photos
from tests.dataset.class_kit import TABLE
from tests.photos.collect_kit import collect


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn photos as a dataset with a label for each; every fifth is of the unknown class."""
    root = tmp_path_factory.mktemp("made")
    write_demo_photos(root / "photos", photos_per_class=2)
    collect(root / "photos", root / "dataset", made_from="demo")
    (root / "dataset/labels").mkdir()
    for number, path in enumerate(sorted((root / "dataset/color").iterdir())):
        class_id = TABLE.unknown_id if number % 5 == 0 else TABLE.ids[number % 7]
        write_label(root / f"dataset/labels/{path.stem}.npy", class_id)
    return root / "dataset"


def load(dataset: Path, **changes: object) -> TrainingData:
    values = {"val_fraction": 0.2, "test_fraction": 0.1, "random_seed": 3, **changes}
    return load_dataset_photos(dataset, TABLE, **values)


def test_classes_come_from_the_label_files(dataset: Path) -> None:
    data = load(dataset)
    ids = {photo.path.stem: photo.class_id for photo in data.photos}
    names = sorted(ids)
    assert [ids[name] for name in names[:4]] == [NO_CLASS, *TABLE.ids[1:4]], "the unknown class tells nothing"
    assert data.made_from == "demo" and {photo.path.parent.name for photo in data.photos} == {"color"}


def test_a_label_that_is_missing_or_damaged_is_none(dataset: Path) -> None:
    first, second = sorted((dataset / "labels").iterdir())[1:3]
    contents = first.read_bytes(), second.read_bytes()
    try:
        first.unlink()
        second.write_bytes(contents[1][:-3])
        ids = {photo.path.stem: photo.class_id for photo in load(dataset).photos}
        assert ids[first.stem] == ids[second.stem] == NO_CLASS and len(set(ids.values())) > 3
    finally:
        first.write_bytes(contents[0])
        second.write_bytes(contents[1])


def test_sides_are_those_of_the_export(dataset: Path, tmp_path: Path) -> None:
    verification = verify_dataset(dataset, TABLE, size_px=64, workers=1)
    export_dataset(verification, tmp_path / "export", val_fraction=0.2, test_fraction=0.1, random_seed=3)
    exported = {row["name"]: row["split"] for row in read_csv(tmp_path / "export" / EXPORT_TABLE)}
    assert exported == {photo.path.stem: photo.split for photo in load(dataset).photos}
    assert set(exported.values()) == {"train", "val", "test"}
    assert load(dataset, random_seed=4).split_sha256 != load(dataset).split_sha256


@pytest.mark.parametrize(("changes", "code"), [
    ({"val_fraction": 0.7, "test_fraction": 0.3}, "bad_parameter"), ({"val_fraction": -0.1}, "bad_parameter"),
])
def test_impossible_fractions(dataset: Path, changes: dict, code: str) -> None:
    with pytest.raises(NpyLabelError) as error:
        load(dataset, **changes)
    assert error.value.code == code


def test_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as error:
        load(tmp_path)
    assert error.value.code == "dataset_missing"
