"""Where things live: the work folder, the demo folder inside it, and Drive that may not be there."""

from pathlib import Path

import pytest

from npylabel.base import places
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places, find_places, in_colab, is_headless, project_dir


def test_the_project_is_where_the_class_table_is() -> None:
    assert (project_dir() / "classes.json").is_file() and (project_dir() / "npylabel").is_dir()


def test_relative_paths_are_below_the_work_folder(tmp_path: Path) -> None:
    here = Places(tmp_path)
    assert here.path("a/b") == tmp_path / "a/b"
    assert here.path("/abs") == Path("/abs")
    assert here.path("~/x") == Path.home() / "x"


def test_demo_runs_have_a_folder_of_their_own(tmp_path: Path) -> None:
    here = Places(tmp_path)
    assert not here.is_demo and here.demo().is_demo
    assert here.demo().path("m.pth") == tmp_path / "demo" / "m.pth"
    assert here.demo().demo() == here.demo()


def test_the_users_own_files_come_before_the_drawn_ones(tmp_path: Path) -> None:
    here = Places(tmp_path)
    assert here.world_of("m.pth") == here
    here.demo().path("").mkdir()
    here.demo().path("m.pth").write_bytes(b"")
    assert here.world_of("m.pth") == here.world_of("x", "m.pth") == here.demo()
    assert here.world_of("x") == here
    here.path("m.pth").write_bytes(b"")
    assert here.world_of("m.pth") == here
    assert here.demo().world_of("nothing") == here.demo()


def test_the_users_class_table_comes_before_the_projects(tmp_path: Path) -> None:
    here = Places(tmp_path)
    assert here.classes_path("classes.json") == project_dir() / "classes.json"
    assert here.classes_path("mine.json") == tmp_path / "mine.json"
    (tmp_path / "classes.json").write_text("{}")
    assert here.classes_path("classes.json") == tmp_path / "classes.json"


def test_the_work_folder_is_made_and_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = find_places("a/../b")
    assert found.work_dir == tmp_path.resolve() / "b" and found.work_dir.is_dir()
    assert find_places(as_notebook=False).work_dir == tmp_path.resolve()


def test_a_notebook_at_home_works_in_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "project_dir", lambda: tmp_path)
    assert find_places(as_notebook=True).work_dir == tmp_path.resolve() / "workspace"


def test_a_notebook_in_colab_works_on_drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "MyDrive").mkdir()
    monkeypatch.setattr(places, "DRIVE", tmp_path.resolve())
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert in_colab()
    assert find_places(as_notebook=True).work_dir == tmp_path.resolve() / "MyDrive" / "npylabel"


def test_nothing_is_made_below_a_drive_that_is_not_mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "DRIVE", tmp_path.resolve() / "drive")
    with pytest.raises(NpyLabelError) as caught:
        find_places(str(tmp_path / "drive" / "MyDrive" / "npylabel"))
    assert caught.value.code == "drive_not_mounted"
    assert list(tmp_path.iterdir()) == []


def test_a_work_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(NpyLabelError) as caught:
            find_places(str(folder))
        assert caught.value.code == "work_dir_unusable" and str(folder) in caught.value.what


def test_a_run_can_be_told_that_nobody_sits_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPYLABEL_HEADLESS", raising=False)
    assert not is_headless()
    monkeypatch.setenv("NPYLABEL_HEADLESS", "1")
    assert is_headless()
