"""The journal of decisions: every acknowledged one is read, none is torn, and the last word counts."""

import json
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.dataset import decisions as module
from npylabel.dataset.decisions import (
    ASSIGN,
    CLEAR,
    KEEP_LABEL,
    LABEL,
    LEAVE_OUT,
    SKIP,
    TAKE_BACK,
    Decision,
    DecisionJournal,
    PhotoState,
    left_out,
    photo_states,
    read_decisions,
)
from tests.base.processes import start

STREAM = """
import sys
from pathlib import Path
from npylabel.dataset.decisions import Decision, DecisionJournal
journal = DecisionJournal(Path(sys.argv[1]))
for number in range(10**7):
    name = f"{sys.argv[2]}-{number}"
    journal.append([Decision(name, "leave_out", "ковёр" * (number % 50), source="drill")])
    print(name, flush=True)
"""
NO_ROOM = """
import resource, signal, sys
from pathlib import Path
from npylabel.dataset.decisions import Decision, DecisionJournal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = DecisionJournal(Path(sys.argv[1]))
journal.append([Decision("first", "leave_out")])
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
try:
    journal.append([Decision("second" * 30, "leave_out")])
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.append([Decision("third", "leave_out")])
    sys.exit(7)
"""


def decide(folder: Path, *pairs: tuple[str, str]) -> list[Decision]:
    """A session that decides."""
    with DecisionJournal(folder) as journal:
        return [decision for sha256, action in pairs
                for decision in journal.append([Decision(sha256, action, f"n{sha256}", source="test")])]


def lay_line(folder: Path, file: str, sha256: str, action: str, time: str) -> None:
    """A line of another machine, as the format says and without our code."""
    folder.mkdir(exist_ok=True)
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(json.dumps({"sha256": sha256, "name": "", "class": "", "action": action, "time": time,
                              "source": "other"}) + "\n")


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "decisions") == [] and left_out([]) == set()
    DecisionJournal(tmp_path / "decisions").append([])
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with DecisionJournal(tmp_path / "deep" / "decisions") as journal:
        written = journal.append([Decision("a", "class", "ковёр\n\udcff", "дом", "widget"), Decision("b", LEAVE_OUT)])
    assert read_decisions(tmp_path / "deep" / "decisions") == written
    assert [(decision.name, decision.class_name, decision.source) for decision in written] == [
        ("ковёр\n\udcff", "дом", "widget"), ("", "", "")]


def test_the_format_is_as_agreed(tmp_path: Path) -> None:
    decide(tmp_path, ("a", LEAVE_OUT))
    [path] = tmp_path.iterdir()
    values = json.loads(path.read_text("utf-8"))
    assert list(values) == ["sha256", "name", "class", "action", "time", "source"]
    assert len(values["time"]) == len("2026-01-01T00:00:00.000000+00:00") and values["time"].endswith("+00:00")


def test_the_last_word_on_each_photo_counts(tmp_path: Path) -> None:
    decide(tmp_path, ("a", LEAVE_OUT), ("b", LEAVE_OUT), ("a", TAKE_BACK), ("c", TAKE_BACK))
    decide(tmp_path, ("c", LEAVE_OUT), ("b", "class"))
    assert left_out(read_decisions(tmp_path)) == {"b", "c"}


def test_each_session_has_a_file_of_its_own(tmp_path: Path) -> None:
    first, second = DecisionJournal(tmp_path), DecisionJournal(tmp_path)
    for journal in (first, second, first):
        journal.append([Decision("a", LEAVE_OUT)])
    assert sorted(path.read_bytes().count(b"\n") for path in tmp_path.iterdir()) == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    journal = DecisionJournal(tmp_path)
    journal.append([Decision("a", LEAVE_OUT)])
    child = os.fork()
    if not child:
        journal.append([Decision("b", LEAVE_OUT)])
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(tmp_path.iterdir())) == 2 and left_out(read_decisions(tmp_path)) == {"a", "b"}


def test_sessions_are_merged_by_time_then_file_then_line(tmp_path: Path) -> None:
    noon = "2026-05-01T12:00:00.{:06d}+00:00"
    for file, sha256, micro in (("b.jsonl", "4", 7), ("b.jsonl", "1", 5), ("a.jsonl", "2", 7), ("a.jsonl", "3", 7)):
        lay_line(tmp_path, file, sha256, LEAVE_OUT, noon.format(micro))
    assert [decision.sha256 for decision in read_decisions(tmp_path)] == ["1", "2", "3", "4"]


def test_what_is_appended_together_has_one_time(tmp_path: Path) -> None:
    with DecisionJournal(tmp_path) as journal:
        first = journal.append(Decision(sha256, ASSIGN, class_name="дом") for sha256 in "abc")
        second = journal.append([Decision("a", CLEAR)])
    assert [decision.sha256 for decision in first] == ["a", "b", "c"]
    assert len({decision.time for decision in first}) == 1 and second[0].time > first[0].time
    assert read_decisions(tmp_path) == [*first, *second]


