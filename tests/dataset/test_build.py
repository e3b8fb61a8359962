"""Step 02: squares in class folders, a split that does not leak, and what a person moves by hand."""

import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.photos import prepare
from tests.dataset.class_kit import ID_OF, TABLE, lay_classes
from tests.photos.collect_kit import failing_write, lay_file, lay_photos, photo, times, tree
from tests.photos.zip_kit import write_zip


def build(source: Path, data_path: Path, table: ClassTable = TABLE, **options: object) -> StepReport:
    return build_training_data(source, data_path, table, **{"size_px": 64, "workers": 1, **options})


def split_rows(data_path: Path) -> dict[str, dict[str, str]]:
    """Rows of the table by the name of the original's file."""
    return {row["source"].rpartition("/")[2]: row for row in read_csv(data_path / "split.csv")}


def assert_agree(data_path: Path) -> None:
    """Asserts that the table names exactly the pictures that are there, each with the id of its folder."""
    listed = read_csv(data_path / "split.csv")
    assert sorted(row["path"] for row in listed) == sorted(times(data_path))
    assert all(ID_OF[row["path"].partition("/")[0]] == int(row["class_id"]) for row in listed)
    sides = defaultdict(set)
    for row in listed:
        sides[row["group"] or row["path"]].add(row["split"])
    assert all(len(found) == 1 for found in sides.values()), "a group is on two sides"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return lay_classes(tmp_path / "own", дом=12, небо=7, звёзды=1)


@pytest.fixture
def data(source: Path, tmp_path: Path) -> Path:
    build(source, tmp_path / "train_data")
    return tmp_path / "train_data"


def test_each_class_has_its_folder_its_id_and_its_share(source: Path, tmp_path: Path) -> None:
    before = tree(source)
    report = build(source, tmp_path / "train_data")
    assert_agree(tmp_path / "train_data")
    facts = {name: report.facts[name] for name in ("photos", "classes", "train", "val", "test", "class_ids_right")}
    assert facts == {"photos": 20, "classes": 3, "train": 17, "val": 3, "test": 0, "class_ids_right": True}
    assert report.facts["per_class"] == {"дом": 12, "небо": 7, "звёзды": 1}
    with Image.open(tmp_path / "train_data" / "дом" / "дом0.png") as image:
        assert (image.size, image.mode) == ((64, 64), "RGB")
    assert tree(source) == before


def test_the_table_begins_as_agreed(data: Path) -> None:
    assert (data / "split.csv").read_text("utf-8").startswith("path,class_id,split,group,")


def test_the_report_measures_against_the_guide(source: Path, tmp_path: Path) -> None:
    lines = build(source, tmp_path / "train_data").messages
    assert any(line.startswith("20 photos in 3 of 100 classes; the guide recommends 50-100") for line in lines)
    few = next(line for line in lines if line.startswith("Fewer than 50 photos: "))
    assert sorted(few.removesuffix(".").partition(": ")[2].split(", ")) == ["дом 12", "звёзды 1", "небо 7"]
    missing = next(line for line in lines if line.startswith("No photos"))
    assert "рот" in missing and "небо," not in missing and "неопределённый_объект" not in missing


def test_one_class_is_said_to_be_too_few(tmp_path: Path) -> None:
    one = build(lay_classes(tmp_path / "one", дом=3), tmp_path / "a")
    two = build(lay_classes(tmp_path / "two", дом=3, небо=3), tmp_path / "b")
    assert any("two classes are needed" in line for line in one.messages)
    assert not any("two classes are needed" in line for line in two.messages)


def test_a_second_run_does_nothing(source: Path, data: Path) -> None:
    before = tree(data), times(data)
    report = build(source, data)
    assert report.measured["done_now"] == 0 and report.measured["moved_by_hand"] == 0
    assert (tree(data), times(data)) == before


def test_a_zip_gives_the_same_as_the_folder(source: Path, data: Path, tmp_path: Path) -> None:
    files = {path.relative_to(source).as_posix(): path.read_bytes() for path in source.rglob("*.jpg")}
    build(write_zip(tmp_path / "own.zip", files), tmp_path / "other")
    without_tables = {name: checksum for name, checksum in tree(data).items() if name.endswith(".png")}
    assert {name: sum_ for name, sum_ in tree(tmp_path / "other").items() if name.endswith(".png")} == without_tables
    assert {name: row["split"] for name, row in split_rows(tmp_path / "other").items()} == {
        name: row["split"] for name, row in split_rows(data).items()}


