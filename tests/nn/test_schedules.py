"""Every schedule by hand, and what it refuses."""

import pytest

from app.nn import SCHEDULES, Constant, Cosine, OneCycle, StepDecay, WarmUp, build


def factors(schedule, *progress):
    return [schedule.factor(share) for share in progress]


def test_constant():
    assert factors(Constant(), 0, 0.5, 1) == [1, 1, 1]


def test_cosine_falls_from_one_to_its_end():
    assert factors(Cosine(0.1), 0, 0.5, 1) == pytest.approx([1, 0.55, 0.1])


def test_step_multiplies_after_every_share():
    # 0.3/0.1 is a little less than 3
    found = factors(StepDecay(every=0.1, factor=0.5), 0, 0.099, 0.1, 0.3, 0.999)
    assert found == pytest.approx([1, 1, 0.5, 0.125, 0.5**9])


def test_one_cycle_rises_to_one_and_falls_far():
    schedule = OneCycle(warm_up=0.2, initial_divisor=4, final_divisor=10)
    assert factors(schedule, 0, 0.1, 0.2, 1) == pytest.approx([0.25, 0.625, 1, 0.025])
    assert schedule.factor(0.6) == pytest.approx((1 + 0.025) / 2)


def test_warm_up_rises_in_a_line_and_leaves_the_rest_to_another():
    schedule = WarmUp(share=0.2, initial=0.5, schedule={"type": "cosine", "final": 0.1})
    assert factors(schedule, 0, 0.1, 0.2, 0.6, 1) == pytest.approx([0.5, 0.75, 1, 0.55, 0.1])
    assert factors(WarmUp(), 0, 0.05, 0.1, 1) == pytest.approx([0, 0.5, 1, 1])


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "constant"},
        {"type": "step", "every": 0.25, "factor": 0.5},
        {"type": "cosine", "final": 0.2},
        {"type": "one_cycle", "warm_up": 0.4, "initial_divisor": 10.0, "final_divisor": 100.0},
        {"type": "warm_up", "share": 0.2, "initial": 0.1, "schedule": {"type": "cosine", "final": 0.0}},
    ],
    ids=lambda spec: spec["type"],
)
def test_a_spec_makes_an_equal_schedule(spec):
    assert build("schedule", SCHEDULES, spec).spec() == spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "step"}, "schedule.every: missing; step needs it"),
        ({"type": "step", "every": 0}, "schedule.every: expected a number > 0 and ≤ 1; got 0"),
        ({"type": "step", "every": 0.5, "factor": 2}, "schedule.factor: expected a number > 0 and ≤ 1; got 2"),
        ({"type": "cosine", "final": -1}, "schedule.final: expected a number ≥ 0 and ≤ 1; got -1"),
        ({"type": "one_cycle", "warm_up": 1}, "schedule.warm_up: expected a number > 0 and < 1; got 1"),
        ({"type": "one_cycle", "final_divisor": 0}, "schedule.final_divisor: expected a number ≥ 1; got 0"),
        ({"type": "warm_up", "share": 0}, "schedule.share: expected a number > 0 and < 1; got 0"),
        ({"type": "warm_up", "schedule": "cosinus"}, "schedule.schedule: expected a type of constant, cosine"),
        ({"type": "warm_up", "schedule": {"type": "warm_up"}}, "expected a schedule without its own warm-up"),
    ],
)
def test_a_bad_spec_names_the_field(spec, message):
    with pytest.raises(ValueError, match="schedule") as refused:
        build("schedule", SCHEDULES, spec)
    assert message in str(refused.value)
