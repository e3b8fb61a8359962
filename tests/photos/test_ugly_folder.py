"""One collecting run over a folder of all ugly photos: nothing is lost or touched, the good neighbors come through."""

import hashlib
import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from npylabel.base.tables import printable, read_csv
from npylabel.photos.collect import collect_photos
from npylabel.photos.reasons import describe
from npylabel.photos.sources import list_photos
from tests.photos.no_hang import no_hang
from tests.photos.ugly import GOOD, IGNORED, OK, UGLY, ZIP_MEMBERS, CannotMakeError, UglyPhoto, write_cut_zip, write_zip

SIZE_PX = 512
HANG_SECONDS = 60
WINDOWS_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


@dataclass
class Run:
    """The folder before and after collecting.

    Attributes:
        dataset_dir: what was written.
        expected: right outcomes by file name as tables show it.
        names: those file names by kind.
        refused: why this platform could not make a kind.
        before: state of every original before the run.
        after: the same after it.
    """

    dataset_dir: Path
    expected: dict[str, frozenset[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows of one of the two tables."""
        return read_csv(self.dataset_dir / table)

    def outcomes(self) -> dict[str, list[str]]:
        """Outcomes in the tables by file name: "ok" or the reason."""
        found: dict[str, list[str]] = {}
        listed = [(row["source"], row["reason"] or OK) for row in self.rows("manifest.csv")]
        listed += [(row["source"], row["reason"]) for row in self.rows("quarantine.csv")]
        for source, outcome in listed:
            found.setdefault(source.rsplit("/", 1)[-1], []).append(outcome)
        return found

    def name_of(self, photo: UglyPhoto) -> str:
        """The file's name in the tables; skips the test where the platform could not make it."""
        if photo.name in self.refused:
            pytest.skip(self.refused[photo.name])
        return self.names[photo.name]


def state(folder: Path) -> dict[str, str]:
    """What each entry of a folder is: mode, time, and the hash of a regular file's bytes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        readable = stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK)
        content = hashlib.sha256(path.read_bytes()).hexdigest() if readable else ""
        found[str(path)] = f"{status.st_mode:o} {status.st_mtime_ns} {content}"
    return found


def fill(folder: Path, run: Run) -> None:
    """Puts every kind into the folder, and notes what the platform refuses."""
    for photo in [*UGLY, *GOOD]:
        try:
            name = printable(photo.make(folder).name)
        except CannotMakeError as error:
            run.refused[photo.name] = str(error)
            continue
        run.names[photo.name] = name
        run.expected[name] = photo.expect
    write_zip(folder)
    run.expected[write_cut_zip(folder).name] = frozenset({"broken_archive"})
    run.expected.update({member.rsplit("/", 1)[-1]: expect for member, expect in ZIP_MEMBERS.items()})


def collect(photos_dir: Path, dataset_dir: Path) -> None:
    """The run under test."""
    with no_hang(HANG_SECONDS):
        collect_photos(
            sources=[photos_dir], dataset_dir=dataset_dir, size_px=SIZE_PX, fit="crop", image_format="png", workers=2
        )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over everything, for all tests of this module."""
    base = tmp_path_factory.mktemp("ugly")
    photos_dir, result = base / "photos", Run(base / "dataset")
    photos_dir.mkdir()
    fill(photos_dir, result)
    result.before = state(photos_dir)
    collect(photos_dir, result.dataset_dir)
    result.after = state(photos_dir)
    yield result
    # The test folder's own clean-up could not delete what it may not read.
    for path in photos_dir.glob("unreadable*"):
        path.chmod(0o644)


@pytest.mark.parametrize("photo", [*UGLY, *GOOD], ids=lambda photo: ascii(photo.name))
def test_each_file_is_listed_once_with_a_right_outcome(run: Run, photo: UglyPhoto) -> None:
    outcomes = run.outcomes().get(run.name_of(photo), [IGNORED])
    assert len(outcomes) == 1, "listed twice"
    assert outcomes[0] in photo.expect


@pytest.mark.parametrize("member", ZIP_MEMBERS)
def test_each_zip_member_is_listed_once_with_a_right_outcome(run: Run, member: str) -> None:
    outcomes = run.outcomes().get(member.rsplit("/", 1)[-1], [IGNORED])
    assert len(outcomes) == 1, "listed twice"
    assert outcomes[0] in ZIP_MEMBERS[member]


def test_tables_list_nothing_else(run: Run) -> None:
    assert set(run.outcomes()) <= set(run.expected)


def test_reasons_are_from_the_closed_list(run: Run) -> None:
    for outcomes in run.outcomes().values():
        assert all(outcome == OK or describe(outcome) for outcome in outcomes)


def test_tables_are_the_same_in_every_run(run: Run) -> None:
    for table in ("manifest.csv", "quarantine.csv"):
        text = (run.dataset_dir / table).read_text(encoding="utf-8")
        assert " at 0x" not in text and str(run.dataset_dir.parent) not in text, table


def test_one_of_the_twins_is_taken(run: Run) -> None:
    twins = [run.outcomes()[name][0] for name in ("twin_a.jpg", "twin_b.jpg")]
    assert sorted(twins) == ["exact_duplicate", OK]


def test_originals_are_untouched(run: Run) -> None:
    assert run.after == run.before


@pytest.mark.parametrize("photo", GOOD, ids=lambda photo: photo.name)
def test_good_neighbors_come_through(run: Run, photo: UglyPhoto) -> None:
    row = next(row for row in run.rows("manifest.csv") if row["source"].endswith(f"/{photo.name}"))
    with Image.open(run.dataset_dir / "color" / f"{row['name']}.png") as color:
        assert (color.size, color.mode) == ((SIZE_PX, SIZE_PX), "RGB")
        expected_gray = color.convert("L").tobytes()
    with Image.open(run.dataset_dir / "bw" / f"{row['name']}.png") as gray:
        assert (gray.size, gray.mode) == ((SIZE_PX, SIZE_PX), "L")
        assert gray.tobytes() == expected_gray


def test_every_taken_photo_has_its_pair_and_nothing_else_lies_there(run: Run) -> None:
    taken = sorted(f"{row['name']}.png" for row in run.rows("manifest.csv") if not row["reason"])
    for folder in ("color", "bw"):
        assert sorted(path.name for path in (run.dataset_dir / folder).iterdir()) == taken


def test_no_temporary_files_are_left(run: Run) -> None:
    written = [path for path in run.dataset_dir.rglob("*") if path.is_file()]
    assert not [
        path.name
        for path in written
        if "tmp" in path.name.lower() or path.name.startswith(".") or path.stat().st_size == 0
    ]


def test_output_names_are_safe_everywhere(run: Run) -> None:
    names = [path.name for path in (run.dataset_dir / "color").iterdir()]
    for name in names:
        assert not any(unicodedata.category(letter).startswith("C") or letter in '<>:"/\\|?*' for letter in name), (
            ascii(name)
        )
        assert len(name.encode()) <= 200 and name == unicodedata.normalize("NFC", name)
        assert name == name.strip(" .-~") and name.split(".")[0].casefold() not in WINDOWS_NAMES
    assert max(Counter(name.casefold() for name in names).values()) == 1


def test_manifest_holds_the_hash_of_each_original(run: Run) -> None:
    hashes = {printable(Path(path).name): line.rsplit(" ", 1)[1] for path, line in run.before.items()}
    rows = [row for row in run.rows("manifest.csv") if "!/" not in row["source"]]
    assert rows
    for row in rows:
        name = row["source"].rsplit("/", 1)[-1]
        # A link is not read when the state is taken; its target lies outside.
        assert row["sha256"] == hashes[name] or name == "link_good.jpg"


def test_a_second_run_changes_nothing(run: Run) -> None:
    tables = {name: (run.dataset_dir / name).read_bytes() for name in ("manifest.csv", "quarantine.csv")}
    before = state(run.dataset_dir / "color"), state(run.dataset_dir / "bw")
    collect(run.dataset_dir.parent / "photos", run.dataset_dir)
    assert (state(run.dataset_dir / "color"), state(run.dataset_dir / "bw")) == before
    assert {name: (run.dataset_dir / name).read_bytes() for name in tables} == tables


def test_a_folder_that_cannot_be_listed_is_no_silent_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "photos" / "2024"
    locked.mkdir(parents=True)
    scan_folder = os.scandir

    # Refused here, not by chmod, because root may list everything.
    def scandir(path: Path) -> Iterator[os.DirEntry]:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scan_folder(path)

    monkeypatch.setattr(os, "scandir", scandir)
    refs = list_photos([tmp_path / "photos"]).refs
    assert [(ref.source, ref.code) for ref in refs] == [("photos/2024", "unreadable")]
