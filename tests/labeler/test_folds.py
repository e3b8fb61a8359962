"""Folds do not tear what belongs together, and no finished one is trained again."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from npylabel.labeler.folds import assign_folds, held_out_probabilities
from npylabel.training.run_files import RunFiles
from tests.labeler.label_kit import Killed

SHA = [f"{number:064x}" for number in range(1000)]


def test_every_class_is_spread_evenly() -> None:
    class_ids = [7] * 9 + [3] * 11 + [99] * 2
    folds = assign_folds(class_ids, SHA[:22], SHA[:22], 3, 1)
    counts = Counter(zip(class_ids, folds.tolist(), strict=True))
    assert sorted(counts[7, fold] for fold in range(3)) == [3, 3, 3]
    assert sorted(counts[3, fold] for fold in range(3)) == [3, 4, 4]
    assert sorted(counts[99, fold] for fold in range(3)) == [0, 1, 1]
    assert sorted(Counter(folds.tolist()).values()) == [7, 7, 8]


def test_groups_are_never_torn_also_across_classes() -> None:
    random = np.random.default_rng(0)
    class_ids, groups = random.integers(0, 4, 200).tolist(), [str(group) for group in random.integers(0, 60, 200)]
    folds = assign_folds(class_ids, SHA[:200], groups, 5, 1)
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    assert max(Counter(folds.tolist()).values()) - min(Counter(folds.tolist()).values()) <= 4


def test_folds_follow_content_and_seed_alone() -> None:
    class_ids, order = [0, 1] * 15, np.random.default_rng(3).permutation(30)
    folds = assign_folds(class_ids, SHA[:30], SHA[:30], 3, 1)
    turned = assign_folds([class_ids[i] for i in order], [SHA[i] for i in order], [f"other {i}" for i in order], 3, 1)
    assert turned.tolist() == folds[order].tolist()
    assert assign_folds(class_ids, SHA[:30], SHA[:30], 3, 2).tolist() != folds.tolist()


class FakeFit:
    """Gives each held-out row probabilities that tell who made them; can be killed in one of its calls."""

    def __init__(self, killed_in: int = 0) -> None:
        self.calls: list[tuple[list[int], list[int]]] = []
        self.folders: list[Path] = []
        self.killed_in = killed_in

    def __call__(self, train: np.ndarray, held_out: np.ndarray, files: RunFiles) -> np.ndarray:
        self.calls.append((train.tolist(), held_out.tolist()))
        self.folders.append(files.save_path.parent)
        files.save_path.parent.mkdir(parents=True, exist_ok=True)
        files.save_path.write_bytes(b"weights")
        if len(self.calls) == self.killed_in:
            raise Killed
        return np.stack([held_out / 10, np.full(len(held_out), len(train))], axis=1)


FOLD_OF, TARGETS = np.array([0, 1, 2, 0, 1, 2, 0]), np.array([0, 0, 0, 1, 1, 1, 1])


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return RunFiles(tmp_path / "models" / "m.pth")


def ask(files: RunFiles, fit: FakeFit, identity: str = "a", targets: np.ndarray = TARGETS) -> np.ndarray:
    return held_out_probabilities(files, {"of": identity}, FOLD_OF, targets, fit)


def test_each_photo_is_judged_by_the_network_that_did_not_see_it(files: RunFiles) -> None:
    fit = FakeFit()
    found = ask(files, fit)
    assert fit.calls == [([1, 2, 4, 5], [0, 3, 6]), ([0, 2, 3, 5, 6], [1, 4]), ([0, 1, 3, 4, 6], [2, 5])]
    np.testing.assert_array_equal(found, np.float32([[0, 4], [.1, 5], [.2, 5], [.3, 4], [.4, 5], [.5, 5], [.6, 4]]))
    assert found.dtype == np.float32
    assert sorted(path.name for path in files.folds.iterdir()) == ["fold_1.npz", "fold_2.npz", "fold_3.npz"]


def test_a_killed_run_keeps_its_finished_folds_and_the_files_of_the_one_under_way(files: RunFiles) -> None:
    killed = FakeFit(killed_in=2)
    with pytest.raises(Killed):
        ask(files, killed)
    assert (killed.folders[1] / "fold.pth").read_bytes() == b"weights"
    again = FakeFit()
    found = ask(files, again)
    assert [held_out for _train, held_out in again.calls] == [[1, 4], [2, 5]]
    assert again.folders[0] == killed.folders[1]
    np.testing.assert_array_equal(found, ask(RunFiles(files.save_path.with_name("other.pth")), FakeFit()))
    done = FakeFit()
    np.testing.assert_array_equal(found, ask(files, done))
    assert done.calls == []


def test_folds_of_other_data_or_settings_are_made_again(files: RunFiles) -> None:
    with pytest.raises(Killed):
        ask(files, FakeFit(killed_in=2))
    mine = files.folds / "notes.txt"
    mine.write_text("a person's")
    other = FakeFit()
    ask(files, other, identity="b")
    assert len(other.calls) == 3
    assert sorted(path.name for path in files.folds.iterdir()) == ["fold_1.npz", "fold_2.npz", "fold_3.npz", mine.name]
    moved = FakeFit()
    ask(files, moved, identity="b", targets=TARGETS[::-1].copy())
    assert len(moved.calls) == 3


def test_a_damaged_fold_is_made_again(files: RunFiles) -> None:
    wanted = ask(files, FakeFit())
    path = files.folds / "fold_2.npz"
    path.write_bytes(path.read_bytes()[:-30])
    fit = FakeFit()
    np.testing.assert_array_equal(ask(files, fit), wanted)
    assert [held_out for _train, held_out in fit.calls] == [[1, 4]]
