"""Every layer and every loss: backpropagation against the numerical gradient, and steps worked out by hand."""

import numpy as np
import pytest

from app.nn import (
    CrossEntropy,
    Dense,
    Dropout,
    Network,
    SquaredError,
    gradient_check,
    softmax,
)
from app.nn.activations import ACTIVATIONS, Step

GRADIENT_TOLERANCE = 1e-6
SMOOTH = sorted(set(ACTIVATIONS) - {"step"})  # the step function's derivative is not its gradient


def network(*layers, inputs=5, dtype="float64", seed=3):
    built = Network.from_spec({"layers": list(layers)}, input_shape=(inputs,), dtype=dtype)
    built.initialize(seed)
    built.params[:] += np.random.default_rng(seed).normal(size=built.params.size) * 0.1  # biases too
    return built


def data(n=4, inputs=5, outputs=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, inputs)), rng.integers(0, outputs, n), rng.normal(size=(n, outputs))


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("loss", [CrossEntropy, SquaredError])
def test_backpropagation_agrees_with_the_numerical_gradient(activation, loss):
    x, labels, _ = data()
    checked = network({"type": "dense", "units": 6}, activation, {"type": "dense", "units": 3})
    rows = gradient_check(checked, x, labels, loss=loss())
    assert [(row.layer, row.parameter) for row in rows] == [(0, "weight"), (0, "bias"), (2, "weight"), (2, "bias")]
    assert max(row.relative_error for row in rows) < GRADIENT_TOLERANCE


@pytest.mark.parametrize("activation", SMOOTH)
def test_an_output_activation_with_squared_error_on_values_has_the_right_gradient(activation):
    x, _, values = data()
    checked = network({"type": "dense", "units": 4}, "tanh", {"type": "dense", "units": 3}, activation)
    assert max(row.relative_error for row in gradient_check(checked, x, values, loss=SquaredError())) < 1e-6


def test_cross_entropy_on_distributions_has_the_right_gradient():
    x, _, values = data()
    checked = network({"type": "dense", "units": 3})
    rows = gradient_check(checked, x, softmax(values), loss=CrossEntropy())
    assert max(row.relative_error for row in rows) < GRADIENT_TOLERANCE


def test_dropout_has_the_right_gradient_for_its_mask():
    x, labels, _ = data()
    checked = network(
        {"type": "dense", "units": 8}, "tanh", {"type": "dropout", "rate": 0.4}, {"type": "dense", "units": 3}
    )
    assert max(row.relative_error for row in gradient_check(checked, x, labels)) < GRADIENT_TOLERANCE


def test_gradient_check_sees_a_wrong_gradient(monkeypatch):
    x, labels, _ = data()
    right = Dense.backward

    def wrong(self, grad):
        result = right(self, grad)
        self.grads["weight"] *= 1.001
        return result

    monkeypatch.setattr(Dense, "backward", wrong)
    assert gradient_check(network({"type": "dense", "units": 3}), x, labels)[0].relative_error > 1e-4


def test_gradient_check_leaves_the_parameters_and_refuses_float32():
    x, labels, _ = data()
    checked = network({"type": "dense", "units": 3})
    before = checked.params.copy()
    gradient_check(checked, x, labels)
    assert np.array_equal(before, checked.params)
    with pytest.raises(ValueError, match="expected float64"):
        gradient_check(network({"type": "dense", "units": 3}, dtype="float32"), x, labels)


