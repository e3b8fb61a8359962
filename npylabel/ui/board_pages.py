"""The pages of a board: photos keep their places while they are decided, so that nothing jumps under the finger."""

from collections.abc import Sequence

from npylabel.dataset.desk import OPEN, SKIPPED, Desk, kind_of
from npylabel.dataset.desk_photos import DeskPhoto

# Photos of these kinds ask for something; a page of them is done when none is left.
_TO_DO = (OPEN, SKIPPED)


class Pages:
    """What is shown of a desk, page by page.

    The photos are chosen when a filter is set. One that is decided then stays where it is, until the filter is set
    anew or all pages are done.

    Args:
        desk: the photos and what is decided.
        size: photos of a page.
        which: kind of the photos at first.

    Attributes:
        which: kind of the photos, a filter of the desk.
        class_name: of the photos, "" for all classes.
        number: of the page, counted from 0.
    """

    def __init__(self, desk: Desk, size: int, which: str = OPEN) -> None:
        self.desk, self.size = desk, size
        self.which, self.class_name, self.number = which, "", 0
        self._photos: list[DeskPhoto] = []
        self.choose(which)

    @property
    def count(self) -> int:
        """The number of pages, 1 at least."""
        return max(1, -(-len(self._photos) // self.size))

    @property
    def photos(self) -> Sequence[DeskPhoto]:
        """Those of the page."""
        return self._page(self.number)

    @property
    def following(self) -> Sequence[DeskPhoto]:
        """Those of the next page."""
        return self._page(self.number + 1)

    @property
    def chosen(self) -> Sequence[DeskPhoto]:
        """Those of all pages."""
        return self._photos

    @property
    def to_do(self) -> list[DeskPhoto]:
        """Those of the page that ask for a decision."""
        return self._to_do(self.number)

    def choose(self, which: str, class_name: str = "") -> None:
        """Show photos of another kind or class from their first page on."""
        self.which, self.class_name = which, class_name
        self._photos, self.number = self.desk.shown(which, class_name), 0

    def turn(self, step: int) -> None:
        """Show another page, so many pages further on; not beyond the ends."""
        self.number = min(max(self.number + step, 0), self.count - 1)

    def go_on(self) -> bool:
        """Whether the page was done, so that another one is shown: the next one that is not, or those that are left."""
        if self.which not in _TO_DO or self.to_do:
            return False
        later = [*range(self.number + 1, self.count), *range(self.number)]
        number = next((number for number in later if self._to_do(number)), None)
        if number is None:
            self.choose(self.which, self.class_name)
        else:
            self.number = number
        return True

    def go_to(self, photos: Sequence[DeskPhoto]) -> bool:
        """Whether these photos are not on this page and another one that has one of them is shown now."""
        wanted = {photo.sha256 for photo in photos}
        places = [place // self.size for place, photo in enumerate(self._photos) if photo.sha256 in wanted]
        if not places or self.number in places:
            return False
        self.number = places[0]
        return True

    def _page(self, number: int) -> Sequence[DeskPhoto]:
        return self._photos[number * self.size:(number + 1) * self.size]

    def _to_do(self, number: int) -> list[DeskPhoto]:
        return [photo for photo in self._page(number) if kind_of(self.desk.state_of(photo)) == self.which]
