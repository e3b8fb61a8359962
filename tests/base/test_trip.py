"""One step on a machine that may die: brought, saved while it works, saved at the end, and said as it is."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from npylabel.base import places as places_module
from npylabel.base.courier import Courier
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places, find_places
from npylabel.base.remote import RemoteFolder
from npylabel.base.report import StepReport
from npylabel.base.trip import Trip, bring, carried, wanted_by
from tests.base.courier_kit import Machine, indexes


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, neither for Drive nor for the disk; no saves in between unless a test wants them."""
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "1000")
    monkeypatch.setattr(os, "fsync", lambda _file: None)


def places_in(folder: Path, machine: str = "one") -> Places:
    (folder / "drive").mkdir(exist_ok=True)
    return find_places(str(folder / machine), str(folder / "drive"))


def write(places: Places, path: str, text: str) -> None:
    places.path(path).parent.mkdir(parents=True, exist_ok=True)
    places.path(path).write_text(text)


def copy_of(folder: Path) -> dict[str, str]:
    fresh = Machine(folder / f"fresh{len(list(folder.glob('fresh*')))}", folder / "drive")
    fresh.pull()
    return fresh.read()


def nothing(_path: str) -> bool:
    return False


def threads() -> int:
    return threading.active_count()


def failing(code: str = "drive_full") -> object:
    def fail(*_arguments: object, **_options: object) -> None:
        raise NpyLabelError(code, "what", "fix")
    return fail


def trip_with(folder: Path, files: dict[str, str], machine: str = "one", remove: str = "nothing") -> StepReport:
    """The report of a step that writes files, and removes what a pattern says."""
    report = StepReport("x")
    with Trip(places_in(folder, machine), lambda _path: True) as trip:
        for path in places_in(folder, machine).path("").glob(remove):
            path.unlink()
        for path, text in files.items():
            write(places_in(folder, machine), path, text)
    trip.describe(report)
    return report


def test_a_step_is_brought_saved_and_described(tmp_path: Path) -> None:
    before = threads()
    with Trip(places_in(tmp_path), nothing) as trip:
        write(places_in(tmp_path), "a.csv", "a")
        write(places_in(tmp_path), "d/color/x.png", "x")
        assert threads() == before + 1
    assert threads() == before
    with Trip(places_in(tmp_path, "two"), nothing) as trip:
        write(places_in(tmp_path, "two"), "b.csv", "b")
    report = StepReport("x")
    trip.describe(report)
    assert report.measured == {"brought": 1, "saved": 1}
    assert "3 files in 3 archives" in report.messages[-1] and "close this tab" in report.messages[-1]
    assert report.files["saved"] == tmp_path / "drive/saved"
    assert not places_in(tmp_path, "two").path("d/color/x.png").exists()
    assert len(copy_of(tmp_path)) == 3


def test_without_a_place_to_save_nothing_happens(tmp_path: Path) -> None:
    before = threads()
    with Trip(find_places(str(tmp_path / "one")), nothing) as trip:
        assert threads() == before
    report = StepReport("x")
    trip.describe(report)
    assert str(report) == str(StepReport("x"))
    assert list(tmp_path.rglob("*")) == [tmp_path / "one"]


def test_it_is_saved_while_the_step_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "0.01")
    saved, push = threading.Event(), Courier.push

    def push_and_tell(self: Courier, **options: bool) -> int:
        count = push(self, **options)
        if count:
            saved.set()
        return count

    monkeypatch.setattr(Courier, "push", push_and_tell)
    with Trip(places_in(tmp_path), nothing) as trip:
        write(places_in(tmp_path), "a.csv", "a")
        assert saved.wait(20)
        assert copy_of(tmp_path) == {"a.csv": "a"}
        write(places_in(tmp_path), "b.csv", "b")
    assert trip.saved == 2 and len(copy_of(tmp_path)) == 2


