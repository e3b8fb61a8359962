"""What a person chose for single photos is colored so, by parameter, table or journal, and stays in later runs."""

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.tables import write_csv
from npylabel.colorizer import colorize as module
from npylabel.colorizer.color_book import JOURNAL
from npylabel.colorizer.color_table import read_color_rows
from npylabel.colorizer.colorize import color_one
from npylabel.dataset.class_decisions import ClassDecisions
from npylabel.dataset.decisions import ASSIGN, CLEAR, LABEL, Decision, DecisionJournal, read_decisions
from tests.colorizer.color_kit import (
    GRASS,
    SKY,
    TABLE,
    UNKNOWN,
    FakePainter,
    color,
    gray_photo,
    lay,
    lay_label,
    pixels,
    refs_of,
    rows,
    written,
)
from tests.photos.collect_kit import tree
from tests.photos.pictures import texture


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Four light photos, which look like sky, and a dark one, which looks like nothing."""
    folder = tmp_path / "old"
    for seed, name in enumerate(("IMG_0012.png", "IMG_0301.png", "IMG_0302.png", "1931/scan5.png")):
        lay(folder / name, gray_photo(seed))
    lay(folder / "cellar.png", gray_photo(9, low=0, high=60))
    return folder


def said(tmp_path: Path) -> list[tuple[str, str, str]]:
    """(name, action, class) of all decisions."""
    return [(word.name.rpartition("/")[2], word.action, word.class_name) for word in read_decisions(tmp_path / "said")]


def decide(tmp_path: Path, path: Path, action: str, class_name: str = "") -> None:
    """What another tool writes down about a photo."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with DecisionJournal(tmp_path / "said") as journal:
        journal.append([Decision(sha256, action, path.name, class_name, "board")])


def run(tmp_path: Path, **options: object) -> dict[str, tuple[str, str]]:
    """(class, who said so) by file name after a run."""
    color(tmp_path / "old", tmp_path / "out", decisions_dir=tmp_path / "said", **options)
    return {name.rpartition("/")[2]: (row["label_name"], row["label_source"])
            for name, row in rows(tmp_path / "out").items()}


def edit(out: Path, name: str, **cells: str) -> None:
    """Change cells of the table as a spreadsheet saves them."""
    with (out / "colorized.csv").open(encoding="utf-8", newline="") as file:
        found = [*csv.DictReader(file)]
    for row in found:
        row.update(cells if row["source"].endswith(name) else {})
    write_csv(out / "colorized.csv", list(found[0]), found)


def test_a_class_for_some_photos_is_decided_and_holds_in_later_runs(old: Path, tmp_path: Path) -> None:
    by_name = {"IMG_0012.png": ("трава", "person"), "IMG_0301.png": ("трава", "person"),
               "IMG_0302.png": ("трава", "person"), "scan5.png": ("небо", "network"), "cellar.png": ("небо", "person")}
    assert run(tmp_path, label="трава: IMG_0012; IMG_03* | небо: cellar.png") == by_name
    assert sorted(said(tmp_path)) == [("IMG_0012.png", LABEL, "трава"), ("IMG_0301.png", LABEL, "трава"),
                                      ("IMG_0302.png", LABEL, "трава"), ("cellar.png", LABEL, "небо")]
    before = written(tmp_path / "out")
    assert run(tmp_path) == by_name and written(tmp_path / "out") == before
    # A new model does not change what a person said, nor does a run for which nothing was said.
    assert run(tmp_path, label="небо: IMG_0012") == by_name | {"IMG_0012.png": ("небо", "person")}
    painted = pixels(tmp_path / "out" / "IMG_0012.jpg")
    assert (painted[..., 2] > painted[..., 0]).mean() > 0.95, "the sky is blue"


