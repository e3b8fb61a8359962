"""The groups of photos that show nearly the same, by name."""

from collections import Counter
from collections.abc import Sequence

from npylabel.photos.likeness import group_alike
from npylabel.photos.manifest import PhotoRow


def name_groups(rows: Sequence[PhotoRow]) -> None:
    """Give the photos that show nearly the same the name of the first of them, in the order of the rows."""
    # Tables of older versions have rows without a hash: such a photo is alone.
    hashed = [row for row in rows if row.phash]
    leaders = group_alike([row.phash for row in hashed], [row.taken for row in hashed])
    sizes = Counter(leaders)
    for row in rows:
        row.group = ""
    for row, leader in zip(hashed, leaders, strict=True):
        row.group = hashed[leader].name if sizes[leader] > 1 else ""
