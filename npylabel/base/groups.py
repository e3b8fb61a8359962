"""What the paths of a work folder tell: which files are many, belong together, and are read first."""

import re
from enum import IntEnum

# Charts of a training.
CHARTS = (".curves.png", ".confusion.png", ".confidence.png", ".per_class.png")
# What every machine gets: tables, journals, pages, sheets and marks; they are few and small.
_SMALL = (".csv", ".json", ".jsonl", ".html", ".txt", ".md", "_sheet.jpg", *CHARTS, ".npylabel-demo", ".change")
# Parts of a run's record that nothing else depends on.
_LOOSE = (".history.csv", ".per_class.csv", ".confusion.csv", ".predictions.csv", ".thresholds.csv", ".reliability.csv",
          ".label_errors.csv")
# Pages that hold their pictures; there is one for some dozen photos.
_PAGE = re.compile(r"(.*/)?before_after(_\d+)?\.html")


class Rank(IntEnum):
    """When a file is read from a folder in which a step works; see ``rank_of``."""

    STATE = 0
    CONTENT = 1
    JOURNAL = 2
    LEDGER = 3


def is_bulk(path: str) -> bool:
    """Whether a file is large or one of very many, so that only a step that names its folder gets it."""
    return path.removeprefix("demo/").startswith("runs/") or is_page(path) or not path.lower().endswith(_SMALL)


def is_page(path: str) -> bool:
    """Whether a file is a page that holds pictures: its step makes it again from them."""
    return _PAGE.fullmatch(path) is not None


def is_model(path: str) -> bool:
    """Whether a file holds a model, or the state of its training."""
    return path.endswith((".pth", ".ckpt"))


def stays_here(name: str) -> bool:
    """Whether a file guards against damage on this disk alone: sent, it would double what a training sends."""
    return name.endswith(".resume.before.ckpt")


def is_extra(path: str) -> bool:
    """Whether a file is only to be looked at, or a copy beside another: no step goes wrong without it."""
    return path.endswith((*_LOOSE, ".html", "_sheet.jpg", *CHARTS)) or ".samples/" in path or path.removeprefix(
        "demo/").startswith(("conflicts/", "runs/"))


def group_of(path: str) -> str:
    """Which files share archives: those that a step needs together."""
    if is_model(path) or not is_bulk(path):
        return "models" if is_model(path) else "tables"
    *folders, _name = path.split("/")
    if not folders:
        return "loose"
    if folders[-1] in ("color", "bw", "labels"):
        return "/".join(folders)
    return "/".join(folders[:2] if folders[0] == "demo" else folders[:1])


def rank_of(path: str) -> Rank:
    """When a living folder's file is read, so that the copy is a state that a kill could have left, or heals like one.

    - A training state comes before the models: it tells the best score so far, so a model file older than it would
      never be written again, while a newer one is.
    - Journals come after the pictures and labels: a file that no journal knows looks like one that a person laid
      there. A row of a picture that was not read yet is harmless, since results are checked before they are trusted.
      Labels that were replaced come after the label files for the same reason.
    - Tables replace a journal, and ``run.json`` says whose the models are. They come last, and where one of them
      changes while the folder is read, all is read once more.
    """
    name = path.rpartition("/")[2]
    if name.endswith(".ckpt"):
        return Rank.STATE
    if name.endswith(".jsonl") or "/labels_replaced/" in path:
        return Rank.JOURNAL
    if name.endswith(".run.json") or (name.endswith(".csv") and not name.endswith(_LOOSE)):
        return Rank.LEDGER
    return Rank.CONTENT


def spoken_of_by(path: str) -> str:
    """The folder, with a slash behind it, whose pictures or labels are worth nothing without this table; "" for none.

    Alone they would look like files that a person laid there.
    """
    folder, slash, name = path.rpartition("/")
    if slash and name in ("manifest.csv", ".photos.jsonl", "split.csv", "colorized.csv", ".colorized.jsonl"):
        return f"{folder}/"
    return f"{folder}/labels/" if slash and name in ("labels.csv", ".labels.jsonl") else ""
