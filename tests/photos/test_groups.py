"""Groups carry the name of their first photo, in the order of the rows."""

from npylabel.photos.groups import name_groups
from npylabel.photos.manifest import PhotoRow

ALIKE, OTHER = "0" * 64, "f" * 64


def groups(*rows: PhotoRow) -> list[str]:
    name_groups(rows)
    return [row.group for row in rows]


def test_alike_photos_have_the_name_of_the_first_and_single_ones_none() -> None:
    rows = [PhotoRow("b", "1", phash=ALIKE), PhotoRow("x", "2", phash=OTHER), PhotoRow("a", "3", phash=ALIKE)]
    assert groups(*rows) == ["b", "", "b"]
    assert groups(*rows[1:]) == ["", ""], "what was the group before does not stay"


def test_a_photo_without_a_hash_is_alone() -> None:
    rows = [PhotoRow("old", "0", group="gone"), PhotoRow("b", "1", phash=ALIKE), PhotoRow("a", "3", phash=ALIKE)]
    assert groups(*rows) == ["", "b", "b"]
    assert groups() == []
