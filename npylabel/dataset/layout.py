"""The files of a dataset, and what their names alone tell is wrong."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.classes import nfc
from npylabel.base.files import TEMP_PREFIX
from npylabel.dataset.faults import Finding
from npylabel.photos.names import safe_stem
from npylabel.photos.sources import is_hidden

# Where steps keep their results, below the work folder.
DATASET, TRAIN_DATA, MODEL = "tintora_dataset", "train_data", "models/tiny_cnn.pth"
COLORIZER, COLORIZED = "models/colorizer.pth", "colorized"
FOLDERS = ("color", "bw", "labels")
_PICTURES = frozenset({".png", ".jpg"})
_OTHER_PICTURES = frozenset({".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic"})


@dataclass
class DatasetFiles:
    """The files of a dataset.

    Attributes:
        color: color file by stem (NFC).
        bw: grayscale file by stem.
        labels: label file by stem.
        findings: what the names and folders tell.
    """

    color: dict[str, Path] = field(default_factory=dict)
    bw: dict[str, Path] = field(default_factory=dict)
    labels: dict[str, Path] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def stems(self) -> list[str]:
        """All stems, sorted."""
        return sorted({*self.color, *self.bw, *self.labels})


def list_dataset(dataset_dir: Path) -> DatasetFiles:
    """The files below ``color/``, ``bw/`` and ``labels/``, with the findings about names, suffixes and partners."""
    files = DatasetFiles()
    for folder in FOLDERS:
        if not (dataset_dir / folder).is_dir():
            files.findings.append(Finding("folder_missing", folder))
            continue
        for path in sorted((dataset_dir / folder).iterdir()):
            _sort_in(files, folder, path)
    _partners(files)
    return files


def _sort_in(files: DatasetFiles, folder: str, path: Path) -> None:
    name, suffix = f"{folder}/{path.name}", path.suffix.lower()
    wanted = {".npy"} if folder == "labels" else _PICTURES
    if path.name.startswith(TEMP_PREFIX):
        files.findings.append(Finding("leftover", name))
    elif is_hidden(path.name):
        return
    elif path.is_symlink() and not path.exists():
        files.findings.append(Finding("link_broken", name))
    elif path.is_dir():
        files.findings.append(Finding("subfolder", name))
    elif suffix not in wanted:
        code = "suffix_not_read" if folder != "labels" and suffix in _OTHER_PICTURES else "stray_file"
        files.findings.append(Finding(code, name))
    else:
        _take(files, folder, path)


def _take(files: DatasetFiles, folder: str, path: Path) -> None:
    stem, name = nfc(path.stem), f"{folder}/{path.name}"
    known = getattr(files, folder)
    if path.suffix != path.suffix.lower():
        files.findings.append(Finding("suffix_case", name))
    if path.stem != stem:
        files.findings.append(Finding("name_not_nfc", name))
    if stem in known:
        files.findings.append(Finding("same_stem", name, known[stem].name))
        return
    known[stem] = path
    if folder == "color":
        if any(part in stem for part in ("bw", ".jpg", ".png")):
            files.findings.append(Finding("name_breaks_loader", name))
        elif safe_stem(stem) != stem:
            files.findings.append(Finding("name_unsafe", name, safe_stem(stem)))


def _partners(files: DatasetFiles) -> None:
    for stems in _case_clashes(files):
        files.findings.append(Finding("name_case", stems[0], ", ".join(stems)))
    for stem in files.stems:
        color, bw, label = (getattr(files, folder).get(stem) for folder in FOLDERS)
        if color and bw and color.suffix.lower() != bw.suffix.lower():
            files.findings.append(Finding("suffix_mismatch", f"bw/{bw.name}", f"color/{color.name}"))
        if color and not bw:
            files.findings.append(Finding("bw_missing", f"color/{color.name}"))
        if bw and not color:
            files.findings.append(Finding("color_missing", f"bw/{bw.name}"))
        if (color or bw) and not label:
            files.findings.append(Finding("label_missing", stem))
        if label and not (color or bw):
            files.findings.append(Finding("label_extra", f"labels/{label.name}"))


def _case_clashes(files: DatasetFiles) -> list[list[str]]:
    by_fold = defaultdict(list)
    for stem in files.stems:
        by_fold[stem.casefold()].append(stem)
    return [stems for stems in by_fold.values() if len(stems) > 1]
