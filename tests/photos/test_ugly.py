"""Decoding and collecting of damaged and odd photos: an exact reason or the right pixels, never a surprise."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from npylabel.photos.decode import Decoded, PhotoError, decode_photo
from npylabel.photos.reasons import describe
from tests.photos.no_hang import no_hang
from tests.photos.ugly import GOOD_BYTES, OK, TAKEN, TAKEN_KINDS, WITH_CONTENT, UglyPhoto, mutations, rebuilt_pngs

MUTATIONS_PER_FORMAT = 40
HANG_SECONDS = 20
REBUILT = (
    "png_palette_transparent.png",
    "png_color_key.png",
    "png_interlaced.png",
    "png_animated.png",
    "png_rgba_16_bit.png",
    "png_ancillary_chunks.png",
    "icc_swapped.png",
)
CUT_AT = (0.25, 0.5, 0.7, 0.9, 0.97)


@pytest.fixture(autouse=True)
def limited_time() -> Iterator[None]:
    with no_hang(HANG_SECONDS):
        yield


def decode(data: bytes) -> tuple[str, Decoded | None]:
    """The outcome, and what was decoded when it is "ok"."""
    try:
        return OK, decode_photo(data)
    except PhotoError as error:
        return error.code, None


def assert_listed(outcome: str, what: str) -> None:
    """Asserts that the outcome is "ok" or a code of the closed list, with words for the user."""
    try:
        assert outcome == OK or describe(outcome), what
    except KeyError:
        pytest.fail(f"{what}: {outcome!r} is not in the list of reasons")


def assert_whole(decoded: Decoded) -> None:
    """Asserts what holds for every decoded photo."""
    image = decoded.image
    assert isinstance(image, Image.Image) and image.mode == "RGB"
    assert decoded.width >= 32 and decoded.height >= 32
    assert 1 <= image.width <= decoded.width and 1 <= image.height <= decoded.height
    assert abs(image.width / image.height / (decoded.width / decoded.height) - 1) < 0.05, "turned, or not scaled alike"
    assert len(image.tobytes()) == image.width * image.height * 3
    assert decoded.taken == "" or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", decoded.taken)
    assert not decoded.taken or datetime.fromisoformat(decoded.taken)


@pytest.mark.parametrize("photo", WITH_CONTENT, ids=lambda photo: photo.name)
def test_decode_gives_an_expected_outcome(photo: UglyPhoto, tmp_path: Path) -> None:
    outcome, decoded = decode(photo.make(tmp_path).read_bytes())
    assert outcome in photo.expect
    if decoded:
        assert_whole(decoded)
        if photo.check:
            photo.check(decoded.image)


@pytest.mark.parametrize("photo", TAKEN_KINDS, ids=lambda photo: photo.name)
def test_decode_reads_when_it_was_taken(photo: UglyPhoto, tmp_path: Path) -> None:
    assert decode_photo(photo.make(tmp_path).read_bytes()).taken == TAKEN


@pytest.mark.parametrize("label", GOOD_BYTES)
def test_good_photos_of_the_mutations_decode(label: str) -> None:
    outcome, decoded = decode(GOOD_BYTES[label]())
    assert outcome == OK and (decoded.width, decoded.height) == (96, 64)


@pytest.mark.parametrize("label", GOOD_BYTES)
def test_mutated_photos_decode_or_have_a_reason(label: str) -> None:
    for index, data in enumerate(mutations(label, MUTATIONS_PER_FORMAT)):
        outcome, decoded = decode(data)
        assert_listed(outcome, f"mutation {index}")
        if decoded:
            assert_whole(decoded)


def test_a_mutated_png_never_decodes_to_other_pixels() -> None:
    pixels = decode_photo(GOOD_BYTES["PNG"]()).image.tobytes()
    for index, data in enumerate(mutations("PNG", 4 * MUTATIONS_PER_FORMAT, random_seed=7)):
        _, decoded = decode(data)
        assert decoded is None or decoded.image.tobytes() == pixels, f"mutation {index}"


@pytest.mark.parametrize("name", REBUILT)
def test_png_with_wrong_content_and_right_checksums_decodes_or_has_a_reason(name: str, tmp_path: Path) -> None:
    photo = next(photo for photo in WITH_CONTENT if photo.name == name)
    for index, data in enumerate(rebuilt_pngs(photo.make(tmp_path).read_bytes(), 3 * MUTATIONS_PER_FORMAT)):
        outcome, decoded = decode(data)
        assert_listed(outcome, f"copy {index}")
        if decoded:
            assert_whole(decoded)


@pytest.mark.parametrize("fraction", CUT_AT)
@pytest.mark.parametrize("label", GOOD_BYTES)
def test_a_cut_photo_is_never_taken(label: str, fraction: float) -> None:
    data = GOOD_BYTES[label]()
    outcome, _ = decode(data[: int(len(data) * fraction)])
    assert outcome in ("truncated", "damaged")


@pytest.mark.parametrize("label", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF"])
def test_bytes_behind_the_end_change_nothing(label: str) -> None:
    data = GOOD_BYTES[label]()
    assert decode_photo(data + b"\0\xff\xd8 garbage" * 50).image.tobytes() == decode_photo(data).image.tobytes()
