"""How long a desk takes to open, part by part, and to keep a click: ``python -m tests.bench.sorting``.

Prints a table; asserts nothing, because machines differ and are shared. The photos are a hundred drawn ones under many
names (hard links), with a manifest as step 01 writes it, a guess for each, and half of them decided in many sessions.
The first page is decoded plainly, without any cache of small pictures. Processor time stands beside the time that
passes, because other work on the machine makes only the latter longer.
"""

import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image

from npylabel.base.classes import load_classes
from npylabel.base.parallel import run_threads
from npylabel.base.places import project_dir
from npylabel.dataset.class_search import find_classes
from npylabel.dataset.decision_history import DecisionHistory
from npylabel.dataset.decisions import ASSIGN, Decision, DecisionJournal, JournalReader
from npylabel.dataset.desk import Desk
from npylabel.dataset.desk_photos import DeskPhoto, Guess, read_desk_photos
from npylabel.photos.drawing import DEMO_CLASSES, draw_photo
from npylabel.photos.manifest import PhotoRow, write_rows

SIZES = (5_000, 50_000)
PICTURES, SESSIONS, CLICK, PAGE = 100, 100, 10, 60
ROUNDS, CLICKS = 5, 500
TABLE = load_classes(project_dir() / "classes.json")
NAMES = list(TABLE.names.values())


def write_pictures(folder: Path) -> list[Path]:
    """Drawn photos as step 01 leaves them."""
    paths = []
    for number in range(PICTURES):
        paths.append(folder / f"{number}.png")
        draw_photo(DEMO_CLASSES[number % len(DEMO_CLASSES)], random_seed=number, size=(512, 512)).save(paths[-1])
    return paths


def write_dataset(dataset: Path, pictures: list[Path], count: int) -> None:
    """Photos of some years, every fifth of them in a burst of five, under a manifest."""
    draw, start = random.Random(0), datetime(2022, 1, 1)
    (dataset / "color").mkdir(parents=True)
    rows = []
    for number in range(count):
        name, first = f"IMG_{number:06}", number - number % 5
        os.link(pictures[number % len(pictures)], dataset / "color" / f"{name}.png")
        taken = start + timedelta(minutes=10 * draw.randrange(count)) if draw.random() < 0.9 else None
        rows.append(PhotoRow(
            name, f"phone/DCIM/Camera/{name}.jpg", f"{draw.getrandbits(256):064x}",
            group=f"IMG_{first:06}" if first % 25 == 0 else "", taken=taken.isoformat() if taken else "", width=4000,
            height=3000, phash=f"{draw.getrandbits(256):064x}", fingerprint=f"3145728-{draw.getrandbits(60)}",
            color_sha256=f"{draw.getrandbits(256):064x}", bw_sha256=f"{draw.getrandbits(256):064x}",
            settings="512 crop png"))
    write_rows(dataset, rows)


def write_decisions(folder: Path, photos: list[DeskPhoto]) -> None:
    """Half of the photos decided, some at a click, in many sessions."""
    half = photos[: len(photos) // 2]
    sessions = [half[start::SESSIONS] for start in range(SESSIONS)]
    for session in sessions:
        with DecisionJournal(folder, "") as journal:
            for start in range(0, len(session), CLICK):
                journal.append([Decision(photo.sha256, ASSIGN, photo.name, photo.guess, "board")
                                for photo in session[start:start + CLICK]])


def small_picture(photo: DeskPhoto) -> int:
    """The bytes of a picture of 128 pixels."""
    with Image.open(photo.path) as image:
        return len(image.convert("RGB").reduce(4).tobytes())


def timed(function: Callable[[], object]) -> tuple[object, tuple[float, float]]:
    """(What the function gives, (seconds, seconds of processor time))."""
    started, worked = time.perf_counter(), time.process_time()
    result = function()
    return result, (time.perf_counter() - started, time.process_time() - worked)


def open_once(dataset: Path, decisions: Path, guesses: dict[str, Guess]) -> dict[str, tuple[float, float]]:
    """The times of all of opening, of its steps, and of what the first of them is made of."""
    desk, opened = timed(lambda: Desk(dataset, decisions, TABLE, guesses=guesses))
    page, shown = timed(lambda: desk.shown()[:PAGE])
    _progress, progress = timed(desk.progress)
    _pictures, pictures = timed(lambda: list(run_threads(small_picture, page)))
    gc.disable()  # As the desk does it.
    _photos, manifest = timed(lambda: read_desk_photos(dataset, TABLE, guesses))
    batches, journal = timed(lambda: JournalReader(decisions).new())
    _history, replay = timed(lambda: list(map(DecisionHistory().add, batches)))
    gc.enable()
    whole = tuple(map(sum, zip(opened, shown, progress, pictures, strict=True)))
    return {"all of it": whole, "desk": opened, "photos to show": shown, "progress": progress,
            f"{len(page)} pictures": pictures, "(manifest, order)": manifest, "(journal)": journal,
            "(states, undo)": replay}


def measure_opening(count: int, root: Path, pictures: list[Path]) -> None:
    """Print the times of opening a desk of so many photos, part by part."""
    dataset, decisions = root / str(count) / "tintora_dataset", root / str(count) / "decisions"
    write_dataset(dataset, pictures, count)
    draw = random.Random(1)
    guesses = {f"IMG_{number:06}": Guess(draw.choice(NAMES), round(draw.random(), 4)) for number in range(count)}
    write_decisions(decisions, read_desk_photos(dataset, TABLE, guesses))
    rounds = [open_once(dataset, decisions, guesses) for _round in range(ROUNDS)]
    for part in rounds[0]:
        passed, worked = zip(*(each[part] for each in rounds), strict=True)
        print(f"{count:>7} photos   {part:20} {statistics.median(passed):7.3f} s ({min(passed):.3f}-{max(passed):.3f})"
              f"   processor {statistics.median(worked):7.3f} s", flush=True)


def measure_clicks(root: Path) -> None:
    """Print how long a click takes on the largest desk until it is on disk, and a search for a class."""
    folder = root / str(SIZES[-1])
    desk = Desk(folder / "tintora_dataset", folder / "decisions", TABLE)
    photos = desk.shown()
    for size in (1, PAGE):
        times = [timed(lambda at=at, size=size: desk.decide(photos[at:at + size], ASSIGN, NAMES[at % 90]))[1][0]
                 for at in range(CLICKS)]
        print(f"{SIZES[-1]:>7} photos   click on {size:<2} photos     {1000 * statistics.median(times):6.1f} ms   "
              f"{size / statistics.mean(times):8.0f} decisions a second", flush=True)
    for name in ("undo", "redo", "refresh", "progress"):
        times = [timed(getattr(desk, name))[1][0] for _time in range(50)]
        print(f"{SIZES[-1]:>7} photos   {name:22} {1000 * statistics.median(times):6.1f} ms", flush=True)
    times = [timed(lambda text=text: find_classes(TABLE, text, NAMES[:5]))[1][0] for text in ("к", "ко", "dbk", "12")]
    print(f"{len(NAMES):>7} classes  search                 {1000 * max(times):6.1f} ms", flush=True)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        pictures = write_pictures(root)
        for count in SIZES:
            measure_opening(count, root, pictures)
        measure_clicks(root)


if __name__ == "__main__":
    main()
