"""Which photos show the same: copies of all kinds and bursts do, other pictures do not."""

import io
import random
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance

from npylabel.photos import likeness
from npylabel.photos.fit import fit_square
from npylabel.photos.likeness import BURST_BITS, HASH_BITS, NEAR_BITS, group_alike, photo_hash
from tests.photos.pictures import jpeg_bytes, texture

PICTURES = [texture(number, 300, 200) for number in range(25)]


def saved_again(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(jpeg_bytes(image, quality=50))).convert("RGB")


def cropped(image: Image.Image) -> Image.Image:
    """2 % less of the width and the height."""
    x, y = image.width // 100, image.height // 100
    return image.crop((x, y, image.width - x, image.height - y))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again": saved_again,
    "half as large": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "twice as large": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC),
    "cropped": cropped,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "all of it": lambda image: saved_again(ImageEnhance.Brightness(cropped(image)).enhance(0.9)),
}


def hash_of(image: Image.Image) -> str:
    return photo_hash(fit_square(image, 128, "crop").convert("L"))


def flipped(value: int, bits: int, rng: random.Random) -> str:
    """A hash that differs in exactly so many bits."""
    for position in rng.sample(range(HASH_BITS), bits):
        value ^= 1 << position
    return f"{value:064x}"


def partition(leaders: list[int], names: list[int]) -> set[frozenset[int]]:
    """The groups as sets of names, whoever leads them."""
    groups: dict[int, set[int]] = {}
    for leader, name in zip(leaders, names, strict=True):
        groups.setdefault(leader, set()).add(name)
    return {frozenset(group) for group in groups.values()}


def test_a_hash_is_64_hexadecimal_digits() -> None:
    text = hash_of(PICTURES[0])
    assert len(text) == 64 and int(text, 16) > 0


@pytest.mark.parametrize("kind", COPIES)
def test_copies_belong_to_their_picture_and_to_no_other(kind: str) -> None:
    hashes = [hash_of(image) for image in PICTURES] + [hash_of(COPIES[kind](image)) for image in PICTURES]
    count = len(PICTURES)
    assert group_alike(hashes, [""] * (2 * count)) == [*range(count), *range(count)]


def test_the_limit_of_bits_is_kept() -> None:
    rng = random.Random(0)
    value = rng.getrandbits(HASH_BITS)
    base = f"{value:064x}"
    assert group_alike([base, flipped(value, NEAR_BITS, rng)], ["", ""]) == [0, 0]
    assert group_alike([base, flipped(value, NEAR_BITS + 1, rng)], ["", ""]) == [0, 1]


@pytest.mark.parametrize(("first", "second", "bits", "together"), [
    ("2026-07-14T10:15:02", "2026-07-14T10:15:05", BURST_BITS, True),
    ("2026-07-14T10:15:05", "2026-07-14T10:15:02", BURST_BITS, True),
    ("2026-07-14T10:15:02", "2026-07-14T10:15:06", BURST_BITS, False),
    ("2026-07-14T10:15:02", "2026-07-14T10:15:02", BURST_BITS + 1, False),
    ("2026-07-14T10:15:02", "", BURST_BITS, False),
    ("", "", BURST_BITS, False),
    ("2026-12-31T23:59:59", "2027-01-01T00:00:01", BURST_BITS, True),
    ("2020-01-01T00:00:00", "2026-01-01T00:00:00", NEAR_BITS, True),
])
def test_frames_close_in_time_may_differ_more(first: str, second: str, bits: int, together: bool) -> None:
    rng = random.Random(bits)
    value = rng.getrandbits(HASH_BITS)
    leaders = group_alike([f"{value:064x}", flipped(value, bits, rng)], [first, second])
    assert leaders == ([0, 0] if together else [0, 1])


def test_likeness_goes_from_photo_to_photo() -> None:
    rng = random.Random(5)
    value = rng.getrandbits(HASH_BITS)
    chain = [f"{value ^ ((1 << 30 * step) - 1):064x}" for step in range(4)]
    assert group_alike([chain[3], chain[0], chain[2], f"{rng.getrandbits(HASH_BITS):064x}", chain[1]], [""] * 5) == [
        0, 0, 0, 3, 0]


def clusters(random_seed: int) -> tuple[list[str], list[str]]:
    """Hashes of 30 pictures with up to 6 copies each, some of them in bursts."""
    rng = random.Random(random_seed)
    hashes, taken = [], []
    for number in range(30):
        value = rng.getrandbits(HASH_BITS)
        for _ in range(rng.randrange(1, 7)):
            hashes.append(flipped(value, rng.randrange(0, 45), rng))
            taken.append(rng.choice(["", f"2026-07-14T10:{number:02d}:{rng.randrange(10):02d}"]))
    return hashes, taken


def test_the_order_changes_only_who_leads() -> None:
    hashes, taken = clusters(1)
    names = list(range(len(hashes)))
    expected = partition(group_alike(hashes, taken), names)
    assert 30 < len(expected) < len(hashes)
    for random_seed in range(5):
        random.Random(random_seed).shuffle(names)
        leaders = group_alike([hashes[name] for name in names], [taken[name] for name in names])
        assert partition(leaders, names) == expected
        assert all(leader <= index for index, leader in enumerate(leaders))


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_many_photos_are_compared_in_blocks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes, taken = clusters(2)
    at_once = group_alike(hashes, taken)
    monkeypatch.setattr(likeness, "_ROWS_AT_ONCE", rows)
    assert group_alike(hashes, taken) == at_once


def test_nothing_and_one_photo_have_no_groups() -> None:
    assert group_alike([], []) == []
    assert group_alike(["0" * 64], [""]) == [0]
