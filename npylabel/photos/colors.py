"""From any of Pillow's modes and color profiles to 8-bit sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, ImageFile

_PROFILE_SPACE = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def to_rgb(
    image: Image.Image, profile: bytes | None, *, reduce_to_px: int = 0, keep_gray: bool = False,
) -> Image.Image:
    """The picture as RGB in sRGB; what was transparent is white.

    Args:
        image: loaded, any mode.
        profile: embedded ICC profile; a broken one, or one for another mode, is ignored.
        reduce_to_px: pictures whose shorter side is a multiple of this are averaged down first, which saves
            time and loses nothing as long as it is at least twice of what is needed. 0 keeps the size.
        keep_gray: a gray picture without a profile of its own comes back in mode L, a quarter of the memory.
    """
    image = _eight_bits(image)
    if image.has_transparency_data:
        image, profile = _over_white(image), _only_for("RGB", profile)
    elif image.mode not in _PROFILE_SPACE:
        image = _from_lab(image) if image.mode == "LAB" else image.convert("L" if image.mode == "1" else "RGB")
    factor = min(image.size) // reduce_to_px if reduce_to_px else 1
    if factor > 1:
        image = image.reduce(factor)
    mode = "L" if keep_gray and image.mode == "L" else "RGB"
    # Pillow copies what has the mode already, too: right for the picture of a file, which closes, and else a waste.
    is_ready = image.mode == mode and not isinstance(image, ImageFile.ImageFile)
    return _into_srgb(image, profile) or (image if is_ready else image.convert(mode))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pictures of 16-bit, 32-bit or floating point values, which Pillow would clip at 255."""
    if not image.mode.startswith("I") and image.mode != "F":
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = values.max(initial=0.0)
    full_scale = next((scale for scale in (1.0, 255.0, 65535.0) if top <= scale), top)
    if image.mode.startswith("I"):
        full_scale = 65535.0 if image.mode != "I" or top > 255 else 255.0
        full_scale = max(full_scale, top)
    return Image.fromarray((values.clip(0) * (255.0 / full_scale) + 0.5).astype(np.uint8))


def _over_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")
    return ImageCms.applyTransform(image, transform)


def _only_for(mode: str, profile: bytes | None) -> bytes | None:
    return profile if profile and profile[16:20] == _PROFILE_SPACE[mode].encode() else None


def _into_srgb(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    if image.mode not in _PROFILE_SPACE or not _only_for(image.mode, profile):
        return None
    transform = _transform(profile, image.mode)
    return ImageCms.applyTransform(image, transform) if transform else None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way to sRGB, or None where there is none to go or the profile is broken."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