def test_dense_by_hand():
    layer = network({"type": "dense", "units": 2}, inputs=2).layers[0]
    layer.needs_input_gradient = True
    layer.params["weight"][:] = [[1, 2], [3, 4]]
    layer.params["bias"][:] = [10, 20]
    x = np.array([[1.0, 1.0], [2.0, 0.0]])
    assert layer.forward(x, training=True).tolist() == [[14, 26], [12, 24]]
    # dx = g·Wᵀ, dW = xᵀ·g, db = Σ g
    assert layer.backward(np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == [[1, 3], [2, 4]]
    assert layer.grads["weight"].tolist() == [[1, 2], [1, 0]]
    assert layer.grads["bias"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("identity", [-2, 0, 3]),
        ("step", [0, 0, 1]),
        ("relu", [0, 0, 3]),
        ("sigmoid", [1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-3)]),
        ("tanh", [np.tanh(-2), 0, np.tanh(3)]),
        ("softmax", np.exp([-2, 0, 3]) / np.exp([-2, 0, 3]).sum()),
    ],
)
def test_activations_by_their_formulas(activation, expected):
    layer = network({"type": "dense", "units": 3}, activation).layers[1]
    x = np.array([[-2.0, 0.0, 3.0]])
    for training in (True, False):
        np.testing.assert_allclose(layer.forward(x, training=training)[0], expected, atol=1e-15)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations_stay_finite_far_out_and_do_not_change_their_argument(activation):
    layer = network({"type": "dense", "units": 3}, activation, dtype="float32").layers[1]
    x = np.array([[-1e4, 0, 1e4]], np.float32)
    kept = x.copy()
    y = layer.forward(x, training=True)
    assert np.isfinite(y).all()
    grad = np.ones_like(x)
    assert np.isfinite(layer.backward(grad)).all()
    assert np.array_equal(x, kept)
    assert np.array_equal(grad, np.ones_like(x))


def test_the_step_function_passes_the_gradient_straight_through():
    layer = network({"type": "dense", "units": 3}, "step").layers[1]
    assert isinstance(layer, Step)
    layer.forward(np.array([[-1.0, 0.5, 2.0]]), training=True)
    assert layer.backward(np.array([[1.0, 2.0, 3.0]])).tolist() == [[1, 2, 3]]


def test_dropout_drops_its_share_scales_the_rest_and_rests_at_inference():
    layer = Dropout(0.25)
    layer.build((1000,), "float32")
    x = np.ones((100, 1000), np.float32)
    layer.begin_epoch(np.random.default_rng(1))
    y = layer.forward(x, training=True)
    assert abs((y == 0).mean() - 0.25) < 0.01
    np.testing.assert_allclose(y[y > 0], 1 / 0.75, rtol=1e-6)
    assert layer.forward(x, training=False) is x
    layer.begin_epoch(np.random.default_rng(1))
    assert np.array_equal(y.copy(), layer.forward(x, training=True))


def test_cross_entropy_by_hand():
    logits = np.array([[np.log(1.0), np.log(3.0)], [np.log(1.0), np.log(1.0)]])
    loss, grad = CrossEntropy().value_and_gradient(logits, np.array([1, 0]))
    assert loss == pytest.approx((-np.log(0.75) - np.log(0.5)) / 2)
    np.testing.assert_allclose(grad, [[0.125, -0.125], [-0.25, 0.25]])


def test_squared_error_by_hand_on_labels_and_on_values():
    outputs = np.array([[0.5, 0.5], [1.0, 3.0]])
    loss, grad = SquaredError().value_and_gradient(outputs, np.array([0, 1]))
    assert loss == pytest.approx(0.5 * ((0.25 + 0.25) + (1 + 4)) / 2)
    assert grad.tolist() == [[-0.25, 0.25], [0.5, 1.0]]
    loss, grad = SquaredError().value_and_gradient(outputs, np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert grad.tolist() == [[-0.25, 0.25], [0.5, 1.0]]


def test_cross_entropy_of_a_hopeless_logit_is_large_and_finite():
    loss, grad = CrossEntropy().value_and_gradient(np.array([[0, 1e4]], np.float32), np.array([0]))
    assert loss == pytest.approx(1e4)
    assert grad.tolist() == [[-1, 1]]


def test_a_loss_total_is_the_batch_size_times_the_mean():
    x, labels, _ = data(outputs=5)
    for loss in (CrossEntropy(), SquaredError()):
        assert loss.total(x, labels) == pytest.approx(loss.value_and_gradient(x, labels)[0] * len(x))
