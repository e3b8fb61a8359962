"""The journal of a run: nothing that was acknowledged is lost, nothing that is torn is read."""

import sys
from pathlib import Path

import pytest

from npylabel.base.journal import RunJournal
from tests.base.processes import start

SETTINGS = {"size": 64, "fit": ("crop", 1)}
STREAM = """
import sys
from pathlib import Path
from npylabel.base.journal import RunJournal
with RunJournal(Path(sys.argv[1]), {"size": 64}) as journal:
    for number in range(10**7):
        journal.append({"number": number, "text": "ковёр" * (number % 50)})
        print(number, flush=True)
"""
NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from npylabel.base.journal import RunJournal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with RunJournal(Path(sys.argv[1]), {"size": 64}) as journal:
        journal.append({"number": 3})
except OSError:
    sys.exit(7)
"""


def interrupted(path: Path, *entries: dict, settings: dict | None = None) -> None:
    """A run that wrote the entries and was stopped by an exception."""
    with pytest.raises(KeyboardInterrupt), RunJournal(path, settings or SETTINGS) as journal:
        journal.append(*entries)
        raise KeyboardInterrupt


def test_entries_of_a_stopped_run_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.jsonl"
    interrupted(path, {"a": 1}, {"b": "ковёр\n\udcff"})
    interrupted(path, {"c": None})
    assert RunJournal(path, SETTINGS).read() == [{"a": 1}, {"b": "ковёр\n\udcff"}, {"c": None}]


def test_a_complete_run_removes_its_journal(tmp_path: Path) -> None:
    with RunJournal(tmp_path / "run.jsonl", SETTINGS) as journal:
        journal.append({"a": 1})
        assert journal.path.is_file()
    assert list(tmp_path.iterdir()) == []
    assert RunJournal(tmp_path / "run.jsonl", SETTINGS).read() == []


@pytest.mark.parametrize("torn", ['{"b": 2}', '{"b": ', "\u0440", '{"b": 2}\n{"c"'])
def test_a_torn_last_line_is_dropped_and_later_lines_are_not(tmp_path: Path, torn: str) -> None:
    path = tmp_path / "run.jsonl"
    interrupted(path, {"a": 1})
    with path.open("ab") as file:
        file.write(torn.encode()[:-1] if torn == "\u0440" else torn.encode())
    whole = [{"a": 1}, {"b": 2}] if "\n" in torn else [{"a": 1}]
    assert RunJournal(path, SETTINGS).read() == whole
    interrupted(path, {"d": 4})
    assert RunJournal(path, SETTINGS).read() == [*whole, {"d": 4}]


@pytest.mark.parametrize("content", [b"", b"\n", b"\0" * 100, b"no json\n", b"{}\n", b'{"settings": 1}\n', b"[]\n{"])
def test_a_damaged_journal_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    assert RunJournal(path, SETTINGS).read() == []
    interrupted(path, {"a": 1})
    assert RunJournal(path, SETTINGS).read() == [{"a": 1}]


def test_entries_made_under_other_settings_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    interrupted(path, {"a": 1})
    assert RunJournal(path, {**SETTINGS, "size": 65}).read() == []
    interrupted(path, {"b": 1}, settings={"size": 65})
    assert RunJournal(path, SETTINGS).read() == []
    assert RunJournal(path, {"size": 65}).read() == [{"b": 1}]


def test_a_kill_loses_no_acknowledged_entry(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for wanted in (40, 400):
        with start("-c", STREAM, path) as process:
            acknowledged = [int(process.stdout.readline()) for _ in range(wanted)]
            process.kill()
            acknowledged += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
        entries = RunJournal(path, {"size": 64}).read()
        numbers = [entry["number"] for entry in entries][-len(acknowledged) - 1:]
        assert set(acknowledged) <= set(numbers)
        assert all(entry["text"] == "ковёр" * (entry["number"] % 50) for entry in entries)
    starts = [index for index, entry in enumerate(entries) if entry["number"] == 0]
    assert len(starts) == 2 and starts[0] == 0, "the entries of the first killed run are there too"


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_at_the_start_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    interrupted(path, {"number": 1}, {"number": 2}, settings={"size": 64})
    with start("-c", NO_ROOM, path) as process:
        assert process.wait() in (0, 7)
    assert RunJournal(path, {"size": 64}).read() == [{"number": 1}, {"number": 2}]
