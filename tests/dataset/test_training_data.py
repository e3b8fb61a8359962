"""The training folder as training reads it: made by step 02, by hand, or by both."""

import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.errors import NpyLabelError
from npylabel.dataset import photo_memo, training_data
from npylabel.dataset.build import build_training_data
from npylabel.dataset.training_data import TrainingData, class_counts, load_training_data
from tests.dataset.class_kit import ID_OF, TABLE, lay_classes
from tests.photos.collect_kit import lay_file, photo


def load(data_path: Path, val_fraction: float = 0.15, random_seed: int = 42) -> TrainingData:
    return load_training_data(data_path, TABLE, val_fraction=val_fraction, random_seed=random_seed)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    source = lay_classes(tmp_path / "own", дом=12, небо=7)
    build_training_data(source, tmp_path / "train_data", TABLE, size_px=64, workers=1, fit="pad")
    return tmp_path / "train_data"


def sides(loaded: TrainingData) -> dict[str, str]:
    return {photo.path.name: photo.split for photo in loaded.photos}


def test_what_step_02_made_is_read_as_it_was_made(data: Path) -> None:
    loaded = load(data)
    assert class_counts(loaded.photos) == {12: 12, ID_OF["небо"]: 7}
    assert Counter(photo.split for photo in loaded.photos) == {"train": 16, "val": 3}
    assert (loaded.made_from, loaded.fit, loaded.by_hand, loaded.unusable) == ("own", "pad", 0, [])
    assert len(loaded.of("val")) == 3 and all(photo.path.is_file() for photo in loaded.photos)


def test_the_table_and_not_the_parameters_decides_about_listed_photos(data: Path) -> None:
    assert sides(load(data, 0.5, random_seed=1)) == sides(load(data))


def test_a_folder_made_by_hand_gets_the_same_kind_of_split(tmp_path: Path) -> None:
    hand = lay_classes(tmp_path / "hand", дом=20, небо=10)
    loaded = load(hand)
    assert Counter((photo.class_id, photo.split) for photo in loaded.photos) == {
        (12, "train"): 17, (12, "val"): 3, (ID_OF["небо"], "train"): 8, (ID_OF["небо"], "val"): 2}
    assert (loaded.by_hand, loaded.fit, loaded.made_from) == (30, "crop", "own")
    assert sides(load(hand)) == sides(loaded) != sides(load(hand, random_seed=1))
    assert not (hand / "split.csv").exists()


def test_sides_that_lie_above_the_classes_are_kept(tmp_path: Path) -> None:
    lay_classes(tmp_path / "hand" / "train", дом=5, небо=5)
    lay_classes(tmp_path / "hand" / "test", лес=2)
    lay_file(tmp_path / "hand" / "val" / "дом" / "v.jpg", photo("v"))
    loaded = load(tmp_path / "hand")
    assert sides(loaded)["v.jpg"] == "val"
    assert {photo.split for photo in loaded.photos if photo.class_id == ID_OF["лес"]} == {"test"}


def test_copies_in_a_folder_made_by_hand_are_on_one_side(tmp_path: Path) -> None:
    hand = lay_classes(tmp_path / "hand", дом=8)
    for number in range(8):
        with Image.open(hand / "дом" / f"дом{number}.jpg") as image:
            image.resize((200, 150)).save(hand / "дом" / f"copy{number}.jpg", quality=80)
    for random_seed in range(4):
        found = sides(load(hand, 0.3, random_seed))
        assert all(found[f"copy{n}.jpg"] == found[f"дом{n}.jpg"] for n in range(8))
        assert set(found.values()) == {"train", "val"}


def test_photos_added_by_hand_are_used(data: Path) -> None:
    before = sides(load(data))
    lay_file(data / "дом" / "new.jpg", photo("new"))
    lay_classes(data, лес=4)
    loaded = load(data)
    assert loaded.by_hand == 5 and class_counts(loaded.photos) == {12: 13, ID_OF["небо"]: 7, ID_OF["лес"]: 4}
    found = sides(loaded)
    assert {name: found[name] for name in before} == before
    assert Counter(found[f"лес{n}.jpg"] for n in range(4)) == {"train": 3, "val": 1}


