"""Only what can be made again or nobody needs goes, only when it is named, and only what a step made."""

import shutil
from pathlib import Path

import pytest

import npylabel_core as core
from npylabel.base.errors import NpyLabelError
from npylabel.base.places import DEMO_MARK, Places
from npylabel.base.report import StepReport
from npylabel.base.tables import write_csv
from npylabel.care.free_room import ON_DEMAND, PARTS, free_room, how_remade
from npylabel.care.start_over import start_over
from npylabel.dataset.export import export_dataset, zip_folder
from npylabel.dataset.labels import REPLACED, LabelRow, read_label_rows, write_label, write_label_rows
from npylabel.dataset.pixel_cache import cached_files, pixel_folder
from npylabel.dataset.pixels import PixelStore
from npylabel.dataset.verify import verify_dataset
from npylabel.labeler.demo_score import write_truth
from npylabel.photos.demo import write_demo_classes, write_demo_photos
from npylabel.photos.sources import list_photos
from npylabel.training import run_files
from tests.care.color_files import PICTURES, lay_colorizer
from tests.dataset.class_kit import ID_OF, TABLE
from tests.dataset.leave_kit import World, kill_everywhere
from tests.photos.collect_kit import collect, lay_file, photo, tree

RUNS = ("2026-01-01_10-00-00", "2026-01-02_10-00-00", "2026-01-03_10-00-00")
MODEL = ["tiny_cnn.pth", *(f"tiny_cnn{suffix}" for suffix in run_files.SUFFIXES)]
EPOCHS = ["checkpoint_epoch_5.pth", "checkpoint_epoch_10.pth"]
COLOR_ARCHIVE = ["colorizer.pth", "colorizer_checkpoint_epoch_5.pth", "colorizer.samples/epoch_0001.jpg",
                 "colorizer.run.json", "colorizer.logs/a/events.0"]


