"""What a labeler sees in many photos: computed once for each photo and model, and kept on the local disk."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from npylabel.base.files import atomic_path
from npylabel.base.i18n import _
from npylabel.base.parallel import run_threads
from npylabel.base.progress import track
from npylabel.dataset.photo_memo import PhotoMemo
from npylabel.dataset.pixel_cache import FEATURES, make_room, pixel_folder
from npylabel.dataset.pixels import decode_pixels
from npylabel.labeler.predict import CHUNK, Predictor
from npylabel.photos.archives import ZIP_ERRORS
from npylabel.photos.decode import PhotoError
from npylabel.photos.sources import PhotoRef

# After so many groups what is known so far is kept, so that a kill costs a minute and not the whole work.
_KEEP_EVERY = 64
# What numpy raises for a file that is cut or is none of its own.
_LOAD_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Looks:
    """What a labeler sees in n photos.

    Attributes:
        probabilities: ``(n, c)`` float32 for ``Predictor.class_ids``; a row of zeros where a photo cannot be read.
        features: ``(n, d)`` float32; d is 0 for a network that has none.
        readable: ``(n,)`` bool.
    """

    probabilities: np.ndarray
    features: np.ndarray
    readable: np.ndarray


def file_ref(path: Path) -> PhotoRef:
    """A photo of the dataset or the training data, as ``look_at`` wants it.

    Raises:
        OSError: where it is not there.
    """
    status = path.stat()
    return PhotoRef(path.name, path, fingerprint=f"{status.st_size}-{status.st_mtime_ns}")


def look_at(predictor: Predictor, model_sha256: str, refs: Sequence[PhotoRef], label: str = "") -> Looks:
    """What the labeler sees in photos; only those that it has not seen before are read.

    Args:
        predictor: the labeler.
        model_sha256: of its file.
        refs: the photos.
        label: what the progress is called, translated.
    """
    memo, cache = PhotoMemo("sha256"), FeatureCache(model_sha256)
    checksums = ["".join(memo.known(ref) or ()) for ref in refs]
    missing = [index for index, checksum in enumerate(checksums) if checksum not in cache]
    if missing:
        looking = _Looking(predictor, refs, checksums)
        try:
            looking.run(missing, cache, label or _("Comparing photos"))
        finally:
            cache.keep()
            memo.remember(refs, {index: [checksums[index]] for index in missing if checksums[index]})
    return cache.looks(predictor, checksums)


class FeatureCache:
    """Logits and features by SHA-256 of the photo file, for one model; two processes lose nothing but time.

    Args:
        model_sha256: of the model's file.
    """

    def __init__(self, model_sha256: str) -> None:
        folder = pixel_folder()
        name = sha256(f"{model_sha256} {CHUNK}".encode()).hexdigest()
        self.path = folder / f"{name}{FEATURES}" if folder else None
        self._rows: dict[str, tuple[np.ndarray, np.ndarray]] = _read(self.path)
        self._new: set[str] = set()

    def __contains__(self, checksum: str) -> bool:
        return checksum in self._rows

    def add(self, checksum: str, logits: np.ndarray, features: np.ndarray) -> None:
        """Note what was seen in one photo."""
        self._rows[checksum] = (logits, features)
        self._new.add(checksum)

    def keep(self) -> None:
        """Write down what is new; a disk that is full or gone costs time only."""
        if not self.path or not self._new:
            return
        # What others found out in the meantime stays.
        self._rows = _read(self.path) | self._rows
        logits, features = (np.stack(values) for values in zip(*self._rows.values(), strict=True))
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if make_room(logits.nbytes + features.nbytes):
                with atomic_path(self.path) as temporary, temporary.open("wb") as file:
                    np.savez(file, sha256=np.array([*self._rows], "S64"), logits=logits, features=features)
        self._new.clear()

    def looks(self, predictor: Predictor, checksums: Sequence[str]) -> Looks:
        """What was seen in the photos of these checksums."""
        readable = np.array([checksum in self._rows for checksum in checksums], bool)
        found = [self._rows[checksum] for checksum in checksums if checksum in self._rows]
        width = found[0][1].shape[0] if found else 0
        probabilities = np.zeros((len(checksums), len(predictor.class_ids)), np.float32)
        features = np.zeros((len(checksums), width), np.float32)
        if found:
            logits, seen = (np.stack(values) for values in zip(*found, strict=True))
            probabilities[readable], features[readable] = predictor.from_logits(torch.from_numpy(logits)), seen
        return Looks(probabilities, features, readable)


class _Looking:
    """The work of one call: groups of photos are read, decoded and seen by a thread each."""

    def __init__(self, predictor: Predictor, refs: Sequence[PhotoRef], checksums: list[str]) -> None:
        self.predictor, self.refs, self.checksums = predictor, refs, checksums

    def run(self, missing: Sequence[int], cache: FeatureCache, label: str) -> None:
        """Fill the cache."""
        groups = [missing[start:start + CHUNK] for start in range(0, len(missing), CHUNK)]
        with self.predictor.sharing_cores():
            found = run_threads(self._seen, groups, ahead=4)
            for number, seen in enumerate(track(found, total=len(groups), label=label), start=1):
                for checksum, logits, features in seen:
                    cache.add(checksum, logits, features)
                if number % _KEEP_EVERY == 0:
                    cache.keep()

    def _seen(self, group: Sequence[int]) -> list[tuple[str, np.ndarray, np.ndarray]]:
        loaded = [*self._loaded(group)]
        if not loaded:
            return []
        pixels = np.stack([pixels for _checksum, pixels in loaded])
        if self.predictor.has_features:
            logits, features = self.predictor.logits_and_features(pixels)
        else:
            logits, features = self.predictor.logits(pixels), np.zeros((len(pixels), 0), np.float32)
        return [(checksum, row, seen) for (checksum, _pixels), row, seen
                in zip(loaded, logits.numpy(), features, strict=True)]

    def _loaded(self, group: Sequence[int]) -> Iterator[tuple[str, np.ndarray]]:
        checkpoint = self.predictor.checkpoint
        for index in group:
            self.checksums[index] = ""
            try:
                data = self.refs[index].read()
                pixels = decode_pixels(data, checkpoint.photo_px, checkpoint.fit)
            except (OSError, PhotoError, *ZIP_ERRORS):
                continue
            self.checksums[index] = sha256(data).hexdigest()
            yield self.checksums[index], pixels


def _read(path: Path | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    try:
        with np.load(path, allow_pickle=False) as content:
            names, logits, features = (content[name] for name in ("sha256", "logits", "features"))
    except (TypeError, *_LOAD_ERRORS):  # There is no place for a cache, or no whole file in it.
        return {}
    return {name.decode(): pair for name, pair in zip(names.tolist(), zip(logits, features, strict=True), strict=True)}
