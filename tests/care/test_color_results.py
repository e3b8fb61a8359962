"""Starting step 06 over: the colorizer and its photos go, and no stroke of a person's brush with them."""

import json
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.places import Places
from npylabel.base.report import StepReport
from npylabel.base.tables import read_csv
from npylabel.care.start_over import start_over
from tests.care.color_files import MODEL_FILES, PAGES, PICTURES, colored, lay_colorizer
from tests.photos.collect_kit import lay_file, tree

LABELER = ["tiny_cnn.pth", "tiny_cnn.run.json", "checkpoint_epoch_5.pth"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    lay_colorizer(tmp_path)
    for name in LABELER:
        lay_file(tmp_path / "models" / name, b"labeler")
    return tmp_path


def over(root: Path, step: str = "06", **options: object) -> StepReport:
    return start_over(Places(root), step, **{"confirm": True, **options})


def gone(root: Path, step: str = "06", **options: object) -> set[str]:
    """The files that are there no more, after asserting that all others but tables are unchanged."""
    before = tree(root)
    over(root, step, **options)
    after = tree(root)
    assert all(after[name] == sum_ for name, sum_ in before.items() if name in after and not name.endswith(".csv"))
    return set(before) - set(after)


def test_the_colorizer_and_its_photos_go(root: Path) -> None:
    assert gone(root) == {f"models/{name}" for name in MODEL_FILES} | {
        f"colorized/{name}" for name in (*PICTURES, *PAGES, "colorized.csv")}
    assert not (root / "models/colorizer.samples").exists() and not (root / "models/colorizer.logs").exists()
    assert (root / "models/archive/colorizer_1/colorizer.pth").is_file()
    assert {path.name for path in (root / "models").glob("*.*")} == set(LABELER)


def test_a_photo_that_a_person_painted_over_stays_with_its_row(root: Path) -> None:
    lay_file(root / "colorized/1.jpg", b"painted over")
    names = ("mine.jpg", "deep/0.jpg", "before_after_mine.html")
    mine = [lay_file(root / "colorized" / name, b"mine") for name in names]
    report = over(root, confirm=False)
    assert (report.facts["kept_by_person"], report.facts["others"]) == (1, 3)
    text = "\n".join(report.messages)
    assert "stays: colorized/1.jpg" in text and "mine.jpg" in text
    gone(root)
    assert [row["source"] for row in read_csv(root / "colorized/colorized.csv")] == ["old/1.png"]
    assert [path.read_bytes() for path in mine] == [b"mine"] * 3
    assert {path.name for path in (root / "colorized").iterdir()} == {
        "1.jpg", "mine.jpg", "deep", "before_after_mine.html", "colorized.csv"}


def test_the_photos_of_a_killed_run_are_known_by_its_journal(root: Path) -> None:
    """It had another row for one photo, one photo more, and was writing the next when it died."""
    rows = [colored(0, label_name="новое"), colored(3)]
    lines = [{"settings": {}}, {"plan": {"old/3.png": "3"}},
             *({"write": row.colored_name, "sha256": row.picture_sha256} for row in (colored(3), colored(4))),
             *({"row": vars(row)} for row in rows)]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"row": {"na'
    lay_file(root / "colorized/.colorized.jsonl", text.encode())
    lay_file(root / "colorized/0.jpg", b"painted over")
    for name in ("3.jpg", "4.jpg", "5.jpg"):
        lay_file(root / "colorized" / name, name.encode())
    lay_file(root / "colorized/.tmp-npylabel-x.jpg", b"half")
    over(root)
    assert [(row["source"], row["label_name"]) for row in read_csv(root / "colorized/colorized.csv")] == [
        ("old/0.png", "новое")]
    assert {path.name for path in (root / "colorized").iterdir()} == {"0.jpg", "5.jpg", "colorized.csv"}


def test_links_in_the_place_of_photos_are_not_followed(root: Path, tmp_path: Path) -> None:
    (root / "colorized/1.jpg").unlink()
    (root / "colorized/1.jpg").symlink_to(root / "nowhere.jpg")
    assert over(root).facts["others"] == 1 and (root / "colorized/1.jpg").is_symlink()


def test_a_table_that_cannot_be_read_stops_it_before_anything_goes(root: Path) -> None:
    lay_file(root / "colorized/colorized.csv", b"name,source,width\n1,old/1.png,wide\n")
    before = tree(root)
    with pytest.raises(NpyLabelError) as caught:
        over(root)
    assert caught.value.code == "table_damaged" and tree(root) == before


def test_the_labeler_goes_without_the_colorizer(root: Path) -> None:
    assert gone(root, "03") == {f"models/{name}" for name in LABELER}


def test_who_names_the_colorizer_as_the_labeler_does_not_lose_the_labelers_checkpoints(root: Path) -> None:
    assert gone(root, "03", save_path="models/colorizer.pth") == {f"models/{name}" for name in MODEL_FILES}


@pytest.mark.parametrize(("step", "later"), [
    ("01", ["04", "05"]), ("02", ["03", "04", "05"]), ("03", ["04", "05"]), ("04", ["05"]), ("05", []), ("06", [])])
def test_the_colorizer_is_a_later_step_only_where_there_is_one(root: Path, step: str, later: list[str]) -> None:
    report = over(root, step, confirm=False)
    assert report.facts["later"] == ([*later, "06"] if step < "05" else later)
    assert any("colors as before" in line for line in report.messages) == (step < "05")
    (root / "models/colorizer.pth").unlink()
    report = over(root, step, confirm=False)
    assert report.facts["later"] == later and not any("colors as before" in line for line in report.messages)
