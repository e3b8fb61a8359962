"""Labels and the journal: what people decided outlives models, kills and older words, and steps 04 and 05 agree."""

import os
import shutil
import time
from pathlib import Path

import pytest

from npylabel.dataset import human_labels
from npylabel.dataset.decisions import (
    ASSIGN,
    CLEAR,
    LABEL,
    LEAVE_OUT,
    SKIP,
    TAKE_BACK,
    Decision,
    DecisionJournal,
    read_decisions,
)
from npylabel.dataset.human_labels import Labels
from npylabel.dataset.labels import table_path, write_label
from npylabel.dataset.verify import verify_dataset
from npylabel.labeler import label as label_module
from npylabel.labeler.predict import Predictor
from npylabel.photos.manifest import original_hashes
from tests.labeler import kit
from tests.labeler.label_kit import Folder, Killed, edit_table, kill_at_call
from tests.photos.collect_kit import collect


class Sorted(Folder):
    """A dataset of step 01 in a work folder with a journal."""

    @property
    def decisions(self) -> Path:
        return self.root.parent / "decisions"

    def run(self, **changes: object) -> object:
        return super().run(**{"decisions_dir": self.decisions, **changes})

    def decide(self, action: str, *stems: str, class_name: str = "") -> None:
        """One click."""
        hashes = {each.name: each.sha256 for each in read_decisions(self.decisions)} | original_hashes(self.root)
        with DecisionJournal(self.decisions) as journal:
            journal.append([Decision(hashes[stem], action, stem, class_name, "board") for stem in stems])

    def give(self, stem: str, class_id: int, action: str = LABEL) -> None:
        """What a review does: the journal first, then the label."""
        self.decide(action, stem, class_name=kit.TABLE.names[class_id])
        self.kept_labels().give({stem: class_id})

    def kept_labels(self) -> Labels:
        return Labels(self.root, self.labels, kit.TABLE)

    def said(self) -> list[tuple[str, str, str, str]]:
        return [(each.action, each.name, each.class_name, each.source) for each in read_decisions(self.decisions)]

    def sources(self) -> dict[str, str]:
        """Where each label came from."""
        return {name: row.source for name, row in self.rows().items()}

    def faults(self) -> list[str]:
        """What step 05 finds, but for the warning that photos look alike."""
        found = verify_dataset(self.root, kit.TABLE, size_px=64, workers=1).findings
        return [f"{each.code} {each.name}" for each in found if each.code != "unknown_share"]


@pytest.fixture(scope="module")
def made(trained: kit.Trained, tmp_path_factory: pytest.TempPathFactory) -> Sorted:
    """Two photos of each shape, made into a dataset and labeled once."""
    root = tmp_path_factory.mktemp("made")
    found = Sorted(root / "work" / "tintora_dataset", trained.model_path)
    collect(kit.photo_folder(root / "photos", 2), found.root)
    found.run()
    assert found.ids() == {stem: kit.true_id(stem) for stem in found.ids()} and found.faults() == []
    return found


@pytest.fixture
def folder(made: Sorted, tmp_path: Path) -> Sorted:
    shutil.copytree(made.root.parent, tmp_path / "work")
    return Sorted(tmp_path / "work" / "tintora_dataset", made.model_path)


@pytest.mark.parametrize("action", [ASSIGN, LABEL])
@pytest.mark.parametrize("changes", [{}, {"overwrite": True}, {"threshold": 0.9}])
def test_what_the_journal_says_is_the_label(folder: Sorted, action: str, changes: dict) -> None:
    folder.decide(action, "3_500", class_name="лес")
    folder.label("17_500").unlink()
    assert folder.run(**changes).facts["human"] == 1
    assert folder.ids()["3_500"] == 50 and folder.sources()["3_500"] == "human" and folder.faults() == []
    folder.label("3_500").unlink()
    table_path(folder.labels).unlink()
    assert folder.run(**changes).facts["human"] == 1, "the views are lost, the journal is not"
    assert folder.ids()["3_500"] == 50 and folder.faults() == []


@pytest.mark.parametrize("withdrawn", [CLEAR, SKIP])
def test_a_photo_whose_decision_is_withdrawn_is_labeled_again(folder: Sorted, withdrawn: str) -> None:
    before = folder.content()
    folder.give("3_500", 50)
    folder.run()
    folder.decide(withdrawn, "3_500")
    report = folder.run()
    assert folder.content() == before and report.facts["human"] == 0 and report.measured["labeled_now"] == 1


@pytest.mark.parametrize("action", [CLEAR, SKIP])
def test_a_label_by_hand_of_before_the_journal_stays(folder: Sorted, action: str) -> None:
    write_label(folder.label("3_500"), 50)
    folder.run()
    folder.decide(action, "3_500")
    folder.run(overwrite=True)
    assert folder.ids()["3_500"] == 50 and folder.sources()["3_500"] == "human"


def by_file(folder: Sorted, stem: str, class_id: int) -> Path:
    write_label(folder.label(stem), class_id)
    return folder.label(stem)


def by_table(folder: Sorted, stem: str, class_id: int) -> Path:
    edit_table(folder, stem, class_id)
    return table_path(folder.labels)