def test_a_name_of_two_scans_is_refused_with_the_names_of_each(old: Path, tmp_path: Path) -> None:
    lay(old / "scan7.png", gray_photo(11))
    lay(old / "scan7.jpg", gray_photo(12))
    with pytest.raises(NpyLabelError) as error:
        run(tmp_path, label="трава: scan7")
    assert error.value.code == "photo_ambiguous"
    names = error.value.what.rpartition(": ")[2].rstrip(".").split(", ")
    assert {"scan7.jpg", "scan7.png"} <= set(names)
    for name in names:
        run(tmp_path, label=f"трава: {name}")
    assert len(said(tmp_path)) == 2


def test_a_class_for_all_holds_for_one_run_and_is_written_nowhere(old: Path, tmp_path: Path) -> None:
    run(tmp_path, label="небо: scan5")
    forced = run(tmp_path, label="трава")
    assert forced.pop("scan5.png") == ("небо", "person"), "what was decided about a photo is the stronger word"
    assert set(forced.values()) == {("трава", "given")}
    assert said(tmp_path) == [("scan5.png", LABEL, "небо")]
    after = run(tmp_path)
    assert (after["scan5.png"], after["IMG_0012.png"]) == (("небо", "person"), ("небо", "network"))


@pytest.mark.parametrize(("label", "code", "words"), [
    ("трава: IMG_0013", "photo_unknown", "IMG_0012"),
    ("трава: IMG_0012 | тарва: scan5", "class_unknown", "трава"),
    ("лошадь: scan5", "class_untrained", "лошадь"),
    ("трава:", "bad_parameter", "label"),
    (": scan5", "bad_parameter", "label"),
    ("трава: scan", "photo_unknown", "scan5"),
])
def test_what_is_wrong_with_a_choice_is_said_and_nothing_is_done(
    old: Path, tmp_path: Path, label: str, code: str, words: str
) -> None:
    with pytest.raises(NpyLabelError, match=words) as caught:
        run(tmp_path, label=label)
    assert caught.value.code == code
    assert not (tmp_path / "out").exists() and said(tmp_path) == []


def test_photos_are_named_by_path_by_name_and_by_their_colored_files(old: Path, tmp_path: Path) -> None:
    lay(old / "1931" / "cellar.png", gray_photo(7))
    with pytest.raises(NpyLabelError, match=r"2 photos: .*1931/cellar") as caught:
        run(tmp_path, label="трава: cellar")
    assert caught.value.code == "photo_ambiguous"
    run(tmp_path, label="трава: old/cellar.png; 1931/scan5")
    # In the order of the sources, 1931/cellar.png is the first of that name.
    run(tmp_path, label="трава: cellar_2.jpg; IMG_0012.jpg")
    assert [name for name, _action, _class in said(tmp_path)] == ["cellar.png", "scan5.png", "IMG_0012.png"]


def test_what_was_decided_elsewhere_counts_before_label_files(old: Path, tmp_path: Path) -> None:
    for name in ("IMG_0012", "IMG_0301", "IMG_0302"):
        lay_label(tmp_path / "labels", name, GRASS)
    decide(tmp_path, old / "IMG_0012.png", ASSIGN, "небо")
    decide(tmp_path, old / "IMG_0301.png", LABEL, "неизвестное")
    decide(tmp_path, old / "1931" / "scan5.png", LABEL, "луг")
    decide(tmp_path, old / "cellar.png", ASSIGN, "лошадь")
    found = run(tmp_path, labels_dir=tmp_path / "labels")
    assert found == {"IMG_0012.png": ("небо", "person"), "IMG_0301.png": ("", "person"),
                     "IMG_0302.png": ("трава", "labels"), "scan5.png": ("трава", "person"), "cellar.png": ("", "")}
    report = color(old, tmp_path / "out", decisions_dir=tmp_path / "said", labels_dir=tmp_path / "labels")
    assert any("лошадь" in message for message in report.messages)
    assert report.measured["labels_from"] == {"labels": 1, "none": 1, "person": 3}
    decide(tmp_path, old / "IMG_0012.png", CLEAR)
    decide(tmp_path, old / "IMG_0301.png", CLEAR)
    found = run(tmp_path, labels_dir=tmp_path / "labels")
    assert found["IMG_0012.png"] == found["IMG_0301.png"] == ("трава", "labels")
    assert run(tmp_path)["IMG_0012.png"] == ("небо", "network")


