"""How each change of the Drive is noted before it happens: what is pending, and what the cloud still holds."""

import os
import shutil
from pathlib import Path

from tests.colab.drive_state import DriveState


class Changes:
    """Notes changes in the book; every method is called inside ``state.locked()``.

    Args:
        state: the book.
        lag_ops: operations between a change and its upload, on average.
        lag_s: seconds between the two.
    """

    def __init__(self, state: DriveState, lag_ops: float, lag_s: float) -> None:
        self.state, self._lag = state, (lag_ops, lag_s)

    def before_write(self, path: str) -> None:
        """A file is opened for writing (made, emptied or changed in place): pending until long after it is closed."""
        self._arrive_moves_from(path)
        row = self._row(path)
        if row and row["kind"] == "move":
            self.state.uploaded(row)
            row = None
        if row is None:
            old, replaced = self._keep(path, copy=True), 0
            self._forget_uploaded(path)
        else:
            old, replaced = row["old"], row["replaced"] or row["kind"] == "delete"
        self.state.set_row(path, "write", old=old, replaced=int(replaced), writer=os.getpid())

    def closed(self, path: str) -> None:
        """A written file was closed: its upload may begin."""
        self.state.start_clock(path, *self._lag)

    def before_remove(self, path: str) -> None:
        """A file is deleted: what the cloud holds of it may come back."""
        row = self._row(path)
        if row is None:
            old = self._keep(path, copy=False)
            self._forget_uploaded(path)
            self._note(path, "delete", old=old)
            return
        if row["kind"] == "move":
            self._note(row["source"], "delete", old=self._keep(path, copy=False))
        if row["old"]:
            self._note(path, "delete", old=row["old"])
        else:
            self.state.drop_row(path)

    def before_rename(self, source: str, target: str) -> None:
        """A file or folder gets another name; what had that name is deleted."""
        if (self.state.root / source).is_dir():
            self._rename_folder(source, target)
        elif source != target:
            self._rename_file(source, target)

    def before_mkdir(self, path: str) -> None:
        """An empty folder is made."""
        self._arrive_moves_from(path)
        row = self._row(path)
        if row and row["kind"] == "rmdir":
            self.state.drop_row(path)
        else:
            self._note(path, "mkdir")

    def before_rmdir(self, path: str) -> None:
        """An empty folder is removed."""
        row = self._row(path)
        if row and row["kind"] == "mkdir":
            self.state.drop_row(path)
        else:
            self._note(path, "rmdir")

    def _rename_file(self, source: str, target: str) -> None:
        self._arrive_moves_from(target)
        if (self.state.root / target).exists():
            self.before_remove(target)
        under = self.state.row(target)
        old = under["old"] if under and under["kind"] == "delete" else ""
        row = self._row(source)
        if row and row["kind"] == "write":
            self._note(target, "write", old=old, replaced=int(bool(old)))
        else:
            self._note(target, "move", source=row["source"] if row else source, old=old)
        if row and row["old"]:
            self._note(source, "delete", old=row["old"])
        else:
            self.state.drop_row(source)

    def _rename_folder(self, source: str, target: str) -> None:
        root = self.state.root
        for folder, _folders, names in sorted(os.walk(root / source)):
            below = Path(folder).relative_to(root / source)
            self.before_mkdir((target / below).as_posix())
            for name in sorted(names):
                self._rename_file((source / below / name).as_posix(), (target / below / name).as_posix())
            self.before_rmdir((source / below).as_posix())

    def _row(self, path: str) -> dict | None:
        """The pending change of a path; one that a process noted and was killed before it did is dropped."""
        row = self.state.row(path)
        exists = (self.state.root / path).exists()
        if row and ((row["kind"] == "delete" and exists) or (row["kind"] == "move" and not exists)):
            self.state.drop_row(path)
            return None
        return row

    def _note(self, path: str, kind: str, **values: object) -> None:
        self.state.set_row(path, kind, **values)
        self.state.start_clock(path, *self._lag)

    def _arrive_moves_from(self, path: str) -> None:
        """A move away from a name is uploaded at the latest when that name is used again."""
        for row in self.state.rows("state = 0 AND kind = 'move' AND source = ?", path):
            self.state.uploaded(row)

    def _forget_uploaded(self, path: str) -> None:
        for row in self.state.rows("path = ? AND state > 0", path):
            self.state.drop_blob(row["old"])

    def _keep(self, path: str, *, copy: bool) -> str:
        """The name under which the present version of a file is kept; "" where there is none."""
        current = self.state.root / path
        if not current.is_file():
            return ""
        number = int(self.state.get("blobs")) + 1
        self.state.put("blobs", number)
        kept = self.state.folder / "old" / str(number)
        # A transaction that was taken back may have left a file of this number.
        kept.unlink(missing_ok=True)
        if copy:
            shutil.copyfile(current, kept)
        else:
            kept.hardlink_to(current)
        return str(number)
