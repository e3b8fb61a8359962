"""Room and time are known before the work starts."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.photos.fit import encode_pair, fit_square
from npylabel.photos.preflight import plan_run, size_text
from npylabel.photos.prepare import PhotoJob
from npylabel.photos.sources import PhotoRef
from tests.photos.pictures import jpeg_bytes, texture

Usage = namedtuple("Usage", "total used free")


def jobs(folder: Path, count: int, image_format: str = "png", size_px: int = 512) -> list[PhotoJob]:
    path = folder / "a.jpg"
    path.write_bytes(jpeg_bytes(texture(0, 96, 64)))
    return [PhotoJob(PhotoRef(f"{n}.jpg", path), folder / f"c{n}", None, size_px, "crop", image_format)
            for n in range(count)]


def set_free(monkeypatch: pytest.MonkeyPatch, size_bytes: float) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**13, 0, int(size_bytes)))


def test_a_disk_that_is_too_small_stops_the_run_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_free(monkeypatch, 0.5e9)
    with pytest.raises(NpyLabelError) as caught:
        plan_run(jobs(tmp_path, 1000), tmp_path)
    assert caught.value.code == "disk_full"
    assert "1000 photos" in caught.value.what and "500.0 MB" in caught.value.what
    assert "dataset_dir" in caught.value.fix and 'image_format="jpg"' in caught.value.fix
    with pytest.raises(NpyLabelError) as caught:
        plan_run(jobs(tmp_path, 10_000, "jpg"), tmp_path)
    assert "image_format" not in caught.value.fix


def test_a_disk_with_just_enough_room_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = jobs(tmp_path, 100)
    set_free(monkeypatch, 1e12)
    plan = plan_run(few, tmp_path)
    assert (plan.photos, plan.free_bytes, plan.seconds) == (100, 10**12, 0.0)
    set_free(monkeypatch, plan.room_bytes + 200 * 2**20)
    assert plan_run(few, tmp_path).room_bytes == plan.room_bytes
    set_free(monkeypatch, plan.room_bytes)
    with pytest.raises(NpyLabelError):
        plan_run(few, tmp_path)


@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_the_expected_room_is_near_the_real_one(tmp_path: Path, image_format: str) -> None:
    color, gray, _ = encode_pair(fit_square(texture(1, 640, 480), 256, "crop"), image_format)
    room = plan_run(jobs(tmp_path, 1, image_format, 256), tmp_path).room_bytes
    assert room / 4 < len(color) + len(gray) < 1.5 * room


def test_the_time_is_measured_where_there_is_much_to_do(tmp_path: Path) -> None:
    many = plan_run(jobs(tmp_path, 3000, size_px=32), tmp_path, workers=1)
    assert 0 < many.seconds < 3000
    assert "takes about" in str(many) and "3000 photos" in str(many)
    assert "takes about" not in str(plan_run(jobs(tmp_path, 3), tmp_path))


def test_photos_that_cannot_be_used_do_not_stop_the_measurement(tmp_path: Path) -> None:
    broken = jobs(tmp_path, 300)
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    assert plan_run(broken, tmp_path, workers=1).seconds == 0.0


@pytest.mark.parametrize(("size", "text"), [(0, "0 kB"), (1500, "2 kB"), (2.5e6, "2.5 MB"), (1.34e9, "1.3 GB")])
def test_sizes_are_written_for_people(size: float, text: str) -> None:
    assert size_text(size) == text
