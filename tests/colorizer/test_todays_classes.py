"""A colorizer of an older class table: merged classes count as one, gone ones as nothing, and no photo is lost."""

from pathlib import Path

import pytest
import torch

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.colorizer.colorize import colorize_photos
from npylabel.colorizer.todays_classes import with_todays_classes
from tests.colorizer.color_kit import GRASS, SKY, TABLE, UNKNOWN, FakePainter, gray_photo, lay, lay_label, rows, written

# In ``TABLE`` the class of this id was merged into the sky; the other one never was.
SEA, GONE = 5, 77
BEFORE = ClassTable({**TABLE.names, SEA: "море", GONE: "кит"}, UNKNOWN)


class OldPainter(FakePainter):
    """Paints the sea as it paints the sky, and what is gone as nothing."""

    def __init__(self, *class_ids: int) -> None:
        super().__init__()
        self.table, self.class_ids = BEFORE, class_ids
        self.told: list[int] = []

    def paint(self, lightness: torch.Tensor, class_ids: torch.Tensor) -> torch.Tensor:
        self.told += class_ids.tolist()
        return super().paint(lightness, torch.tensor([{SEA: SKY, GONE: -1}.get(i, i) for i in class_ids.tolist()]))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A light photo, of which the network is sure that it shows the first of its classes, and a dark one."""
    lay(tmp_path / "old/light.png", gray_photo(1, low=200, high=250))
    lay(tmp_path / "old/dark.png", gray_photo(2, low=0, high=60))
    return tmp_path / "old"


def run(old: Path, painter: OldPainter, table: ClassTable = TABLE, **options: object) -> dict[str, dict[str, str]]:
    colorize_photos([old], old.parent / "out", painter, table, **options)
    return rows(old.parent / "out")


def test_what_the_network_sees_has_todays_name(old: Path) -> None:
    light = run(old, OldPainter(SEA, GRASS, UNKNOWN))["light.png"]
    assert (light["label_id"], light["label_name"], light["label_source"]) == (str(SKY), "небо", "network")


def test_a_label_of_today_is_colored_as_what_was_merged_into_it(old: Path) -> None:
    lay_label(old.parent / "labels", "dark", SKY)
    painter = OldPainter(SEA, GRASS, UNKNOWN)
    dark = run(old, painter, labels_dir=old.parent / "labels")["dark.png"]
    assert (dark["label_id"], dark["label_source"]) == (str(SKY), "labels")
    assert painter.told == [SEA, SEA]
    with pytest.raises(NpyLabelError, match="лошадь"):
        run(old, painter, label="лошадь")


def test_classes_that_were_merged_are_one() -> None:
    painter = OldPainter(SKY, GRASS, SEA)
    now = with_todays_classes(painter, TABLE)
    assert now.class_ids == (SKY, GRASS)
    light = torch.full((1, 1, 32, 32), 0.8)
    sight = now.see(light)
    assert torch.allclose(sight.probabilities, torch.tensor([[0.9, 0.1]]))
    sight.paint(torch.tensor([SKY]))
    assert painter.told == [SKY]


def test_classes_that_were_numbered_anew_are_known_by_their_names(old: Path) -> None:
    painter, out = OldPainter(SKY, GRASS, UNKNOWN), old.parent / "out"
    assert run(old, painter, BEFORE)["light.png"]["label_id"] == str(SKY)
    before = written(out)
    anew = ClassTable({SKY: "трава", GRASS: "небо", UNKNOWN: "неизвестное"}, UNKNOWN)
    painter.told.clear()
    light = run(old, painter, anew)["light.png"]
    assert (light["label_id"], light["label_name"], painter.told) == (str(GRASS), "небо", [-1, SKY])
    after = written(out)
    assert after.keys() == before.keys()
    run(old, painter, anew)
    assert written(out) == after, "nothing is done twice"
    lay_label(old.parent / "labels", "dark", GRASS)
    run(old, painter, anew, labels_dir=old.parent / "labels")
    assert painter.told[-1] == SKY


@pytest.mark.parametrize(("name", "ids"), [
    ("небеса", (SKY, GRASS)),  # Another name of the same class, as far as anybody can know.
    ("лошадь", (GRASS,)),  # The older table has this class under another id.
    ("море", (SKY, GRASS)),  # The sea, which has the sky's id today.
])
def test_another_name_for_an_id(name: str, ids: tuple[int, ...]) -> None:
    painter = OldPainter(SKY, SEA, GRASS) if name == "море" else OldPainter(SKY, GRASS)
    now = with_todays_classes(painter, ClassTable({SKY: name, GRASS: "трава"}))
    assert now.class_ids == ids
    now.see(torch.full((1, 1, 32, 32), 0.8)).paint(torch.tensor([SKY]))
    assert painter.told == [{"небеса": SKY, "лошадь": -1, "море": SEA}[name]]


def test_a_class_that_is_gone_is_nothing_known(old: Path) -> None:
    light = run(old, OldPainter(GONE, GRASS, SKY))["light.png"]
    assert (light["status"], light["label_id"], light["label_source"]) == ("colored", "", "")
    assert float(light["confidence"]) < 0.2


def test_only_photos_of_a_merged_class_are_colored_again(old: Path) -> None:
    painter, out = OldPainter(SEA, GRASS, UNKNOWN), old.parent / "out"
    assert run(old, painter, BEFORE)["light.png"]["label_name"] == "море"
    before = written(out)
    assert run(old, painter)["light.png"]["label_id"] == str(SKY)
    after = written(out)
    assert {name for name in before if after[name] != before[name]} == {"light.jpg"}
    run(old, painter)
    assert written(out) == after


def test_a_table_with_none_of_its_classes_is_refused() -> None:
    with pytest.raises(NpyLabelError) as caught:
        with_todays_classes(OldPainter(GONE), TABLE)
    assert caught.value.code == "model_other_classes"
    painter = OldPainter(SKY, GRASS)
    assert with_todays_classes(painter, TABLE) is painter
