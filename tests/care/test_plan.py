"""The plan of the whole path: what fits, what is proposed where it does not, and that its sums are right."""

from dataclasses import replace
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.care.plan import GB, Machine, Work, plan_path, plan_report
from npylabel.photos.preflight import BYTES_PER_PX
from tests.photos.collect_kit import lay_photos

PHONE = Work(photos=8000, photo_bytes=28 * GB, training=5000)
COLAB = Machine(local_bytes=20 * GB, drive_bytes=15 * GB, cores=2, has_gpu=False)


def kept_bytes(plan_needs: tuple) -> float:
    return sum(need.drive_bytes for need in plan_needs)


def test_a_phone_full_of_photos_fits_on_a_free_drive_in_portions() -> None:
    plan = plan_path(PHONE, COLAB)
    assert (plan.fits, plan.image_format) == (True, "png")
    pairs = 8000 * 512**2 * BYTES_PER_PX["png"]
    assert pairs < kept_bytes(plan.needs) < 15 * GB
    # What is kept and one portion of originals fit together.
    assert kept_bytes(plan.needs) + plan.portion_bytes <= 15 * GB
    assert 4 * GB < plan.portion_bytes < 28 * GB


def test_jpeg_is_proposed_where_png_leaves_no_room_for_originals() -> None:
    full = replace(COLAB, drive_bytes=8 * GB)
    plan = plan_path(PHONE, full)
    assert (plan.fits, plan.image_format) == (True, "jpg")
    assert kept_bytes(plan.needs) + plan.portion_bytes <= 8 * GB


def test_a_small_local_disk_counts_too() -> None:
    assert plan_path(PHONE, replace(COLAB, local_bytes=7 * GB)).image_format == "jpg"
    assert not plan_path(PHONE, replace(COLAB, local_bytes=2 * GB)).fits


def test_without_drive_nothing_is_asked_of_it() -> None:
    plan = plan_path(PHONE, replace(COLAB, drive_bytes=None))
    assert plan.fits and plan.portion_bytes == 0
    assert kept_bytes(plan.needs) == 0


def test_more_photos_and_fewer_cores_take_longer_and_a_gpu_helps_training_only() -> None:
    plan, slow, more = (plan_path(PHONE, COLAB), plan_path(PHONE, replace(COLAB, cores=1)),
                        plan_path(replace(PHONE, photos=16000, photo_bytes=56 * GB), COLAB))
    for usual, one_core, twice in zip(plan.needs, slow.needs, more.needs, strict=True):
        assert usual.minutes < one_core.minutes and usual.minutes <= twice.minutes
        assert (usual.gpu_minutes < usual.minutes) == (usual.step in ("03", "04"))


def test_the_report_names_the_portions(tmp_path: Path) -> None:
    report = plan_report(Places(tmp_path), "photos=8000; photo_mb=3.5; training=5000; drive_gb=15; local_gb=20")
    text = "\n".join(report.messages)
    assert report.facts == {"action": "plan", "done": True, "photos": 8000, "training": 5000}
    assert "in 6 portions of up to 5.1 GB" in text
    assert [line[:3] for line in report.messages[1:6]] == ["01:", "02:", "03:", "04:", "05:"]
    assert report.messages[6].startswith("Only if you want a colorizer of your own, 06: about ")


def test_the_colorizer_is_planned_beside_the_path() -> None:
    work = Work(photos=5000, photo_bytes=17.5 * GB, training=5000)
    plan = plan_path(work, replace(COLAB, drive_bytes=None))
    # 5,000 photos in 40 epochs at 70 photos a second.
    assert (plan.colorizer.step, round(plan.colorizer.minutes)) == ("06", 48)
    assert plan.colorizer.gpu_minutes == pytest.approx(plan.colorizer.minutes / 8)
    assert [need.step for need in plan.needs] == ["01", "02", "03", "04", "05"]
    decoded = 5000 * 280**2 * 3
    assert decoded + 0.2 * GB < plan.colorizer.local_bytes < decoded + 5 * GB
    assert plan.colorizer.drive_bytes == 0
    kept = plan_path(work, COLAB).colorizer
    assert kept.drive_bytes == 0.2 * GB and kept.minutes > plan.colorizer.minutes, "photos and labels are brought first"


def test_the_path_fits_also_where_the_colorizer_would_not() -> None:
    small = Machine(local_bytes=1.2 * GB, drive_bytes=None, cores=2, has_gpu=False)
    plan = plan_path(Work(photos=5000, photo_bytes=0, training=1000, size_px=64, input_px=64), small)
    assert plan.fits and plan.colorizer.local_bytes > small.local_bytes


def test_what_does_not_fit_says_how_many_would(tmp_path: Path) -> None:
    report = plan_report(Places(tmp_path), "photos=8000; photo_mb=3.5; drive_gb=3; local_gb=20")
    assert report.measured["fits"] is False
    number = int("".join(filter(str.isdigit, next(line for line in report.messages if "even with JPEG" in line))))
    assert 0 < number < 8000
    share = number / 8000
    fits = Work(number, 28 * GB * share, int(5000 * share))
    assert plan_path(fits, replace(COLAB, drive_bytes=3 * GB)).fits


def test_a_folder_is_measured(tmp_path: Path) -> None:
    photos = lay_photos(tmp_path / "photos", "a.jpg", "b.jpg", "c.jpg")
    size = sum(path.stat().st_size for path in photos.iterdir())
    report = plan_report(Places(tmp_path), "photos")
    assert report.facts["photos"] == 3
    assert f"3 photos, {size / 1e3:.0f} kB in all." in report.messages


def test_a_folder_with_an_equals_sign_is_measured(tmp_path: Path) -> None:
    lay_photos(tmp_path / "photos=2", "a.jpg", "b.jpg")
    lay_photos(tmp_path / "more", "c.jpg")
    assert plan_report(Places(tmp_path), "photos=2").facts["photos"] == 2
    assert plan_report(Places(tmp_path), "more; photos=2").facts["photos"] == 3


@pytest.mark.parametrize("value", [
    "photos=many", "photo=3", "photos=-1", "photos=1;drive", "photos=nan", "photo_mb=inf", "photos=9; drive_gb=NaN",
    "=", "=3"])
def test_wrong_numbers_are_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(NpyLabelError) as caught:
        plan_report(Places(tmp_path), value)
    assert caught.value.code == "bad_parameter"
