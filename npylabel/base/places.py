"""Where things live: the project, the work folder, and the demo folder inside it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _, in_notebook
from npylabel.base.patience import patience_s, retry

# Colab's own folder, which lives as long as the session; another one stands for it in tests.
CONTENT = Path(os.environ.get("NPYLABEL_CONTENT", "/content"))
DRIVE = CONTENT / "drive"
DEMO = "demo"
# What step 01 takes as "ask the browser".
UPLOAD = "upload"
# What step 02 takes as "only the photos of the dataset that people sorted into classes".
SORTED = "sorted"
# Lies in the folder of the drawn photos; a folder that is only called "demo" is the user's own.
DEMO_MARK = ".npylabel-demo"
# What was found for the parameters of the step that runs now.
_FOUND: ContextVar[tuple[tuple[str, str], "Places"] | None] = ContextVar("found", default=None)


def project_dir() -> Path:
    """The folder that holds ``npylabel_core.py`` and ``classes.json``."""
    return Path(__file__).resolve().parents[2]


def in_colab() -> bool:
    """Whether this machine is a Colab runtime (its batch processes included)."""
    return "COLAB_RELEASE_TAG" in os.environ


def is_headless() -> bool:
    """Whether nobody sits in front: papermill, nbclient, or ``NPYLABEL_HEADLESS=1``."""
    if os.environ.get("NPYLABEL_HEADLESS"):
        return True
    if not in_notebook():
        return False
    kernel = sys.modules["IPython"].get_ipython().kernel
    # A front end that executes a notebook in batch does not allow questions to a user.
    return not getattr(kernel, "_allow_stdin", True)


@dataclass(frozen=True)
class Places:
    """A work folder, and the paths below it.

    Attributes:
        work_dir: absolute folder; everything that is relative lies below it.
        is_demo: whether this is the folder of the drawn photos.
        save_dir: folder (on Drive, on a network disk) that keeps all of it packed, or None.
    """

    work_dir: Path
    is_demo: bool = False
    save_dir: Path | None = None

    @property
    def root(self) -> Path:
        """The folder that is kept as a whole: the work folder with the demo inside."""
        return self.work_dir.parent if self.is_demo and self.work_dir.name == DEMO else self.work_dir

    @property
    def uploads(self) -> Path:
        """Where files from the browser wait for step 01: beside the work folder, so that they are not kept."""
        return self.root.with_name(f".npylabel-uploads-{self.root.name}")

    def path(self, name: str | Path) -> Path:
        """``name`` below the work folder, or as it is when it is absolute (``~`` is the home folder)."""
        return self.work_dir / Path(name).expanduser()

    def source(self, name: str | Path) -> Path:
        """Something that the user brings: below the work folder, else below the folder that keeps it."""
        own = self.path(name)
        kept = self.save_dir / Path(name).expanduser() if self.save_dir else own
        return kept if not own.exists() and _is_there(kept) else own

    def demo(self) -> "Places":
        """The same for the drawn photos, which never mix with the user's own."""
        return self if self.is_demo else Places(self.work_dir / DEMO, is_demo=True, save_dir=self.save_dir)

    def made_demo(self) -> "Places":
        """The folder of the drawn photos, made and marked as such."""
        places = self.demo()
        places.work_dir.mkdir(parents=True, exist_ok=True)
        (places.work_dir / DEMO_MARK).touch()
        return places

    def world_of(self, *names: str) -> "Places":
        """The places in which any of the named files or folders exist: the user's own first, else the demo."""
        own = self.is_demo or any(self.path(name).exists() for name in names)
        drawn = any(self.demo().path(name).exists() for name in names)
        return self if own or not drawn else self.demo()

    def classes_path(self, name: str) -> Path:
        """The class table: below the work folder, else the project's."""
        own = self.source(name)
        return own if _is_there(own) else project_dir() / Path(name).name if name == "classes.json" else own


