"""A page of small pictures: right, in order, made once, and never an error."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npylabel.dataset import thumbnails
from npylabel.dataset.pixel_cache import cached_files, pixel_folder, remove_pixel_cache, thumbnail_folder
from npylabel.dataset.thumbnails import SIDE_PX, Thumbnails, placeholder

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 40), (20, 40, 190)


def lay(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (512, 512)) -> Path:
    Image.new("RGB", size, color).save(path)
    return path


def color_of(data: bytes) -> tuple[int, int, int]:
    """The color that a small picture of one color has, to the nearest ten."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float).reshape(-1, 3)
    return tuple(round(value / 10) * 10 for value in pixels.mean(0))


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each photo that is decoded."""
    calls, decode = [], thumbnails.decode_photo

    def counted(data: bytes, min_side_px: int) -> object:
        calls.append(len(data))
        return decode(data, min_side_px)

    monkeypatch.setattr(thumbnails, "decode_photo", counted)
    return calls


def test_a_page_shows_the_photos_in_their_order(tmp_path: Path) -> None:
    paths = [lay(tmp_path / f"{name}.png", color) for name, color in (("c", RED), ("a", GREEN), ("b", BLUE))]
    page = Thumbnails(tmp_path / "cache").page([*paths, paths[0]])
    assert [color_of(data) for data in page] == [(200, 30, 30), (30, 160, 40), (20, 40, 190), (200, 30, 30)]
    assert {size_of(data) for data in page} == {(SIDE_PX, SIDE_PX)}


@pytest.mark.parametrize(("size", "small"), [((512, 256), (128, 64)), ((300, 900), (43, 128)), ((64, 64), (64, 64))])
def test_a_photo_keeps_its_shape_and_never_grows(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int]
) -> None:
    assert size_of(Thumbnails(None).get(lay(tmp_path / "a.jpg", RED, size))) == small


def test_a_page_of_sixty_is_small_enough_to_send(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(noise).resize((512, 512), Image.Resampling.BICUBIC).save(path)
    assert 60 * len(Thumbnails(None).get(path)) * 4 / 3 < 1_000_000, "harder to pack than any photo"


def test_what_is_kept_is_not_made_again(tmp_path: Path, made: list[int]) -> None:
    paths = [lay(tmp_path / f"{number}.png", (20 * number, 0, 0)) for number in range(8)]
    first = Thumbnails(tmp_path / "cache").page(paths)
    assert len(made) == 8
    assert Thumbnails(tmp_path / "cache").page(paths[::-1]) == first[::-1] and len(made) == 8
    assert Thumbnails(None).page(paths[:2]) == first[:2] and len(made) == 10, "no cache: the same, made each time"


def test_a_photo_that_changed_gets_another_picture(tmp_path: Path) -> None:
    path, small = lay(tmp_path / "a.png", RED), Thumbnails(tmp_path / "cache")
    assert color_of(small.get(path)) == (200, 30, 30)
    lay(path, GREEN)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert color_of(small.get(path)) == (30, 160, 40)


def test_a_photo_that_cannot_be_read_is_drawn(tmp_path: Path) -> None:
    good, bad, empty = lay(tmp_path / "good.png", RED), tmp_path / "bad.png", tmp_path / "empty.jpg"
    bad.write_bytes(good.read_bytes()[:-100])
    empty.write_bytes(b"")
    small = Thumbnails(tmp_path / "cache")
    page = small.page([bad, empty, tmp_path / "gone.png", tmp_path, good])
    assert page[:4] == [placeholder()] * 4 and color_of(page[4]) == (200, 30, 30)
    assert size_of(placeholder()) == (SIDE_PX, SIDE_PX)
    bad.write_bytes(good.read_bytes())
    assert color_of(small.get(bad)) == (200, 30, 30), "mended, it is seen"


@pytest.mark.parametrize("harm", [b"", b"\xff\xd8 torn"])
def test_a_kept_picture_that_is_not_whole_is_made_again(tmp_path: Path, harm: bytes) -> None:
    path, small = lay(tmp_path / "a.png", RED), Thumbnails(tmp_path / "cache")
    before = small.get(path)
    kept = next((tmp_path / "cache").rglob("*.jpg"))
    kept.write_bytes(harm)
    assert small.get(path) == before == kept.read_bytes()


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    path = lay(tmp_path / "a.png", RED)
    (tmp_path / "cache").write_bytes(b"")
    assert color_of(Thumbnails(tmp_path / "cache").get(path)) == (200, 30, 30)


def test_they_are_a_part_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path / "cache"))
    path = lay(tmp_path / "a.png", RED)
    assert thumbnail_folder().is_relative_to(pixel_folder())
    data = Thumbnails(thumbnail_folder()).get(path)
    assert [kept.read_bytes() for kept in cached_files()] == [data]
    assert remove_pixel_cache() == len(data) and cached_files() == []