def test_the_sides_depend_on_the_seed_only(source: Path, data: Path, tmp_path: Path) -> None:
    build(source, tmp_path / "again", workers=2)
    assert tree(tmp_path / "again") == tree(data)
    sides = []
    for random_seed in range(3):
        build(source, tmp_path / "seeds", random_seed=random_seed)
        sides.append(tuple(row["split"] for row in split_rows(tmp_path / "seeds").values()))
    assert len(set(sides)) > 1


def test_given_sides_are_kept(tmp_path: Path) -> None:
    source = lay_classes(tmp_path / "own" / "train", дом=6, небо=6)
    lay_photos(tmp_path / "own" / "valid" / "дом", "v0.jpg", "v1.jpg")
    report = build(source.parent, tmp_path / "train_data")
    assert report.facts["val"] == 3, "two given, and one drawn of the class that has none"
    found = split_rows(tmp_path / "train_data")
    assert {found[f"дом{n}.jpg"]["split"] for n in range(6)} == {"train"}
    assert found["v0.jpg"]["split"] == found["v1.jpg"]["split"] == "val"


def test_copies_of_a_photo_are_on_one_side(tmp_path: Path) -> None:
    source = lay_classes(tmp_path / "own", дом=8, небо=8)
    for number in range(8):
        with Image.open(source / "дом" / f"дом{number}.jpg") as image:
            image.save(source / "дом" / f"copy{number}.jpg", quality=70)
    report = build(source, tmp_path / "train_data")
    assert_agree(tmp_path / "train_data")
    found = split_rows(tmp_path / "train_data")
    assert all(found[f"copy{n}.jpg"]["split"] == found[f"дом{n}.jpg"]["split"] for n in range(8))
    assert report.facts["groups_of_alike"] == 8


def test_exact_copies_in_one_class_count_once(source: Path, tmp_path: Path) -> None:
    lay_file(source / "дом" / "z.jpg", photo("дом0"))
    report = build(source, tmp_path / "train_data")
    assert report.facts["photos"] == 20 and report.facts["reasons"] == {"exact_duplicate": 1}
    assert_agree(tmp_path / "train_data")


def test_unusable_photos_are_listed_and_the_others_go_on(source: Path, tmp_path: Path) -> None:
    lay_file(source / "дом" / "cut.jpg", photo("cut")[:900])
    lay_file(source / "небо" / "text.jpg", b"words")
    lay_file(source / "stray.jpg", photo("stray"))
    report = build(source, tmp_path / "train_data")
    assert report.facts["photos"] == 20 and sum(report.facts["reasons"].values()) == 2
    quarantine = read_csv(tmp_path / "train_data" / "quarantine.csv")
    assert [row["source"] for row in quarantine] == ["own/дом/cut.jpg", "own/небо/text.jpg"]
    assert any("own/stray.jpg" in line for line in report.messages)


def test_a_photo_in_two_classes_is_left_out_of_both(source: Path, tmp_path: Path) -> None:
    lay_file(source / "небо" / "same.jpg", photo("дом3"))
    report = build(source, tmp_path / "train_data")
    assert report.facts["reasons"] == {"two_classes": 2} and report.facts["photos"] == 19
    assert_agree(tmp_path / "train_data")
    before = tree(tmp_path / "train_data")
    assert build(source, tmp_path / "train_data").facts["reasons"] == {"two_classes": 2}
    assert tree(tmp_path / "train_data") == before


def test_a_photo_that_was_in_two_classes_comes_in_when_one_is_removed(source: Path, tmp_path: Path) -> None:
    lay_file(source / "небо" / "same.jpg", photo("дом3"))
    build(source, tmp_path / "train_data")
    (source / "небо" / "same.jpg").unlink()
    report = build(source, tmp_path / "train_data")
    assert report.facts["reasons"] == {} and report.facts["per_class"]["дом"] == 12
    assert_agree(tmp_path / "train_data")


def move(path: Path, folder: str) -> None:
    """Move a file into the folder of another class beside its own."""
    (path.parent.parent / folder).mkdir(exist_ok=True)
    path.rename(path.parent.parent / folder / path.name)


def test_a_result_moved_by_hand_keeps_the_persons_class(source: Path, data: Path) -> None:
    move(data / "дом" / "дом5.png", "лес")
    for moved in (1, 0):
        report = build(source, data)
        assert report.measured["moved_by_hand"] == moved and report.measured["done_now"] == 0
        assert report.facts["per_class"] == {"дом": 11, "небо": 7, "лес": 1, "звёзды": 1}
        assert_agree(data)
    row = split_rows(data)["дом5.jpg"]
    assert (row["path"], row["class_id"]) == ("лес/дом5.png", str(ID_OF["лес"]))


