"""Which photos show the same thing: perceptual hashes, bursts, and the groups they make."""

from collections.abc import Sequence
from datetime import datetime

import imagehash
import numpy as np
from PIL import Image

_HASH_SIDE = 16
HASH_BITS = _HASH_SIDE**2
# Of 256 bits, two unrelated photos differ in about 128, and of 12 million pairs of one subject's photos 11 differed in
# 48 or less, all of one class; re-saved, resized, brightened or slightly cropped copies differ in up to 48.
NEAR_BITS = 48
# Frames of a burst are alike and close in time; apart in time, photos this alike are only similar scenes.
BURST_BITS = 80
BURST_SECONDS = 3.0
_ROWS_AT_ONCE = 1024


def photo_hash(gray: Image.Image) -> str:
    """The 256-bit perceptual hash (DCT, Zauner 2010) of a mode L picture, 64 hexadecimal digits."""
    return str(imagehash.phash(gray, hash_size=_HASH_SIDE))


def group_alike(hashes: Sequence[str], taken: Sequence[str]) -> list[int]:
    """For each photo the index of the first photo of its group (its own index where it is alone).

    Args:
        hashes: from ``photo_hash``.
        taken: times as ISO text, or "" where unknown.
    """
    leaders = list(range(len(hashes)))
    for first, second in _near_pairs(_words(hashes), _seconds(taken)):
        a, b = sorted((_leader(leaders, first), _leader(leaders, second)))
        leaders[b] = a
    return [_leader(leaders, index) for index in range(len(leaders))]


def _leader(leaders: list[int], index: int) -> int:
    while leaders[index] != index:
        leaders[index] = leaders[leaders[index]]
        index = leaders[index]
    return index


def _words(hashes: Sequence[str]) -> np.ndarray:
    """Hashes as ``(n, 4)`` uint64."""
    data = b"".join(bytes.fromhex(text) for text in hashes)
    return np.frombuffer(data, dtype=">u8").astype(np.uint64).reshape(len(hashes), HASH_BITS // 64)


def _seconds(taken: Sequence[str]) -> np.ndarray:
    """Times in seconds, ``(n,)`` float64, NaN where unknown."""
    return np.array([_naive_seconds(text) if text else np.nan for text in taken], dtype=np.float64)


def _naive_seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds()


def _near_pairs(words: np.ndarray, seconds: np.ndarray) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(words), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        # Only the photos from here on: each pair is met once.
        distance = np.zeros((len(words[rows]), len(words) - start), np.uint16)
        for column in range(words.shape[1]):
            distance += np.bitwise_count(words[rows, column, None] ^ words[None, start:, column])
        near = distance <= NEAR_BITS
        with np.errstate(invalid="ignore"):
            close = np.abs(seconds[rows, None] - seconds[None, start:]) <= BURST_SECONDS
        near |= close & (distance <= BURST_BITS)
        first, second = np.nonzero(np.triu(near, k=1))
        pairs += zip((first + start).tolist(), (second + start).tolist(), strict=True)
    return pairs
