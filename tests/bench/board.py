"""How quickly a person sorts on the board, in a real browser: ``python -m tests.bench.board``.

A person needs ``ACTION_S`` for each click or key. Beside the board, the plain way: one photo at a time, with the class
chosen at once by a click. Prints a table; asserts nothing.
"""

import csv
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from npylabel.photos.collect import collect_photos
from npylabel.photos.demo import write_demo_classes
from npylabel.photos.manifest import OK, read_rows, write_rows
from tests.browser.lab import BoardDriver, Notebook, open_page, running_lab, write_notebook

ACTION_S, CLASSES, PHOTOS, MANY, RIGHT = 0.6, 8, 200, 5000, 0.9
OPEN = """
import csv
from pathlib import Path
from npylabel.base.i18n import set_language
from npylabel.base.classes import load_classes
from npylabel.base.places import project_dir
from npylabel.dataset.desk import Desk, Guess
from npylabel.dataset.pixel_cache import thumbnail_folder
from npylabel.dataset.thumbnails import Thumbnails
from npylabel.ui.board import Board
"""
BOARD = """
set_language("ru")
guesses = {{row["name"]: Guess(row["guess"], float(row["confidence"]))
           for row in csv.DictReader(open("{guesses}", encoding="utf-8"))}} if {has_guesses} else {{}}
desk = Desk(Path("{dataset}"), Path("decisions_{name}"), load_classes(project_dir() / "classes.json"), guesses=guesses)
board = Board(desk, Thumbnails(thumbnail_folder()), rows={rows}, columns={columns})
Path("order.csv").write_text("\\n".join(photo.name for photo in desk.shown()))
board
"""


