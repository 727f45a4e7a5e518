"""Values instead of labels: targets, outputs and how near they are."""

import numpy as np
import pytest

from app.nn import Adam, Network, SquaredError, TrainingOptions, evaluate, fit, predict, regression_report

X = np.random.default_rng(1).uniform(-1, 1, (1200, 2))
T = X @ np.array([[1.0, 2.0], [3.0, -1.0]])


def linear(outputs):
    network = Network.from_spec({"layers": [{"type": "dense", "units": outputs}]}, input_shape=(2,), dtype="float64")
    network.initialize(1)
    return network


@pytest.mark.parametrize("targets", [T, T[:, :1], T[:, 0]], ids=["two values", "one value", "one value, flat"])
def test_a_regression_learns_values_of_any_number(targets):
    network = linear(1 if targets.ndim == 1 else targets.shape[1])
    (*_, last) = fit(network, X, targets, loss=SquaredError(), optimizer=Adam(0.05), options=TrainingOptions(epochs=20))
    assert last.train_accuracy is None
    found = regression_report(network, X, targets)
    assert found.r2 > 0.999
    assert evaluate(network, X, targets, loss=SquaredError()).accuracy is None
    assert predict(network, X).shape == (len(X), network.output_shape[0])


def test_the_fit_is_what_its_formulas_give():
    network = linear(2)
    misses = T - predict(network, X)
    found = regression_report(network, X, T)
    r2 = 1 - (misses**2).sum(axis=0) / ((T - T.mean(axis=0)) ** 2).sum(axis=0)
    assert found.r2 == pytest.approx(r2.mean())
    assert found.mean_absolute_error == pytest.approx(np.abs(misses).mean())
    assert found.root_mean_squared_error == pytest.approx(np.sqrt((misses**2).mean()))


def test_targets_that_are_all_the_same_are_met_or_not():
    network = linear(1)
    network.params[:] = 0
    assert regression_report(network, X, np.zeros(len(X))).r2 == 1
    assert regression_report(network, X, np.ones(len(X))).r2 == 0


def test_outputs_are_those_of_the_forward_pass_batch_by_batch_and_scaled():
    network = linear(2)
    assert np.allclose(predict(network, (X * 100).astype(np.float32), input_scale=100), predict(network, X), atol=1e-6)
    assert np.array_equal(predict(network, X), network.forward(X, training=False))
    assert predict(network, X[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("x", "t", "reason"),
    [
        ([[1.0, 2.0]], T, "expected arrays"),
        (X[:, :1], T, r"expected the shape \(N, \(2,\)\); got \(1200, 1\)"),
        (X, np.zeros(len(X), int), "expected values, floats; got labels"),
        (X, T[:, 0], r"values \(N, 2\); got float64 \(1200,\)"),
        (X, T[:3], "expected 1200, one per sample; got 3"),
        (X.astype(complex), T, "real numbers; got complex128"),
    ],
)
def test_what_does_not_fit_is_refused(x, t, reason):
    with pytest.raises(ValueError, match=reason):
        regression_report(linear(2), x, t)


@pytest.mark.parametrize("x", [[[1.0, 2.0]], np.float64(3), np.array([["a", "b"]]), np.zeros((3, 5))])
def test_inputs_that_do_not_fit_are_refused(x):
    with pytest.raises(ValueError, match="inputs: expected"):
        predict(linear(2), x)
