"""Probabilities by networks that have not seen the photo: one network per fold, trained on all the other folds."""

import hashlib
import json
import re
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from npylabel.base.files import atomic_path, remove_leftovers
from npylabel.base.i18n import _
from npylabel.training.run_files import RunFiles

# What numpy raises for a file that is cut or is none of its own.
_LOAD_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)

# A finished fold, and the folder of one under way with the beginning of its stamp.
_FINISHED, _UNDER_WAY = re.compile(r"fold_\d+\.npz"), re.compile(r"fold_\d+_([0-9a-f]{16})")

# Trains on some rows and gives the probabilities ``(m, k)`` of the others; its files are the fold's own, so that a
# killed fold goes on. NaN in the columns of the classes that had no row to train on.
FitFold = Callable[[np.ndarray, np.ndarray, RunFiles], np.ndarray]


def assign_folds(
    class_ids: Sequence[int], sha256: Sequence[str], groups: Sequence[str], folds: int, random_seed: int
) -> np.ndarray:
    """The fold of each photo, ``(n,)`` int64 below ``folds``: every class is spread evenly, no group is torn.

    Args:
        class_ids: of the photos, in any order; the folds do not depend on it.
        sha256: of the photos' bytes; decides, with the seed, so that every machine agrees.
        groups: photos with the same value show nearly the same.
        folds: how many, at least 2.
        random_seed: another seed, other folds.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    names = {group: min(sha256[index] for index in indices) for group, indices in members.items()}
    # The largest first: small ones even out what they leave.
    ordered = sorted(members, key=lambda group: (-len(members[group]), _draw(names[group], random_seed)))
    column = {class_id: k for k, class_id in enumerate(sorted(set(class_ids)))}
    filled = np.zeros((folds, len(column)), np.int64)
    result = np.zeros(len(class_ids), np.int64)
    for group in ordered:
        added = np.bincount([column[class_ids[index]] for index in members[group]], minlength=len(column))
        # Of the folds that have the fewest photos of the group's classes, the one with the fewest photos.
        fold = min(range(folds), key=lambda fold: (int(filled[fold] @ added), int(filled[fold].sum()), fold))
        filled[fold] += added
        result[members[group]] = fold
    return result


def _draw(sha256: str, random_seed: int) -> str:
    return hashlib.sha256(f"{random_seed}:fold:{sha256}".encode("utf-8", "backslashreplace")).hexdigest()


def held_out_probabilities(
    files: RunFiles, identity: dict, fold_of: np.ndarray, targets: np.ndarray, fit: FitFold
) -> np.ndarray:
    """Probabilities ``(n, k)`` float32 of all photos, each row by the network that was not trained on its photo.

    Each finished fold is kept in ``<stem>.folds/``; a run that was killed trains only what is not there, and the fold
    that was under way goes on by its own resume state. Folds of another identity are removed.

    Args:
        files: of the model that the photos were meant for.
        identity: what the probabilities depend on besides the folds and the targets, as JSON values.
        fold_of: ``(n,)`` int64 from ``assign_folds``.
        targets: ``(n,)`` int64 columns of the labels, below k.
        fit: trains one fold.
    """
    stamp = _stamp(identity, fold_of, targets)
    folder = files.folds
    _remove_others(folder, stamp)
    result = np.full((len(targets), int(targets.max()) + 1), np.nan, np.float32)
    folds = sorted(set(fold_of.tolist()))
    for number, fold in enumerate(folds, start=1):
        held_out, rest = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
        path, work = folder / f"fold_{fold + 1}.npz", folder / f"fold_{fold + 1}_{stamp[:16]}"
        found = _read(path, stamp)
        if found is None:
            print(_("Looking for wrong labels: network {number} of {count}.").format(
                number=number, count=len(folds)), flush=True)
            found = fit(rest, held_out, RunFiles(work / "fold.pth")).astype(np.float32)
            _write(path, stamp, found)
        # The weights have done their work.
        shutil.rmtree(work, ignore_errors=True)
        result[held_out] = found
    return result


def fold_files(folder: Path) -> list[Path]:
    """The files that ``held_out_probabilities`` left in its folder, and no others; sorted."""
    tops = sorted(folder.iterdir()) if folder.is_dir() else []
    under_way = [path for top in tops if _UNDER_WAY.fullmatch(top.name) for path in sorted(top.rglob("*"))]
    return [*(path for path in tops if _FINISHED.fullmatch(path.name)), *(p for p in under_way if p.is_file())]


def _stamp(identity: dict, fold_of: np.ndarray, targets: np.ndarray) -> str:
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode())
    digest.update(fold_of.astype("<i8").tobytes() + targets.astype("<i8").tobytes())
    return digest.hexdigest()


def _remove_others(folder: Path, stamp: str) -> None:
    """Remove what other data, settings or seeds have left, and half-written files."""
    remove_leftovers(folder)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        under_way = _UNDER_WAY.fullmatch(path.name)
        if under_way and under_way[1] != stamp[:16]:
            shutil.rmtree(path, ignore_errors=True)
        elif _FINISHED.fullmatch(path.name) and _read(path, stamp) is None:
            path.unlink()


def _read(path: Path, stamp: str) -> np.ndarray | None:
    """The probabilities of a finished fold; None where there is none of this stamp that is whole."""
    try:
        with np.load(path, allow_pickle=False) as content:
            return content["probabilities"] if str(content["stamp"]) == stamp else None
    except _LOAD_ERRORS:
        return None


def _write(path: Path, stamp: str, probabilities: np.ndarray) -> None:
    with atomic_path(path, durable=True) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, probabilities=probabilities, stamp=np.array(stamp))
