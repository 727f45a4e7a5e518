"""Every layer and every loss: backpropagation against the numerical gradient, and steps worked out by hand."""

import math

import numpy as np
import pytest

from app.nn import LOSSES, CrossEntropy, Dropout, Network, SquaredError, build, gradient_check, softmax
from app.nn.layers.activations import ACTIVATIONS, Step, erf

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
    found = gradient_check(checked, x, labels, loss=loss())
    assert [(row.layer, row.parameter) for row in found.rows] == [
        (0, "weight"),
        (0, "bias"),
        (2, "weight"),
        (2, "bias"),
    ]
    assert found.relative_error < GRADIENT_TOLERANCE


@pytest.mark.parametrize("activation", SMOOTH)
def test_an_output_activation_with_squared_error_on_values_has_the_right_gradient(activation):
    x, _, values = data()
    checked = network({"type": "dense", "units": 4}, "tanh", {"type": "dense", "units": 3}, activation)
    assert gradient_check(checked, x, values, loss=SquaredError()).relative_error < GRADIENT_TOLERANCE


@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_cross_entropy_has_the_right_gradient_for_labels_and_for_distributions(smoothing):
    x, labels, values = data()
    for targets in (labels, softmax(values)):
        checked = network({"type": "dense", "units": 3})
        found = gradient_check(checked, x, targets, loss=CrossEntropy(label_smoothing=smoothing))
        assert found.relative_error < GRADIENT_TOLERANCE


def test_dropout_has_the_right_gradient_for_its_mask():
    x, labels, _ = data()
    checked = network(
        {"type": "dense", "units": 8}, "tanh", {"type": "dropout", "rate": 0.4}, {"type": "dense", "units": 3}
    )
    assert gradient_check(checked, x, labels).relative_error < GRADIENT_TOLERANCE


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
        ("leaky_relu", [-0.02, 0, 3]),
        # Φ(−2) = 0.02275…, Φ(3) = 0.99865…: the table of the normal distribution
        ("gelu", [-2 * 0.022750131948179207, 0, 3 * 0.9986501019683699]),
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


def test_gelu_s_approximation_is_near():
    x = np.linspace(-6, 6, 101).reshape(1, -1)
    exact, near = (network("identity", {"type": "gelu", "approximate": how}).layers[1] for how in ("none", "tanh"))
    difference = exact.forward(x, training=False) - near.forward(x, training=False)
    assert 1e-5 < np.abs(difference).max() < 1e-3
    x, labels, _ = data()
    checked = network({"type": "dense", "units": 4}, {"type": "gelu", "approximate": "tanh"})
    assert gradient_check(checked, x, labels).relative_error < GRADIENT_TOLERANCE


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-15), ("float32", 2e-7)])
def test_erf_is_the_standard_library_s(dtype, tolerance):
    x = np.concatenate([np.linspace(-7, 7, 5001), [0.46875, 4, -4, 1e30, -1e30]]).astype(dtype)
    assert erf(x).dtype == dtype
    assert np.abs(erf(x) - np.array([math.erf(value) for value in x])).max() <= tolerance
    assert np.isnan(erf(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"type": "leaky_relu", "slope": 0}, "layers[1].slope: expected a number > 0 and ≤ 1"),
        ({"type": "leaky_relu", "slope": 1.5}, "got 1.5"),
        ({"type": "gelu", "approximate": True}, "layers[1].approximate: expected one of none, tanh; got true"),
    ],
)
def test_bad_settings_of_an_activation_are_refused(spec, message):
    with pytest.raises(ValueError, match="network") as refused:
        network("identity", spec)
    assert message in str(refused.value)


@pytest.mark.parametrize("spec", [{"type": "leaky_relu", "slope": 0.2}, {"type": "gelu", "approximate": "tanh"}])
def test_an_activation_s_settings_are_in_its_spec(spec):
    assert network("identity", spec).layers[1].spec() == spec


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations_keep_the_order_in_memory_of_images(activation):
    layer = network("identity", activation).layers[1]
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).transpose(3, 1, 0, 2)
    plain = layer.forward(np.ascontiguousarray(x), training=True).copy()
    for training in (True, False):
        y = layer.forward(x, training=training)
        assert np.array_equal(y, plain)
        assert y.strides == x.strides
    grad = np.random.default_rng(1).normal(size=x.shape)
    assert np.array_equal(layer.backward(grad), layer.backward(np.asfortranarray(grad)))


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


def test_label_smoothing_by_hand():
    logits = np.array([[np.log(1.0), np.log(3.0)]])  # probabilities ¼ and ¾; targets 0.1 and 0.9
    loss, grad = CrossEntropy(label_smoothing=0.2).value_and_gradient(logits, np.array([1]))
    assert loss == pytest.approx(-0.1 * np.log(0.25) - 0.9 * np.log(0.75))
    np.testing.assert_allclose(grad, [[0.15, -0.15]])


@pytest.mark.parametrize("smoothing", [-0.1, 1, "much"])
def test_label_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"loss\.label_smoothing: expected a number ≥ 0 and < 1; got"):
        build("loss", LOSSES, {"type": "cross_entropy", "label_smoothing": smoothing})


@pytest.mark.parametrize(
    "loss", [CrossEntropy(), CrossEntropy(label_smoothing=0.1), SquaredError()], ids=lambda loss: loss.type
)
def test_a_spec_makes_an_equal_loss(loss):
    again = build("loss", LOSSES, loss.spec())
    assert type(again) is type(loss)
    assert again.spec() == loss.spec()


def test_flatten_makes_rows_and_turns_gradients_back():
    layer = Network.from_spec({"layers": ["flatten"]}, input_shape=(2, 3, 2)).layers[0]
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    assert layer.forward(x, training=True).tolist() == x.reshape(2, 12).tolist()
    assert np.array_equal(layer.backward(x.reshape(2, 12)), x)


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
    for loss in (CrossEntropy(), CrossEntropy(label_smoothing=0.1), SquaredError()):
        assert loss.total(x, labels) == pytest.approx(loss.value_and_gradient(x, labels)[0] * len(x))
