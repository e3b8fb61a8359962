"""The drawn demo photos: always the same, true to their class, and as messy as a phone's folder."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageOps

from npylabel.photos.demo import write_demo_classes, write_demo_photos
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo

SMALL = (96, 80)


def checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def opened(path: Path) -> Image.Image:
    if path.suffix.lower() == ".heic":
        return pillow_heif.open_heif(path).to_pillow()
    return Image.open(path)


def mean_color(class_name: str, random_seed: int) -> np.ndarray:
    return np.asarray(draw_photo(class_name, random_seed=random_seed, size=SMALL)).mean(axis=(0, 1))


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("phone")
    return folder, write_demo_photos(folder, photos_per_class=2)


@pytest.mark.parametrize("class_name", DEMO_CLASSES)
def test_photo_depends_on_its_seed_alone(class_name: str) -> None:
    first, again, other = (draw_photo(class_name, random_seed=seed, size=(120, 90)) for seed in (5, 5, 6))
    assert (first.mode, first.size) == ("RGB", (120, 90))
    assert first.tobytes() == again.tobytes()
    difference = np.abs(np.asarray(first, np.int16) - np.asarray(other, np.int16))
    assert difference.mean() > 5


def test_size_is_kept_for_odd_and_narrow_sides() -> None:
    for size in ((101, 67), (64, 200), (333, 64)):
        for class_name in DEMO_CLASSES:
            assert draw_photo(class_name, random_seed=1, size=size).size == size


def test_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match="облако"):
        draw_photo("облако", random_seed=1, size=SMALL)


@pytest.mark.parametrize("random_seed", range(8))
def test_colors_follow_nature(random_seed: int) -> None:
    red, green, blue = mean_color("трава", random_seed)
    assert green > red > blue
    red, green, blue = mean_color("небо", random_seed)
    assert blue > green > red
    red, _, blue = mean_color("закат", random_seed)
    assert red > blue + 20
    assert mean_color("луна", random_seed).mean() < 90
    assert mean_color("солнце", random_seed).mean() > 170


def test_truth_names_every_readable_picture(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    left_out = {path.name for path in folder.iterdir()} - set(truth)
    assert set(truth.values()) == set(DEMO_CLASSES)
    assert len(truth) == 2 * len(DEMO_CLASSES) + 10
    assert len(left_out) == 3
    assert "readme.txt" in left_out
    for name in truth:
        with opened(folder / name) as image:
            image.load()


def test_copy_is_exact_and_broken_file_breaks_off(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    (copy,) = folder.glob("* (1).jpg")
    assert copy.read_bytes() == (folder / copy.name.replace(" (1)", "")).read_bytes()
    (broken,) = {path.name for path in folder.glob("IMG*")} - set(truth) - {copy.name}
    data = (folder / broken).read_bytes()
    assert data.startswith(b"\xff\xd8")
    with Image.open(io.BytesIO(data)) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_no_two_photos_are_the_same_but_for_the_copy(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    sums = checksums(folder)
    assert len({sums[name] for name in truth}) == len(truth)


def test_oddities_of_a_phone_are_there(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    facts = {}
    for name in truth:
        with opened(folder / name) as image:
            facts[name] = (image.mode, image.getexif())
    orientations = [exif.get(ExifTags.Base.Orientation) for _, exif in facts.values()]
    assert {3, 6} <= set(orientations)
    assert {"CMYK", "RGBA"} <= {mode for mode, _ in facts.values()}
    assert {".jpg", ".JPG", ".png", ".webp", ".HEIC"} == {Path(name).suffix for name in truth}
    assert sum(bool(exif.get_ifd(ExifTags.IFD.GPSInfo)) for _, exif in facts.values()) == 2
    moments = [exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] for _, exif in facts.values()]
    assert len(set(moments)) == len(truth)
    assert [f"IMG_{moment.replace(':', '').replace(' ', '_')}" for moment in moments] == [Path(n).stem for n in truth]


def test_turned_photo_stands_upright_after_its_tag_is_applied(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    checked = 0
    for name, class_name in truth.items():
        with opened(folder / name) as image:
            if class_name != "дом" or image.getexif().get(ExifTags.Base.Orientation) != 6:
                continue
            upright = np.asarray(ImageOps.exif_transpose(image), np.int16)
        fifth = upright.shape[0] // 5
        lawn, sky = upright[-fifth:].mean(axis=(0, 1)), upright[:fifth].mean(axis=(0, 1))
        assert lawn[1] - lawn[2] > 30 > sky[1] - sky[2]
        checked += 1
    assert checked == 1


def test_burst_is_one_scene_a_second_apart(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    times = {int(name[13:19]): name for name in truth}
    starts = [
        time for time in times if time + 1 in times and time + 2 in times and times[time][:12] == times[time + 2][:12]
    ]
    frames = [
        np.asarray(Image.open(folder / times[starts[0] + step]).convert("L").resize((32, 32)), float)
        for step in range(3)
    ]
    assert len(starts) == 1
    for frame in frames[1:]:
        assert 0 < np.abs(frame - frames[0]).mean() < 6


def test_sizes_vary(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    sizes = set()
    for name in truth:
        with opened(folder / name) as image:
            sizes.add(image.size)
    assert len(sizes) > 15
    assert any(width > height for width, height in sizes)
    assert any(width < height for width, height in sizes)


def test_killed_run_ends_in_the_same_files(phone: tuple[Path, dict[str, str]]) -> None:
    folder, truth = phone
    before = checksums(folder)
    names = sorted(truth)
    kept = folder / names[3]
    modified = kept.stat().st_mtime_ns
    (folder / names[0]).unlink()
    (folder / names[1]).write_bytes((folder / names[1]).read_bytes()[:-900])
    (folder / ".tmp-npylabel-x7.jpg").write_bytes(b"\xff\xd8 half a photo")
    assert write_demo_photos(folder, photos_per_class=2) == truth
    assert checksums(folder) == before
    assert kept.stat().st_mtime_ns == modified


def test_class_folders_are_complete_and_resume(tmp_path: Path) -> None:
    assert write_demo_classes(tmp_path, photos_per_class=2) == 2 * len(DEMO_CLASSES)
    before = checksums(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(DEMO_CLASSES)
    assert len(before) == len(set(before.values())) == 2 * len(DEMO_CLASSES)
    next((tmp_path / "луна").iterdir()).unlink()
    (tmp_path / "дом" / ".tmp-npylabel-1.jpg").write_bytes(b"half")
    assert write_demo_classes(tmp_path, photos_per_class=2) == 2 * len(DEMO_CLASSES)
    assert checksums(tmp_path) == before


def test_other_seed_replaces_the_pictures(tmp_path: Path) -> None:
    write_demo_classes(tmp_path, photos_per_class=1)
    before = checksums(tmp_path)
    write_demo_classes(tmp_path, photos_per_class=1, random_seed=7)
    after = checksums(tmp_path)
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
