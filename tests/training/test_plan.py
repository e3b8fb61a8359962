"""The plan: one rise and fall of the rate, stops at epochs, parts and segments, and more when more is asked."""

import json

import pytest

from npylabel.training.plan import PEAK_AGAIN, Plan, Segment, longer, one_cycle, saving_rhythm

PLAN = Plan({"epochs": 4}, 10, (Segment(0, 40),))


def stops(plan: Plan) -> list[int]:
    """All stops."""
    found = [plan.next_stop(0)]
    while found[-1] < plan.total:
        found.append(plan.next_stop(found[-1]))
    return found


def test_one_cycle_by_hand() -> None:
    # Two of ten steps rise; then eight of the nine cosine points that lie between 1 and 0.
    assert [round(one_cycle(index, 10, 0.2), 4) for index in range(10)] == [
        0.5, 1.0, 0.9698, 0.883, 0.75, 0.5868, 0.4132, 0.25, 0.117, 0.0302]
    assert one_cycle(0, 1, 0.25) == 1.0
    assert min(one_cycle(index, 1000, 0.3) for index in range(1000)) > 0


def test_the_rate_of_a_later_segment() -> None:
    plan = longer(PLAN, 40, 60, {"epochs": 6}, 0.2)
    assert plan.segments == (Segment(0, 40), Segment(40, 20, PEAK_AGAIN, 1.0))
    assert plan.rate(39, 0.2) < 0.01
    assert plan.rate(43, 0.2) == pytest.approx(1 / 3)
    assert [plan.done(step) for step in (0, 20, 40, 59)] == [0, 0.5, 1, 1]


def test_an_unfinished_segment_ends_where_it_is() -> None:
    rising = longer(PLAN, 3, 80, {"epochs": 8}, 0.25)
    assert rising.segments == (Segment(0, 3), Segment(3, 77, 1.0, 3 / 40))
    assert rising.total == 80 and rising.asked == {"epochs": 8}
    falling = longer(PLAN, 25, 30, {"epochs": 3}, 0.25)
    assert falling.segments[1].peak == pytest.approx(PLAN.rate(25, 0.25))
    assert PEAK_AGAIN < falling.segments[1].peak < 1
    assert longer(PLAN, 39, 50, {"epochs": 5}, 0.25).segments[1].peak == PEAK_AGAIN


def test_stops_at_epochs_parts_and_segments() -> None:
    assert stops(PLAN) == [10, 20, 30, 40]
    assert stops(Plan({}, 10, (Segment(0, 23),), parts=3)) == [3, 7, 10, 13, 17, 20, 23]
    assert stops(Plan({}, 10, (Segment(0, 14), Segment(14, 9)))) == [10, 14, 20, 23]
    assert stops(Plan({}, 2, (Segment(0, 4),), parts=2)) == [1, 2, 3, 4]


def test_epochs_are_whole_numbers_where_they_are_whole() -> None:
    assert [PLAN.epochs(step) for step in (10, 12, 20)] == [1, 1.2, 2]
    assert isinstance(PLAN.epochs(20), int)


def test_saves_are_shared_by_quick_epochs() -> None:
    plan = Plan({}, 10, (Segment(0, 35), Segment(35, 30)), epochs_per_save=2)
    assert [step for step in stops(plan) if plan.is_save(step)] == [20, 35, 40, 60, 65]
    assert plan.first_save() == 20
    parts = Plan({}, 10, (Segment(0, 20),), parts=2)
    assert [step for step in stops(parts) if parts.is_save(step)] == [5, 10, 15, 20]
    assert parts.first_save() == 5


@pytest.mark.parametrize(("epoch_s", "save_s", "rhythm"), [
    (60, 1, (1, 1)), (200, 1, (2, 1)), (900, 1, (5, 1)), (5, 1, (1, 4)), (5, 100, (1, 36)), (0.1, 0, (1, 1)),
])
def test_little_is_lost_and_saving_costs_little(epoch_s: float, save_s: float, rhythm: tuple[int, int],
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("npylabel.training.plan.SAVING_SHARE", 0.05)
    assert saving_rhythm(epoch_s, save_s) == rhythm


def test_a_plan_survives_its_file() -> None:
    plan = longer(PLAN, 25, 30, {"minutes": 2.5}, 0.25)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
