"""Two machines that worked on one thing at once: the later one steps aside and does its work again on the newer state.

Files that two machines changed can be kept beside each other, but a table of one machine does not speak of the pictures
of the other: together they would be a dataset that is wrong for ever.
"""

from collections.abc import Iterable
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.groups import Rank, is_page, rank_of
from npylabel.base.i18n import _
from npylabel.base.mirror import Mirror
from npylabel.base.store import Index

_PICTURES = (".png", ".jpg", ".jpeg")


def clashing_tables(before: Index, now: Index, changed: Iterable[str]) -> list[str]:
    """Tables and journals in folders that were changed here, and saved by another machine since ``before``."""
    return sorted(path for path in changed if "/" in path and rank_of(path) in (Rank.JOURNAL, Rank.LEDGER)
                  and path in now.files and _content(now, path) != _content(before, path))


def _content(index: Index, path: str) -> str:
    return index.files[path].sha256 if path in index.files else ""


def step_aside(mirror: Mirror, session: str, tables: Iterable[str], changed: Iterable[str]) -> None:
    """Move what was changed here in the folders of the tables out of the way, so that the newer state can come.

    Tables, labels and models go to ``conflicts/``, which is saved too. Pictures and pages of them, which their step
    makes again, stay on this machine's disk only.
    """
    folders = _folders(tables)
    for path in [path for path in changed if path.startswith(folders)]:
        is_remade = path.endswith(_PICTURES) or is_page(path)
        kept = mirror.own / session if is_remade else mirror.root / "conflicts" / session
        (kept / path).parent.mkdir(parents=True, exist_ok=True)
        (mirror.root / path).replace(kept / path)
    mirror.base = {path: file for path, file in mirror.base.items() if not path.startswith(folders)}


def _folders(tables: Iterable[str]) -> tuple[str, ...]:
    return tuple({f"{path.rpartition('/')[0]}/" for path in tables})


def newer_work(tables: Iterable[str], kept: Path) -> NpyLabelError:
    """The error for a person whose step came too late."""
    names = ", ".join(sorted(tables))
    return NpyLabelError(
        "newer_work",
        _("Another machine saved newer work while this step ran: {names}.").format(names=names),
        _("Run this cell again: it goes on from the newer work. Tables and labels of this run are kept in "
          "{path}.").format(path=kept))