def find_places(
    work_dir: str = "", save_dir: str = "", *, as_notebook: bool | None = None, must_keep: bool = True
) -> Places:
    """The work folder, made when missing, and the folder that keeps it.

    Where the work folder would be on Drive, the work is done on the local disk and kept there.

    Args:
        work_dir: a folder, or "" for the default: the current folder on the command line; in a notebook
            ``MyDrive/npylabel`` in Colab and ``workspace`` in the project elsewhere.
        save_dir: a folder on a slow or shared disk that keeps the work folder packed; a relative one counts from the
            work folder; "" is none.
        as_notebook: take the notebook's default (None: when this is a notebook).
        must_keep: False for who only looks: the folder that keeps the work is not asked for, and not made.

    Raises:
        NpyLabelError: ``work_dir_unusable`` where the work folder cannot be made, ``save_dir_unusable`` where the
            folder that keeps it cannot, or lies inside it, and ``drive_not_mounted`` below ``/content/drive`` where
            Drive is not mounted (a folder made there would make a later mount fail).
    """
    known = _FOUND.get()
    if known and known[0] == (work_dir, save_dir):
        return known[1]
    use_notebook = in_notebook() if as_notebook is None else as_notebook
    folder = _on_drive(Path(work_dir).expanduser() if work_dir else _default_folder(use_notebook, must_keep))
    saved = _on_drive(Path(os.path.normpath(folder / Path(save_dir).expanduser()))) if save_dir else None
    if folder.is_relative_to(DRIVE):
        if must_keep:
            _refuse_unmounted(folder)
        saved = saved or folder
        inner = folder.relative_to(DRIVE).parts
        folder = CONTENT.joinpath("work", *(inner[1:] if inner[:1] == ("MyDrive",) else inner) or ("MyDrive",))
    places = Places(folder.resolve(), is_demo=(folder / DEMO_MARK).exists(), save_dir=saved)
    if saved and saved.resolve().is_relative_to(places.root):
        raise NpyLabelError(
            "save_dir_unusable",
            _("save_dir {path} lies inside the work folder that it is to keep.").format(path=saved),
            _("Set save_dir to a folder outside the work folder {work_dir}.").format(work_dir=places.root))
    if saved and must_keep:
        _make_saved(saved)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error.strerror) from error
    return places


@contextmanager
def found(work_dir: str, save_dir: str, places: Places) -> Iterator[None]:
    """``find_places`` finds these places for these parameters while the block runs."""
    token = _FOUND.set(((work_dir, save_dir), places))
    try:
        yield
    finally:
        _FOUND.reset(token)


def _on_drive(folder: Path) -> Path:
    """The folder, absolute; where a link leads to Drive, the folder there."""
    path = folder.absolute()
    real = path.resolve()
    is_link = not path.is_relative_to(DRIVE) and real.is_relative_to(DRIVE.resolve())
    return DRIVE / real.relative_to(DRIVE.resolve()) if is_link else path


def _is_there(path: Path) -> bool:
    """Whether something is there; a disk that does not answer is waited for.

    Raises:
        NpyLabelError: ``drive_gone``.
    """
    try:
        retry(path.stat, patience_s())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise NpyLabelError(
            "drive_gone", _("{path} cannot be used: {reason}.").format(path=path, reason=error.strerror or error),
            _("Run the setup cell again to connect Drive, then this cell.")) from error
    return True


def _refuse_unmounted(folder: Path) -> None:
    if not _is_there(DRIVE / "MyDrive"):
        raise NpyLabelError(
            "drive_not_mounted",
            _("The work folder {path} is on Google Drive, which is not mounted.").format(path=folder),
            _("Run the setup cell and allow Drive, or set work_dir to a folder outside /content/drive."),
        )


def _make_saved(folder: Path) -> None:
    on_drive = folder.is_relative_to(DRIVE)
    if on_drive:
        _refuse_unmounted(folder)
    elif not _is_there(folder):
        # Made anew, it would pass for an empty disk, and all that was saved for lost.
        raise NpyLabelError(
            "save_dir_unusable", _("There is no folder {path} to keep the work in.").format(path=folder),
            _("Connect the disk that it lies on. If nothing was kept there yet, make it: mkdir -p {path}").format(
                path=folder))
    try:
        retry(lambda: folder.mkdir(parents=on_drive, exist_ok=True), patience_s())
    except OSError as error:
        raise NpyLabelError(
            "save_dir_unusable",
            _("save_dir {path} cannot be used: {reason}.").format(path=folder, reason=error.strerror or error),
            _("Connect the disk that it lies on, or set save_dir to a folder that you may write to.")) from error


def _unusable(folder: Path, reason: str) -> NpyLabelError:
    return NpyLabelError(
        "work_dir_unusable",
        _("The work folder {path} cannot be used: {reason}.").format(path=folder, reason=reason),
        _("Set work_dir to a folder that you may write to."),
    )


def _default_folder(as_notebook: bool, must_keep: bool) -> Path:
    if not as_notebook:
        return Path.cwd()
    # Who only looks need not know whether a Drive answers.
    if in_colab() and (_is_there(DRIVE / "MyDrive") if must_keep else os.path.lexists(DRIVE)):
        return DRIVE / "MyDrive" / "npylabel"
    return project_dir() / "workspace"
