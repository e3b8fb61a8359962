"""How photos are fitted."""

from dataclasses import dataclass

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.photos.fit import FITS, IMAGE_FORMATS


@dataclass(frozen=True)
class PictureSettings:
    """How photos are fitted: side in pixels, "crop", "pad" or "stretch", and "png" or "jpg".

    Raises:
        NpyLabelError: ``bad_parameter`` for a value that has no meaning.
    """

    size_px: int = 512
    fit: str = "crop"
    image_format: str = "png"

    def __post_init__(self) -> None:
        for name, value, allowed in (("fit", self.fit, FITS), ("image_format", self.image_format, IMAGE_FORMATS)):
            if value not in allowed:
                raise NpyLabelError(
                    "bad_parameter", _("{name} is {value!r}.").format(name=name, value=value),
                    _("Use one of: {allowed}.").format(allowed=", ".join(allowed)))
        if not 32 <= self.size_px <= 4096:
            raise NpyLabelError(
                "bad_parameter", _("{name} is {value!r}.").format(name="size_px", value=self.size_px),
                _("Use a number from 32 to 4096; TintoraAI wants 512."))

    def __str__(self) -> str:
        return f"{self.size_px} {self.fit} {self.image_format}"