def test_a_save_that_fails_meanwhile_is_said_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "0.01")
    tries, enough, push = [], threading.Event(), Courier.push

    def fail(self: Courier, **options: bool) -> int:
        tries.append(1)
        if len(tries) == 4:
            enough.set()
        if len(tries) < 5:
            raise NpyLabelError("drive_gone", "Drive is gone", "fix")
        return push(self, **options)

    monkeypatch.setattr(Courier, "push", fail)
    with Trip(places_in(tmp_path), nothing):
        write(places_in(tmp_path), "a.csv", "a")
        assert enough.wait(20)
    assert copy_of(tmp_path) == {"a.csv": "a"}
    assert capsys.readouterr().out.count("Drive is gone") == 1


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), NpyLabelError("mine", "w", "f")])
def test_the_error_of_the_step_is_what_comes_out_and_what_is_done_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture, error: BaseException
) -> None:
    before = threads()
    with pytest.raises(type(error)) as caught, Trip(places_in(tmp_path), nothing):
        write(places_in(tmp_path), "a.csv", "a")
        raise error
    assert caught.value is error and threads() == before
    assert copy_of(tmp_path) == {"a.csv": "a"}
    assert "is saved on Drive" in capsys.readouterr().out


def test_an_error_of_the_step_comes_before_one_of_the_last_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(Courier, "push", failing())
    with pytest.raises(ValueError, match="mine"), Trip(places_in(tmp_path), nothing):
        raise ValueError("mine")
    out = capsys.readouterr().out
    assert "Not saved on Drive: what" in out and "is saved on Drive" not in out


def test_a_last_save_that_fails_is_an_error_and_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threads()
    monkeypatch.setattr(RemoteFolder, "store", failing())
    with pytest.raises(NpyLabelError) as caught:
        step(work_dir=str(tmp_path / "one"), save_dir=str(places_in(tmp_path).save_dir))
    assert caught.value.code == "drive_full" and threads() == before


def test_a_pull_that_fails_starts_neither_step_nor_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = threads()
    monkeypatch.setattr(Courier, "pull", failing())
    with pytest.raises(NpyLabelError), Trip(places_in(tmp_path), nothing):
        raise AssertionError("the step must not start")
    assert threads() == before


