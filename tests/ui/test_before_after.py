"""The page of before and after: whole in one file, moved by keys and fingers, and nothing of a name breaks it."""

import base64
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from npylabel.base.report import StepReport
from npylabel.colorizer.color_table import read_color_rows
from npylabel.photos.sources import PhotoRef
from npylabel.ui import before_after as module
from npylabel.ui.before_after import PREVIEW_PX, before_after_sheet, before_and_after, write_before_after
from tests.colorizer.color_kit import GRASS, color, file_bytes, gray_photo, lay, lay_label
from tests.photos.collect_kit import tree
from tests.photos.pictures import texture

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = "</script><b>&\" 'x'"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with a large photo, one in another folder, one in color and one that is damaged."""
    folder = tmp_path / "old"
    lay(folder / "a large.jpg", gray_photo(1, 1600, 1200))
    lay(folder / "album" / f"{EVIL.replace('/', '')}.png", gray_photo(2, 80, 120, 0, 60))
    lay(folder / "beach.jpg", texture(4, 96, 64))
    (folder / "torn.jpg").write_bytes(file_bytes(gray_photo(5), "JPEG")[:900])
    return folder


@pytest.fixture
def out(old: Path, tmp_path: Path) -> Path:
    """The folder of the colored photos."""
    lay_label(tmp_path / "labels", "a large", GRASS)
    color(old, tmp_path / "out", labels_dir=tmp_path / "labels")
    return tmp_path / "out"


def data_of(page: Path) -> dict:
    """What a page holds."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.S)[1])