@pytest.fixture(autouse=True)
def no_decoded_photos(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache for each test: others leave theirs."""
    monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path_factory.mktemp("empty")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A work folder that has everything; nobody changes it."""
    root = tmp_path_factory.mktemp("made")
    world = World(root / "work", root).lay().make()
    for run in RUNS:
        for name in ("01_collect_and_grayscale.ipynb", "01_collect_and_grayscale.html"):
            lay_file(world.root / "runs" / run / name, b"run")
    for name in (*MODEL, *EPOCHS, "other.pth", *(f"archive/tiny_cnn_{n}/{name}" for n in (1, 2) for name in MODEL[:3]),
                 "archive/tiny_cnn_1/checkpoint_epoch_5.pth", "archive/tiny_cnn_1/tiny_cnn.logs/a/events.0"):
        lay_file(world.root / "models" / name, name.encode())
    found = verify_dataset(world.dataset, TABLE, size_px=64, workers=1)
    export_dataset(found, world.root / "export", val_fraction=0.2, test_fraction=0.2, random_seed=1)
    zip_folder(world.root / "export", world.root / "export.zip")
    write_label(world.dataset / REPLACED / "old.npy", 3)
    lay_file(world.data / "дом" / "mine.jpg", photo("mine"))
    world.leave("IMG_2; дом/mine")
    lay_file(world.root / "train_data" / ".tmp-npylabel-abc.png", b"half")
    lay_file(world.root / "set_aside" / "tintora_dataset" / "color" / "x.png", b"aside")
    lay_colorizer(world.root)
    for name in COLOR_ARCHIVE:
        lay_file(world.root / "models/archive/colorizer_1" / name, b"x")
    make_demo(world.places.made_demo())
    return world


def make_demo(demo: Places, photos: int | None = None) -> None:
    """The first steps of the demo, with all or some of its photos."""
    write_truth(demo.work_dir, write_demo_photos(demo.path("photos"), photos_per_class=1))
    write_demo_classes(demo.path("class_photos"), photos_per_class=1)
    for folder in ("photos", "class_photos"):
        for path in sorted(path for path in demo.path(folder).rglob("*.*") if photos and path.is_file())[photos:]:
            path.unlink()
    collect(demo.path("photos"), demo.path("tintora_dataset"), made_from="demo")
    for name in ("models/tiny_cnn.pth", "runs/2026-01-01_10-00-00/03_train.ipynb", "tintora_dataset/contact_sheet.jpg"):
        lay_file(demo.path(name), b"x")
    write_label(demo.path("tintora_dataset/labels/a.npy"), 5)
    write_label_rows(demo.path("tintora_dataset/labels.csv"), {"a": LabelRow("a", 5, "x", written_id="5")})
    lay_colorizer(demo.work_dir)


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    return World(made.copy(tmp_path / "work").root, made.originals)


def free(world: World, what: str = "", *, confirm: bool = True, **options: str) -> StepReport:
    return free_room(world.places, what, confirm=confirm, **options)


def gone(world: World, what: str, **options: str) -> set[str]:
    """The files that are there no more; all others are the same as before."""
    before = tree(world.root)
    free(world, what, **options)
    after = tree(world.root)
    assert set(after.items()) <= set(before.items())
    return set(before) - set(after)


EXPECTED = {
    "runs": {f"runs/{run}/01_collect_and_grayscale.{suffix}" for run in RUNS[:2] for suffix in ("ipynb", "html")},
    "archive": {"models/archive/tiny_cnn_1/checkpoint_epoch_5.pth",
                "models/archive/tiny_cnn_1/tiny_cnn.logs/a/events.0",
                *(f"models/archive/tiny_cnn_{n}/{name}" for n in (1, 2) for name in MODEL[:3]),
                *(f"models/archive/colorizer_1/{name}" for name in COLOR_ARCHIVE)},
    "checkpoints": {f"models/{prefix}{name}" for name in EPOCHS for prefix in ("", "colorizer_")},
    "replaced_labels": {"tintora_dataset/labels_replaced/old.npy"},
    "leftovers": {"train_data/.tmp-npylabel-abc.png"},
    "left_out": {"left_out/tintora_dataset/color/IMG_2.png", "left_out/tintora_dataset/bw/IMG_2.png",
                 "left_out/train_data/дом/IMG_2.png"},
    "set_aside": {"set_aside/tintora_dataset/color/x.png"},
}


@pytest.mark.parametrize("part", EXPECTED)
def test_each_part_goes_alone(world: World, part: str) -> None:
    assert gone(world, part) == EXPECTED[part]
    assert gone(world, part) == set()


def test_the_export_goes_with_its_zip(world: World) -> None:
    found = gone(world, "export")
    assert {name.partition("/")[0] for name in found} == {"export", "export.zip"} and len(found) == 14
    assert not (world.root / "export").exists()
    assert world.findings() == []


def test_the_demo_goes_as_a_whole(world: World) -> None:
    before = {name for name in tree(world.root) if name.startswith("demo/")}
    assert len(before) > 20
    assert gone(world, "demo") == before
    assert not (world.root / "demo").exists()


def test_all_is_all_but_what_has_no_other_copy(world: World) -> None:
    report = free(world, "all")
    assert report.facts["chosen"] == [part for part in PARTS if part not in ON_DEMAND]
    names = set(tree(world.root))
    assert not any(name.startswith(("export", "demo/")) for name in names)
    for part in ("archive", "replaced_labels", "left_out", "set_aside"):
        assert EXPECTED[part] <= names and part in ON_DEMAND
    assert {f"models/{name}" for name in MODEL} <= names
    assert free(world, "all; left_out;set_aside").facts["removed"] == 4
    assert free(world, "all; left_out;set_aside").facts["removed"] == 0


def test_without_confirm_nothing_is_changed(world: World) -> None:
    lay_file(pixel_folder() / "photos.json", b"{}")
    before = tree(world.root)
    for what in ("", "all", "left_out; set_aside; demo"):
        report = free(world, what, confirm=False)
        assert report.facts["done"] is False
        for part in PARTS:
            assert any(line.startswith(("[x] ", "[ ] ")) and f"] {part}: " in line and how_remade(part) in line
                       for line in report.messages), part
    assert tree(world.root) == before


def test_the_list_tells_sizes_and_what_stays(world: World) -> None:
    report = free(world, "runs;left_out", confirm=False)
    assert "[x] runs: 4 files, 0 kB - " in "\n".join(report.messages)
    assert "[ ] archive: 13 files" in "\n".join(report.messages)
    assert report.facts["files"]["runs"] == 4 and report.facts["removed"] == 7
    stays = {line.split(":")[0].removeprefix("Stays in "): int(line.split(": ")[1].split()[0])
             for line in report.messages if line.startswith("Stays in ")}
    free(world, "runs;left_out")
    counts = {folder.name: sum(path.is_file() for path in folder.rglob("*"))
              for folder in world.root.iterdir() if folder.is_dir()}
    assert stays == {**{name: count for name, count in counts.items() if count}, ".": 1}


def test_an_unknown_part_is_named(world: World) -> None:
    with pytest.raises(NpyLabelError) as caught:
        free(world, "runs;everything")
    assert caught.value.code == "bad_parameter" and "everything" in caught.value.what and "archive" in caught.value.fix


def test_foreign_files_stay_and_are_named(world: World) -> None:
    mine = ["runs/mine.txt", f"runs/{RUNS[0]}/notes.txt", f"runs/{RUNS[0]}/deep/01_x.ipynb", "runs/my run/01_a.ipynb",
            "models/archive/tiny_cnn_1/mine.pth", "models/archive/other_1/tiny_cnn.pth", "export/mine.txt",
            "models/archive/colorizer_1/checkpoint_epoch_5.pth", "demo/colorized/mine.jpg",
            "models/archive/colorizer_1/colorizer.samples/mine.jpg", "models/archive/my colorizer_1/colorizer.pth",
            "export/train/color/mine.png", "export/train/color/deep/IMG_1.png", "demo/mine.jpg", "demo/photos/mine.jpg",
            "demo/tintora_dataset/color/mine.png", "demo/models/mine.pth", "tintora_dataset/labels_replaced/a.txt",
            "models/checkpoint_epoch_5 (copy).pth", "left_out/mine.txt", "left_out/train_data/дом/own.png"]
    for name in mine:
        lay_file(world.root / name, b"mine")
    report = free(world, ";".join(PARTS))
    assert [name for name in mine if not (world.root / name).is_file()] == []
    text = "\n".join(report.messages)
    silent = ("models/checkpoint_epoch_5 (copy).pth", "left_out/mine.txt")
    # Of a folder that no step made its name is enough.
    named = {name.replace("/01_a.ipynb", "").replace("other_1/tiny_cnn.pth", "other_1").replace(
        "my colorizer_1/colorizer.pth", "my colorizer_1") for name in mine}
    assert [name for name in sorted(named) if name not in text and name not in silent] == []
    assert (world.root / "export" / "export.csv").is_file(), "what marks the folder as an export stays with the rest"
    assert (world.root / "demo" / DEMO_MARK).is_file()


def test_what_a_person_decided_in_the_demo_stays(world: World) -> None:
    demo = Places(world.root / "demo", is_demo=True)
    write_label(demo.path("tintora_dataset/labels/a.npy"), 7)
    lay_file(demo.path("decisions/x.jsonl"), b"")
    free(world, "demo")
    left = {path.relative_to(demo.work_dir).as_posix() for path in demo.work_dir.rglob("*") if path.is_file()}
    assert {"tintora_dataset/labels/a.npy", "tintora_dataset/labels.csv", "decisions/x.jsonl", DEMO_MARK} <= left
    assert not any(name.endswith((".png", ".jpg", ".heic")) for name in left)
    assert set(read_label_rows(demo.path("tintora_dataset/labels.csv"))) == {"a"}


def test_a_folder_that_is_only_called_demo_is_the_users(world: World) -> None:
    (world.root / "demo" / DEMO_MARK).unlink()
    before = tree(world.root / "demo")
    assert free(world, "demo").facts["removed"] == 0
    assert tree(world.root / "demo") == before


def in_use(demo: Places) -> None:
    """A person decided, changed and lost something in the demo."""
    lay_file(demo.path("colorized") / PICTURES[0], b"painted over")
    write_label(demo.path("tintora_dataset/labels/a.npy"), 7)
    sorted(demo.path("tintora_dataset/color").iterdir())[0].write_bytes(b"painted")
    sorted(demo.path("photos").rglob("*.jpg"))[-1].unlink()
    lay_file(demo.path("train_data/.tmp-npylabel-x.png"), b"half")


@pytest.mark.parametrize("is_used", [False, True])
@pytest.mark.parametrize("what", [*PARTS, "all", "; ".join(PARTS)])
def test_just_what_is_listed_goes(world: World, what: str, is_used: bool) -> None:
    if is_used:
        in_use(Places(world.root / "demo", is_demo=True))
    before = set(tree(world.root))
    listed = free(world, what, confirm=False).facts
    assert free(world, what).facts == {**listed, "done": True}
    assert len(before - set(tree(world.root))) == listed["removed"]
    assert set(tree(world.root)) <= before


@pytest.mark.parametrize("demo_only", [True, False])
def test_the_demo_alone_goes_from_either_place(tmp_path: Path, demo_only: bool) -> None:
    places = Places(tmp_path)
    make_demo(places.made_demo())
    before = set(tree(tmp_path))
    work_dir = tmp_path / "demo" if demo_only else tmp_path
    common = {"action": "free", "value": "all", "work_dir": str(work_dir), "language": "en"}
    listed = core.manage(**common).facts["removed"]
    assert core.manage(**common, confirm=True).facts["removed"] == listed == len(before - set(tree(tmp_path)))
    assert (listed == len(before)) is not demo_only


def test_a_foreign_zip_beside_the_export_stays(world: World) -> None:
    (world.root / "export.zip").unlink()
    with_other = lay_file(world.root / "x" / "other.txt", b"1").parent
    zip_folder(with_other, world.root / "export.zip")
    assert "export.zip" not in gone(world, "export")


def test_a_folder_that_only_looks_like_an_export_stays(world: World) -> None:
    write_csv(world.root / "mine" / "export.csv", ("name",), [{"name": "a"}])
    lay_file(world.root / "mine" / "a.png", b"1")
    assert not any(name.startswith("mine/") for name in gone(world, "export"))


def test_a_killed_export_goes(world: World) -> None:
    world.leave("IMG_2", back=True)
    (world.root / "export" / "export.csv").write_bytes(b"")
    assert len(gone(world, "export")) == 14


def test_photos_that_were_left_out_come_back_without_their_pictures(world: World) -> None:
    free(world, "left_out")
    before = tree(world.root)
    assert any(name.startswith("left_out/train_data/дом/mine") for name in before), "it has no other copy"
    report = world.leave("*", back=True)
    assert report.facts["done"]
    world.collect()
    assert "IMG_2" in world.stems()
    row = read_label_rows(world.dataset / "labels.csv")["IMG_2"]
    assert row.source == "human" and row.class_id == ID_OF["дом"]


def test_epochs_without_their_model_are_somebody_elses(world: World) -> None:
    for name in MODEL:
        (world.root / "models" / name).unlink()
    assert gone(world, "checkpoints") == {f"models/colorizer_{name}" for name in EPOCHS}, "these say whose they are"


def test_another_model_is_looked_at_when_it_is_named(world: World) -> None:
    moved = (world.root / "models").rename(world.root / "nets")
    (moved / "tiny_cnn.pth").rename(moved / "big.pth")
    assert gone(world, "checkpoints;archive", save_path="nets/big.pth") == {f"nets/{name}" for name in EPOCHS}


def test_what_was_set_aside_can_go(world: World) -> None:
    start_over(Places(world.root), "01", confirm=True)
    report = free(world, "set_aside")
    assert report.facts["removed"] >= 1 and not (world.root / "set_aside").exists()


def test_it_may_be_killed_anywhere(world: World) -> None:
    shutil.rmtree(world.root / "demo")
    kill_everywhere(world, lambda copy: free(copy, "all;left_out"))


def test_the_removal_of_the_demo_may_be_killed_anywhere(tmp_path: Path) -> None:
    small = World(tmp_path / "small", tmp_path)
    make_demo(small.places.made_demo(), photos=4)
    in_use(small.places.demo())
    kill_everywhere(small, lambda copy: free(copy, "demo"))


def test_an_empty_work_folder_has_nothing(tmp_path: Path) -> None:
    report = free_room(Places(tmp_path), "all", confirm=True)
    assert report.facts["removed"] == 0 and any("nothing to remove" in line for line in report.messages)
    assert list(tmp_path.iterdir()) == []


def test_the_decoded_photos_go_and_come_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPYLABEL_CACHE", str(tmp_path / "cache"))
    refs = list_photos([world.dataset / "color"]).refs
    with PixelStore(refs, 32, "crop"):
        pass
    foreign = lay_file(tmp_path / "cache" / "pixels" / "mine.txt", b"1")
    listed = free(world, "pixels", confirm=False)
    assert listed.facts["files"]["pixels"] == listed.facts["removed"] == len(cached_files()) > 0
    assert any("pixels" in line and str(tmp_path / "cache") in line for line in listed.messages)
    before = tree(world.root)
    free(world, "pixels")
    assert cached_files() == [] and foreign.is_file() and tree(world.root) == before