def write_photos(root: Path) -> dict[str, str]:
    """A dataset ``few``, one of many photos ``many`` with the same pictures, guesses; the class of each photo."""
    write_demo_classes(root / "drawn", photos_per_class=PHOTOS // CLASSES)
    collect_photos(sorted((root / "drawn").iterdir())[:CLASSES], root / "few", made_from="own")
    rows = [row for row in read_rows(root / "few") if row.status == OK]
    truth = {row.name: Path(row.source).parent.name for row in rows}
    many, color = [], root / "many" / "color"
    color.mkdir(parents=True)
    for number in range(MANY):
        row = rows[number % len(rows)]
        name = f"p{number:05}"
        many.append(replace(row, name=name, source=f"{name}.jpg", sha256=f"{number:064x}", group=""))
        os.link(root / "few" / "color" / f"{row.name}.png", color / f"{name}.png")
    write_rows(root / "many", many)
    names, chance = sorted(set(truth.values())), random.Random(0)
    with (root / "guesses.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "guess", "confidence"))
        for name, right in truth.items():
            writer.writerow((name, right if chance.random() < RIGHT else chance.choice(names), chance.uniform(0.5, 1)))
    return truth


class Person:
    """Sorts one page at human speed.

    Args:
        board: in the browser.
        names: of the photos, in the board's order.
        truth: class by name.
        guesses: by name, {} for none.
    """

    def __init__(self, board: BoardDriver, names: list[str], truth: dict[str, str], guesses: dict[str, str]) -> None:
        self.board, self.names, self.truth, self.guesses = board, names, truth, guesses
        self.saved = 0

    def act(self, action: Callable[[], object]) -> None:
        time.sleep(ACTION_S)
        action()

    def choose(self, class_name: str, count: int) -> None:
        """Click the class, or type it with a key each ``ACTION_S``."""
        suggested = self.board.page.locator(".npl-suggestion:visible", has_text=f"{class_name} ·")
        if suggested.count():
            self.act(suggested.first.click)
        else:
            field = self.board.page.locator(".npl-picker textarea")
            self.act(field.click)
            for key in class_name[:4]:
                self.act(lambda key=key: field.press_sequentially(key))
            self.act(lambda: field.press("Enter"))
        self.saved += count
        self.board.wait_saved(self.saved)

    def page(self, names: list[str]) -> None:
        """All photos of a page: the wrong guesses class by class, then the others at once."""
        wrong = [name for name in names if self.guesses.get(name) != self.truth[name]]
        for class_name in dict.fromkeys(self.truth[name] for name in wrong):
            chosen = [place for place, name in enumerate(names) if name in wrong and self.truth[name] == class_name]
            for place in chosen:
                self.act(lambda place=place: self.board.page.locator(f".npl-t{place}").click(force=True))
            self.choose(class_name, len(chosen))
        if len(wrong) < len(names):
            self.act(lambda: self.board.press("accept"))
            self.saved += len(names) - len(wrong)
            self.board.wait_saved(self.saved)

    def one_by_one(self, count: int) -> None:
        """The plain way: the photo is selected already, so that the choice is the only action."""
        for name in self.names[:count]:
            self.board.page.locator(".npl-t0").click(force=True)
            self.choose(self.truth[name], 1)


def sort_photos(address: str, root: Path, truth: dict[str, str], name: str, *, rows: int, columns: int,
                guesses: bool, count: int) -> None:
    cell = BOARD.format(guesses=root / "guesses.csv", has_guesses=guesses, dataset=root / "few", name=name, rows=rows,
                        columns=columns)
    write_notebook(root / f"{name}.ipynb", OPEN, cell)
    with (root / "guesses.csv").open(encoding="utf-8") as file:
        guessed = {row["name"]: row["guess"] for row in csv.DictReader(file)} if guesses else {}
    with open_page(1280, 800) as page:
        Notebook(page, address, f"{name}.ipynb").run_all()
        board = BoardDriver(page)
        person = Person(board, (root / "order.csv").read_text("utf-8").split("\n"), truth, guessed)
        started = time.monotonic()
        if rows * columns == 1:
            person.one_by_one(count)
        else:
            for start in range(0, count, rows * columns):
                person.page(person.names[start:start + rows * columns])
        print(f"{name:24} {60 * person.saved / (time.monotonic() - started):8.0f} photos a minute", flush=True)


def open_many(address: str, root: Path) -> None:
    """Seconds until a page is seen, with and without kept thumbnails, and until the next one is."""
    cell = BOARD.format(guesses="", has_guesses=False, dataset=root / "many", name="many", rows=6, columns=10)
    write_notebook(root / "many.ipynb", OPEN, cell)
    seen = "document.querySelectorAll('.npl-tile').length && getComputedStyle(document.querySelector('.npl-t59'))" \
           ".backgroundImage.length > 99"
    with open_page(1280, 800) as page:
        notebook = Notebook(page, address, "many.ipynb")
        page.wait_for_timeout(3000)
        notebook.run_all()
        page.wait_for_function(seen)
        page.wait_for_timeout(1000)
        for _time in range(2):
            page.evaluate("document.querySelector('.npl-board').remove()")
            started = time.monotonic()
            notebook.command("notebook:run-cell")
            page.wait_for_function(seen)
            print(f"{'open, 5000 photos':24} {time.monotonic() - started:8.2f} s", flush=True)
            page.wait_for_timeout(1000)
        for label in ("next page, first time", "next page, once more") * 2:
            before = page.evaluate("getComputedStyle(document.querySelector('.npl-t0')).backgroundImage")
            started = time.monotonic()
            page.locator(".npl-next" if label.endswith("time") else ".npl-back").click()
            page.wait_for_function("before => getComputedStyle(document.querySelector('.npl-t0')).backgroundImage"
                                   " !== before", arg=before)
            print(f"{label:24} {time.monotonic() - started:8.2f} s", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        truth = write_photos(root)
        os.environ["NPYLABEL_CACHE"] = str(root / "cache")
        with running_lab(root, [sys.executable, "-m", "jupyterlab"], {}) as address:
            open_many(address, root)
            sort_photos(address, root, truth, "one_by_one", rows=1, columns=1, guesses=False, count=40)
            sort_photos(address, root, truth, "board", rows=6, columns=10, guesses=False, count=60)
            sort_photos(address, root, truth, "board_with_guesses", rows=6, columns=10, guesses=True, count=180)


if __name__ == "__main__":
    main()
