"""Ugly photos that the file system makes: odd names, links, folders, pipes, permissions, doubles."""

import os
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import ImageEnhance

from tests.photos.ugly_kit import (
    IGNORED,
    OK,
    CannotMakeError,
    UglyPhoto,
    all_corners,
    encode,
    jpeg,
    kind,
    png,
    scene,
    scene_bytes,
)

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def oddity(name: str, make: Callable[[Path], object], *expect: str) -> UglyPhoto:
    """A kind that its bytes don't make: `make` puts it at a path."""

    def make_in(folder: Path) -> Path:
        path = folder / name
        try:
            make(path)
        except (OSError, NotImplementedError, AttributeError) as error:
            raise CannotMakeError(f"{name}: {error}") from error
        return path

    return UglyPhoto(name, make_in, frozenset(expect), has_content=False)


def named(name: str, *expect: str, encoded: bytes | None = None, seed: str = "") -> UglyPhoto:
    """A good photo under an odd name."""
    build = partial(scene_bytes, file_format="PNG") if name.lower().endswith(".png") else jpeg
    source = kind(name, lambda _: build(seed or name), encoded=encoded)
    encoded_name = encoded or os.fsencode(name)

    def make(folder: Path) -> Path:
        path = folder / os.fsdecode(encoded_name)
        if path.exists():
            raise CannotMakeError(f"{name!r}: this file system takes the name for another's")
        try:
            return source.make(folder)
        except (OSError, ValueError) as error:
            raise CannotMakeError(f"{name!r}: {error}") from error

    return UglyPhoto(name, make, frozenset(expect or (OK,)), has_content=False)


def outside(path: Path) -> Path:
    """A good photo that lies beside the folder of ugly ones."""
    target = path.parent.parent / "outside" / f"target of {path.name}"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(jpeg(path.name))
    return target


def link_to_folder(path: Path) -> None:
    """A link to an empty folder elsewhere, with the name of a photo."""
    target = path.parent.parent / "empty folder"
    target.mkdir(exist_ok=True)
    path.symlink_to(target, target_is_directory=True)


def unreadable(path: Path) -> None:
    """A good photo that its owner may not read."""
    path.write_bytes(jpeg(path.name))
    path.chmod(0)


def edited(path: Path) -> None:
    """A slightly brighter, smaller, recompressed copy of the photo in twin_a.jpg."""
    copy = ImageEnhance.Brightness(scene("twin")).enhance(1.04).resize((144, 101))
    path.write_bytes(encode(copy, "JPEG", quality=80))


def link_to_own_folder(path: Path) -> None:
    """A link that makes a careless walk endless."""
    path.symlink_to(path.parent, target_is_directory=True)


def system_file(data: bytes, path: Path) -> None:
    """A file that the system or another program left."""
    path.write_bytes(data)


LONG_STEM = "ж" * 122
PLACES = [
    oddity("unreadable.jpg", unreadable, *(("ok", "unreadable") if AS_ROOT else ("unreadable",))),
    oddity("folder.jpg", Path.mkdir, "not_a_file"),
    oddity("pipe.jpg", lambda path: os.mkfifo(path), "not_a_file"),
    oddity("device.jpg", lambda path: path.symlink_to("/dev/null"), "not_a_file"),
    oddity("link_dangling.jpg", lambda path: path.symlink_to("no such photo.jpg"), "dangling_link"),
    oddity("link_good.jpg", lambda path: path.symlink_to(outside(path)), OK),
    oddity(
        "link_to_link.jpg",
        lambda path: path.symlink_to("link_to_itself.jpg"),
        "dangling_link",
        "unreadable",
        "not_a_file",
    ),
    oddity("link_to_itself.jpg", lambda path: path.symlink_to(path.name), "dangling_link", "unreadable", "not_a_file"),
    oddity("link_to_folder.jpg", link_to_folder, "not_a_file"),
    oddity("link_to_own_folder", link_to_own_folder, IGNORED),
]

LEFT_BEHIND = [
    oddity(".DS_Store", partial(system_file, b"\0\0\0\1Bud1"), IGNORED),
    oddity("Thumbs.db", partial(system_file, b"\xd0\xcf\x11\xe0"), IGNORED),
    oddity("._IMG_0001.jpg", partial(system_file, b"\0\x05\x16\x07\0\2\0\0Mac OS X"), IGNORED),
    oddity(".IMG_0002.jpg.icloud", partial(system_file, b"bplist00"), IGNORED),
    oddity("notes.txt", partial(system_file, "заметки".encode()), IGNORED, "not_an_image", "unsupported_format"),
    oddity("IMG_0003.jpg.part", partial(system_file, b"\xff\xd8\xff\xe0"), IGNORED, "truncated"),
]

NAMES = [
    named("line\nbreak.jpg"),
    named("tab\tand bell\a.jpg"),
    named("emoji \U0001f469\u200d\U0001f469\u200d\U0001f467.jpg"),
    named(f"{LONG_STEM}1.jpg"),
    named(f"{LONG_STEM}2.jpg"),
    named("-rf.jpg"),
    named("--help.png"),
    named(".hidden.jpg", IGNORED),
    named("space at the end .jpg"),
    named("space behind the suffix.jpg ", OK, IGNORED),
    named(" space at the start.jpg"),
    named("""quotes " and ', comma; semicolon.jpg"""),
    named("=1+1.jpg"),
    named("percent %s %n {0} $HOME.jpg"),
    named("back\\slash.jpg"),
    named("colon:star*question?.jpg"),
    named("dots..jpg"),
    named("two.suffixes.png.jpg"),
    named("right-to-left \u202egpj.jpg"),
    named("zero\u200bwidth.jpg"),
    named("broken utf-8.jpg", encoded=b"broken \xff\xfe utf-8.jpg"),
    named("cp1251.jpg", encoded="фото в cp1251".encode("cp1251") + b".jpg"),
    named(unicodedata.normalize("NFC", "звёзды й.jpg"), seed="composed"),
    named(unicodedata.normalize("NFD", "звёзды й.jpg"), seed="decomposed"),
    named("CASE.jpg"),
    named("case.jpg"),
    named("Case.JPG"),
    named("STRASSE.jpg"),
    named("straße.jpg"),
    named("CON.jpg"),
    named("nul.png"),
    named("com1.extra.jpg"),
    named("my bw photo.jpg"),
    named("bw.jpg"),
    named("color.png"),
    named("manifest.csv.jpg"),
    named("same stem.jpg"),
    named("same stem.png"),
    named("same stem.jpeg"),
    named("same stem_2.jpg"),
    named("no suffix", OK, IGNORED, "unsupported_format"),
]

TWINS = [
    named("twin_a.jpg", OK, "exact_duplicate", "edited_copy", seed="twin"),
    named("twin_b.jpg", OK, "exact_duplicate", "edited_copy", seed="twin"),
    oddity("twin_edited.jpg", edited, OK, "edited_copy"),
]

FILES: list[UglyPhoto] = [*PLACES, *LEFT_BEHIND, *NAMES, *TWINS]

GOOD: list[UglyPhoto] = [
    kind("good_1.jpg", jpeg, OK, check=all_corners),
    kind("good_2.jpg", partial(jpeg, progressive=True), OK, check=all_corners),
    kind("good_3.png", png, OK, check=all_corners),
    kind("good_4.webp", partial(scene_bytes, file_format="WEBP", lossless=True), OK, check=all_corners),
    kind("good_5.jpg", lambda name: encode(scene(name, 640, 480), "JPEG"), OK),
    kind("good_6.jpg", lambda name: encode(scene(name, 300, 600), "JPEG"), OK),
]
