"""Batch normalization: by hand, gradients, its state. `tests/nn/golden` compares it with PyTorch."""

import numpy as np
import pytest

from app.nn import Network, gradient_check


def built(shape, dtype="float64", **settings):
    network = Network.from_spec(
        {"layers": ["identity", {"type": "batch_norm", **settings}]}, input_shape=shape, dtype=dtype
    )
    network.initialize(1)
    network.layers[1].needs_input_gradient = True
    return network


def test_by_hand():
    layer = built((1,), momentum=0.5, epsilon=1).layers[1]
    layer.params["gamma"][:], layer.params["beta"][:] = 2, 10
    # mean 3, variance ((−2)² + 0 + 0 + 2²)/4 = 2, so x̂ = (x − 3)/√3
    x = np.array([[1.0], [3.0], [3.0], [5.0]])
    root = 3**0.5
    np.testing.assert_allclose(layer.forward(x, training=True), [[10 - 4 / root], [10], [10], [10 + 4 / root]])
    # running: half of 0 and 3; half of 1 and 2·4/3
    np.testing.assert_allclose(layer.state["running_mean"], [1.5])
    np.testing.assert_allclose(layer.state["running_variance"], [0.5 + 4 / 3])
    dx = layer.backward(np.array([[1.0], [0.0], [0.0], [0.0]]))
    # Σg = 1, Σg·x̂ = −2/√3; dx = 2/√3·(g − (1 + x̂·(−2/√3))/4)
    np.testing.assert_allclose(layer.grads["beta"], [1])
    np.testing.assert_allclose(layer.grads["gamma"], [-2 / root])
    normalized = (x - 3) / root
    np.testing.assert_allclose(dx, 2 / root * (np.array([[1], [0], [0], [0]]) - (1 - normalized * 2 / root) / 4))
    # inference takes the running ones: (x − 1.5)/√(11/6 + 1)
    np.testing.assert_allclose(layer.forward(x, training=False), 10 + 2 * (x - 1.5) / (0.5 + 4 / 3 + 1) ** 0.5)


def test_of_images_each_channel_is_normalized():
    layer = built((2, 3, 4)).layers[1]
    x = np.random.default_rng(0).normal(3, 5, (6, 2, 3, 4))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 2, 3)), 1, rtol=1e-5)
    assert layer.params["gamma"].shape == layer.state["running_mean"].shape == (2,)


@pytest.mark.parametrize("layers", [["batch_norm"], [{"type": "conv2d", "filters": 2, "kernel_size": 3}, "batch_norm"]])
def test_gradients_are_the_numerical_ones(layers):
    checked = Network.from_spec(
        {"layers": [*layers, "tanh", "batch_norm", {"type": "dense", "units": 3}]}, input_shape=(5, 6), dtype="float64"
    )
    checked.initialize(1)
    checked.params[:] += np.random.default_rng(1).normal(size=checked.params.size) * 0.1
    rng = np.random.default_rng(0)
    found = gradient_check(checked, rng.normal(size=(4, 5, 6)), rng.integers(0, 3, 4), sample=20)
    assert found.relative_error < 1e-6


def test_its_state_is_saved_with_the_weights_and_is_no_parameter():
    network = built((4,))
    network.forward(np.random.default_rng(0).normal(2, 3, (50, 4)), training=True)
    weights = {name: array.copy() for name, array in network.weights().items()}
    assert list(weights) == ["1.gamma", "1.beta", "1.running_mean", "1.running_variance"]
    assert network.params.size == 8
    assert network.decayed == 0
    again = built((4,))
    again.load_weights(weights)
    x = np.random.default_rng(1).normal(size=(3, 4))
    assert np.array_equal(again.forward(x, training=False), network.forward(x, training=False))
    assert not np.array_equal(built((4,)).forward(x, training=False), network.forward(x, training=False))
    again.initialize(1)
    assert again.weights()["1.running_mean"].tolist() == [0] * 4
    assert again.weights()["1.running_variance"].tolist() == [1] * 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_has_the_network_s_dtype(dtype):
    network = built((2, 3, 4), dtype)
    x = np.random.default_rng(0).normal(size=(6, 2, 3, 4)).astype(dtype)
    for training in (True, False):
        assert network.forward(x, training=training).dtype == dtype
    assert network.layers[1].backward(x).dtype == dtype
    assert {array.dtype.name for array in network.weights().values()} == {dtype}


def test_a_batch_of_one_number_a_feature_leaves_the_state_alone():
    layer = built((3,)).layers[1]
    layer.params["beta"][:] = 5
    assert layer.forward(np.array([[1.0, 2.0, 3.0]]), training=True).tolist() == [[5, 5, 5]]
    assert layer.state["running_mean"].tolist() == [0, 0, 0]


def test_inference_writes_nothing():
    layer = built((3,)).layers[1]
    before = {name: array.copy() for name, array in layer.state.items()}
    layer.forward(np.ones((4, 3)), training=False)
    assert all(np.array_equal(layer.state[name], array) for name, array in before.items())
    assert layer._buffers._arrays == {}


def test_a_spec_makes_an_equal_layer():
    spec = {"type": "batch_norm", "momentum": 0.7, "epsilon": 0.01}
    assert built((3,), momentum=0.7, epsilon=0.01).layers[1].spec() == spec


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 1}, "layers[1].momentum: expected a number ≥ 0 and < 1; got 1"),
        ({"epsilon": 0}, "layers[1].epsilon: expected a number > 0; got 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match="network") as refused:
        built((3,), **settings)
    assert message in str(refused.value)
