"""The corpus of ugly photos: what folders of real photos hold, and what has made decoders fail.

`UGLY` are all kinds, `WITH_CONTENT` those that can be decoded from their bytes alone, `GOOD` are the neighbors that
have to come through; `mutations` makes random ones.
"""

from tests.photos.ugly_damaged import DAMAGED
from tests.photos.ugly_files import FILES, GOOD
from tests.photos.ugly_formats import FORMATS
from tests.photos.ugly_kit import IGNORED, OK, CannotMakeError, UglyPhoto
from tests.photos.ugly_meta import META, TAKEN, TAKEN_KINDS
from tests.photos.ugly_mutations import GOOD_BYTES, mutations, rebuilt_pngs
from tests.photos.ugly_pngs import PNGS
from tests.photos.ugly_zips import ZIP_MEMBERS, write_cut_zip, write_zip

WITH_CONTENT: list[UglyPhoto] = [*DAMAGED, *FORMATS, *PNGS, *META]
UGLY: list[UglyPhoto] = [*WITH_CONTENT, *FILES]

__all__ = [
    "GOOD",
    "GOOD_BYTES",
    "IGNORED",
    "OK",
    "TAKEN",
    "TAKEN_KINDS",
    "UGLY",
    "WITH_CONTENT",
    "ZIP_MEMBERS",
    "CannotMakeError",
    "UglyPhoto",
    "mutations",
    "rebuilt_pngs",
    "write_cut_zip",
    "write_zip",
]