def test_a_photo_of_no_class_is_colored_freely_though_the_network_is_sure(old: Path, tmp_path: Path) -> None:
    painter = FakePainter()
    color(old, tmp_path / "out", painter, decisions_dir=tmp_path / "said", label="неизвестное: IMG_0012")
    assert sorted(class_id for _size, class_id in painter.seen) == [-1] * 2 + [SKY] * 3
    assert rows(tmp_path / "out")["IMG_0012.png"]["label_source"] == "person"
    assert run(tmp_path, label=str(UNKNOWN))["scan5.png"] == ("", "given")
    assert run(tmp_path)["scan5.png"] == ("небо", "network")


def test_exactly_what_was_decided_otherwise_is_colored_again(old: Path, tmp_path: Path) -> None:
    run(tmp_path)
    before = written(tmp_path / "out")
    decide(tmp_path, old / "IMG_0012.png", LABEL, "трава")
    decide(tmp_path, old / "IMG_0301.png", LABEL, "небо")
    assert run(tmp_path)["IMG_0301.png"] == ("небо", "person")
    changed = {name for name, time in written(tmp_path / "out").items() if time != before[name]}
    assert changed == {"IMG_0012.jpg"}, "a word that agrees with the network changes no picture"


def test_the_likeliest_classes_are_in_the_table_also_where_a_person_decided(old: Path, tmp_path: Path) -> None:
    run(tmp_path, label="трава: IMG_0012")
    likeliest = {row.file_name: row.likeliest for row in read_color_rows(tmp_path / "out").values()}
    assert [name for name, _share in likeliest["IMG_0012.png"]] == ["небо", "трава"]
    assert likeliest["IMG_0012.png"][0][1] > 0.5 > likeliest["IMG_0012.png"][1][1]
    assert likeliest["cellar.png"] == [("небо", 0.34), ("трава", 0.33)]


@pytest.mark.parametrize(("cells", "wanted"), [
    ({"label_name": "трава"}, ("трава", "person")),
    ({"label_name": " Луг "}, ("трава", "person")),
    ({"label_id": str(GRASS)}, ("трава", "person")),
    ({"label_id": f"{GRASS}.0"}, ("трава", "person")),
    ({"label_id": str(GRASS), "label_name": ""}, ("трава", "person")),
    ({"label_name": "неизвестное"}, ("", "person")),
    ({"label_id": f"{SKY}.0"}, ("небо", "network")),
    ({"label_name": ""}, ("небо", "network")),
])
def test_a_class_that_is_edited_in_the_table_is_a_decision(
    old: Path, tmp_path: Path, cells: dict[str, str], wanted: tuple[str, str]
) -> None:
    run(tmp_path)
    edit(tmp_path / "out", "IMG_0012.png", **cells)
    found = run(tmp_path)
    assert found["IMG_0012.png"] == wanted and found["scan5.png"] == ("небо", "network")
    assert len(said(tmp_path)) == (wanted[1] == "person")
    assert run(tmp_path) == found
    if wanted == ("трава", "person"):
        painted = pixels(tmp_path / "out" / "IMG_0012.jpg")
        assert (painted[..., 1] > painted[..., 2]).mean() > 0.95, "grass is no blue"
        edit(tmp_path / "out", "IMG_0012.png", label_name="", label_id="")
        assert run(tmp_path)["IMG_0012.png"] == ("небо", "network")