def picture(content: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_page_holds_all_that_it_shows(old: Path, out: Path, tmp_path: Path) -> None:
    pages = write_before_after(tmp_path / "page.html", before_and_after(out, [old]))
    assert pages == [tmp_path / "page.html"]
    assert not re.search(r"(src|href)=.?http|url\(.?http|@import", pages[0].read_text("utf-8"))
    data = data_of(pages[0])
    large, evil, beach = data["photos"]
    assert (large["name"], large["folder"], large["label"], large["notes"]) == (
        "a large.jpg", "", "трава", ["from its label"])
    assert (evil["name"], evil["folder"]) == (f"{EVIL.replace('/', '')}.png", "album")
    assert evil["notes"] == ["the network is unsure 34 %"]
    assert (beach["status"], beach["after"], beach["label"]) == ("has colors already", "", "")
    assert data["rest"] == [["torn.jpg", "the file ends before the picture does: copy it again from the phone"]]
    assert data["summary"] == "2 photos in color · 1 had colors already · 1 could not be read"
    before, after = picture(large["before"]), picture(large["after"])
    assert before.size == after.size == (PREVIEW_PX, 750)
    assert (before.mode, after.mode) == ("L", "RGB")
    assert large["ratio"] == round(1600 / 1200, 4)
    with Image.open(out / "a large.jpg") as colored:
        small = np.asarray(colored.resize((50, 38)), float)
    assert np.abs(np.asarray(after.resize((50, 38)), float) - small).mean() < 3


def test_many_photos_make_several_pages_and_older_ones_go(old: Path, out: Path, tmp_path: Path) -> None:
    photos = before_and_after(out, [old])
    pages = write_before_after(tmp_path / "page.html", photos, most=1)
    assert [page.name for page in pages] == ["page.html", "page_2.html", "page_3.html"]
    assert [len(data_of(page)["photos"]) for page in pages] == [1, 1, 1]
    assert [len(data_of(page)["rest"]) for page in pages] == [0, 0, 1]
    assert data_of(pages[1])["pages"] == [page.name for page in pages]
    write_before_after(tmp_path / "page.html", photos, most=2)
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["page.html", "page_2.html"]
    assert data_of(write_before_after(tmp_path / "none.html", [])[0])["photos"] == []


def test_pages_are_made_anew_where_they_would_show_something_else(
    old: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PHOTOS", 1)
    cards, card = [], module._card
    monkeypatch.setattr(module, "_card", lambda photo: cards.append(photo) or card(photo))

    def show() -> int:
        """How many photos were looked at, for pages that show all of them in any case."""
        cards.clear()
        report = StepReport("colorize")
        module.show_before_after(report, out, [old], [])
        assert [data_of(out / name)["photos"][0]["name"] for name in ("before_after.html", "before_after_3.html")] == [
            "a large.jpg", "beach.jpg"]
        assert report.files == {"before_after.html": out / "before_after.html"}
        assert list(report.pictures.values()) == [out / "colorized_sheet.jpg"]
        return len(cards)

    assert [show(), show()] == [3, 0]
    monkeypatch.setattr(module, "MOST_SHOWN", 1)
    report = StepReport("colorize")
    module.show_before_after(report, out, [old], [])
    assert "the first 1 photos" in report.messages[0] and not (out / "before_after_2.html").exists()
    assert data_of(out / "before_after.html")["summary"].startswith("2 photos in color"), "not those shown alone"
    monkeypatch.setattr(module, "MOST_SHOWN", 480)
    assert [show(), show()] == [3, 0]
    for name in ("before_after_2.html", "colorized_sheet.jpg"):
        (out / name).unlink()
        assert [show(), show()] == [3, 0] and (out / name).is_file()
    # A person paints over a colored file, and another class is known of a photo.
    (out / "a large.jpg").write_bytes(file_bytes(texture(9, 80, 60), "JPEG"))
    assert [show(), show()] == [3, 0]
    assert picture(data_of(out / "before_after.html")["photos"][0]["after"]).size == (80, 60)
    table = out / "colorized.csv"
    table.write_text(table.read_text("utf-8").replace("трава", "небо"), "utf-8")
    assert [show(), show()] == [3, 0]
    assert data_of(out / "before_after.html")["photos"][0]["label"] == "небо"


def test_originals_may_lie_in_a_zip_or_be_gone(old: Path, out: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.write(old / "a large.jpg", "a large.jpg")
    color(tmp_path / "old.zip", tmp_path / "zipped")
    zipped, = before_and_after(tmp_path / "zipped", [tmp_path / "old.zip"])
    assert isinstance(zipped.before, PhotoRef) and zipped.before.member is not None
    (old / "a large.jpg").unlink()
    (out / "a large.jpg").write_bytes(b"")
    photos = before_and_after(out, [old])
    assert photos[0].before is None
    shown = data_of(write_before_after(tmp_path / "page.html", photos)[0])["photos"][0]
    assert (shown["before"], shown["after"]) == ("", "")


def test_a_sheet_of_pairs(old: Path, out: Path, tmp_path: Path) -> None:
    before = tree(old)
    sheet = before_after_sheet(tmp_path / "sheet.jpg", before_and_after(out, [old]))
    with Image.open(sheet) as image:
        pixels = np.asarray(image.convert("RGB"), float)
    # Two pairs in a row: gray, colored, gray, colored, each 128 pixels wide.
    chroma = [np.ptp(pixels[20:120, left + 20:left + 120], axis=2).mean() for left in (6, 140, 274, 408)]
    assert pixels.shape[1] == 4 * 134 + 6
    assert max(chroma[0], chroma[2]) < 3 < 6 < min(chroma[1], chroma[3])
    assert tree(old) == before
    assert len(read_color_rows(out)) == 4


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if not CHROMIUM:
        pytest.skip("there is no chromium: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize(("width", "height", "touch"), [(1280, 800, False), (390, 844, True)])
def test_in_a_browser(
    old: Path, out: Path, tmp_path: Path, browser: object, width: int, height: int, touch: bool
) -> None:
    first, *_more = write_before_after(tmp_path / "page.html", before_and_after(out, [old]), most=2)
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch, offline=True)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(first.as_uri())
    page.wait_for_function("[...document.querySelectorAll('.view img')].slice(0, 2).every(img => img.naturalWidth)")
    view = page.locator(".view").first

    def at() -> float:
        return float(view.get_attribute("data-at"))

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".name").nth(1).inner_text().startswith(EVIL.replace("/", ""))
    view.focus()
    for key, value in (("ArrowRight", 52), ("Shift+ArrowLeft", 42), ("Home", 0), ("Space", 100), ("End", 100)):
        page.keyboard.press(key)
        assert at() == value, key
    box = view.bounding_box()
    middle = (box["x"] + box["width"] / 4, box["y"] + 40)
    (page.touchscreen.tap if touch else page.mouse.click)(*middle)
    assert abs(at() - 25) < 1
    page.get_by_role("button", name="after").click()
    assert (at(), page.get_by_role("button", name="after").get_attribute("aria-pressed")) == (0, "true")
    page.locator("#pages a").click()
    page.wait_for_url("**/page_2.html")
    assert "torn.jpg" in page.locator("#rest").inner_text()
    assert faults == []
    context.close()


@pytest.mark.parametrize("ahead", ["", "colorized - "])
def test_pages_find_each_other_also_where_copies_have_longer_names(
    old: Path, out: Path, tmp_path: Path, browser: object, ahead: str
) -> None:
    pages = write_before_after(tmp_path / "before_after.html", before_and_after(out, [old]), most=2)
    for page in pages:
        page.rename(page.with_name(ahead + page.name))
    page = browser.new_page()
    page.goto((tmp_path / f"{ahead}before_after.html").as_uri())
    for number in ("2", "1"):
        page.locator("#pages a", has_text=number).click()
        assert page.locator("#pages b").inner_text() == number
    page.close()
