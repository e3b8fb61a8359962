"""Runs that are stopped anywhere and started again end as if nothing had happened."""

import errno
import os
import random
import shutil
import signal
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.journal import RunJournal
from npylabel.photos import prepare
from tests.base.processes import start
from tests.photos.collect_kit import assert_agree, collect, failing_write, lay_file, lay_photos, photo, rows, tree

RUN = """
import sys
from pathlib import Path
from npylabel.photos.collect import collect_photos
collect_photos([Path(sys.argv[1])], Path(sys.argv[2]), size_px=64, workers=int(sys.argv[3]))
"""
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Photos that meet in their names and bytes, some of them broken or edited."""
    folder = lay_photos(tmp_path / "phone", "b/a.jpg", "c/a.jpg", "d/IMG-edited.jpg", "d/IMG.jpg", "e/E-edited.jpg")
    lay_file(folder / "a" / "a.jpg", photo("broken")[:600])
    lay_file(folder / "e" / "E.jpg", b"no photo")
    lay_file(folder / "f" / "a.jpg", photo("c/a.jpg"))
    return folder


@pytest.fixture
def unbroken(source: Path, tmp_path: Path) -> dict[str, str]:
    collect(source, tmp_path / "unbroken")
    return tree(tmp_path / "unbroken")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(10))
def test_a_run_stopped_at_any_file_ends_the_same(
    source: Path, tmp_path: Path, unbroken: dict[str, str], at: int, after: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=after, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set")
    collect(source, tmp_path / "set")
    assert_agree(tmp_path / "set")
    assert tree(tmp_path / "set") == unbroken


def keep_journal(journal: RunJournal, *_error: object) -> None:
    """As if the process was killed between the tables and the end of the journal."""
    journal._file.close()


@pytest.mark.parametrize("change", ["nothing", "a new name", "a photo more"])
def test_a_run_killed_when_all_was_done_but_the_journal_changes_nothing(
    source: Path, tmp_path: Path, unbroken: dict[str, str], change: str
) -> None:
    dataset = tmp_path / "unbroken"
    if change == "a new name":
        source = source.rename(tmp_path / "Camera")
    elif change == "a photo more":
        lay_photos(source, "b/new.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunJournal, "__exit__", keep_journal)
        collect(source, dataset)
    done = {name: checksum for name, checksum in tree(dataset).items() if not name.endswith(".jsonl")}
    assert (done == unbroken) == (change == "nothing")
    collect(source, dataset)
    assert_agree(dataset)
    assert tree(dataset) == done


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_run_killed_at_random_moments_ends_the_same(source: Path, tmp_path: Path) -> None:
    lay_photos(source, *(f"g{number % 4}/IMG_{number // 4}.jpg" for number in range(34)))
    originals, rng, dataset, kills = tree(source), random.Random(6), tmp_path / "set", 0
    for round_number in range(6):
        wanted = (round_number + 1) * 6 + rng.randrange(4)
        with start("-c", RUN, source, dataset, 1 + round_number % 2) as process:
            while process.poll() is None and len(list(dataset.glob("bw/*.png"))) < wanted:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.02)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
    assert kills >= 3
    collect(source, dataset)
    assert_agree(dataset)
    collect(source, tmp_path / "unbroken")
    assert tree(dataset) == tree(tmp_path / "unbroken")
    assert tree(source) == originals


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_stops_the_run_which_then_goes_on(
    source: Path, tmp_path: Path, unbroken: dict[str, str], number: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(prepare, "write_bytes", failing_write(4, after=False, error=OSError(number, "no room")))
        collect(source, tmp_path / "set")
    assert caught.value.code == "disk_full" and "no room" in caught.value.what
    assert (tmp_path / "set" / ".photos.jsonl").is_file()
    report = collect(source, tmp_path / "set")
    assert report.measured["done_now"] == 4, "the three photos before the disk was full are not done again"
    assert tree(tmp_path / "set") == unbroken


def test_another_fault_of_the_disk_has_its_own_name(source: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(NpyLabelError) as caught:
        patch.setattr(prepare, "write_bytes", failing_write(0, after=False, error=OSError(errno.EIO, "gone")))
        collect(source, tmp_path / "set")
    assert caught.value.code == "disk_fault"


@pytest.mark.parametrize("change", [{}, {"image_format": "jpg"}])
def test_a_disk_that_is_too_small_is_told_before_anything_is_touched(
    source: Path, tmp_path: Path, unbroken: dict[str, str], monkeypatch: pytest.MonkeyPatch, change: dict
) -> None:
    lay_photos(source, "new.jpg")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 10**6))
    with pytest.raises(NpyLabelError) as caught:
        collect(source, tmp_path / "unbroken", **change)
    assert caught.value.code == "disk_full"
    assert ('image_format="jpg"' in caught.value.fix) == (not change)
    left = {name: checksum for name, checksum in tree(tmp_path / "unbroken").items() if not name.endswith(".jsonl")}
    assert left == unbroken


def test_a_killed_run_under_other_settings_is_not_continued(source: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(5, after=True, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set", image_format="jpg")
    collect(source, tmp_path / "set")
    assert {row["settings"] for row in rows(tmp_path / "set").values()} == {"64 crop png"}
    assert_agree(tmp_path / "set")


@pytest.mark.parametrize("at", [1, 5])
def test_what_changes_between_a_stop_and_the_next_run_is_seen(source: Path, tmp_path: Path, at: int) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write_bytes", failing_write(at, after=True, error=KeyboardInterrupt()))
        collect(source, tmp_path / "set")
    (source / "b" / "a.jpg").unlink()
    lay_file(source / "d" / "IMG.jpg", b"no photo any more")
    lay_photos(source, "0/a.jpg", "0/IMG.jpg")
    lay_file(source / "a" / "a.jpg", photo("mended"))
    collect(source, tmp_path / "set")
    assert_agree(tmp_path / "set")
    used = {name for name, row in rows(tmp_path / "set").items() if row["status"] == "ok"}
    assert {"phone/0/a.jpg", "phone/0/IMG.jpg", "phone/a/a.jpg", "phone/c/a.jpg"} <= used
    assert collect(source, tmp_path / "set").measured["done_now"] == 0
