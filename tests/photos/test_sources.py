"""Which photos there are: in folders, zips and exports, whatever lies between them."""

import io
import os
import random
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.photos import sources as listed
from npylabel.photos.sources import Listing, PhotoRef, is_hidden, list_photos, split_sources
from tests.photos.no_hang import no_hang
from tests.photos.zip_kit import write_zip

JPEG_HEAD = b"\xff\xd8\xff\xe0" + bytes(60)


def lay(folder: Path, *names: str, content: bytes = JPEG_HEAD) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def sources(listing: Listing) -> list[str]:
    return [ref.source for ref in listing.refs]


def test_a_suffix_counts_in_any_case_and_folders_at_any_depth(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "a.jpg", "b.JPG", "c.JpEg", "x/y/z/d.HEIC", "x/e.Png", "x/f.WEBP")
    assert sources(list_photos([root])) == [
        "root/a.jpg", "root/b.JPG", "root/c.JpEg", "root/x/e.Png", "root/x/f.WEBP", "root/x/y/z/d.HEIC"]


def test_photos_are_found_by_content_and_other_files_counted(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "IMG_0001", "photo.dat", "backup.jpg_original")
    lay(root, "notes.txt", "movie.mp4", "clip.MP4", "none", "claims.jpg", content=b"some words")
    listing = list_photos([root])
    assert sources(listing) == ["root/IMG_0001", "root/backup.jpg_original", "root/claims.jpg", "root/photo.dat"]
    assert listing.others_text() == "- 1, .mp4 2, .txt 1"


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "._a.jpg", ".hidden.jpg",
                                  "__MACOSX/a.jpg", "__MACOSX/._a.jpg", ".ipynb_checkpoints/a.jpg", "@eaDir/a.jpg",
                                  "x/.trash/y/a.jpg", "$RECYCLE.BIN/a.jpg"])
def test_hidden_and_system_entries_are_as_if_not_there(tmp_path: Path, name: str) -> None:
    root = lay(tmp_path / "root", "a.jpg", name)
    write_zip(root / "b.zip", {"a.jpg": JPEG_HEAD, f"deep/{name}": JPEG_HEAD})
    listing = list_photos([root])
    assert sources(listing) == ["root/a.jpg", "root/b.zip!/a.jpg"]
    assert listing.others == []


def test_usual_names_are_not_hidden() -> None:
    assert not any(is_hidden(name) for name in ("a.jpg", "_x", "macosx", "thumbs", "лес", "~x", "$x"))


def test_zips_are_read_as_folders_and_as_roots(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.jpg", JPEG_HEAD)
    members = {"s/a.jpg": b"first", "b.JPG": b"second", "IMG_1": JPEG_HEAD, "n.txt": b"x", "in.zip": inner.getvalue()}
    path = write_zip(tmp_path / "root" / "trip.ZIP", members)
    for root, label in ((tmp_path / "root", "root/trip.ZIP"), (path, "trip.ZIP")):
        listing = list_photos([root])
        assert sources(listing) == [f"{label}!/IMG_1", f"{label}!/b.JPG", f"{label}!/s/a.jpg"]
        assert [ref.read() for ref in listing.refs] == [JPEG_HEAD, b"second", b"first"]
        assert listing.refs[2].read(3) == b"fir"
        assert listing.others_text() == ".txt 1, .zip 1"


def test_a_zip_that_cannot_be_read_is_listed(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "a.jpg")
    lay(root, "b.zip", content=b"PK\3\4 cut")
    assert [(ref.source, ref.code) for ref in list_photos([root]).refs] == [
        ("root/a.jpg", ""), ("root/b.zip", "broken_archive")]


def test_two_members_of_one_name_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.jpg", b"old")
        archive.writestr("a.jpg", b"new")
    counts = Counter(sources(list_photos([path])))
    assert max(counts.values()) == 1, "each source stands for one photo"


def test_several_roots_are_listed_together(tmp_path: Path) -> None:
    one, two = lay(tmp_path / "one", "a.jpg"), lay(tmp_path / "two", "a.jpg")
    archive = write_zip(tmp_path / "c.zip", {"a.jpg": JPEG_HEAD})
    assert sources(list_photos([two, one, archive, one / "a.jpg"])) == [
        "a.jpg", "c.zip!/a.jpg", "one/a.jpg", "two/a.jpg"]


def test_roots_of_one_name_stay_apart(tmp_path: Path) -> None:
    roots = [lay(tmp_path / name, f"{index}.jpg") for index, name in enumerate(("a/x", "b/x", "c/x", "d/x~3"))]
    for order in (roots, roots[::-1]):
        found = sources(list_photos(order))
        assert len({source.rpartition("/")[0] for source in found}) == 4, found


def test_sources_do_not_change_when_the_root_is_moved_or_written_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lay(tmp_path / "a" / "root", "x/a.jpg")
    before = list_photos([root]).refs
    monkeypatch.chdir(root)
    assert sources(list_photos([Path()])) == sources(list_photos([Path("../root")])) == ["root/x/a.jpg"]
    moved = root.rename(tmp_path / "root")
    after = list_photos([moved]).refs
    assert [(ref.source, ref.fingerprint) for ref in after] == [(ref.source, ref.fingerprint) for ref in before]


@pytest.mark.parametrize("order", [reversed, lambda names: random.Random(3).sample(names, len(names))])
def test_the_order_of_the_file_system_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Callable[[list[str]], object]
) -> None:
    root = lay(tmp_path / "root", *(f"{folder}/{number}.jpg" for folder in "abc" for number in range(12)), "z.txt")
    plain, scandir = list_photos([root]), os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: list(order(sorted(scandir(path), key=lambda entry: entry.name))))
    assert list_photos([root]) == plain


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "x/a.jpg", "b.jpg")
    (root / "x" / "up").symlink_to(root, target_is_directory=True)
    (root / "x" / "self").symlink_to(root / "x", target_is_directory=True)
    (root / "x" / "self.jpg").symlink_to(root / "x" / "self.jpg")
    with no_hang(10):
        listing = list_photos([root])
    assert sorted(ref.source.rpartition("/")[2] for ref in listing.refs if not ref.code) == ["a.jpg", "b.jpg"]
    assert [ref.code for ref in listing.refs if "self.jpg" in ref.source] == ["dangling_link"]


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    lay(tmp_path / "elsewhere", "a.jpg")
    root = lay(tmp_path / "root", "b.jpg")
    (root / "shortcut").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert sources(list_photos([root])) == ["root/b.jpg", "root/shortcut/a.jpg"]


