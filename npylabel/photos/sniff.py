"""What a file is, by its first bytes."""

# File types that Pillow may open here (its JPEG reader opens MPO too); EPS would start Ghostscript.
PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "HEIF", "AVIF")
HEAD_BYTES = 64
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)
_OTHER_PICTURES = (b"8BPS", b"\0\0\0\x0cjP  ", b"\xff\x0a", b"\0\0\0\x0cJXL ", b"%!PS", b"FUJIFILM", b"\0\0\1\0")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def sniff(head: bytes) -> str:
    """The format by the first 64 bytes: a Pillow name, "OTHER" for a picture that is not read, or "" for no picture."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _of_brand(head)
    if head[:2] in (b"II", b"MM") and head[8:10] == b"CR":
        return "OTHER"  # Canon raw looks like TIFF and would give its thumbnail.
    if b"<svg" in head.lower() or head.startswith(_OTHER_PICTURES):
        return "OTHER"
    if head[:2] == b"BM" and head[6:10] != b"\0\0\0\0":
        return ""  # Two letters alone begin many text files; the reserved fields of a bitmap are zero.
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def _of_brand(head: bytes) -> str:
    brands = {head[8:12], *(head[i:i + 4] for i in range(16, HEAD_BYTES, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    if head[8:12] in _HEIF_BRANDS or (head[8:12] == b"mif1" and brands & _HEIF_BRANDS):
        return "HEIF"
    return "OTHER" if head[8:12] == b"crx " else ""
