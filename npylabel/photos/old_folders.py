"""Where the old photos to color are: the user's folders, or drawn ones for the demo."""

from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.places import Places
from npylabel.photos.sources import split_sources

# Where they are looked for, below the work folder.
OLD_PHOTOS = "old_photos"


def are_drawn(places: Places, input_dir: str) -> bool:
    """Whether the old photos are those of the demo, which are drawn."""
    return places.is_demo and split_sources(input_dir) == [OLD_PHOTOS]


def old_photo_sources(places: Places, input_dir: str) -> list[Path]:
    """The folders and zips that a text names.

    Args:
        places: of the step.
        input_dir: names separated by semicolons.

    Raises:
        NpyLabelError: ``photos_missing`` for the first that is not there, ``mixed_worlds`` for the user's own beside
            the demo.
    """
    named = {name: places.source(name) for name in split_sources(input_dir)}
    if missing := [name for name, path in named.items() if not path.exists()]:
        # On Drive, where the user can reach them, and not on the disk of a machine that will be gone.
        wanted = (places.save_dir or places.work_dir) / Path(missing[0]).expanduser()
        raise NpyLabelError(
            "photos_missing",
            _("There is no folder or zip {path} with photos to color.").format(path=wanted),
            _("Put the old photos there, or set input_dir to where they are; empty, it colors nothing."))
    sources = list(named.values())
    drawn = places.work_dir.resolve()
    if places.is_demo and (own := [path for path in sources if not path.resolve().is_relative_to(drawn)]):
        raise NpyLabelError(
            "mixed_worlds",
            _("{path} holds your own photos, and the colorizer that is here has learned from the drawn demo "
              "photos.").format(path=own[0]),
            _("Train one on your own photos: notebooks 01 to 06 with your photos_dir and source_dir."))
    return sources
