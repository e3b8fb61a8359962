"""Two models in one folder: none takes the other's files for its own, and none leaves any of its own behind."""

from pathlib import Path

import pytest

from npylabel.training.run_files import SUFFIXES, RunFiles, move_aside
from tests.photos.collect_kit import lay_file

LABELER = ["tiny_cnn.pth", *(f"tiny_cnn{suffix}" for suffix in SUFFIXES), "checkpoint_epoch_5.pth",
           "checkpoint_epoch_10.pth", "tiny_cnn.logs/wandb/run.wandb"]
COLORIZER = ["colorizer.pth", *(f"colorizer{suffix}" for suffix in SUFFIXES), "colorizer_checkpoint_epoch_5.pth",
             "colorizer_checkpoint_epoch_10.pth", "colorizer.logs/events.0", "colorizer.samples/epoch_0001.jpg",
             "colorizer.samples/epoch_0010.jpg"]
# What a person laid there; the names are nearly those of a run.
MINE = ["notes.txt", "checkpoint_epoch_5 (1).pth", "colorizer_checkpoint_epoch_best.pth", "my_colorizer.pth",
        "my_colorizer_checkpoint_epoch_5.pth", "colorizer.samples/mine.jpg", "colorizer.samples/deep/epoch_0001.jpg"]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in (*LABELER, *COLORIZER, *MINE):
        lay_file(tmp_path / name, name.encode())
    return tmp_path


def files_of(folder: Path) -> dict[str, RunFiles]:
    return {"labeler": RunFiles(folder / "tiny_cnn.pth"),
            "colorizer": RunFiles(folder / "colorizer.pth", own_epochs=True)}


def names(folder: Path, paths: list[Path]) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in paths}


@pytest.mark.parametrize(("kind", "own"), [("labeler", LABELER), ("colorizer", COLORIZER)])
def test_each_knows_its_own_files(models: Path, kind: str, own: list[str]) -> None:
    files = files_of(models)[kind]
    assert names(models, files.existing()) == set(own)
    assert [path.name for path in files.epochs()] == [files.epoch(5).name, files.epoch(10).name]


@pytest.mark.parametrize(("kind", "own", "other"), [
    ("labeler", LABELER, COLORIZER), ("colorizer", COLORIZER, LABELER)])
def test_what_is_moved_aside_is_its_own_alone(models: Path, kind: str, own: list[str], other: list[str]) -> None:
    folder = move_aside(files_of(models)[kind])
    assert names(folder, [path for path in folder.rglob("*") if path.is_file()]) == set(own)
    assert folder == models / "archive" / f"{Path(own[0]).stem}_1"
    left = {path.relative_to(models).as_posix() for path in models.rglob("*") if path.is_file()}
    assert left - {f"archive/{folder.name}/{name}" for name in own} == {*other, *MINE}
    assert not (models / f"{Path(own[0]).stem}.logs").exists()


def test_a_folder_of_samples_goes_with_the_last_of_them(models: Path) -> None:
    for name in MINE:
        (models / name).unlink()
    move_aside(files_of(models)["colorizer"])
    assert not (models / "colorizer.samples").exists()


def test_epochs_that_have_no_name_are_nobodys_without_a_labeler(models: Path) -> None:
    for name in (*LABELER[:-3], LABELER[-1], *COLORIZER[:-5], *COLORIZER[-3:]):
        (models / name).unlink()
    files = files_of(models)
    assert files["labeler"].existing() == []
    # These say whose they are.
    assert names(models, files["colorizer"].existing()) == set(COLORIZER[-5:-3])


def test_in_a_folder_that_is_not_there_nothing_is(tmp_path: Path) -> None:
    for files in files_of(tmp_path / "models").values():
        assert files.existing() == files.epochs() == []
