"""Good small photos with a few bytes changed by chance: what a fuzzer finds first."""

from collections.abc import Iterator

import numpy as np

from tests.photos.ugly_kit import PNG_SIGNATURE, encode, flip, png_chunk, png_insert, scene

MAX_BYTES = 20


def good_png() -> bytes:
    """A PNG with a text chunk, so that mutations meet chunks with pixels and chunks without."""
    return png_insert(encode(scene("png", 96, 64), "PNG"), png_chunk(b"tEXt", b"Comment\0good"))


GOOD_BYTES = {
    "JPEG": lambda: encode(scene("jpeg", 96, 64), "JPEG", quality=90),
    "JPEG progressive": lambda: encode(scene("progressive", 96, 64), "JPEG", progressive=True),
    "PNG": good_png,
    "WEBP": lambda: encode(scene("webp", 96, 64), "WEBP", quality=90),
    "WEBP lossless": lambda: encode(scene("webp lossless", 96, 64), "WEBP", lossless=True),
    "GIF": lambda: encode(scene("gif", 96, 64), "GIF"),
    "TIFF": lambda: encode(scene("tiff", 96, 64), "TIFF", compression="tiff_lzw"),
    "BMP": lambda: encode(scene("bmp", 96, 64), "BMP"),
    "HEIF": lambda: encode(scene("heif", 96, 64), "HEIF"),
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with 1 to 20 neighboring bytes changed, zeroed, inserted or deleted.

    Half of the places are among the first 200 bytes: headers are short, and hold most of what can go wrong.
    """
    count = int(rng.integers(1, MAX_BYTES + 1))
    at = int(rng.integers(0, min(200, len(data)) if rng.random() < 0.5 else len(data)))
    noise = rng.integers(0, 256, count, dtype=np.uint8).tobytes()
    start, target, rest = data[:at], data[at : at + count], data[at + count :]
    how = rng.integers(0, 4)
    if how == 0:
        return start + bytes(a ^ b for a, b in zip(target, noise, strict=False)) + rest
    if how == 1:
        return start + bytes(len(target)) + rest
    if how == 2:
        return start + noise + target + rest
    return start + rest


def mutations(label: str, count: int, random_seed: int = 42) -> Iterator[bytes]:
    """`count` mutated copies of a good file, each unlike the original; the same ones for the same seed."""
    data = GOOD_BYTES[label]()
    rng = np.random.default_rng([random_seed, *label.encode()])
    made = 0
    while made < count:
        mutated = mutate(data, rng)
        if mutated != data:
            made += 1
            yield mutated


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Types and bodies of a good PNG's chunks."""
    chunks, position = [], len(PNG_SIGNATURE)
    while position < len(data):
        body_at = position + 8
        end = body_at + int.from_bytes(data[position : position + 4], "big")
        chunks.append((data[position + 4 : body_at], data[body_at:end]))
        position = end + 4
    return chunks


def rebuild(chunks: list[tuple[bytes, bytes]], rng: np.random.Generator) -> bytes:
    """A PNG with one chunk changed, cut, lost, doubled or moved, and every checksum right again."""
    chunks = list(chunks)
    index, how = int(rng.integers(len(chunks))), rng.integers(0, 7)
    chunk_type, body = chunks.pop(index)
    if how < 3 and body:
        at = int(rng.integers(min(64, len(body))))
        chunks.insert(index, (chunk_type, flip(body, at, int(rng.integers(1, 256)))))
    elif how == 3:
        chunks.insert(index, (chunk_type, body[: int(rng.integers(len(body) + 1))]))
    elif how == 4:
        chunks[index:index] = [(chunk_type, body)] * 2
    elif how == 5:
        chunks.insert(int(rng.integers(len(chunks) + 1)), (chunk_type, body))
    return PNG_SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)


def rebuilt_pngs(data: bytes, count: int, random_seed: int = 42) -> Iterator[bytes]:
    """`count` copies of a good PNG with right checksums and wrong content, as a faulty program writes them."""
    rng = np.random.default_rng(random_seed)
    chunks = png_chunks(data)
    return (rebuild(chunks, rng) for _ in range(count))
