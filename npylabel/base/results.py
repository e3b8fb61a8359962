"""``results/``: copies of what people open by hand on Drive, without unpacking anything; they are for looking only."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.files import write_text
from npylabel.base.groups import CHARTS
from npylabel.base.i18n import _
from npylabel.base.mirror import hash_of
from npylabel.base.remote import RemoteFolder
from npylabel.base.store import SavedFile
from npylabel.base.tables import printable

RESULTS = "results"
_SHOWN = (".html", ".csv", "_sheet.jpg", ".pth", *CHARTS, ".metrics.json")
_HIDDEN = re.compile(
    r"^(demo/)?(runs|conflicts|left_out)/|\.last\.pth$|checkpoint_epoch_|/archive/|\.folds/|_truth\.csv$")
# SHA-256 by name of the copies, as they were made: what differs from it was changed by a person.
_LIST = "copies.json"
_README = "READ ME.txt"


class Results:
    """The copies in one folder that keeps a work folder.

    Args:
        save_dir: the folder that keeps the work folder.
        root: the work folder.
        scratch: a folder on this machine for what is written there.
    """

    def __init__(self, save_dir: Path, root: Path, scratch: Path) -> None:
        self.remote, self.root, self.scratch = RemoteFolder(save_dir / RESULTS), root, scratch
        self.kept: list[str] = []
        self._names: set[str] = set()

    def show(self, files: Mapping[str, SavedFile]) -> list[str]:
        """Bring the copies up to date; sentences for the person.

        Args:
            files: what is saved, by path; only what is on this machine as it is saved can be copied.
        """
        wanted = {shown_name(path): (path, file) for path, file in files.items()
                  if path.endswith(_SHOWN) and not _HIDDEN.search(path)}
        try:
            self._update(wanted)
        except (NpyLabelError, OSError) as error:
            return [*self._kept_text(), _("The copies in {path} are not up to date: {reason}").format(
                path=self.remote.folder, reason=error)]
        return [*self._kept_text(), _("Tables, pictures and models to open: {path}").format(path=self.remote.folder)]

    def _kept_text(self) -> list[str]:
        if not self.kept:
            return []
        return [_("Files in {path} are copies to look at: what is changed there does not count. Your changed copies "
                  "are kept as {names}.").format(path=self.remote.folder, names=printable(", ".join(self.kept[:5])))]

    def _update(self, wanted: Mapping[str, tuple[str, SavedFile]]) -> None:
        sizes = self.remote.sizes()
        self._names = {*sizes}
        before = self._read_list() if _LIST in sizes else {}
        copies = {name: sha256 for name, sha256 in before.items() if name in sizes}
        try:
            for name in [name for name in copies if name not in wanted]:
                self._set_edited_aside(name, copies.pop(name))
                self.remote.remove(name)
            for name, (path, file) in wanted.items():
                if copies.get(name) != file.sha256 and hash_of(self.root / path) == file.sha256:
                    self._copy(name, path, file, sizes, copies)
        finally:
            if copies != before or (wanted and _README not in sizes):
                self._write(_LIST, json.dumps(copies, sort_keys=True))
                self._write(_README, _(
                    "The files in this folder are copies to look at. What you change here does not count, and is kept "
                    "beside the new copy. What counts lies in the work folder: bring it with notebook 00_manage, "
                    "action bring, change it there, then run a step.") + "\n")

    def _copy(self, name: str, path: str, file: SavedFile, sizes: Mapping[str, int], copies: dict[str, str]) -> None:
        # Another machine may have copied it.
        if name not in sizes or not self.remote.holds(name, file.size, file.sha256):
            if name in sizes:
                self._set_edited_aside(name, copies.get(name, ""))
            self.remote.store(name, self.root / path)
        copies[name] = file.sha256

    def _set_edited_aside(self, name: str, sha256: str) -> None:
        """Keep a copy that is not what was copied there, beside it."""
        if not self.remote.differs(name, sha256):
            return
        stem, dot, suffix = name.rpartition(".")
        number = 1
        while (kept := f"{stem} (edited{f' {number}' if number > 1 else ''}){dot}{suffix}") in self._names:
            number += 1
        self.remote.rename(name, kept)
        self._names.add(kept)
        self.kept.append(kept)

    def _read_list(self) -> dict[str, str]:
        try:
            return {str(name): str(sha256) for name, sha256 in json.loads(self.remote.read(_LIST)).items()}
        except (ValueError, AttributeError):
            return {}

    def _write(self, name: str, text: str) -> None:
        with tempfile.TemporaryDirectory(prefix=".tmp-npylabel-", dir=self.scratch) as folder:
            write_text(Path(folder) / "text", text)
            self.remote.store(name, Path(folder) / "text")


def shown_name(path: str) -> str:
    """The name of a copy, at most 180 bytes long, so that a longer one fits beside it."""
    name = path.replace("/", " - ")
    if len(os.fsencode(name)) <= 180:
        return name
    return f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}{Path(path).suffix}"
