"""Each photo is decoded once, whatever happens in between, and what is cached is what was decoded."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset import photo_memo, pixel_cache, pixels
from npylabel.dataset.pixel_cache import PixelCache, cached_files, pixel_folder, remove_pixel_cache, row_bytes
from npylabel.dataset.pixels import PixelStore, decode_pixels
from npylabel.photos.sources import PhotoRef, list_photos
from tests.labeler import kit
from tests.photos.zip_kit import write_zip

PX, COUNT = 32, 6
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache of its own for each test, in which photos that were written just now are remembered."""
    monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(photo_memo, "SETTLED_NS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return kit.photo_folder(tmp_path / "photos", COUNT // 3)


class Work:
    """Counts the photos that are read and those that are decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read, self.decoded = 0, 0
        read, decode = PhotoRef.read, pixels.decode_pixels

        def count_read(ref: PhotoRef) -> bytes:
            self.read += 1
            return read(ref)

        def count_decoded(data: bytes, px: int, fit: str) -> np.ndarray:
            self.decoded += 1
            return decode(data, px, fit)

        monkeypatch.setattr(PhotoRef, "read", count_read)
        monkeypatch.setattr(pixels, "decode_pixels", count_decoded)

    def of(self, action: Callable[[], object]) -> tuple[int, int]:
        """(photos read, photos decoded) in an action."""
        self.read = self.decoded = 0
        action()
        return self.read, self.decoded


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


def refs_in(*roots: Path) -> list[PhotoRef]:
    return list_photos(list(roots)).refs


def load(*roots: Path, px: int = PX, fit: str = "crop") -> tuple[np.ndarray, dict[int, str]]:
    """(a copy of the pixels, reason codes) of the photos as they are now."""
    with PixelStore(refs_in(*roots), px, fit) as store:
        return np.array(store.pixels), dict(store.unreadable)


def truth(*roots: Path, px: int = PX, fit: str = "crop") -> np.ndarray:
    """The pixels without any cache."""
    return np.stack([decode_pixels(ref.read(), px, fit) for ref in refs_in(*roots)])


def test_the_second_start_reads_nothing(folder: Path, work: Work) -> None:
    assert work.of(lambda: load(folder)) == (COUNT, COUNT)
    assert work.of(lambda: load(folder)) == (0, 0)
    assert np.array_equal(load(folder)[0], truth(folder))


def test_pixels_cannot_be_written(folder: Path) -> None:
    for _round in range(2):
        with PixelStore(refs_in(folder), PX, "crop") as store, pytest.raises(ValueError, match="read-only"):
            store.pixels[0] = 0


def test_only_new_photos_are_decoded(folder: Path, work: Work) -> None:
    load(folder)
    kit.draw(17, 900).save(folder / "aa.png")
    assert work.of(lambda: load(folder)) == (1, 1)
    assert np.array_equal(load(folder)[0], truth(folder))
    assert len(list(pixel_folder().rglob("*.pixels"))) == 1, "what the larger set holds as well is gone"


def test_moved_and_touched_photos_are_read_and_not_decoded(folder: Path, work: Work) -> None:
    load(folder)
    first, *_others = sorted(folder.iterdir())
    first.rename(folder / "zz.png")
    os.utime(folder / "zz.png", ns=(10**18, 10**18))
    assert work.of(lambda: load(folder)) == (1, 0)
    assert np.array_equal(load(folder)[0], truth(folder))


def test_a_changed_photo_is_decoded_again(folder: Path, work: Work) -> None:
    load(folder)
    path = sorted(folder.iterdir())[2]
    kit.draw(40, 901).save(path)
    os.utime(path, ns=(10**18, 10**18))
    assert work.of(lambda: load(folder)) == (1, 1)
    assert np.array_equal(load(folder)[0], truth(folder))


def test_a_photo_that_was_written_just_now_is_not_remembered(
    folder: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_memo, "SETTLED_NS", 10**12)
    load(folder)
    assert work.of(lambda: load(folder)) == (COUNT, 0)


@pytest.mark.parametrize("changes", [{"px": 48}, {"fit": "pad"}])
def test_other_settings_are_other_pixels(tmp_path: Path, work: Work, changes: dict) -> None:
    (tmp_path / "wide").mkdir()
    kit.draw(3, 1, (80, 40)).save(tmp_path / "wide" / "a.png")
    load(tmp_path / "wide")
    assert work.of(lambda: load(tmp_path / "wide", **changes)) == (1, 1)
    assert np.array_equal(load(tmp_path / "wide", **changes)[0], truth(tmp_path / "wide", **changes))


def test_another_decoder_makes_other_pixels(folder: Path, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder)
    monkeypatch.setattr(pixel_cache, "decoders", lambda: "newer")
    assert work.of(lambda: load(folder)) == (COUNT, COUNT)


def test_photos_in_a_zip(tmp_path: Path, work: Work) -> None:
    files = {f"{i}.png": (kit.photo_folder(tmp_path / "p", 2) / f"3_{500 + i}.png").read_bytes() for i in range(2)}
    archive = write_zip(tmp_path / "a.zip", files)
    assert work.of(lambda: load(archive)) == (2, 2)
    assert work.of(lambda: load(archive)) == (0, 0)
    write_zip(archive, {"0.png": files["1.png"], "1.png": files["0.png"]})
    assert work.of(lambda: load(archive)) == (2, 0)
    assert np.array_equal(load(archive)[0], truth(archive))


def test_damaged_photos_are_remembered_and_unreadable_ones_are_not(folder: Path, work: Work) -> None:
    damaged, gone = sorted(folder.iterdir())[:2]
    damaged.write_bytes(b"no photo")
    refs = refs_in(folder)
    content = gone.read_bytes()
    gone.unlink()

    def codes() -> dict[int, str]:
        with PixelStore(refs, PX, "crop") as store:
            assert not store.pixels[:2].any() and store.pixels[2:].any()
            assert store.readable().tolist() == [2, 3, 4, 5]
            return store.unreadable

    assert codes() == codes() == {0: "not_an_image", 1: "unreadable"}
    gone.write_bytes(content)
    assert work.of(lambda: load(folder)) == (1, 1)
    assert load(folder)[1] == {0: "not_an_image"}
    assert work.of(lambda: load(folder)) == (0, 0)


def test_the_same_photo_twice(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "again")
    for _round in range(2):
        assert np.array_equal(load(folder, tmp_path / "again")[0], truth(folder, tmp_path / "again"))


KILLED = """
import os, signal, sys
from pathlib import Path
from npylabel.dataset import photo_memo, pixel_cache, pixels
from npylabel.photos.sources import list_photos
photo_memo.SETTLED_NS = 0
owner, name = {"fill": (pixels._Filling, "fill"), "put": (pixel_cache.PixelFile, "put"),
               "keep": (pixel_cache.PixelCache, "keep"), "clean": (pixel_cache.PixelCache, "_clean")}[sys.argv[2]]
function, calls = getattr(owner, name), []
pixels.run_threads = lambda function, jobs: map(function, jobs)
def die(self, *arguments):
    calls.append(1)
    if len(calls) == 4 or name in ("keep", "_clean"):
        if name == "put":  # Half a square, and no record.
            self.pixels[arguments[0], :16] = 77
        os.kill(os.getpid(), signal.SIGKILL)
    return function(self, *arguments)
setattr(owner, name, die)
pixels.PixelStore(list_photos([Path(sys.argv[1])]).refs, 32, "crop")
"""


@pytest.mark.parametrize(("moment", "left_to_decode"), [("fill", 3), ("put", 3), ("keep", 0), ("clean", 0)])
def test_it_may_be_killed_anywhere(folder: Path, work: Work, moment: str, left_to_decode: int) -> None:
    code = subprocess.run([sys.executable, "-c", KILLED, str(folder), moment], cwd=PROJECT, check=False).returncode
    assert code == -signal.SIGKILL
    assert work.of(lambda: load(folder))[1] == left_to_decode
    assert np.array_equal(load(folder)[0], truth(folder))
    assert len(list(pixel_folder().rglob("*.pixels"))) == 1


def test_what_an_interrupted_run_decoded_serves_the_next(
    folder: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pixels, "run_threads", lambda function, jobs: map(function, jobs))
        patch.setattr(pixels, "track", lambda items, **_words: (_stop() if i == 4 else i for i, _ in enumerate(items)))
        load(folder)
    assert work.of(lambda: load(folder)) == (1, 1)
    assert len(list(pixel_folder().rglob("*.pixels"))) == 1


def _stop() -> None:
    raise KeyboardInterrupt


def test_a_row_that_its_record_does_not_vouch_for_is_decoded_again(folder: Path, work: Work) -> None:
    load(folder)
    path = next(pixel_folder().rglob("*.pixels"))
    with path.open("r+b") as file:
        file.seek(3 * PX * PX + 5)
        file.write(b"\x55\xaa\x55")
    kit.draw(17, 900).save(folder / "zz.png")
    assert work.of(lambda: load(folder)) == (2, 2)
    assert np.array_equal(load(folder)[0], truth(folder))


@pytest.mark.parametrize("harm", [
    lambda path: path.write_bytes(b""), lambda path: os.truncate(path, path.stat().st_size - 1),
    lambda path: os.truncate(path, row_bytes(PX)), lambda path: path.unlink(),
])
def test_a_file_of_another_size_is_not_trusted(folder: Path, harm: Callable[[Path], object]) -> None:
    load(folder)
    harm(next(pixel_folder().rglob("*.pixels")))
    assert np.array_equal(load(folder)[0], truth(folder))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', '{"a": []}'])
def test_a_damaged_memo_costs_time_only(folder: Path, work: Work, text: str) -> None:
    load(folder)
    next(pixel_folder().glob("*.json")).write_text(text, "utf-8")
    assert work.of(lambda: load(folder)) == (COUNT, 0)
    assert work.of(lambda: load(folder)) == (0, 0)


def test_two_at_once_do_not_harm_each_other(folder: Path, work: Work) -> None:
    refs = refs_in(folder)
    with PixelStore(refs, PX, "crop") as first:
        kit.draw(17, 900).save(folder / "zz.png")
        cache = PixelCache.of(PX, "crop")
        being_written = cache.begin(3)
        with PixelStore(refs_in(folder), PX, "crop") as second:
            assert remove_pixel_cache() > 0
            assert np.array_equal(first.pixels, truth(folder)[:COUNT])
            assert np.array_equal(second.pixels, truth(folder))
        assert being_written.path.is_file(), "it belongs to a process that lives"
        cache.leave(being_written)
    assert work.of(lambda: load(folder))[1] == COUNT + 1


# Room


def files_of(px: int) -> list[Path]:
    return list(pixel_folder().glob(f"{px}-*/*"))


def test_what_was_not_used_for_longest_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder, px=32)
    load(folder, px=40)
    for age, px in enumerate((40, 32)):
        os.utime(files_of(px)[0], ns=(10**18 + age, 10**18 + age))
    monkeypatch.setattr(pixel_cache, "MAX_BYTES", COUNT * (row_bytes(32) + row_bytes(48)) + 10_000)
    load(folder, px=48)
    assert [len(files_of(px)) for px in (32, 40, 48)] == [1, 0, 1]


def test_a_use_counts(folder: Path) -> None:
    load(folder)
    path = files_of(PX)[0]
    os.utime(path, ns=(10**18, 10**18))
    load(folder)
    assert path.stat().st_mtime_ns > 10**18


def test_what_is_larger_than_the_cache_takes_no_place_in_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder, px=32)
    monkeypatch.setattr(pixel_cache, "MAX_BYTES", COUNT * row_bytes(48) - 1)
    assert np.array_equal(load(folder, px=48)[0], truth(folder, px=48))
    assert [len(files_of(px)) for px in (32, 48)] == [1, 0]


@pytest.mark.parametrize(("free", "kept"), [(0.05, [32]), (0.2, [32, 48])])
def test_a_tenth_of_the_disk_stays_free_and_nothing_goes_in_vain(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: float, kept: list[int]
) -> None:
    load(folder, px=32)
    usage = SimpleNamespace(total=10**9, free=int(free * 10**9))
    monkeypatch.setattr(pixel_cache.shutil, "disk_usage", lambda _folder: usage)
    assert np.array_equal(load(folder, px=48)[0], truth(folder, px=48))
    assert [px for px in (32, 48) if files_of(px)] == kept


def refuse(number: int) -> Callable[..., None]:
    def no_room(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return no_room


@pytest.mark.parametrize("why", ["no folder", "no file", "slow disk"])
def test_without_a_place_for_the_cache_it_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "no folder":
        (tmp_path / "file").touch()
        monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path / "file"))
    elif why == "no file":
        monkeypatch.setattr(pixel_cache, "make_room", refuse(errno.EROFS))
    else:
        monkeypatch.setattr(pixel_cache, "is_slow_disk", lambda _path: True)
    for _round in range(2):
        assert np.array_equal(load(folder)[0], truth(folder))
    assert cached_files() == [] or why == "no file"


def test_a_full_disk_under_the_pixels_is_said_and_not_a_dead_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", refuse(errno.ENOSPC))
    with pytest.raises(NpyLabelError) as caught:
        load(folder)
    assert caught.value.code == "disk_full"
    assert not list(pixel_folder().rglob("*.pixels"))


def test_a_full_cache_disk_leaves_the_temporary_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = pixel_cache._take_room
    calls = []

    def first_is_full(handle: int, size: int) -> None:
        calls.append(size)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, "full")
        take(handle, size)

    monkeypatch.setattr(pixel_cache, "_take_room", first_is_full)
    assert np.array_equal(load(folder)[0], truth(folder))
    assert len(calls) == 2 and not list(pixel_folder().rglob("*.pixels"))