@pytest.mark.parametrize("options", [{"size_px": 48}, {"fit": "pad"}, {"random_seed": 7}])
def test_the_persons_class_survives_other_settings(source: Path, data: Path, options: dict) -> None:
    move(data / "дом" / "дом5.png", "лес")
    build(source, data)
    build(source, data, **options)
    assert split_rows(data)["дом5.jpg"]["path"] == "лес/дом5.png"
    assert_agree(data)


def test_the_persons_class_survives_a_new_name_of_the_source(source: Path, data: Path, tmp_path: Path) -> None:
    move(data / "дом" / "дом5.png", "лес")
    build(source, data)
    build(source.rename(tmp_path / "renamed"), data)
    assert split_rows(data)["дом5.jpg"]["path"].startswith("лес/")
    assert_agree(data)


def test_an_original_moved_to_another_class_is_followed(source: Path, data: Path) -> None:
    move(source / "дом" / "дом5.jpg", "небо")
    report = build(source, data)
    assert report.facts["per_class"] == {"дом": 11, "небо": 8, "звёзды": 1}
    assert split_rows(data)["дом5.jpg"]["path"] == "небо/дом5.png"
    assert_agree(data)
    before = tree(data)
    assert build(source, data).measured["done_now"] == 0
    assert tree(data) == before


def test_results_of_removed_originals_stay_and_are_counted(source: Path, data: Path) -> None:
    (source / "дом" / "дом5.jpg").unlink()
    report = build(source, data)
    assert report.facts["per_class"]["дом"] == 12
    assert any(line.startswith("1 photos whose originals") for line in report.messages)


def test_a_class_that_left_the_table_is_no_traceback(source: Path, data: Path) -> None:
    shutil.rmtree(source / "звёзды")
    table = ClassTable({12: "дом", ID_OF["небо"]: "небо"})
    try:
        report = build(source, data, table)
    except NpyLabelError:
        return
    assert report.facts["per_class"] == {"дом": 12, "небо": 7}


@pytest.mark.parametrize(("names", "made"), [("небо,дом", ["небо", "дом"]), ("all", sorted(ID_OF, key=ID_OF.get))])
def test_folders_are_made_for_a_start(tmp_path: Path, names: str, made: list[str]) -> None:
    report = build(tmp_path / "own", tmp_path / "train_data", make_folders=names)
    assert report.facts == {"folders_made": made, "photos": 0}
    assert {path.name for path in (tmp_path / "own").iterdir()} == set(made)
    assert "30 photos" in report.next_step


def test_making_folders_beside_photos_goes_on_with_the_photos(source: Path, tmp_path: Path) -> None:
    report = build(source, tmp_path / "train_data", make_folders="лес")
    assert (source / "лес").is_dir() and report.facts["photos"] == 20


def test_an_unknown_name_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        build(tmp_path / "own", tmp_path / "train_data", make_folders="небо,домик")
    assert caught.value.code == "unknown_folder"
    assert not (tmp_path / "own").exists() and not (tmp_path / "train_data").exists()


def test_a_source_without_class_photos_is_named(tmp_path: Path) -> None:
    lay_photos(tmp_path / "own", "a.jpg", "b.jpg")
    with pytest.raises(NpyLabelError) as caught:
        build(tmp_path / "own", tmp_path / "train_data")
    assert caught.value.code == "no_class_photos"
    assert "2 photos lie outside" in caught.value.what and "make_folders" in caught.value.fix


@pytest.mark.parametrize("wrong", [{"val_fraction": -0.1}, {"val_fraction": 0.6}, {"size_px": 8}, {"fit": "x"}])
def test_values_without_meaning_are_refused(source: Path, tmp_path: Path, wrong: dict) -> None:
    with pytest.raises(NpyLabelError) as caught:
        build(source, tmp_path / "train_data", **wrong)
    assert caught.value.code == "bad_parameter"


def test_drawn_and_own_photos_never_mix(source: Path, data: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        build(source, data, made_from="demo")
    assert caught.value.code == "mixed_worlds"


def test_the_results_may_lie_in_the_source(source: Path) -> None:
    for _ in range(2):
        assert build(source, source / "train_data").facts["photos"] == 20
    assert_agree(source / "train_data")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [0, 5, 12, 21])
def test_a_stopped_run_ends_the_same(source: Path, tmp_path: Path, at: int, after: bool) -> None:
    lay_file(source / "дом" / "a" / "дом1.jpg", photo("cut")[:900])
    lay_file(source / "небо" / "same.jpg", photo("дом3"))
    lay_file(source / "небо" / "again" / "небо2.jpg", photo("another"))
    build(source, tmp_path / "unbroken")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=after, error=KeyboardInterrupt()))
        build(source, tmp_path / "train_data")
    build(source, tmp_path / "train_data")
    assert_agree(tmp_path / "train_data")
    assert tree(tmp_path / "train_data") == tree(tmp_path / "unbroken")