def test_a_misspelled_class_in_the_table_stops_before_anything_is_lost(old: Path, tmp_path: Path) -> None:
    run(tmp_path)
    edit(tmp_path / "out", "IMG_0012.png", label_name="тарва")
    with pytest.raises(NpyLabelError, match=r"colorized.csv, old/IMG_0012.png: .*трава") as caught:
        run(tmp_path)
    assert caught.value.code == "class_unknown" and said(tmp_path) == []
    edit(tmp_path / "out", "IMG_0012.png", label_name="трава")
    assert run(tmp_path)["IMG_0012.png"] == ("трава", "person")


def test_a_table_from_a_spreadsheet_with_dates_for_numbers_is_read(old: Path, tmp_path: Path) -> None:
    run(tmp_path)
    before = written(tmp_path / "out")
    edit(tmp_path / "out", "cellar.png", confidence="0,34", chroma="05.май")
    assert run(tmp_path)["cellar.png"] == ("", "") and written(tmp_path / "out") == before


def test_an_edit_counts_also_where_the_original_is_elsewhere_now(old: Path, tmp_path: Path) -> None:
    run(tmp_path)
    edit(tmp_path / "out", "IMG_0012.png", label_name="трава")
    lay(tmp_path / "more" / "dog.png", gray_photo(20))
    color(tmp_path / "more", tmp_path / "out", decisions_dir=tmp_path / "said")
    assert said(tmp_path) == [("IMG_0012.png", LABEL, "трава")]
    assert rows(tmp_path / "out")["IMG_0012.png"]["label_name"] == "небо", "its file shows the sky until it is here"
    assert run(tmp_path)["IMG_0012.png"] == ("трава", "person")


def test_a_notebook_that_runs_again_does_not_take_back_a_later_word(old: Path, tmp_path: Path) -> None:
    label = "трава: IMG_0012; scan5"
    run(tmp_path, label=label)
    decide(tmp_path, old / "IMG_0012.png", LABEL, "небо")
    found = run(tmp_path, label=label)
    assert (found["IMG_0012.png"], found["scan5.png"]) == (("небо", "person"), ("трава", "person"))
    report = color(old, tmp_path / "out", label=label, decisions_dir=tmp_path / "said")
    assert any("IMG_0012" in message and "scan5" not in message for message in report.messages)
    # What the same parameter says anew is a later word itself.
    run(tmp_path, label="небо: scan5")
    assert run(tmp_path, label=label)["scan5.png"] == ("трава", "person")


def test_without_a_journal_choices_hold_for_the_run(old: Path, tmp_path: Path) -> None:
    color(old, tmp_path / "out", label="трава: scan5")
    assert rows(tmp_path / "out")["1931/scan5.png"]["label_source"] == "person"
    color(old, tmp_path / "out")
    assert rows(tmp_path / "out")["1931/scan5.png"]["label_source"] == "network"


def test_a_photo_that_was_colored_on_request_follows_a_decision(old: Path, tmp_path: Path) -> None:
    lay(old / "beach.png", texture(4, 96, 64))
    run(tmp_path, recolor=True)
    before = written(tmp_path / "out")
    decide(tmp_path, old / "beach.png", LABEL, "трава")
    assert run(tmp_path)["beach.png"] == ("трава", "person")
    assert {name for name, time in written(tmp_path / "out").items() if time != before[name]} == {"beach.jpg"}
    decide(tmp_path, old / "beach.png", CLEAR)
    assert run(tmp_path)["beach.png"][1] == "network"
    assert color(old, tmp_path / "out").measured["done_now"] == 0


def one(tmp_path: Path, name: str, **options: object) -> str:
    """The class of a photo that was colored again alone."""
    ref = refs_of(tmp_path / "old")[f"old/{name}"]
    return color_one(ref, tmp_path / "out", FakePainter(), TABLE, decisions_dir=tmp_path / "said", **options).label_name