def test_near_copies_of_listed_photos_go_to_their_side(data: Path) -> None:
    before = sides(load(data))
    for name in before:
        path = next(data.glob(f"*/{name}"))
        with Image.open(path) as image:
            image.convert("RGB").save(path.with_name(f"copy {path.stem}.jpg"), quality=80)
    found = sides(load(data))
    assert len(found) == 2 * len(before)
    assert {name: found[f"copy {Path(name).stem}.jpg"] for name in before} == before


def test_the_folder_decides_the_class_whatever_the_table_says(data: Path) -> None:
    (data / "лес").mkdir()
    (data / "дом" / "дом5.png").rename(data / "лес" / "дом5.png")
    assert class_counts(load(data).photos) == {12: 11, ID_OF["небо"]: 7, ID_OF["лес"]: 1}


def test_photos_that_cannot_be_read_are_told(data: Path) -> None:
    lay_file(data / "дом" / "cut.jpg", photo("cut")[:900])
    lay_file(data / "дом" / "words.jpg", b"words")
    loaded = load(data)
    assert [path.name for path, _code in loaded.unusable] == ["cut.jpg", "words.jpg"]
    assert loaded.unusable[1][1] == "not_an_image" and len(loaded.photos) == 19


def test_deleted_photos_are_not_expected(data: Path) -> None:
    (data / "дом" / "дом5.png").unlink()
    assert class_counts(load(data).photos)[12] == 11


def test_the_checksum_of_the_split_sees_classes_sides_and_photos(data: Path) -> None:
    first = load(data).split_sha256
    assert load(data).split_sha256 == first and len(first) == 64
    (data / "лес").mkdir()
    (data / "дом" / "дом5.png").rename(data / "лес" / "дом5.png")
    second = load(data).split_sha256
    lay_file(data / "лес" / "new.jpg", photo("new"))
    assert len({first, second, load(data).split_sha256}) == 3


def test_the_checksum_does_not_depend_on_where_the_folder_lies(data: Path, tmp_path: Path) -> None:
    first = load(data).split_sha256
    assert load(data.rename(tmp_path / "elsewhere")).split_sha256 == first


def test_drawn_photos_are_known_as_such(tmp_path: Path) -> None:
    source = lay_classes(tmp_path / "own", дом=3, небо=3)
    build_training_data(source, tmp_path / "data", TABLE, size_px=64, workers=1, made_from="demo")
    assert load(tmp_path / "data").made_from == "demo"


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_photos_is_named(tmp_path: Path, make: bool) -> None:
    if make:
        (tmp_path / "train_data" / "дом").mkdir(parents=True)
    with pytest.raises(NpyLabelError) as caught:
        load(tmp_path / "train_data")
    assert caught.value.code == "no_train_data" and str(tmp_path / "train_data") in caught.value.what


def test_a_strange_folder_is_named(data: Path) -> None:
    lay_file(data / "домик" / "a.jpg", photo("a"))
    with pytest.raises(NpyLabelError) as caught:
        load(data)
    assert caught.value.code == "unknown_folder" and "'домик'" in caught.value.what


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "path,class_id\nдом/a.png,12\n"])
def test_a_table_that_was_harmed_is_named(data: Path, text: str) -> None:
    (data / "split.csv").write_text(text, "utf-8")
    if not text:
        assert load(data).by_hand == 19
        return
    with pytest.raises(NpyLabelError) as caught:
        load(data)
    assert caught.value.code == "split_damaged"


def test_a_table_saved_by_excel_is_read(data: Path) -> None:
    before = sides(load(data))
    text = (data / "split.csv").read_text("utf-8")
    (data / "split.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load(data).by_hand == 0 and sides(load(data)) == before


def test_photos_laid_by_hand_are_looked_at_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_memo, "SETTLED_NS", 0)
    (data / "split.csv").unlink()
    before = load(data)
    looked = []
    monkeypatch.setattr(training_data, "_look", lambda ref, row: looked.append(ref) or "unreadable")
    assert load(data) == before and looked == []
    path = before.photos[0].ref.path
    os.utime(path, ns=(10**18, 10**18))
    assert [path for path, _code in load(data).unusable] == [path] == [ref.path for ref in looked]
