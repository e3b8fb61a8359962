"""What can be mended without asking: grayscale files are made again from their color files, names are set right."""

import os
import shutil
from itertools import chain, count
from pathlib import Path

from npylabel.base.classes import nfc
from npylabel.base.files import write_bytes
from npylabel.dataset.verify import Verification
from npylabel.photos.pairs import gray_file

# Files that a repair takes out are kept here.
REPLACED = "replaced"
_REMAKE = frozenset({"bw_missing", "suffix_mismatch", "bw_mode", "gray_rec709", "gray_turned", "gray_differs",
                     "size_differs"})
_RENAME = frozenset({"suffix_case", "name_not_nfc"})


def repair_dataset(dataset_dir: Path, verification: Verification) -> int:
    """How many files were mended: grayscale files made again, names set right, leftovers removed.

    Color files and labels are never changed; a grayscale file that is replaced moves to ``replaced/``.
    """
    mended = 0
    for finding in verification.findings:
        path = dataset_dir / finding.name
        if finding.code == "leftover" and path.is_file():
            path.unlink()
            mended += 1
        elif finding.code in _RENAME:
            mended += _rename(path)
    stems = {nfc(Path(finding.name).stem) for finding in verification.findings
             if finding.code in _REMAKE or (finding.code in ("picture_empty", "picture_damaged")
                                            and finding.name.startswith("bw/"))}
    return mended + sum(_remake(dataset_dir, stem) for stem in sorted(stems))


def _rename(path: Path) -> bool:
    target = path.with_name(nfc(path.stem) + path.suffix.lower())
    if not path.exists() or (target.exists() and not target.samefile(path)):
        return False
    path.rename(target)
    return True


def _remake(dataset_dir: Path, stem: str) -> bool:
    color = next((path for path in _listed(dataset_dir / "color")
                  if nfc(path.stem) == stem and path.suffix.lower() in (".png", ".jpg")), None)
    if color is None:
        return False
    try:
        gray = gray_file(color)
    except (OSError, SyntaxError, ValueError):
        return False
    for old in [path for path in _listed(dataset_dir / "bw") if nfc(path.stem) == stem]:
        target = _free(dataset_dir / REPLACED / "bw" / old.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(old, target)
    write_bytes(dataset_dir / "bw" / f"{stem}{color.suffix.lower()}", gray)
    return True


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _free(path: Path) -> Path:
    """The path, or one with a number behind its stem, where no file is yet."""
    candidates = chain([path], (path.with_name(f"{path.stem}_{number}{path.suffix}") for number in count(2)))
    return next(path for path in candidates if not os.path.lexists(path))
