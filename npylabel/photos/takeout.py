"""Google Takeout: times from JSON sidecars, edited copies, and the videos of Live Photos.

Facts of the format: the sidecar of ``name.jpg`` is ``name.jpg.json`` or ``name.jpg.supplemental-metadata.json``, cut
to about 46 characters before ``.json``; that of ``name(1).jpg`` is ``name.jpg(1).json`` or
``name.jpg.supplemental-metadata(1).json``.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from npylabel.base.classes import nfc

_SIDECAR_WORD = "supplemental-metadata"
_CUT_AT = 46
# Google translates the word; these are the ones seen in exports.
_EDITED = ("-edited", "-измененный", "-изменено", "-отредактировано", "-bearbeitet", "-modifié", "-editado",
           "-edytowane", "-bewerkt", "-modificato", "-編集済み")
_NUMBERED = re.compile(r"^(?P<stem>.*)(?P<number>\(\d+\))$")


def sidecar_key(media_name: str) -> str:
    """What identifies the sidecar of a photo: its name with the number behind the suffix, cut as Google cuts it."""
    stem, dot, suffix = media_name.rpartition(".")
    numbered = _NUMBERED.match(stem)
    name, number = (f"{numbered['stem']}{dot}{suffix}", numbered["number"]) if numbered else (media_name, "")
    return name[:_CUT_AT].rstrip(".") + number


def sidecar_target(json_name: str) -> str:
    """The key of the photo that a sidecar belongs to."""
    name = json_name.removesuffix(".json")
    numbered = _NUMBERED.match(name)
    name, number = (numbered["stem"], numbered["number"]) if numbered else (name, "")
    head, dot, tail = name.rpartition(".")
    if dot and head and _SIDECAR_WORD.startswith(tail):
        name = head
    # Where the cut falls right behind a dot, the sidecar's name ends in two of them.
    return name[:_CUT_AT].rstrip(".") + number


def sidecar_taken(text: bytes) -> str:
    """The time in a sidecar as "2026-07-14T10:15:02" (UTC), or ""."""
    try:
        seconds = int(json.loads(text)["photoTakenTime"]["timestamp"])
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return ""


def edited_original(stem: str) -> str:
    """The stem of the photo that an edited copy was made from, or "" for any other name."""
    numbered = _NUMBERED.match(stem)
    base, number = (numbered["stem"], numbered["number"]) if numbered else (stem, "")
    base = nfc(base)
    suffix = next((word for word in _EDITED if base.casefold().endswith(word)), "")
    return base[:-len(suffix)] + number if suffix else ""


def edited_copies(sources: Iterable[str]) -> dict[str, str]:
    """Those of the sources that are edited copies, with the source of the original that lies beside each.

    The original is used, not the edited copy: filters change the colors that a colorizer should learn.
    """
    sources = list(sources)
    by_stem = {nfc(source.rpartition(".")[0]).casefold(): source for source in sources}
    copies = {}
    for source in sources:
        folder, slash, name = source.rpartition("/")
        original = edited_original(name.rpartition(".")[0])
        beside = by_stem.get(nfc(f"{folder}{slash}{original}").casefold()) if original else None
        if beside:
            copies[source] = beside
    return copies
