"""How long a training takes: added up over the sizes of its pictures, and never past the minutes that are asked."""

import json
from pathlib import Path

import pytest

from npylabel.base.tables import read_csv
from npylabel.labeler import expectation
from npylabel.labeler.expectation import expected_macro_f1
from npylabel.training import fit, planning
from npylabel.training.plan import Plan, Segment
from npylabel.training.precision import has_native_bf16
from npylabel.training.recipe import Recipe
from npylabel.training.speed import Speed
from tests.labeler import kit

# 64 pixels for half of the steps, then 128.
RECIPE = Recipe(sizes=((0.5, 0.5), (1.0, 1.0)))
SPEED = Speed({64: 1.0, 128: 3.0}, judge_s=4.0, save_s=6.0)


def test_a_mean_step_by_hand() -> None:
    assert SPEED.mean_step_s(RECIPE, 128) == pytest.approx(2.0)
    # From a quarter of the course on: 25 of 75 hundredths are small.
    assert SPEED.mean_step_s(RECIPE, 128, 0.25) == pytest.approx((25 * 1 + 50 * 3) / 75, abs=0.02)
    # A size that was not measured takes as much as its pixels do.
    assert Speed({64: 1.0}, 0, 0).mean_step_s(RECIPE, 128) == pytest.approx(2.5)


def test_an_epoch_by_hand() -> None:
    plan = Plan({}, 10, (Segment(0, 40),))
    assert SPEED.epoch_s(plan, RECIPE, 128) == pytest.approx(10 * 2 + 4 + 6)
    assert SPEED.epoch_s(Plan({}, 10, plan.segments, parts=2), RECIPE, 128) == pytest.approx(20 + 8 + 12)
    assert SPEED.epoch_s(Plan({}, 10, plan.segments, epochs_per_save=3), RECIPE, 128) == pytest.approx(20 + 4 + 2)


def test_steps_that_fit_into_a_time() -> None:
    plan = Plan({}, 10, (Segment(0, 40),))
    # 95 % of 200 s, less a last judging and saving: 180 s are six epochs of 30 s.
    assert SPEED.steps_in(200, plan, RECIPE, 128) == 60
    assert SPEED.steps_in(5, plan, RECIPE, 128) == 0


@pytest.mark.parametrize(("minutes", "steps"), [(1, 47), (0.01, 1)])
def test_minutes_become_steps_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: float, steps: int
) -> None:
    # 3 steps an epoch: 3 + 0.5 + 0.1 s. 57 s less 0.6 s are 47 steps; what was spent before is next to nothing.
    monkeypatch.setattr(planning, "measure", lambda *_arguments: Speed({32: 1.0}, 0.5, 0.1))
    monkeypatch.setattr(fit.time, "monotonic", lambda: 0.0)
    kit.train(data, tmp_path / "m.pth", minutes=minutes, epochs=1)
    plan = json.loads((tmp_path / "m.run.json").read_text())["plan"]
    assert plan["segments"] == [{"start": 0, "steps": steps, "peak": 1.0, "done": 0.0}]
    assert plan["asked"] == {"minutes": minutes}
    last = read_csv(tmp_path / "m.history.csv")[-1]
    assert float(last["epoch"]) == pytest.approx(steps / 3, abs=1e-4)
    # A quicker machine does not make another plan of it.
    monkeypatch.setattr(planning, "measure", lambda *_arguments: pytest.fail("measured again"))
    assert kit.train(data, tmp_path / "m.pth", minutes=minutes, epochs=1).measured["epochs_now"] == 0


def test_the_time_is_told_before_and_while(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(planning, "measure", lambda *_arguments: Speed({32: 40.0}, 10.0, 10.0))
    monkeypatch.setitem(expectation.EXPECTED_MACRO_F1, 7, {2: 0.61})
    kit.train(data, tmp_path / "m.pth", epochs=2)
    lines = capsys.readouterr().out.splitlines()
    # 2 epochs of 3 steps of 40 s, judged and saved twice.
    assert "Epochs: 2, steps in each: 3; about 5 min" in lines[0] and "about 0.61" in lines[1]
    assert "left" in lines[2] and "left" not in lines[3]


def test_what_to_expect() -> None:
    table = {50: {10: 0.4, 40: 0.6}, 100: {10: 0.5, 40: 0.7}}
    assert expected_macro_f1(50, 10, table) == 0.4
    assert expected_macro_f1(50, 20, table) == 0.5
    assert expected_macro_f1(70.71, 20, table) == 0.55
    assert expected_macro_f1(150, 60, table) == 0.7
    assert expected_macro_f1(10, 20, table) is expected_macro_f1(50, 200, table) is expected_macro_f1(5, 5, {}) is None


@pytest.mark.parametrize(("flags", "native"), [
    ("fpu avx512f avx512_bf16 amx_tile", True), ("fpu avx2", False), ("fpu amx_bf16", True), ("", False),
])
def test_processors_that_compute_bfloat16(flags: str, native: bool) -> None:
    assert has_native_bf16(f"processor\t: 0\nmodel name\t: avx512_bf16\nflags\t\t: {flags}\n") is native
