"""Where things live: the work folder, the demo folder inside it, and Drive that may not be there."""

import errno
import os
from pathlib import Path

import pytest

from npylabel.base import places
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places, find_places, in_colab, is_headless, project_dir


def stand_in_for_content(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """The mounted Drive in a folder that stands for Colab's own."""
    drive = folder.resolve() / "drive"
    (drive / "MyDrive").mkdir(parents=True)
    monkeypatch.setattr(places, "CONTENT", folder.resolve())
    monkeypatch.setattr(places, "DRIVE", drive)
    return drive


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
    drive = stand_in_for_content(monkeypatch, tmp_path)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert in_colab()
    found = find_places(as_notebook=True)
    assert (found.work_dir, found.save_dir) == (tmp_path.resolve() / "work/npylabel", drive / "MyDrive/npylabel")


def test_a_work_folder_on_drive_is_kept_there_and_worked_on_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drive = stand_in_for_content(monkeypatch, tmp_path)
    found = find_places(str(drive / "MyDrive/photos/2024"))
    assert (found.work_dir, found.save_dir) == (tmp_path.resolve() / "work/photos/2024", drive / "MyDrive/photos/2024")
    assert found.made_demo().root == found.root == found.work_dir
    assert find_places(str(found.demo().work_dir), str(found.save_dir)).root == found.root


def test_what_the_user_brings_is_found_on_drive_too(tmp_path: Path) -> None:
    here = Places(tmp_path / "work", save_dir=tmp_path / "kept")
    (tmp_path / "kept/photos").mkdir(parents=True)
    assert here.source("photos") == tmp_path / "kept/photos"
    (tmp_path / "work/photos").mkdir(parents=True)
    assert here.source("photos") == tmp_path / "work/photos"
    assert here.source("new") == tmp_path / "work/new"


@pytest.mark.parametrize("inside", ["", "saved"])
def test_a_folder_cannot_keep_what_it_lies_in(tmp_path: Path, inside: str) -> None:
    with pytest.raises(NpyLabelError) as caught:
        find_places(str(tmp_path), str(tmp_path / inside))
    assert caught.value.code == "save_dir_unusable" and "save_dir" in caught.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("parent_is_there", [True, False])
def test_no_folder_is_made_where_the_network_disk_is_gone(tmp_path: Path, parent_is_there: bool) -> None:
    """A new folder in its place would pass for an empty disk."""
    if parent_is_there:
        (tmp_path / "nas").mkdir()
    with pytest.raises(NpyLabelError) as caught:
        find_places(str(tmp_path / "work"), str(tmp_path / "nas/npylabel"))
    assert caught.value.code == "save_dir_unusable"
    assert "Connect the disk" in caught.value.fix and "mkdir -p" in caught.value.fix
    assert not (tmp_path / "nas/npylabel").exists() and not (tmp_path / "work").exists()


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


@pytest.mark.parametrize(("faults", "code"), [(3, ""), (10**6, "drive_gone")])
def test_a_drive_that_does_not_answer_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults: int, code: str
) -> None:
    drive = stand_in_for_content(monkeypatch, tmp_path)
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0.8")
    left, stat = iter(range(faults)), Path.stat

    def stat_of(path: Path, **options: object) -> os.stat_result:
        if path == drive / "MyDrive" and next(left, None) is not None:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", stat_of)
    if code:
        with pytest.raises(NpyLabelError) as caught:
            find_places(str(drive / "MyDrive/npylabel"))
        assert caught.value.code == code
    else:
        assert find_places(str(drive / "MyDrive/npylabel")).save_dir == drive / "MyDrive/npylabel"


def test_a_link_to_drive_is_drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drive = stand_in_for_content(monkeypatch, tmp_path)
    (tmp_path / "link").symlink_to(drive / "MyDrive")
    found = find_places(str(tmp_path / "link/npy"))
    assert (found.work_dir, found.save_dir) == (tmp_path.resolve() / "work/npy", drive / "MyDrive/npy")
    assert find_places(str(tmp_path / "a"), str(tmp_path / "link/kept")).save_dir == drive / "MyDrive/kept"


def test_all_of_drive_as_work_folder_holds_no_other_work_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drive = stand_in_for_content(monkeypatch, tmp_path)
    assert find_places(str(drive / "MyDrive")).work_dir == tmp_path.resolve() / "work/MyDrive"


def test_a_relative_folder_that_keeps_counts_from_the_work_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("elsewhere", "kept"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find_places(str(tmp_path / "work"), "../kept").save_dir.resolve() == tmp_path.resolve() / "kept"


def test_who_only_looks_needs_no_disk_that_keeps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "CONTENT", tmp_path.resolve())
    monkeypatch.setattr(places, "DRIVE", tmp_path.resolve() / "drive")
    found = find_places(str(tmp_path / "drive/MyDrive/npy"), must_keep=False)
    assert found.save_dir == tmp_path.resolve() / "drive/MyDrive/npy" and not (tmp_path / "drive").exists()
    assert find_places(str(tmp_path / "a"), str(tmp_path / "nas/x"), must_keep=False).save_dir == tmp_path / "nas/x"
    with places.found("w", "s", found):
        assert find_places("w", "s") is found and find_places(str(tmp_path / "b")) != found
