"""The page for a phone, in a browser of a phone's width: typed, tapped, left, opened again, saved, imported."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from npylabel.base.i18n import set_language
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import Guess
from npylabel.dataset.page_exchange import export_page, import_page
from tests.dataset.class_kit import TABLE
from tests.dataset.desk_kit import decided, named, open_desk
from tests.photos.collect_kit import lay_file, photo

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no chromium")
WIDTH = 390


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    """A page of a phone without a network; what its scripts complain about fails the test."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 844}, is_mobile=True, has_touch=True,
                                  offline=True, accept_downloads=True)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    assert faults == []
    context.close()


def opened(desk: Desk, phone: "sync_api.Page", folder: Path) -> Path:
    """The exported page, open on the phone."""
    html, _table = export_page(desk, desk.photos, folder)
    phone.goto(html.as_uri())
    return html


def card(phone: "sync_api.Page", name: str) -> "sync_api.Locator":
    return phone.locator(".photo").filter(has=phone.locator(".name", has_text=name))


def chips(card: "sync_api.Locator") -> list[str]:
    return card.locator(".chips button").all_inner_texts()


def saved(phone: "sync_api.Page", path: Path) -> Path:
    """The table that the button saves."""
    with phone.expect_download() as download:
        phone.locator("#save").tap()
    assert download.value.suggested_filename.endswith("_done.csv")
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("language", ["en", "ru"])
def test_what_was_chosen_on_the_phone_comes_back(
    tmp_path: Path, phone: "sync_api.Page", language: str
) -> None:
    set_language(language)
    desk = open_desk(tmp_path, ["p1", "p2", "p3", "p4", "p5"], guesses={"p2": Guess("небо", 0.93)})
    lay_file(named(desk, ["p1"])[0].path, photo("p1"))
    desk.decide(named(desk, ["p5"]), "assign", "лес")
    opened(desk, phone, tmp_path / "out")
    set_language("en")
    card(phone, "p1").locator("input").fill("дом")
    assert "дом" not in chips(card(phone, "p1")) and card(phone, "p1").get_attribute("class") == "photo done filled"
    assert chips(card(phone, "p2")) == ["небо 93%"]
    card(phone, "p2").locator(".chips button").tap()
    card(phone, "p3").locator("input").fill("yt,")  # "неб" on keys that were not switched.
    card(phone, "p3").locator("input").press("Enter")
    card(phone, "p4").locator("input").fill("no class")
    phone.locator("#title").tap()
    assert "wrong" in card(phone, "p4").get_attribute("class")
    assert phone.locator("#count").inner_text() == "4 / 5"
    report = import_page(desk, saved(phone, tmp_path / "back.csv"))
    assert phone.locator("#note .no").is_visible()
    assert (report.taken, report.same, report.empty, list(report.conflicts)) == (3, 1, 1, [])
    assert decided(desk) == {"p1": "дом*", "p2": "небо*", "p3": "небо*", "p5": "лес*"}


def test_the_page_fits_a_phone_and_remembers(tmp_path: Path, phone: "sync_api.Page") -> None:
    long = "a_very_long_name_of_a_photo_without_any_space_in_it_that_a_program_made_2024"
    desk = open_desk(tmp_path, ["p1", long], guesses={long: Guess("неопределённый_объект", 0.5)})
    html = opened(desk, phone, tmp_path / "out")
    card(phone, "p1").locator("input").tap()
    assert phone.evaluate("document.documentElement.scrollWidth") == WIDTH
    sizes = [phone.locator("#save").bounding_box(), card(phone, "p1").locator("input").bounding_box()]
    assert all(box["height"] >= 32 and box["x"] + box["width"] <= WIDTH for box in sizes)
    card(phone, "p1").locator("input").fill("ковёр")
    phone.goto("about:blank")
    phone.goto(html.as_uri())
    assert card(phone, "p1").locator("input").input_value() == "ковёр"
    phone.locator("#only").check()
    assert not card(phone, "p1").is_visible() and card(phone, long).is_visible()
    card(phone, long).locator(".chips button").tap()
    card(phone, long).locator(".clear").tap()
    assert phone.locator("#count").inner_text() == "1 / 2"


def test_the_page_finds_classes_as_the_notebook_does(tmp_path: Path, phone: "sync_api.Page") -> None:
    desk = open_desk(tmp_path, ["p1"])
    opened(desk, phone, tmp_path / "out")
    typed = ["к", "ко", "ле", "не", "ел", "об", "12", "99", "rjd", "КОВЕР", "zzz"]
    for text in typed:
        found = phone.evaluate("text => find(text)", text)
        wanted = [TABLE.names[class_id] for class_id in find_classes(TABLE, text, [], limit=6)]
        assert found == wanted, text
