"""Files that never exist half-way: not after an exception, not after a kill."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from npylabel.base.files import atomic_path, leftovers, remove_leftovers, sha256_file, write_bytes, write_text
from tests.base.processes import start

WRITE_AND_WAIT = """
import sys, time
from pathlib import Path
from npylabel.base.files import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half of the new")
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def narrow_mask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [False, True])
def test_a_new_file_takes_the_place_of_the_old_one(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "deep" / "er" / "a.bin"
    for data in (b"old", b"new and longer", b""):
        write_bytes(path, data, durable=durable)
        assert path.read_bytes() == data
    assert names(path.parent) == ["a.bin"]


def test_text_is_utf8_with_the_line_ends_as_given(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ковёр\nдва\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "ковёр\nдва\r\n".encode()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(failure), atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        assert path.read_bytes() == b"old"
        raise failure
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.png"]


def test_a_final_path_that_cannot_be_replaced_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError):
        write_bytes(tmp_path / "a", b"x")
    assert names(tmp_path) == ["a"]


def test_the_temporary_file_has_the_suffix_and_the_folder_of_the_final_one(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.npy") as temporary:
        assert (temporary.suffix, temporary.parent) == (".npy", tmp_path)
        assert leftovers(tmp_path) == [temporary]


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with start("-c", WRITE_AND_WAIT, path) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert path.read_bytes() == b"old"
    assert len(leftovers(tmp_path)) == 1 and len(names(tmp_path)) == 2
    assert remove_leftovers(tmp_path) == 1
    assert names(tmp_path) == ["a.png"]


def test_only_temporary_files_are_removed(tmp_path: Path) -> None:
    for name in (".tmp-npylabel-x.png", ".tmp-npylabel-y", "tmp-npylabel-z", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    assert remove_leftovers(tmp_path, tmp_path / "missing") == 2
    assert names(tmp_path) == [".hidden", "tmp-npylabel-z"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask for reading")
@pytest.mark.usefixtures("narrow_mask")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert os.umask(0o027) == 0o027


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(data)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(data).hexdigest()