def test_one_photo_is_colored_again_as_a_whole_run_would(old: Path, tmp_path: Path) -> None:
    run(tmp_path, image_format="png")
    before = written(tmp_path / "out")
    decide(tmp_path, old / "IMG_0012.png", LABEL, "трава")
    assert one(tmp_path, "IMG_0012.png") == "трава"
    assert {name for name, time in written(tmp_path / "out").items() if time != before[name]} == {"IMG_0012.png"}
    alone = tree(tmp_path / "out")
    run(tmp_path, image_format="png")
    assert tree(tmp_path / "out") == alone and not (tmp_path / "out" / JOURNAL).exists()
    before = written(tmp_path / "out")
    assert one(tmp_path, "IMG_0012.png") == "трава" and written(tmp_path / "out") == before
    edit(tmp_path / "out", "scan5.png", label_name="трава")
    assert one(tmp_path, "cellar.png") == "" and said(tmp_path)[-1] == ("scan5.png", LABEL, "трава")
    assert one(tmp_path, "1931/scan5.png") == "трава"


def test_one_photo_never_takes_the_place_of_a_file_that_is_not_ours(old: Path, tmp_path: Path) -> None:
    run(tmp_path)
    lay(tmp_path / "out" / "IMG_0012.jpg", gray_photo(50).convert("RGB"))
    edited = (tmp_path / "out" / "IMG_0012.jpg").read_bytes()
    decide(tmp_path, old / "IMG_0012.png", LABEL, "трава")
    assert one(tmp_path, "IMG_0012.png") == "трава"
    assert (tmp_path / "out" / "IMG_0012.jpg").read_bytes() == edited
    assert rows(tmp_path / "out")["IMG_0012.png"]["name"] == "IMG_0012_2"


class Killed(BaseException):
    """Stands for the end of the process."""


def killing(when: Callable[[Path], bool]) -> Callable[[Path, bytes], None]:
    """A way to write files that dies after some of them."""
    write = module.write_bytes

    def failing(path: Path, data: bytes) -> None:
        write(path, data)
        if when(path):
            raise Killed

    return failing


def test_a_kill_while_one_photo_is_colored_loses_nothing(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    decide(tmp_path, old / "IMG_0012.png", LABEL, "трава")
    monkeypatch.setattr(module, "write_bytes", killing(lambda _path: True))
    with pytest.raises(Killed):
        one(tmp_path, "IMG_0012.png")
    monkeypatch.undo()
    assert run(tmp_path)["IMG_0012.png"] == ("трава", "person")
    color(old, tmp_path / "whole", decisions_dir=tmp_path / "said")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_one_photo_between_a_killed_run_and_its_end(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    decide(tmp_path, old / "IMG_0012.png", LABEL, "трава")
    monkeypatch.setattr(module, "write_bytes", killing(lambda path: path.stem == "cellar"))
    monkeypatch.setattr(module.ColorBook, "put", lambda *_: None)
    with pytest.raises(Killed):
        run(tmp_path, image_format="png")
    monkeypatch.undo()
    assert (tmp_path / "out" / "cellar.png").is_file()
    assert one(tmp_path, "IMG_0012.png") == "трава"
    # The run that goes on still knows that this file is its own.
    run(tmp_path, image_format="png")
    assert sorted(written(tmp_path / "out")) == sorted(
        ["IMG_0012.png", "IMG_0301.png", "IMG_0302.png", "scan5.png", "cellar.png"])


def test_a_class_that_left_the_table_is_said(old: Path, tmp_path: Path) -> None:
    decide(tmp_path, old / "IMG_0012.png", ASSIGN, "дом")
    report = color(old, tmp_path / "out", decisions_dir=tmp_path / "said")
    assert any("дом" in message for message in report.messages)
    assert rows(tmp_path / "out")["IMG_0012.png"]["label_name"] == "небо"
    assert ClassDecisions(TABLE, tmp_path / "said").lost_classes() == {"дом": 1}
