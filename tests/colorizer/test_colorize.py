"""A folder of old photos comes back in color: whole, once, by the right label, and nothing else is touched."""

import itertools
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npylabel.base import parallel
from npylabel.base.errors import NpyLabelError
from npylabel.colorizer import colorize as module
from npylabel.colorizer import pixel_lab
from npylabel.colorizer.color_book import JOURNAL
from tests.colorizer.color_kit import (
    GRASS,
    SKY,
    UNKNOWN,
    FakePainter,
    color,
    file_bytes,
    gray_photo,
    lay,
    lay_label,
    pixels,
    rows,
    sepia,
    written,
)
from tests.photos.collect_kit import tree
from tests.photos.pictures import texture


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with two light photos, one dark one, one in color and one that is damaged."""
    folder = tmp_path / "old"
    lay(folder / "aunt.png", gray_photo(1))
    lay(folder / "1931" / "aunt.png", sepia(gray_photo(2, 64, 128)))
    lay(folder / "cellar.jpg", gray_photo(3, low=0, high=60))
    lay(folder / "beach.jpg", texture(4, 96, 64), quality=95)
    (folder / "torn.jpg").write_bytes(file_bytes(gray_photo(5), "JPEG")[:900])
    return folder


def test_each_photo_gets_what_is_right_for_it(old: Path, tmp_path: Path) -> None:
    before, out = tree(old), tmp_path / "colorized"
    report = color(old, out)
    assert tree(old) == before
    assert report.facts == {"photos": 5, "colored": 3, "already_color": 1, "left_out": 1, "reasons": {"truncated": 1}}
    assert not report.faulty
    found = rows(out)
    assert {name: row["status"] for name, row in found.items()} == {
        "aunt.png": "colored", "1931/aunt.png": "colored", "cellar.jpg": "colored", "beach.jpg": "already_color",
        "torn.jpg": "left_out"}
    # The second of a name gets a number, as in step 01; sources are in order of the alphabet.
    assert (found["1931/aunt.png"]["name"], found["aunt.png"]["name"]) == ("aunt", "aunt_2")
    assert sorted(path.name for path in out.iterdir()) == ["aunt.jpg", "aunt_2.jpg", "cellar.jpg", "colorized.csv"]
    light, dark = found["aunt.png"], found["cellar.jpg"]
    assert (light["label_id"], light["label_name"], light["label_source"]) == (str(SKY), "небо", "network")
    assert 0.5 < float(light["confidence"]) < 1
    assert (dark["label_id"], dark["label_source"], dark["confidence"]) == ("", "", "0.3400")
    assert found["torn.jpg"]["sha256"], "a damaged original is told by its bytes, too"


def test_colors_come_from_the_label_and_lightness_from_the_photo(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out, image_format="png")
    gray = np.asarray(gray_photo(1), np.float32)
    painted = pixels(out / "aunt_2.png")
    assert painted.shape == (*gray.shape, 3)
    # Sky: more blue than green than red, everywhere.
    assert (painted[..., 2] > painted[..., 1]).all()
    assert (painted[..., 1] > painted[..., 0]).all()
    assert pixels(out / "aunt.png").shape == (128, 64, 3)
    plain = tmp_path / "plain"
    color(old, plain, image_format="png", saturation=0)
    assert np.abs(pixels(plain / "aunt_2.png") - gray[..., None]).max() <= 1


def test_the_network_sees_the_photo_undistorted(tmp_path: Path) -> None:
    painter = FakePainter(side_px=64)
    for name, size in {"wide": (200, 100), "high": (100, 150), "long": (1000, 40)}.items():
        lay(tmp_path / "old" / f"{name}.png", gray_photo(1, *size))
    color(tmp_path / "old", tmp_path / "out", painter, label="небо")
    assert sorted(painter.seen) == [((64, 128), SKY), ((64, 256), SKY), ((96, 64), SKY)]


def test_labels_given_beside_and_guessed(old: Path, tmp_path: Path) -> None:
    labels, out = tmp_path / "labels", tmp_path / "out"
    lay_label(labels, "cellar", GRASS)
    lay_label(labels, "aunt", UNKNOWN)
    lay_label(labels, "beach", 12345)
    report = color(old, out, labels_dir=labels)
    found = rows(out)
    assert (found["cellar.jpg"]["label_id"], found["cellar.jpg"]["label_source"]) == (str(GRASS), "labels")
    assert found["cellar.jpg"]["confidence"] == ""
    assert found["aunt.png"]["label_source"] == "network", "the class for the unknown says nothing"
    assert any("beach.npy" in message for message in report.messages)
    assert report.measured["labels_from"] == {"labels": 1, "network": 2}
    # A retired id means the class that it was merged into.
    lay_label(labels, "cellar", 5)
    color(old, out, labels_dir=labels)
    assert rows(out)["cellar.jpg"]["label_id"] == str(SKY)
    for label in ("Луг", "7", "трава"):
        color(old, tmp_path / "given", labels_dir=labels, label=label)
        assert {(row["label_id"], row["label_source"]) for row in rows(tmp_path / "given").values()
                if row["status"] == "colored"} == {(str(GRASS), "given")}


@pytest.mark.parametrize(("options", "code", "words"), [
    ({"label": "тарва"}, "class_unknown", "трава"),
    ({"label": "лошадь"}, "class_untrained", "лошадь"),
    ({"saturation": 4.0}, "bad_parameter", "saturation"),
    ({"threshold": -0.1}, "bad_parameter", "threshold"),
    ({"image_format": "tiff"}, "bad_parameter", "png, jpg"),
])
def test_what_is_wrong_is_said_before_anything_is_written(
    old: Path, tmp_path: Path, options: dict, code: str, words: str
) -> None:
    with pytest.raises(NpyLabelError, match=words) as caught:
        color(old, tmp_path / "out", **options)
    assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def test_folders_that_are_wrong(old: Path, tmp_path: Path) -> None:
    for source, out, code in ((tmp_path / "none", tmp_path / "out", "photos_missing"), (old, old, "source_is_result"),
                              (old / "1931", old, "source_is_result")):
        with pytest.raises(NpyLabelError) as caught:
            color(source, out)
        assert caught.value.code == code


def test_a_second_run_does_nothing(old: Path, tmp_path: Path) -> None:
    out = old / "colorized"  # Inside the originals' folder: results are no originals.
    color(old, out)
    before, painter = written(out), FakePainter()
    report = color(old, out, painter)
    assert report.measured["done_now"] == 0
    assert painter.seen == []
    assert written(out) == before
    assert rows(out)["torn.jpg"]["status"] == "left_out"
    # Another run's results in the same place are no originals, either.
    assert color(old, old / "other").facts["photos"] == 5


@pytest.mark.parametrize(("options", "redone"), [
    ({"saturation": 1.2}, {"aunt", "aunt_2", "cellar"}),
    ({"threshold": 0.9}, {"aunt", "aunt_2"}),
    ({"threshold": 0.51}, set()),
    ({"label": "небо"}, {"cellar"}),
    ({"recolor": True}, {"beach"}),
])
def test_changed_settings_redo_exactly_what_they_concern(
    old: Path, tmp_path: Path, options: dict, redone: set[str]
) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    color(old, out)
    before = written(out)
    color(old, out, **options)
    assert {Path(name).stem for name, time in written(out).items() if before.get(name) != time} == redone
    color(old, fresh, **options)
    assert {**tree(out), "colorized.csv": ""} == {**tree(fresh), "colorized.csv": ""}
    assert rows(out).keys() == rows(fresh).keys()
    if "label" in options:
        assert {row["label_source"] for row in rows(out).values() if row["status"] == "colored"} == {"given"}


def test_another_model_redoes_all(old: Path, tmp_path: Path) -> None:
    color(old, tmp_path / "out")
    report = color(old, tmp_path / "out", FakePainter("model2"))
    assert report.measured["done_now"] == 3, "one is torn and one has colors, whatever the model"


def test_another_format_replaces_the_files_of_before(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out)
    color(old, out, image_format="png")
    assert sorted(written(out)) == ["aunt.png", "aunt_2.png", "cellar.png"]


def test_what_was_colored_on_request_stays_without_it(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out, recolor=True)
    before = written(out)
    assert color(old, out).facts["colored"] == 4
    assert written(out) == before
    # It follows other choices as all others do, until its colored file is deleted.
    color(old, out, saturation=0.5)
    assert rows(out)["beach.jpg"]["saturation"] == "0.5"
    (out / "beach.jpg").unlink()
    report = color(old, out, saturation=0.5)
    assert (report.facts["colored"], report.facts["already_color"]) == (3, 1)
    assert not (out / "beach.jpg").exists()


def test_files_of_other_people_are_never_written_over(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "aunt.jpg").write_bytes(b"mine")
    (out / "Cellar.png").write_bytes(b"mine, too")
    color(old, out)
    assert (out / "aunt.jpg").read_bytes() == b"mine"
    assert (out / "Cellar.png").read_bytes() == b"mine, too"
    assert {row["name"] for row in rows(out).values()} == {"aunt_2", "aunt_3", "cellar_2", ""}


def test_a_result_that_a_person_edited_is_kept(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out)
    lay(out / "cellar.jpg", Image.new("RGB", (50, 50), "red"))
    edited = (out / "cellar.jpg").read_bytes()
    assert color(old, out).measured["done_now"] == 0
    color(old, out, saturation=0.5)
    assert (out / "cellar.jpg").read_bytes() == edited
    assert rows(out)["cellar.jpg"]["name"] == "cellar_2"
    assert (out / "cellar_2.jpg").is_file()


def test_a_result_that_is_lost_or_damaged_is_made_again(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out)
    whole = tree(out)
    (out / "cellar.jpg").write_bytes((out / "cellar.jpg").read_bytes()[:500])
    (out / "aunt.jpg").unlink()
    assert color(old, out).measured["done_now"] == 2
    assert tree(out) == whole


def test_a_changed_original_is_colored_again_and_a_mended_one_for_the_first_time(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out)
    lay(old / "cellar.jpg", gray_photo(30, 80, 80, 0, 60))
    lay(old / "torn.jpg", gray_photo(5))
    (old / "aunt.png").write_bytes(b"")
    assert color(old, out).measured["done_now"] == 3
    assert pixels(out / "cellar.jpg").shape == (80, 80, 3)
    assert sorted(written(out)) == ["aunt.jpg", "aunt_2.jpg", "cellar.jpg", "torn.jpg"]
    assert rows(out)["aunt.png"]["reason"] == "empty_file"


@pytest.mark.parametrize("image_format", ["jpg", "png"])
def test_the_colors_of_an_original_that_cannot_be_read_any_more_stay(
    old: Path, tmp_path: Path, image_format: str
) -> None:
    out, whole = tmp_path / "out", (old / "cellar.jpg").read_bytes()
    color(old, out)
    before = written(out)
    (old / "cellar.jpg").write_bytes(whole[:300])
    for sha256 in ("model2", "model3"):
        report = color(old, out, FakePainter(sha256), image_format=image_format)
        row = rows(out)["cellar.jpg"]
        assert (row["status"], row["reason"], row["name"]) == ("left_out", "damaged", "cellar")
        assert written(out)["cellar.jpg"] == before["cellar.jpg"] and report.facts["left_out"] == 2
    # Mended, it takes the place of what was kept.
    (old / "cellar.jpg").write_bytes(whole)
    color(old, out, FakePainter("model3"), image_format=image_format)
    assert rows(out)["cellar.jpg"]["status"] == "colored"
    assert [name for name in written(out) if name.startswith("cellar")] == [f"cellar.{image_format}"]

def test_results_whose_originals_are_elsewhere_now_stay(old: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    color(old, out)
    lay(tmp_path / "more" / "dog.png", gray_photo(8))
    report = color(tmp_path / "more", out)
    assert report.facts["photos"] == 1
    assert sorted(written(out)) == ["aunt.jpg", "aunt_2.jpg", "cellar.jpg", "dog.jpg"]
    assert color(old, out).measured["done_now"] == 2  # Those that had no file are looked at again.


def test_photos_in_a_zip(old: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        for path in sorted(old.rglob("*.*")):
            archive.write(path, path.relative_to(old).as_posix())
    color(tmp_path / "old.zip", tmp_path / "zipped", label="небо")
    color(old, tmp_path / "plain", label="небо")
    assert {**tree(tmp_path / "zipped"), "colorized.csv": ""} == {**tree(tmp_path / "plain"), "colorized.csv": ""}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", range(3))
def test_a_killed_run_ends_like_one_that_was_not(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, moment: str
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    color(old, whole)
    # Counted once for each call: several threads write.
    write, calls = module.write_bytes, itertools.count()

    def failing(path: Path, data: bytes) -> None:
        is_last = next(calls) == at
        if is_last and moment == "before":
            raise Killed
        write(path, data)
        if is_last:
            raise Killed

    monkeypatch.setattr(module, "write_bytes", failing)
    monkeypatch.setattr(module.ColorBook, "put", lambda *_: None)  # What waits to be put is lost.
    with pytest.raises(Killed):
        color(old, out)
    monkeypatch.undo()
    assert (out / JOURNAL).is_file()
    color(old, out)
    assert tree(out) == tree(whole)


def test_a_photo_that_ends_the_process_again_and_again_is_left_out(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, read = tmp_path / "out", module.read_old_photo

    def deadly(data: bytes, side_px: int) -> object:
        if data == (old / "cellar.jpg").read_bytes():
            raise Killed
        return read(data, side_px)

    monkeypatch.setattr(module, "read_old_photo", deadly)
    keep = module.ColorBook.append
    # A process that dies does not say that it ended the work.
    monkeypatch.setattr(module.ColorBook, "append", lambda self, entry: "end" in entry or keep(self, entry))
    for _try in range(2):
        with pytest.raises(Killed):
            color(old, out)
    report = color(old, out)
    assert (report.facts["colored"], rows(out)["cellar.jpg"]["reason"]) == (2, "decoder_crashed")
    monkeypatch.undo()
    assert color(old, out).facts["colored"] == 3, "next time it is tried again"


def test_a_full_disk_is_said_and_what_is_done_stays(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = module.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.stem == "cellar":
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(module, "write_bytes", full)
    with pytest.raises(NpyLabelError) as caught:
        color(old, tmp_path / "out")
    assert caught.value.code == "disk_full"
    monkeypatch.undo()
    color(old, tmp_path / "out")
    color(old, tmp_path / "whole")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


class Counting(FakePainter):
    """Tells how many photos were in work at the same time.

    Args:
        wanted: each photo waits for so many, however slow the machine is.
    """

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.changed, self.wanted, self.now, self.most = threading.Condition(), wanted, 0, 0

    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> torch.Tensor:
        with self.changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, 20)
        time.sleep(0.01)
        with self.changed:
            self.now -= 1
        return super().paint(lightness, class_ids)


@pytest.mark.parametrize("image_format", ["jpg", "png"])
def test_threads_strips_and_turns_change_nothing(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_format: str
) -> None:
    color(old, tmp_path / "plain", image_format=image_format)
    # Of photos of 6,144 pixels and more no two have room among 8,000.
    for threads, strip_pixels, at_once, together in (
            (1, 1000, 10**9, False), (4, 777, 10**9, True), (4, 5000, 8000, False)):
        monkeypatch.setattr(parallel, "cpu_count", lambda threads=threads: threads)
        monkeypatch.setattr(pixel_lab, "STRIP_PIXELS", strip_pixels)
        monkeypatch.setattr(module, "_PIXELS_AT_ONCE", at_once)
        out, painter = tmp_path / f"{threads}_{at_once}", Counting(2 if together else 1)
        color(old, out, painter, image_format=image_format)
        assert tree(out) == tree(tmp_path / "plain")
        assert (painter.most > 1) == together


def test_colors_of_any_smaller_size_are_taken(old: Path, tmp_path: Path) -> None:
    class Half(FakePainter):
        def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> torch.Tensor:
            return super().paint(lightness, class_ids)[..., ::2, ::2]

    color(old, tmp_path / "whole")
    color(old, tmp_path / "half", Half())
    assert tree(tmp_path / "half") == tree(tmp_path / "whole"), "even colors are the same at any size"
