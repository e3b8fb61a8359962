"""Wrong labels are found, shown and settled: planted ones among drawn shapes, and every way that the report advises."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.dataset.build import build_training_data
from npylabel.dataset.decisions import DECISIONS, left_out, read_decisions, read_kept_labels
from npylabel.dataset.keep_label import keep_labels
from npylabel.dataset.leave_out import leave_out_photos
from npylabel.dataset.training_data import load_training_data
from npylabel.labeler import fold_training
from npylabel.labeler.doubts import LabelCheck, find_wrong_labels
from npylabel.labeler.fold_training import fold_settings
from npylabel.labeler.train import train_labeler
from npylabel.training import keeper
from npylabel.training.run_files import RunFiles
from npylabel.ui.doubt_sheet import doubt_pictures
from tests.labeler import kit
from tests.labeler.label_kit import Killed, kill_at_call

PLANTED = {"дом/3_001.png": "небо", "арбуз/3_002.png": "небо", "небо/17_003.png": "дом", "дом/40_004.png": "арбуз"}


def plant(root: Path) -> Path:
    """The class folder, now with some photos in the folder of another class."""
    for path, true_name in PLANTED.items():
        (root / true_name / Path(path).name).rename(root / path)
    return root


def train(data: Path, model: Path) -> StepReport:
    """The report of a training that also looks for wrong labels."""
    return train_labeler(data, model, kit.TABLE, kit.settings(epochs=1), check=LabelCheck(2))


def rows_of(model: Path) -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in read_csv(model.with_suffix(".label_errors.csv"))}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, StepReport]:
    """(training folder, model, report) of shapes with planted errors; nobody changes them."""
    root = tmp_path_factory.mktemp("searched")
    data, model = plant(kit.class_folders(root / "data", 16)), root / "models" / "m.pth"
    return data, model, train(data, model)


def test_planted_errors_come_first_with_the_right_suggestion(searched: tuple[Path, Path, StepReport]) -> None:
    _data, model, report = searched
    rows = rows_of(model)
    assert {path: rows[path]["suggested_name"] for path in list(rows)[:4]} == PLANTED
    wrong = [path for path, row in rows.items() if row["probably_wrong"] == "1"]
    assert wrong == list(rows)[:len(wrong)]
    assert 2 <= len(wrong) <= 4
    assert {path: rows[path]["class_name"] for path in PLANTED} == {path: path.partition("/")[0] for path in PLANTED}
    assert report.facts["labels_judged"] == len(rows) == 48
    text = f"{len(wrong)} of 48 labels are probably wrong"
    assert any(line.startswith(text) and "m.label_errors.csv" in line for line in report.messages)
    assert report.files["label_errors.csv"] == model.with_suffix(".label_errors.csv")


def test_the_sheet_shows_given_and_suggested(searched: tuple[Path, Path, StepReport], tmp_path: Path) -> None:
    data, model, _report = searched
    table = shutil.copy(model.with_suffix(".label_errors.csv"), tmp_path / "m.label_errors.csv")
    [(caption, sheet)] = doubt_pictures(table, data).items()
    assert sheet == tmp_path / "m.label_errors_sheet.jpg"
    assert sheet.stat().st_size > 5000
    count = sum(row["probably_wrong"] == "1" for row in read_csv(table))
    assert f"{count} of {count}" in caption
    (tmp_path / "m.label_errors.csv").write_text("path,probably_wrong\nnix,0\n")
    assert doubt_pictures(table, data) == {}
    assert not sheet.exists()


@pytest.mark.parametrize("moment", [(fold_training, "fit", 2), (keeper, "save_state", 15)])
def test_a_killed_search_ends_in_the_same_table(
    searched: tuple[Path, Path, StepReport], tmp_path: Path, moment: tuple[object, str, int]
) -> None:
    data, wanted, _report = searched
    model = tmp_path / "m.pth"
    with pytest.MonkeyPatch.context() as patch:
        kill_at_call(patch, *moment)
        with pytest.raises(Killed):
            train(data, model)
    folds = RunFiles(model).folds
    assert [path.name for path in folds.glob("*.npz")] == ["fold_1.npz"]
    before = (folds / "fold_1.npz").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        trained = []
        fit = fold_training.fit
        patch.setattr(fold_training, "fit", lambda job, report: trained.append(job.files) or fit(job, report))
        train(data, model)
    assert len(trained) == 1
    assert (folds / "fold_1.npz").read_bytes() == before
    assert rows_of(model) == rows_of(wanted)
    assert sorted(path.name for path in folds.iterdir()) == ["fold_1.npz", "fold_2.npz"]


def knows_all(photos: list[str]) -> Callable:
    """A network that names every drawn shape, by the name of its file, and is nearly sure."""
    def fit(train: np.ndarray, held_out: np.ndarray, _files: RunFiles) -> np.ndarray:
        result = np.full((len(held_out), len(kit.SHOWN)), 0.002, np.float32)
        result[np.arange(len(held_out)), [kit.SHOWN.index(kit.true_id(photos[row])) for row in held_out]] = 0.996
        return result
    return fit


class Work:
    """A work folder with originals that have planted errors, and its training data."""

    def __init__(self, root: Path) -> None:
        self.places, self.data = Places(root / "work"), root / "work" / "train_data"
        self.source = plant(kit.class_folders(root / "photos", 8))
        self.build()

    def build(self) -> None:
        build_training_data(self.source, self.data, kit.TABLE, size_px=64, workers=1,
                            left_out=left_out(read_decisions(self.places.path(DECISIONS))))

    def search(self) -> StepReport:
        data = load_training_data(self.data, kit.TABLE, val_fraction=0.15, random_seed=1)
        report = StepReport("train")
        find_wrong_labels(
            LabelCheck(2, read_kept_labels(self.places.work_dir)), data.photos, kit.TABLE,
            RunFiles(self.places.work_dir / "models" / "m.pth"), {}, 1,
            knows_all([photo.path.stem for photo in data.photos]), report)
        return report

    def rows(self) -> dict[str, dict[str, str]]:
        self.search()
        return rows_of(self.places.work_dir / "models" / "m.pth")

    def wrong(self) -> set[str]:
        return {path for path, row in self.rows().items() if row["probably_wrong"] == "1"}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def test_a_photo_whose_original_is_moved_is_settled(work: Work) -> None:
    row = work.rows()["дом/3_001.png"]
    assert work.wrong() == set(PLANTED)
    original = work.source.parent / row["source"]
    original.rename(work.source / row["suggested_name"] / original.name)
    work.build()
    assert work.wrong() == set(PLANTED) - {"дом/3_001.png"}
    assert work.rows()["небо/3_001.png"]["kept"] == "0"


def test_a_photo_that_is_moved_in_the_training_data_is_settled_before_and_after_step_02(work: Work) -> None:
    (work.data / "дом/3_001.png").rename(work.data / "небо/3_001.png")
    # A person who is mistaken about a photo is not asked again either.
    (work.data / "дом/17_000.png").rename(work.data / "небо/17_000.png")
    for _before_and_after in range(2):
        assert work.wrong() == set(PLANTED) - {"дом/3_001.png"}
        assert {path for path, row in work.rows().items() if row["kept"] == "1"} == {"небо/3_001.png",
                                                                                     "небо/17_000.png"}
        work.build()


def test_a_photo_that_is_left_out_is_settled(work: Work) -> None:
    names = "; ".join(sorted(work.wrong()))
    leave_out_photos(work.places, names, confirm=True)
    assert work.wrong() == set()
    work.build()
    assert len(work.rows()) == 24 - len(PLANTED)


def test_a_label_that_is_kept_is_settled_as_long_as_the_photo_has_it(work: Work) -> None:
    keep_labels(work.places, "дом/3_001.png", confirm=True)
    assert work.wrong() == set(PLANTED) - {"дом/3_001.png"}
    assert work.rows()["дом/3_001.png"]["kept"] == "1"
    original = work.source / "дом/3_001.png"
    original.rename(work.source / "арбуз/3_001.png")
    work.build()
    assert "арбуз/3_001.png" in work.wrong()


def test_how_to_settle_is_said_only_where_something_is_wrong(work: Work) -> None:
    assert any("leave_out" in line and "keep_label" in line for line in work.search().messages)
    leave_out_photos(work.places, "; ".join(PLANTED), confirm=True)
    report = work.search()
    assert [line for line in report.messages if "leave_out" in line] == []
    assert report.measured["labels_probably_wrong"] == 0


def test_a_class_of_one_scene_cannot_be_judged_and_that_is_said(work: Work) -> None:
    for index in range(1, 8):
        (work.data / f"арбуз/40_{index:03}.png").unlink(missing_ok=True)
    (work.data / "арбуз/3_002.png").unlink()

    data = load_training_data(work.data, kit.TABLE, val_fraction=0.15, random_seed=1)
    report = StepReport("train")

    def fit(train: np.ndarray, held_out: np.ndarray, _files: RunFiles) -> np.ndarray:
        result = np.full((len(held_out), 3), 1 / 3, np.float32)
        lone = next(row for row, photo in enumerate(data.photos) if photo.class_id == 40)
        result[:, kit.SHOWN.index(40)] = np.nan if lone in held_out else 1 / 3
        return result

    find_wrong_labels(LabelCheck(2), data.photos[:], kit.TABLE, RunFiles(work.data / "m.pth"), {}, 1, fit, report)
    assert any(line.startswith("1 photos could not be judged") for line in report.messages)
    assert report.facts["labels_judged"] == len(data.photos) - 1


def test_too_few_photos_are_not_trained_on(work: Work) -> None:
    data = load_training_data(work.data, kit.TABLE, val_fraction=0.15, random_seed=1)
    two = [next(photo for photo in data.photos if photo.class_id == class_id) for class_id in (3, 17)]
    report, files = StepReport("train"), RunFiles(work.data / "m.pth")
    files.beside(".label_errors.csv").write_text("path\nof another run\n")
    find_wrong_labels(LabelCheck(2), two, kit.TABLE, files, {}, 1, knows_all([]), report)
    assert report.messages == ["There are too few photos to look for wrong labels."]
    assert not files.beside(".label_errors.csv").exists()


@pytest.mark.parametrize("folds", [1, -2, 11])
def test_folds_that_make_no_sense_are_refused(folds: int) -> None:
    with pytest.raises(NpyLabelError) as error:
        LabelCheck(folds)
    assert error.value.code == "bad_parameter"


def test_networks_of_folds_are_quick_and_never_too_small_for_their_pictures() -> None:
    quick = fold_settings(kit.settings(input_px=128, epochs=50, minutes=9, network="smallresnet"))
    assert (quick.input_px, quick.epochs, quick.minutes) == (fold_training.FOLD_PX, fold_training.FOLD_EPOCHS, 0)
    assert fold_settings(kit.settings(input_px=32)).input_px == 32
    # Seven times halved, 64 pixels are nothing.
    assert fold_settings(kit.settings(input_px=128, depth=7)).input_px == 128


def test_without_folds_nothing_is_looked_for(tmp_path: Path) -> None:
    model = tmp_path / "m.pth"
    report = train_labeler(kit.class_folders(tmp_path / "data", 4), model, kit.TABLE, kit.settings(epochs=1))
    assert "labels_judged" not in report.facts
    assert not RunFiles(model).folds.exists()
