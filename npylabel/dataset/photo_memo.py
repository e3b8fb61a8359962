"""What was found out about photos when they were last read, so that an unchanged one is not read again."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from npylabel.base.files import write_text
from npylabel.dataset.pixel_cache import decoders, pixel_folder
from npylabel.photos.sources import PhotoRef

# A file that changed so short a time before it was read may change again without that its time tells (file systems
# count in steps of up to two seconds): it is not remembered.
SETTLED_NS = 2 * 10**9
MAX_PHOTOS = 300_000


class PhotoMemo:
    """What is known of photos by their place, as long as size and time (or CRC, in a zip) are the same.

    A memo that is damaged, or that another process wrote over, costs time only: what it does not know is read.

    Args:
        kind: of what is remembered; texts that depend on the decoders are forgotten with these.
    """

    def __init__(self, kind: str) -> None:
        folder = pixel_folder()
        self._path = folder / f"{kind}-{decoders()}.json" if folder else None
        self._known = _read(self._path)

    def known(self, ref: PhotoRef) -> list[str] | None:
        """What is remembered of the photo, or None."""
        fingerprint, *facts = self._known.get(_place(ref), [""])
        return facts if fingerprint and fingerprint == ref.fingerprint else None

    def remember(self, refs: Sequence[PhotoRef], facts: Mapping[int, list[str]]) -> None:
        """Note what was found out.

        Args:
            refs: the photos.
            facts: by index of those that were read just now.
        """
        now = time.time_ns()
        new = {_place(refs[i]): [refs[i].fingerprint, *values] for i, values in facts.items()
               if _is_settled(refs[i], now)}
        if not new or not self._path:
            return
        # What others wrote in the meantime stays; the oldest entries are the first.
        known = {place: entry for place, entry in _read(self._path).items() if place not in new} | new
        with suppress(OSError):
            write_text(self._path, json.dumps(dict(list(known.items())[-MAX_PHOTOS:])))


def _place(ref: PhotoRef) -> str:
    return f"{ref.path.absolute()}|{'' if ref.member is None else ref.member}"


def _is_settled(ref: PhotoRef, now: int) -> bool:
    _size, _dash, mark = ref.fingerprint.partition("-")
    if ref.member is not None:
        return bool(mark)
    return mark.isdecimal() and now - int(mark) > SETTLED_NS


def _read(path: Path | None) -> dict[str, list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path else {}
        return {place: [str(value) for value in entry] for place, entry in content.items() if len(entry) > 1}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