def test_a_picture_moved_by_hand_between_a_stop_and_the_next_run_is_followed(source: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(15, after=True, error=KeyboardInterrupt()))
        build(source, tmp_path / "train_data")
    move(tmp_path / "train_data" / "дом" / "дом5.png", "лес")
    build(source, tmp_path / "train_data")
    assert split_rows(tmp_path / "train_data")["дом5.jpg"]["path"] == "лес/дом5.png"
    assert_agree(tmp_path / "train_data")


def test_a_picture_moved_by_hand_under_another_name_is_followed(source: Path, data: Path) -> None:
    """Two folders may hold the same name: who moves one of them has to rename it."""
    (data / "дом" / "дом5.png").rename(data / "небо" / "дом5 (2).png")
    report = build(source, data)
    assert report.facts["per_class"] == {"дом": 11, "небо": 8, "звёзды": 1}
    assert split_rows(data)["дом5.jpg"]["path"] == "небо/дом5 (2).png"
    assert_agree(data)


def test_photos_that_a_person_left_out_are_not_trained_on(source: Path, tmp_path: Path) -> None:
    lay_file(source / "дом" / "z.jpg", photo("дом0"))
    out = {tree(source)["дом/дом0.jpg"]}
    build(source, tmp_path / "made")
    for name in ("fresh", "made"):
        for options in ({"left_out": out}, {}, {"size_px": 48}):
            report = build(source, tmp_path / name, **options)
            assert (report.facts["photos"], report.facts["reasons"]) == (19, {"by_person": 2})
            assert "дом0.jpg" not in split_rows(tmp_path / name)
            assert_agree(tmp_path / name)


def test_a_photo_in_two_classes_that_was_left_out_is_only_left_out(source: Path, tmp_path: Path) -> None:
    lay_file(source / "небо" / "same.jpg", photo("дом3"))
    out = {tree(source)["небо/same.jpg"]}
    report = build(source, tmp_path / "train_data", left_out=out)
    assert report.facts["reasons"] == {"by_person": 2} and report.facts["photos"] == 19


def test_a_photo_that_comes_again_under_other_settings_keeps_its_name(source: Path, data: Path, tmp_path: Path) -> None:
    portion = lay_file(tmp_path / "more" / "дом" / "дом5.jpg", photo("дом5"))
    lay_file(tmp_path / "more" / "небо" / "дом6.jpg", photo("дом6"))
    source.rename(tmp_path / "away")
    report = build(portion.parent.parent, data, size_px=48)
    found = split_rows(data)
    assert (found["дом5.jpg"]["path"], found["дом6.jpg"]["path"]) == ("дом/дом5.png", "небо/дом6.png")
    assert any(line.startswith("18 photos stay as they were made (64 crop png)") for line in report.messages)
    assert report.facts["photos"] == 20
    assert_agree(data)


def test_photos_of_earlier_portions_that_were_not_used_stay_in_the_table(source: Path, tmp_path: Path) -> None:
    data = tmp_path / "train_data"
    lay_file(source / "дом" / "cut.jpg", photo("cut")[:900])
    lay_file(source / "небо" / "same.jpg", photo("дом3"))
    lay_file(source / "небо" / "copy.jpg", photo("небо1"))
    build(source, data)
    before = read_csv(data / "quarantine.csv")
    assert [row["reason"] for row in before] == ["truncated", "two_classes", "two_classes", "exact_duplicate"]
    source.rename(tmp_path / "away")
    report = build(lay_classes(tmp_path / "more", лес=2), data)
    assert read_csv(data / "quarantine.csv") == before
    assert report.facts["reasons"] == {} and any(line.startswith("3 photos of earlier") for line in report.messages)
    report = build((tmp_path / "away").rename(tmp_path / "other"), data)
    assert report.facts["reasons"] == {"exact_duplicate": 1, "truncated": 1, "two_classes": 2}
    assert [row["source"].partition("/")[0] for row in read_csv(data / "quarantine.csv")] == ["other"] * 4
    assert_agree(data)


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-40])])
def test_a_picture_that_was_lost_with_its_original_can_come_back(source: Path, data: Path, harm) -> None:
    before, path = tree(data), data / "дом" / "дом5.png"
    picture = path.read_bytes()
    (source / "дом" / "дом5.jpg").unlink()
    harm(path)
    for _run in range(2):
        report = build(source, data)
        assert report.facts["reasons"] == {"picture_lost": 1} and report.facts["photos"] == 19
    path.write_bytes(picture)
    assert build(source, data).facts["reasons"] == {}
    assert tree(data) == before
