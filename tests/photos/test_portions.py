"""Photos from a slow disk: the same result, read ahead, and nothing left behind."""

import zipfile
from pathlib import Path

import pytest

from npylabel.base import disks, places
from npylabel.base.errors import NpyLabelError
from npylabel.photos import portions
from npylabel.photos.collect import collect_photos
from npylabel.photos.portions import Portions, receive_uploads
from npylabel.photos.sources import list_photos
from tests.photos.collect_kit import photo


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that passes for Drive, with photos in a folder and in a zip, one of them with a Takeout sidecar."""
    monkeypatch.setattr(places, "DRIVE", tmp_path / "drive")
    disks.is_slow_folder.cache_clear()
    photos = tmp_path / "drive/photos"
    photos.mkdir(parents=True)
    for number in range(4):
        (photos / f"{number}.jpg").write_bytes(photo(f"{number}"))
    (photos / "0.jpg.json").write_text('{"photoTakenTime": {"timestamp": "1600000000"}, "title": "0.jpg"}')
    with zipfile.ZipFile(tmp_path / "drive/more.zip", "w") as archive:
        archive.writestr("a/8.jpg", photo("8"))
        archive.writestr("a/broken.jpg", b"\xff\xd8\xff no photo")
    yield tmp_path / "drive"
    disks.is_slow_folder.cache_clear()


def refs_of(drive: Path) -> list:
    return list_photos([drive / "photos", drive / "more.zip"]).refs


def test_copies_are_local_equal_and_released(drive: Path) -> None:
    refs = refs_of(drive)
    with Portions(refs) as taken:
        for original, near in zip(refs, taken, strict=True):
            assert near.source == original.source and near.fingerprint == original.fingerprint
            assert not near.path.is_relative_to(drive) and near.member is None
            assert near.path.read_bytes() == original.read()
            assert (near.sidecar is None) == (original.sidecar is None)
            taken.release(near)
            assert not near.path.exists()
        folder = near.path.parent
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_no_more_lies_here_than_fits(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (drive / "photos/0.jpg").stat().st_size
    monkeypatch.setattr(portions, "_AHEAD_BYTES", int(2.5 * size))
    refs = [ref for ref in refs_of(drive) if ref.source.startswith("photos/")]
    with Portions(refs) as taken:
        for near in taken:
            copies = [path for path in near.path.parent.iterdir() if path.suffix == ".jpg"]
            assert len(copies) <= 4  # Three that fit at most, and the one in hand.
            taken.release(near)


def test_a_photo_larger_than_the_room_is_read_where_it_is(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "_AHEAD_BYTES", 10)
    with Portions(refs_of(drive)) as taken:
        assert all(near.path.is_relative_to(drive) for near in taken)


def test_the_dataset_is_the_same_as_from_a_fast_disk(drive: Path, tmp_path: Path) -> None:
    sources = [drive / "photos", drive / "more.zip"]
    slow = collect_photos(sources, tmp_path / "slow", size_px=64, workers=2)
    places.DRIVE = tmp_path / "elsewhere"
    disks.is_slow_folder.cache_clear()
    fast = collect_photos(sources, tmp_path / "fast", size_px=64, workers=2)
    assert slow.facts == fast.facts
    assert slow.facts["photos"] == 5 and slow.facts["left_out"] == 1
    for name in ("manifest.csv", "quarantine.csv"):
        assert (tmp_path / "slow" / name).read_bytes() == (tmp_path / "fast" / name).read_bytes()
    assert "2020-09-13" in (tmp_path / "slow/manifest.csv").read_text(encoding="utf-8")


def test_the_system_is_asked_once_for_a_folder(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refs = [ref for ref in refs_of(drive) if ref.source.startswith("photos/")] * 3
    disks.is_slow_folder.cache_clear()
    asked, is_slow_disk = [], disks.is_slow_disk
    monkeypatch.setattr(disks, "is_slow_disk", lambda path: asked.append(path) or is_slow_disk(path))
    with Portions(refs) as taken:
        assert not any(near.path.is_relative_to(drive) for near in taken)
    assert set(asked) == {drive / "photos"} and len(asked) <= portions._THREADS


@pytest.mark.parametrize("headless", [True, False])
def test_uploads_need_colab_and_a_person(tmp_path: Path, headless: bool) -> None:
    with pytest.raises(NpyLabelError) as caught:
        receive_uploads(tmp_path / "up", headless=headless)
    assert caught.value.code == "upload_impossible"
    assert not (tmp_path / "up").exists()