def test_a_save_that_waits_for_drive_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its patience ends with the step; the last save has patience of its own."""
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "0.01")
    waiting, real = threading.Event(), Path.mkdir

    def broken(path: Path, *arguments: object, **keywords: object) -> None:
        if path.name == "saved" and threading.current_thread() is not threading.main_thread():
            waiting.set()
            raise OSError(5, "Input/output error")
        real(path, *arguments, **keywords)

    monkeypatch.setattr(Path, "mkdir", broken)
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "1000")
    with Trip(places_in(tmp_path), nothing):
        write(places_in(tmp_path), "a.csv", "a")
        assert waiting.wait(20)
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    assert copy_of(tmp_path) == {"a.csv": "a"}


def test_the_thread_ends_before_the_block_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_SAVE_EVERY_S", "0.01")
    before, working, push = threads(), threading.Event(), Courier.push

    def slow(self: Courier, **options: bool) -> int:
        count = push(self, **options)
        if threading.current_thread() is not threading.main_thread():
            working.set()
            threading.Event().wait(0.2)
        return count

    monkeypatch.setattr(Courier, "push", slow)
    with Trip(places_in(tmp_path), nothing):
        assert working.wait(20)
    assert threads() == before


@carried
def step(*, data_path: str = "train_data", work_dir: str = "", save_dir: str = "", language: str = "en") -> StepReport:
    """A step that counts what it finds."""
    places = find_places(work_dir, save_dir)
    found = len(list(places.path(data_path).rglob("*.png")))
    write(places, f"{data_path}/небо/{found}.png", f"{found}")
    write(places, f"{data_path}/split.csv", f"{found}")
    return StepReport("step", {"found": found})


def test_a_carried_step_goes_on_on_another_machine(tmp_path: Path) -> None:
    drive = str(places_in(tmp_path).save_dir)
    for number in range(3):
        report = step(work_dir=str(tmp_path / f"machine{number}"), save_dir=drive)
        assert report.facts == {"found": number}
    assert step(work_dir=str(tmp_path / "alone")).messages == []
    assert (tmp_path / "drive/results/train_data - split.csv").read_text() == "2"
    bring(places_in(tmp_path, "four"), {"data_path": "other"})
    assert [path.name for path in (tmp_path / "four/train_data").rglob("*.*")] == ["split.csv"]


@pytest.mark.parametrize(("parameters", "yes", "no"), [
    ({"data_path": "train_data"}, ["train_data/a/x.png", "demo/train_data/a/x.png"], ["tintora_dataset/color/x.png"]),
    ({"photos_dir": "demo", "dataset_dir": "d"}, ["demo/d/x.png", "demo/photos/x.jpg"], ["d/x.png", "photos/x.jpg"]),
    ({"photos_dir": "a; b", "dataset_dir": "d"}, ["a/x.jpg", "b/x.jpg", "d/x.png"], ["demo/d/x.png", "c/x.jpg"]),
    ({"input_dir": "d/color", "output_dir": "d/labels", "model_path": "models/m.pth", "legacy_order": ""},
     ["d/color/x.png", "d/labels/x.npy", "models/m.pth", "demo/models/m.pth", "left_out/d/color/y.png"],
     ["d/bw/x.png", "d/colors/x.png", "models/archive/1/m.pth", "other/m.pth", "models/m.resume.ckpt",
      "models/colorizer.pth"]),
    ({"model_path": "models/archive/m_1/m.pth"}, ["models/archive/m_1/m.pth"], ["models/m.pth"]),
    ({"dataset_dir": "d", "save_path": "models/c.pth"},
     ["d/color/x.png", "d/labels/x.npy", "demo/d/color/x.png", "models/c.pth", "models/c.resume.ckpt",
      "models/c.last.pth", "models/c_checkpoint_epoch_5.pth", "models/c.samples/epoch_0001.jpg"],
     ["d/bw/x.png", "left_out/d/color/x.png", "models/m.pth", "models/checkpoint_epoch_5.pth",
      "models/archive/c_1/c.pth", "colorized/x.jpg"]),
    ({"input_dir": "old; more.zip", "output_dir": "colorized", "model_path": "models/c.pth", "labels_dir": "d/labels"},
     ["old/1931/x.jpg", "more.zip", "colorized/x.jpg", "demo/colorized/x.jpg", "colorized/before_after_2.html",
      "models/c.pth", "d/labels/x.npy"],
     ["d/color/x.png", "left_out/d/color/x.png", "models/m.pth", "models/c.resume.ckpt", "older/x.jpg",
      "more.zip.jpg"]),
    ({"dataset_dir": "."}, ["color/x.png"], []), ({"dataset_dir": "/elsewhere"}, [], ["elsewhere/x.png"]),
    ({"data_path": "t", "test_dir": "tests"}, ["tests/a/x.png"], ["u/x.png"]), ({}, [], ["a/x.png"]),
    ({"dataset_dir": "d", "export_dir": ""}, ["d/bw/x.png", "left_out/d/bw/y.png"], ["left_out_too/x.png"]),
    ({"data_path": "t", "save_path": "models/m.pth"},
     ["t/x.png", "models/m.resume.ckpt", "models/checkpoint_epoch_5.pth", "models/m.folds/fold_1.npz"],
     ["left_out/t/x.png", "models/colorizer.pth", "models/archive/m_1/m.pth"])])
def test_what_a_step_needs(tmp_path: Path, parameters: dict, yes: list[str], no: list[str]) -> None:
    wanted = wanted_by(parameters, places_in(tmp_path))
    assert [path for path in (*yes, *no) if wanted(path)] == yes


@pytest.mark.parametrize(("source", "worlds"), [("own", ("",)), ("demo", ("demo/",)), ("sorted", ("", "demo/"))])
def test_the_dataset_comes_to_step_02_where_somebody_decided(
    tmp_path: Path, source: str, worlds: tuple[str, ...]
) -> None:
    places = places_in(tmp_path)
    wanted = wanted_by({"source_dir": source, "dataset_dir": "d", "data_path": "t"}, places)
    paths = [f"{world}d/{folder}/x.png" for world in ("", "demo/") for folder in ("color", "bw")]
    assert not any(map(wanted, paths)), "nothing was decided"
    for world in worlds[:1]:
        write(places, f"{world}decisions/1.jsonl", "")
    assert [path for path in paths if wanted(path)] == [f"{world}d/color/x.png" for world in worlds]


def test_photos_that_decisions_ask_for_come_with_them(tmp_path: Path) -> None:
    """To a machine that knows nothing yet: whether they are needed is known when the tables are there."""
    trip_with(tmp_path, {"decisions/1.jsonl": "", "d/color/x.png": "x", "d/bw/x.png": "x"}, "one")
    for number, source in enumerate(("own", "sorted")):
        places = places_in(tmp_path, f"new{number}")
        bring(places, {"source_dir": source, "dataset_dir": "d", "data_path": "t"})
        assert {path.name for path in (places.work_dir / "d").iterdir()} == {"color"}


def test_copies_to_open_are_made_where_something_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, real = [], RemoteFolder.store
    monkeypatch.setattr(RemoteFolder, "store", lambda self, name, source: (
        stored.append(name) if self.folder.name == "results" else None) or real(self, name, source))

    def trip(machine: str, files: dict[str, str]) -> list[str]:
        stored.clear()
        trip_with(tmp_path, files, machine)
        return [name for name in stored if name not in ("copies.json", "READ ME.txt")]

    long = "ю" * 120 + "/" + "x" * 100 + ".csv"
    assert sorted(trip("one", {
        "d/labels.csv": "1", "models/m.pth": "m", "models/m.last.pth": "l", "d/x.json": "j", "runs/1/01.html": "h",
        "a.html": "a"})) == ["a.html", "d - labels.csv", "models - m.pth"]
    assert trip("one", {"d/labels.csv": "2"}) == ["d - labels.csv"]
    assert trip("two", {}) == [] == stored
    assert len(trip("two", {long: "long"})[0]) == 20
    (tmp_path / "two/a.html").unlink()
    assert trip("two", {}) == []
    assert sorted(path.name for path in (tmp_path / "drive/results").glob("*.html")) == []


def test_of_a_colorizer_and_its_photos_there_are_copies_to_open(tmp_path: Path) -> None:
    shown = ["colorized/before_after.html", "colorized/before_after_2.html", "colorized/colorized.csv",
             "colorized/colorized_sheet.jpg", "models/c.curves.png", "models/c.pth", "models/c.samples_sheet.jpg"]
    hidden = ["colorized/x.jpg", "colorized/.colorized.jsonl", "models/c_checkpoint_epoch_5.pth", "models/c.last.pth",
              "models/c.resume.ckpt", "models/c.samples/epoch_0001.jpg", "models/archive/c_1/c.pth"]
    trip_with(tmp_path, dict.fromkeys([*shown, *hidden], "x"))
    assert sorted(results(tmp_path)) == [path.replace("/", " - ") for path in shown]


def results(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "drive/results").glob("* - *")}


def test_a_copy_that_a_person_changed_is_kept_and_said(tmp_path: Path) -> None:
    trip_with(tmp_path, {"d/labels.csv": "1", "d/b.csv": "b"})
    copy = tmp_path / "drive/results/d - labels.csv"
    assert "copies to look at" in (tmp_path / "drive/results/READ ME.txt").read_text()
    for number, machine in enumerate(("one", "two")):
        copy.write_text(f"mine {number}")
        report = trip_with(tmp_path, {"d/labels.csv": f"new {number}"}, machine)
        assert "(edited" in report.messages[0] and "does not count" in report.messages[0]
    assert results(tmp_path) == {"d - labels.csv": "new 1", "d - labels (edited).csv": "mine 0",
                                 "d - labels (edited 2).csv": "mine 1", "d - b.csv": "b"}
    (tmp_path / "drive/results/d - b.csv").write_text("my b")
    assert "d - b (edited).csv" in trip_with(tmp_path, {}, "two", remove="d/b.csv").messages[1]
    assert results(tmp_path)["d - b (edited).csv"] == "my b" and "d - b.csv" not in results(tmp_path)
    assert not any("(edited" in line for line in trip_with(tmp_path, {"d/labels.csv": "3"}, "three").messages)


def test_copies_that_are_not_there_are_made_again(tmp_path: Path) -> None:
    """The folder was deleted, one copy was deleted, the work is kept elsewhere now."""
    trip_with(tmp_path, {"d/labels.csv": "1", "d/b.csv": "b"})
    whole = results(tmp_path)
    (tmp_path / "drive/results/d - b.csv").unlink()
    trip_with(tmp_path, {})
    assert results(tmp_path) == whole
    shutil.rmtree(tmp_path / "drive/results")
    trip_with(tmp_path, {})
    assert results(tmp_path) == whole
    (tmp_path / "drive").rename(tmp_path / "before")
    trip_with(tmp_path, {})
    assert results(tmp_path) == whole


def test_copies_that_fail_are_a_message_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Trip(places_in(tmp_path), nothing) as trip:
        write(places_in(tmp_path), "a.csv", "a")
    monkeypatch.setattr(RemoteFolder, "store", failing())
    report = StepReport("x")
    trip.describe(report)
    assert "not up to date" in report.messages[0] and "Everything is saved" in report.messages[1]
    assert not report.faulty


def test_the_tab_stays_open_while_drive_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getxattr", lambda *_: b"local-1", raising=False)
    with Trip(places_in(tmp_path), nothing) as trip:
        write(places_in(tmp_path), "a.csv", "a")
    report = StepReport("x")
    trip.describe(report)
    assert "still sending 2 files" in report.messages[-1]


def test_missing_files_are_not_called_saved(tmp_path: Path) -> None:
    with Trip(places_in(tmp_path), nothing):
        write(places_in(tmp_path), "a.csv", "a")
        write(places_in(tmp_path), "m.pth", "a")
    next((tmp_path / "drive/saved").glob("*-000.tar")).unlink()
    with Trip(places_in(tmp_path, "two"), nothing) as trip:
        pass
    report = StepReport("x")
    trip.describe(report)
    assert "Archives are missing" in report.messages[0] and "1 files saved earlier are missing" in report.messages[-1]


def test_the_demo_is_saved_with_the_work_folder(tmp_path: Path) -> None:
    demo = places_in(tmp_path).made_demo()
    with Trip(demo, nothing):
        write(demo, "m.pth", "m")
    assert copy_of(tmp_path) == {f"demo/{places_module.DEMO_MARK}": "", "demo/m.pth": "m"}
    assert len(indexes(tmp_path)) == 1


MANY = {f"d/color/{number}.png": f"{number}" for number in range(40)} | {"d/manifest.csv": "m"}


def test_a_folder_that_was_deleted_by_hand_comes_back(tmp_path: Path) -> None:
    trip_with(tmp_path, MANY)
    for path in (tmp_path / "one/d/color").iterdir():
        path.unlink()
    report = trip_with(tmp_path, {})
    assert "40 files in d were deleted" in report.messages[0]
    assert len(list((tmp_path / "one/d/color").iterdir())) == 40 and len(copy_of(tmp_path)) == 41
    assert not any("files in d" in line or "removed here" in line for line in trip_with(tmp_path, {}).messages)


def test_an_emptied_work_folder_is_filled_again(tmp_path: Path) -> None:
    trip_with(tmp_path, MANY)
    for path in (tmp_path / "one/d").rglob("*.*"):
        path.unlink()
    trip_with(tmp_path, {})
    assert len(list((tmp_path / "one/d/color").iterdir())) == 40


def test_a_small_folder_that_was_deleted_as_a_whole_comes_back(tmp_path: Path) -> None:
    trip_with(tmp_path, {"a.csv": "a"} | {f"models/m.{suffix}": "m" for suffix in ("pth", "json", "csv")})
    shutil.rmtree(tmp_path / "one/models")
    trip_with(tmp_path, {})
    assert len(copy_of(tmp_path)) == 4 and len(list((tmp_path / "one/models").iterdir())) == 3


def test_a_few_files_deleted_by_hand_are_gone_and_said(tmp_path: Path) -> None:
    trip_with(tmp_path, MANY)
    for number in range(8):
        (tmp_path / f"one/d/color/{number}.png").unlink()
    assert "8 files that were removed here" in trip_with(tmp_path, {}).messages[0]
    assert len(copy_of(tmp_path)) == 33


def test_files_that_were_moved_by_hand_stay_where_they_are(tmp_path: Path) -> None:
    trip_with(tmp_path, MANY)
    (tmp_path / "one/d/color").rename(tmp_path / "one/d/other")
    trip_with(tmp_path, {})
    assert sorted(path for path in copy_of(tmp_path) if "color" in path) == []
    assert not (tmp_path / "one/d/color").exists()


def test_what_a_step_removes_is_removed_even_where_it_was_killed(tmp_path: Path) -> None:
    trip_with(tmp_path, MANY)
    assert "40 files that were removed" in trip_with(tmp_path, {}, remove="d/color/*").messages[0]
    assert list(copy_of(tmp_path)) == ["d/manifest.csv"]
    trip_with(tmp_path, MANY)
    courier = Courier(tmp_path / "one", tmp_path / "drive")
    courier.pull(nothing)
    courier.work(begun=True)
    for path in (tmp_path / "one/d/color").iterdir():
        path.unlink()
    trip_with(tmp_path, {})  # The process with that step died.
    assert list(copy_of(tmp_path)) == ["d/manifest.csv"]


def test_nothing_is_called_saved_where_nothing_was(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    trip_with(tmp_path, {"a.csv": "a"})
    with pytest.raises(ValueError, match="input"), Trip(places_in(tmp_path), nothing):
        raise ValueError("input")
    assert "saved" not in capsys.readouterr().out


def test_models_come_to_who_trains_labels_or_looks_after_the_work(tmp_path: Path) -> None:
    trip_with(tmp_path, {"models/m.pth": "m", "models/archive/1/m.pth": "old", "models/m.metrics.json": "{}"})

    def comes(machine: str, parameters: dict) -> list[str]:
        bring(places_in(tmp_path, machine), parameters)
        return sorted(path.relative_to(tmp_path / machine / "models").as_posix()
                      for path in (tmp_path / machine / "models").rglob("*.*"))

    assert comes("two", {"dataset_dir": "d"}) == comes("three", {"action": "doctor"}) == ["m.metrics.json"]
    assert comes("four", {"save_path": "models/m.pth"}) == ["m.metrics.json", "m.pth"]
    assert len(comes("five", {"action": "classes"})) == 3


@carried
def status(*, work_dir: str = "", save_dir: str = "", language: str = "en") -> StepReport:
    """What is here."""
    places = find_places(work_dir, save_dir)
    return StepReport("status", {"files": len(list(places.path("").glob("*.csv")))})


@carried
def manage(*, action: str, work_dir: str = "", save_dir: str = "", language: str = "en") -> StepReport:
    """What is here."""
    return status(work_dir=work_dir, save_dir=save_dir, language=language)


def folders_of(places: Places) -> dict[str, str]:
    return {"work_dir": str(places.work_dir), "save_dir": str(places.save_dir)}


def test_status_brings_tables_and_writes_nothing_there(tmp_path: Path) -> None:
    trip_with(tmp_path, {"a.csv": "a", "m.html": "m"})
    there = sorted((tmp_path / "drive").rglob("*"))
    two = places_in(tmp_path, "two")
    report = status(**folders_of(two))
    assert report.facts == {"files": 1} and "Everything is saved" in report.messages[-1]
    write(two, "b.csv", "b")
    report = status(**folders_of(two))
    assert "1 new or changed" in report.messages[-1] and "Everything" not in str(report)
    two.path("b.csv").unlink()
    two.path("a.csv").unlink()
    report = status(**folders_of(two))
    assert "1 files were deleted" in report.messages[-1] and "Everything" not in str(report)
    shutil.rmtree(two.path(".courier"))
    assert status(**folders_of(two)).facts == {"files": 1} and two.path("a.csv").is_file()
    assert sorted((tmp_path / "drive").rglob("*")) == there


@pytest.mark.parametrize("look", [status, lambda **folders: manage(action="doctor", **folders),
                                  lambda **folders: manage(action="plan", **folders)])
@pytest.mark.parametrize(("harm", "code"), [("damaged", "saved_damaged"), ("gone", "drive_gone"),
                                            ("parent gone", "save_dir_unusable")])
def test_who_looks_gets_an_answer_whatever_is_broken(tmp_path: Path, look: object, harm: str, code: str) -> None:
    trip_with(tmp_path, {"a.csv": "a" * 2000})
    kept = tmp_path / "drive"
    if harm == "damaged":
        for path in (kept / "saved").glob("*.tar"):
            path.write_bytes(b"\xff" * path.stat().st_size)
    else:
        kept.rename(tmp_path / "away")
    folders = {"work_dir": str(tmp_path / "two"), "save_dir": str(kept / "x" if harm == "parent gone" else kept)}
    if harm == "gone":
        kept.write_text("no folder")
    report = look(**folders)
    assert report.facts == {"files": 0, "saved": report.facts["saved"]}
    assert report.facts["saved"] in (code, "save_dir_unusable")
    assert "this machine only" in report.messages[-1] and "[" in report.messages[-1]
    with pytest.raises(NpyLabelError):
        step(**folders)


@pytest.mark.parametrize(("faults", "stops"), [(1, False), (10**6, True)])
def test_a_drive_that_may_only_be_read_stops_the_step_before_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: int, stops: bool
) -> None:
    """One that does not answer for a moment looks so, too."""
    places, left = places_in(tmp_path), iter(range(faults))
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != places.save_dir or next(left, None) is None)
    if not stops:
        with Trip(places, nothing):
            write(places, "a.csv", "a")
        assert copy_of(tmp_path) == {"a.csv": "a"}
        return
    with pytest.raises(NpyLabelError) as caught, Trip(places, nothing):
        pytest.fail("the step began")
    assert caught.value.code == "drive_readonly"


def test_what_step_06_works_on_is_brought(tmp_path: Path) -> None:
    places = Places(tmp_path)
    color = {"input_dir": "tintora_dataset/bw", "output_dir": "colorized", "model_path": "models/colorizer.pth"}
    beside, named = (wanted_by({**color, "labels_dir": folder}, places) for folder in ("", "my_labels"))
    labels = "tintora_dataset/labels/a.npy"
    assert beside(labels) and not named(labels) and named("my_labels/a.npy")
    for path in ("tintora_dataset/bw/a.png", "colorized/a.jpg", "models/colorizer.pth"):
        assert beside(path) and named(path)
    assert not beside("tintora_dataset/color/a.png")
    train = wanted_by({"dataset_dir": "tintora_dataset", "save_path": "models/colorizer.pth",
                       "labeler_path": "models/tiny_cnn.pth"}, places)
    assert train("models/tiny_cnn.pth") and train("models/colorizer.resume.ckpt") and train(labels)
    assert not train("models/tiny_cnn.resume.ckpt") and not train("tintora_dataset/bw/a.png")