@pytest.mark.parametrize(("words", "state"), [
    ([(ASSIGN, "дом")], PhotoState("дом", trains=True)),
    ([(LABEL, "дом")], PhotoState("дом")),
    ([(ASSIGN, "дом"), (LABEL, "небо")], PhotoState("небо")),
    ([(SKIP, "")], PhotoState(skipped=True)),
    ([(SKIP, ""), (ASSIGN, "дом")], PhotoState("дом", trains=True)),
    ([(ASSIGN, "дом"), (SKIP, "")], PhotoState(skipped=True)),
    ([(ASSIGN, "дом"), (CLEAR, "")], PhotoState()),
    ([(ASSIGN, "дом"), (LEAVE_OUT, "")], PhotoState("дом", trains=True, out=True)),
    ([(LEAVE_OUT, ""), (CLEAR, "")], PhotoState(out=True)),
    ([(LEAVE_OUT, ""), (LABEL, "дом"), (TAKE_BACK, "")], PhotoState("дом")),
    ([(ASSIGN, "дом"), (KEEP_LABEL, "небо")], PhotoState("дом", trains=True)),
])
def test_the_state_is_what_the_last_words_say(words: list[tuple[str, str]], state: PhotoState) -> None:
    decisions = [Decision("a", action, class_name=name) for action, name in words]
    assert photo_states([Decision("b", SKIP), *decisions, Decision("c", LABEL, class_name="лес")]) == {
        "a": state, "b": PhotoState(skipped=True), "c": PhotoState("лес")}


def test_that_a_label_is_right_is_no_state(tmp_path: Path) -> None:
    assert photo_states([Decision("a", KEEP_LABEL, class_name="дом"), Decision("a", "something new")]) == {}


class _Stopped(datetime):
    """A clock that goes back an hour with every look."""

    looks = 0

    @classmethod
    def now(cls, zone: object = None) -> datetime:
        cls.looks += 1
        return datetime(2026, 5, 1, 12, tzinfo=zone) - timedelta(hours=cls.looks)


def test_times_never_go_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "datetime", _Stopped)
    found = decide(tmp_path, *((str(number), LEAVE_OUT) for number in range(5)))
    times = [decision.time for decision in found]
    assert len(set(times)) == 5 and times == sorted(times)


def test_the_last_word_is_the_last_also_behind_a_clock_that_is_ahead(tmp_path: Path) -> None:
    lay_line(tmp_path, "0-other.jsonl", "a", LEAVE_OUT, "2999-01-01T00:00:00.000000+00:00")
    decide(tmp_path, ("a", TAKE_BACK))
    decide(tmp_path, ("b", LEAVE_OUT))
    assert left_out(read_decisions(tmp_path)) == {"b"}
    assert len({decision.time for decision in read_decisions(tmp_path)}) == 3


@pytest.mark.parametrize("torn", [b"{", b'{"sha256": "x"}', "\u0440".encode()[:1], b"\0\0\0"])
def test_a_torn_last_line_is_dropped(tmp_path: Path, torn: bytes) -> None:
    kept = decide(tmp_path, ("a", LEAVE_OUT), ("b", LEAVE_OUT))
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + torn)
    later = decide(tmp_path, ("c", LEAVE_OUT))
    assert read_decisions(tmp_path) == [*kept, *later]


@pytest.mark.parametrize("line", [b"no JSON", b"[]", b"7", b'{"sha256": "x"}', b"\xff", b"\0"])
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    decide(tmp_path, ("a", LEAVE_OUT))
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(NpyLabelError) as caught:
        read_decisions(tmp_path)
    assert caught.value.code == "decisions_damaged" and "2" in caught.value.what and str(path) in caught.value.what


@pytest.mark.parametrize("change", [{"time": "yesterday"}, {"sha256": 7}, {"name": None}])
def test_a_line_with_a_wrong_value_is_named(tmp_path: Path, change: dict) -> None:
    decide(tmp_path, ("a", LEAVE_OUT))
    [path] = tmp_path.iterdir()
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}) + "\n", "utf-8")
    with pytest.raises(NpyLabelError) as caught:
        read_decisions(tmp_path)
    assert caught.value.code == "decisions_damaged"


def test_other_files_in_the_folder_are_not_read(tmp_path: Path) -> None:
    decide(tmp_path, ("a", LEAVE_OUT))
    (tmp_path / "readme.txt").write_text("no decision\n")
    assert left_out(read_decisions(tmp_path)) == {"a"}


def test_decisions_are_on_the_disk_before_they_are_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size) or fsync(handle))
    journal = DecisionJournal(tmp_path)
    for count in (1, 2):
        journal.append([Decision("a", LEAVE_OUT)])
        [path] = tmp_path.iterdir()
        assert synced[-1] == path.stat().st_size and path.read_bytes().count(b"\n") == count


@pytest.mark.skipif(sys.platform == "win32", reason="no limits")
def test_a_disk_that_is_full_tears_nothing_that_counts(tmp_path: Path) -> None:
    process = start("-c", NO_ROOM, tmp_path)
    process.communicate(timeout=60)
    assert process.returncode == 7
    assert left_out(read_decisions(tmp_path)) == {"first", "third"}
    assert any(not path.read_bytes().endswith(b"\n") for path in tmp_path.iterdir()), "the second was torn"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_what_was_acknowledged_before_a_kill_is_read(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for session in range(20):
        with start("-c", STREAM, tmp_path, session) as process:
            lines = [process.stdout.readline() for _number in range(session % 7 + 1)]
            os.killpg(process.pid, signal.SIGKILL)
            lines += process.stdout.read().split(b"\n")[:-1]
        acknowledged += [line.decode().strip() for line in lines]
    found = [decision.sha256 for decision in read_decisions(tmp_path)]
    assert set(acknowledged) <= set(found) and len(found) == len(set(found))
    assert len(acknowledged) >= 20 and len(list(tmp_path.iterdir())) == 20
    # At most the one that was on its way when the kill came is there without its acknowledgment.
    assert len(found) <= len(acknowledged) + 20
    assert all(decision.name == "ковёр" * (int(decision.sha256.partition("-")[2]) % 50)
               for decision in read_decisions(tmp_path))