def test_excluded_folders_are_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(tmp_path / "root", "a.jpg", "out/color/b.jpg", "x/out/c.jpg")
    (root / "link").symlink_to(root / "out", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for exclude in (root / "out", Path("root/x/../out")):
        assert sources(list_photos([root], exclude=[exclude])) == ["root/a.jpg", "root/x/out/c.jpg"]


def test_a_root_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NpyLabelError) as caught:
        list_photos([lay(tmp_path / "root", "a.jpg"), tmp_path / "nowhere"])
    assert caught.value.code == "photos_missing" and str(tmp_path / "nowhere") in caught.value.what


def test_a_folder_that_cannot_be_listed_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, scandir = lay(tmp_path / "root", "a.jpg", "locked/b.jpg"), os.scandir

    def refuse(path: Path) -> Iterator[os.DirEntry]:
        if Path(path).name == "locked":
            raise PermissionError(13, "no")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [(ref.source, ref.code) for ref in list_photos([root]).refs] == [
        ("root/a.jpg", ""), ("root/locked", "unreadable")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_entered_is_not_lost(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "a.jpg", "locked/b.jpg")
    (root / "locked").chmod(0o444)
    try:
        codes = {ref.code for ref in list_photos([root]).refs if "locked" in ref.source}
    finally:
        (root / "locked").chmod(0o755)
    assert codes == {"unreadable"}


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "a.jpg")
    marks = [list_photos([root]).refs[0].fingerprint]
    os.utime(root / "a.jpg", (1, 1))
    marks.append(list_photos([root]).refs[0].fingerprint)
    lay(root, "a.jpg", content=b"longer" * 50)
    os.utime(root / "a.jpg", (1, 1))
    marks.append(list_photos([root]).refs[0].fingerprint)
    assert len(set(marks)) == 3


def test_sidecars_go_to_their_photos_and_the_rest_is_counted(tmp_path: Path) -> None:
    lay(tmp_path / "root", "a.jpg", "sub/a.jpg", "b(1).jpg")
    root = lay(tmp_path / "root", "a.jpg.json", "b.jpg(1).json", "metadata.json", content=b"{}")
    listing = list_photos([root])
    assert {ref.source: ref.sidecar and ref.sidecar.source for ref in listing.refs} == {
        "root/a.jpg": "root/a.jpg.json", "root/b(1).jpg": "root/b.jpg(1).json", "root/sub/a.jpg": None}
    assert listing.others == ["root/metadata.json"]


def test_the_videos_of_live_photos_are_counted(tmp_path: Path) -> None:
    root = lay(tmp_path / "root", "IMG_1.HEIC", "IMG_2.jpg", "sub/IMG_3.jpg", "PXL_4.MP.jpg")
    lay(root, "IMG_1.MOV", "IMG_2.mp4", "IMG_3.mov", "PXL_4.MP", "film.mp4", "IMG_2.txt", content=b"video")
    assert list_photos([root]).live_videos() == 3


def test_one_parameter_names_several_sources() -> None:
    assert split_sources(" a/b ; /c d/e.zip;; ") == ["a/b", "/c d/e.zip"]
    assert split_sources("demo") == ["demo"] and split_sources("") == []


def test_only_files_whose_names_tell_nothing_are_opened_and_many_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lay(tmp_path / "root", "a.jpg", "a.jpg.json", "b.MP4", "c.mov", "d.MP", "e.3gp", "f", "g.dat", "h.zip")
    write_zip(root / "i.zip", {"a.jpg": JPEG_HEAD, "b.mp4": JPEG_HEAD, "c.dat": JPEG_HEAD})
    opened, threads, read = [], set(), PhotoRef._read

    def spy(ref: PhotoRef, limit: int) -> bytes:
        opened.append(ref.source.rpartition("/")[2])
        if ref.member is None:
            threads.add(threading.current_thread())
        return read(ref, limit)

    monkeypatch.setattr(PhotoRef, "_read", spy)
    monkeypatch.setattr(listed, "is_slow_disk", lambda path: True)
    listing = list_photos([root])
    assert sorted(opened) == ["c.dat", "f", "g.dat"]
    assert threading.main_thread() not in threads
    assert sources(listing) == ["root/a.jpg", "root/f", "root/g.dat", "root/h.zip", "root/i.zip!/a.jpg",
                                "root/i.zip!/c.dat"]
    assert listing.others_text() == ".3gp 1, .mov 1, .mp 1, .mp4 2"
