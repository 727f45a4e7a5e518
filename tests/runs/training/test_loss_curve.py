"""The curve of the loss within epochs."""

import json
import math

import pytest

from app.runs.training.loss_curve import MOST_POINTS, LossCurve


def filled(curve, first, last):
    for batch in range(first, last + 1):
        curve.add(batch, 1 / batch)
    return curve


@pytest.mark.parametrize(
    ("epochs", "batches"), [(1, 1), (1, 7), (3, 600), (5, 1875), (20, 10), (100, 48_000), (10_000, 600)]
)
def test_a_run_of_any_length_keeps_a_few_hundred_points(epochs, batches):
    curve = LossCurve(epochs, batches)
    kept = 0
    for epoch in range(1, min(epochs, 20) + 1):
        filled(curve, 1, batches)
        assert len(curve.points) == curve.expected <= MOST_POINTS
        kept += len(curve.of_epoch(epoch).get("batch_losses", []))
    assert (kept > 0) == (batches > 1)
    assert kept <= MOST_POINTS
    assert curve.of_epoch(0) == {}


def test_a_point_is_the_mean_of_its_batches():
    curve = filled(LossCurve(15, 50), 1, 8)
    assert curve.points == (pytest.approx((1 + 1 / 2 + 1 / 3) / 3, rel=1e-3), pytest.approx(0.2056, rel=1e-3))
    assert len(filled(curve, 9, 50).points) == 17


@pytest.mark.parametrize("at", [1, 2, 3, 25, 49, 50])
def test_an_interrupted_epoch_has_the_points_of_a_whole_one(at):
    whole = filled(LossCurve(15, 50), 1, 50)
    state = json.loads(json.dumps(filled(LossCurve(15, 50), 1, at).state()))
    resumed = LossCurve(15, 50)
    resumed.restore(state, at)
    assert filled(resumed, at + 1, 50).points == whole.points


@pytest.mark.parametrize("state", [{}, {"points": [1.0], "sum": 1.0, "count": 1, "step": 7}])
def test_points_that_a_checkpoint_lacks_are_gaps(state):
    curve = LossCurve(15, 50)
    curve.restore(state, 25)
    assert curve.points == (None,) * 8
    assert len(filled(curve, 26, 50).points) == 17


def test_a_loss_that_is_no_number_is_a_gap():
    curve = LossCurve(100, 2)
    curve.add(1, math.nan)
    assert curve.points == (None,)