@pytest.mark.parametrize("change", [by_file, by_table])
@pytest.mark.parametrize("action", [ASSIGN, LABEL])
def test_the_newest_word_counts(folder: Sorted, change: object, action: str) -> None:
    changed = change(folder, "3_500", 17)
    os.utime(changed, (time.time() - 3600,) * 2)
    folder.decide(action, "3_500", class_name="лес")
    folder.run()
    assert folder.ids()["3_500"] == 50 and len(folder.said()) == 1, "the decision came after the change"
    change(folder, "3_500", 40)
    folder.run()
    assert folder.ids()["3_500"] == 40 and folder.sources()["3_500"] == "human"
    assert folder.said()[1:] == [(action, "3_500", "арбуз", "folder")], "the change came after the decision"
    folder.run(overwrite=True)
    assert folder.ids()["3_500"] == 40 and len(folder.said()) == 2
    assert folder.faults() == []


def test_photos_that_are_out_get_no_label(folder: Sorted) -> None:
    folder.give("3_500", 50)
    before = folder.content()
    folder.decide(LEAVE_OUT, "3_500", "17_501")
    folder.run(overwrite=True)
    assert set(folder.ids()) == {"17_500", "3_501", "40_500", "40_501"} == set(folder.rows())
    assert folder.faults() == []
    folder.decide(TAKE_BACK, "3_500", "17_501")
    folder.run()
    assert folder.content() == before and folder.faults() == []


def test_labels_given_at_once_are_those_of_the_next_run(folder: Sorted) -> None:
    folder.give("3_500", 50)
    folder.give("40_501", 99)
    assert folder.ids()["3_500"] == 50 and folder.faults() == []
    now = folder.content()
    assert folder.run().measured["labeled_now"] == 0
    assert folder.content() == now and len(folder.said()) == 2


def test_what_is_decided_while_a_run_labels_is_heard(folder: Sorted, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another notebook, whose label this run then writes over."""
    predict = Predictor.probabilities

    def decide_and_predict(*arguments: object) -> object:
        if not folder.decisions.exists():
            folder.give("3_500", 50)
        return predict(*arguments)

    monkeypatch.setattr(Predictor, "probabilities", decide_and_predict)
    folder.run(overwrite=True)
    assert folder.ids()["3_500"] == 50 and folder.sources()["3_500"] == "human" and folder.faults() == []


@pytest.mark.parametrize("has_journal", [True, False])
@pytest.mark.parametrize("unfinished", [False, True])
@pytest.mark.parametrize(("name", "number"), [("write_label", 1), ("write_label", 2), ("write_label_rows", 1), ("", 0)])
def test_giving_labels_may_be_killed_at_any_write(
    folder: Sorted, monkeypatch: pytest.MonkeyPatch, name: str, number: int, *, unfinished: bool, has_journal: bool
) -> None:
    """With an unfinished run of step 04 beside it, and for who has lost the journal, too."""
    if unfinished:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            kill_at_call(patch, label_module, "write_label_rows", 1)
            folder.run(threshold=0.9)
    wanted = {"3_500": 50, "40_501": 17}
    folder.decide(LABEL, "3_500", class_name="лес")
    folder.decide(LABEL, "40_501", class_name="дом")
    with monkeypatch.context() as patch:
        if name:
            kill_at_call(patch, human_labels, name, number)
        try:
            folder.kept_labels().give(wanted)
        except Killed:
            assert name
    done = {stem for stem, class_id in wanted.items() if folder.ids()[stem] == class_id}
    assert len(done) == (number - 1 if name == "write_label" else 2)
    if not has_journal:
        shutil.rmtree(folder.decisions)
    folder.run()
    expected = wanted if has_journal else {stem: wanted[stem] for stem in done}
    assert {stem for stem, source in folder.sources().items() if source == "human"} == set(expected)
    assert {stem: folder.ids()[stem] for stem in expected} == expected and folder.faults() == []


def test_labels_are_rebuilt_from_the_journal(folder: Sorted) -> None:
    folder.decide(ASSIGN, "3_500", "3_501", class_name="лес")
    folder.decide(LABEL, "17_500", class_name="арбуз")
    folder.decide(LABEL, "17_501", class_name="арбуз")
    folder.decide(LEAVE_OUT, "17_501")
    folder.decide(SKIP, "40_500")
    assert folder.kept_labels().rebuild(folder.decisions) == 3
    assert folder.ids() == {"3_500": 50, "3_501": 50, "17_500": 40, "17_501": 17, "40_500": 40, "40_501": 40}
    assert folder.faults() == [] and list(folder.sources().values()).count("human") == 3
    assert folder.kept_labels().rebuild(folder.decisions) == 0
    folder.label("3_500").unlink()
    table_path(folder.labels).unlink()
    assert folder.kept_labels().rebuild(folder.decisions) == 3
    assert folder.ids()["3_500"] == 50 and set(folder.rows()) == {"3_500", "3_501", "17_500"}


def test_what_others_wrote_meanwhile_stays(folder: Sorted) -> None:
    first, second = folder.kept_labels(), folder.kept_labels()
    first.give({"3_500": 50})
    second.give({"17_500": 40})
    first.give({"40_500": 3})
    rows = folder.rows()
    assert {name: rows[name].class_id for name in rows if rows[name].source == "human"} == {
        "3_500": 50, "17_500": 40, "40_500": 3}
    table_path(folder.labels).unlink()
    first.give({"40_501": 3})
    assert set(folder.rows()) == {"40_501"}, "a table that was deleted is not put back from memory"


def test_labels_of_photos_that_are_not_there_are_not_made(folder: Sorted) -> None:
    folder.kept_labels().give({"gone": 50})
    assert "gone" not in folder.rows() and not folder.label("gone").exists()
    shutil.rmtree(folder.labels)
    folder.kept_labels().give({"3_500": 50})
    assert folder.ids() == {"3_500": 50}
