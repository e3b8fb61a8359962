"""File names that every program, file system and loader takes."""

import unicodedata

_MAX_BYTES = 120
_ALLOWED = frozenset("-_ ()+,&")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{i}" for kind in ("com", "lpt") for i in range(1, 10))}


def safe_stem(stem: str) -> str:
    """A file name without suffix, in NFC, made of letters, digits and ``-_ ()+,&``.

    ``bw`` becomes ``b-w``: TintoraAI finds the color file by replacing "bw" in the whole path.
    Dots become underscores for the same reason (".jpg" is replaced too).
    """
    text = unicodedata.normalize("NFC", stem)
    text = "".join(letter if letter.isalnum() or letter in _ALLOWED else "_" for letter in text).strip(" _")
    text = text.replace("bw", "b-w")
    while len(text.encode()) > _MAX_BYTES:
        text = text[:-1]
    if not text or text.casefold() in _RESERVED or text[0] == "-":
        text = f"photo_{text}".rstrip("_ ")
    return text.rstrip()


class NamePool:
    """Names that are unique even where upper and lower case are the same, as on macOS and Windows."""

    def __init__(self, taken: list[str]) -> None:
        self._taken = {name.casefold() for name in taken}
        self._last: dict[str, int] = {}

    def give(self, stem: str, folder: str = "") -> str:
        """A free name for the stem: itself, else with ``_2``, ``_3``... behind it; ``folder/`` stands before it."""
        base = f"{folder}/{safe_stem(stem)}" if folder else safe_stem(stem)
        # Scanners name thousands of photos alike: go on counting where the last one stopped.
        name, number = base, self._last.get(base, 1)
        while name.casefold() in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._last[base] = number
        self._taken.add(name.casefold())
        return name
