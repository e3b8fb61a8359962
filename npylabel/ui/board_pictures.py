"""The small pictures of a page, those of the next page made while a person looks at this one."""

import threading
from collections.abc import Sequence
from pathlib import Path

from npylabel.dataset.thumbnails import Thumbnails


class PagePictures:
    """Pictures of pages.

    Args:
        thumbnails: makes and keeps them.

    Attributes:
        making: the thread that makes the pictures that follow.
    """

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        # One page at a time is made, so that the processors do not make two of them slowly.
        self._lock = threading.Lock()
        self.making: threading.Thread | None = None

    def get(self, paths: Sequence[Path], following: Sequence[Path] = ()) -> list[bytes]:
        """The pictures of a page.

        Args:
            paths: of its photos.
            following: photos whose pictures are made meanwhile, to be there when they are asked for.
        """
        with self._lock:
            pictures = self._thumbnails.page(paths)
        if following and self._thumbnails.cache_dir:
            self.making = threading.Thread(target=self._make, args=[following], daemon=True)
            self.making.start()
        return pictures

    def _make(self, paths: Sequence[Path]) -> None:
        with self._lock:
            self._thumbnails.page(paths)
